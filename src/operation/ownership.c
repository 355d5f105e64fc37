/* SPDX-License-Identifier: ISC */
/* ownership.c: see ownership.h. A stranger's presentation never spends or ends another's token, so
 * all this comes before the decision. */
#include "operation/ownership.h"

#include <string.h>

#include "base/codec.h"
#include "token/jws.h"
#include "token/layout.h"

static bool user_matches(struct request *request, const struct session_view *view,
                         enum outcome *refusal);
static bool password_matches(struct request *request, const struct session_view *view,
                             enum outcome *refusal);
static bool check_access_token(struct request *request, const struct session_view *view,
                               const struct token_ref *ref, enum outcome *refusal);
static bool access_token_matches(const struct request *request, const struct session_view *view,
                                 const struct token_ref *ref, const struct keyring *keyring,
                                 struct fault *fault);

bool ownership_check(struct request *request, const struct session_view *view,
                     const struct client_identity *client, const struct token_ref *ref,
                     enum outcome *refusal)
{
    if (!text_equal(text_of(view->session.realm), text_of(request->realm->name))) {
        *refusal = OUTCOME_WRONG_REALM;
        return false;
    } else if (!ownership_client_matches(request, view, client, refusal) ||
               !ownership_page_matches(request, view, refusal) ||
               !user_matches(request, view, refusal)) {
        return false;
    }
    return !request->input.refresh.access_token_given ||
           check_access_token(request, view, ref, refusal);
}

/* RFC 6749 section 6: bound to the client it was issued to, and never accepted with less proof than
 * it began with, whichever mount of its realm is asked. */
bool ownership_client_matches(struct request *request, const struct session_view *view,
                              const struct client_identity *client, enum outcome *refusal)
{
    const struct session *session = &view->session;
    enum client_refusal *reason = &request->answer.refusal;
    bool named = client->named;

    if (named && session->client[0] != '\0' &&
        !text_equal(text_of(session->client), text_of(client->id))) {
        *refusal = OUTCOME_WRONG_CLIENT;
    } else if (session->client_proved && !client->proved) {
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
        *reason = CLIENT_REFUSED_NO_PROOF;
    } else if (!request->client.bound || named || session->client[0] == '\0') {
        return true;
    } else if (!view->has_client || !view->client.enabled) {
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
        *reason = view->has_client ? CLIENT_REFUSED_DISABLED : CLIENT_REFUSED_UNKNOWN;
    } else if (!client_is_confidential(&view->client)) {
        return true;
    } else {
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
        *reason = CLIENT_REFUSED_NO_PROOF;
    }
    return false;
}

bool ownership_page_matches(struct request *request, const struct session_view *view,
                            enum outcome *refusal)
{
    return client_auth_page_matches(request, view->has_client ? &view->client : NULL, refusal);
}

static bool user_matches(struct request *request, const struct session_view *view,
                         enum outcome *refusal)
{
    const struct refresh_input *input = &request->input.refresh;
    const struct account *account = &view->account;

    if (session_is_clients_own(&view->session)) {
        *refusal = OUTCOME_WRONG_USER;
        return !input->username_given && !input->password_given;
    } else if (!view->has_account) {
        return true; /* the table words a removed account */
    } else if (input->username_given && !text_is(input->username, account->name)) {
        *refusal = OUTCOME_WRONG_USER;
    } else if (input->password_given) {
        return password_matches(request, view, refusal);
    } else {
        return true;
    }
    return false;
}

/* Wrong ones are counted for this session alone: who guesses without its token cannot slow whoever
 * has it. */
static bool password_matches(struct request *request, const struct session_view *view,
                             enum outcome *refusal)
{
    const struct account *account = &view->account;
    struct text session = {(const char *)view->session.id, sizeof view->session.id};

    request->guess.account = account->number;
    memcpy(request->guess.session, view->session.id, sizeof request->guess.session);
    return guess_begin(request, GUESS_RENEWAL, session, 0, request->answer.now_ms, refusal) &&
           guess_password(request, text_of(account->name), request->input.refresh.password,
                          account->password, refusal);
}

static bool check_access_token(struct request *request, const struct session_view *view,
                               const struct token_ref *ref, enum outcome *refusal)
{
    struct fault unready = {""};
    const struct keyring *keyring =
        issuer_keyring(request->issuer, view->keyring_version, &request->fault);

    *refusal = OUTCOME_FAULT;
    if (keyring == NULL) {
        return false;
    } else if (access_token_matches(request, view, ref, keyring, &unready)) {
        return true;
    } else if (unready.text[0] != '\0') {
        request->fault = unready;
    } else {
        *refusal = OUTCOME_WRONG_ACCESS_TOKEN;
    }
    return false;
}

/* The last access token came along: it must be ours, of this user and this session. It may have
 * expired: that is why the client is here. */
static bool access_token_matches(const struct request *request, const struct session_view *view,
                                 const struct token_ref *ref, const struct keyring *keyring,
                                 struct fault *fault)
{
    const struct session *session = &view->session;
    const char *claim = request->realm->policy.layout->session_claim;
    json_t *payload;
    struct text named;
    char id[37];

    if (session->has_alias && ref->generation == 0 &&
        !token_ref_is_own_jwt(request->issuer, request->input.refresh.refresh_token,
                              request->arena)) {
        return true; /* imported: its access token is another server's, and names no session here */
    }
    payload = jws_open_any(request->arena, request->input.refresh.access_token, keyring,
                           request->realm->name, fault);
    codec_uuid_format(session->id, id);
    return payload != NULL && claim != NULL &&
           json_in_text(payload, claim, &named) == JSON_IN_TEXT && text_is(named, id);
}
