/* SPDX-License-Identifier: ISC */
/* introspect.c: the operation that tells a client what a token is good for now (RFC 7662), and
 * changes nothing: an access token of this realm that has not expired and whose session is live, or
 * a refresh token of the client's own that would be renewed. Knows both kinds; does not know how
 * either is sent, or what is told of one that is no good. */
#include <stddef.h>
#include <string.h>

#include "operation/access_token.h"
#include "operation/client_auth.h"
#include "operation/decision.h"
#include "operation/operation.h"

struct introspect {
    struct clock_moment now;
    enum outcome outcome;
    bool writes; /* the client's assertion is used up */
    struct store_write write;
    struct client_identity client;
    struct policy policy;
    struct session_view view; /* last, because it is large and not zeroed */
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum outcome judge(struct request *request, struct introspect *introspect);
static bool client_proves(struct request *request, struct introspect *introspect,
                          const struct token_ref *ref, enum outcome *refusal);
static enum outcome judge_refresh_token(struct request *request, struct introspect *introspect,
                                        const struct token_ref *ref);
static enum outcome judge_access_token(struct request *request, struct introspect *introspect);
static enum outcome judge_own_token(struct request *request, const json_t *payload);
static enum outcome find_session(struct request *request, struct introspect *introspect,
                                 const uint8_t id[SESSION_ID_SIZE]);
static enum outcome decide(struct request *request, struct introspect *introspect,
                           uint32_t generation);
static bool fill_answer(struct request *request, const struct introspect *introspect);

const struct operation operation_introspect = {
    .word = "introspect", .routine = true, .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct introspect *introspect =
        operation_state(request, sizeof *introspect, offsetof(struct introspect, policy));

    if (introspect == NULL) {
        return false;
    }
    introspect->now = clock_moment(&request->issuer->clock);
    request->answer.now_ms = introspect->now.wall_ms;
    introspect->outcome = judge(request, introspect);
    if (outcome_class(introspect->outcome) == OUTCOME_CLASS_TOKEN) {
        introspect->outcome = OUTCOME_INACTIVE; /* and no more (section 2.2) */
    }
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct introspect *introspect = request->state;

    *outcome = introspect->outcome;
    return introspect->writes ? &introspect->write : NULL;
}

static void written(struct request *request, enum store_result result)
{
    struct introspect *introspect = request->state;

    introspect->writes = false;
    switch (result) {
    case STORE_OK:
        return;
    case STORE_EXISTS: /* another request has used the assertion */
        if (!client_auth_is_fresh(request, &introspect->client, introspect->now.wall_ms,
                                  &introspect->outcome)) {
            return;
        }
        fault_set(&request->fault, "the mark of an assertion was there, and is not any more");
        break;
    case STORE_ABSENT:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    introspect->outcome = OUTCOME_FAULT;
}

/* The token is looked for first, because only beside one of ours a secret is worth a hash; but
 * nothing is told of it before the client has proved itself (section 2.1). */
static enum outcome judge(struct request *request, struct introspect *introspect)
{
    struct text token = request->input.refresh.refresh_token;
    struct token_ref ref;
    enum token_ref_result found =
        token_ref_locate(request->issuer, token, request->arena, &ref, &request->fault);
    enum outcome refusal;

    if (found == TOKEN_REF_FAULT) {
        return OUTCOME_FAULT;
    } else if (!client_proves(request, introspect, found == TOKEN_REF_FOUND ? &ref : NULL,
                              &refusal)) {
        return refusal;
    }
    switch (found) {
    case TOKEN_REF_FOUND:
        return judge_refresh_token(request, introspect, &ref);
    case TOKEN_REF_INVALID:
        return judge_access_token(request, introspect);
    case TOKEN_REF_UNKNOWN:
    case TOKEN_REF_FAULT:
        break;
    }
    return OUTCOME_TOKEN_UNKNOWN;
}

static bool client_proves(struct request *request, struct introspect *introspect,
                          const struct token_ref *ref, enum outcome *refusal)
{
    struct client_identity *client = &introspect->client;
    int64_t now_ms = introspect->now.wall_ms;

    if (request->client.kind != CLIENT_PROOF_NONE) {
        if (!client_auth_check(request, ref, now_ms, client, refusal) ||
            (client->proved && !client_auth_is_fresh(request, client, now_ms, refusal))) {
            return false;
        }
    }
    if (!client->proved) {
        request->answer.refusal = CLIENT_REFUSED_NO_PROOF;
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
        return false;
    } else if (client->by_assertion) {
        store_prepare_attached(&introspect->write, now_ms);
        store_attach_mark(&introspect->write, STORE_MARK_ONCE, &client->mark);
        introspect->writes = true;
    }
    return true;
}

/* A resource server has no business with it, and a thief none with what it is good for. */
static enum outcome judge_refresh_token(struct request *request, struct introspect *introspect,
                                        const struct token_ref *ref)
{
    enum outcome found = find_session(request, introspect, ref->session);

    if (found != OUTCOME_SERVED) {
        return found;
    } else if (!text_equal(text_of(introspect->view.session.client),
                           text_of(introspect->client.id))) {
        return OUTCOME_WRONG_CLIENT;
    }
    return decide(request, introspect, ref->generation);
}

static enum outcome judge_access_token(struct request *request, struct introspect *introspect)
{
    uint8_t session[SESSION_ID_SIZE];
    enum outcome refusal, found;
    json_t *payload = access_token_open(request, request->input.refresh.refresh_token, &refusal);

    if (payload == NULL) {
        return refusal;
    } else if (!access_token_is_in_time(payload, introspect->now.wall_ms)) {
        return OUTCOME_TOKEN_EXPIRED;
    }
    request->answer.payload = payload;
    if (!access_token_session(request, payload, session)) {
        return judge_own_token(request, payload);
    }
    found = find_session(request, introspect, session);
    return found == OUTCOME_SERVED
               ? decide(request, introspect, introspect->view.session.generation)
               : found;
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

/* OUTCOME_SERVED: introspect->view is of that session, of this realm. */
static enum outcome find_session(struct request *request, struct introspect *introspect,
                                 const uint8_t id[SESSION_ID_SIZE])
{
    switch (store_session_view(request->issuer->store, id, &introspect->view, &request->fault)) {
    case STORE_OK:
        return text_equal(text_of(introspect->view.session.realm), text_of(request->realm->name))
                   ? OUTCOME_SERVED
                   : OUTCOME_WRONG_REALM;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return OUTCOME_TOKEN_UNKNOWN;
    case STORE_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

/* Would a refresh be granted with this generation of the session? */
static enum outcome decide(struct request *request, struct introspect *introspect,
                           uint32_t generation)
{
    const struct session_view *view = &introspect->view;
    enum outcome outcome;

    operation_tell_session(request, &view->session, generation);
    policy_effective(&request->realm->policy, view->has_client ? &view->client : NULL,
                     &introspect->policy);
    outcome = decision_make(&introspect->policy, view, generation, true, &introspect->now);
    if (!outcome_is_grant(outcome)) { /* of a client that was disabled, too */
        return outcome_class(outcome) == OUTCOME_CLASS_TOKEN ? outcome : OUTCOME_TOKEN_REVOKED;
    }
    return fill_answer(request, introspect) ? OUTCOME_SERVED : OUTCOME_FAULT;
}

static bool fill_answer(struct request *request, const struct introspect *introspect)
{
    const struct session *session = &introspect->view.session;
    const struct account *account = &introspect->view.account;
    struct answer *answer = &request->answer;
    const char *name = introspect->view.has_account ? account->name : "";
    const char *subject = !introspect->view.has_account ? session->client
                          : account->subject[0] != '\0' ? account->subject
                                                        : account->name;

    answer->session_expires_ms = decision_expires_ms(&introspect->policy, session);
    if (arena_copy(request->arena, text_of(name), &answer->username) &&
        arena_copy(request->arena, text_of(subject), &answer->subject) &&
        arena_copy(request->arena, text_of(session->scope), &answer->scope)) {
        return true;
    }
    fault_set(&request->fault, "the request's memory is used up");
    return false;
}
