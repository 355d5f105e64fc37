/* SPDX-License-Identifier: ISC */
/* hook.c: see hook.h.
 *
 * An answer is remembered twice. By what was asked (account, client, scope, realm, and the account
 * as it is), for `cache` and, where the hook does not answer, for `last-for`. And by session and
 * generation, for the concurrency window: so a request that is repeated gets the same claims. Other
 * processes know neither: there the hook is asked again, and where it then says something else, the
 * token has another `jti`. */
#include "operation/hook.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "operation/hook_cache.h"
#include "operation/request_event.h"

/* One event for so many faults of a hook as there are in that time. */
enum { FAULT_EVENT_MS = CLOCK_MINUTE };

struct hooks {
    const struct hook_settings *settings;
    size_t count;
    hook_post *post;
    void *self;
    struct hook_cache *cache;
    struct hook_state {
        atomic_uint calls;       /* under way */
        _Atomic int64_t told_ms; /* of its last fault */
    } states[];
};

/* One question on its way. */
struct asking {
    struct request *request;
    const struct hook_question *question;
    const struct hook_settings *hook;
    struct hooks *hooks;
    int64_t now_ms;
    struct text body;
    struct hook_key asked; /* who and what, of whatever session */
    struct hook_key said;  /* in this generation of this session */
};

static bool prepare(struct asking *asking);
static bool find_answer(struct asking *asking, struct text *text, enum outcome *outcome);
static bool look(const struct asking *asking, const struct hook_key *key, int64_t age_ms,
                 struct text *text, int64_t *given_ms);
static bool call(struct asking *asking, struct text *text, enum outcome *outcome);
static struct hook_state *state_of(const struct asking *asking);
static bool fall_back(struct asking *asking, struct text *text);
static void note(struct asking *asking, enum event_kind kind);
static bool take(struct asking *asking, struct text text, enum outcome *outcome);
static bool agree(struct asking *asking, enum outcome *outcome);

struct hooks *hook_open(const struct hook_settings *settings, size_t count,
                        const struct randomness *randomness, hook_post *post, void *self)
{
    struct hooks *hooks = calloc(1, sizeof *hooks + count * sizeof hooks->states[0]);

    if (hooks == NULL || (hooks->cache = hook_cache_open(randomness)) == NULL) {
        free(hooks);
        return NULL;
    }
    hooks->settings = settings;
    hooks->count = count;
    hooks->post = post;
    hooks->self = self;
    return hooks;
}

void hook_close(struct hooks *hooks)
{
    if (hooks != NULL) {
        hook_cache_close(hooks->cache);
        free(hooks);
    }
}

bool hook_may_wait(const struct request *request)
{
    return request->realm->hook != NULL && !request->hook.asked;
}

bool hook_ask(struct request *request, const struct hook_question *question, enum outcome *outcome)
{
    struct asking asking = {.request = request,
                            .question = question,
                            .hook = request->realm->hook,
                            .hooks = request->issuer->hooks,
                            .now_ms = request->answer.now_ms};
    struct text text;

    if (asking.hook == NULL || question->account == NULL) {
        return true;
    }
    *outcome = OUTCOME_FAULT;
    return prepare(&asking) && find_answer(&asking, &text, outcome) &&
           take(&asking, text, outcome) && agree(&asking, outcome);
}

/* ---- what is asked ---- */

static void add_words(struct json_out *out, struct text words);
static bool add_claims(struct asking *asking, struct json_out *out);

/* The members of the session come last: the answer is not remembered by them. */
static bool prepare(struct asking *asking)
{
    const struct hook_question *question = asking->question;
    const struct account *account = question->account;
    const struct session *session = question->session;
    struct request *request = asking->request;
    struct buffer buffer;
    struct text asked, said;
    char id[37];

    codec_uuid_format(session->id, id);
    buffer_start(&buffer, request->arena, 1024);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "hook", text_of(asking->hook->name));
    json_out_member(&out, "realm", text_of(session->realm));
    json_out_member(&out, "account", text_of(account->name));
    json_out_member(&out, "subject", account_subject(account));
    json_out_member_int(&out, "number", (int64_t)account->number);
    json_out_member(&out, "client", text_of(session->client));
    json_out_member(&out, "scope", question->scope);
    json_out_key(&out, "roles");
    add_words(&out, text_of(account->roles));
    if (!add_claims(asking, &out)) {
        return false;
    }
    asked = buffer_text(&buffer);
    bool named = !buffer.failed && hook_cache_key(asking->hooks->cache, asked, &asking->asked);
    json_out_member(&out, "session", text_of(id));
    json_out_member_int(&out, "generation", question->generation);
    json_out_close(&out);
    if (!named || !buffer_finish(&buffer, &asking->body)) {
        fault_set(&request->fault, "hook %s: out of memory or libcrypto failed",
                  asking->hook->name);
        return false;
    }
    buffer_start(&buffer, request->arena, 128);
    buffer_addf(&buffer, "%s %s %" PRIu32, asking->hook->name, id, question->generation);
    return buffer_finish(&buffer, &said) &&
           hook_cache_key(asking->hooks->cache, said, &asking->said);
}

static void add_words(struct json_out *out, struct text words)
{
    struct text word;

    json_out_array_open(out);
    while ((word = text_word(&words)).size > 0) {
        json_out_text(out, word);
    }
    json_out_array_close(out);
}

static bool add_claims(struct asking *asking, struct json_out *out)
{
    const struct account *account = asking->question->account;
    struct request *request = asking->request;
    const json_t *claims;

    json_out_key(out, "claims");
    if (account->claims[0] == '\0') {
        json_out_open(out);
        json_out_close(out);
        return true;
    }
    claims = json_in_object(request->arena, text_of(account->claims), &request->fault);
    if (claims == NULL) {
        fault_prefix(&request->fault, "claims of account %s", account->name);
        return false;
    }
    json_out_value(out, claims);
    return true;
}

/* ---- who answers ---- */

static bool find_answer(struct asking *asking, struct text *text, enum outcome *outcome)
{
    struct request *request = asking->request;
    int64_t given_ms;

    if (asking->question->again_ms > 0 &&
        look(asking, &asking->said, asking->question->again_ms, text, &given_ms)) {
        return true;
    } else if (request->hook.asked) {
        *text = request->hook.text;
        return true;
    } else if (asking->hook->cache_ms > 0 &&
               look(asking, &asking->asked, asking->hook->cache_ms, text, &given_ms)) {
        return true;
    }
    return call(asking, text, outcome) || fall_back(asking, text);
}

static bool look(const struct asking *asking, const struct hook_key *key, int64_t age_ms,
                 struct text *text, int64_t *given_ms)
{
    return hook_cache_find(asking->hooks->cache, key, asking->now_ms, age_ms,
                           asking->request->arena, text, given_ms);
}

/* An answer that is none is not remembered. */
static bool call(struct asking *asking, struct text *text, enum outcome *outcome)
{
    const struct hook_settings *hook = asking->hook;
    struct hooks *hooks = asking->hooks;
    struct request *request = asking->request;
    atomic_uint *calls = &state_of(asking)->calls;
    struct hook_answer answer;
    bool answered = false;

    if (atomic_fetch_add(calls, 1) >= hook->calls) {
        *outcome = OUTCOME_BUSY;
        fault_set(&request->fault, "hook %s: %" PRIu64 " calls are under way, which is the most",
                  hook->name, hook->calls);
    } else {
        *outcome = OUTCOME_FAULT;
        if (store_pending(request->issuer->store) != STORE_NOTHING) {
            store_flush(request->issuer->store);
        }
        answered =
            hooks->post(hooks->self, hook, asking->body, request->arena, text, &request->fault);
        if (!answered) {
            fault_prefix(&request->fault, "hook %s", hook->name);
        } else if (!hook_answer_read(request->arena, *text, &answer, &request->fault)) {
            answered = false;
            fault_prefix(&request->fault, "hook %s: its answer", hook->name);
        }
    }
    atomic_fetch_sub(calls, 1);
    if (answered) {
        hook_cache_put(hooks->cache, &asking->asked, asking->now_ms, *text);
    }
    return answered;
}

static struct hook_state *state_of(const struct asking *asking)
{
    return &asking->hooks->states[asking->hook - asking->hooks->settings];
}

/* The fault stays, and says so. */
static bool fall_back(struct asking *asking, struct text *text)
{
    struct fault *fault = &asking->request->fault;
    struct fault why = *fault;
    _Atomic int64_t *told_ms = &state_of(asking)->told_ms;
    int64_t before_ms = atomic_load(told_ms), given_ms;

    if (asking->now_ms - before_ms >= FAULT_EVENT_MS &&
        atomic_compare_exchange_strong(told_ms, &before_ms, asking->now_ms)) {
        note(asking, EVENT_HOOK_FAULT);
    }
    if (asking->hook->on_fault != HOOK_ON_FAULT_LAST ||
        !look(asking, &asking->asked, asking->hook->last_for_ms, text, &given_ms)) {
        return false;
    }
    fault_set(fault, "%s; its answer of %" PRId64 " s ago holds", why.text,
              (asking->now_ms - given_ms) / CLOCK_SECOND);
    return true;
}

/* ---- what it says ---- */

static bool take(struct asking *asking, struct text text, enum outcome *outcome)
{
    struct request *request = asking->request;

    if (!hook_answer_read(request->arena, text, &request->hook, &request->fault)) {
        *outcome = OUTCOME_FAULT;
        return false;
    }
    *outcome = OUTCOME_ACCOUNT_REFUSED;
    if (request->hook.refused) {
        note(asking, EVENT_HOOK_REFUSED);
    }
    return !request->hook.refused;
}

/* Two requests with one token at a time may have asked twice. */
static bool agree(struct asking *asking, enum outcome *outcome)
{
    struct request *request = asking->request;
    struct text text = request->hook.text;

    if (asking->question->again_ms == 0) {
        return true;
    }
    hook_cache_agree(asking->hooks->cache, &asking->said, asking->now_ms,
                     asking->question->again_ms, request->arena, &text);
    return text_equal(text, request->hook.text) || take(asking, text, outcome);
}

/* ---- what an operator finds of it ---- */

static void note(struct asking *asking, enum event_kind kind)
{
    asking->request->hook_event = (struct hook_event){.due = true,
                                                      .kind = kind,
                                                      .account = asking->question->account->number,
                                                      .hook = asking->hook->name};
}

struct store_write *hook_settle(struct request *request)
{
    struct hook_event *due = &request->hook_event;
    struct store_write *write;
    struct event event;

    if (!due->due || (write = arena_alloc(request->arena, sizeof *write)) == NULL) {
        return NULL;
    }
    due->due = false;
    due->under_way = true;
    request_event(&event, due->kind, request, request->answer.now_ms);
    event.account = due->account;
    event_set_cause(&event, due->hook);
    (void)snprintf(event.note, sizeof event.note, "%.*s",
                   TEXT_ARGS(due->kind == EVENT_HOOK_REFUSED ? request->hook.reason
                                                             : text_of(request->fault.text)));
    store_prepare_event(write, &event);
    return write;
}

void hook_settled(struct request *request)
{
    request->hook_event.under_way = false;
}
