/* SPDX-License-Identifier: ISC */
/* client_refusal.c: the words, from the same list as the enum. Knows neither log nor client. */
#include "model/client_refusal.h"

static const struct {
    const char *word;
    const char *meaning;
} rows[CLIENT_REFUSALS] = {[CLIENT_NOT_REFUSED] = {"", ""},
#define REFUSAL(name, word, meaning) [CLIENT_REFUSED_##name] = {word, meaning},
                           CLIENT_REFUSAL_ROWS
#undef REFUSAL
};

const char *client_refusal_word(enum client_refusal refusal)
{
    return (unsigned)refusal < CLIENT_REFUSALS ? rows[refusal].word : "";
}

const char *client_refusal_meaning(enum client_refusal refusal)
{
    return (unsigned)refusal < CLIENT_REFUSALS ? rows[refusal].meaning : "";
}
