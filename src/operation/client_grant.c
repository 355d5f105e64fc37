/* SPDX-License-Identifier: ISC */
/* client_grant.c: the operation that gives a client a token for itself (RFC 6749 section 4.4): an
 * access token of which nothing is stored, or a session without an account. Knows what a client
 * must have proved and may ask for; does not know how it asks. */
#include <stddef.h>
#include <string.h>

#include "operation/client_auth.h"
#include "operation/issue.h"
#include "operation/operation.h"
#include "operation/possession.h"
#include "token/refresh_token.h"

struct grant {
    struct client_identity identity;
    enum outcome outcome;
    bool writes;
    bool begins_session; /* the write is issue.write */
    struct store_write write;
    /* these are large and not zeroed */
    struct client client;
    struct policy policy; /* in force for it */
    char scope[SESSION_SCOPE_MAX];
    struct session session; /* what a token alone is made from */
    struct issue issue;
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum outcome judge(struct request *request, struct grant *grant);
static enum outcome begin_session(struct request *request, struct grant *grant);
static enum outcome sign_alone(struct request *request, struct grant *grant);
static bool find_client(struct request *request, struct grant *grant);
static bool sign(struct request *request, struct grant *grant, struct text scope);
static void prepare_use(struct request *request, struct grant *grant);

const struct operation operation_client = {
    .word = "client-grant", .names_client = true, .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct grant *grant = operation_state(request, sizeof *grant, offsetof(struct grant, client));

    if (grant == NULL) {
        return false;
    }
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    grant->outcome = judge(request, grant);
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct grant *grant = request->state;

    *outcome = grant->outcome;
    if (!grant->writes) {
        return NULL;
    }
    return grant->begins_session ? &grant->issue.write : &grant->write;
}

static void written(struct request *request, enum store_result result)
{
    struct grant *grant = request->state;
    bool taken =
        result == STORE_EXISTS &&
        !client_auth_is_fresh(request, &grant->identity, request->answer.now_ms, &grant->outcome);

    grant->writes = false;
    if (taken) {
        return; /* another request has used the assertion */
    } else if (grant->begins_session) {
        grant->writes = issue_written(&grant->issue, result, &grant->outcome);
        return;
    }
    switch (result) {
    case STORE_OK:
        return;
    case STORE_STALE:
        request->answer.refusal = CLIENT_REFUSED_DISABLED;
        grant->outcome = OUTCOME_CLIENT_UNAUTHORIZED;
        return;
    case STORE_EXISTS: /* and is over by now */
        fault_set(&request->fault, "the mark of an assertion was there, and is not any more");
        grant->outcome = OUTCOME_FAULT;
        return;
    case STORE_ABSENT:
    case STORE_FAULT:
        grant->outcome = OUTCOME_FAULT;
        return;
    }
}

/* Only who proves to be the client gets anything in its name. */
static enum outcome judge(struct request *request, struct grant *grant)
{
    int64_t now_ms = request->answer.now_ms;
    enum outcome refusal = OUTCOME_CLIENT_AUTH_FAILED;

    if (!client_auth_may_prove(request)) {
        request->answer.refusal = CLIENT_REFUSED_NO_PROOF;
    } else if (client_auth_check(request, NULL, now_ms, &grant->identity, &refusal)) {
        if (!grant->identity.proved) {
            request->answer.refusal = CLIENT_REFUSED_NO_PROOF;
            return OUTCOME_CLIENT_AUTH_FAILED;
        } else if (client_auth_is_fresh(request, &grant->identity, now_ms, &refusal)) {
            return request->input.client.begins_session ? begin_session(request, grant)
                                                        : sign_alone(request, grant);
        }
    }
    return refusal;
}

/* Where clients of this dialect do not identify themselves to renew it, its token alone does. */
static enum outcome begin_session(struct request *request, struct grant *grant)
{
    const struct client_input *input = &request->input.client;
    const struct client_identity *identity = &grant->identity;
    const struct issue_ask ask = {.client = text_of(identity->id),
                                  .client_proved = request->client.bound,
                                  .client_secret = identity->secret,
                                  .proved_by = identity,
                                  .scope_given = input->scope_given,
                                  .scope = input->scope,
                                  .targets = request->targets,
                                  .has_event = true,
                                  .event = EVENT_LOGIN,
                                  .cause = "client"};
    enum outcome outcome = issue_begin(&grant->issue, request, &ask);

    grant->begins_session = true;
    grant->writes = outcome == OUTCOME_ROTATED;
    return outcome;
}

static enum outcome sign_alone(struct request *request, struct grant *grant)
{
    const struct client_input *input = &request->input.client;
    struct text scope = input->scope;
    bool given = input->scope_given;
    enum outcome refusal;

    if (!find_client(request, grant)) {
        return OUTCOME_FAULT;
    }
    policy_effective(&request->realm->policy, &grant->client, &grant->policy);
    if (!possession_suffices(request, &grant->policy, &refusal)) {
        return refusal;
    } else if (!issue_scope(&grant->client, &grant->policy, &given, &scope, grant->scope)) {
        request->answer.granted = text_of(grant->client.scope);
        return OUTCOME_SCOPE_INVALID;
    } else if (!sign(request, grant, scope)) {
        return OUTCOME_FAULT;
    }
    request->answer.scope_narrowed = !text_equal(scope, input->scope);
    prepare_use(request, grant);
    return OUTCOME_RENEWED;
}

static bool find_client(struct request *request, struct grant *grant)
{
    switch (store_client_find(request->issuer->store, grant->identity.id, &grant->client,
                              &request->fault)) {
    case STORE_OK:
        return true;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        fault_set(&request->fault, "client %s was removed meanwhile", grant->identity.id);
        return false;
    case STORE_FAULT:
        break;
    }
    return false;
}

/* Its jti comes from an identifier that no session has. */
static bool sign(struct request *request, struct grant *grant, struct text scope)
{
    struct session *session = &grant->session;
    struct access_token token = {.policy = &grant->policy,
                                 .session = session,
                                 .issued_at_s = request->answer.now_ms / CLOCK_SECOND,
                                 .scope = scope,
                                 .alone = true};

    memset(session, 0, sizeof *session);
    if (!session_id_make(&request->issuer->randomness, request->answer.now_ms, session->id)) {
        fault_set(&request->fault, "no randomness");
        return false;
    }
    memcpy(session->client, grant->client.id, sizeof session->client);
    return store_keyring_version(request->issuer->store, &token.keyring_version, &request->fault) ==
               STORE_OK &&
           issue_access_token(request, &token);
}

/* An assertion is used up; when a secret was used is noted now and then. */
static void prepare_use(struct request *request, struct grant *grant)
{
    const struct client_identity *identity = &grant->identity;
    const struct client_secret *secret = client_secret_find(&grant->client, identity->secret);

    grant->writes = identity->once_count > 0 || client_use_due(secret, request->answer.now_ms);
    store_prepare_client_use(&grant->write, &grant->client, identity->secret,
                             request->answer.now_ms);
    client_auth_attach(identity, &grant->write);
}
