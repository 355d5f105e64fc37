/* SPDX-License-Identifier: ISC */
/* login.c: the operation that begins a session for a user who proves it with the password and a
 * token of theirs (docs/dialects.md section 2, decision 2). A refresh token is renewed by the
 * refresh operation, which checks user and password too; an access token gives a new session. Knows
 * accounts and tokens; does not know how either is sent. */
#include <string.h>

#include "operation/client_auth.h"
#include "operation/issue.h"
#include "operation/operation.h"
#include "operation/password.h"
#include "operation/token_ref.h"
#include "token/jws.h"

struct login {
    struct client_identity client;
    struct account account;
    struct issue issue;
    enum outcome outcome;
    bool writes;
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static bool renew(struct request *request);
static enum outcome start_session(struct request *request, struct login *login);
static enum outcome find_user(struct request *request, char name[ACCOUNT_NAME_MAX + 1]);
static enum outcome check_user(struct request *request, const char *name, struct account *account);

const struct operation operation_login = {
    .word = "login", .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct token_ref ref;
    struct login *login;

    switch (token_ref_locate(request->issuer, request->input.login.bearer, request->arena, &ref,
                             &request->fault)) {
    case TOKEN_REF_FOUND:
    case TOKEN_REF_UNKNOWN:
        return renew(request);
    case TOKEN_REF_INVALID:
        break;
    case TOKEN_REF_FAULT:
        return false;
    }
    login = operation_state(request, sizeof *login, 0);
    if (login == NULL) {
        return false;
    }
    login->outcome = start_session(request, login);
    login->writes = login->outcome == OUTCOME_ROTATED;
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct login *login = request->state;

    *outcome = login->outcome;
    return login->writes ? &login->issue.write : NULL;
}

static void written(struct request *request, enum store_result result)
{
    struct login *login = request->state;

    login->writes = issue_written(&login->issue, result, &login->outcome);
}

/* The bearer is a refresh token of ours: the refresh operation knows the rest. */
static bool renew(struct request *request)
{
    struct login_input login = request->input.login;

    request->operation = &operation_refresh;
    request->input.refresh = (struct refresh_input){.refresh_token = login.bearer,
                                                    .username_given = true,
                                                    .username = login.username,
                                                    .password_given = true,
                                                    .password = login.password};
    return operation_refresh.begin(request);
}

/* OUTCOME_ROTATED: login->issue holds the write that makes the session durable. */
static enum outcome start_session(struct request *request, struct login *login)
{
    struct issue_ask ask = {.account = &login->account};
    char name[ACCOUNT_NAME_MAX + 1];
    enum outcome outcome;

    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    if (!client_auth_check(request, request->answer.now_ms, &login->client, &outcome)) {
        return outcome;
    }
    outcome = find_user(request, name);
    if (outcome == OUTCOME_ROTATED) {
        outcome = check_user(request, name, &login->account);
    }
    ask.client = login->client.named ? text_of(login->client.id) : (struct text){0};
    ask.client_proved = login->client.proved;
    if (outcome == OUTCOME_ROTATED) {
        outcome = issue_begin(&login->issue, request, &ask);
    }
    return outcome;
}

/* The user whose access token this is, who must be the one that asks: the signature proves only
 * whose it was. OUTCOME_ROTATED: it is. */
static enum outcome find_user(struct request *request, char name[ACCOUNT_NAME_MAX + 1])
{
    const struct login_input *input = &request->input.login;
    const struct keyring *keyring = issuer_keyring_now(request->issuer, &request->fault);
    struct fault unready = {""};
    struct text subject;
    json_t *payload;

    if (keyring == NULL) {
        return OUTCOME_FAULT;
    }
    payload = jws_open_any(request->arena, input->bearer, keyring, request->realm->name, &unready);
    if (payload == NULL && unready.text[0] != '\0') {
        request->fault = unready;
        return OUTCOME_FAULT;
    } else if (payload == NULL || json_in_text(payload, "sub", &subject) != JSON_IN_TEXT) {
        return OUTCOME_TOKEN_INVALID;
    } else if (!text_equal(subject, input->username) ||
               !text_copy(subject, name, ACCOUNT_NAME_MAX + 1)) {
        return OUTCOME_WRONG_USER;
    }
    return OUTCOME_ROTATED;
}

static enum outcome check_user(struct request *request, const char *name, struct account *account)
{
    enum outcome outcome;

    switch (store_account_find(request->issuer->store, name, account, &request->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return OUTCOME_ACCOUNT_GONE;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    if (!password_matches(request->input.login.password, account->password, &outcome,
                          &request->fault)) {
        return outcome;
    }
    return account->enabled ? OUTCOME_ROTATED : OUTCOME_ACCOUNT_DISABLED;
}
