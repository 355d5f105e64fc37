/* SPDX-License-Identifier: ISC */
/* session.c: the operation that begins a session for whom the web server has checked. Knows clients
 * and accounts; does not know how either is sent. */
#include "operation/operation.h"

#include "operation/client_auth.h"
#include "operation/issue.h"
#include "operation/remote_user.h"

struct session_state {
    enum outcome outcome;
    bool writes; /* user.write while user.adds, then that of issue */
    struct client_identity client;
    struct remote_user user;
    struct issue issue;
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum outcome check(struct request *request, struct session_state *state);
static enum outcome check_scope(struct request *request, const struct client_identity *identity);
static void issue(struct request *request, struct session_state *state);

const struct operation operation_session = {
    .word = "session", .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct session_state *state = operation_state(request, sizeof *state, sizeof *state);

    if (state == NULL) {
        return false;
    }
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    state->outcome = check(request, state);
    state->writes = state->outcome == OUTCOME_ROTATED;
    if (state->writes && !state->user.adds) {
        issue(request, state);
    }
    return true;
}

static enum outcome check(struct request *request, struct session_state *state)
{
    enum outcome outcome;

    if (!client_auth_check(request, NULL, request->answer.now_ms, &state->client, &outcome) ||
        !client_auth_is_fresh(request, &state->client, request->answer.now_ms, &outcome)) {
        return outcome;
    }
    outcome = check_scope(request, &state->client);
    return outcome == OUTCOME_ROTATED
               ? remote_user_find(request, request->answer.now_ms, &state->user)
               : outcome;
}

/* What issue_begin will say, before an account is added. OUTCOME_ROTATED: it is good. */
static enum outcome check_scope(struct request *request, const struct client_identity *identity)
{
    struct client client = {0};
    struct text scope = request->input.session.scope;
    bool given = scope.size > 0;
    char room[SESSION_SCOPE_MAX];

    if (identity->named && store_client_find(request->issuer->store, identity->id, &client,
                                             &request->fault) == STORE_FAULT) {
        return OUTCOME_FAULT;
    }
    return issue_scope(&client, &request->realm->policy, &given, &scope, room)
               ? OUTCOME_ROTATED
               : OUTCOME_SCOPE_INVALID;
}

static void issue(struct request *request, struct session_state *state)
{
    struct issue_ask ask = {.account = &state->user.account,
                            .client =
                                state->client.named ? text_of(state->client.id) : (struct text){0},
                            .client_proved = state->client.proved,
                            .client_secret = state->client.secret,
                            .proved_by = &state->client,
                            .scope_given = request->input.session.scope.size > 0,
                            .scope = request->input.session.scope,
                            .targets = request->targets,
                            .has_event = true,
                            .event = EVENT_LOGIN,
                            .cause = "remote-user"};

    request->answer.last_login_ms = state->user.account.last_login_ms;
    state->outcome = issue_begin(&state->issue, request, &ask);
    state->writes = state->outcome == OUTCOME_ROTATED;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct session_state *state = request->state;

    *outcome = state->outcome;
    if (!state->writes) {
        return NULL;
    }
    return state->user.adds ? &state->user.write : &state->issue.write;
}

static void written(struct request *request, enum store_result result)
{
    struct session_state *state = request->state;

    if (!state->user.adds) {
        bool taken =
            result == STORE_EXISTS &&
            !client_auth_is_fresh(request, &state->client, request->answer.now_ms, &state->outcome);
        state->writes = !taken && issue_written(&state->issue, result, &state->outcome);
        return;
    }
    state->outcome = remote_user_added(request, result, &state->user);
    state->writes = state->outcome == OUTCOME_ROTATED;
    if (state->writes) {
        issue(request, state);
    }
}
