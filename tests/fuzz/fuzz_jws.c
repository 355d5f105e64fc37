/* SPDX-License-Identifier: ISC */
/* fuzz_jws.c: any bytes as a compact JWS, and any JSON as the header of one. Properties: whatever
 * passes the gate is at most 8 KiB, three non-empty parts of base64url in their only spelling, has
 * `alg`, and has neither `crit` nor `b64` nor `zip`. */
#include "base/buffer.h"
#include "base/codec.h"
#include "fuzz/fuzz.h"
#include "token/jws.h"

/* The only spelling of these bytes, and nothing else, is `part`. */
static bool is_spelling_of(struct arena *arena, struct text part, const void *data, size_t size)
{
    struct buffer buffer;

    buffer_start(&buffer, arena, 64);
    buffer_add_base64url(&buffer, data, size);
    FUZZ_ASSERT(!buffer.failed);
    return text_equal(buffer_text(&buffer), part);
}

static void check_passed(struct arena *arena, struct text token, const struct jws *jws)
{
    struct text rest = token;
    struct text header = text_split(&rest, '.');
    struct text payload = text_split(&rest, '.');
    const char *algorithm = json_string_value(json_object_get(jws->header, "alg"));

    FUZZ_ASSERT(token.size <= JWS_MAX);
    FUZZ_ASSERT(header.size > 0 && payload.size > 0 && rest.size > 0);
    FUZZ_ASSERT(is_spelling_of(arena, header, jws->header_json.data, jws->header_json.size));
    FUZZ_ASSERT(is_spelling_of(arena, payload, jws->payload_json.data, jws->payload_json.size));
    FUZZ_ASSERT(jws->signature_size <= sizeof jws->signature);
    FUZZ_ASSERT(is_spelling_of(arena, rest, jws->signature, jws->signature_size));
    FUZZ_ASSERT(jws->signing_input.data == token.data);
    FUZZ_ASSERT(jws->signing_input.size == header.size + 1 + payload.size);
    FUZZ_ASSERT(algorithm != NULL && text_is(jws->algorithm, algorithm));
    FUZZ_ASSERT(json_object_get(jws->header, "crit") == NULL);
    FUZZ_ASSERT(json_object_get(jws->header, "b64") == NULL);
    FUZZ_ASSERT(json_object_get(jws->header, "zip") == NULL);
    FUZZ_ASSERT(jws->kid.size <= 64 && !text_has_control(jws->kid));
}

/* Does a token with this header pass? */
static bool check_header(struct arena *arena, struct text header)
{
    struct buffer buffer;
    struct text token;
    struct jws jws;

    buffer_start(&buffer, arena, 64);
    buffer_add_base64url(&buffer, header.data, header.size);
    buffer_add_c(&buffer, ".e30.AA");
    FUZZ_ASSERT(buffer_finish(&buffer, &token));
    if (!jws_gate(arena, token, &jws)) {
        return false;
    }
    check_passed(arena, token, &jws);
    FUZZ_ASSERT(text_equal(jws.header_json, header));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena(1 << 20);
    struct text input = fuzz_text(data, size);
    uint64_t random = fuzz_hash(input);
    struct jws jws;

    if (jws_gate(arena, input, &jws)) {
        check_passed(arena, input, &jws);
    }
    if (size > 0 && data[0] == '{') {
        bool passed = check_header(arena, input);
        FUZZ_ASSERT(!passed || json_in_object(arena, input, NULL) != NULL);
    }
    jws_gate(fuzz_arena(fuzz_random(&random, 16384)), input, &jws);
    return 0;
}
