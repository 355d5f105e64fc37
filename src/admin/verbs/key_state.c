/* SPDX-License-Identifier: ISC */
/* key_state.c: the life of signing keys: `retoken key list`, rotate, activate and retire.
 * Knows states and dates (model/signing.h) and which mounts depend on a key; does not know how it
 * signs. */
#include "admin/verbs/verbs.h"

#include <stdio.h>
#include <string.h>

#include "admin/key_need.h"
#include "token/signing_key.h"

static const struct column columns[] = {
    {"kid", "kid", COLUMN_TEXT, false},        {"algorithm", "algorithm", COLUMN_TEXT, false},
    {"state", "state", COLUMN_TEXT, false},    {"realm", "realm", COLUMN_TEXT, false},
    {"created", "created", COLUMN_TIME, true}, {"activates", "signs from", COLUMN_TIME, false},
    {"retires", "until", COLUMN_TIME, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

static void show(const struct signing_row *row, struct cell cells[COLUMNS]);
static size_t find_rotating(struct call *call, const struct signing_row *rows, size_t count,
                            const struct signing_row *signers[CONFIG_MOUNTS_MAX],
                            enum call_end *end);
static bool is_asked_for(struct call *call, const struct key_need *need);
static enum call_end rotate(struct call *call, const struct signing_row *old, bool *done);
static void say_rotated(struct call *call, const struct signing_row *row,
                        const struct signing_row *old, int64_t retires_ms);
static enum call_end check_published(struct call *call, struct signing_row *rows, size_t count,
                                     const char *kid);
static bool is_foreign(struct signing_row *rows, size_t count, const char *kid);
static const struct mount *orphaned(const struct config *config, const struct signing_row *rows,
                                    size_t count, const char *kid);
static enum call_end set_state(struct call *call, const char *kid, enum signing_state state,
                               const char *what);

enum call_end verbs_key_list(struct call *call)
{
    size_t count = 0;
    enum call_end end;
    struct signing_row *rows = verbs_key_rows(call, &count, &end);

    if (rows == NULL) {
        return end;
    }
    output_table_start(&call->output, columns, COLUMNS);
    for (size_t i = 0; i < count; i++) {
        struct cell cells[COLUMNS];

        show(&rows[i], cells);
        output_row(&call->output, cells);
    }
    output_table_end(&call->output,
                     "no signing keys; `retoken init` makes those that the mounts need");
    return CALL_DONE;
}

struct signing_row *verbs_key_rows(struct call *call, size_t *count, enum call_end *end)
{
    struct signing_row *rows = arena_alloc(call->arena, KEY_NEED_ROWS_MAX * sizeof *rows);
    struct fault fault = {"out of memory"};

    if (rows == NULL || store_key_list(call->service.store, true, rows, KEY_NEED_ROWS_MAX, count,
                                       &fault) != STORE_OK) {
        *end = call_fault(call, &fault);
        return NULL;
    }
    *end = CALL_DONE;
    return rows;
}

void verbs_key_record(struct call *call, const struct signing_row *row)
{
    struct cell cells[COLUMNS];

    if (call->output.json) {
        show(row, cells);
        output_record(&call->output, columns, COLUMNS, cells);
    }
}

static void show(const struct signing_row *row, struct cell cells[COLUMNS])
{
    const struct cell all[COLUMNS] = {
        CELL_TEXT(text_of(row->kid)),
        CELL_TEXT(text_of(signing_algorithm_name(row->algorithm))),
        CELL_TEXT(text_of(signing_state_name(row->state))),
        CELL_TEXT(text_of(row->realm)),
        CELL_NUMBER(row->created_ms),
        CELL_NUMBER(row->activates_ms),
        CELL_NUMBER(row->retires_ms),
    };

    memcpy(cells, all, sizeof all);
}

/* ---- one key takes the place of another ---- */

/* Each key that signs, once; every one in a write of its own, so that a call that was interrupted
 * is made again. */
enum call_end verbs_key_rotate(struct call *call)
{
    const struct signing_row *signers[CONFIG_MOUNTS_MAX];
    bool done = false;
    size_t count = 0;
    enum call_end end;
    struct signing_row *rows = verbs_key_rows(call, &count, &end);
    size_t signer_count = rows != NULL ? find_rotating(call, rows, count, signers, &end) : 0;

    if (end == CALL_DONE && call->output.json) {
        output_table_start(&call->output, columns, COLUMNS);
    }
    for (size_t i = 0; i < signer_count && end == CALL_DONE; i++) {
        end = rotate(call, signers[i], &done);
    }
    if (call->output.json && signer_count > 0 && end == CALL_DONE) {
        output_table_end(&call->output, "");
    }
    return end == CALL_DONE && !done ? CALL_REFUSED : end;
}

/* The keys that sign for what is asked for. None: the reason is said, and *end is not CALL_DONE. */
static size_t find_rotating(struct call *call, const struct signing_row *rows, size_t count,
                            const struct signing_row *signers[CONFIG_MOUNTS_MAX],
                            enum call_end *end)
{
    struct key_need needs[CONFIG_MOUNTS_MAX];
    size_t need_count = key_need_list(&call->service.config, needs);
    size_t found = 0;

    for (size_t i = 0; i < need_count; i++) {
        const struct signing_row *signer =
            is_asked_for(call, &needs[i])
                ? key_need_signer(rows, count, needs[i].algorithm, needs[i].realm, NULL)
                : NULL;
        bool again = false;

        for (size_t j = 0; j < found; j++) {
            again = again || signers[j] == signer;
        }
        if (signer != NULL && !again) {
            signers[found++] = signer;
        }
    }
    if (found == 0) {
        *end = call_refuse(call, "no key signs for that; `retoken key list` shows all, and "
                                 "`retoken init` makes what is missing");
    }
    return found;
}

/* A secret is shared with verifiers who have to be given the next one, so it is rotated when it is
 * named only. */
static bool is_asked_for(struct call *call, const struct key_need *need)
{
    const char *algorithm = options_value(&call->options, OPTION_ALGORITHM);
    const char *realm = options_value(&call->options, OPTION_REALM);

    return (realm == NULL || strcmp(realm, need->realm) == 0) &&
           (algorithm == NULL ? !signing_algorithm_is_secret(need->algorithm)
                              : strcmp(algorithm, signing_algorithm_name(need->algorithm)) == 0);
}

static enum call_end rotate(struct call *call, const struct signing_row *old, bool *done)
{
    bool now = options_has(&call->options, OPTION_NOW);
    struct signing_row row = {.created_ms = call->now_ms};
    char note[EVENT_NOTE_MAX + 1];
    struct store_write write;
    struct fault fault = {0};
    int64_t keep_ms;
    struct signing_key *key = signing_key_generate(old->algorithm, NULL, &call->randomness, &fault);
    bool sealed = key != NULL &&
                  signing_key_seal(key, &call->service.secrets, &call->randomness, &row, &fault);

    signing_key_close(key);
    if (!sealed || !verbs_key_keep_ms(call, old, &keep_ms, &fault)) {
        return call_fault(call, &fault);
    }
    memcpy(row.realm, old->realm, sizeof row.realm);
    snprintf(note, sizeof note, "%s added by rotate", row.kid);
    store_prepare_key_rotate(&write, &row, now ? 0 : SIGNING_KEY_SET_KEPT_MS, keep_ms);
    call_attach(call, &write, EVENT_KEY, 0, NULL, "added", note);
    switch (store_write(call->service.store, &write, &fault)) {
    case STORE_OK:
        *done = true;
        say_rotated(call, &row, old, row.activates_ms + keep_ms);
        return CALL_DONE;
    case STORE_STALE:
        call_warn(call,
                  "another %s key is to take the place of %s already: `retoken key list` says from "
                  "when, and `retoken key activate` ends the wait",
                  signing_algorithm_name(old->algorithm), old->kid);
        return CALL_DONE;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_FAULT:
        break;
    }
    return call_fault(call, &fault);
}

bool verbs_key_keep_ms(struct call *call, const struct signing_row *row, int64_t *keep_ms,
                       struct fault *fault)
{
    enum { PAGE = 16, MARGIN_MS = 10 * CLOCK_MINUTE };
    struct client *clients = arena_alloc(call->arena, PAGE * sizeof *clients);
    char after[CLIENT_ID_MAX + 1] = "";
    size_t count = PAGE;

    *keep_ms = MARGIN_MS + key_need_kept_ms(&call->service.config, row, NULL);
    fault_set(fault, "out of memory");
    while (clients != NULL && count == PAGE) {
        if (store_client_list(call->service.store, after[0] != '\0' ? after : NULL, clients, PAGE,
                              &count, fault) != STORE_OK) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            int64_t kept_ms = MARGIN_MS + key_need_kept_ms(&call->service.config, row, &clients[i]);

            *keep_ms = kept_ms > *keep_ms ? kept_ms : *keep_ms;
            memcpy(after, clients[i].id, sizeof after);
        }
    }
    return clients != NULL;
}

static void say_rotated(struct call *call, const struct signing_row *row,
                        const struct signing_row *old, int64_t retires_ms)
{
    const char *algorithm = signing_algorithm_name(row->algorithm);
    char from[OUTPUT_TIME_SIZE], until[OUTPUT_TIME_SIZE];
    struct cell cells[COLUMNS];

    if (call->output.json) {
        show(row, cells);
        output_row(&call->output, cells);
        return;
    }
    output_time(row->activates_ms, from);
    output_time(retires_ms, until);
    if (row->state == SIGNING_ACTIVE) {
        call_warn(call,
                  "caches may keep the key set without %s for %d minutes, and its tokens are "
                  "refused there until then",
                  row->kid, SIGNING_KEY_SET_MAX_AGE / 60);
    }
    output_say(&call->output, "%s key %s %s from %s; %s verifies until %s", algorithm, row->kid,
               row->state == SIGNING_ACTIVE ? "signs" : "is published, and signs", from, old->kid,
               until);
    if (signing_algorithm_is_secret(row->algorithm)) {
        output_say(&call->output,
                   "give it to whoever verifies its tokens before: `retoken key export %s FILE`",
                   row->kid);
    }
}

/* ---- states by hand ---- */

enum call_end verbs_key_activate(struct call *call)
{
    const char *kid = call_argument(call, 0);
    size_t count = 0;
    enum call_end end;
    struct signing_row *rows = verbs_key_rows(call, &count, &end);

    if (rows != NULL && is_foreign(rows, count, kid)) {
        return call_refuse(call, "key %s is of another server: it verifies, and never signs", kid);
    }
    if (rows != NULL && !options_has(&call->options, OPTION_NOW)) {
        end = check_published(call, rows, count, kid);
        rows = end == CALL_DONE ? rows : NULL;
    }
    end = rows != NULL ? set_state(call, kid, SIGNING_ACTIVE, "activated") : end;
    if (end != CALL_DONE) {
        return end;
    }
    output_say(&call->output, "key %s is active", kid);
    struct signing_row *row = verbs_key_find(rows, count, kid);
    if (row == NULL) {
        return CALL_DONE; /* added since we read */
    }
    row->state = SIGNING_ACTIVE;
    const struct signing_row *signer =
        key_need_signer(rows, count, row->algorithm, row->realm, NULL);
    if (signer != row && signer != NULL) {
        call_warn(call, "the newer key %s still signs; %s signs once that is retired", signer->kid,
                  kid);
    }
    return CALL_DONE;
}

/* Tokens that a key signs are refused by verifiers whose copy of the key set is older than it.
 * Secrets are in no key set, and where no other key signs, waiting helps no one. */
static enum call_end check_published(struct call *call, struct signing_row *rows, size_t count,
                                     const char *kid)
{
    const struct signing_row *row = verbs_key_find(rows, count, kid);
    int64_t ready_ms;
    char at[OUTPUT_TIME_SIZE];

    if (row == NULL || row->state != SIGNING_PUBLISHED ||
        signing_algorithm_is_secret(row->algorithm) ||
        key_need_signer(rows, count, row->algorithm, row->realm, NULL) == NULL) {
        return CALL_DONE;
    }
    ready_ms = row->created_ms + SIGNING_KEY_SET_MAX_AGE * (int64_t)CLOCK_SECOND;
    output_time(ready_ms, at);
    return call->now_ms >= ready_ms
               ? CALL_DONE
               : call_refuse(
                     call,
                     "caches may keep the key set without %s until %s, and its tokens would "
                     "be refused there; activate it then, or with --now",
                     kid, at);
}

struct signing_row *verbs_key_find(struct signing_row *rows, size_t count, const char *kid)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].kid, kid) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool is_foreign(struct signing_row *rows, size_t count, const char *kid)
{
    const struct signing_row *row = verbs_key_find(rows, count, kid);

    return row != NULL && signing_state_is_foreign(row->state);
}

enum call_end verbs_key_retire(struct call *call)
{
    const char *kid = call_argument(call, 0);
    size_t count = 0;
    enum call_end end;
    struct signing_row *rows = verbs_key_rows(call, &count, &end);

    if (rows == NULL) {
        return end;
    }
    const struct mount *mount = orphaned(&call->service.config, rows, count, kid);
    if (mount != NULL && !options_has(&call->options, OPTION_FORCE)) {
        const char *algorithm = signing_algorithm_name(mount->realm->policy.algorithm);

        return call_refuse(call,
                           "%s is the last active %s key of %s; first `retoken key add "
                           "--algorithm %s --activate`, or use --force",
                           kid, algorithm, mount->path, algorithm);
    }
    if (mount != NULL) {
        call_warn(call, "%s answers with an error until it has an active %s key", mount->path,
                  signing_algorithm_name(mount->realm->policy.algorithm));
    }
    end = set_state(call, kid,
                    is_foreign(rows, count, kid) ? SIGNING_VERIFY_RETIRED : SIGNING_RETIRED,
                    "retired");
    if (end == CALL_DONE) {
        output_say(&call->output, "key %s is retired; what it signed no longer verifies", kid);
    }
    return end;
}

/* The first mount that only `kid` signs for; NULL when there is none. */
static const struct mount *orphaned(const struct config *config, const struct signing_row *rows,
                                    size_t count, const char *kid)
{
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];
        enum signing_algorithm algorithm = mount->realm->policy.algorithm;

        if (realm_issues(mount->realm) &&
            key_need_signer(rows, count, algorithm, mount->realm->name, NULL) != NULL &&
            key_need_signer(rows, count, algorithm, mount->realm->name, kid) == NULL) {
            return mount;
        }
    }
    return NULL;
}

static enum call_end set_state(struct call *call, const char *kid, enum signing_state state,
                               const char *what)
{
    char note[EVENT_NOTE_MAX + 1];
    struct store_write write;
    struct fault fault = {0};

    snprintf(note, sizeof note, "%s %s", kid, what);
    store_prepare_key_set_state(&write, kid, state, call->now_ms);
    call_attach(call, &write, EVENT_KEY, 0, NULL, NULL, note);
    switch (store_write(call->service.store, &write, &fault)) {
    case STORE_OK:
        return CALL_DONE;
    case STORE_ABSENT:
        return call_refuse(call, "no key %s; `retoken key list` shows all", kid);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return call_fault(call, &fault);
}
