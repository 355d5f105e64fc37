/* SPDX-License-Identifier: ISC */
/* logout.c: the operation that ends sessions because their user, or their client (RFC 7009), asks
 * for it, who shows it with a refresh token: any of the session's, current or spent, because
 * whoever has lost an answer wants to be logged out, too; or with an access token. Knows whose
 * sessions they are (ownership.c); does not know where a token was sent. */
#include <stddef.h>

#include "operation/access_token.h"
#include "operation/decision.h"
#include "operation/ending.h"
#include "operation/operation.h"
#include "operation/ownership.h"
#include "operation/request_event.h"

/* One request's working set, in its arena. */
struct logout {
    struct clock_moment now;
    enum page page;    /* the one that asks, before any session's client has said more of it */
    enum page allowed; /* … and after the client of one that has ended has */
    size_t next;       /* of the tokens that were sent */
    bool current;      /* … and this one's generation is the session's: it is an access token */
    bool ended;        /* at least one session */
    enum outcome outcome;
    struct client_identity client;
    struct ending ending;
    struct session_view view; /* last, because it is large and not zeroed */
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static bool next_token(const struct request *request, struct logout *logout, struct text *token);
static enum outcome look(struct request *request, struct logout *logout, struct text token);
static enum outcome find(struct request *request, struct logout *logout, struct text token,
                         struct token_ref *ref);
static enum outcome find_by_access_token(struct request *request, struct logout *logout,
                                         struct text token, struct token_ref *ref);
static enum outcome judge(struct request *request, struct logout *logout,
                          const struct token_ref *ref);
static void prepare(struct request *request, struct logout *logout, bool everywhere);
static void note(struct logout *logout, enum outcome outcome);
static enum outcome answer(struct request *request, const struct logout *logout);

const struct operation operation_logout = {
    .word = "logout", .finds_client = true, .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct logout *logout = operation_state(request, sizeof *logout, offsetof(struct logout, view));

    if (logout == NULL) {
        return false;
    }
    logout->now = clock_moment(&request->issuer->clock);
    logout->page = request->page;
    logout->outcome = OUTCOME_TOKEN_INVALID;
    request->answer.now_ms = logout->now.wall_ms;
    return true;
}

/* A browser may send several cookies, and none of them shall stay good. */
static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct logout *logout = request->state;
    struct store_write *marks = ending_next(&logout->ending);
    struct text token;

    if (marks != NULL) {
        return marks;
    }
    while (logout->outcome != OUTCOME_FAULT && next_token(request, logout, &token)) {
        enum outcome found = look(request, logout, token);

        if (found == OUTCOME_ENDED) {
            return &logout->ending.write;
        }
        note(logout, found);
    }
    *outcome = answer(request, logout);
    return NULL;
}

static void written(struct request *request, enum store_result result)
{
    struct logout *logout = request->state;

    if (ending_marked(&logout->ending, result)) {
        return;
    }
    switch (result) {
    case STORE_OK:
        logout->ended = true;
        logout->allowed = request->page;
        return;
    case STORE_ABSENT: /* swept since it was read */
    case STORE_EXISTS:
    case STORE_STALE:
        note(logout, OUTCOME_TOKEN_UNKNOWN);
        return;
    case STORE_FAULT:
        logout->outcome = OUTCOME_FAULT;
        return;
    }
}

static bool next_token(const struct request *request, struct logout *logout, struct text *token)
{
    const struct refresh_input *input = &request->input.refresh;
    size_t place = logout->next++;

    *token = input->candidate_count > 0 && place < input->candidate_count ? input->candidates[place]
                                                                          : input->refresh_token;
    return place < (input->candidate_count > 0 ? input->candidate_count : 1);
}

/* OUTCOME_ENDED: logout->write will end its session. The token is looked for first, because only
 * beside one of ours a client's secret is worth a hash. */
static enum outcome look(struct request *request, struct logout *logout, struct text token)
{
    struct token_ref ref;
    enum outcome found, refusal;

    request->page = logout->page;
    found = find(request, logout, token, &ref);
    if (found == OUTCOME_FAULT) {
        return OUTCOME_FAULT;
    } else if (request->client.bound &&
               !client_auth_check(request,
                                  found == OUTCOME_SERVED && !logout->current ? &ref : NULL,
                                  logout->now.wall_ms, &logout->client, &refusal)) {
        return refusal;
    } else if (found != OUTCOME_SERVED) {
        return found;
    }
    found = operation_find_session(request, ref.session, &logout->view);
    if (found != OUTCOME_SERVED) {
        return found;
    } else if (logout->current) {
        ref.generation = logout->view.session.generation;
    }
    return judge(request, logout, &ref);
}

/* OUTCOME_SERVED: *ref names a session. */
static enum outcome find(struct request *request, struct logout *logout, struct text token,
                         struct token_ref *ref)
{
    logout->current = false;
    switch (token_ref_locate(request->issuer, token, request->arena, ref, &request->fault)) {
    case TOKEN_REF_FOUND:
        return OUTCOME_SERVED;
    case TOKEN_REF_INVALID:
        return request->input.refresh.by_access_token
                   ? find_by_access_token(request, logout, token, ref)
                   : OUTCOME_TOKEN_INVALID;
    case TOKEN_REF_UNKNOWN:
        return OUTCOME_TOKEN_UNKNOWN;
    case TOKEN_REF_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

/* One that has expired may long have been in other hands. */
static enum outcome find_by_access_token(struct request *request, struct logout *logout,
                                         struct text token, struct token_ref *ref)
{
    enum outcome refusal;

    logout->current =
        access_token_locate(request, token, logout->now.wall_ms, ref->session, &refusal) != NULL;
    return logout->current ? OUTCOME_SERVED : refusal;
}

/* Whoever has no more than a token that came back too late does not log its user out everywhere. */
static enum outcome judge(struct request *request, struct logout *logout,
                          const struct token_ref *ref)
{
    const struct session_view *view = &logout->view;
    struct policy policy;
    enum outcome outcome;

    operation_tell_session(request, &view->session, ref->generation);
    policy_effective(&request->realm->policy, view->has_client ? &view->client : NULL, &policy);
    if (!ownership_check(request, view, &logout->client, ref, &outcome)) {
        return outcome;
    }
    outcome = decision_make(&policy, view, ref->generation, DECISION_NO_EVIDENCE, &logout->now);
    if (outcome == OUTCOME_TOKEN_REVOKED || outcome == OUTCOME_TOKEN_EXPIRED ||
        outcome == OUTCOME_TOKEN_UNKNOWN || outcome == OUTCOME_ACCOUNT_GONE) {
        return outcome;
    }
    prepare(request, logout, request->input.refresh.everywhere && outcome_is_grant(outcome));
    return OUTCOME_ENDED;
}

static void prepare(struct request *request, struct logout *logout, bool everywhere)
{
    const struct session *session = &logout->view.session;
    int64_t now_ms = logout->now.wall_ms;
    struct event event;

    request_event_of_session(&event, EVENT_LOGOUT, request, session, request->answer.generation,
                             now_ms);
    event_set_cause(&event, request->client.bound ? "client" : "user");
    if (!everywhere || session->account == 0) {
        store_prepare_end(&logout->ending.write, session->id, SESSION_ENDED_LOGOUT, now_ms, NULL,
                          &event);
        return;
    }
    (void)text_copy(TEXT("all sessions of the account"), event.note, sizeof event.note);
    ending_of_account(&logout->ending, session->account, SESSION_ENDED_LOGOUT, now_ms);
    store_attach_event(&logout->ending.write, &event);
}

/* Of several refusals, the one that is not about a token alone. */
static void note(struct logout *logout, enum outcome outcome)
{
    if (outcome == OUTCOME_FAULT || outcome_class(logout->outcome) == OUTCOME_CLASS_TOKEN) {
        logout->outcome = outcome;
    }
}

/* … that a client is to be told of: another client's is (RFC 7009 section 2.1). */
static bool names_no_session(enum outcome outcome)
{
    return outcome_class(outcome) == OUTCOME_CLASS_TOKEN && outcome != OUTCOME_TOKEN_ALONE &&
           outcome != OUTCOME_WRONG_CLIENT;
}

static enum outcome answer(struct request *request, const struct logout *logout)
{
    if (logout->outcome == OUTCOME_FAULT) {
        return OUTCOME_FAULT;
    } else if (logout->ended) {
        request->page = logout->allowed;
        return OUTCOME_ENDED;
    }
    return request->input.refresh.silent && names_no_session(logout->outcome) ? OUTCOME_NONE_ENDED
                                                                              : logout->outcome;
}
