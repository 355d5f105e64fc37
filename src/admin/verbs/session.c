/* SPDX-License-Identifier: ISC */
/* session.c: `retoken session …`. Knows how sessions are begun and ended by hand; does
 * not know how they are kept. */
#include "admin/verbs/verbs.h"

#include <string.h>

#include "admin/confirmation.h"
#include "admin/explain/explain.h"
#include "admin/prompt.h"
#include "base/codec.h"
#include "base/secret.h"
#include "dialect/dialect.h"
#include "model/scope.h"
#include "operation/issue.h"
#include "token/layout.h"
#include "token/refresh_token.h"

static const struct column columns[] = {
    {"session", "session", COLUMN_TEXT, false}, {"account", "account", COLUMN_TEXT, false},
    {"client", "client", COLUMN_TEXT, false},   {"realm", "realm", COLUMN_TEXT, false},
    {"scope", "scope", COLUMN_TEXT, true},      {"generation", "gen", COLUMN_NUMBER, false},
    {"state", "state", COLUMN_TEXT, false},     {"created", "created", COLUMN_TIME, true},
    {"renewed", "renewed", COLUMN_TIME, false}, {"expires", "expires", COLUMN_TIME, true},
    {"ended", "ended", COLUMN_TIME, true},      {"key", "bound to", COLUMN_TEXT, true},
    {"thumbprint", "key", COLUMN_TEXT, true},   {"resources", "only for", COLUMN_TEXT, true},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], PAGE = 128 };

struct names {
    char id[37];
    char thumbprint[SESSION_THUMBPRINT_SIZE + 1];
    struct call_name account;
};

static enum store_result fill(struct call *call, const struct session *session, struct names *names,
                              struct cell cells[COLUMNS], struct fault *fault);
static enum call_end find(struct call *call, const char *spelled, struct session_view *grant);
static enum call_end revoke_account(struct call *call, const char *name);
static enum call_end revoke_client(struct call *call, const char *id);
static enum call_end revoke_realm(struct call *call, const char *name);
static enum call_end revoke_all(struct call *call, struct store_write *write, const char *of,
                                const char *name);
static enum call_end find_account(struct call *call, struct account *account);
static enum call_end find_client(struct call *call, const struct mount *mount,
                                 struct issue_ask *ask);
static enum call_end read_import(struct call *call, struct text *imported);
static enum call_end check_import(struct call *call, struct text token);
static void show_created(struct call *call, const struct issue_ask *ask, const struct mount *mount,
                         const struct answer *answer);

enum call_end verbs_session_list(struct call *call)
{
    struct session *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    struct account account = {0};
    struct names names = {0};
    struct fault fault = {"out of memory"};
    uint8_t after[SESSION_ID_SIZE];
    size_t count = PAGE;
    bool first = true;
    const char *name = options_value(&call->options, OPTION_ACCOUNT);

    if (name != NULL) {
        enum call_end end = call_account(call, name, &account);

        if (end != CALL_DONE) {
            return end;
        }
    }
    output_table_start(&call->output, columns, COLUMNS);
    while (count == PAGE) {
        if (rows == NULL ||
            store_session_list(call->service.store, account.number, first ? NULL : after, rows,
                               PAGE, &count, &fault) != STORE_OK) {
            return call_fault(call, &fault);
        }
        for (size_t i = 0; i < count; i++) {
            struct cell cells[COLUMNS];

            if (fill(call, &rows[i], &names, cells, &fault) != STORE_OK) {
                return call_fault(call, &fault);
            }
            output_row(&call->output, cells);
        }
        if (count > 0) {
            memcpy(after, rows[count - 1].id, sizeof after);
        }
        first = false;
    }
    output_table_end(&call->output, "no sessions; `retoken session create --mount PATH --account "
                                    "NAME` begins one");
    return CALL_DONE;
}

enum call_end verbs_session_show(struct call *call)
{
    struct session_view grant;
    struct names names = {0};
    struct cell cells[COLUMNS];
    struct fault fault = {0};
    enum call_end end = find(call, call_argument(call, 0), &grant);

    if (end != CALL_DONE) {
        return end;
    }
    if (fill(call, &grant.session, &names, cells, &fault) != STORE_OK) {
        return call_fault(call, &fault);
    }
    if (call->output.json) {
        json_out_open(&call->output.out);
        output_members(&call->output, columns, COLUMNS, cells);
    }
    output_lines(&call->output, columns, COLUMNS, cells, "");
    end = explain_session(call, &grant);
    if (call->output.json) {
        json_out_close(&call->output.out);
        output_json_end(&call->output);
    }
    return end;
}

/* Cells that point into session and names. */
static enum store_result fill(struct call *call, const struct session *session, struct names *names,
                              struct cell cells[COLUMNS], struct fault *fault)
{
    int64_t renewed =
        session->used_ms > session->rotated_ms ? session->used_ms : session->rotated_ms;
    enum store_result result = call_account_name(call, session->account, &names->account, fault);

    if (result == STORE_OK && !session_key_thumbprint(session, names->thumbprint)) {
        fault_set(fault, "cannot hash a key: libcrypto failed");
        result = STORE_FAULT;
    }
    codec_uuid_format(session->id, names->id);
    const struct cell row[COLUMNS] = {
        CELL_TEXT(text_of(names->id)),
        CELL_TEXT(text_of(names->account.text)),
        CELL_TEXT(text_of(session->client)),
        CELL_TEXT(text_of(session->realm)),
        CELL_TEXT(text_of(session->scope)),
        CELL_NUMBER(session->generation),
        CELL_TEXT(text_of(verbs_session_state(session, call->now_ms))),
        CELL_NUMBER(session->created_ms),
        CELL_NUMBER(renewed),
        CELL_NUMBER(session->expires_ms),
        CELL_NUMBER(session->ended_ms),
        CELL_TEXT(text_of(session_key_name(session->key_kind))),
        CELL_TEXT(text_of(names->thumbprint)),
        CELL_TEXT(text_of(session->targets)),
    };
    memcpy(cells, row, sizeof row);
    return result;
}

const char *verbs_session_state(const struct session *session, int64_t now_ms)
{
    if (session->end != SESSION_LIVE) {
        return session_end_meaning(session->end);
    }
    if (session->expires_ms != 0 && session->expires_ms <= now_ms) {
        return "expired";
    }
    return session_pending_meaning(session->pending);
}

/* The session that the first argument names. */
static enum call_end find(struct call *call, const char *spelled, struct session_view *grant)
{
    uint8_t id[SESSION_ID_SIZE];
    struct fault fault = {0};
    enum call_end end = call_session_id(call, spelled, id);

    if (end != CALL_DONE) {
        return end;
    }
    switch (store_session_view(call->service.store, id, grant, &fault)) {
    case STORE_OK:
        return CALL_DONE;
    case STORE_ABSENT:
        return call_refuse(call, "no session %s: it ended and was swept, or never existed",
                           spelled);
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return call_fault(call, &fault);
}

/* ---- revoke ---- */

enum call_end verbs_session_revoke(struct call *call)
{
    const char *spelled = call_argument(call, 0);
    const char *account = options_value(&call->options, OPTION_ACCOUNT);
    const char *client = options_value(&call->options, OPTION_CLIENT);
    const char *realm = options_value(&call->options, OPTION_REALM);
    bool all = options_has(&call->options, OPTION_ALL);
    struct session_view grant;
    struct fault fault = {0};

    if ((spelled != NULL) + (account != NULL) + (client != NULL) + (realm != NULL) + all != 1) {
        return call_wrong(call, "give one SESSION, or one of --account NAME, --client ID, --realm "
                                "REALM and --all");
    } else if (account != NULL) {
        return revoke_account(call, account);
    } else if (client != NULL) {
        return revoke_client(call, client);
    } else if (realm != NULL || all) {
        return revoke_realm(call, realm);
    }
    enum call_end end = find(call, spelled, &grant);
    if (end != CALL_DONE) {
        return end;
    }
    const struct session *session = &grant.session;
    if (session->end != SESSION_LIVE) {
        output_say(&call->output, "session %s has ended already: %s", spelled,
                   session_end_meaning(session->end));
        return CALL_DONE;
    }
    struct event event;

    event_of_session(&event, EVENT_REVOKED, session, session->generation, call->now_ms);
    event_set_cause(&event, "admin");
    if (store_session_end(call->service.store, session->id, SESSION_ENDED_ADMIN, call->now_ms,
                          &event, &fault) != STORE_OK) {
        return call_fault(call, &fault);
    }
    output_say(&call->output, "session %s of %s revoked", spelled,
               grant.has_account                 ? grant.account.name
               : session_is_clients_own(session) ? session->client
                                                 : "a removed account");
    return CALL_DONE;
}

static enum call_end revoke_account(struct call *call, const char *name)
{
    struct account account;
    struct store_write write;
    enum call_end end = call_account(call, name, &account);

    if (end != CALL_DONE) {
        return end;
    }
    store_prepare_end_account(&write, account.number, SESSION_ENDED_ADMIN, call->now_ms);
    call_attach(call, &write, EVENT_REVOKED, account.number, NULL, "admin",
                "all sessions of the account");
    return revoke_all(call, &write, " of ", name);
}

static enum call_end revoke_client(struct call *call, const char *id)
{
    struct client client;
    struct store_write write;
    enum call_end end = call_client(call, id, &client);

    if (end != CALL_DONE) {
        return end;
    }
    store_prepare_end_client(&write, client.id, SESSION_ENDED_ADMIN, call->now_ms);
    call_attach(call, &write, EVENT_REVOKED, 0, client.id, "admin", "all sessions of the client");
    return revoke_all(call, &write, " of client ", client.id);
}

/* NULL: of every realm, also of those that are not configured any more. */
static enum call_end revoke_realm(struct call *call, const char *name)
{
    const struct config *config = &call->service.config;
    struct store_write write;
    size_t i = 0;

    while (name != NULL && i < config->realm_count &&
           !text_is(text_of(config->realms[i].name), name)) {
        i++;
    }
    if (name != NULL && (name[0] == '\0' || i == config->realm_count)) {
        return call_refuse(call, "no realm %s; `retoken doctor` shows all", name);
    }
    store_prepare_end_realm(&write, name, SESSION_ENDED_ADMIN, call->now_ms);
    call_attach(call, &write, EVENT_REVOKED, 0, NULL, "admin",
                name != NULL ? "all sessions of the realm" : "all sessions");
    if (name != NULL) {
        (void)text_copy(text_of(name), write.event[0].realm, sizeof write.event[0].realm);
    }
    return revoke_all(call, &write, name != NULL ? " of realm " : "", name != NULL ? name : "");
}

/* From its first commit on they have ended; then their records say so. */
static enum call_end revoke_all(struct call *call, struct store_write *write, const char *of,
                                const char *name)
{
    struct fault fault = {0};
    size_t count = 0;

    if (store_write_and_mark(call->service.store, write, &count, &fault) != STORE_OK) {
        return call_fault(call, &fault);
    }
    output_say(&call->output, "%zu session%s%s%s revoked", count, count == 1 ? "" : "s", of, name);
    return CALL_DONE;
}

/* ---- create ---- */

static const struct column created_columns[] = {
    {"session", "session", COLUMN_TEXT, false},
    {"mount", "mount", COLUMN_TEXT, false},
    {"account", "account", COLUMN_TEXT, false},
    {"client", "client", COLUMN_TEXT, false},
    {"scope", "scope", COLUMN_TEXT, false},
    {"generation", "generation", COLUMN_NUMBER, false},
    {"expires", "session expires", COLUMN_TIME, false},
    {"expires_in", "access token lives (s)", COLUMN_NUMBER, false},
    {"refresh_token", "refresh token", COLUMN_TEXT, false},
    {"access_token", "access token", COLUMN_TEXT, false},
};
enum { CREATED_COLUMNS = sizeof created_columns / sizeof created_columns[0] };

enum call_end verbs_session_create(struct call *call)
{
    struct account account;
    struct request request = {.arena = call->arena, .issuer = &call->service.issuer};
    const struct mount *mount = NULL;
    const char *scope = options_value(&call->options, OPTION_SCOPE);
    struct issue_ask ask = {.account = &account,
                            .scope_given = scope != NULL,
                            .scope = text_of(scope),
                            .has_event = true,
                            .event = EVENT_BEGUN,
                            .cause = "admin"};
    enum call_end end = verbs_session_mount(call, &mount);

    if (end == CALL_DONE && confirmation_is_a_browsers(mount)) {
        return call_refuse(call,
                           "%s renews the sessions of browsers' keys, and a browser begins "
                           "them, at the `start` of its dialect; name another mount",
                           mount->path);
    }
    end = end == CALL_DONE ? find_account(call, &account) : end;
    end = end == CALL_DONE ? find_client(call, mount, &ask) : end;
    end = end == CALL_DONE ? read_import(call, &ask.imported) : end;
    if (end != CALL_DONE) {
        return end;
    }
    request.realm = mount->realm;
    enum outcome outcome = issue_session(&request, &ask);
    if (outcome_is_grant(outcome)) {
        show_created(call, &ask, mount, &request.answer);
        return CALL_DONE;
    }
    if (outcome == OUTCOME_FAULT) {
        return call_fault(call, &request.fault);
    }
    if (outcome == OUTCOME_TOKEN_INVALID) {
        return call_refuse(call, "the token cannot be imported: a session has it already");
    }
    return call_refuse(call, "%s", outcome_meaning(outcome));
}

enum call_end verbs_session_mount(struct call *call, const struct mount **mount)
{
    const char *path = options_value(&call->options, OPTION_MOUNT);

    if (path == NULL) {
        return call_wrong(call, "--mount PATH is missing");
    }
    *mount = config_mount(&call->service.config, path);
    if (*mount == NULL) {
        return call_refuse(call, "no mount %s; `retoken doctor` shows all", path);
    }
    if (!realm_issues((*mount)->realm)) {
        return call_refuse(call, "%s takes no refresh tokens", path);
    }
    return CALL_DONE;
}

static enum call_end find_account(struct call *call, struct account *account)
{
    const char *name = options_value(&call->options, OPTION_ACCOUNT);

    if (name == NULL) {
        return call_wrong(call, "--account NAME is missing");
    }
    enum call_end end = call_account(call, name, account);
    if (end == CALL_DONE && !account->enabled) {
        return call_refuse(call, "account %s is disabled; `retoken account enable %s` first", name,
                           name);
    }
    return end;
}

static enum call_end find_client(struct call *call, const struct mount *mount,
                                 struct issue_ask *ask)
{
    const char *id = options_value(&call->options, OPTION_CLIENT);
    struct client client;

    if (id == NULL) {
        return CALL_DONE;
    }
    enum call_end end = call_client(call, id, &client);
    if (end != CALL_DONE) {
        return end;
    }
    if (client.scope[0] != '\0' && !scope_covers(text_of(client.scope), ask->scope)) {
        return call_refuse(call, "client %s may only have the scope %s", id, client.scope);
    }
    if (!client.enabled) {
        return call_refuse(call, "client %s is disabled; `retoken client enable %s` first", id, id);
    }
    ask->client = text_of(id);
    /* what a login would have granted: a client that asks for its scope later gets it */
    if (!ask->scope_given && client.scope[0] != '\0' && mount->realm->policy.layout->says_scope) {
        ask->scope_given = arena_copy(call->arena, text_of(client.scope), &ask->scope);
    }
    /* as if it had begun there: no other mount of the realm takes it with less proof */
    ask->client_proved = mount->endpoint->client_bound && client_is_confidential(&client);
    return CALL_DONE;
}

static enum call_end read_import(struct call *call, struct text *imported)
{
    const char *path = options_value(&call->options, OPTION_IMPORT);
    struct fault fault = {0};

    if (path == NULL) {
        return CALL_DONE;
    }
    char *token = arena_alloc(call->arena, REFRESH_TOKEN_MAX + 3);
    size_t size;
    if (token == NULL || !prompt_line(path, token, REFRESH_TOKEN_MAX + 3, &size, &fault)) {
        return call_wrong(call, "no token: %s", fault.text);
    }
    *imported = (struct text){token, size};
    return check_import(call, *imported);
}

/* That a session has it already, the store says. */
static enum call_end check_import(struct call *call, struct text token)
{
    struct fault fault = {0};

    if (!refresh_token_importable(&call->service.secrets, token, &fault)) {
        return call_refuse(call, "the token cannot be imported: %s", fault.text);
    } else if (refresh_token_is_guessable(token) && !options_has(&call->options, OPTION_FORCE)) {
        return call_refuse(call, "the token can be guessed: it has less than 128 bits; take it all "
                                 "the same with --force");
    }
    return CALL_DONE;
}

static void show_created(struct call *call, const struct issue_ask *ask, const struct mount *mount,
                         const struct answer *answer)
{
    char id[37];

    codec_uuid_format(answer->session, id);
    const struct cell cells[CREATED_COLUMNS] = {
        CELL_TEXT(text_of(id)),
        CELL_TEXT(text_of(mount->path)),
        CELL_TEXT(text_of(ask->account->name)),
        CELL_TEXT(ask->client),
        CELL_TEXT(ask->scope),
        CELL_NUMBER(0),
        CELL_NUMBER(answer->session_expires_ms),
        CELL_NUMBER(answer->expires_in_s),
        CELL_TEXT(answer->refresh_token),
        CELL_TEXT(answer->access_token),
    };
    output_record(&call->output, created_columns, CREATED_COLUMNS, cells);
}
