/* SPDX-License-Identifier: ISC */
/* secret.c: by libcrypto's constant-time comparison and libc's wipe. Knows bytes; does not know
 * what makes them secret. */
#include "base/secret.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/crypto.h>

bool secret_equal(const void *a, const void *b, size_t size)
{
    return size == 0 || CRYPTO_memcmp(a, b, size) == 0;
}

bool secret_text_equal(struct text a, struct text b)
{
    return a.size == b.size && secret_equal(a.data, b.data, a.size);
}

void secret_wipe(void *data, size_t size)
{
    if (size > 0) {
        explicit_bzero(data, size); /* eight times as fast as OPENSSL_cleanse */
    }
}

void secret_keep(void *data, size_t size)
{
    static atomic_uintptr_t kept; /* a page: most keys of a process lie on one or two */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)data & ~(page - 1);
    size_t span = (((uintptr_t)data + size + page - 1) & ~(page - 1)) - start;

    if (span == page && atomic_exchange(&kept, start) == start) {
        return;
    }
    /* both only help: without them the secret is as safe as the machine */
    mlock((void *)start, span);
    madvise((void *)start, span, MADV_DONTDUMP);
}
