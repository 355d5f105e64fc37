/* SPDX-License-Identifier: ISC */
/* expect.h: cmocka with the headers it wants in front of it, and assertions about texts. */
#ifndef RETOKEN_TESTS_BASE_EXPECT_H
#define RETOKEN_TESTS_BASE_EXPECT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* A text over a literal that may hold NUL, fit for static tables. */
#define LITERAL(literal)                                                                           \
    {                                                                                              \
        ("" literal ""), sizeof(literal) - 1                                                       \
    }

static inline void expect_text_at(struct text actual, struct text expected, const char *file,
                                  int line)
{
    if (!text_equal(actual, expected)) {
        print_error("got    \"%.*s\" (%zu bytes)\nwanted \"%.*s\" (%zu bytes)\n", TEXT_ARGS(actual),
                    actual.size, TEXT_ARGS(expected), expected.size);
        _fail(file, line);
    }
}
#define expect_text(actual, c_string)                                                              \
    expect_text_at((actual), text_of(c_string), __FILE__, __LINE__)
#define expect_same_text(actual, expected) expect_text_at((actual), (expected), __FILE__, __LINE__)

#endif
