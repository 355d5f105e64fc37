/* SPDX-License-Identifier: ISC */
/* secrets_file.h: the file of the master secrets, one a line, oldest first:
 *
 *     64 hexadecimal digits                                   the first, which the store is under
 *     64 hexadecimal digits 2026-11-28T10:00:00Z              tokens are made under it from then on
 *     64 hexadecimal digits 2026-05-02T10:00:00Z retired      its tokens are refused
 *
 * Knows lines, permissions and how a line is added; does not know what keys protect. */
#ifndef RETOKEN_TOKEN_SECRETS_FILE_H
#define RETOKEN_TOKEN_SECRETS_FILE_H

#include <stddef.h>

#include "base/crypto.h"
#include "base/fault.h"

enum { SECRETS_MASTER_SIZE = 32, SECRETS_MOST = 64 };

struct secrets_line {
    uint8_t master[SECRETS_MASTER_SIZE];
    uint8_t name[CRYPTO_KEY_SIZE]; /* derived; the first byte is its key id, in tokens */
    int64_t from_ms;               /* 0 = always */
    bool retired;
};
struct secrets_file {
    struct secrets_line lines[SECRETS_MOST];
    size_t count;
};

/* Derives a line's name. False: libcrypto failed. */
bool secrets_line_name(struct secrets_line *line);

/* Reads it: mode 0600 or 0400, owned by this user; or, when it was `passed` to this process, as
 * private_file_read_passed takes it. False with *fault, which names file and line and says what
 * would be right, and *file wiped; else the caller wipes it. */
bool secrets_file_read(const char *path, bool passed, struct secrets_file *file,
                       struct fault *fault);
/* Creates it with one line (O_EXCL, 0600, synced). False with *fault when it exists or cannot be
 * written. */
bool secrets_file_create(const char *path, const struct randomness *randomness,
                         struct fault *fault);

/* Adds a line that is in force from from_ms on (0 = at once), with a key id that no other has. The
 * file is replaced as a whole, keeps its mode, and has an old line or a new one wherever this is
 * killed; of a symbolic link what it leads to is replaced. False with *fault. */
bool secrets_file_add(const char *path, int64_t from_ms, const struct randomness *randomness,
                      uint8_t *key_id, struct fault *fault);
/* Marks the line of that key id as retired, likewise. False with *fault: also when there is none,
 * or tokens are made under it at now_ms. */
bool secrets_file_retire(const char *path, uint8_t key_id, int64_t now_ms, struct fault *fault);

#endif
