/* SPDX-License-Identifier: ISC */
/* outcome.c: the words of the outcomes, from the same list as the enum. Knows no dialect: how a
 * client is told is the dialect's business. */
#include "model/outcome.h"

static const struct {
    enum outcome_class class;
    const char *word;
    const char *meaning;
} rows[OUTCOME_COUNT] = {
#define OUTCOME(name, class, word, meaning)                                                        \
    [OUTCOME_##name] = {OUTCOME_CLASS_##class, word, meaning},
    OUTCOME_ROWS
#undef OUTCOME
};

const char *outcome_word(enum outcome outcome)
{
    return (unsigned)outcome < OUTCOME_COUNT ? rows[outcome].word : "unknown-outcome";
}

bool outcome_parse(struct text word, enum outcome *outcome)
{
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        if (text_is(word, rows[i].word)) {
            *outcome = (enum outcome)i;
            return true;
        }
    }
    return false;
}

const char *outcome_meaning(enum outcome outcome)
{
    return (unsigned)outcome < OUTCOME_COUNT ? rows[outcome].meaning : "an outcome without a name";
}

enum outcome_class outcome_class(enum outcome outcome)
{
    return (unsigned)outcome < OUTCOME_COUNT ? rows[outcome].class : OUTCOME_CLASS_HERE;
}

bool outcome_is_grant(enum outcome outcome)
{
    return outcome_class(outcome) == OUTCOME_CLASS_GRANTED;
}
