/* SPDX-License-Identifier: ISC */
/* login.c: the operation that begins a session for a user who proves it with the password; where a
 * dialect asks for a token of theirs as well (docs/dialects.md section 2, decision 2), with both. A
 * refresh token is renewed by the refresh operation, which checks user and password too; an access
 * token gives a new session. Knows accounts and tokens; does not know how either is sent. */
#include <string.h>

#include "operation/access_token.h"
#include "operation/client_auth.h"
#include "operation/issue.h"
#include "operation/operation.h"
#include "operation/rehash.h"
#include "operation/token_ref.h"

struct login {
    struct client_identity client;
    struct account account;
    struct issue issue;
    enum outcome outcome;
    bool writes;
    struct store_write *rehash; /* to be made after that; NULL = none */
};

static bool begin(struct request *request);
static bool begin_new(struct request *request);
static bool begin_by_bearer(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static bool renew(struct request *request);
static enum outcome start_session(struct request *request, struct login *login);
static enum outcome check_bearer(struct request *request);
static bool is_recent(const struct request *request, const json_t *payload);
static enum outcome check_user(struct request *request, struct account *account);
static bool find_account(struct request *request, struct account *account);

const struct operation operation_login = {
    .word = "login", .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    return request->input.login.bearer_given ? begin_by_bearer(request) : begin_new(request);
}

static bool begin_new(struct request *request)
{
    struct login *login = operation_state(request, sizeof *login, 0);

    if (login == NULL) {
        return false;
    }
    login->outcome = start_session(request, login);
    login->writes = login->outcome == OUTCOME_ROTATED;
    login->rehash = NULL;
    return true;
}

static bool begin_by_bearer(struct request *request)
{
    struct token_ref ref;

    switch (token_ref_locate(request->issuer, request->input.login.bearer, request->arena, &ref,
                             &request->fault)) {
    case TOKEN_REF_FOUND:
    case TOKEN_REF_UNKNOWN:
        return renew(request);
    case TOKEN_REF_INVALID:
        return begin_new(request);
    case TOKEN_REF_FAULT:
        break;
    }
    return false;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct login *login = request->state;

    *outcome = login->outcome;
    return login->writes ? &login->issue.write : login->rehash;
}

static void written(struct request *request, enum store_result result)
{
    struct login *login = request->state;
    bool taken;

    if (login->rehash != NULL) {
        login->rehash = NULL; /* whatever came of it */
        return;
    }
    taken = result == STORE_EXISTS &&
            !client_auth_is_fresh(request, &login->client, request->answer.now_ms, &login->outcome);
    login->writes = !taken && issue_written(&login->issue, result, &login->outcome);
    if (login->outcome == OUTCOME_ROTATED && !login->writes) {
        login->rehash = rehash_prepare(request, &login->account, request->input.login.password);
    }
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
    const struct login_input *input = &request->input.login;
    struct issue_ask ask = {.account = &login->account,
                            .scope_given = input->scope_given,
                            .scope = input->scope,
                            .targets = request->targets,
                            .has_event = true,
                            .event = EVENT_LOGIN,
                            .cause = "password"};
    enum outcome outcome;

    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    if (!client_auth_check(request, NULL, request->answer.now_ms, &login->client, &outcome) ||
        !client_auth_is_fresh(request, &login->client, request->answer.now_ms, &outcome)) {
        return outcome;
    }
    outcome = input->bearer_given ? check_bearer(request) : OUTCOME_ROTATED;
    if (outcome == OUTCOME_ROTATED) {
        outcome = check_user(request, &login->account);
    }
    ask.client = login->client.named ? text_of(login->client.id) : (struct text){0};
    ask.client_proved = login->client.proved;
    ask.client_secret = login->client.secret;
    ask.proved_by = &login->client;
    if (outcome == OUTCOME_ROTATED) {
        request->answer.last_login_ms = login->account.last_login_ms;
        outcome = issue_begin(&login->issue, request, &ask);
    }
    return outcome;
}

/* Is this an access token of the user that asks? Its signature proves only whose it was.
 * OUTCOME_ROTATED: it is. */
static enum outcome check_bearer(struct request *request)
{
    const struct login_input *input = &request->input.login;
    enum outcome refusal;
    json_t *payload = access_token_open(request, input->bearer, &refusal);
    struct text subject;

    if (payload == NULL) {
        return refusal;
    } else if (json_in_text(payload, "sub", &subject) != JSON_IN_TEXT) {
        return OUTCOME_TOKEN_INVALID;
    } else if (!is_recent(request, payload)) {
        return OUTCOME_TOKEN_EXPIRED;
    }
    return text_equal(subject, input->username) ? OUTCOME_ROTATED : OUTCOME_WRONG_USER;
}

/* It may have expired, but not long ago. One without end counts from when it was issued. */
static bool is_recent(const struct request *request, const json_t *payload)
{
    const json_t *exp = json_object_get(payload, "exp");
    const json_t *from = exp != NULL ? exp : json_object_get(payload, "iat");
    int64_t oldest_s =
        (request->answer.now_ms - request->realm->policy.bearer_max_age_ms) / CLOCK_SECOND;

    return json_is_integer(from) && json_integer_value(from) > oldest_s;
}

/* An account that does not exist takes as long as one that does, and is told the same. */
static enum outcome check_user(struct request *request, struct account *account)
{
    const struct login_input *input = &request->input.login;
    enum outcome outcome;

    if (!find_account(request, account)) {
        return OUTCOME_FAULT;
    }
    request->guess.account = account->number;
    if (!guess_begin(request, input->bearer_given ? GUESS_LOGIN : GUESS_PASSWORD, input->username,
                     0, request->answer.now_ms, &outcome) ||
        !guess_password(request, input->username, input->password, account->password, &outcome)) {
        return outcome;
    }
    return account->enabled ? OUTCOME_ROTATED : OUTCOME_ACCOUNT_DISABLED;
}

/* The account of that name; one without number and password where there is none, as where no
 * account can have the name. False with the fault. */
static bool find_account(struct request *request, struct account *account)
{
    struct text username = request->input.login.username;
    char name[ACCOUNT_NAME_MAX + 1];

    account->number = 0;
    account->password[0] = '\0';
    if (username.size == 0 || !text_copy(username, name, sizeof name)) {
        return true;
    }
    switch (store_account_find(request->issuer->store, name, account, &request->fault)) {
    case STORE_OK:
        return true;
    case STORE_ABSENT:
        account->number = 0;
        account->password[0] = '\0';
        return true;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return false;
}
