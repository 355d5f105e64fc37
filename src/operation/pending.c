/* SPDX-License-Identifier: ISC */
/* pending.c: see pending.h. */
#include "operation/pending.h"

#include <string.h>

#include "operation/decision.h"
#include "operation/issue.h"
#include "operation/operation.h"
#include "operation/possession.h"
#include "operation/request_event.h"
#include "token/refresh_token.h"

static bool make_tokens(struct request *request, const struct session_view *view,
                        const struct policy *policy, struct store_rotation *rotation);
static void attach(const struct request *request, const struct session *session,
                   const struct client_identity *client, struct store_write *write);

bool pending_start(struct request *request, enum session_pending kind, const struct client *client,
                   int64_t now_ms, int64_t lifetime_ms, struct session *session)
{
    memset(session, 0, sizeof *session);
    session->pending = kind;
    session->created_ms = now_ms;
    session->rotated_ms = now_ms;
    session->used_ms = now_ms;
    session->expires_ms = now_ms + lifetime_ms;
    session->client_number = client->number;
    session->secret = secrets_current(request->issuer->secrets, now_ms);
    memcpy(session->client, client->id, sizeof session->client);
    memcpy(session->realm, request->realm->name, sizeof session->realm);
    if (session_id_make(&request->issuer->randomness, now_ms, session->id) &&
        text_copy(request->targets, session->targets, sizeof session->targets)) {
        return true;
    }
    fault_set(&request->fault, "cannot start a session: no randomness, or audiences are too long");
    return false;
}

bool pending_code(struct request *request, const struct session *session, struct text *code)
{
    char spelled[REFRESH_TOKEN_NATIVE_SIZE + 1];

    if (refresh_token_code(request->issuer->secrets, session->secret, session->id, spelled) &&
        arena_copy(request->arena, text_of(spelled), code)) {
        return true;
    }
    fault_set(&request->fault, "cannot make a code: out of memory or libcrypto failed");
    return false;
}

bool pending_begin(struct request *request, const struct session_view *view,
                   const struct client_identity *client, struct store_write *write)
{
    const struct session *session = &view->session;
    int64_t now_ms = request->answer.now_ms;
    struct store_rotation rotation = {.to = 1,
                                      .now_ms = now_ms,
                                      .client_secret = client->secret,
                                      .begins = session->pending,
                                      .client_proved = client->proved};
    struct policy policy;

    policy_effective(&request->realm->policy, view->has_client ? &view->client : NULL, &policy);
    memcpy(rotation.id, session->id, sizeof rotation.id);
    possession_bind(request, client->proved, &rotation.key_kind, rotation.key);
    rotation.window_ms = policy.concurrency_window_ms;
    rotation.expires_ms = decision_next_expiry_ms(&policy, session->created_ms,
                                                  decision_last_use_ms(session, now_ms));
    if (!operation_network(request, session->id, rotation.network) ||
        !make_tokens(request, view, &policy, &rotation)) {
        return false;
    }
    request->answer.session_expires_ms = rotation.expires_ms;
    request->answer.session_ends_ms = decision_ends_ms(&policy, session);
    request->answer.scope_narrowed = session->scope_given; /* perhaps not what was asked for */
    store_prepare_rotate(write, &rotation);
    attach(request, session, client, write);
    return true;
}

static bool make_tokens(struct request *request, const struct session_view *view,
                        const struct policy *policy, struct store_rotation *rotation)
{
    const struct session *session = &view->session;
    struct access_token token = {.policy = policy,
                                 .session = session,
                                 .account = &view->account,
                                 .keyring_version = view->keyring_version,
                                 .generation = rotation->to,
                                 .issued_at_s = rotation->now_ms / CLOCK_SECOND,
                                 .scope = text_of(session->scope)};

    rotation->secret =
        token_ref_next_secret(request->issuer, policy->format, session, rotation->now_ms);
    if (!issue_access_token(request, &token) ||
        !token_ref_mint(request->issuer, policy->format, rotation->secret, session->id,
                        rotation->to, request->arena, &request->answer.refresh_token,
                        &request->fault)) {
        return false;
    } else if (policy->format != REFRESH_FORMAT_UUID) {
        return true;
    }
    rotation->has_alias = refresh_token_uuid_alias(request->issuer->secrets, rotation->secret,
                                                   session->id, rotation->to, rotation->alias);
    if (!rotation->has_alias) {
        fault_set(&request->fault, "cannot derive an alias");
    }
    return rotation->has_alias;
}

/* In the same commit. */
static void attach(const struct request *request, const struct session *session,
                   const struct client_identity *client, struct store_write *write)
{
    struct event event;

    request_event_of_session(&event, EVENT_LOGIN, request, session, 0, request->answer.now_ms);
    event_set_cause(&event, request->possession.browser_proved         ? "browser"
                            : session->pending == SESSION_PENDING_CODE ? "code"
                                                                       : "device");
    store_attach_event(write, &event);
    client_auth_attach(client, write);
}
