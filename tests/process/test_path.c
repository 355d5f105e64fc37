/* SPDX-License-Identifier: ISC */
/* test_path.c: which URL paths are plain, which are clean; every byte once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "process/path.h"

static void test_rows(void **state)
{
    static const struct {
        const char *path;
        bool plain, clean;
    } rows[] = {
        {"/", true, true},
        {"/oauth/token", true, true},
        {"/oauth/token/", true, true},
        {"/.well-known/jwks.json", true, true},
        {"/a/..b/c..", true, true},
        {"/a/.../b", true, true},
        {"", false, false},
        {"oauth/token", false, false},
        {"//", true, false},
        {"//oauth", true, false},
        {"/oauth//token", true, false},
        {"/oauth/token//", true, false},
        {"/./oauth", true, false},
        {"/oauth/.", true, false},
        {"/oauth/..", true, false},
        {"/..", true, false},
        {"/oauth/../token", true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text path = text_of(rows[i].path);
        if (path_is_plain(path) != rows[i].plain || path_is_clean(path) != rows[i].clean) {
            fail_msg("%s", rows[i].path);
        }
    }
}

static void test_every_byte(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char path[] = "/a_b";
        bool good = byte > 0x20 && byte < 0x7f && byte != '\\' && byte != ';' && byte != '%';
        path[2] = (char)byte;
        struct text t = {path, 4};
        if (path_is_plain(t) != good || path_is_clean(t) != good) {
            fail_msg("byte 0x%02x", (unsigned)byte);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
