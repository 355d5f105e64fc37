/* SPDX-License-Identifier: ISC */
/* test_processors.c: a process that may use fewer is told so. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/processors.h"

static void test_counts_those_it_may_use(void **state)
{
    cpu_set_t all, some;
    size_t left = 0;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&some);
    for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all)) {
            continue;
        }
        CPU_SET(cpu, &some);
        left++;
        assert_int_equal(sched_setaffinity(0, sizeof some, &some), 0);
        assert_int_equal(processors_count(), left);
    }
    assert_int_equal(left, (size_t)CPU_COUNT(&all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_counts_those_it_may_use)};

    return cmocka_run_group_tests_name("base/processors", tests, NULL, NULL);
}
