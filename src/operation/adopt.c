/* SPDX-License-Identifier: ISC */
/* adopt.c: from a refresh JWT of another server to a session. The record of such a session stays
 * until its token would have expired there (session.kept_until_ms): so one that was revoked here
 * is not adopted again. Does not know how signatures are made. */
#include "operation/adopt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/scope.h"
#include "operation/issue.h"
#include "operation/ownership.h"
#include "token/adoption_key.h"
#include "token/layout.h"
#include "token/refresh_token.h"

/* How far the other server's clock may be ahead. */
enum { SKEW_S = 60 };

struct adoption {
    struct request *request;
    struct text token;
    struct session_view view; /* its account and client, and what the session will say of those */
    bool adds_account;
    struct store_write add;
    struct issue_ask ask;
    struct issue issue;
    bool begun; /* the session's write is prepared */
    bool decided;
    enum outcome outcome;
};

static enum outcome refuse(struct request *request, enum client_refusal reason);
static enum outcome open_token(struct request *request, struct text token, json_t **payload);
static bool is_refresh_token(const struct request *request, const json_t *payload);
static bool is_for_us(const struct adoption_policy *policy, const json_t *payload);
static enum outcome read_times(struct adoption *adoption, const json_t *payload);
static bool read_time(const json_t *payload, const char *name, int64_t *s, bool *given);
static enum outcome find_account(struct adoption *adoption, const json_t *payload);
static enum outcome find_by_name(struct adoption *adoption);
static bool choose_client(struct adoption *adoption, const json_t *payload);
static void begin_session(struct adoption *adoption);
static void decide(struct adoption *adoption, enum outcome outcome);

bool adopt_considers(const struct request *request, struct text token)
{
    const struct adoption_policy *policy = &request->realm->adoption;

    return policy->on && (policy->until_ms == 0 || request->answer.now_ms < policy->until_ms) &&
           refresh_token_shape(token) == REFRESH_SHAPE_JWT;
}

struct adoption *adopt_begin(struct request *request, struct text token, enum outcome *refusal)
{
    struct adoption *adoption = arena_alloc(request->arena, sizeof *adoption);
    json_t *payload;

    *refusal = OUTCOME_FAULT;
    if (adoption == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        return NULL;
    }
    adoption->request = request;
    adoption->token = token;
    *refusal = open_token(request, token, &payload);
    if (*refusal == OUTCOME_ROTATED && !is_refresh_token(request, payload)) {
        *refusal = refuse(request, CLIENT_REFUSED_ADOPT_TYPE);
    } else if (*refusal == OUTCOME_ROTATED && !is_for_us(&request->realm->adoption, payload)) {
        *refusal = refuse(request, CLIENT_REFUSED_ADOPT_ISSUER);
    }
    *refusal = *refusal == OUTCOME_ROTATED ? read_times(adoption, payload) : *refusal;
    *refusal = *refusal == OUTCOME_ROTATED ? find_account(adoption, payload) : *refusal;
    if (*refusal == OUTCOME_ROTATED && !choose_client(adoption, payload)) {
        *refusal = OUTCOME_FAULT;
    }
    return *refusal == OUTCOME_ROTATED ? adoption : NULL;
}

bool adopt_belongs(struct adoption *adoption, const struct client_identity *client,
                   enum outcome *refusal)
{
    return ownership_client_matches(adoption->request, &adoption->view, client, refusal) &&
           ownership_page_matches(adoption->request, &adoption->view, refusal);
}

const char *adopt_account(const struct adoption *adoption)
{
    return adoption->view.account.name;
}

/* The bearer is told that it is no token; the log, why. */
static enum outcome refuse(struct request *request, enum client_refusal reason)
{
    request->answer.refusal = reason;
    return OUTCOME_TOKEN_INVALID;
}

/* ---- what the token says ---- */

/* Under any of the verify-only keys of the realm. OUTCOME_ROTATED: *payload. */
static enum outcome open_token(struct request *request, struct text token, json_t **payload)
{
    const struct keyring *keyring = issuer_keyring_now(request->issuer, &request->fault);
    const struct signing_row *row;

    if (keyring == NULL) {
        return OUTCOME_FAULT;
    }
    for (size_t i = 0; (row = keyring_adopter(keyring, request->realm->name, i)) != NULL; i++) {
        switch (adoption_key_open(request->arena, token, row, request->issuer->secrets, payload,
                                  &request->fault)) {
        case CLIENT_JWT_OPEN:
            return OUTCOME_ROTATED;
        case CLIENT_JWT_MALFORMED:
        case CLIENT_JWT_TYPE:
        case CLIENT_JWT_KEY:
        case CLIENT_JWT_SIGNATURE:
            break;
        case CLIENT_JWT_FAULT:
            return OUTCOME_FAULT;
        }
    }
    return refuse(request, CLIENT_REFUSED_ADOPT_SIGNATURE);
}

/* An access token, which many servers sign with the same key, must not pass for one. Servers say in
 * various claims which it is; one that says nothing and shall never expire is no access token. */
static bool is_refresh_token(const struct request *request, const json_t *payload)
{
    static const struct {
        const char *claim, *one, *other;
    } says[] = {
        {"token_type", "refresh", NULL}, /* Django's most used library */
        {"typ", "Refresh", "Offline"},   /* Keycloak */
        {"type", "refresh", NULL},       /* Flask-JWT-Extended and others */
        {"token_use", "refresh", NULL},
    };
    const json_t *only = json_object_get(payload, "refresh_only"); /* spring-security-rest 3 */

    for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
        const json_t *value = json_object_get(payload, says[i].claim);
        struct text word = text_of(json_string_value(value));

        if (value != NULL && !text_is(word, says[i].one) &&
            (says[i].other == NULL || !text_is(word, says[i].other))) {
            return false;
        }
    }
    if (only != NULL) {
        return json_is_true(only);
    }
    return !request->realm->policy.layout->refresh_has_no_exp ||
           json_object_get(payload, "exp") == NULL;
}

static bool is_for_us(const struct adoption_policy *policy, const json_t *payload)
{
    struct text issuer = text_of(json_string_value(json_object_get(payload, "iss")));

    return (policy->issuer[0] == '\0' || text_is(issuer, policy->issuer)) &&
           (policy->audience[0] == '\0' ||
            json_in_names(json_object_get(payload, "aud"), policy->audience));
}

/* Its session began when it was issued, and ends no later than it would have there. */
static enum outcome read_times(struct adoption *adoption, const json_t *payload)
{
    int64_t now_s = adoption->request->answer.now_ms / CLOCK_SECOND;
    int64_t issued_s = 0, before_s = 0, expires_s = 0;
    bool issued, before, expires;

    if (!read_time(payload, "iat", &issued_s, &issued) ||
        !read_time(payload, "nbf", &before_s, &before) ||
        !read_time(payload, "exp", &expires_s, &expires) || issued_s > now_s + SKEW_S ||
        before_s > now_s + SKEW_S) {
        return refuse(adoption->request, CLIENT_REFUSED_ADOPT_TIME);
    } else if (expires && expires_s <= now_s) {
        return OUTCOME_TOKEN_EXPIRED;
    }
    adoption->ask.created_ms = issued_s * CLOCK_SECOND;
    adoption->ask.expires_ms = expires_s * CLOCK_SECOND;
    return OUTCOME_ROTATED;
}

/* NumericDate (RFC 7519 section 2), at most the year 9999. False: it is none. */
static bool read_time(const json_t *payload, const char *name, int64_t *s, bool *given)
{
    static const double most_s = 253402300799;
    const json_t *value = json_object_get(payload, name);
    double number = json_number_value(value);

    *given = value != NULL;
    if (*given && (!json_is_number(value) || number < 1 || number > most_s)) {
        return false;
    }
    *s = (int64_t)number;
    return true;
}

static enum outcome find_account(struct adoption *adoption, const json_t *payload)
{
    const struct adoption_policy *policy = &adoption->request->realm->adoption;
    const json_t *claim =
        json_object_get(payload, policy->claim[0] != '\0' ? policy->claim : "sub");
    struct account *account = &adoption->view.account;
    char number[32];
    struct text name = text_of(json_string_value(claim));
    enum outcome outcome;

    if (json_is_integer(claim)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(claim));
        name = text_of(number);
    }
    if (name.size == 0 || text_has_control(name) ||
        !text_copy(name, account->name, sizeof account->name)) {
        return refuse(adoption->request, CLIENT_REFUSED_ADOPT_ACCOUNT);
    }
    outcome = find_by_name(adoption);
    if (outcome == OUTCOME_ACCOUNT_GONE && policy->creates_accounts) {
        text_copy(name, account->name, sizeof account->name);
        account->enabled = true;
        account->created_ms = adoption->request->answer.now_ms;
        adoption->adds_account = true;
        return OUTCOME_ROTATED;
    }
    return outcome;
}

static enum outcome find_by_name(struct adoption *adoption)
{
    struct request *request = adoption->request;
    struct account *account = &adoption->view.account;
    struct account found;

    switch (store_account_find(request->issuer->store, account->name, &found, &request->fault)) {
    case STORE_OK:
        *account = found;
        return account->enabled ? OUTCOME_ROTATED : OUTCOME_ACCOUNT_DISABLED;
    case STORE_ABSENT:
        return OUTCOME_ACCOUNT_GONE;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

/* The client that the token names, if it is registered here, and the scope, where access tokens can
 * say it. False with the fault. */
static bool choose_client(struct adoption *adoption, const json_t *payload)
{
    struct request *request = adoption->request;
    struct issue_ask *ask = &adoption->ask;
    const json_t *claim = json_object_get(payload, "azp");
    struct text id =
        text_of(json_string_value(claim != NULL ? claim : json_object_get(payload, "client_id")));
    struct session_view *view = &adoption->view;
    struct client *client = &view->client;

    ask->account = &view->account;
    ask->imported = adoption->token;
    ask->has_event = true;
    ask->event = EVENT_ADOPTED;
    ask->cause = "adopted";
    if (request->realm->policy.layout->says_scope) {
        ask->scope_given = json_in_text(payload, "scope", &ask->scope) == JSON_IN_TEXT;
    }
    if (id.size == 0 || !text_copy(id, view->session.client, sizeof view->session.client)) {
        return true;
    }
    switch (
        store_client_find(request->issuer->store, view->session.client, client, &request->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        view->session.client[0] = '\0';
        return true;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return false;
    }
    view->has_client = true;
    ask->client_proved = request->client.bound && client_is_confidential(client);
    view->session.client_proved = ask->client_proved;
    if (client->scope[0] != '\0' && !scope_covers(text_of(client->scope), ask->scope)) {
        char *common = arena_alloc(request->arena, SESSION_SCOPE_MAX);

        if (common == NULL || ask->scope.size > SESSION_SCOPE_MAX) {
            fault_set(&request->fault, "the request's memory is used up, or a scope is too long");
            return false;
        }
        ask->scope = scope_common(text_of(client->scope), ask->scope, common);
    }
    return arena_copy(request->arena, text_of(client->id), &ask->client);
}

/* ---- the writes ---- */

struct store_write *adopt_step(struct adoption *adoption, enum outcome *outcome)
{
    if (!adoption->decided && adoption->adds_account) {
        store_prepare_account_add(&adoption->add, &adoption->view.account);
        return &adoption->add;
    } else if (!adoption->decided && !adoption->begun) {
        begin_session(adoption);
    }
    *outcome = adoption->outcome;
    return adoption->decided ? NULL : &adoption->issue.write;
}

static void begin_session(struct adoption *adoption)
{
    enum outcome outcome = issue_import(&adoption->issue, adoption->request, &adoption->ask);

    if (outcome == OUTCOME_ROTATED) {
        adoption->begun = true;
        return;
    }
    /* its scope is too long, or holds what none can */
    decide(adoption, outcome == OUTCOME_SCOPE_INVALID
                         ? refuse(adoption->request, CLIENT_REFUSED_ADOPT_SCOPE)
                         : outcome);
}

void adopt_written(struct adoption *adoption, enum store_result result)
{
    if (adoption->adds_account) {
        adoption->adds_account = false;
        if (result == STORE_EXISTS) { /* another request has added it */
            enum outcome found = find_by_name(adoption);

            if (found != OUTCOME_ROTATED) {
                decide(adoption, found);
            }
        } else if (result != STORE_OK) {
            decide(adoption, OUTCOME_FAULT);
        }
        return;
    }
    switch (result) {
    case STORE_OK:
    case STORE_EXISTS: /* another request has adopted it */
        decide(adoption, OUTCOME_ROTATED);
        return;
    case STORE_STALE:
        fault_set(&adoption->request->fault,
                  "account or client of an adopted token was changed meanwhile");
        decide(adoption, OUTCOME_FAULT);
        return;
    case STORE_ABSENT:
    case STORE_FAULT:
        decide(adoption, OUTCOME_FAULT);
        return;
    }
}

static void decide(struct adoption *adoption, enum outcome outcome)
{
    adoption->decided = true;
    adoption->outcome = outcome;
}
