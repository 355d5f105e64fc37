/* SPDX-License-Identifier: ISC */
/* session_export.c: `retoken session export`: all sessions, one a line as JSON, as `retoken
 * session import` reads them; if asked, each with the refresh token that its holder has, where that
 * can be derived. Changes nothing. Does not know how sessions are kept. */
#include "admin/verbs/verbs.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "admin/confirmation.h"
#include "base/codec.h"
#include "operation/decision.h"
#include "operation/token_ref.h"
#include "token/refresh_token.h"

static const struct column columns[] = {
    {"session", "session", COLUMN_TEXT, false}, {"account", "account", COLUMN_TEXT, false},
    {"client", "client", COLUMN_TEXT, false},   {"realm", "realm", COLUMN_TEXT, false},
    {"created", "created", COLUMN_TIME, false}, {"renewed", "renewed", COLUMN_TIME, false},
    {"expires", "expires", COLUMN_TIME, false}, {"generation", "gen", COLUMN_NUMBER, false},
    {"state", "state", COLUMN_TEXT, false},
};
enum { COLUMNS = sizeof columns / sizeof columns[0], PAGE = 128 };

struct exporting {
    struct call *call;
    struct account account;    /* of whom; number 0 = all */
    const struct mount *mount; /* of whose realm; NULL = any */
    bool with_tokens;
    uint64_t without; /* live sessions whose token cannot be derived */
    struct call_name name;
    struct fault fault;
};

static enum call_end choose(struct exporting *exporting);
static bool write_page(struct exporting *exporting, const struct session *rows, size_t count);
static bool write_session(struct exporting *exporting, const struct session_view *view);
static bool write_token(struct exporting *exporting, const struct session *session, bool is_live);
static bool find_spelling(struct exporting *exporting, const struct session *session,
                          enum refresh_format *format);

/* A page at a time, so that memory is bounded. */
enum call_end verbs_session_export(struct call *call)
{
    struct exporting exporting = {.call = call, .fault = {"out of memory"}};
    struct session *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    uint8_t after[SESSION_ID_SIZE];
    const uint8_t *from = NULL;
    size_t count = PAGE;
    enum call_end end = choose(&exporting);
    bool good = rows != NULL;

    while (end == CALL_DONE && good && count == PAGE) {
        good = store_session_list(call->service.store, exporting.account.number, from, rows, PAGE,
                                  &count, &exporting.fault) == STORE_OK &&
               write_page(&exporting, rows, count);
        if (good && count > 0) {
            memcpy(after, rows[count - 1].id, sizeof after);
            from = after;
        }
    }
    if (exporting.without > 0) {
        call_warn(call,
                  "%" PRIu64 " live sessions without their token: another server made it, or it "
                  "is a JWT, and neither is kept",
                  exporting.without);
    }
    return good ? end : call_fault(call, &exporting.fault);
}

static enum call_end choose(struct exporting *exporting)
{
    struct call *call = exporting->call;
    const char *name = options_value(&call->options, OPTION_ACCOUNT);
    enum call_end end = CALL_DONE;

    call->output.json = true; /* there is no other form */
    exporting->with_tokens = options_has(&call->options, OPTION_WITH_TOKENS);
    if (exporting->with_tokens && isatty(STDOUT_FILENO) == 1) {
        call_warn(call, "these lines log in as everyone in them; write them into a file that only "
                        "you can read, and remove it afterwards");
    }
    if (name != NULL) {
        end = call_account(call, name, &exporting->account);
    }
    if (end == CALL_DONE && options_has(&call->options, OPTION_MOUNT)) {
        end = verbs_session_mount(call, &exporting->mount);
    }
    return end;
}

static bool write_page(struct exporting *exporting, const struct session *rows, size_t count)
{
    const struct mount *mount = exporting->mount;

    for (size_t i = 0; i < count; i++) {
        struct session_view view;

        if (mount != NULL && strcmp(rows[i].realm, mount->realm->name) != 0) {
            continue;
        }
        switch (store_session_view(exporting->call->service.store, rows[i].id, &view,
                                   &exporting->fault)) {
        case STORE_OK:
            if (!write_session(exporting, &view)) {
                return false;
            }
            break;
        case STORE_ABSENT: /* swept meanwhile */
            break;
        case STORE_EXISTS:
        case STORE_STALE:
        case STORE_FAULT:
            return false;
        }
    }
    return true;
}

static bool write_session(struct exporting *exporting, const struct session_view *view)
{
    struct call *call = exporting->call;
    struct json_out *out = &call->output.out;
    const struct session *session = &view->session;
    const char *state = verbs_session_state(&view->session, call->now_ms);
    char id[37];

    if (call_account_name(call, session->account, &exporting->name, &exporting->fault) !=
        STORE_OK) {
        return false;
    }
    codec_uuid_format(session->id, id);
    const struct cell cells[COLUMNS] = {
        CELL_TEXT(text_of(id)),
        CELL_TEXT(text_of(exporting->name.text)),
        CELL_TEXT(text_of(session->client)),
        CELL_TEXT(text_of(session->realm)),
        CELL_NUMBER(session->created_ms),
        CELL_NUMBER(session->used_ms > session->rotated_ms ? session->used_ms
                                                           : session->rotated_ms),
        CELL_NUMBER(session->expires_ms),
        CELL_NUMBER(session->generation),
        CELL_TEXT(text_of(state)),
    };
    json_out_open(out);
    output_members(&call->output, columns, COLUMNS, cells);
    if (session->scope_given) { /* an empty one is not the same as none */
        json_out_member(out, "scope", text_of(session->scope));
    }
    if (session->targets[0] != '\0') {
        json_out_member(out, "resources", text_of(session->targets));
    }
    confirmation_write(out, session);
    if (exporting->with_tokens &&
        !write_token(exporting, session,
                     strcmp(state, session_pending_meaning(SESSION_BEGUN)) == 0)) {
        return false;
    }
    json_out_close(out);
    output_json_end(&call->output);
    return true;
}

static bool write_token(struct exporting *exporting, const struct session *session, bool is_live)
{
    struct call *call = exporting->call;
    enum refresh_format format = REFRESH_FORMAT_JWT;
    struct text token;

    if (!is_live) {
        return true;
    } else if (!find_spelling(exporting, session, &format)) {
        return false;
    } else if (format == REFRESH_FORMAT_JWT) {
        exporting->without++;
        return true;
    } else if (!token_ref_mint(&call->service.issuer, format, session->secret, session->id,
                               session->generation, call->output.arena, &token,
                               &exporting->fault)) {
        return false;
    }
    json_out_member(&call->output.out, "token", token);
    return true;
}

/* How its current token is spelled. REFRESH_FORMAT_JWT: as none that can be derived. */
static bool find_spelling(struct exporting *exporting, const struct session *session,
                          enum refresh_format *format)
{
    struct call *call = exporting->call;
    uint8_t alias[SESSION_HASH_SIZE];
    struct token_ref unused;

    *format =
        session->generation == 0 && session->has_alias ? REFRESH_FORMAT_JWT : REFRESH_FORMAT_NATIVE;
    if (*format == REFRESH_FORMAT_JWT || !session->has_derived_aliases) {
        return true;
    } else if (!refresh_token_uuid_alias(&call->service.secrets, session->secret, session->id,
                                         session->generation, alias)) {
        fault_set(&exporting->fault, "cannot derive an alias");
        return false;
    }
    switch (store_alias_find(call->service.store, alias, unused.session, &unused.generation,
                             &exporting->fault)) {
    case STORE_OK:
        *format = REFRESH_FORMAT_UUID;
        return true;
    case STORE_ABSENT: /* another mount of the realm made it */
        return true;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    return false;
}
