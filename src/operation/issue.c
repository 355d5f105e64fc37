/* SPDX-License-Identifier: ISC */
/* issue.c: beginning sessions and making access tokens. Knows how a session is made durable and
 * what a token says; does not know who asked or how. */
#include "operation/issue.h"

#include <string.h>

#include "base/codec.h"
#include "model/scope.h"
#include "operation/decision.h"
#include "operation/hook.h"
#include "operation/operation.h"
#include "operation/possession.h"
#include "operation/request_event.h"
#include "operation/token_ref.h"
#include "token/layout.h"
#include "token/refresh_token.h"

/* JWT-shaped refresh tokens have no room for an identifier: two of one account in one second would
 * be the same string. Each gets a second of its own; this many are tried. */
enum { ISSUE_SECONDS_TRIED = 1000 };

static enum outcome start(struct issue *issue, struct request *request,
                          const struct issue_ask *ask);
static bool is_imported(const struct issue_ask *ask);
static bool find_policy(struct issue *issue);
static bool start_session(struct issue *issue);
static bool ask_hook(struct issue *issue, enum outcome *outcome);
static bool sign_first(struct issue *issue);
static bool make_first_token(struct issue *issue);
static bool fill_claims(const struct request *request, const struct access_token *token,
                        struct layout_claims *claims, struct fault *fault);
static bool name_token(const struct request *request, const struct access_token *token,
                       char jti[37]);
static bool fill_account(const struct request *request, const struct account *account,
                         struct layout_claims *claims, struct fault *fault);
static bool fill_answer(struct request *request, const struct layout_claims *claims);

/* ---- beginning a session ---- */

enum outcome issue_session(struct request *request, const struct issue_ask *ask)
{
    struct issue issue;
    enum outcome outcome = issue_begin(&issue, request, ask);

    if (outcome == OUTCOME_ROTATED) {
        while (issue_written(
            &issue, store_write(request->issuer->store, &issue.write, &request->fault), &outcome)) {
        }
    }
    return outcome;
}

enum outcome issue_begin(struct issue *issue, struct request *request, const struct issue_ask *ask)
{
    struct answer *answer = &request->answer;
    enum outcome outcome = start(issue, request, ask);

    if (outcome != OUTCOME_ROTATED || !possession_suffices(request, &issue->policy, &outcome) ||
        !ask_hook(issue, &outcome)) {
        return outcome;
    } else if (!sign_first(issue) || !make_first_token(issue)) {
        return OUTCOME_FAULT;
    }
    answer->scope_narrowed = !text_equal(issue->ask.scope, ask->scope);
    answer->session_expires_ms = issue->session.expires_ms;
    answer->session_ends_ms = decision_ends_ms(&issue->policy, &issue->session);
    answer->session_known = true;
    memcpy(answer->session, issue->session.id, sizeof answer->session);
    return arena_copy(request->arena, ask->client, &answer->client) ? OUTCOME_ROTATED
                                                                    : OUTCOME_FAULT;
}

enum outcome issue_import(struct issue *issue, struct request *request, const struct issue_ask *ask)
{
    enum outcome outcome = start(issue, request, ask);

    if (outcome != OUTCOME_ROTATED) {
        return outcome;
    } else if (issue->session.expires_ms != 0 &&
               issue->session.expires_ms <= request->answer.now_ms) {
        return OUTCOME_TOKEN_EXPIRED;
    }
    return make_first_token(issue) ? OUTCOME_ROTATED : OUTCOME_FAULT;
}

/* All but the tokens. */
static enum outcome start(struct issue *issue, struct request *request, const struct issue_ask *ask)
{
    issue->request = request;
    issue->ask = *ask;
    issue->tried = 0;
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    issue->first_s = request->answer.now_ms / CLOCK_SECOND;
    if (ask->imported.size > 0 &&
        !refresh_token_importable(request->issuer->secrets, ask->imported, NULL)) {
        return OUTCOME_TOKEN_INVALID;
    } else if (!find_policy(issue)) {
        return OUTCOME_FAULT;
    } else if (!issue_scope(issue->client.number != 0 ? &issue->client : NULL, &issue->policy,
                            &issue->ask.scope_given, &issue->ask.scope, issue->scope)) {
        request->answer.granted = text_of(issue->client.scope);
        return OUTCOME_SCOPE_INVALID;
    }
    return start_session(issue) ? OUTCOME_ROTATED : OUTCOME_FAULT;
}

static bool is_imported(const struct issue_ask *ask)
{
    return ask->imported.size > 0 || ask->imported_hash != NULL;
}

bool issue_written(struct issue *issue, enum store_result result, enum outcome *outcome)
{
    bool jwt = issue->request->realm->policy.format == REFRESH_FORMAT_JWT;

    *outcome = OUTCOME_FAULT;
    switch (result) {
    case STORE_OK:
        *outcome = OUTCOME_ROTATED;
        return false;
    case STORE_EXISTS:
        if (is_imported(&issue->ask) || !jwt || ++issue->tried == ISSUE_SECONDS_TRIED) {
            *outcome = OUTCOME_TOKEN_INVALID;
            return false;
        }
        return make_first_token(issue);
    case STORE_STALE:
        if (issue->ask.account == NULL) {
            issue->request->answer.refusal = CLIENT_REFUSED_DISABLED;
            *outcome = OUTCOME_CLIENT_UNAUTHORIZED;
            return false;
        }
        fault_set(&issue->request->fault,
                  "account %s was disabled, removed or given another password meanwhile, or the "
                  "client was disabled or removed",
                  issue->ask.account->name);
        return false;
    case STORE_ABSENT:
    case STORE_FAULT:
        return false;
    }
    return false;
}

bool issue_scope(const struct client *client, const struct policy *policy, bool *given,
                 struct text *scope, char *room)
{
    bool defaults = policy->scope_rule == SCOPE_SUBSET && policy->layout->says_scope;

    if (client == NULL || (scope->size == 0 && !defaults)) {
        return scope->size <= SESSION_SCOPE_MAX && scope_canonical(*scope, room, scope);
    } else if (!client_scope(client, *scope, room, scope)) {
        return false;
    }
    *given = *given || scope->size > 0;
    return true;
}

static bool find_policy(struct issue *issue)
{
    struct request *request = issue->request;
    struct client *client = &issue->client;
    char id[CLIENT_ID_MAX + 1];

    issue->policy = request->realm->policy;
    client->number = 0;
    client->scope[0] = '\0';
    if (issue->ask.client.size == 0 || !text_copy(issue->ask.client, id, sizeof id)) {
        return true;
    }
    switch (store_client_find(request->issuer->store, id, client, &request->fault)) {
    case STORE_OK:
        policy_effective(&request->realm->policy, client, &issue->policy);
        return true;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        fault_set(&request->fault, "client %s was removed meanwhile", id);
        break;
    case STORE_FAULT:
        break;
    }
    return false;
}

/* Event and marks are in the same commit. */
static void prepare_write(struct issue *issue)
{
    const struct session *session = &issue->session;
    struct event event;

    store_prepare_create(&issue->write, session, issue->ask.account);
    issue->write.of.create.client_secret = issue->ask.client_secret;
    issue->write.of.create.is_login =
        issue->ask.account != NULL && issue->ask.has_event && issue->ask.event == EVENT_LOGIN;
    if (issue->ask.has_event) {
        request_event_of_session(&event, issue->ask.event, issue->request, session, 0,
                                 session->used_ms);
        event_set_cause(&event, issue->ask.cause);
        store_attach_event(&issue->write, &event);
    }
    if (issue->ask.proved_by != NULL) {
        client_auth_attach(issue->ask.proved_by, &issue->write);
    }
}

/* A token that may be a JWT could be adopted again (adopt.h) when its session was swept. */
static int64_t kept_until_ms(const struct issue_ask *ask)
{
    if (ask->imported_hash == NULL && refresh_token_shape(ask->imported) != REFRESH_SHAPE_JWT) {
        return 0;
    }
    return ask->expires_ms != 0 ? ask->expires_ms : SESSION_FOR_EVER;
}

static bool start_session(struct issue *issue)
{
    const struct issue_ask *ask = &issue->ask;
    struct issuer *issuer = issue->request->issuer;
    int64_t now_ms = issue->request->answer.now_ms;
    struct session *session = &issue->session;

    memset(session, 0, sizeof *session);
    session->account = ask->account != NULL ? ask->account->number : 0;
    session->created_ms =
        ask->created_ms != 0 && ask->created_ms < now_ms ? ask->created_ms : now_ms;
    session->rotated_ms = session->created_ms;
    session->used_ms = now_ms;
    session->expires_ms = ask->expires_ms;
    session->expires_ms = decision_expires_ms(&issue->policy, session);
    session->kept_until_ms = kept_until_ms(ask);
    session->scope_given = issue->ask.scope_given;
    session->client_proved = ask->client_proved;
    session->client_number = issue->client.number;
    session->key_kind = ask->key_kind;
    memcpy(session->key, ask->key, sizeof session->key);
    if (ask->key_kind == SESSION_KEY_NONE) {
        possession_bind(issue->request, ask->client_proved, &session->key_kind, session->key);
    }
    session->epoch = ask->account != NULL ? ask->account->epoch : 0;
    session->secret = secrets_current(issuer->secrets, now_ms);
    if (session_id_make(&issuer->randomness, now_ms, session->id) &&
        text_copy(text_of(issue->request->realm->name), session->realm, sizeof session->realm) &&
        text_copy(ask->client, session->client, sizeof session->client) &&
        text_copy(issue->ask.scope, session->scope, sizeof session->scope) &&
        text_copy(ask->targets, session->targets, sizeof session->targets)) {
        return operation_network(issue->request, session->id, session->network);
    }
    fault_set(&issue->request->fault,
              "cannot start a session for %s: no randomness, or a name is too long",
              ask->account != NULL ? ask->account->name : "a client");
    return false;
}

static bool ask_hook(struct issue *issue, enum outcome *outcome)
{
    const struct hook_question question = {.session = &issue->session,
                                           .account = issue->ask.account,
                                           .scope = text_of(issue->session.scope)};

    return hook_ask(issue->request, &question, outcome);
}

static bool sign_first(struct issue *issue)
{
    struct request *request = issue->request;
    struct access_token token = {.policy = &issue->policy,
                                 .session = &issue->session,
                                 .account = issue->ask.account,
                                 .issued_at_s = issue->first_s,
                                 .scope = text_of(issue->session.scope)};

    return store_keyring_version(request->issuer->store, &token.keyring_version, &request->fault) ==
               STORE_OK &&
           issue_access_token(request, &token);
}

/* The refresh token of generation 0, how the session is found by it, and the write. */
static bool make_first_token(struct issue *issue)
{
    struct request *request = issue->request;
    struct issuer *issuer = request->issuer;
    const struct policy *policy = &issue->policy;
    struct session *session = &issue->session;
    struct access_token first = {.policy = policy,
                                 .session = session,
                                 .account = issue->ask.account,
                                 .issued_at_s = issue->first_s + issue->tried};
    const struct secrets_keys *keys = secrets_find(issuer->secrets, session->secret);
    struct text *token = &request->answer.refresh_token;
    struct layout_claims claims;

    prepare_write(issue);
    if (is_imported(&issue->ask)) {
        *token = issue->ask.imported;
    } else if (policy->format != REFRESH_FORMAT_JWT) {
        session->has_derived_aliases = policy->format == REFRESH_FORMAT_UUID;
        return token_ref_mint(issuer, policy->format, session->secret, session->id, 0,
                              request->arena, token, &request->fault);
    } else if (!fill_claims(request, &first, &claims, &request->fault)) {
        return false;
    } else {
        /* the same token for ever: an end that each use puts off cannot be in it */
        claims.expires_at_s =
            policy->absolute_lifetime_ms == 0
                ? 0
                : (session->created_ms + policy->absolute_lifetime_ms) / CLOCK_SECOND;
        if (!layout_refresh_token(policy->layout, keys->refresh_jwt, &claims, request->arena,
                                  token)) {
            fault_set(&request->fault, "cannot make a JWT-shaped refresh token for %s",
                      request->realm->name);
            return false;
        }
    }
    session->has_alias =
        issue->ask.imported_hash != NULL
            ? refresh_token_alias_of_hash(issuer->secrets, issue->ask.imported_hash, session->alias)
            : refresh_token_alias(issuer->secrets, *token, session->alias);
    if (!session->has_alias) {
        fault_set(&request->fault, "HMAC failed");
    }
    return session->has_alias;
}

/* ---- access tokens ---- */

bool issue_access_token(struct request *request, const struct access_token *token)
{
    const struct policy *policy = token->policy;
    const char *algorithm = signing_algorithm_name(policy->algorithm);
    const struct keyring *keyring =
        issuer_keyring(request->issuer, token->keyring_version, &request->fault);
    const struct signing_key *key;
    struct layout_claims claims;
    int64_t lifetime_s;

    if (keyring == NULL ||
        !issue_access_lifetime(request, policy, token->session, token->generation, &lifetime_s)) {
        return false;
    }
    key = keyring_signer(keyring, policy->algorithm, request->realm->name);
    if (key == NULL) {
        fault_set(
            &request->fault,
            "no active %s signing key for %s: run `retoken key add --algorithm %s --activate`",
            algorithm, request->realm->name, algorithm);
        return false;
    }
    if (!fill_claims(request, token, &claims, &request->fault)) {
        return false;
    }
    claims.expires_at_s = token->issued_at_s + lifetime_s;
    if (!layout_access_token(policy->layout, key, &claims, request->arena,
                             &request->answer.access_token) ||
        !fill_answer(request, &claims)) {
        fault_set(&request->fault,
                  "cannot sign the access token: out of memory or libcrypto failed");
        return false;
    }
    return true;
}

/* A fleet that began in one second, as after an outage, shall not come back in one second. */
bool issue_access_lifetime(struct request *request, const struct policy *policy,
                           const struct session *session, uint32_t generation, int64_t *lifetime_s)
{
    const struct text id = {(const char *)session->id, sizeof session->id};
    uint8_t counter[4];
    uint8_t hash[CRYPTO_HASH_SIZE];

    *lifetime_s = policy->access_lifetime_ms / CLOCK_SECOND;
    if (!policy->access_jitter) {
        return true;
    }
    codec_put_u32(counter, generation);
    if (!secrets_mark_hash(request->issuer->secrets, "access lifetime", id,
                           (struct text){(const char *)counter, sizeof counter}, hash)) {
        fault_set(&request->fault, "HMAC failed");
        return false;
    }
    *lifetime_s -= codec_get_u32(hash) % (*lifetime_s / 10 + 1);
    return true;
}

static bool fill_claims(const struct request *request, const struct access_token *token,
                        struct layout_claims *claims, struct fault *fault)
{
    const struct session *session = token->session;

    memset(claims, 0, sizeof *claims);
    claims->issuer = text_of(request->realm->issuer);
    claims->audience = text_of(request->realm->audience);
    claims->targets = request->targets;
    claims->key = request->possession.proved ? request->possession.key : NULL;
    claims->certificate =
        possession_has_certificate(request) ? request->possession.certificate.thumbprint : NULL;
    claims->client = text_of(session->client);
    claims->issued_at_s = token->issued_at_s;
    claims->scope = token->scope;
    claims->scope_given = session->scope_given;
    claims->refreshed = token->refreshed;
    if (!token->alone) {
        codec_uuid_format(session->id, claims->session);
    }
    if (!name_token(request, token, claims->jti)) {
        fault_set(fault, "HMAC failed");
        return false;
    }
    if (token->account == NULL) {
        claims->subject = claims->client; /* RFC 9068 section 2.2 */
        claims->username = claims->client;
        return true;
    }
    return fill_account(request, token->account, claims, fault);
}

/* Its jti covers what the hook has said, what the request has chosen and which keys it showed, so
 * there are never two different tokens of one jti. */
static bool name_token(const struct request *request, const struct access_token *token,
                       char jti[37])
{
    const struct secrets *secrets = request->issuer->secrets;
    const struct session *session = token->session;
    const struct possession *possession = &request->possession;
    const struct text hash_of = {(const char *)request->hook.digest, sizeof request->hook.digest};
    const uint8_t *further = request->hook.asked ? request->hook.digest : NULL;
    uint8_t digest[CRYPTO_HASH_SIZE];

    if (!text_equal(token->scope, text_of(session->scope)) || request->targets.size > 0 ||
        possession->proved || possession_has_certificate(request)) {
        const struct text key = {(const char *)possession->key,
                                 possession->proved ? sizeof possession->key : 0};
        const struct text certificate = {(const char *)possession->certificate.thumbprint,
                                         sizeof possession->certificate.thumbprint};
        const struct text chosen = {(const char *)digest, sizeof digest};

        if (!secrets_mark_hash(secrets, "scope and audience", token->scope, request->targets,
                               digest) ||
            !secrets_mark_hash(secrets, "key", chosen, key, digest) ||
            (possession_has_certificate(request) &&
             !secrets_mark_hash(secrets, "certificate", chosen, certificate, digest)) ||
            (further != NULL && !secrets_mark_hash(secrets, "claims", chosen, hash_of, digest))) {
            return false;
        }
        further = digest;
    }
    return refresh_token_jti(secrets, session->id, token->generation, token->issued_at_s, further,
                             jti);
}

/* The claims that come from the account as it is now, and from the hook. False: the account's are
 * not a JSON object, or memory. */
static bool fill_account(const struct request *request, const struct account *account,
                         struct layout_claims *claims, struct fault *fault)
{
    const json_t *number;

    claims->username = text_of(account->name);
    claims->subject = account_subject(account);
    claims->roles = text_of(account->roles);
    claims->user_number = account->number;
    if (account->claims[0] != '\0') {
        claims->account = json_in_object(request->arena, text_of(account->claims), fault);
        if (claims->account == NULL) {
            fault_prefix(fault, "claims of account %s", account->name);
            return false;
        }
    }
    number = json_object_get(claims->account, "userId");
    if (json_is_integer(number) && json_integer_value(number) >= 0) {
        claims->user_number = (uint64_t)json_integer_value(number);
    }
    return hook_answer_apply(&request->hook, request->arena, claims, fault);
}

static bool fill_answer(struct request *request, const struct layout_claims *claims)
{
    struct answer *answer = &request->answer;

    answer->expires_at_s = claims->expires_at_s;
    answer->expires_in_s = claims->expires_at_s - answer->now_ms / CLOCK_SECOND;
    answer->claims = claims->account;
    answer->bound = claims->key != NULL;
    return arena_copy(request->arena, claims->username, &answer->username) &&
           arena_copy(request->arena, claims->subject, &answer->subject) &&
           arena_copy(request->arena, claims->roles, &answer->roles) &&
           arena_copy(request->arena, claims->scope, &answer->scope);
}
