/* SPDX-License-Identifier: ISC */
/* test_fault.c: a fault's text fits, stays one line, and survives being quoted by itself. */
#include "base/expect.h"
#include "base/fault.h"

static void test_set_and_prefix(void **state)
{
    struct fault fault = {""};
    (void)state;

    fault_set(&fault, "%s is %d bytes, want %d", "master", 3, 32);
    assert_string_equal(fault.text, "master is 3 bytes, want 32");
    fault_prefix(&fault, "%s", "retoken.conf:7");
    assert_string_equal(fault.text, "retoken.conf:7: master is 3 bytes, want 32");
}

static void test_null_is_harmless(void **state)
{
    (void)state;
    fault_set(NULL, "%s", "nobody listens");
    fault_prefix(NULL, "%s", "nobody listens");
}

static void test_control_bytes(void **state)
{
    struct fault fault;
    (void)state;

    for (int byte = 1; byte < 256; byte++) {
        fault_set(&fault, "a%cb", byte);
        bool control = byte < 0x20 || byte == 0x7f;
        assert_int_equal((unsigned char)fault.text[1], control ? '?' : byte);
        assert_int_equal(fault.text[2], 'b');
        fault_set(&fault, "x");
        fault_prefix(&fault, "a%cb", byte);
        assert_int_equal((unsigned char)fault.text[1], control ? '?' : byte);
    }
}

static void test_cut_to_fit(void **state)
{
    struct fault fault;
    char longest[1000];
    (void)state;

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    fault_set(&fault, "%s", longest);
    assert_int_equal(strlen(fault.text), sizeof fault.text - 1);
    fault_prefix(&fault, "here");
    assert_int_equal(strlen(fault.text), sizeof fault.text - 1);
    assert_memory_equal(fault.text, "here: xxx", 9);
    fault_prefix(&fault, "%s", longest);
    assert_int_equal(strlen(fault.text), sizeof fault.text - 1);
}

static void test_may_quote_itself(void **state)
{
    struct fault fault;
    (void)state;

    fault_set(&fault, "inner");
    fault_set(&fault, "outer (%s)", fault.text);
    assert_string_equal(fault.text, "outer (inner)");
    fault_prefix(&fault, "<%s>", fault.text);
    assert_string_equal(fault.text, "<outer (inner)>: outer (inner)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_prefix),   cmocka_unit_test(test_null_is_harmless),
        cmocka_unit_test(test_control_bytes),    cmocka_unit_test(test_cut_to_fit),
        cmocka_unit_test(test_may_quote_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
