/* SPDX-License-Identifier: ISC */
/* user_code.c: see user_code.h. */
#include "token/user_code.h"

/* RFC 8628 section 6.1's base 20. */
static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";

/* What may come with a code: "wdjb-mjht", "WDJB MJHT", "W D J B …". */
enum { LETTERS = sizeof letters - 1, TYPED_MAX = 64 };

bool user_code_make(const struct randomness *randomness, char code[USER_CODE_SIZE + 1])
{
    size_t size = 0;

    while (size < USER_CODE_SIZE) {
        uint8_t random;

        if (!randomness_fill(randomness, &random, sizeof random)) {
            return false;
        } else if (random < 256 / LETTERS * LETTERS) { /* each letter is as likely as any other */
            code[size++] = letters[random % LETTERS];
        }
    }
    code[size] = '\0';
    return true;
}

bool user_code_read(struct text typed, char code[USER_CODE_SIZE + 1])
{
    size_t size = 0;

    if (typed.size > TYPED_MAX) {
        return false;
    }
    for (size_t i = 0; i < typed.size; i++) {
        char c = typed.data[i];

        if (c == ' ' || c == '-') {
            continue;
        }
        c = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        if (size == USER_CODE_SIZE || text_find(text_of(letters), c) == LETTERS) {
            return false;
        }
        code[size++] = c;
    }
    code[size] = '\0';
    return size == USER_CODE_SIZE;
}

void user_code_show(const char code[USER_CODE_SIZE + 1], char shown[USER_CODE_SHOWN_SIZE + 1])
{
    enum { HALF = USER_CODE_SIZE / 2 };

    memcpy(shown, code, HALF);
    shown[HALF] = '-';
    memcpy(shown + HALF + 1, code + HALF, USER_CODE_SIZE - HALF + 1);
}

bool user_code_alias(const struct secrets *secrets, const char code[USER_CODE_SIZE + 1],
                     uint8_t alias[SESSION_HASH_SIZE])
{
    return secrets_mark_hash(secrets, "device user code", text_of(code), TEXT(""), alias);
}
