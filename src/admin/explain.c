/* SPDX-License-Identifier: ISC */
/* explain.c: `retoken explain`: what a token is, whose, and why it would or would not be accepted
 * now. Asks the same code that decides about requests, so it cannot say anything else. Knows how to
 * word a preview; changes nothing and never prints the token. */
#include "admin/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/prompt.h"
#include "admin/key_need.h"
#include "base/codec.h"
#include "operation/preview.h"
#include "operation/token_ref.h"
#include "token/jws.h"
#include "token/layout.h"
#include "token/refresh_token.h"

enum { EVENTS = 100, SENTENCE_MAX = 512 };

/* ---- sentences ---- */

static void add_ago(struct buffer *b, int64_t at_ms, int64_t now_ms)
{
    char relative[OUTPUT_TIME_SIZE];

    output_relative(at_ms, now_ms, relative);
    buffer_add_c(b, relative);
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
        buffer_addf(b, "; the store knows generation %" PRIu32 " only", session->generation);
        return;
    }
    uint32_t times = session->generation - preview->generation;
    if (times == 1) {
        buffer_add_c(b, "; already renewed once, ");
        add_ago(b, session->rotated_ms, preview->now_ms);
    } else if (times > 1) {
        buffer_addf(b, "; already renewed %" PRIu32 " times, the last ", times);
        add_ago(b, session->rotated_ms, preview->now_ms);
    }
}

/* "48 s more" of a window that is open at least until the next second */
static void add_left(struct buffer *b, int64_t left_ms)
{
    char span[OUTPUT_TIME_SIZE];

    output_span(left_ms > 0 ? left_ms : 0, span);
    buffer_addf(b, "for %s more", span);
}

/* "; presenting it again gives the same answer for 48 s more" */
static void add_future(struct buffer *b, const struct preview *preview)
{
    const struct session *session = &preview->grant.session;

    buffer_add_c(b, "; ");
    switch ((int)preview->outcome) { /* of many outcomes only these need words of their own */
    case OUTCOME_ROTATED:
        buffer_add_c(b, "it is the current one: presenting it gives new tokens");
        break;
    case OUTCOME_RENEWED:
        buffer_add_c(b, "presenting it gives a new access token; this mount does not rotate");
        break;
    case OUTCOME_REPLAYED:
        buffer_add_c(b, "presenting it again gives the same answer ");
        add_left(b, preview->window_left_ms);
        break;
    case OUTCOME_RECOVERED:
        buffer_add_c(b, preview->policy.recovery_evidence == RECOVERY_EVIDENCE_CLIENT
                            ? "a client that proves itself gets its successor again "
                            : "presenting it gives its successor again ");
        add_left(b, preview->window_left_ms);
        break;
    case OUTCOME_TOKEN_REUSED:
        buffer_add_c(b, preview->policy.report_only
                            ? "presenting it again is refused and reported as reuse"
                            : "presenting it again is refused as reuse and ends the session");
        break;
    case OUTCOME_TOKEN_SPENT:
        buffer_add_c(b, "presenting it is refused, and the session lives on: when it was spent is "
                        "not known, or the clock has been set back since");
        break;
    case OUTCOME_ROLLED_FORWARD:
        buffer_add_c(b, "the store has lost history (a restored backup?): presenting it moves the "
                        "session forward to it and gives new tokens");
        break;
    case OUTCOME_TOKEN_EXPIRED:
        buffer_add_c(b, "refused: its session expired ");
        add_ago(b, preview->expires_ms, preview->now_ms);
        break;
    case OUTCOME_TOKEN_REVOKED:
        buffer_addf(b, "refused: its session ended (%s) ", session_end_meaning(session->end));
        add_ago(b, session->ended_ms, preview->now_ms);
        break;
    default:
        buffer_addf(b, "refused: %s", outcome_meaning(preview->outcome));
        break;
    }
}

static struct text sentence(struct call *call, const struct preview *preview)
{
    struct buffer b;
    struct text t = TEXT("(out of memory)");

    buffer_start(&b, call->arena, SENTENCE_MAX);
    add_whose(&b, preview);
    add_renewed(&b, preview);
    add_future(&b, preview);
    buffer_finish(&b, &t);
    return t;
}

/* ---- what both kinds of token show ---- */

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

/* The session's events: `"events":[…]` inside an open JSON object, or a table. */
static enum call_end show_events(struct call *call, const uint8_t session[SESSION_ID_SIZE])
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

/* Nothing more can be said than one sentence. */
static enum call_end show_only(struct call *call, const char *kind, const char *outcome,
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
    end = show_events(call, ref->session);
    if (call->output.json) {
        json_out_close(out);
        output_json_end(&call->output);
    }
    return end;
}

/* ---- access tokens ---- */

/* The key whose signature it bears: of the store, retired ones too. *faulty: one could not be read.
 */
static const struct signing_row *signed_by(struct call *call, const struct jws *jws,
                                           struct fault *fault, bool *faulty)
{
    struct signing_row *rows = arena_alloc(call->arena, KEY_NEED_ROWS_MAX * sizeof *rows);
    size_t count = 0;

    *faulty = true;
    if (rows == NULL || store_key_list(call->service.store, true, rows, KEY_NEED_ROWS_MAX, &count,
                                       fault) != STORE_OK) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!text_is(jws->algorithm, signing_algorithm_name(rows[i].algorithm)) ||
            (jws->kid.size > 0 && !text_is(jws->kid, rows[i].kid))) {
            continue;
        }
        struct signing_key *key = signing_key_unseal(&rows[i], &call->service.secrets, fault);
        if (key == NULL) {
            return NULL;
        }
        bool right =
            signing_key_verify(key, jws->signing_input, jws->signature, jws->signature_size);
        signing_key_close(key);
        if (right) {
            *faulty = false;
            return &rows[i];
        }
    }
    *faulty = false;
    return NULL;
}

static bool is_printable(struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        if (t.data[i] < ' ' || t.data[i] > '~') {
            return false;
        }
    }
    return true;
}

/* A member as text: strings as they are, anything else as JSON; empty when absent. */
static struct text claim(struct call *call, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    struct text t = {0};
    struct buffer b;

    if (json_is_string(value)) {
        t = (struct text){json_string_value(value), json_string_length(value)};
        if (call->output.json || is_printable(t)) {
            return t;
        }
    }
    if (value != NULL) {
        /* escaped to ASCII: it may come from anybody, and a terminal obeys what it is shown */
        buffer_start(&b, call->arena, 64);
        struct json_out out = json_out_start(&b, JSON_STYLE_ASCII);
        json_out_value(&out, value);
        buffer_finish(&b, &t);
    }
    return t;
}

/* A NumericDate in ms; 0 when absent or unusable. */
static int64_t claim_time(const json_t *payload, const char *name)
{
    const json_t *value = json_object_get(payload, name);
    int64_t s = json_is_integer(value) ? (int64_t)json_integer_value(value) : 0;

    return s > 0 && s < INT64_MAX / CLOCK_SECOND ? s * CLOCK_SECOND : 0;
}

/* The session the token names, where its layout names one. */
static bool session_of(struct call *call, const json_t *payload, struct session_view *grant)
{
    const struct config *config = &call->service.config;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];
        const char *name =
            realm_issues(mount->realm) ? mount->realm->policy.layout->session_claim : NULL;
        struct text spelled;
        uint8_t id[SESSION_ID_SIZE];

        if (name != NULL && json_in_text(payload, name, &spelled) == JSON_IN_TEXT &&
            codec_uuid_parse(spelled, id)) {
            return store_session_view(call->service.store, id, grant, NULL) == STORE_OK;
        }
    }
    return false;
}

static const struct column access_columns[] = {
    {"subject", "subject", COLUMN_TEXT, false},     {"issuer", "issuer", COLUMN_TEXT, false},
    {"audience", "audience", COLUMN_TEXT, false},   {"scope", "scope", COLUMN_TEXT, false},
    {"issued", "issued", COLUMN_TIME, false},       {"expires", "expires", COLUMN_TIME, false},
    {"algorithm", "algorithm", COLUMN_TEXT, false}, {"kid", "kid", COLUMN_TEXT, false},
    {"key_state", "key", COLUMN_TEXT, false},       {"session", "session", COLUMN_TEXT, false},
    {"account", "account", COLUMN_TEXT, false},     {"client", "client", COLUMN_TEXT, false},
};
enum { ACCESS_COLUMNS = sizeof access_columns / sizeof access_columns[0] };

struct access {
    const struct jws *jws;
    const json_t *payload;
    const struct signing_row *row; /* NULL: no key of ours signed it */
    bool has_session;
    struct session_view grant;
    int64_t issued_ms;
    int64_t expires_ms;
};

static bool access_accepted(const struct access *access, int64_t now_ms)
{
    return access->row != NULL && access->row->state != SIGNING_RETIRED &&
           access->expires_ms > now_ms;
}

static struct text access_sentence(struct call *call, const struct access *access)
{
    struct buffer b;
    struct text t = TEXT("(out of memory)");

    buffer_start(&b, call->arena, SENTENCE_MAX);
    buffer_add_c(&b, "an access token; ");
    if (access->row == NULL) {
        buffer_add_c(&b, "no signing key of this store signed it, so what it claims may be untrue");
    } else if (access->expires_ms == 0) {
        buffer_add_c(&b, "its signature is right, but it has no `exp`");
    } else if (access->expires_ms <= call->now_ms) {
        buffer_add_c(&b, "its signature is right; it expired ");
        add_ago(&b, access->expires_ms, call->now_ms);
    } else if (access->row->state == SIGNING_RETIRED) {
        buffer_add_c(&b, "its signature is right, but the key is retired: nobody accepts it who "
                         "asks for the keys");
    } else {
        buffer_add_c(&b, "its signature is right and it is good ");
        add_left(&b, access->expires_ms - call->now_ms);
    }
    if (access->has_session && access->grant.session.end != SESSION_LIVE) {
        buffer_add_c(&b, "; its session has ended, which a resource server cannot see from it");
    }
    buffer_finish(&b, &t);
    return t;
}

static void access_cells(struct call *call, const struct access *access, char id[37],
                         struct cell cells[ACCESS_COLUMNS])
{
    const struct session_view *grant = &access->grant;
    const json_t *payload = access->payload;
    const char *account = access->has_session && grant->has_account ? grant->account.name : "";

    id[0] = '\0';
    if (access->has_session) {
        codec_uuid_format(grant->session.id, id);
    }
    const struct cell row[ACCESS_COLUMNS] = {
        CELL_TEXT(claim(call, payload, "sub")),
        CELL_TEXT(claim(call, payload, "iss")),
        CELL_TEXT(claim(call, payload, "aud")),
        CELL_TEXT(claim(call, payload, "scope")),
        CELL_NUMBER(access->issued_ms),
        CELL_NUMBER(access->expires_ms),
        CELL_TEXT(claim(call, access->jws->header, "alg")),
        CELL_TEXT(access->row != NULL ? text_of(access->row->kid) : access->jws->kid),
        CELL_TEXT(text_of(access->row != NULL ? signing_state_name(access->row->state)
                                              : "not of this store")),
        CELL_TEXT(text_of(id)),
        CELL_TEXT(text_of(account)),
        CELL_TEXT(text_of(access->has_session ? grant->session.client : "")),
    };
    memcpy(cells, row, sizeof row);
}

static enum call_end show_access(struct call *call, const struct access *access)
{
    struct json_out *out = &call->output.out;
    struct cell cells[ACCESS_COLUMNS];
    char id[37];
    enum call_end end = CALL_DONE;
    struct text says = access_sentence(call, access);

    access_cells(call, access, id, cells);
    if (call->output.json) {
        json_out_open(out);
        json_out_member(out, "kind", TEXT("access token"));
        json_out_key(out, "accepted");
        json_out_bool(out, access_accepted(access, call->now_ms));
        json_out_key(out, "signature");
        json_out_bool(out, access->row != NULL);
        json_out_member(out, "says", says);
        output_members(&call->output, access_columns, ACCESS_COLUMNS, cells);
    }
    output_say(&call->output, "%.*s\n", TEXT_ARGS(says));
    output_lines(&call->output, access_columns, ACCESS_COLUMNS, cells, "  ");
    if (access->has_session) {
        end = show_events(call, access->grant.session.id);
    }
    if (call->output.json) {
        json_out_close(out);
        output_json_end(&call->output);
    }
    return end == CALL_DONE && access->row == NULL ? CALL_REFUSED : end;
}

static enum call_end explain_jwt(struct call *call, const struct jws *jws)
{
    struct fault fault = {0};
    bool faulty;
    struct access access = {.jws = jws};

    access.payload = json_in_object(call->arena, jws->payload_json, NULL);
    if (access.payload == NULL) {
        return show_only(call, "nothing known", outcome_word(OUTCOME_TOKEN_INVALID),
                         TEXT("a JWT whose payload is not one JSON object: not one of ours"));
    }
    access.row = signed_by(call, jws, &fault, &faulty);
    if (faulty) {
        return call_fault(call, &fault);
    }
    access.has_session = access.row != NULL && session_of(call, access.payload, &access.grant);
    access.issued_ms = claim_time(access.payload, "iat");
    if (access.issued_ms == 0) {
        access.issued_ms = claim_time(access.payload, "nbf");
    }
    access.expires_ms = claim_time(access.payload, "exp");
    return show_access(call, &access);
}

/* ---- which of the two ---- */

/* No session belongs to it. */
static enum call_end explain_unknown(struct call *call, struct text token)
{
    struct jws jws;
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;
    const char *says = "not a token: neither a refresh token of this server nor a JWT";

    if (refresh_token_native_open(&call->service.secrets, token, id, &generation)) {
        return show_only(call, "refresh token", outcome_word(OUTCOME_TOKEN_UNKNOWN),
                         TEXT("a refresh token of this server whose session is no longer known: it "
                              "ended and was swept, or the store is another one"));
    }
    if (jws_gate(call->arena, token, &jws)) {
        if (jws_open(call->arena, token, call->service.issuer.refresh_jwt) != NULL) {
            return show_only(call, "refresh token", outcome_word(OUTCOME_TOKEN_UNKNOWN),
                             TEXT("a JWT-shaped refresh token of this server whose session is no "
                                  "longer known: it ended and was swept"));
        }
        return explain_jwt(call, &jws);
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
    return show_only(call, "nothing known", outcome_word(OUTCOME_TOKEN_INVALID), text_of(says));
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
