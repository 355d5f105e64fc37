/* SPDX-License-Identifier: ISC */
/* secret_file.h: a folder of a test's own, with the file of the master secrets in it. */
#ifndef RETOKEN_TESTS_TOKEN_SECRET_FILE_H
#define RETOKEN_TESTS_TOKEN_SECRET_FILE_H

#include "token/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/retoken-secrets-XXXXXX";
static char path[sizeof directory + 16];

/* A group setup and its teardown. */
static inline int make_directory(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/secret", directory);
    return 0;
}

static inline int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    fixture_close(state);
    return rmdir(directory);
}

static inline void put_file(const char *content, size_t size, mode_t mode)
{
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

#endif
