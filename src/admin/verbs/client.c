/* SPDX-License-Identifier: ISC */
/* client.c: `retoken client …`. Knows how a client is registered; does not know how it proves
 * itself later. */
#include "admin/verbs/verbs.h"

#include <stdio.h>
#include <string.h>

#include "admin/client_key.h"
#include "base/secret.h"

static const struct column columns[] = {
    {"client", "client", COLUMN_TEXT, false},  {"proof", "proof", COLUMN_TEXT, false},
    {"keys", "keys", COLUMN_WORDS, true},      {"scope", "scope", COLUMN_WORDS, false},
    {"enabled", "enabled", COLUMN_FLAG, true}, {"created", "created", COLUMN_TIME, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], PAGE = 64, ROW_LIMIT = 1 << 20 };

static struct text proof_of(struct arena *arena, const struct client *client);
static enum call_end read_secret(struct call *call, struct client *client, char shown[44]);
static void show_added(struct call *call, const struct client *client, const char *secret);

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
                CELL_TEXT(proof_of(of_row, client)),
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
static struct text proof_of(struct arena *arena, const struct client *client)
{
    const struct {
        bool has;
        const char *word;
    } rows[] = {
        {client->secrets[0].hash[0] != '\0' || client->secrets[1].hash[0] != '\0', "secret"},
        {client_key_ids(arena, client).size > 0, "assertion"},
        {client_key_thumbprints(arena, client).size > 0 ||
             client_key_certificate_name(arena, client).size > 0,
         "certificate"},
    };
    struct buffer b;

    buffer_start(&b, arena, 64);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].has) {
            buffer_addf(&b, "%s%s", buffer_text(&b).size > 0 ? ", " : "", rows[i].word);
        }
    }
    return buffer_text(&b).size > 0 ? buffer_text(&b) : TEXT("none (public)");
}

/* ---- add ---- */

enum call_end verbs_client_add(struct call *call)
{
    struct client client = {.enabled = true, .created_ms = call->now_ms};
    char secret[44] = "";
    struct store_write write;
    struct fault fault = {0};
    struct text id = text_of(call_argument(call, 0));

    if (!text_is_visible_ascii(id) || !text_copy(id, client.id, sizeof client.id)) {
        return call_wrong(call, "a client's id has 1 to %d visible ASCII characters",
                          CLIENT_ID_MAX);
    }
    struct client there;
    if (store_client_find(call->service.store, client.id, &there, NULL) == STORE_OK) {
        return call_refuse(call,
                           "client %s exists; `retoken client secret add %s` gives it another "
                           "secret",
                           client.id, client.id);
    }
    enum call_end end = verbs_client_read(call, &client);
    end = end == CALL_DONE ? read_secret(call, &client, secret) : end;
    if (end != CALL_DONE) {
        return end;
    }
    store_prepare_client_add(&write, &client);
    call_attach(call, &write, EVENT_CLIENT, 0, client.id, "added", "added");
    switch (store_write(call->service.store, &write, &fault)) {
    case STORE_OK:
        show_added(call, &client, secret);
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

/* Its first secret, unless it is public or proved by its keys. */
static enum call_end read_secret(struct call *call, struct client *client, char shown[44])
{
    const char *file = options_value(&call->options, OPTION_SECRET_FILE);
    bool public = options_has(&call->options, OPTION_PUBLIC);

    if (file != NULL && public) {
        return call_wrong(call, "--public and --secret-file exclude each other");
    } else if (public && client->keys[0] != '\0') {
        return call_wrong(call, "--public excludes --key, --certificate and --certificate-name");
    } else if (public || (file == NULL && client->keys[0] != '\0')) {
        return CALL_DONE;
    }
    client->secrets[0].number = 1;
    client->secrets[0].from_ms = call->now_ms;
    return verbs_client_secret_read(call, &client->secrets[0], shown);
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
        output_say(&call->output, "client %s added; proof: %.*s", client->id,
                   TEXT_ARGS(proof_of(call->arena, client)));
    }
}

/* ---- remove ---- */

/* The first commit ends the sessions; that their records say so may be made up for by another run,
 * when this one is interrupted. */
enum call_end verbs_client_remove(struct call *call)
{
    const char *id = call_argument(call, 0);
    struct fault fault = {0};
    size_t ended = 0;
    enum store_result removed;
    struct store_write write;

    store_prepare_client_remove(&write, id);
    call_attach(call, &write, EVENT_CLIENT, 0, id, "removed", "removed");
    removed = store_write(call->service.store, &write, &fault);
    if (removed == STORE_FAULT) {
        return call_fault(call, &fault);
    } else if (store_client_sessions_mark(call->service.store, id, call->now_ms, &ended, &fault) !=
               STORE_OK) {
        fault_prefix(&fault,
                     "the sessions of client %s are refused, but not all are marked as "
                     "ended; repeat this",
                     id);
        return call_fault(call, &fault);
    } else if (removed == STORE_ABSENT && ended == 0) {
        return call_refuse(call, "no client %s; `retoken client list` shows all", id);
    }
    output_say(&call->output, "client %s removed; %zu session%s ended", id, ended,
               ended == 1 ? "" : "s");
    return CALL_DONE;
}
