/* SPDX-License-Identifier: ISC */
/* authorize.c: the operation that answers an authorization request (RFC 6749 section 4.1.1) in the
 * name of whom the web server has checked: a session that waits for its code. Client and redirect
 * URI come first, because nothing may be sent to a URI that is not the client's. Knows clients and
 * accounts; does not know how a request or an answer is spelled. */
#include <string.h>

#include "http/redirect.h"
#include "operation/code.h"
#include "operation/issue.h"
#include "operation/operation.h"
#include "operation/pending.h"
#include "operation/remote_user.h"

enum { CODE_LIFETIME_MS = 60 * CLOCK_SECOND };

struct authorize {
    enum outcome outcome;
    bool writes;     /* user.write while user.adds, then `write` */
    bool redirected; /* the redirect URI is the client's: the answer goes there */
    struct client client;
    char scope_room[SESSION_SCOPE_MAX];
    bool scope_given;
    struct text scope;
    struct remote_user user;
    struct session session;
    struct store_write write;
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum outcome check(struct request *request, struct authorize *authorize);
static enum outcome find_client(struct request *request, struct client *client);
static enum outcome find_redirect(struct request *request, const struct client *client);
static enum outcome prepare(struct request *request, struct authorize *authorize);

const struct operation operation_authorize = {
    .word = "authorize", .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct authorize *authorize = operation_state(request, sizeof *authorize, sizeof *authorize);

    if (authorize == NULL) {
        return false;
    }
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    authorize->outcome = check(request, authorize);
    if (authorize->outcome == OUTCOME_ROTATED && !authorize->user.adds) {
        authorize->outcome = prepare(request, authorize);
    }
    authorize->writes =
        authorize->outcome == OUTCOME_ROTATED || authorize->outcome == OUTCOME_AUTHORIZED;
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct authorize *authorize = request->state;

    *outcome = authorize->outcome;
    if (!authorize->writes) {
        return NULL;
    }
    return authorize->user.adds ? &authorize->user.write : &authorize->write;
}

static void written(struct request *request, enum store_result result)
{
    struct authorize *authorize = request->state;

    if (authorize->user.adds) {
        authorize->outcome = remote_user_added(request, result, &authorize->user);
        if (authorize->outcome == OUTCOME_ROTATED) {
            authorize->outcome = prepare(request, authorize);
        }
        authorize->writes = authorize->outcome == OUTCOME_AUTHORIZED;
        return;
    }
    authorize->writes = false;
    if (result == STORE_STALE) {
        fault_set(&request->fault, "the account or the client was disabled or removed meanwhile");
    }
    authorize->outcome = result == STORE_OK ? OUTCOME_AUTHORIZED : OUTCOME_FAULT;
}

/* OUTCOME_ROTATED: a session may begin for authorize->user. */
static enum outcome check(struct request *request, struct authorize *authorize)
{
    const struct authorize_input *input = &request->input.authorize;
    enum outcome outcome = find_client(request, &authorize->client);

    if (outcome != OUTCOME_ROTATED) {
        return outcome;
    }
    outcome = find_redirect(request, &authorize->client);
    if (outcome != OUTCOME_ROTATED) {
        return outcome;
    } else if (input->refused) {
        return input->refusal;
    } else if (!policy_allows(&request->realm->policy, &authorize->client, GRANT_CODE)) {
        request->answer.refusal = CLIENT_REFUSED_GRANT;
        return OUTCOME_CLIENT_UNAUTHORIZED;
    }
    authorize->scope = input->scope;
    authorize->scope_given = input->scope.size > 0;
    return issue_scope(&authorize->client, &request->realm->policy, &authorize->scope_given,
                       &authorize->scope, authorize->scope_room)
               ? remote_user_find(request, request->answer.now_ms, &authorize->user)
               : OUTCOME_SCOPE_INVALID;
}

static enum outcome find_client(struct request *request, struct client *client)
{
    char id[CLIENT_ID_MAX + 1];

    request->answer.refusal = CLIENT_REFUSED_UNKNOWN;
    if (!text_copy(request->input.authorize.client_id, id, sizeof id) || id[0] == '\0') {
        return OUTCOME_CLIENT_AUTH_FAILED;
    }
    switch (store_client_find(request->issuer->store, id, client, &request->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return OUTCOME_CLIENT_AUTH_FAILED;
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    if (!client->enabled) {
        request->answer.refusal = CLIENT_REFUSED_DISABLED;
        return OUTCOME_CLIENT_AUTH_FAILED;
    }
    request->answer.refusal = CLIENT_NOT_REFUSED;
    return arena_copy(request->arena, text_of(client->id), &request->answer.client)
               ? OUTCOME_ROTATED
               : OUTCOME_FAULT;
}

/* The one that was sent, or the only one that the client has. From here on refusals go there. */
static enum outcome find_redirect(struct request *request, const struct client *client)
{
    struct text uri = request->input.authorize.redirect_uri;
    struct text registered = text_of(client->redirect_uris);

    if (uri.size == 0) {
        uri = text_find(registered, ' ') == registered.size ? registered : (struct text){0};
    } else if (!http_redirect_is_among(uri, registered)) {
        uri = (struct text){0};
    }
    if (uri.size == 0) {
        return OUTCOME_REDIRECT_INVALID;
    }
    return arena_copy(request->arena, uri, &request->answer.redirect_uri) ? OUTCOME_ROTATED
                                                                          : OUTCOME_FAULT;
}

/* OUTCOME_AUTHORIZED: authorize->write is to be made. */
static enum outcome prepare(struct request *request, struct authorize *authorize)
{
    const struct authorize_input *input = &request->input.authorize;
    const struct account *account = &authorize->user.account;
    struct session *session = &authorize->session;

    if (!pending_start(request, SESSION_PENDING_CODE, &authorize->client, request->answer.now_ms,
                       CODE_LIFETIME_MS, session)) {
        return OUTCOME_FAULT;
    }
    session->account = account->number;
    session->epoch = account->epoch;
    session->scope_given = authorize->scope_given;
    (void)text_copy(authorize->scope, session->scope, sizeof session->scope);
    memcpy(session->challenge, input->challenge, sizeof session->challenge);
    if (input->has_key) {
        session->key_kind = SESSION_KEY_DPOP;
        memcpy(session->key, input->key, sizeof input->key);
    }
    if (input->redirect_uri.size > 0 &&
        !code_redirect_hash(request->issuer->secrets, input->redirect_uri, session->redirect)) {
        fault_set(&request->fault, "cannot hash a redirect URI: libcrypto failed");
        return OUTCOME_FAULT;
    }
    request->answer.session_known = true;
    memcpy(request->answer.session, session->id, sizeof request->answer.session);
    if (!pending_code(request, session, &request->answer.code)) {
        return OUTCOME_FAULT;
    }
    store_prepare_create(&authorize->write, session, account);
    return OUTCOME_AUTHORIZED;
}
