/* SPDX-License-Identifier: ISC */
/* mask.c: see mask.h. */
#include "admin/dialect/mask.h"

#include <ctype.h>

#include "base/buffer.h"

/* How many bytes of the text are a JWT, which begins as they all do. Of the next *none none is the
 * beginning of one, so that what only looks like many is looked at once. */
static size_t jwt_size(struct text text, size_t *none)
{
    size_t size = 0, dots = 0;
    bool begins = text_starts(text, TEXT("eyJ"));

    while (begins && size < text.size &&
           (isalnum((unsigned char)text.data[size]) || strchr("-_.", text.data[size]) != NULL)) {
        dots += text.data[size++] == '.';
    }
    *none = size;
    return dots >= 2 ? size : 0;
}

/* How many are a point in time since 1970, in seconds or milliseconds: a JSON number. */
static size_t time_size(struct text text, char before)
{
    size_t size = 0;

    while (size < text.size && isdigit((unsigned char)text.data[size])) {
        size++;
    }
    return (size == 10 || size == 13) && strchr(":[, ", before) != NULL && size < text.size &&
                   strchr(",]} \r\n", text.data[size]) != NULL
               ? size
               : 0;
}

/* … or as text: "2026-11-26T18:00:00", whatever follows. */
static size_t date_size(struct text text)
{
    static const char form[] = "0000-00-00T00:00:00";
    size_t size = 0;

    while (size < text.size && size < sizeof form - 1 &&
           (form[size] == '0'
                ? isdigit((unsigned char)text.data[size]) != 0
                : text.data[size] == form[size] || (form[size] == 'T' && text.data[size] == ' '))) {
        size++;
    }
    return size == sizeof form - 1 ? size : 0;
}

/* With a word instead of each token, and of each point in time. */
struct text dialect_mask(struct arena *arena, const struct answer *answer, struct text text)
{
    struct text masked = text;
    struct buffer buffer;
    char before = '\0';
    size_t none = 0;

    buffer_start(&buffer, arena, text.size + 64);
    while (text.size > 0) {
        size_t jwt = none > 0 ? 0 : jwt_size(text, &none);
        size_t time = time_size(text, before), date = date_size(text), size = 1;

        if (jwt > 0) {
            size = jwt;
            buffer_add_c(&buffer, "JWT");
        } else if (answer->access_token.size > 0 && text_starts(text, answer->access_token)) {
            size = answer->access_token.size;
            buffer_add_c(&buffer, "ACCESS-TOKEN");
        } else if (answer->refresh_token.size > 0 && text_starts(text, answer->refresh_token)) {
            size = answer->refresh_token.size;
            buffer_add_c(&buffer, "REFRESH-TOKEN");
        } else if (time > 0) {
            size = time;
            buffer_add_c(&buffer, time == 10 ? "SECONDS" : "MILLISECONDS");
        } else if (date > 0) {
            size = date;
            buffer_add_c(&buffer, text.data[10] == 'T' ? "DATE-T-TIME" : "DATE-TIME");
            if (size < text.size && text.data[size] == '.') {
                for (size++, buffer_add_c(&buffer, ".");
                     size < text.size && isdigit((unsigned char)text.data[size]); size++) {
                    buffer_add_c(&buffer, "#");
                }
            }
        } else {
            buffer_add_char(&buffer, text.data[0]);
        }
        before = text.data[size - 1];
        none -= size < none ? size : none;
        text = text_from(text, size);
    }
    (void)buffer_finish(&buffer, &masked);
    return masked;
}

/* By its name, a value that nobody else should see. */
static bool is_secret(const struct learn_place *place)
{
    static const char *const words[] = {"pass", "pwd", "token", "secret", "otp",   "pin",    "csrf",
                                        "xsrf", "key", "user",  "mail",   "login", "session"};
    bool found = place->source == DESCRIBED_COOKIE || place->source == DESCRIBED_AUTHORIZATION;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        found = found || learn_name_has(place->name, words[i]);
    }
    return found;
}

/* Where the value is next; the text's size: nowhere. */
static size_t find_from(struct text text, size_t from, struct text value)
{
    const char *here = memmem(text.data + from, text.size - from, value.data, value.size);

    return here != NULL ? (size_t)(here - text.data) : text.size;
}

/* Without what the request had of its user, and what looks like anybody's. What is found is kept
 * until it is behind: so each value is looked for once, however often others are there. */
struct text dialect_mask_hide(struct arena *arena, const struct learn_places *places,
                              struct text text)
{
    enum { LEAST = 4 };
    struct text hidden = text, secrets[LEARN_VALUES_MAX];
    size_t next[LEARN_VALUES_MAX];
    size_t count = 0, own = 0, own_size = 0;
    struct buffer buffer;

    for (size_t i = 0; places != NULL && i < places->count; i++) {
        if (places->rows[i].value.size >= LEAST && is_secret(&places->rows[i])) {
            secrets[count] = places->rows[i].value;
            next[count] = text.size > 0 ? find_from(text, 0, secrets[count]) : 0;
            count++;
        }
    }
    buffer_start(&buffer, arena, text.size + 64);
    for (size_t at = 0; at < text.size;) {
        if (own < at || at == 0) {
            bool found = own_in_text(text_from(text, at), &own, &own_size);

            own = found ? at + own : text.size;
        }
        size_t start = own, size = own_size;

        for (size_t i = 0; i < count; i++) {
            next[i] = next[i] < at ? find_from(text, at, secrets[i]) : next[i];
            if (next[i] < start) {
                start = next[i];
                size = secrets[i].size;
            }
        }
        buffer_add(&buffer, text_from(text_cut(text, start), at));
        buffer_add_c(&buffer, start < text.size ? "HIDDEN" : "");
        at = start < text.size ? start + size : start;
    }
    (void)buffer_finish(&buffer, &hidden);
    return hidden;
}
