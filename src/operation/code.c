/* SPDX-License-Identifier: ISC */
/* code.c: the operation that exchanges an authorization code for the first tokens of its session
 * (RFC 6749 section 4.1.3, RFC 7636 section 4.6). Whoever is not the right client, or does not know
 * the verifier, spends nothing: the code is as good as before. Of the right client a code is taken
 * once; when it comes again, its session ends. Knows sessions and clients; does not know HTTP. */
#include "operation/code.h"

#include <stddef.h>
#include <string.h>

#include "base/secret.h"
#include "operation/operation.h"
#include "operation/ownership.h"
#include "operation/pending.h"
#include "token/refresh_token.h"

struct code {
    bool decided;
    enum outcome outcome;
    bool writes;
    struct store_write write;
    struct clock_moment now;
    struct client_identity client;
    struct token_ref ref;
    struct session_view view; /* last, because it is large and not zeroed */
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static void decide(struct code *code, enum outcome outcome);
static enum outcome judge(struct request *request, struct code *code);
static enum outcome judge_code(struct request *request, const struct code *code);
static enum outcome judge_proof(struct request *request, const struct session *session);
static void punish(struct request *request, struct code *code);

const struct operation operation_code = {
    .word = "code", .finds_client = true, .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct code *code = operation_state(request, sizeof *code, offsetof(struct code, view));
    enum outcome refusal;
    bool ours;

    if (code == NULL) {
        return false;
    }
    code->now = clock_moment(&request->issuer->clock);
    request->answer.now_ms = code->now.wall_ms;
    ours = refresh_token_code_open(request->issuer->secrets, request->input.code.code,
                                   code->ref.session);
    if (!client_auth_check(request, ours ? &code->ref : NULL, code->now.wall_ms, &code->client,
                           &refusal) ||
        !client_auth_is_fresh(request, &code->client, code->now.wall_ms, &refusal)) {
        decide(code, refusal);
    } else if (!code->client.named) {
        decide(code, OUTCOME_FIELD_MISSING);
    } else if (!ours) {
        decide(code, OUTCOME_TOKEN_INVALID);
    }
    return true;
}

static void decide(struct code *code, enum outcome outcome)
{
    code->outcome = outcome;
    code->decided = true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct code *code = request->state;

    if (!code->decided) {
        decide(code, judge(request, code));
        if (code->outcome == OUTCOME_ROTATED) {
            code->writes = pending_begin(request, &code->view, &code->client, &code->write);
            code->outcome = code->writes ? OUTCOME_ROTATED : OUTCOME_FAULT;
        } else if (code->outcome == OUTCOME_TOKEN_REUSED) {
            punish(request, code);
        }
    }
    *outcome = code->outcome;
    return code->writes ? &code->write : NULL;
}

/* Who loses the race for the code reads that it is spent. No race goes on: each is lost to what
 * cannot be undone. */
static void written(struct request *request, enum store_result result)
{
    struct code *code = request->state;
    enum outcome refusal;

    code->writes = false;
    switch (result) {
    case STORE_OK:
        break;
    case STORE_STALE:
    case STORE_ABSENT:
        code->decided = false;
        break;
    case STORE_EXISTS: /* another request has used the assertion */
        code->decided = client_auth_is_fresh(request, &code->client, code->now.wall_ms, &refusal);
        decide(code, code->decided ? OUTCOME_FAULT : refusal);
        break;
    case STORE_FAULT:
        code->outcome = OUTCOME_FAULT;
        break;
    }
}

/* ---- what is to be said to the code ---- */

/* OUTCOME_ROTATED: the session may begin. */
static enum outcome judge(struct request *request, struct code *code)
{
    const struct session *session = &code->view.session;
    enum outcome refusal;

    switch (store_session_view(request->issuer->store, code->ref.session, &code->view,
                               &request->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return OUTCOME_TOKEN_UNKNOWN;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    request->answer.session_known = true;
    memcpy(request->answer.session, session->id, sizeof request->answer.session);
    if (!text_equal(text_of(session->realm), text_of(request->realm->name))) {
        return OUTCOME_WRONG_REALM;
    } else if (!text_equal(text_of(session->client), text_of(code->client.id))) {
        return OUTCOME_WRONG_CLIENT;
    } else if (!ownership_page_matches(request, &code->view, &refusal)) {
        return refusal;
    }
    return judge_code(request, code);
}

static enum outcome judge_code(struct request *request, const struct code *code)
{
    const struct session_view *view = &code->view;
    const struct session *session = &view->session;

    if (session->end != SESSION_LIVE) {
        return OUTCOME_TOKEN_REVOKED;
    } else if (session->pending == SESSION_BEGUN) {
        return OUTCOME_TOKEN_REUSED;
    } else if (session->pending != SESSION_PENDING_CODE) {
        return OUTCOME_TOKEN_UNKNOWN;
    } else if (code->now.wall_ms >= session->expires_ms) {
        return OUTCOME_TOKEN_EXPIRED;
    } else if (!view->has_account) {
        return OUTCOME_ACCOUNT_GONE;
    } else if (!view->account.enabled) {
        return OUTCOME_ACCOUNT_DISABLED;
    }
    return judge_proof(request, session);
}

/* The redirect URI, where one was sent to begin with, and the source of the challenge. */
static enum outcome judge_proof(struct request *request, const struct session *session)
{
    static const uint8_t none[SESSION_HASH_SIZE];
    const struct code_input *input = &request->input.code;
    uint8_t redirect[SESSION_HASH_SIZE] = {0};
    uint8_t challenge[SESSION_CHALLENGE_SIZE];
    bool sent = !secret_equal(session->redirect, none, sizeof none);

    if ((input->redirect_uri.size > 0 &&
         !code_redirect_hash(request->issuer->secrets, input->redirect_uri, redirect)) ||
        !crypto_sha256(input->verifier.data, input->verifier.size, challenge)) {
        fault_set(&request->fault, "cannot hash a redirect URI or a verifier: libcrypto failed");
        return OUTCOME_FAULT;
    } else if (sent && !secret_equal(redirect, session->redirect, sizeof redirect)) {
        return OUTCOME_WRONG_REDIRECT;
    } else if (!secret_equal(challenge, session->challenge, sizeof challenge)) {
        return OUTCOME_WRONG_VERIFIER;
    }
    return OUTCOME_ROTATED;
}

bool code_redirect_hash(const struct secrets *secrets, struct text uri,
                        uint8_t hash[SESSION_HASH_SIZE])
{
    return secrets_mark_hash(secrets, "redirect URI", uri, (struct text){0}, hash);
}

/* RFC 6749 section 4.1.2: the code is known to more than one, and so may its tokens be. */
static void punish(struct request *request, struct code *code)
{
    const struct session *session = &code->view.session;
    struct policy policy;

    policy_effective(&request->realm->policy, code->view.has_client ? &code->view.client : NULL,
                     &policy);
    struct event event = {.at_ms = code->now.wall_ms,
                          .kind = policy.report_only ? EVENT_REUSE_REPORTED : EVENT_REUSE,
                          .account = session->account,
                          .note = "its authorization code came twice"};

    memcpy(event.session, session->id, sizeof event.session);
    memcpy(event.realm, session->realm, sizeof event.realm);
    memcpy(event.client, session->client, sizeof event.client);
    if (policy.report_only) {
        store_prepare_event(&code->write, &event);
    } else {
        store_prepare_end(&code->write, session->id, SESSION_ENDED_REUSE, code->now.wall_ms, NULL,
                          &event);
    }
    code->writes = true;
}
