/* SPDX-License-Identifier: ISC */
/* access.c: what an access token says, and whether a key of this store signed it. Knows
 * claims as they are in the token; does not know who accepts it: resource servers check signature
 * and expiry, not this store. */
#include "admin/explain/explain.h"

#include <string.h>

#include "admin/key_need.h"
#include "base/codec.h"
#include "dialect/dialect.h"
#include "token/layout.h"

struct access {
    const struct jws *jws;
    const json_t *payload;
    const struct signing_row *row; /* NULL: no key of ours signed it */
    bool has_session;
    struct session_view grant;
    int64_t issued_ms;
    int64_t expires_ms;
};

static const struct signing_row *find_signer(struct call *call, const struct jws *jws,
                                             struct fault *fault);
static bool session_of(struct call *call, const json_t *payload, struct session_view *grant);
static int64_t claim_time(const json_t *payload, const char *name);
static enum call_end show_access(struct call *call, const struct explained *it,
                                 const struct access *access);
static bool access_accepted(const struct access *access, int64_t now_ms);
static struct text access_sentence(struct call *call, const struct access *access);
static const struct mount *renewed_at(struct call *call, const struct session *session);
static struct text claim(struct call *call, const json_t *object, const char *name);
static bool is_printable(struct text t);

enum call_end explain_access(struct call *call, const struct explained *it, const struct jws *jws)
{
    struct fault fault = {0};
    struct access access = {.jws = jws};

    access.payload = json_in_object(call->arena, jws->payload_json, NULL);
    if (access.payload == NULL) {
        return explain_only(call, it, "nothing known", outcome_word(OUTCOME_TOKEN_INVALID),
                            TEXT("a JWT whose payload is not one JSON object: not one of ours"));
    }
    access.row = find_signer(call, jws, &fault);
    if (access.row == NULL && fault.text[0] != '\0') {
        return call_fault(call, &fault);
    }
    access.has_session = access.row != NULL && session_of(call, access.payload, &access.grant);
    access.issued_ms = claim_time(access.payload, "iat");
    if (access.issued_ms == 0) {
        access.issued_ms = claim_time(access.payload, "nbf");
    }
    access.expires_ms = claim_time(access.payload, "exp");
    return show_access(call, it, &access);
}

/* NULL: none of the store's keys signed it, not even a retired one, or *fault says what broke. */
static const struct signing_row *find_signer(struct call *call, const struct jws *jws,
                                             struct fault *fault)
{
    struct signing_row *rows = arena_alloc(call->arena, KEY_NEED_ROWS_MAX * sizeof *rows);
    size_t count = 0;

    if (rows == NULL) {
        fault_set(fault, "out of memory");
        return NULL;
    }
    return store_key_list(call->service.store, true, rows, KEY_NEED_ROWS_MAX, &count, fault) ==
                   STORE_OK
               ? jws_signer(jws, rows, count, &call->service.secrets, fault)
               : NULL;
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

/* A NumericDate in ms; 0 when absent or unusable. */
static int64_t claim_time(const json_t *payload, const char *name)
{
    const json_t *value = json_object_get(payload, name);
    int64_t s = json_is_integer(value) ? (int64_t)json_integer_value(value) : 0;

    return s > 0 && s < INT64_MAX / CLOCK_SECOND ? s * CLOCK_SECOND : 0;
}

/* ---- what is printed ---- */

static const struct column access_columns[] = {
    {"subject", "subject", COLUMN_TEXT, false},     {"issuer", "issuer", COLUMN_TEXT, false},
    {"audience", "audience", COLUMN_TEXT, false},   {"scope", "scope", COLUMN_TEXT, false},
    {"issued", "issued", COLUMN_TIME, false},       {"expires", "expires", COLUMN_TIME, false},
    {"algorithm", "algorithm", COLUMN_TEXT, false}, {"kid", "kid", COLUMN_TEXT, false},
    {"key_state", "key", COLUMN_TEXT, false},       {"session", "session", COLUMN_TEXT, false},
    {"account", "account", COLUMN_TEXT, false},     {"client", "client", COLUMN_TEXT, false},
};
enum { ACCESS_COLUMNS = sizeof access_columns / sizeof access_columns[0] };

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

static enum call_end show_access(struct call *call, const struct explained *it,
                                 const struct access *access)
{
    struct json_out *out = &call->output.out;
    struct cell cells[ACCESS_COLUMNS];
    char id[37];
    enum call_end end = CALL_DONE;
    struct text says = access_sentence(call, access);

    access_cells(call, access, id, cells);
    explain_begin(call, it, "access token");
    if (call->output.json) {
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
        end = explain_session(call, &access->grant);
    }
    if (call->output.json) {
        json_out_close(out);
        output_json_end(&call->output);
    }
    return end == CALL_DONE && access->row == NULL ? CALL_REFUSED : end;
}

static bool access_accepted(const struct access *access, int64_t now_ms)
{
    return access->row != NULL && access->row->state != SIGNING_RETIRED &&
           access->expires_ms > now_ms;
}

static struct text access_sentence(struct call *call, const struct access *access)
{
    const struct mount *renewal =
        access->has_session ? renewed_at(call, &access->grant.session) : NULL;
    struct buffer b;
    struct text t = TEXT("(out of memory)");

    buffer_start(&b, call->arena, EXPLAIN_SENTENCE_MAX);
    buffer_add_c(&b, "an access token; ");
    if (access->row == NULL) {
        buffer_add_c(&b, "no signing key of this store signed it, so what it claims may be untrue");
    } else if (access->expires_ms == 0) {
        buffer_add_c(&b, "its signature is valid, but it has no `exp`");
    } else if (access->expires_ms <= call->now_ms) {
        buffer_add_c(&b, "its signature is valid; it expired ");
        explain_ago(&b, access->expires_ms, call->now_ms);
    } else if (access->row->state == SIGNING_RETIRED) {
        buffer_add_c(&b, "its signature is valid, but its key is retired: servers that fetch the "
                         "key set refuse it");
    } else {
        buffer_add_c(&b, "its signature is valid and it is good ");
        explain_left(&b, access->expires_ms - call->now_ms);
    }
    if (access->has_session && access->grant.session.end != SESSION_LIVE) {
        buffer_add_c(&b, "; its session has ended, which a resource server cannot see from it");
    } else if (renewal != NULL && access_accepted(access, call->now_ms)) {
        buffer_addf(&b, "; its session is renewed with it, at %s", renewal->path);
    }
    buffer_finish(&b, &t);
    return t;
}

/* Where an access token of the session's realm renews it; NULL: nowhere. */
static const struct mount *renewed_at(struct call *call, const struct session *session)
{
    const struct config *config = &call->service.config;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];

        if (mount->realm->policy.by_access_token &&
            mount->endpoint->operation == &operation_refresh &&
            strcmp(mount->realm->name, session->realm) == 0) {
            return mount;
        }
    }
    return NULL;
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
        /* escaped to ASCII: anyone may have written it, and it goes to a terminal */
        buffer_start(&b, call->arena, 64);
        struct json_out out = json_out_start(&b, JSON_STYLE_ASCII);
        json_out_value(&out, value);
        buffer_finish(&b, &t);
    }
    return t;
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
