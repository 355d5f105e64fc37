/* SPDX-License-Identifier: ISC */
/* standing.c: see standing.h. */
#include "operation/standing.h"

#include "operation/access_token.h"
#include "operation/decision.h"
#include "operation/operation.h"
#include "operation/ownership.h"
#include "operation/possession.h"

static enum outcome judge_own_token(struct request *request, const json_t *payload);
static bool is_only_unrenewable(const struct request *request, const struct session_view *view,
                                enum outcome outcome);
static bool fill_answer(struct request *request, const struct standing *standing);

enum outcome standing_of_access_token(struct request *request, struct text token,
                                      struct clock_moment now, struct standing *standing)
{
    uint8_t session[SESSION_ID_SIZE];
    enum outcome refusal, found;
    json_t *payload = access_token_open(request, token, &refusal);

    standing->found = false;
    if (payload == NULL) {
        return refusal;
    } else if (!access_token_is_in_time(payload, now.wall_ms)) {
        return OUTCOME_TOKEN_EXPIRED;
    }
    request->answer.payload = payload;
    if (!access_token_session(request, payload, session)) {
        return judge_own_token(request, payload);
    }
    found = standing_find(request, session, now, standing);
    return found == OUTCOME_SERVED
               ? standing_decide(request, standing->view.session.generation, standing)
               : found;
}

enum outcome standing_of_user(struct request *request, struct text token, struct clock_moment now,
                              struct standing *standing)
{
    enum outcome outcome = standing_of_access_token(request, token, now, standing);
    enum outcome refusal;

    if (standing->found && !ownership_page_matches(request, &standing->view, &refusal)) {
        return refusal; /* the page first: whose it is may read what is wrong with the key */
    } else if (outcome != OUTCOME_SERVED) {
        return outcome;
    } else if (!standing->found) {
        return OUTCOME_TOKEN_ALONE;
    } else if (!possession_of_token(request, token, request->answer.payload, now.wall_ms,
                                    &outcome)) {
        return outcome;
    } else if (!access_token_is_for_us(request->realm, request->answer.payload)) {
        return OUTCOME_TOKEN_INVALID; /* RFC 9068 section 4: another resource's may come from it */
    }
    return standing->view.has_account ? OUTCOME_SERVED : OUTCOME_WRONG_USER;
}

/* A client's own is good as long as the client is. */
static enum outcome judge_own_token(struct request *request, const json_t *payload)
{
    const char *id = json_string_value(json_object_get(payload, "client_id"));
    struct client client;

    if (id == NULL) {
        return OUTCOME_SERVED; /* the layout does not say whose it is */
    }
    switch (store_client_find(request->issuer->store, id, &client, &request->fault)) {
    case STORE_OK:
        return client.enabled ? OUTCOME_SERVED : OUTCOME_TOKEN_REVOKED;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return OUTCOME_TOKEN_REVOKED;
    case STORE_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

enum outcome standing_find(struct request *request, const uint8_t id[SESSION_ID_SIZE],
                           struct clock_moment now, struct standing *standing)
{
    enum outcome found = operation_find_session(request, id, &standing->view);

    standing->now = now;
    standing->found = found == OUTCOME_SERVED;
    return !standing->found ||
                   text_equal(text_of(standing->view.session.realm), text_of(request->realm->name))
               ? found
               : OUTCOME_WRONG_REALM;
}

enum outcome standing_decide(struct request *request, uint32_t generation,
                             struct standing *standing)
{
    const struct session_view *view = &standing->view;
    enum outcome outcome;

    operation_tell_session(request, &view->session, generation);
    policy_effective(&request->realm->policy, view->has_client ? &view->client : NULL,
                     &standing->policy);
    outcome =
        decision_make(&standing->policy, view, generation, DECISION_CLIENT_PROVED, &standing->now);
    if (!outcome_is_grant(outcome) && !is_only_unrenewable(request, view, outcome)) {
        return outcome_class(outcome) == OUTCOME_CLASS_TOKEN ? outcome : OUTCOME_TOKEN_REVOKED;
    }
    return fill_answer(request, standing) ? OUTCOME_SERVED : OUTCOME_FAULT;
}

/* A client that may not refresh has a good access token nevertheless, unless it was disabled. */
static bool is_only_unrenewable(const struct request *request, const struct session_view *view,
                                enum outcome outcome)
{
    return outcome == OUTCOME_CLIENT_UNAUTHORIZED && request->answer.payload != NULL &&
           (!view->has_client || view->client.enabled);
}

static bool fill_answer(struct request *request, const struct standing *standing)
{
    const struct session *session = &standing->view.session;
    const struct account *account = &standing->view.account;
    bool has_account = standing->view.has_account;
    struct answer *answer = &request->answer;
    struct text subject = has_account ? account_subject(account) : text_of(session->client);

    answer->session_expires_ms = decision_expires_ms(&standing->policy, session);
    answer->session_ends_ms = decision_ends_ms(&standing->policy, session);
    if (arena_copy(request->arena, text_of(has_account ? account->name : ""), &answer->username) &&
        arena_copy(request->arena, text_of(has_account ? account->roles : ""), &answer->roles) &&
        arena_copy(request->arena, subject, &answer->subject) &&
        arena_copy(request->arena, text_of(session->scope), &answer->scope)) {
        return true;
    }
    fault_set(&request->fault, "the request's memory is used up");
    return false;
}
