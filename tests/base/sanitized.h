/* SPDX-License-Identifier: ISC */
/* sanitized.h: SANITIZED is defined where a sanitizer replaces malloc, which then never fails and
 * takes address space without end. gcc and clang say it in different ways. */
#ifndef RETOKEN_TESTS_BASE_SANITIZED_H
#define RETOKEN_TESTS_BASE_SANITIZED_H

#include <stdbool.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef SANITIZED
#define SANITIZED 1
#endif

static inline bool is_sanitized(void)
{
#ifdef SANITIZED
    return true;
#else
    return false;
#endif
}

#endif
