/* SPDX-License-Identifier: ISC */
/* test_client.c: what a client can prove itself with, and when. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

#include "model/client.h"

static void test_confidential(void **state)
{
    static struct client none, first = {.secrets = {{.hash = "h"}}},
                               second = {.secrets = {{.hash = ""}, {.hash = "h"}}},
                               keys = {.keys = "{}"};

    (void)state;
    assert_false(client_is_confidential(&none));
    assert_true(client_is_confidential(&first));
    assert_true(client_is_confidential(&second));
    assert_true(client_is_confidential(&keys));
}

static void test_secret_holds(void **state)
{
    struct client_secret secret = {.hash = "h", .from_ms = 10, .until_ms = 20};

    (void)state;
    assert_true(client_secret_holds(&secret, 9)); /* a clock that was set back */
    assert_true(client_secret_holds(&secret, 19));
    assert_false(client_secret_holds(&secret, 20));
    secret.until_ms = 0;
    assert_true(client_secret_holds(&secret, INT64_MAX));
    secret.hash[0] = '\0';
    assert_false(client_secret_holds(&secret, 15));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confidential),
        cmocka_unit_test(test_secret_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
