/* SPDX-License-Identifier: ISC */
/* explain.c: `retoken explain`: what a token is, whose, and why it would or would not be accepted
 * now. Refresh tokens are explained here, by the same code that decides about requests, so the two
 * cannot differ. Changes nothing and never prints the token. Does not know access tokens
 * (access.c). */
#include "admin/explain/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/explain/paste.h"
#include "admin/explain/story.h"
#include "admin/prompt.h"
#include "admin/verbs/verbs.h"
#include "base/codec.h"
#include "dialect/dialect.h"
#include "operation/preview.h"
#include "operation/token_ref.h"
#include "token/refresh_token.h"

enum { EVENTS = 100 };

static enum call_end explain(struct call *call, struct text pasted);
static bool is_recognised(struct call *call, struct text token);
static bool cut_to_size(struct call *call, struct text *token);
static enum call_end explain_unknown(struct call *call, const struct explained *it);
static enum call_end explain_code(struct call *call, const struct explained *it,
                                  const uint8_t id[SESSION_ID_SIZE]);
static struct text missing_part(struct call *call, struct text token);
static enum call_end explain_refresh(struct call *call, const struct explained *it,
                                     const struct token_ref *ref, const struct session_view *grant);
static enum call_end preview_mounts(struct call *call, struct text token, const char *realm,
                                    struct preview *preview, bool *judged);
static const char *shape_name(struct text token);
static struct text sentence(struct call *call, const struct preview *preview);
static void add_whose(struct buffer *b, const struct preview *preview);
static void add_renewed(struct buffer *b, const struct preview *preview);
static void add_future(struct buffer *b, const struct preview *preview);
static void add_expired(struct buffer *b, const struct preview *preview);
static void add_ended(struct buffer *b, const struct preview *preview);
static enum call_end list_events(struct call *call, const uint8_t session[SESSION_ID_SIZE]);

enum call_end explain_run(struct call *call)
{
    enum { PASTE_MAX = 16 * 1024 };
    const char *argument = call_argument(call, 0);
    struct fault fault = {0};
    size_t size;
    if (argument != NULL && strcmp(argument, "-") != 0) {
        return explain(call, text_of(argument));
    }
    char *pasted = arena_alloc(call->arena, PASTE_MAX);
    bool asks = prompt_is_terminal();
    if (asks) {
        fputs("token: ", stderr);
    }
    if (pasted == NULL || !(asks ? prompt_line("-", pasted, PASTE_MAX, &size, &fault)
                                 : prompt_file("-", pasted, PASTE_MAX, &size, &fault))) {
        return call_wrong(call, "no token: %s", fault.text);
    }
    return explain(call, (struct text){pasted, size});
}

/* Layer after layer, until it is something that we know. */
static enum call_end explain(struct call *call, struct text pasted)
{
    struct explained it = {.token = explain_paste_trim(pasted), .oddity = TEXT("")};
    struct token_ref ref;
    struct session_view grant;
    struct fault fault = {0};
    struct buffer oddity;
    const char *layer;

    if (it.token.size == 0) {
        return call_wrong(call, "no token: the input is empty");
    }
    buffer_start(&oddity, call->arena, EXPLAIN_SENTENCE_MAX);
    while (!is_recognised(call, it.token) &&
           (layer = explain_paste_peel(call->arena, &it.token)) != NULL) {
        buffer_addf(&oddity, "%s%s", oddity.size > 0 ? ", " : "", layer);
    }
    if (!is_recognised(call, it.token) && cut_to_size(call, &it.token)) {
        buffer_addf(&oddity, "%swith something after it", oddity.size > 0 ? ", " : "");
    }
    buffer_finish(&oddity, &it.oddity);
    switch (token_ref_locate(&call->service.issuer, it.token, call->arena, &ref, &fault)) {
    case TOKEN_REF_FOUND:
        break;
    case TOKEN_REF_INVALID:
    case TOKEN_REF_UNKNOWN:
        return explain_unknown(call, &it);
    case TOKEN_REF_FAULT:
        return call_fault(call, &fault);
    }
    switch (store_session_view(call->service.store, ref.session, &grant, &fault)) {
    case STORE_OK:
        return explain_refresh(call, &it, &ref, &grant);
    case STORE_ABSENT:
        return explain_unknown(call, &it);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return call_fault(call, &fault);
}

static bool is_recognised(struct call *call, struct text token)
{
    struct token_ref ref;
    struct jws jws;
    struct fault fault = {0};

    return token_ref_locate(&call->service.issuer, token, call->arena, &ref, &fault) ==
               TOKEN_REF_FOUND ||
           jws_gate(call->arena, token, &jws);
}

/* Ours, and more: what a terminal wrapped or a second paste appended. */
static bool cut_to_size(struct call *call, struct text *token)
{
    static const size_t sizes[] = {REFRESH_TOKEN_NATIVE_SIZE, REFRESH_TOKEN_UUID_SIZE};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (token->size > sizes[i] && is_recognised(call, text_cut(*token, sizes[i]))) {
            token->size = sizes[i];
            return true;
        }
    }
    return false;
}

/* No session belongs to it. */
static enum call_end explain_unknown(struct call *call, const struct explained *it)
{
    struct text token = it->token;
    struct jws jws;
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;
    uint8_t secret;
    struct text says;
    enum call_end end;

    if (refresh_token_native_open(&call->service.secrets, token, id, &generation, &secret)) {
        if (secrets_is_retired(&call->service.secrets, secret)) {
            return explain_only(call, it, "refresh token", outcome_word(OUTCOME_TOKEN_UNKNOWN),
                                TEXT("a refresh token of this server under a master secret that is "
                                     "retired: `retoken secret list` shows which are in force"));
        }
        return explain_only(
            call, it, "refresh token", outcome_word(OUTCOME_TOKEN_UNKNOWN),
            TEXT("a refresh token of this server whose session is no longer known: it "
                 "ended and was swept, or the store is another one"));
    }
    if (refresh_token_code_open(&call->service.secrets, token, id)) {
        return explain_code(call, it, id);
    }
    if (jws_gate(call->arena, token, &jws)) {
        if (token_ref_is_own_jwt(&call->service.issuer, token, call->arena)) {
            return explain_only(call, it, "refresh token", outcome_word(OUTCOME_TOKEN_UNKNOWN),
                                TEXT("a JWT-shaped refresh token of this server whose session is "
                                     "no longer known: it ended and was swept"));
        } else if (explain_adoptable(call, it, &end)) {
            return end;
        }
        return explain_is_assertion(call, &jws) ? explain_assertion(call, it, &jws)
                                                : explain_access(call, it, &jws);
    }
    says = missing_part(call, token);
    return explain_only(call, it, "nothing known", outcome_word(OUTCOME_TOKEN_INVALID), says);
}

/* A code is no token, but it leads to a session. */
static enum call_end explain_code(struct call *call, const struct explained *it,
                                  const uint8_t id[SESSION_ID_SIZE])
{
    struct session_view view;
    struct session *session = &view.session;
    enum outcome outcome = OUTCOME_TOKEN_REUSED;
    struct text says = {0};
    struct fault fault = {0};
    char name[37];
    struct buffer b;

    switch (store_session_view(call->service.store, id, &view, &fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return explain_only(call, it, "code", outcome_word(OUTCOME_TOKEN_UNKNOWN),
                            TEXT("a code of this server whose session is no longer known"));
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return call_fault(call, &fault);
    }
    codec_uuid_format(id, name);
    buffer_start(&b, call->arena, EXPLAIN_SENTENCE_MAX);
    buffer_addf(&b, "the code of session %s: ", name);
    if (session->end != SESSION_LIVE) {
        outcome = OUTCOME_TOKEN_REVOKED;
        buffer_add_c(&b, session_end_meaning(session->end));
    } else if (session->pending == SESSION_BEGUN) {
        buffer_add_c(&b, "it was exchanged, and when it comes again, the session ends");
    } else if (session->expires_ms <= call->now_ms) {
        outcome = OUTCOME_TOKEN_EXPIRED;
        buffer_add_c(&b, "it has not come in time, and is refused");
    } else {
        outcome = OUTCOME_ROTATED;
        buffer_add_c(&b, session_pending_meaning(session->pending));
        buffer_add_c(&b, "; it is good ");
        explain_left(&b, session->expires_ms - call->now_ms);
    }
    buffer_finish(&b, &says);
    return explain_only(call, it, "code", outcome_word(outcome), says);
}

/* What it may have been. */
static struct text missing_part(struct call *call, struct text token)
{
    struct text says = TEXT("not a token: neither a refresh token of this server nor a JWT");
    struct text rest = token;
    size_t dots = 0;
    struct buffer b;

    switch (refresh_token_shape(token)) {
    case REFRESH_SHAPE_NATIVE:
        return TEXT("it has the shape of a refresh token, but its MAC is wrong: damaged, or made "
                    "under another master secret");
    case REFRESH_SHAPE_UUID:
        return TEXT("a UUID that is no refresh token here: its session ended and was swept, or it "
                    "is another server's");
    case REFRESH_SHAPE_JWT:
        return TEXT("it has the shape of a JWT, but is not well-formed: damaged, or with a header "
                    "that is never accepted");
    case REFRESH_SHAPE_NONE:
        break;
    }
    while (text_find(rest, '.') < rest.size) {
        rest = text_from(rest, text_find(rest, '.') + 1);
        dots++;
    }
    buffer_start(&b, call->arena, EXPLAIN_SENTENCE_MAX);
    if (text_starts(token, TEXT("eyJ")) && dots < 2) {
        buffer_add_c(&b, "the beginning of a JWT, whose three parts have dots between them: it "
                         "was cut, look for the rest");
    } else if (dots == 0 && token.size < REFRESH_TOKEN_NATIVE_SIZE && token.size >= 8 &&
               refresh_token_native_begins(&call->service.secrets, token)) {
        buffer_addf(&b,
                    "the beginning of a refresh token of this server: it was cut after %zu "
                    "of %d characters",
                    token.size, REFRESH_TOKEN_NATIVE_SIZE);
    } else {
        buffer_add(&b, says);
    }
    buffer_finish(&b, &says);
    return says;
}

/* ---- refresh tokens ---- */

static const struct column refresh_columns[] = {
    {"spelling", "spelling", COLUMN_TEXT, false},
    {"session", "session", COLUMN_TEXT, false},
    {"account", "account", COLUMN_TEXT, false},
    {"client", "client", COLUMN_TEXT, false},
    {"scope", "scope", COLUMN_TEXT, false},
    {"realm", "realm", COLUMN_TEXT, false},
    {"generation", "generation", COLUMN_NUMBER, false},
    {"current_generation", "current", COLUMN_NUMBER, false},
    {"created", "created", COLUMN_TIME, false},
    {"renewed", "last renewed", COLUMN_TIME, false},
    {"expires", "expires", COLUMN_TIME, false},
    {"ended", "ended", COLUMN_TIME, false},
};
enum { REFRESH_COLUMNS = sizeof refresh_columns / sizeof refresh_columns[0] };

static void refresh_cells(struct text token, const struct preview *preview, char id[37],
                          struct cell cells[REFRESH_COLUMNS])
{
    const struct session *session = &preview->grant.session;
    bool used_later = session->used_ms > session->rotated_ms;

    codec_uuid_format(session->id, id);
    const struct cell row[REFRESH_COLUMNS] = {
        CELL_TEXT(text_of(shape_name(token))),
        CELL_TEXT(text_of(id)),
        CELL_TEXT(text_of(preview->grant.has_account ? preview->grant.account.name : "")),
        CELL_TEXT(text_of(session->client)),
        CELL_TEXT(text_of(session->scope)),
        CELL_TEXT(text_of(session->realm)),
        CELL_NUMBER(preview->generation),
        CELL_NUMBER(session->generation),
        CELL_NUMBER(session->created_ms),
        CELL_NUMBER(used_later ? session->used_ms : session->rotated_ms),
        CELL_NUMBER(preview->expires_ms),
        CELL_NUMBER(session->ended_ms),
    };
    memcpy(cells, row, sizeof row);
}

static const char *shape_name(struct text token)
{
    switch (refresh_token_shape(token)) {
    case REFRESH_SHAPE_NATIVE:
        return "native";
    case REFRESH_SHAPE_UUID:
        return "uuid";
    case REFRESH_SHAPE_JWT:
        return "jwt";
    case REFRESH_SHAPE_NONE:
        break;
    }
    return "imported";
}

static enum call_end explain_refresh(struct call *call, const struct explained *it,
                                     const struct token_ref *ref, const struct session_view *grant)
{
    struct json_out *out = &call->output.out;
    struct preview preview = {.grant = *grant,
                              .session_found = true,
                              .generation = ref->generation,
                              .outcome = OUTCOME_WRONG_REALM,
                              .now_ms = call->now_ms,
                              .expires_ms = grant->session.expires_ms};
    bool judged = false;
    char id[37];
    struct cell cells[REFRESH_COLUMNS];

    explain_begin(call, it, "refresh token");
    if (call->output.json) {
        json_out_key(out, "mounts");
        json_out_array_open(out);
    }
    enum call_end end = preview_mounts(call, it->token, grant->session.realm, &preview, &judged);
    if (end != CALL_DONE) {
        return end;
    }
    if (!judged) {
        output_say(&call->output, "no mount of this configuration accepts realm %s",
                   grant->session.realm);
    }
    refresh_cells(it->token, &preview, id, cells);
    output_say(&call->output, "%s", "");
    if (call->output.json) {
        json_out_array_close(out);
        json_out_key(out, "accepted");
        json_out_bool(out, outcome_is_grant(preview.outcome));
        json_out_member(out, "outcome", text_of(outcome_word(preview.outcome)));
        output_members(&call->output, refresh_columns, REFRESH_COLUMNS, cells);
    }
    output_lines(&call->output, refresh_columns, REFRESH_COLUMNS, cells, "  ");
    end = explain_session(call, &preview.grant);
    if (call->output.json) {
        json_out_close(out);
        output_json_end(&call->output);
    }
    return end;
}

/* What each mount that renews sessions of this realm would say; the first one's preview into
 * *preview. */
static enum call_end preview_mounts(struct call *call, struct text token, const char *realm,
                                    struct preview *preview, bool *judged)
{
    const struct config *config = &call->service.config;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];
        struct preview one;
        struct fault fault = {0};

        if (mount->endpoint->operation != &operation_refresh ||
            strcmp(mount->realm->name, realm) != 0) {
            continue;
        }
        if (preview_token(&call->service.issuer, mount, token,
                          mount->realm->dialect->proves_clients, call->arena, &one,
                          &fault) == OUTCOME_FAULT) {
            return call_fault(call, &fault);
        }
        *preview = *judged ? *preview : one;
        *judged = true;
        explain_mount(call, mount, one.outcome, one.window_left_ms, sentence(call, &one));
    }
    return CALL_DONE;
}

void explain_mount(struct call *call, const struct mount *mount, enum outcome outcome,
                   int64_t window_left_ms, struct text says)
{
    struct json_out *out = &call->output.out;

    if (call->output.json) {
        json_out_open(out);
        json_out_member(out, "mount", text_of(mount->path));
        json_out_key(out, "accepted");
        json_out_bool(out, outcome_is_grant(outcome));
        json_out_member(out, "outcome", text_of(outcome_word(outcome)));
        json_out_member_int(out, "window_left", window_left_ms / CLOCK_SECOND);
        json_out_member(out, "says", says);
        json_out_close(out);
    }
    output_say(&call->output, "%s: %.*s", mount->path, TEXT_ARGS(says));
}

/* ---- what is said of a refresh token ---- */

static struct text sentence(struct call *call, const struct preview *preview)
{
    struct buffer b;
    struct text t = TEXT("(out of memory)");

    buffer_start(&b, call->arena, EXPLAIN_SENTENCE_MAX);
    add_whose(&b, preview);
    add_renewed(&b, preview);
    add_future(&b, preview);
    buffer_finish(&b, &t);
    return t;
}

/* "generation 0 of ada's session on web" */
static void add_whose(struct buffer *b, const struct preview *preview)
{
    const struct session_view *grant = &preview->grant;

    buffer_addf(b, "generation %" PRIu32 " of ", preview->generation);
    if (session_is_clients_own(&grant->session)) {
        buffer_addf(b, "client %s's own session", grant->session.client);
        return;
    } else if (grant->has_account) {
        buffer_addf(b, "%s's session", grant->account.name);
    } else {
        buffer_add_c(b, "a removed account's session");
    }
    if (grant->session.client[0] != '\0') {
        buffer_addf(b, " on %s", grant->session.client);
    }
}

/* "; already renewed once, 12 s ago" */
static void add_renewed(struct buffer *b, const struct preview *preview)
{
    const struct session *session = &preview->grant.session;

    if (preview->generation > session->generation) {
        buffer_addf(b, "; the store is at generation %" PRIu32, session->generation);
        return;
    }
    uint32_t times = session->generation - preview->generation;
    if (times == 1) {
        buffer_add_c(b, "; already renewed once, ");
        explain_ago(b, session->rotated_ms, preview->now_ms);
    } else if (times > 1) {
        buffer_addf(b, "; already renewed %" PRIu32 " times, the last ", times);
        explain_ago(b, session->rotated_ms, preview->now_ms);
    }
}

/* "; presenting it again gives the same answer for 48 s more" */
static void add_future(struct buffer *b, const struct preview *preview)
{
    enum outcome outcome = preview->outcome;

    buffer_add_c(b, "; ");
    if (outcome == OUTCOME_ROTATED) {
        buffer_add_c(b, "it is the current one: presenting it gives new tokens");
    } else if (outcome == OUTCOME_RENEWED) {
        buffer_add_c(b, "presenting it gives a new access token; this mount does not rotate");
    } else if (outcome == OUTCOME_REPLAYED) {
        buffer_add_c(b, "presenting it again gives the same answer ");
        explain_left(b, preview->window_left_ms);
    } else if (outcome == OUTCOME_RECOVERED && preview->window_left_ms == 0) {
        buffer_add_c(b, "who proves the key of its session gets its successor again");
    } else if (outcome == OUTCOME_RECOVERED) {
        buffer_add_c(b, preview->policy.recovery_evidence == RECOVERY_EVIDENCE_CLIENT
                            ? "a client that proves itself gets its successor again "
                            : "presenting it gives its successor again ");
        explain_left(b, preview->window_left_ms);
    } else if (outcome == OUTCOME_TOKEN_REUSED) {
        buffer_add_c(b, preview->policy.report_only
                            ? "presenting it again is refused and reported as reuse"
                            : "presenting it again is refused as reuse and ends the session");
        if (preview->policy.recovery_window_ms != 0 && !preview->client_proves &&
            preview->policy.recovery_evidence == RECOVERY_EVIDENCE_CLIENT) {
            buffer_add_c(b,
                         " (the recovery window is for clients that prove themselves, which this "
                         "one cannot here)");
        }
    } else if (outcome == OUTCOME_TOKEN_SPENT) {
        buffer_add_c(b, "presenting it is refused, and the session lives on: when it was spent is "
                        "not known, or the clock has been set back since");
    } else if (outcome == OUTCOME_ROLLED_FORWARD) {
        buffer_add_c(b, "the store has lost history (a restored backup?): presenting it moves the "
                        "session forward to it and gives new tokens");
    } else if (outcome == OUTCOME_TOKEN_EXPIRED) {
        add_expired(b, preview);
    } else if (outcome == OUTCOME_TOKEN_REVOKED) {
        add_ended(b, preview);
    } else {
        buffer_addf(b, "refused: %s", outcome_meaning(preview->outcome));
    }
}

/* "refused: its session expired at 2026-…, 3 h ago: it was not renewed for 30 d" */
static void add_expired(struct buffer *b, const struct preview *preview)
{
    buffer_add_c(b, "refused: its session expired at ");
    explain_story_expiry(b, &preview->grant.session, &preview->policy, preview->expires_ms,
                         preview->now_ms);
}

/* "refused: its session was revoked by an administrator at 2026-…, 5 min ago" */
static void add_ended(struct buffer *b, const struct preview *preview)
{
    const struct session *session = &preview->grant.session;

    if (session->end == SESSION_LIVE) {
        buffer_add_c(b, "refused: all sessions of its account were ended after it began, by a new "
                        "password or by `retoken session revoke --account`; `retoken events` says "
                        "when");
        return;
    }
    buffer_addf(b, "refused: its session ended (%s) at ", session_end_meaning(session->end));
    explain_at(b, session->ended_ms, preview->now_ms);
    for (size_t i = 0; i < session->event_count; i++) {
        if (session->events[i].kind == EVENT_RESTORED) {
            buffer_add_c(b, "; an older copy of the store held it as live, and ended.log ended "
                            "it again ");
            explain_ago(b, session->events[i].at_ms, preview->now_ms);
            break;
        }
    }
}

/* ---- for both kinds of token ---- */

void explain_at(struct buffer *b, int64_t at_ms, int64_t now_ms)
{
    char at[OUTPUT_TIME_SIZE];

    output_time(at_ms, at);
    buffer_addf(b, "%s, ", at);
    explain_ago(b, at_ms, now_ms);
}

void explain_ago(struct buffer *b, int64_t at_ms, int64_t now_ms)
{
    char relative[OUTPUT_TIME_SIZE];

    output_relative(at_ms, now_ms, relative);
    buffer_add_c(b, relative);
}

void explain_left(struct buffer *b, int64_t left_ms)
{
    char span[OUTPUT_TIME_SIZE];

    output_span(left_ms > 0 ? left_ms : 0, span);
    buffer_addf(b, "for %s more", span);
}

enum call_end explain_session(struct call *call, const struct session_view *view)
{
    enum call_end end;

    output_say(&call->output, "\nits story:");
    end = explain_story(call, view);
    return end == CALL_DONE ? list_events(call, view->session.id) : end;
}

static const struct column event_columns[] = {
    {"at", "at", COLUMN_TIME, false},
    {"event", "event", COLUMN_TEXT, false},
    {"generation", "gen", COLUMN_NUMBER, false},
    {"note", "note", COLUMN_TEXT, false},
    {"meaning", "meaning", COLUMN_TEXT, false},
};
enum { EVENT_COLUMNS = sizeof event_columns / sizeof event_columns[0] };

static void event_cells(const struct event *event, struct cell cells[EVENT_COLUMNS])
{
    const struct cell row[EVENT_COLUMNS] = {
        CELL_NUMBER(event->at_ms),
        CELL_TEXT(text_of(event_word(event->kind))),
        CELL_NUMBER(event->generation),
        CELL_TEXT(text_of(event->note)),
        CELL_TEXT(text_of(event_meaning(event->kind))),
    };

    memcpy(cells, row, sizeof row);
}

static enum call_end list_events(struct call *call, const uint8_t session[SESSION_ID_SIZE])
{
    struct event *rows = arena_alloc(call->arena, EVENTS * sizeof *rows);
    struct fault fault = {"out of memory"};
    struct json_out *out = &call->output.out;
    size_t count = 0;

    if (rows == NULL || store_event_list(call->service.store, session, 0, rows, EVENTS, &count,
                                         &fault) != STORE_OK) {
        return call_fault(call, &fault);
    }
    if (!call->output.json && count > 0) {
        output_say(&call->output, "\nits events:");
        output_table_start(&call->output, event_columns, EVENT_COLUMNS);
    }
    if (call->output.json) {
        json_out_key(out, "events");
        json_out_array_open(out);
    }
    for (size_t i = 0; i < count; i++) {
        struct cell cells[EVENT_COLUMNS];

        event_cells(&rows[i], cells);
        if (call->output.json) {
            json_out_open(out);
            output_members(&call->output, event_columns, EVENT_COLUMNS, cells);
            json_out_close(out);
        } else {
            output_row(&call->output, cells);
        }
    }
    if (call->output.json) {
        json_out_array_close(out);
    } else if (count > 0) {
        output_table_end(&call->output, "");
    }
    return CALL_DONE;
}

void explain_begin(struct call *call, const struct explained *it, const char *kind)
{
    if (call->output.json) {
        json_out_open(&call->output.out);
        json_out_member(&call->output.out, "kind", text_of(kind));
        json_out_member(&call->output.out, "oddity", it->oddity);
    } else if (it->oddity.size > 0) {
        output_say(&call->output,
                   "as it was given it is no token: the token is %.*s; that alone is:\n",
                   TEXT_ARGS(it->oddity));
    }
}

enum call_end explain_only(struct call *call, const struct explained *it, const char *kind,
                           const char *outcome, struct text says)
{
    struct json_out *out = &call->output.out;

    explain_begin(call, it, kind);
    if (call->output.json) {
        json_out_key(out, "accepted");
        json_out_bool(out, false);
        json_out_member(out, "outcome", text_of(outcome));
        json_out_member(out, "says", says);
        json_out_close(out);
        output_json_end(&call->output);
    }
    output_say(&call->output, "%.*s", TEXT_ARGS(says));
    return CALL_REFUSED;
}
