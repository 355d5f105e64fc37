/* outcome.c: the words of the outcomes, from the same list as the enum. Knows no dialect: how a
 * client is told is the dialect's business. */
#include "model/outcome.h"

static const struct {
    const char *word;
    const char *meaning;
} rows[OUTCOME_COUNT] = {
#define OUTCOME(name, word, meaning) [OUTCOME_##name] = {word, meaning},
    OUTCOME_ROWS
#undef OUTCOME
};

const char *outcome_word(enum outcome outcome)
{
    return (unsigned)outcome < OUTCOME_COUNT ? rows[outcome].word : "unknown-outcome";
}

const char *outcome_meaning(enum outcome outcome)
{
    return (unsigned)outcome < OUTCOME_COUNT ? rows[outcome].meaning : "an outcome without a name";
}

bool outcome_is_grant(enum outcome outcome)
{
    return outcome == OUTCOME_ROTATED || outcome == OUTCOME_RENEWED ||
           outcome == OUTCOME_REPLAYED || outcome == OUTCOME_RECOVERED ||
           outcome == OUTCOME_ROLLED_FORWARD;
}
