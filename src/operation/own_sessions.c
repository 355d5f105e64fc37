/* SPDX-License-Identifier: ISC */
/* own_sessions.c: the operation by which a user sees and ends sessions of their own, with an access
 * token of any of them: those of the token's account in its realm. Knows no token but that one, and
 * tells none; does not know how a list is spelled. */
#include <stddef.h>
#include <string.h>

#include "base/codec.h"
#include "base/secret.h"
#include "operation/operation.h"
#include "operation/request_event.h"
#include "operation/standing.h"

enum { PAGE_ROWS = 16 };

struct own_sessions {
    enum outcome outcome;
    bool writes;
    struct store_write write;
    struct standing standing; /* last, because it is large and not zeroed */
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum outcome judge(struct request *request, struct own_sessions *own);
static enum outcome list(struct request *request, const struct own_sessions *own);
static enum outcome end(struct request *request, struct own_sessions *own);

const struct operation operation_own_sessions = {
    .word = "sessions", .finds_client = true, .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct own_sessions *own =
        operation_state(request, sizeof *own, offsetof(struct own_sessions, standing));

    if (own == NULL) {
        return false;
    }
    own->outcome = judge(request, own);
    if (own->outcome == OUTCOME_SERVED) {
        own->outcome = request->input.own_sessions.ends ? end(request, own) : list(request, own);
    }
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct own_sessions *own = request->state;

    *outcome = own->outcome;
    return own->writes ? &own->write : NULL;
}

static void written(struct request *request, enum store_result result)
{
    struct own_sessions *own = request->state;

    own->writes = false;
    switch (result) {
    case STORE_OK:
        return;
    case STORE_ABSENT: /* swept since it was read */
    case STORE_EXISTS:
    case STORE_STALE:
        own->outcome = OUTCOME_NONE_ENDED;
        return;
    case STORE_FAULT:
        own->outcome = OUTCOME_FAULT;
        return;
    }
}

/* OUTCOME_SERVED: own->standing is of a live session of an account, whose page asks, if one does.
 */
static enum outcome judge(struct request *request, struct own_sessions *own)
{
    struct clock_moment now = clock_moment(&request->issuer->clock);

    request->answer.now_ms = now.wall_ms;
    return standing_of_user(request, request->input.own_sessions.access_token, now, &own->standing);
}

/* Is it one that its user would call a session: of this realm, begun, and not over? */
static bool is_shown(const struct request *request, const struct session *session)
{
    return text_equal(text_of(session->realm), text_of(request->realm->name)) &&
           session_lives(session, request->answer.now_ms);
}

/* ---- list ---- */

static bool add(struct request *request, const struct session *session,
                const uint8_t current[SESSION_ID_SIZE], struct own_session *row);

/* In order of their beginning; of very many, the newest. */
static enum outcome list(struct request *request, const struct own_sessions *own)
{
    const struct session *asks = &own->standing.view.session;
    struct session *page = arena_alloc(request->arena, PAGE_ROWS * sizeof *page);
    struct own_session *rows = arena_alloc(request->arena, OWN_SESSIONS_MAX * sizeof *rows);
    size_t count = PAGE_ROWS, kept = 0;
    uint8_t after[SESSION_ID_SIZE];
    bool first = true;

    while (page != NULL && rows != NULL && count == PAGE_ROWS) {
        if (store_session_list(request->issuer->store, asks->account, first ? NULL : after, page,
                               PAGE_ROWS, &count, &request->fault) != STORE_OK) {
            return OUTCOME_FAULT;
        }
        for (size_t i = 0; i < count; i++) {
            if (!is_shown(request, &page[i])) {
                continue;
            } else if (kept == OWN_SESSIONS_MAX) {
                memmove(rows, rows + 1, --kept * sizeof *rows);
            }
            if (!add(request, &page[i], asks->id, &rows[kept++])) {
                rows = NULL;
                break;
            }
        }
        if (count > 0) {
            memcpy(after, page[count - 1].id, sizeof after);
        }
        first = false;
    }
    if (page == NULL || rows == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        return OUTCOME_FAULT;
    }
    request->answer.own_sessions = rows;
    request->answer.own_session_count = kept;
    return OUTCOME_SERVED;
}

static bool add(struct request *request, const struct session *session,
                const uint8_t current[SESSION_ID_SIZE], struct own_session *row)
{
    *row = (struct own_session){
        .created_ms = session->created_ms,
        .used_ms = session->used_ms > session->rotated_ms ? session->used_ms : session->rotated_ms,
        .expires_ms = session->expires_ms,
        .current = secret_equal(session->id, current, SESSION_ID_SIZE)};
    codec_uuid_format(session->id, row->id);
    return arena_copy(request->arena, text_of(session->client), &row->client) &&
           arena_copy(request->arena, text_of(session->device), &row->device) &&
           arena_copy(request->arena, text_of(session->scope), &row->scope);
}

/* ---- end ---- */

/* Of one that is another's, no more is told than of one that is not there. */
static enum outcome end(struct request *request, struct own_sessions *own)
{
    const uint64_t account = own->standing.view.session.account;
    struct session_view *view = &own->standing.view;
    uint8_t id[SESSION_ID_SIZE];
    enum outcome found;
    struct event event;

    if (!codec_uuid_parse(request->input.own_sessions.session, id)) {
        return OUTCOME_NONE_ENDED;
    }
    found = operation_find_session(request, id, view);
    if (found == OUTCOME_FAULT) {
        return OUTCOME_FAULT;
    } else if (found != OUTCOME_SERVED || view->session.account != account ||
               !is_shown(request, &view->session)) {
        return OUTCOME_NONE_ENDED;
    }
    request_event_of_session(&event, EVENT_LOGOUT, request, &view->session,
                             view->session.generation, request->answer.now_ms);
    event_set_cause(&event, "user");
    store_prepare_end(&own->write, id, SESSION_ENDED_LOGOUT, request->answer.now_ms, NULL, &event);
    own->writes = true;
    return OUTCOME_ENDED;
}
