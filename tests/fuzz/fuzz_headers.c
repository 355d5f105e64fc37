/* SPDX-License-Identifier: ISC */
/* fuzz_headers.c: any bytes as the value of the headers Cookie and Authorization. Properties: a
 * result lies inside the header and has no blanks round it; an unrelated cookie in front changes
 * nothing, one of the name in front comes first; what Basic gives is clean text that, encoded
 * again, gives the same. */
#include <string.h>

#include "base/buffer.h"
#include "fuzz/fuzz.h"
#include "http/request.h"

#define COOKIE "refresh_token"

static struct http_request with_header(struct http_header *header, const char *name,
                                       struct text value)
{
    *header = (struct http_header){text_of(name), value};
    return (struct http_request){.headers = header, .header_count = 1};
}

static struct text joined(struct arena *arena, const char *first, struct text second)
{
    struct buffer buffer;
    struct text whole;

    buffer_start(&buffer, arena, 64);
    buffer_add_c(&buffer, first);
    buffer_add(&buffer, second);
    FUZZ_ASSERT(buffer_finish(&buffer, &whole));
    return whole;
}

static void check_cookie(struct arena *arena, struct text input)
{
    enum { ROOM = 64 };
    struct http_header header;
    struct http_request request = with_header(&header, "cookie", input);
    struct text values[ROOM], again[ROOM];
    size_t count = http_cookies(&request, COOKIE, values, ROOM - 1);

    FUZZ_ASSERT(count < ROOM);
    for (size_t i = 0; i < count; i++) {
        FUZZ_ASSERT(values[i].size > 0 && fuzz_inside(values[i], input));
        FUZZ_ASSERT(text_find(values[i], ';') == values[i].size);
        FUZZ_ASSERT(i == 0 || !text_equal(values[i], values[i - 1]));
    }
    request = with_header(&header, "cookie", joined(arena, "theme=dark; ", input));
    FUZZ_ASSERT(http_cookies(&request, COOKIE, again, ROOM - 1) == count);
    FUZZ_ASSERT(count == 0 || text_equal(again[count - 1], values[count - 1]));
    request = with_header(&header, "cookie", joined(arena, COOKIE "=;x, " COOKIE "=\x01; ", input));
    FUZZ_ASSERT(http_cookies(&request, COOKIE, again, ROOM) >= count);
    FUZZ_ASSERT(text_is(again[0], "\x01"));
}

/* Basic credentials of this user and password, every byte of both as %XX. */
static struct text encode_basic(struct arena *arena, struct text user, struct text password)
{
    struct buffer plain;
    struct buffer encoded;
    struct text value;

    buffer_start(&plain, arena, 64);
    for (size_t i = 0; i < user.size; i++) {
        buffer_addf(&plain, "%%%02x", (unsigned char)user.data[i]);
    }
    buffer_add_char(&plain, ':');
    for (size_t i = 0; i < password.size; i++) {
        buffer_addf(&plain, "%%%02x", (unsigned char)password.data[i]);
    }
    buffer_start(&encoded, arena, 64);
    buffer_add_c(&encoded, "bAsIc  ");
    buffer_add_base64(&encoded, buffer_text(&plain).data, buffer_text(&plain).size);
    FUZZ_ASSERT(!plain.failed && buffer_finish(&encoded, &value));
    return value;
}

static void check_pair(struct http_basic_pair pair)
{
    FUZZ_ASSERT(text_is_utf8(pair.user) && text_is_utf8(pair.password));
    FUZZ_ASSERT(text_find(pair.user, '\0') == pair.user.size);
    FUZZ_ASSERT(text_find(pair.password, '\0') == pair.password.size);
}

static void check_basic(struct arena *arena, struct text input)
{
    struct http_header header;
    struct http_request request = with_header(&header, "authorization", input);
    struct http_basic_pair decoded, raw, again, unused;

    if (http_basic(arena, &request, &decoded, &raw) != HTTP_BASIC_OK) {
        return;
    }
    FUZZ_ASSERT(decoded.given || raw.given);
    if (raw.given) {
        check_pair(raw);
    }
    if (!decoded.given) {
        return;
    }
    check_pair(decoded);
    FUZZ_ASSERT(!raw.given || !text_equal(raw.user, decoded.user) ||
                !text_equal(raw.password, decoded.password));
    request =
        with_header(&header, "authorization", encode_basic(arena, decoded.user, decoded.password));
    FUZZ_ASSERT(http_basic(arena, &request, &again, &unused) == HTTP_BASIC_OK && again.given);
    FUZZ_ASSERT(text_equal(decoded.user, again.user) &&
                text_equal(decoded.password, again.password));
}

static void check_bearer(struct text input)
{
    struct http_header header;
    struct http_request request = with_header(&header, "authorization", input);
    struct text credentials;

    if (http_authorization(&request, "Bearer", &credentials) == HTTP_ONE) {
        FUZZ_ASSERT(credentials.size > 0 && fuzz_inside(credentials, input));
        FUZZ_ASSERT(text_trim(credentials).size == credentials.size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena(1 << 20);
    struct text input = fuzz_text(data, size);

    check_cookie(arena, input);
    check_bearer(input);
    check_basic(arena, input);
    return 0;
}
