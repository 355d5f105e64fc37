/* SPDX-License-Identifier: ISC */
/* check.c: the operation that tells the web server, before it hands out a page, which account an
 * access token is of, and changes nothing. It vouches for what can be taken back at once: a live
 * session of an account. Knows several tokens, as cookies of one name; does not know pages. */
#include <stddef.h>

#include "base/json.h"
#include "base/secret.h"
#include "model/scope.h"
#include "operation/operation.h"
#include "operation/standing.h"

struct check {
    struct answer answer;     /* of the token that is good */
    struct standing standing; /* last, because it is large and not zeroed */
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static enum outcome judge_all(struct request *request, struct check *check,
                              struct clock_moment now);
static enum outcome judge(struct request *request, struct text token, struct clock_moment now,
                          struct standing *standing);
static bool scope_suffices(struct request *request);

const struct operation operation_check = {
    .word = "check", .routine = true, .begin = begin, .step = step};

static bool begin(struct request *request)
{
    return operation_state(request, sizeof(struct check), offsetof(struct check, standing)) != NULL;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct clock_moment now = clock_moment(&request->issuer->clock);
    struct check *check = request->state;

    request->answer.now_ms = now.wall_ms;
    *outcome = request->input.refresh.candidate_count > 0
                   ? judge_all(request, check, now)
                   : judge(request, request->input.refresh.refresh_token, now, &check->standing);
    return NULL;
}

/* A sibling host may have put a cookie beside the user's own (RFC 6265 section 8.6), and nothing
 * tells which it was: good ones of two sessions are good for neither. */
static enum outcome judge_all(struct request *request, struct check *check, struct clock_moment now)
{
    const struct refresh_input *input = &request->input.refresh;
    const struct answer blank = request->answer;
    enum outcome outcome = OUTCOME_TOKEN_INVALID;
    bool good = false;

    for (size_t i = 0; i < input->candidate_count; i++) {
        enum outcome found;

        request->answer = blank;
        found = judge(request, input->candidates[i], now, &check->standing);
        if (found == OUTCOME_FAULT) {
            return OUTCOME_FAULT;
        } else if (found != OUTCOME_SERVED) {
            outcome = good ? OUTCOME_SERVED : found;
        } else if (good && !secret_equal(request->answer.session, check->answer.session,
                                         sizeof check->answer.session)) {
            return OUTCOME_TOKEN_INVALID;
        } else {
            good = true;
            outcome = OUTCOME_SERVED;
            check->answer = request->answer;
        }
    }
    if (good) {
        request->answer = check->answer;
    }
    return outcome;
}

static enum outcome judge(struct request *request, struct text token, struct clock_moment now,
                          struct standing *standing)
{
    enum outcome outcome = standing_of_user(request, token, now, standing);

    return outcome == OUTCOME_SERVED && !scope_suffices(request) ? OUTCOME_SCOPE_INVALID : outcome;
}

/* The token's own is told and counts: it may be less than the session's. */
static bool scope_suffices(struct request *request)
{
    struct text *scope = &request->answer.scope;

    if (request->realm->policy.layout->says_scope &&
        json_in_text(request->answer.payload, "scope", scope) != JSON_IN_TEXT) {
        *scope = (struct text){0};
    }
    return scope_covers(*scope, request->input.refresh.scope);
}
