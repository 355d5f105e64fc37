/* SPDX-License-Identifier: ISC */
/* fuzz_fcgi_scan.c: any bytes as what a web server sends over FastCGI. Properties: the verdict, the
 * bytes used and the copy are the same however the bytes are cut into pieces, and whether they are
 * copied or only looked at; the copy of a whole request is a whole request, of which libfcgi may
 * read the very bytes, with the same parameters and the body up to its limit. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "server/fcgi_scan.h"

/* Small, so that the bounds are reached. */
static const struct fcgi_scan_limits limits = {.params = 512, .body = 256};

struct scanned {
    struct fcgi_scan scan;
    struct fcgi_buffer copy;
    size_t used;
};

/* Pieces of at most `piece` bytes; 0: one piece. */
static void collect(struct scanned *scanned, const uint8_t *data, size_t size, size_t piece)
{
    uint64_t random = piece;
    enum fcgi_scan_state state = FCGI_SCAN_PART;
    size_t used;

    memset(scanned, 0, sizeof *scanned);
    fcgi_scan_start(&scanned->scan, &limits);
    for (size_t at = 0; at < size && state == FCGI_SCAN_PART; at += used) {
        size_t step = piece == 0 ? size : 1 + fuzz_random(&random, piece);
        step = step < size - at ? step : size - at;
        state = fcgi_scan_collect(&scanned->scan, &scanned->copy, data + at, step, &used);
        FUZZ_ASSERT(used == step || (state != FCGI_SCAN_PART && used < step));
        scanned->used += used;
    }
    FUZZ_ASSERT(scanned->used == size || state != FCGI_SCAN_PART);
}

/* Once a request is bad, it does not matter how much of it was used and copied. */
static void check_same(const struct scanned *a, const struct scanned *b)
{
    FUZZ_ASSERT(a->scan.state == b->scan.state);
    FUZZ_ASSERT(strcmp(fcgi_scan_why(&a->scan), fcgi_scan_why(&b->scan)) == 0);
    if (a->scan.state != FCGI_SCAN_BAD) {
        FUZZ_ASSERT(a->used == b->used && a->copy.size == b->copy.size);
        FUZZ_ASSERT(a->copy.size == 0 || memcmp(a->copy.bytes, b->copy.bytes, a->copy.size) == 0);
    }
}

static void check_whole(const struct scanned *scanned)
{
    struct fcgi_scan again;
    size_t used;
    size_t kept = fcgi_scan_body(&scanned->scan);

    kept = kept > limits.body ? limits.body + 1 : kept;
    fcgi_scan_start(&again, &limits);
    FUZZ_ASSERT(fcgi_scan_feed(&again, scanned->copy.bytes, scanned->copy.size, &used) ==
                FCGI_SCAN_WHOLE);
    FUZZ_ASSERT(used == scanned->copy.size && fcgi_scan_plain(&again));
    FUZZ_ASSERT(again.params == scanned->scan.params && fcgi_scan_body(&again) == kept);
    FUZZ_ASSERT(fcgi_scan_keep(&again) == fcgi_scan_keep(&scanned->scan));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t random = fuzz_hash(fuzz_text(data, size));
    struct scanned whole, pieces;
    struct fcgi_scan looked;
    size_t used;

    collect(&whole, data, size, 0);
    collect(&pieces, data, size, 1 + fuzz_random(&random, 40));
    check_same(&whole, &pieces);
    fcgi_scan_start(&looked, &limits);
    FUZZ_ASSERT(fcgi_scan_feed(&looked, data, size, &used) == whole.scan.state);
    FUZZ_ASSERT(used == whole.used || looked.state == FCGI_SCAN_BAD);
    FUZZ_ASSERT((looked.state == FCGI_SCAN_BAD) == (fcgi_scan_why(&looked)[0] != '\0'));
    if (looked.state == FCGI_SCAN_WHOLE) {
        check_whole(&whole);
    }
    fcgi_buffer_free(&whole.copy);
    fcgi_buffer_free(&pieces.copy);
    return 0;
}
