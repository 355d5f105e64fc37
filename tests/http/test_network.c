/* SPDX-License-Identifier: ISC */
/* test_network.c: which addresses are taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "http/network.h"

static bool is_one(const char *a, const char *b)
{
    struct http_network one = http_network_of(text_of(a));
    struct http_network other = http_network_of(text_of(b));

    assert_true(one.known && other.known);
    return memcmp(one.prefix, other.prefix, sizeof one.prefix) == 0;
}

static void test_addresses(void **state)
{
    static const struct row {
        const char *a, *b;
        bool one;
    } rows[] = {
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"192.0.2.7", "::ffff:192.0.2.7", true}, /* from a socket of both families */
        {"192.0.2.7", "::FFFF:c000:207", true},
        {"::ffff:192.0.2.7", "::ffff:192.0.2.8", false},
        {"2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"fe80::1%eth0", "fe80::2%eth1", true},
        {"127.0.0.1", "::1", false},
    };
    (void)state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s %s\n", rows[i].a, rows[i].b);
        assert_int_equal(is_one(rows[i].a, rows[i].b), rows[i].one);
    }
}

static void test_no_address(void **state)
{
    static const char *const texts[] = {
        "",
        "unix:",
        "/run/retoken/socket",
        "192.0.2.7:80",
        "[2001:db8::1]",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.7, 10.0.0.1",
        "localhost",
        "2001:db8::1::2",
        "1\nforged",
        " 192.0.2.7",
        "0300.0.2.7",
        "2001:db8:::::",
        "%eth0",
        "192.0.2.7 ",
        "2001:0db8:0001:0002:0003:0004:0005:0006:0007:0008:0009:000a:000b:000c:000d",
    };
    static const uint8_t zero[HTTP_NETWORK_SIZE];
    (void)state;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct http_network network = http_network_of(text_of(texts[i]));

        print_message("%s\n", texts[i]);
        assert_false(network.known);
        assert_memory_equal(network.prefix, zero, sizeof zero);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses),
                                       cmocka_unit_test(test_no_address)};

    return cmocka_run_group_tests_name("http/network", tests, NULL, NULL);
}
