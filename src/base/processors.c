/* SPDX-License-Identifier: ISC */
/* processors.c: see processors.h. */
#include "base/processors.h"

#include <sched.h>

size_t processors_count(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}
