/* test_forks.c: a child counts, its parent does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/forks.h"

static void test_child_counts(void **state)
{
    unsigned before = forks_count();
    int status;

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            _exit(forks_count() == before + 2 ? 0 : 1);
        }
        waitpid(grandchild, &status, 0);
        _exit(forks_count() == before + 1 && status == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(forks_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_child_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
