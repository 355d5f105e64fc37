/* SPDX-License-Identifier: ISC */
/* whole_file.h: a file that is under its name with all its bytes, or not at all, wherever the
 * process or the machine stops. Every file that Retoken makes is made here, except those that grow.
 * Knows names and descriptors; does not know what is written.
 *
 * The bytes go to NAME.part, which is synced and then gets its name; a folder's lock keeps two
 * processes from writing the same one. A NAME.part that a killed process has left is overwritten by
 * the next. */
#ifndef RETOKEN_BASE_WHOLE_FILE_H
#define RETOKEN_BASE_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fault.h"
#include "base/text.h"

enum { WHOLE_FILE_PATH_MAX = 4096 };

enum whole_file_result {
    WHOLE_FILE_DONE,
    WHOLE_FILE_EXISTS, /* and is left as it was */
    WHOLE_FILE_FAULT   /* *fault says what */
};

/* One that is being written. */
struct whole_file {
    int folder, file; /* file: write to it; -1 outside of open and finish */
    char name[256];   /* in the folder */
    char part[256];
    char path[WHOLE_FILE_PATH_MAX];
};

/* Begins to write the file of that path, which will have that mode whatever the umask. The folder
 * exists. False with *fault set; then there is nothing to finish. */
bool whole_file_open(struct whole_file *whole, const char *path, mode_t mode, struct fault *fault);
/* False with errno set. */
bool whole_file_put(struct whole_file *whole, const void *bytes, size_t size);
/* Syncs the bytes, gives the file its name and syncs the folder. An existing file is replaced, or
 * wins. Ends the writing, whatever the result. */
enum whole_file_result whole_file_finish(struct whole_file *whole, bool replace,
                                         struct fault *fault);
/* Ends the writing and leaves nothing. */
void whole_file_drop(struct whole_file *whole);

/* All of that for bytes in memory. Leaves an existing file alone. */
enum whole_file_result whole_file_create(const char *path, struct text content, mode_t mode,
                                         struct fault *fault);

/* Makes a folder (0700) and those above it where they are missing, each synced into the one above.
 * False with *fault set. */
bool whole_file_folder(const char *path, struct fault *fault);

/* Writes all bytes at the descriptor's position. False with errno set. */
bool whole_file_write_all(int file, const void *bytes, size_t size);
/* Makes the names in the folder that holds `path` durable. False with errno set. */
bool whole_file_sync_name(const char *path);

#endif
