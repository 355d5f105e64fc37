/* SPDX-License-Identifier: ISC */
/* session_import.c: `retoken session import`: refresh tokens of another server, or their
 * hashes, become sessions, many to a commit. A token that a session has already is passed over, so
 * the import can be killed anywhere and repeated. Knows what a line says; does not know how
 * sessions are kept. */
#include "admin/verbs/verbs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/confirmation.h"
#include "admin/lines.h"
#include "base/codec.h"
#include "base/date.h"
#include "dialect/dialect.h"
#include "model/scope.h"
#include "operation/issue.h"
#include "operation/target.h"
#include "token/layout.h"
#include "token/refresh_token.h"

/* Of a batch: its lines, and the bytes of their JSON. */
enum { ROWS = 1024, ROWS_MEMORY = 16 * 1024 * 1024, MEMORY_LIMIT = 64 * 1024 * 1024 };

/* A line on its way into the store. */
struct row {
    uint64_t number;
    struct account account;
    bool adds; /* the account is not there yet */
    uint8_t hash[CRYPTO_HASH_SIZE];
    struct issue_ask ask;
    struct issue issue;
    struct store_write add;
    bool written;
    enum store_result result;
    struct fault fault;
};

struct import {
    struct call *call;
    const struct mount *mount;
    bool creates, forced, is_dry;
    struct lines lines;
    struct request request; /* in which sessions begin; its arena is a batch's */
    bool has_client;
    struct client client; /* of the line before: clients repeat */
    uint64_t begun, there, over, accounts;
    bool failed; /* … with this fault: nothing more is read */
    struct fault fault;
    size_t count;
    struct row rows[ROWS];
};

static enum call_end import_all(struct import *import);
static void take_line(struct import *import, struct text line);
static bool read_row(struct import *import, const json_t *object, struct row *row,
                     struct fault *why);
static bool know_members(const json_t *object, struct fault *why);
static bool is_over(const json_t *object);
static bool read_token(struct import *import, const json_t *object, struct row *row,
                       struct fault *why);
static bool read_hash(struct text spelled, uint8_t hash[CRYPTO_HASH_SIZE], struct fault *why);
static bool read_account(struct import *import, const json_t *object, struct row *row,
                         struct fault *why);
static bool read_client(struct import *import, const json_t *object, struct row *row,
                        struct fault *why);
static bool find_client(struct import *import, struct text id, struct fault *why);
static bool read_key(struct import *import, const json_t *object, struct row *row,
                     struct fault *why);
static bool read_resources(struct import *import, const json_t *object, struct row *row,
                           struct fault *why);
static bool read_time(const json_t *object, const char *key, int64_t *ms, struct fault *why);
static void settle(struct import *import);
static void add_accounts(struct import *import);
static void begin_sessions(struct import *import);
static void try_session(struct import *import, struct row *row);
static void count_row(struct import *import, struct row *row);
static void when_written(void *self, enum store_result result);
static void fail(struct import *import, const struct fault *fault);
static enum call_end report(struct import *import);

enum call_end verbs_session_import(struct call *call)
{
    struct import *import = calloc(1, sizeof *import);
    struct fault fault = {"out of memory"};

    if (import == NULL) {
        return call_fault(call, &fault);
    }
    import->call = call;
    import->creates = options_has(&call->options, OPTION_CREATE_ACCOUNTS);
    import->forced = options_has(&call->options, OPTION_FORCE);
    import->is_dry = options_has(&call->options, OPTION_DRY_RUN);
    enum call_end end = verbs_session_mount(call, &import->mount);
    if (end == CALL_DONE && !lines_open(&import->lines, call_argument(call, 0), &fault)) {
        end = call_refuse(call, "%s", fault.text);
    } else if (end == CALL_DONE) {
        end = import_all(import);
        lines_close(&import->lines);
    }
    free(import);
    return end;
}

static enum call_end import_all(struct import *import)
{
    enum lines_result result = LINES_ONE;
    struct text line;

    import->request = (struct request){.arena = arena_open(MEMORY_LIMIT),
                                       .issuer = &import->call->service.issuer,
                                       .realm = import->mount->realm};
    if (import->request.arena == NULL) {
        fault_set(&import->fault, "out of memory");
        return call_fault(import->call, &import->fault);
    }
    while (!import->failed && result == LINES_ONE) {
        result = lines_next(&import->lines, &line, &import->fault);
        import->failed = result == LINES_FAULT;
        if (result == LINES_ONE) {
            take_line(import, line);
        }
        if (result != LINES_ONE || import->count == ROWS ||
            arena_used(import->request.arena) > ROWS_MEMORY) {
            settle(import);
        }
    }
    arena_close(import->request.arena);
    return report(import);
}

/* ---- what a line says ---- */

static void take_line(struct import *import, struct text line)
{
    struct row *row = &import->rows[import->count];
    struct fault why = {0};
    const json_t *object = json_in_object(import->request.arena, line, &why);

    memset(row, 0, sizeof *row);
    row->number = import->lines.number;
    if (object != NULL && is_over(object)) {
        import->over++;
    } else if (object != NULL && read_row(import, object, row, &why)) {
        import->count++;
    } else if (!import->failed) {
        lines_wrong(&import->lines, row->number, "%s", why.text);
    }
}

static bool read_row(struct import *import, const json_t *object, struct row *row,
                     struct fault *why)
{
    struct issue_ask *ask = &row->ask;
    enum json_in scope = json_in_text(object, "scope", &ask->scope);

    if (!know_members(object, why)) {
        return false;
    } else if (scope == JSON_IN_OTHER) {
        fault_set(why, "scope: no text; write \"openid profile\"");
        return false;
    }
    ask->scope_given = scope == JSON_IN_TEXT;
    ask->account = &row->account;
    return read_token(import, object, row, why) && read_account(import, object, row, why) &&
           read_client(import, object, row, why) && read_key(import, object, row, why) &&
           read_resources(import, object, row, why) &&
           read_time(object, "created", &ask->created_ms, why) &&
           read_time(object, "expires", &ask->expires_ms, why);
}

/* A misspelled one would be lost without a word. What `session export` writes, and no session
 * begins with, is known too. */
static bool know_members(const json_t *object, struct fault *why)
{
    static const char *const known[] = {
        "token", "token_sha256", "account", "client",     "scope",   "created", "expires",
        "realm", "session",      "state",   "generation", "renewed", "cnf",     "resources"};
    const char *key;
    const json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t i = 0;

        while (i < sizeof known / sizeof known[0] && strcmp(known[i], key) != 0) {
            i++;
        }
        if (i == sizeof known / sizeof known[0]) {
            fault_set(why,
                      "unknown member %.40s; a line has token or token_sha256, account, client, "
                      "scope, resources, cnf, created and expires",
                      key);
            return false;
        }
    }
    return true;
}

/* Exported from a session that had ended. */
static bool is_over(const json_t *object)
{
    struct text state;

    return json_in_text(object, "state", &state) == JSON_IN_TEXT && !text_is(state, "live");
}

static bool read_token(struct import *import, const json_t *object, struct row *row,
                       struct fault *why)
{
    struct text spelled;
    enum json_in token = json_in_text(object, "token", &row->ask.imported);
    enum json_in hash = json_in_text(object, "token_sha256", &spelled);

    if ((token == JSON_IN_TEXT) == (hash == JSON_IN_TEXT)) {
        fault_set(why, "write either \"token\", or \"token_sha256\" where only its hash is known");
        return false;
    } else if (hash == JSON_IN_TEXT) {
        row->ask.imported_hash = row->hash;
        return read_hash(spelled, row->hash, why);
    } else if (!refresh_token_importable(&import->call->service.secrets, row->ask.imported, why)) {
        fault_prefix(why, "token");
        return false;
    } else if (!import->forced && refresh_token_is_guessable(row->ask.imported)) {
        fault_set(why, "token: it can be guessed: it has less than 128 bits; take such ones all "
                       "the same with --force");
        return false;
    }
    return true;
}

/* In one of the spellings that databases have. */
static bool read_hash(struct text spelled, uint8_t hash[CRYPTO_HASH_SIZE], struct fault *why)
{
    struct text unpadded =
        text_ends(spelled, TEXT("=")) ? text_cut(spelled, spelled.size - 1) : spelled;
    size_t size = 0;

    if (codec_hex_decode(spelled, hash, CRYPTO_HASH_SIZE) ||
        ((codec_base64_decode(spelled, hash, CRYPTO_HASH_SIZE, &size) ||
          codec_base64url_decode(unpadded, hash, CRYPTO_HASH_SIZE, &size)) &&
         size == CRYPTO_HASH_SIZE)) {
        return true;
    }
    fault_set(why, text_starts(spelled, TEXT("$"))
                       ? "token_sha256: a salted hash; no session can be found by it, so its "
                         "holder has to log in again"
                       : "token_sha256: no SHA-256; write 64 hexadecimal digits, or its 32 bytes "
                         "in base64");
    return false;
}

static bool read_account(struct import *import, const json_t *object, struct row *row,
                         struct fault *why)
{
    struct account *account = &row->account;
    struct text name = {0};

    if (json_in_text(object, "account", &name) != JSON_IN_TEXT || name.size == 0 ||
        text_has_control(name) || !text_copy(name, account->name, sizeof account->name)) {
        fault_set(why, "account: missing, or no name of 1 to %d bytes", ACCOUNT_NAME_MAX);
        return false;
    }
    switch (store_account_find(import->call->service.store, account->name, account, why)) {
    case STORE_OK:
        if (!account->enabled) {
            fault_set(why, "account %.128s is disabled; `retoken account enable` first",
                      account->name);
        }
        return account->enabled;
    case STORE_ABSENT:
        text_copy(name, account->name, sizeof account->name);
        account->enabled = true;
        account->created_ms = import->call->now_ms;
        row->adds = import->creates;
        if (!import->creates) {
            fault_set(why, "no account %.128s; `retoken account add` first, or --create-accounts",
                      account->name);
        }
        return import->creates;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    fail(import, why);
    return false;
}

static bool read_client(struct import *import, const json_t *object, struct row *row,
                        struct fault *why)
{
    struct issue_ask *ask = &row->ask;
    const struct client *client = &import->client;
    const struct mount *mount = import->mount;

    switch (json_in_text(object, "client", &ask->client)) {
    case JSON_IN_ABSENT:
        return true;
    case JSON_IN_OTHER:
        fault_set(why, "client: no text");
        return false;
    case JSON_IN_TEXT:
        break;
    }
    if (ask->client.size == 0) {
        return true;
    } else if (!find_client(import, ask->client, why)) {
        return false;
    } else if (client->scope[0] != '\0' && !scope_covers(text_of(client->scope), ask->scope)) {
        fault_set(why, "scope: client %s may only have %s", client->id, client->scope);
        return false;
    }
    /* what a login would have granted */
    if (!ask->scope_given && client->scope[0] != '\0' && mount->realm->policy.layout->says_scope) {
        ask->scope_given = arena_copy(import->request.arena, text_of(client->scope), &ask->scope);
    }
    ask->client_proved = mount->endpoint->client_bound && client_is_confidential(client);
    return true;
}

static bool find_client(struct import *import, struct text id, struct fault *why)
{
    char spelled[CLIENT_ID_MAX + 1];

    if (import->has_client && text_is(id, import->client.id)) {
        return true;
    }
    import->has_client = false;
    if (!text_copy(id, spelled, sizeof spelled)) {
        fault_set(why, "client: more than %d characters", CLIENT_ID_MAX);
        return false;
    }
    switch (store_client_find(import->call->service.store, spelled, &import->client, why)) {
    case STORE_OK:
        import->has_client = import->client.enabled;
        if (!import->client.enabled) {
            fault_set(why, "client %s is disabled; `retoken client enable` first", spelled);
        }
        return import->client.enabled;
    case STORE_ABSENT:
        fault_set(why, "no client %s; `retoken client add` first", spelled);
        return false;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    fail(import, why);
    return false;
}

/* A bound session stays so, where it can be proved. */
static bool read_key(struct import *import, const json_t *object, struct row *row,
                     struct fault *why)
{
    struct issue_ask *ask = &row->ask;

    return confirmation_read(import->request.arena, object, &ask->key_kind, ask->key, why) &&
           confirmation_fits(import->mount, ask->key_kind, why);
}

/* What the session is limited to stays so; the realm is to have it, or nothing would be left. */
static bool read_resources(struct import *import, const json_t *object, struct row *row,
                           struct fault *why)
{
    const struct realm *realm = import->mount->realm;
    struct text words = {0}, rest;
    char *room = arena_alloc(import->request.arena, SESSION_TARGETS_MAX);

    if (room == NULL) {
        fault_set(why, "out of memory");
        fail(import, why);
        return false;
    } else if (json_in_text(object, "resources", &words) == JSON_IN_OTHER ||
               words.size > SESSION_TARGETS_MAX ||
               !scope_canonical(words, room, &row->ask.targets)) {
        fault_set(why, "resources: no words of at most %d characters; write \"urn:a urn:b\"",
                  SESSION_TARGETS_MAX);
        return false;
    }
    rest = row->ask.targets;
    for (struct text target; (target = text_word(&rest)).size > 0;) {
        if (!target_is_of(realm, target)) {
            fault_set(why, "resources: realm %s has no %.*s; add it to its resources", realm->name,
                      TEXT_ARGS(text_cut(target, 80)));
            return false;
        }
    }
    return true;
}

/* Seconds since 1970, as most databases and JWTs have it, or a date. */
static bool read_time(const json_t *object, const char *key, int64_t *ms, struct fault *why)
{
    static const double most_s = 253402300799;
    const json_t *value = json_object_get(object, key);
    double s = json_number_value(value);

    if (value == NULL || json_is_null(value)) {
        return true;
    } else if (json_is_number(value) && s > 0 && s <= most_s) {
        *ms = (int64_t)(s * (double)CLOCK_SECOND);
        return true;
    } else if (json_is_string(value) && date_parse(text_of(json_string_value(value)), ms)) {
        return true;
    }
    fault_set(why,
              "%s: write seconds since 1970, or a date with its zone as \"2025-11-20T11:04:00Z\"; "
              "leave it out if it is not known",
              key);
    return false;
}

/* ---- a batch ---- */

/* All of it, but nothing more once something has failed. */
static void settle(struct import *import)
{
    if (!import->failed) {
        add_accounts(import);
    }
    if (!import->failed) {
        begin_sessions(import);
    }
    import->count = 0;
    arena_reset(import->request.arena);
    lines_progress(&import->lines, import->begun + import->there, "sessions");
}

static void add_accounts(struct import *import)
{
    struct store *store = import->call->service.store;

    for (size_t i = 0; i < import->count && !import->is_dry; i++) {
        struct row *row = &import->rows[i];

        if (row->adds) {
            store_prepare_account_add(&row->add, &row->account);
            store_submit(store, &row->add, &row->fault, when_written, row);
        }
    }
    store_flush(store);
    for (size_t i = 0; i < import->count && !import->is_dry; i++) {
        struct row *row = &import->rows[i];
        bool exists = row->adds && row->result == STORE_EXISTS; /* an earlier line has added it */

        if (exists) {
            row->result = store_account_find(store, row->account.name, &row->account, &row->fault);
        }
        if (row->adds && row->result != STORE_OK) {
            fail(import, &row->fault);
        }
        import->accounts += row->adds && !exists ? 1 : 0;
    }
}

static void begin_sessions(struct import *import)
{
    struct store *store = import->call->service.store;

    for (size_t i = 0; i < import->count; i++) {
        try_session(import, &import->rows[i]);
    }
    store_flush(store);
    for (size_t i = 0; i < import->count; i++) {
        count_row(import, &import->rows[i]);
    }
}

/* Hands the session in, or when nothing is to be changed, looks whether it is there. */
static void try_session(struct import *import, struct row *row)
{
    struct store *store = import->call->service.store;
    const struct session *session = &row->issue.session;
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;

    enum outcome outcome = issue_import(&row->issue, &import->request, &row->ask);

    if (outcome == OUTCOME_TOKEN_EXPIRED) {
        import->over++;
        return;
    } else if (outcome == OUTCOME_SCOPE_INVALID) {
        lines_wrong(&import->lines, row->number, "scope: none, or more than %d characters",
                    SESSION_SCOPE_MAX);
        return;
    } else if (outcome != OUTCOME_ROTATED) {
        fail(import, &import->request.fault);
        return;
    }
    row->written = true;
    if (!import->is_dry) {
        store_submit(store, &row->issue.write, &row->fault, when_written, row);
        return;
    }
    row->result = store_alias_find(store, session->alias, id, &generation, &row->fault);
    row->result = row->result == STORE_OK       ? STORE_EXISTS
                  : row->result == STORE_ABSENT ? STORE_OK
                                                : row->result;
}

static void count_row(struct import *import, struct row *row)
{
    if (!row->written) {
        return;
    }
    switch (row->result) {
    case STORE_OK:
        import->begun++;
        return;
    case STORE_EXISTS:
        import->there++;
        return;
    case STORE_STALE:
    case STORE_ABSENT:
        lines_wrong(&import->lines, row->number,
                    "account or client was changed or removed meanwhile; import the line again");
        return;
    case STORE_FAULT:
        fail(import, &row->fault);
        return;
    }
}

static void when_written(void *self, enum store_result result)
{
    ((struct row *)self)->result = result;
}

/* The first fault is told. */
static void fail(struct import *import, const struct fault *fault)
{
    if (!import->failed) {
        import->failed = true;
        import->fault = *fault;
    }
}

/* ---- the end ---- */

static const struct column columns[] = {
    {"lines", "lines", COLUMN_NUMBER, false},
    {"begun", "sessions begun", COLUMN_NUMBER, false},
    {"there", "there already", COLUMN_NUMBER, false},
    {"over", "over", COLUMN_NUMBER, false},
    {"wrong", "wrong", COLUMN_NUMBER, false},
    {"accounts", "accounts added", COLUMN_NUMBER, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static enum call_end report(struct import *import)
{
    struct call *call = import->call;
    const struct lines *lines = &import->lines;
    const char *realm = import->mount->realm->name;
    const struct cell cells[COLUMNS] = {CELL_NUMBER(lines->number), CELL_NUMBER(import->begun),
                                        CELL_NUMBER(import->there), CELL_NUMBER(import->over),
                                        CELL_NUMBER(lines->wrong),  CELL_NUMBER(import->accounts)};
    char note[EVENT_NOTE_MAX + 1];
    enum call_end end = CALL_DONE;

    lines_progress_end(&import->lines);
    if (call->output.json) {
        output_record(&call->output, columns, COLUMNS, cells);
    }
    output_say(&call->output,
               "%s%" PRIu64 " lines: %" PRIu64 " sessions begun, %" PRIu64
               " there already, %" PRIu64 " over, %" PRIu64 " wrong; %" PRIu64 " accounts added",
               import->is_dry ? "(nothing is changed) " : "", lines->number, import->begun,
               import->there, import->over, lines->wrong, import->accounts);
    if (import->begun > 0 && !import->is_dry) {
        snprintf(note, sizeof note, "%" PRIu64 " imported into %s", import->begun, realm);
        end = call_event(call, EVENT_BEGUN, 0, NULL, note);
    }
    if (import->failed) {
        fault_prefix(&import->fault,
                     "stopped in the batch before line %" PRIu64 "; repeat it when this is mended",
                     lines->number);
        return call_fault(call, &import->fault);
    }
    return end == CALL_DONE && lines->wrong > 0 ? CALL_REFUSED : end;
}
