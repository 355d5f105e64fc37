/* SPDX-License-Identifier: ISC */
/* client_secret.c: `retoken client secret …`: a client has up to two secrets at a time, so
 * that it can be given another one while the old one is in use. Knows their numbers and times; does
 * not know how a secret is checked. */
#include <stdio.h>
#include <string.h>

#include "admin/prompt.h"
#include "admin/verbs/verbs.h"
#include "base/secret.h"
#include "operation/password.h"
#include "token/refresh_token.h"

static const struct column columns[] = {
    {"number", "number", COLUMN_NUMBER, false},
    {"from", "from", COLUMN_TIME, false},
    {"used", "last used", COLUMN_TIME, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* Shorter ones, of a human's making, are guessed. */
static const struct call_lengths secret_lengths = {16, 8};

static enum call_end list(struct call *call, const struct client *client);
static enum call_end add(struct call *call, const struct client *before);
static enum call_end retire(struct call *call, const struct client *before);
static enum call_end update(struct call *call, const struct client *before,
                            const struct client *after, const char *what);
static struct client_secret *free_place(struct client *client);
static uint32_t next_number(const struct client *client);
static bool hash_chosen(struct call *call, struct text chosen, struct client_secret *secret,
                        struct fault *fault);
static void show(struct call *call, const struct client *client, uint32_t number,
                 const char *secret, bool was_public);

enum call_end verbs_client_secret(struct call *call)
{
    static const struct {
        const char *word;
        enum call_end (*run)(struct call *call, const struct client *client);
        bool takes_number;
    } actions[] = {{"add", add, false}, {"list", list, false}, {"retire", retire, true}};
    const char *word = call_argument(call, 0);
    struct client client;

    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(word, actions[i].word) != 0) {
            continue;
        } else if (actions[i].takes_number != (call_argument(call, 2) != NULL)) {
            break;
        }
        enum call_end end = call_client(call, call_argument(call, 1), &client);
        return end == CALL_DONE ? actions[i].run(call, &client) : end;
    }
    return call_wrong(call, "write `client secret add ID`, `client secret list ID` or "
                            "`client secret retire ID NUMBER`");
}

/* ---- list ---- */

static enum call_end list(struct call *call, const struct client *client)
{
    output_table_start(&call->output, columns, COLUMNS);
    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        const struct client_secret *secret = &client->secrets[i];
        const struct cell cells[COLUMNS] = {CELL_NUMBER(secret->number),
                                            CELL_NUMBER(secret->from_ms),
                                            CELL_NUMBER(secret->used_ms)};

        if (secret->hash[0] != '\0') {
            output_row(&call->output, cells);
        }
    }
    output_table_end(&call->output, "no secrets");
    return CALL_DONE;
}

/* ---- add ---- */

static enum call_end add(struct call *call, const struct client *before)
{
    struct client after = *before;
    struct client_secret *place = free_place(&after);
    bool was_public = !client_is_confidential(before);
    char shown[44] = "";

    if (place == NULL) {
        return call_refuse(call,
                           "client %s has two secrets; `retoken client secret retire %s NUMBER` "
                           "ends one (`… list %s` shows which is in use)",
                           before->id, before->id, before->id);
    }
    *place = (struct client_secret){.number = next_number(before), .from_ms = call->now_ms};
    enum call_end end = verbs_client_secret_read(call, place, shown);
    end = end == CALL_DONE ? update(call, before, &after, "secret added") : end;
    if (end == CALL_DONE) {
        show(call, &after, place->number, shown, was_public);
    }
    secret_wipe(shown, sizeof shown);
    return end;
}

static struct client_secret *free_place(struct client *client)
{
    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        if (client->secrets[i].hash[0] == '\0') {
            return &client->secrets[i];
        }
    }
    return NULL;
}

/* A place that is free still has the number of the secret that was there. */
static uint32_t next_number(const struct client *client)
{
    uint32_t last = 0;

    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        last = client->secrets[i].number > last ? client->secrets[i].number : last;
    }
    return last + 1;
}

enum call_end verbs_client_secret_read(struct call *call, struct client_secret *secret,
                                       char shown[44])
{
    const char *file = options_value(&call->options, OPTION_SECRET_FILE);
    char given[PASSWORD_MAX + 3]; /* and a line end of one or two bytes */
    size_t size = 0;
    struct fault fault = {0};
    enum call_end end = CALL_DONE;

    if (file != NULL && !prompt_line(file, given, sizeof given, &size, &fault)) {
        return call_wrong(call, "no secret: %s", fault.text);
    } else if (file == NULL && !client_secret_generate(&call->randomness, shown)) {
        fault_set(&fault, "cannot get random bytes for a secret");
        return call_fault(call, &fault);
    }
    if (size > PASSWORD_MAX) {
        end = call_wrong(call, "a secret has at most %d bytes", PASSWORD_MAX);
    } else if (file != NULL) {
        end = call_check_length(call, "a secret", size, &secret_lengths);
    }
    if (end == CALL_DONE &&
        !hash_chosen(call, file != NULL ? (struct text){given, size} : text_of(shown), secret,
                     &fault)) {
        end = call_fault(call, &fault);
    }
    secret_wipe(given, sizeof given);
    return end;
}

/* One that nobody can guess, whoever made it, needs no slow hash: checking it costs nothing, so it
 * is checked whatever token comes along. */
static bool hash_chosen(struct call *call, struct text chosen, struct client_secret *secret,
                        struct fault *fault)
{
    return client_secret_hash(chosen, !refresh_token_is_guessable(chosen), &call->service.secrets,
                              &call->randomness, secret->hash, fault);
}

static void show(struct call *call, const struct client *client, uint32_t number,
                 const char *secret, bool was_public)
{
    struct json_out *out = &call->output.out;

    if (call->output.json) {
        json_out_open(out);
        json_out_member(out, "client", text_of(client->id));
        json_out_key(out, "number");
        json_out_int(out, number);
        json_out_key(out, "client_secret");
        if (secret[0] != '\0') {
            json_out_text(out, text_of(secret));
        } else {
            json_out_null(out);
        }
        json_out_close(out);
        output_json_end(&call->output);
        return;
    }
    output_say(&call->output, "secret %u of client %s added%s%s%s", (unsigned)number, client->id,
               was_public ? "; it was public, and has to prove itself from now on" : "",
               secret[0] != '\0' ? "; it is shown only once:\n" : "", secret);
}

/* ---- retire ---- */

static enum call_end retire(struct call *call, const struct client *before)
{
    struct client after = *before;
    struct client_secret *secret;
    uint64_t number;

    if (!text_to_u64(text_of(call_argument(call, 2)), UINT32_MAX, &number)) {
        return call_wrong(call, "%s: write the number that `retoken client secret list` shows",
                          call_argument(call, 2));
    }
    secret = client_secret_find(&after, (uint32_t)number);
    if (secret == NULL) {
        return call_refuse(call, "client %s has no secret %u; `retoken client secret list %s`",
                           before->id, (unsigned)number, before->id);
    }
    *secret = (struct client_secret){.number = secret->number};
    if (!client_is_confidential(&after)) {
        return call_refuse(call,
                           "client %s has nothing else to prove itself with; `retoken client "
                           "secret add %s` first",
                           before->id, before->id);
    }
    enum call_end end = update(call, before, &after, "secret retired");
    if (end == CALL_DONE) {
        output_say(&call->output, "secret %u of client %s retired", (unsigned)number, before->id);
    }
    return end;
}

static enum call_end update(struct call *call, const struct client *before,
                            const struct client *after, const char *what)
{
    return verbs_client_update(call, before, after, what);
}
