/* SPDX-License-Identifier: ISC */
/* device_approval.c: the operation behind the page on which a user approves a device (RFC 8628
 * section 3.3), in the name of whom the web server has checked. The user types the code, sees who
 * asks for what, and allows it or denies it: three requests, of which only the last changes
 * anything, and each but the first comes from the form of the one before it. Whoever can guess a
 * code could have somebody's device act for himself, so wrong ones are counted. Knows accounts and
 * sessions; does not know HTML. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "operation/operation.h"
#include "operation/remote_user.h"
#include "token/user_code.h"

/* How long a form may be looked at, and a device that was approved at the last moment has to come.
 */
enum { FORM_LIFETIME_S = 600, COMING_MS = 60 * CLOCK_SECOND };

struct approval {
    enum outcome outcome;
    bool writes; /* user.write while user.adds, then `write` */
    struct remote_user user;
    char code[USER_CODE_SIZE + 1]; /* "" = none was typed that could be one */
    struct store_write write;
    struct session_view view;
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum outcome answer_step(struct request *request, struct approval *approval);
static enum outcome look(struct request *request, struct approval *approval);
static enum outcome find(struct request *request, struct approval *approval);
static enum outcome judge(const struct request *request, const struct session_view *view);
static enum outcome show(struct request *request, const struct approval *approval,
                         struct text client, struct text scope);
static void prepare(struct request *request, struct approval *approval);
static bool make_form(struct request *request, const struct approval *approval, int64_t at_s,
                      const char *code, struct text *form);
static enum outcome check_form(struct request *request, const struct approval *approval,
                               const char *code);

const struct operation operation_device_approval = {
    .word = "device-page", .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    const struct approval_input *input = &request->input.approval;
    struct approval *approval =
        operation_state(request, sizeof *approval, offsetof(struct approval, write));

    if (approval == NULL) {
        return false;
    }
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    if (!user_code_read(input->user_code, approval->code)) {
        approval->code[0] = '\0';
    }
    approval->outcome = remote_user_find(request, request->answer.now_ms, &approval->user);
    if (approval->outcome == OUTCOME_ROTATED) {
        approval->outcome = answer_step(request, approval);
    }
    approval->writes = approval->outcome == OUTCOME_SERVED &&
                       (input->step == APPROVAL_ALLOW || input->step == APPROVAL_DENY);
    if (approval->writes) {
        prepare(request, approval);
    }
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct approval *approval = request->state;

    *outcome = approval->outcome;
    if (!approval->writes) {
        return NULL;
    }
    return approval->user.adds ? &approval->user.write : &approval->write;
}

static void written(struct request *request, enum store_result result)
{
    struct approval *approval = request->state;

    if (approval->user.adds) {
        enum outcome outcome = remote_user_added(request, result, &approval->user);

        approval->writes = outcome == OUTCOME_ROTATED;
        approval->outcome = approval->writes ? OUTCOME_SERVED : outcome;
        if (approval->writes) {
            prepare(request, approval);
        }
        return;
    }
    approval->writes = false;
    switch (result) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE: /* it is over, or another has decided */
        approval->outcome = OUTCOME_USER_CODE_WRONG;
        break;
    case STORE_FAULT:
        approval->outcome = OUTCOME_FAULT;
        break;
    }
}

/* OUTCOME_SERVED: it may be done, or be shown. */
static enum outcome answer_step(struct request *request, struct approval *approval)
{
    enum outcome outcome = OUTCOME_SERVED;

    switch (request->input.approval.step) {
    case APPROVAL_ASK:
        return show(request, approval, (struct text){0}, (struct text){0});
    case APPROVAL_LOOK:
        return look(request, approval);
    case APPROVAL_ALLOW:
    case APPROVAL_DENY:
        outcome = check_form(request, approval, approval->code);
        return outcome == OUTCOME_SERVED ? find(request, approval) : outcome;
    }
    return outcome;
}

/* Only wrong codes are counted: a right one would forget them, and anybody who has a device has one
 * of those. */
static enum outcome look(struct request *request, struct approval *approval)
{
    struct text name = text_of(approval->user.account.name);
    enum outcome outcome = check_form(request, approval, "");

    if (outcome != OUTCOME_SERVED) {
        return outcome;
    }
    request->guess.account = approval->user.account.number;
    if (!guess_begin(request, GUESS_CODE, name, 0, request->answer.now_ms, &outcome)) {
        return outcome;
    }
    outcome = find(request, approval);
    if (outcome == OUTCOME_USER_CODE_WRONG) {
        request->guess.made = GUESS_WRONG;
    }
    return outcome == OUTCOME_SERVED
               ? show(request, approval, text_of(approval->view.session.client),
                      text_of(approval->view.session.scope))
               : outcome;
}

/* OUTCOME_SERVED: approval->view is of a session that waits for this. */
static enum outcome find(struct request *request, struct approval *approval)
{
    uint8_t alias[SESSION_HASH_SIZE];
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;
    enum store_result result;

    if (approval->code[0] == '\0') {
        return OUTCOME_USER_CODE_WRONG;
    } else if (!user_code_alias(request->issuer->secrets, approval->code, alias)) {
        fault_set(&request->fault, "HMAC failed");
        return OUTCOME_FAULT;
    }
    result = store_alias_find(request->issuer->store, alias, id, &generation, &request->fault);
    if (result == STORE_OK) {
        result = store_session_view(request->issuer->store, id, &approval->view, &request->fault);
    }
    switch (result) {
    case STORE_OK:
        return judge(request, &approval->view);
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return OUTCOME_USER_CODE_WRONG;
    case STORE_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

static enum outcome judge(const struct request *request, const struct session_view *view)
{
    const struct session *session = &view->session;
    bool waits = text_equal(text_of(session->realm), text_of(request->realm->name)) &&
                 session->pending == SESSION_PENDING_DEVICE && session->end == SESSION_LIVE &&
                 session->account == 0 && request->answer.now_ms < session->expires_ms &&
                 view->has_client && view->client.enabled;

    return waits ? OUTCOME_SERVED : OUTCOME_USER_CODE_WRONG;
}

/* What the next form is made of. */
static enum outcome show(struct request *request, const struct approval *approval,
                         struct text client, struct text scope)
{
    struct answer *answer = &request->answer;
    bool known = client.size > 0;
    char shown[USER_CODE_SHOWN_SIZE + 1] = "";

    if (approval->code[0] != '\0') {
        user_code_show(approval->code, shown);
    }
    if (known) {
        answer->session_known = true;
        memcpy(answer->session, approval->view.session.id, sizeof answer->session);
    }
    if (make_form(request, approval, answer->now_ms / CLOCK_SECOND, known ? approval->code : "",
                  &answer->form) &&
        arena_copy(request->arena, text_of(shown), &answer->user_code) &&
        arena_copy(request->arena, text_of(approval->user.account.name), &answer->username) &&
        arena_copy(request->arena, client, &answer->client) &&
        arena_copy(request->arena, scope, &answer->scope)) {
        return OUTCOME_SERVED;
    }
    fault_set(&request->fault, "cannot make a form: out of memory or libcrypto failed");
    return OUTCOME_FAULT;
}

static void prepare(struct request *request, struct approval *approval)
{
    const struct session *session = &approval->view.session;
    int64_t now_ms = request->answer.now_ms;
    int64_t expires_ms = now_ms + COMING_MS;

    request->answer.session_known = true;
    memcpy(request->answer.session, session->id, sizeof request->answer.session);
    if (expires_ms < session->expires_ms) {
        expires_ms = session->expires_ms;
    }
    if (request->input.approval.step == APPROVAL_DENY) {
        approval->user.adds = false; /* who has no account needs none to say no */
        store_prepare_end(&approval->write, session->id, SESSION_ENDED_DENIED, now_ms, session,
                          NULL);
    } else {
        store_prepare_approve(&approval->write, session->id, approval->user.account.number, now_ms,
                              expires_ms);
    }
}

/* ---- forms ---- */

/* What a form carries, so that no other page can make a user's browser send one: when it was made,
 * and a MAC of that, of who was shown it, and of the code that was shown; "" = none was. */
static bool make_form(struct request *request, const struct approval *approval, int64_t at_s,
                      const char *code, struct text *form)
{
    uint8_t mac[CRYPTO_HASH_SIZE];
    char about[USER_CODE_SIZE + 32];
    struct buffer buffer;

    snprintf(about, sizeof about, "%s %" PRId64, code, at_s);
    if (!secrets_mark_hash(request->issuer->secrets, "device form",
                           text_of(approval->user.account.name), text_of(about), mac)) {
        return false;
    }
    buffer_start(&buffer, request->arena, 80);
    buffer_add_int(&buffer, at_s);
    buffer_add_char(&buffer, '.');
    buffer_add_base64url(&buffer, mac, sizeof mac);
    return buffer_finish(&buffer, form);
}

/* OUTCOME_SERVED: it is one of ours, of this user and this code, and not old. */
static enum outcome check_form(struct request *request, const struct approval *approval,
                               const char *code)
{
    struct text sent = request->input.approval.form;
    struct text rest = sent;
    int64_t now_s = request->answer.now_ms / CLOCK_SECOND;
    struct text right;
    uint64_t at_s;

    if (!text_to_u64(text_split(&rest, '.'), INT64_MAX, &at_s) || (int64_t)at_s > now_s ||
        now_s - (int64_t)at_s >= FORM_LIFETIME_S) {
        return OUTCOME_FORM_INVALID;
    } else if (!make_form(request, approval, (int64_t)at_s, code, &right)) {
        fault_set(&request->fault, "cannot make a form: out of memory or libcrypto failed");
        return OUTCOME_FAULT;
    }
    return sent.size == right.size && secret_equal(sent.data, right.data, right.size)
               ? OUTCOME_SERVED
               : OUTCOME_FORM_INVALID;
}
