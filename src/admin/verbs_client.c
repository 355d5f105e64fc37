/* SPDX-License-Identifier: ISC */
/* verbs_client.c: `retoken client …`. Knows how a client is registered; does not know how it proves
 * itself later. */
#include "admin/verbs.h"

#include <stdio.h>
#include <string.h>

#include "admin/client_key.h"
#include "admin/prompt.h"
#include "base/secret.h"
#include "operation/password.h"

static const struct column columns[] = {
    {"client", "client", COLUMN_TEXT, false},  {"proof", "proof", COLUMN_TEXT, false},
    {"keys", "keys", COLUMN_WORDS, true},      {"scope", "scope", COLUMN_WORDS, false},
    {"enabled", "enabled", COLUMN_FLAG, true}, {"created", "created", COLUMN_TIME, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], PAGE = 64, ROW_LIMIT = 1 << 20 };

static const char *proof_of(const struct client *client);
enum { SECRET_LEAST = 16 };
static enum call_end read_secret(struct call *call, struct client *client, char shown[44]);
static void show_added(struct call *call, const struct client *client, const char *secret);
static enum store_result end_sessions(struct call *call, const char *id, size_t *ended,
                                      struct fault *fault);

enum call_end verbs_client_list(struct call *call)
{
    struct client *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    struct arena *of_row = arena_open(ROW_LIMIT);
    struct fault fault = {"out of memory"};
    enum call_end end = CALL_DONE;
    size_t count = PAGE;
    const char *after = NULL;

    output_table_start(&call->output, columns, COLUMNS);
    while (count == PAGE) {
        if (rows == NULL || of_row == NULL ||
            store_client_list(call->service.store, after, rows, PAGE, &count, &fault) != STORE_OK) {
            end = call_fault(call, &fault);
            break;
        }
        for (size_t i = 0; i < count; i++) {
            const struct client *client = &rows[i];
            const struct cell cells[COLUMNS] = {
                CELL_TEXT(text_of(client->id)),
                CELL_TEXT(text_of(proof_of(client))),
                CELL_TEXT(client_key_ids(of_row, client)),
                CELL_TEXT(text_of(client->scope)),
                CELL_NUMBER(client->enabled),
                CELL_NUMBER(client->created_ms),
            };

            output_row(&call->output, cells);
            arena_reset(of_row);
        }
        after = count > 0 ? arena_c_string(call->arena, text_of(rows[count - 1].id)) : NULL;
    }
    arena_close(of_row);
    if (end == CALL_DONE) {
        output_table_end(&call->output, "no clients; `retoken client add ID` registers one");
    }
    return end;
}

/* How the client may prove itself, in words. */
static const char *proof_of(const struct client *client)
{
    bool secret = client->secrets[0].hash[0] != '\0' || client->secrets[1].hash[0] != '\0';

    if (client->keys[0] != '\0') {
        return secret ? "secret, assertion" : "assertion";
    }
    return secret ? "secret" : "none (public)";
}

/* ---- add ---- */

enum call_end verbs_client_add(struct call *call)
{
    struct client client = {.enabled = true, .created_ms = call->now_ms};
    char secret[44] = "";
    struct fault fault = {0};
    struct text id = text_of(call_argument(call, 0));
    const char *scope = options_value(&call->options, OPTION_SCOPE);

    if (!text_is_visible_ascii(id) || !text_copy(id, client.id, sizeof client.id)) {
        return call_wrong(call, "a client's id has 1 to %d visible ASCII characters",
                          CLIENT_ID_MAX);
    }
    if (scope != NULL && (text_has_control(text_of(scope)) ||
                          !text_copy(text_of(scope), client.scope, sizeof client.scope))) {
        return call_wrong(call, "--scope: at most %d characters, words separated by spaces",
                          CLIENT_SCOPE_MAX);
    }
    struct client there;
    if (store_client_find(call->service.store, client.id, &there, NULL) == STORE_OK) {
        return call_refuse(call, "client %s exists; remove it first to give it another secret",
                           client.id);
    }
    enum call_end end = client_key_read(call, &client);
    end = end == CALL_DONE ? read_secret(call, &client, secret) : end;
    if (end != CALL_DONE) {
        return end;
    }
    switch (store_client_add(call->service.store, &client, &fault)) {
    case STORE_OK:
        show_added(call, &client, secret);
        end = call_event(call, EVENT_CLIENT, 0, client.id, "added");
        break;
    case STORE_EXISTS:
        end = call_refuse(call, "client %s exists", client.id);
        break;
    case STORE_ABSENT:
    case STORE_STALE:
    case STORE_FAULT:
        end = call_fault(call, &fault);
        break;
    }
    secret_wipe(secret, sizeof secret);
    return end;
}

/* A generated secret into `shown`, or an existing one from --secret-file; only its hash is kept. */
static enum call_end read_secret(struct call *call, struct client *client, char shown[44])
{
    char secret[PASSWORD_MAX + 3];
    size_t size = 0;
    struct fault fault = {0};
    const char *file = options_value(&call->options, OPTION_SECRET_FILE);
    bool public = options_has(&call->options, OPTION_PUBLIC);

    if (file != NULL && public) {
        return call_wrong(call, "--public and --secret-file exclude each other");
    } else if (public && client->keys[0] != '\0') {
        return call_wrong(call, "--public and --key exclude each other");
    }
    if (public || (file == NULL && client->keys[0] != '\0')) {
        return CALL_DONE; /* public, or proved by its keys */
    }
    if (file != NULL && !prompt_line(file, secret, sizeof secret, &size, &fault)) {
        return call_wrong(call, "no secret: %s", fault.text);
    }
    if (file == NULL && !client_secret_generate(&call->randomness, shown)) {
        fault_set(&fault, "cannot get random bytes for a secret");
        return call_fault(call, &fault);
    }
    struct text given = file != NULL ? (struct text){secret, size} : text_of(shown);
    enum call_end end = CALL_DONE;
    if (given.size > PASSWORD_MAX) {
        end = call_wrong(call, "a secret has at most %d bytes", PASSWORD_MAX);
    } else if ((end = call_check_length(call, "a secret", given.size, SECRET_LEAST)) == CALL_DONE &&
               !client_secret_hash(given, file == NULL, &call->service.secrets, &call->randomness,
                                   client->secrets[0].hash, &fault)) {
        end = call_fault(call, &fault);
    }
    secret_wipe(secret, sizeof secret);
    return end;
}

static void show_added(struct call *call, const struct client *client, const char *secret)
{
    struct json_out *out = &call->output.out;

    if (call->output.json) {
        json_out_open(out);
        json_out_member(out, "client", text_of(client->id));
        json_out_key(out, "client_secret");
        if (secret[0] != '\0') {
            json_out_text(out, text_of(secret));
        } else {
            json_out_null(out);
        }
        json_out_close(out);
        output_json_end(&call->output);
    } else if (secret[0] != '\0') {
        output_say(&call->output, "client %s added; its secret, shown only once:\n%s", client->id,
                   secret);
    } else {
        output_say(&call->output, "client %s added; proof: %s", client->id, proof_of(client));
    }
}

/* ---- remove ---- */

enum call_end verbs_client_remove(struct call *call)
{
    const char *id = call_argument(call, 0);
    struct fault fault = {0};
    size_t ended = 0;

    switch (store_client_remove(call->service.store, id, &fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return call_refuse(call, "no client %s; `retoken client list` shows all", id);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return call_fault(call, &fault);
    }
    if (end_sessions(call, id, &ended, &fault) != STORE_OK) {
        fault_prefix(&fault, "client %s is removed, but not all its sessions are ended", id);
        return call_fault(call, &fault);
    }
    output_say(&call->output, "client %s removed; %zu session%s ended", id, ended,
               ended == 1 ? "" : "s");
    return call_event(call, EVENT_CLIENT, 0, id, "removed");
}

/* Ends the live sessions of a client, one commit each; *ended = how many. */
static enum store_result end_sessions(struct call *call, const char *id, size_t *ended,
                                      struct fault *fault)
{
    struct session *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    uint8_t after[SESSION_ID_SIZE];
    size_t count = PAGE;
    bool first = true;
    enum store_result result = STORE_OK;

    if (rows == NULL) {
        fault_set(fault, "out of memory");
        return STORE_FAULT;
    }
    while (result == STORE_OK && count == PAGE) {
        result = store_session_list(call->service.store, 0, first ? NULL : after, rows, PAGE,
                                    &count, fault);
        for (size_t i = 0; result == STORE_OK && i < count; i++) {
            if (rows[i].end == SESSION_LIVE && strcmp(rows[i].client, id) == 0) {
                result = store_session_end(call->service.store, rows[i].id, SESSION_ENDED_CLIENT,
                                           call->now_ms, NULL, fault);
                *ended += result == STORE_OK;
                result = result == STORE_ABSENT ? STORE_OK : result; /* swept meanwhile */
            }
        }
        if (count > 0) {
            memcpy(after, rows[count - 1].id, sizeof after);
        }
        first = false;
    }
    return result;
}
