/* SPDX-License-Identifier: ISC */
/* fuzz_json.c: any bytes as a JSON object. Properties: what is read and written in any style reads
 * back as an equal value, and is written the same again; ASCII style is ASCII; a refusal has a
 * reason that quotes nothing; a small arena makes it fail and nothing else. */
#include <string.h>

#include "base/json.h"
#include "fuzz/fuzz.h"

enum { ARENA = 4 << 20 };

static struct text write_value(struct arena *arena, const json_t *value, unsigned style)
{
    struct buffer buffer;
    struct text written;

    buffer_start(&buffer, arena, 256);
    struct json_out out = json_out_start(&buffer, style);
    json_out_value(&out, value);
    FUZZ_ASSERT(buffer_finish(&buffer, &written));
    return written;
}

static void check_written(struct arena *arena, const json_t *object, unsigned style)
{
    struct fault fault = {""};
    struct text written = write_value(arena, object, style);
    json_t *again = json_in_object(arena, written, &fault);

    FUZZ_ASSERT(again != NULL);
    FUZZ_ASSERT(json_equal(object, again));
    FUZZ_ASSERT(text_equal(written, write_value(arena, again, style)));
    FUZZ_ASSERT(!text_has_control(text_cut(written, text_find(written, 0x7f))));
    for (size_t i = 0; (style & JSON_STYLE_ASCII) != 0 && i < written.size; i++) {
        FUZZ_ASSERT((unsigned char)written.data[i] < 0x80);
    }
}

/* Our words only, and numbers. */
static void check_fault(const struct fault *fault)
{
    FUZZ_ASSERT(strncmp(fault->text, "JSON", 4) == 0);
    FUZZ_ASSERT(strlen(fault->text) < 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault fault = {""};
    uint64_t random = fuzz_hash(fuzz_text(data, size));
    bool whole = json_in_object(fuzz_arena(ARENA), fuzz_text(data, size), &fault) != NULL;

    FUZZ_ASSERT(whole == (fault.text[0] == '\0'));
    for (unsigned style = 0; whole && style < 4; style++) {
        struct arena *arena = fuzz_arena(ARENA);
        check_written(arena, json_in_object(arena, fuzz_text(data, size), NULL), style);
    }
    if (!whole) {
        check_fault(&fault);
    }
    struct arena *small = fuzz_arena(fuzz_random(&random, 4096));
    FUZZ_ASSERT(json_in_object(small, fuzz_text(data, size), NULL) == NULL || whole);
    return 0;
}
