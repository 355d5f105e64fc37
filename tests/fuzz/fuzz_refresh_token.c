/* SPDX-License-Identifier: ISC */
/* fuzz_refresh_token.c: any bytes as a refresh token. Properties: a token that opens is the one we
 * mint for its session and generation, so each has one spelling; what we mint opens, and does not
 * with any one character changed; the case of a UUID does not change its alias; a shape is what it
 * is called. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "token/refresh_token.h"

static const struct secrets *secrets(void)
{
    static const uint8_t master[SECRETS_MASTER_SIZE] = {1, 2, 3};
    static struct secrets opened;
    struct fault fault;

    if (opened.ring == NULL) {
        FUZZ_ASSERT(secrets_open(master, &opened, &fault));
    }
    return &opened;
}

static void check_shape(struct text token)
{
    switch (refresh_token_shape(token)) {
    case REFRESH_SHAPE_NONE:
        break;
    case REFRESH_SHAPE_NATIVE:
        FUZZ_ASSERT(token.size == REFRESH_TOKEN_NATIVE_SIZE);
        FUZZ_ASSERT(text_is_visible_ascii(token) && text_find(token, '.') == token.size);
        break;
    case REFRESH_SHAPE_UUID:
        FUZZ_ASSERT(token.size == REFRESH_TOKEN_UUID_SIZE && token.data[8] == '-');
        break;
    case REFRESH_SHAPE_JWT:
        FUZZ_ASSERT(token.size <= REFRESH_TOKEN_MAX && text_is_visible_ascii(token));
        text_split(&token, '.');
        text_split(&token, '.');
        FUZZ_ASSERT(token.size > 0 && text_find(token, '.') == token.size);
        break;
    }
}

static void check_alias(struct text token)
{
    char upper[REFRESH_TOKEN_UUID_SIZE];
    uint8_t alias[SESSION_HASH_SIZE];
    uint8_t other[SESSION_HASH_SIZE];

    FUZZ_ASSERT(refresh_token_alias(secrets(), token, alias));
    if (refresh_token_shape(token) == REFRESH_SHAPE_UUID) {
        for (size_t i = 0; i < sizeof upper; i++) {
            char c = token.data[i];
            upper[i] = c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c;
        }
        FUZZ_ASSERT(refresh_token_alias(secrets(), (struct text){upper, sizeof upper}, other));
        FUZZ_ASSERT(memcmp(alias, other, sizeof alias) == 0);
    }
}

static void check_open(struct text token)
{
    uint8_t session[SESSION_ID_SIZE];
    uint32_t generation;
    uint8_t secret;
    char again[REFRESH_TOKEN_NATIVE_SIZE + 1];

    if (refresh_token_native_open(secrets(), token, session, &generation, &secret)) {
        FUZZ_ASSERT(refresh_token_shape(token) == REFRESH_SHAPE_NATIVE);
        FUZZ_ASSERT(refresh_token_native(secrets(), 0, session, generation, again));
        FUZZ_ASSERT(text_is(token, again));
    }
}

/* The input's first bytes as a session and a generation. */
static void check_minted(const uint8_t *data, size_t size)
{
    uint8_t session[SESSION_ID_SIZE] = {0};
    uint8_t opened[SESSION_ID_SIZE];
    uint32_t generation = (uint32_t)fuzz_hash(fuzz_text(data, size));
    uint32_t found;
    uint8_t secret;
    char token[REFRESH_TOKEN_NATIVE_SIZE + 1];
    struct text text = {token, REFRESH_TOKEN_NATIVE_SIZE};

    memcpy(session, size > 0 ? data : session, size < sizeof session ? size : sizeof session);
    FUZZ_ASSERT(refresh_token_native(secrets(), 0, session, generation, token));
    FUZZ_ASSERT(refresh_token_native_open(secrets(), text, opened, &found, &secret));
    FUZZ_ASSERT(memcmp(session, opened, sizeof session) == 0 && found == generation);
    token[generation % REFRESH_TOKEN_NATIVE_SIZE] ^= 1;
    FUZZ_ASSERT(!refresh_token_native_open(secrets(), text, opened, &found, &secret));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_shape(fuzz_text(data, size));
    check_alias(fuzz_text(data, size));
    check_open(fuzz_text(data, size));
    check_minted(data, size);
    return 0;
}
