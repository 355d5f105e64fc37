/* SPDX-License-Identifier: ISC */
/* filter.c: preloaded into a unit test, so that it runs only the test that $ONLY_TEST names. cmocka
 * has the function and no option for it. Knows nothing else. */
#include <stdlib.h>

void cmocka_set_test_filter(const char *pattern);

__attribute__((constructor)) static void filter(void)
{
    cmocka_set_test_filter(getenv("ONLY_TEST"));
}
