/* SPDX-License-Identifier: ISC */
/* explain.c: `retoken explain`: what a token is, whose, and why it would or would not be accepted
 * now. Refresh tokens are explained here, by the same code that decides about requests, so the two
 * cannot differ. Changes nothing and never prints the token. Does not know access tokens
 * (explain_access.c). */
#include "admin/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/prompt.h"
#include "admin/verbs.h"
#include "base/codec.h"
#include "operation/preview.h"
#include "operation/token_ref.h"
#include "token/refresh_token.h"

enum { EVENTS = 100 };

static enum call_end explain(struct call *call, struct text token);
static enum call_end explain_unknown(struct call *call, struct text token);
static enum call_end explain_refresh(struct call *call, struct text token,
                                     const struct token_ref *ref, const struct session_view *grant);
static enum call_end preview_mounts(struct call *call, struct text token, const char *realm,
                                    struct preview *preview, bool *judged);
static void show_preview(struct call *call, const struct mount *mount,
                         const struct preview *preview);
static const char *shape_name(struct text token);
static struct text sentence(struct call *call, const struct preview *preview);
static void add_whose(struct buffer *b, const struct preview *preview);
static void add_renewed(struct buffer *b, const struct preview *preview);
static void add_future(struct buffer *b, const struct preview *preview);

enum call_end explain_run(struct call *call)
{
    enum { TOKEN_MAX = 16 * 1024 };
    const char *argument = call_argument(call, 0);
    struct fault fault = {0};
    size_t size;
    if (argument != NULL && strcmp(argument, "-") != 0) {
        return explain(call, text_trim(text_of(argument)));
    }
    if (prompt_is_terminal()) {
        fputs("token: ", stderr);
    }
    char *token = arena_alloc(call->arena, TOKEN_MAX);
    if (token == NULL || !prompt_line("-", token, TOKEN_MAX, &size, &fault)) {
        return call_wrong(call, "no token: %s", fault.text);
    }
    return explain(call, text_trim((struct text){token, size}));
}

static enum call_end explain(struct call *call, struct text token)
{
    struct token_ref ref;
    struct session_view grant;
    struct fault fault = {0};

    switch (token_ref_locate(&call->service.issuer, token, call->arena, &ref, &fault)) {
    case TOKEN_REF_FOUND:
        break;
    case TOKEN_REF_INVALID:
    case TOKEN_REF_UNKNOWN:
        return explain_unknown(call, token);
    case TOKEN_REF_FAULT:
        return call_fault(call, &fault);
    }
    switch (store_session_view(call->service.store, ref.session, &grant, &fault)) {
    case STORE_OK:
        return explain_refresh(call, token, &ref, &grant);
    case STORE_ABSENT:
        return explain_unknown(call, token);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return call_fault(call, &fault);
}

/* No session belongs to it. */
static enum call_end explain_unknown(struct call *call, struct text token)
{
    struct jws jws;
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;
    const char *says = "not a token: neither a refresh token of this server nor a JWT";

    if (refresh_token_native_open(&call->service.secrets, token, id, &generation)) {
        return explain_only(
            call, "refresh token", outcome_word(OUTCOME_TOKEN_UNKNOWN),
            TEXT("a refresh token of this server whose session is no longer known: it "
                 "ended and was swept, or the store is another one"));
    }
    if (jws_gate(call->arena, token, &jws)) {
        if (jws_open(call->arena, token, call->service.issuer.refresh_jwt) != NULL) {
            return explain_only(
                call, "refresh token", outcome_word(OUTCOME_TOKEN_UNKNOWN),
                TEXT("a JWT-shaped refresh token of this server whose session is no "
                     "longer known: it ended and was swept"));
        }
        return explain_access(call, &jws);
    }
    switch (refresh_token_shape(token)) {
    case REFRESH_SHAPE_NATIVE:
        says = "it has the shape of a refresh token, but its MAC is wrong: damaged, or made under "
               "another master secret";
        break;
    case REFRESH_SHAPE_UUID:
        says = "a UUID that is no refresh token here: its session ended and was swept, or it is "
               "another server's";
        break;
    case REFRESH_SHAPE_JWT:
        says = "it has the shape of a JWT, but is not well-formed: damaged, or with a header that "
               "is never accepted";
        break;
    case REFRESH_SHAPE_NONE:
        break;
    }
    return explain_only(call, "nothing known", outcome_word(OUTCOME_TOKEN_INVALID), text_of(says));
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

static enum call_end explain_refresh(struct call *call, struct text token,
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

    if (call->output.json) {
        json_out_open(out);
        json_out_member(out, "kind", TEXT("refresh token"));
        json_out_key(out, "mounts");
        json_out_array_open(out);
    }
    enum call_end end = preview_mounts(call, token, grant->session.realm, &preview, &judged);
    if (end != CALL_DONE) {
        return end;
    }
    if (!judged) {
        output_say(&call->output, "no mount of this configuration accepts realm %s",
                   grant->session.realm);
    }
    refresh_cells(token, &preview, id, cells);
    output_say(&call->output, "%s", "");
    if (call->output.json) {
        json_out_array_close(out);
        json_out_key(out, "accepted");
        json_out_bool(out, outcome_is_grant(preview.outcome));
        json_out_member(out, "outcome", text_of(outcome_word(preview.outcome)));
        output_members(&call->output, refresh_columns, REFRESH_COLUMNS, cells);
    }
    output_lines(&call->output, refresh_columns, REFRESH_COLUMNS, cells, "  ");
    end = explain_events(call, ref->session);
    if (call->output.json) {
        json_out_close(out);
        output_json_end(&call->output);
    }
    return end;
}

/* What each mount of the session's realm would say; the first one's preview into *preview. */
static enum call_end preview_mounts(struct call *call, struct text token, const char *realm,
                                    struct preview *preview, bool *judged)
{
    const struct config *config = &call->service.config;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];
        struct preview one;
        struct fault fault = {0};

        if (!realm_issues(mount->realm) || strcmp(mount->realm->name, realm) != 0) {
            continue;
        }
        if (preview_token(&call->service.issuer, mount, token, call->arena, &one, &fault) ==
            OUTCOME_FAULT) {
            return call_fault(call, &fault);
        }
        *preview = *judged ? *preview : one;
        *judged = true;
        show_preview(call, mount, &one);
    }
    return CALL_DONE;
}

/* One mount's answer: a member of the "mounts" array, or a line. */
static void show_preview(struct call *call, const struct mount *mount,
                         const struct preview *preview)
{
    struct json_out *out = &call->output.out;
    struct text says = sentence(call, preview);

    if (call->output.json) {
        json_out_open(out);
        json_out_member(out, "mount", text_of(mount->path));
        json_out_key(out, "accepted");
        json_out_bool(out, outcome_is_grant(preview->outcome));
        json_out_member(out, "outcome", text_of(outcome_word(preview->outcome)));
        json_out_member_int(out, "window_left", preview->window_left_ms / CLOCK_SECOND);
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
    if (grant->has_account) {
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
    const struct session *session = &preview->grant.session;
    enum outcome outcome = preview->outcome;

    buffer_add_c(b, "; ");
    if (outcome == OUTCOME_ROTATED) {
        buffer_add_c(b, "it is the current one: presenting it gives new tokens");
    } else if (outcome == OUTCOME_RENEWED) {
        buffer_add_c(b, "presenting it gives a new access token; this mount does not rotate");
    } else if (outcome == OUTCOME_REPLAYED) {
        buffer_add_c(b, "presenting it again gives the same answer ");
        explain_left(b, preview->window_left_ms);
    } else if (outcome == OUTCOME_RECOVERED) {
        buffer_add_c(b, preview->policy.recovery_evidence == RECOVERY_EVIDENCE_CLIENT
                            ? "a client that proves itself gets its successor again "
                            : "presenting it gives its successor again ");
        explain_left(b, preview->window_left_ms);
    } else if (outcome == OUTCOME_TOKEN_REUSED) {
        buffer_add_c(b, preview->policy.report_only
                            ? "presenting it again is refused and reported as reuse"
                            : "presenting it again is refused as reuse and ends the session");
    } else if (outcome == OUTCOME_TOKEN_SPENT) {
        buffer_add_c(b, "presenting it is refused, and the session lives on: when it was spent is "
                        "not known, or the clock has been set back since");
    } else if (outcome == OUTCOME_ROLLED_FORWARD) {
        buffer_add_c(b, "the store has lost history (a restored backup?): presenting it moves the "
                        "session forward to it and gives new tokens");
    } else if (outcome == OUTCOME_TOKEN_EXPIRED) {
        buffer_add_c(b, "refused: its session expired ");
        explain_ago(b, preview->expires_ms, preview->now_ms);
    } else if (outcome == OUTCOME_TOKEN_REVOKED) {
        buffer_addf(b, "refused: its session ended (%s) ", session_end_meaning(session->end));
        explain_ago(b, session->ended_ms, preview->now_ms);
        for (size_t i = 0; i < session->event_count; i++) {
            if (session->events[i].kind == EVENT_RESTORED) {
                buffer_add_c(b, "; an older copy of the store held it as live, and ended.log ended "
                                "it again ");
                explain_ago(b, session->events[i].at_ms, preview->now_ms);
                break;
            }
        }
    } else {
        buffer_addf(b, "refused: %s", outcome_meaning(preview->outcome));
    }
}

/* ---- for both kinds of token ---- */

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

enum call_end explain_events(struct call *call, const uint8_t session[SESSION_ID_SIZE])
{
    struct event *rows = arena_alloc(call->arena, EVENTS * sizeof *rows);
    struct fault fault = {"out of memory"};
    struct json_out *out = &call->output.out;
    size_t count = 0;

    if (rows == NULL ||
        store_event_list(call->service.store, session, rows, EVENTS, &count, &fault) != STORE_OK) {
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

enum call_end explain_only(struct call *call, const char *kind, const char *outcome,
                           struct text says)
{
    struct json_out *out = &call->output.out;

    if (call->output.json) {
        json_out_open(out);
        json_out_member(out, "kind", text_of(kind));
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
