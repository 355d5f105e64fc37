/* SPDX-License-Identifier: ISC */
/* revoke.c: the operation that ends sessions which somebody names: one, those of a user, those of a
 * client, or those of the two. Asked by who may end any, or by a user with an access token, who may
 * end their own. Does not know how either is sent. A token that is named here proves nothing;
 * where it does, it is a logout (logout.c). */
#include <stddef.h>
#include <string.h>

#include "base/codec.h"
#include "operation/client_auth.h"
#include "operation/decision.h"
#include "operation/ending.h"
#include "operation/operation.h"
#include "operation/request_event.h"
#include "operation/standing.h"

enum { PAGE_ROWS = 16 };

/* Through the sessions of an account. */
struct walk {
    struct session *page; /* NULL = of nothing yet */
    size_t at, count;     /* of the page; PAGE_ROWS: there may be another */
};

struct revoke {
    struct clock_moment now;
    enum outcome outcome;
    bool writes;
    uint64_t account; /* whose sessions; 0 = anyone's */
    bool walks;       /* one by one: those of the account and the client */
    char client[CLIENT_ID_MAX + 1];
    struct walk walk;
    struct ending ending;
    struct standing standing; /* last, because it is large and not zeroed */
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum outcome judge(struct request *request, struct revoke *revoke);
static bool names_one(const struct revoke_input *input);
static enum outcome let(struct request *request, struct revoke *revoke);
static enum outcome find_one(struct request *request, struct revoke *revoke);
static enum outcome locate(struct request *request, struct token_ref *ref);
static bool is_meant(const struct request *request, const struct revoke *revoke);
static void prepare_one(struct request *request, struct revoke *revoke,
                        const struct session *session, uint32_t presented);
static enum outcome find_all(struct request *request, struct revoke *revoke);
static enum outcome find_account(struct request *request, uint64_t *number);
static enum outcome find_by_subject(struct request *request, uint64_t *number);
static bool find_next(struct request *request, struct revoke *revoke);
static bool turn_page(struct request *request, struct revoke *revoke);
static bool by_key(const struct request *request);
static enum session_end end_of(const struct request *request);

const struct operation operation_revoke = {
    .word = "revoke", .finds_client = true, .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct revoke *revoke =
        operation_state(request, sizeof *revoke, offsetof(struct revoke, standing));

    if (revoke == NULL) {
        return false;
    }
    revoke->now = clock_moment(&request->issuer->clock);
    request->answer.now_ms = revoke->now.wall_ms;
    revoke->outcome = judge(request, revoke);
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct revoke *revoke = request->state;
    struct store_write *marks = ending_next(&revoke->ending);

    if (marks != NULL) {
        return marks;
    }
    revoke->writes = revoke->writes || (revoke->walks && revoke->outcome != OUTCOME_FAULT &&
                                        find_next(request, revoke));
    *outcome = revoke->outcome;
    return revoke->writes ? &revoke->ending.write : NULL;
}

static void written(struct request *request, enum store_result result)
{
    struct revoke *revoke = request->state;

    revoke->writes = false;
    if (ending_marked(&revoke->ending, result)) {
        return;
    }
    switch (result) {
    case STORE_OK:
        return;
    case STORE_ABSENT: /* swept since it was read; or no such client */
    case STORE_EXISTS:
    case STORE_STALE:
        revoke->outcome = revoke->walks ? revoke->outcome : OUTCOME_TOKEN_UNKNOWN;
        return;
    case STORE_FAULT:
        revoke->outcome = OUTCOME_FAULT;
        return;
    }
}

/* OUTCOME_ENDED: a write is prepared, or there are sessions to walk through. */
static enum outcome judge(struct request *request, struct revoke *revoke)
{
    const struct revoke_input *input = &request->input.revoke;
    enum outcome outcome = let(request, revoke);

    if (outcome != OUTCOME_SERVED) {
        return outcome;
    } else if (!text_copy(input->client, revoke->client, sizeof revoke->client)) {
        return OUTCOME_TOKEN_UNKNOWN;
    }
    return names_one(input) ? find_one(request, revoke) : find_all(request, revoke);
}

static bool names_one(const struct revoke_input *input)
{
    return input->refresh_token.size > 0 || input->session.size > 0;
}

/* OUTCOME_SERVED: who asks may. The sessions of a client are many users'. */
static enum outcome let(struct request *request, struct revoke *revoke)
{
    const struct revoke_input *input = &request->input.revoke;
    struct standing *standing = &revoke->standing;
    enum outcome outcome;

    if (by_key(request)) {
        return client_auth_page_matches(request, NULL, &outcome) ? OUTCOME_SERVED : outcome;
    }
    outcome = standing_of_user(request, input->access_token, revoke->now, standing);
    if (outcome == OUTCOME_TOKEN_UNKNOWN) {
        return OUTCOME_TOKEN_REVOKED; /* it is not the one that is named */
    } else if (outcome != OUTCOME_SERVED) {
        return outcome;
    }
    revoke->account = standing->view.session.account;
    return (input->user.size > 0 ? text_equal(input->user, request->answer.subject)
                                 : names_one(input))
               ? OUTCOME_SERVED
               : OUTCOME_WRONG_USER;
}

/* ---- one session ---- */

static enum outcome find_one(struct request *request, struct revoke *revoke)
{
    struct session_view *view = &revoke->standing.view;
    bool by_id = request->input.revoke.session.size > 0;
    struct token_ref ref;
    enum outcome found = locate(request, &ref);

    if (found == OUTCOME_SERVED) {
        found = operation_find_session(request, ref.session, view);
    }
    if (found == OUTCOME_FAULT) {
        return OUTCOME_FAULT;
    } else if (found != OUTCOME_SERVED || !is_meant(request, revoke)) {
        return OUTCOME_TOKEN_UNKNOWN;
    }
    prepare_one(request, revoke, &view->session, by_id ? view->session.generation : ref.generation);
    return OUTCOME_ENDED;
}

static enum outcome locate(struct request *request, struct token_ref *ref)
{
    const struct revoke_input *input = &request->input.revoke;

    if (input->session.size > 0) {
        return codec_uuid_parse(input->session, ref->session) ? OUTCOME_SERVED
                                                              : OUTCOME_TOKEN_UNKNOWN;
    }
    switch (token_ref_locate(request->issuer, input->refresh_token, request->arena, ref,
                             &request->fault)) {
    case TOKEN_REF_FOUND:
        return OUTCOME_SERVED;
    case TOKEN_REF_INVALID:
    case TOKEN_REF_UNKNOWN:
        return OUTCOME_TOKEN_UNKNOWN;
    case TOKEN_REF_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

/* Of another's no more is told than of one that is not there. */
static bool is_meant(const struct request *request, const struct revoke *revoke)
{
    const struct revoke_input *input = &request->input.revoke;
    const struct session_view *view = &revoke->standing.view;
    const struct session *session = &view->session;

    return text_equal(text_of(session->realm), text_of(request->realm->name)) &&
           session_lives(session, revoke->now.wall_ms) && !decision_has_ended(view) &&
           (revoke->account == 0 || session->account == revoke->account) &&
           (input->user.size == 0 ||
            (view->has_account && text_equal(input->user, account_subject(&view->account)))) &&
           (input->client.size == 0 || text_equal(input->client, text_of(session->client)));
}

static void prepare_one(struct request *request, struct revoke *revoke,
                        const struct session *session, uint32_t presented)
{
    int64_t now_ms = revoke->now.wall_ms;
    struct event event;

    operation_tell_session(request, session, presented);
    request_event_of_session(&event, by_key(request) ? EVENT_REVOKED : EVENT_LOGOUT, request,
                             session, presented, now_ms);
    event_set_cause(&event, by_key(request) ? "key" : "user");
    store_prepare_end(&revoke->ending.write, session->id, end_of(request), now_ms, NULL, &event);
    revoke->writes = true;
}

/* ---- all of a user, of a client, or of the two ---- */

static enum outcome find_all(struct request *request, struct revoke *revoke)
{
    bool of_user = request->input.revoke.user.size > 0;
    int64_t now_ms = revoke->now.wall_ms;
    struct event event;

    if (of_user && revoke->account == 0) {
        enum outcome found = find_account(request, &revoke->account);

        if (found != OUTCOME_SERVED) {
            return found;
        }
    }
    if (of_user && revoke->client[0] != '\0') {
        revoke->walks = true;
        revoke->walk.at = revoke->walk.count = PAGE_ROWS;
        return OUTCOME_ENDED;
    } else if (of_user) {
        ending_of_account(&revoke->ending, revoke->account, end_of(request), now_ms);
    } else {
        ending_of_client(&revoke->ending, revoke->client, end_of(request), now_ms);
    }
    request_event(&event, by_key(request) ? EVENT_REVOKED : EVENT_LOGOUT, request, now_ms);
    memset(event.session, 0, sizeof event.session); /* it is not about the one that asks */
    event.generation = 0;
    event.account = revoke->account;
    memcpy(event.client, revoke->client, sizeof event.client);
    event_set_cause(&event, by_key(request) ? "key" : "user");
    (void)text_copy(of_user ? TEXT("all sessions of the account") : TEXT("all of the client"),
                    event.note, sizeof event.note);
    store_attach_event(&revoke->ending.write, &event);
    revoke->writes = true;
    return OUTCOME_ENDED;
}

/* Nothing leads from a subject to its account but the name, where that is the subject. */
static enum outcome find_account(struct request *request, uint64_t *number)
{
    struct text user = request->input.revoke.user;
    char name[ACCOUNT_NAME_MAX + 1];
    struct account account;

    if (!text_copy(user, name, sizeof name)) {
        return OUTCOME_TOKEN_UNKNOWN;
    }
    switch (store_account_find(request->issuer->store, name, &account, &request->fault)) {
    case STORE_OK:
        *number = account.number;
        return text_equal(user, account_subject(&account)) ? OUTCOME_SERVED
                                                           : find_by_subject(request, number);
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return find_by_subject(request, number);
    case STORE_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

static enum outcome find_by_subject(struct request *request, uint64_t *number)
{
    struct account *rows = arena_alloc(request->arena, PAGE_ROWS * sizeof *rows);
    const char *after = NULL;
    char name[ACCOUNT_NAME_MAX + 1];
    size_t count = PAGE_ROWS;

    if (rows == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        return OUTCOME_FAULT;
    }
    while (count == PAGE_ROWS) {
        if (store_account_list(request->issuer->store, after, rows, PAGE_ROWS, &count,
                               &request->fault) != STORE_OK) {
            return OUTCOME_FAULT;
        }
        for (size_t i = 0; i < count; i++) {
            if (text_equal(request->input.revoke.user, account_subject(&rows[i]))) {
                *number = rows[i].number;
                return OUTCOME_SERVED;
            }
            memcpy(name, rows[i].name, sizeof name);
        }
        after = name;
    }
    return OUTCOME_TOKEN_UNKNOWN;
}

/* Prepares the end of the next session of the account that is of the client, too. False: there is
 * none, or revoke->outcome is OUTCOME_FAULT. */
static bool find_next(struct request *request, struct revoke *revoke)
{
    struct walk *walk = &revoke->walk;

    while (walk->at < walk->count || walk->count == PAGE_ROWS) {
        if (walk->at == walk->count && !turn_page(request, revoke)) {
            revoke->outcome = OUTCOME_FAULT;
            return false;
        }
        while (walk->at < walk->count) {
            const struct session *session = &walk->page[walk->at++];

            if (session_lives(session, revoke->now.wall_ms) &&
                text_is(text_of(session->client), revoke->client)) {
                prepare_one(request, revoke, session, session->generation);
                return true;
            }
        }
    }
    return false;
}

static bool turn_page(struct request *request, struct revoke *revoke)
{
    struct walk *walk = &revoke->walk;
    uint8_t after[SESSION_ID_SIZE];
    bool first = walk->page == NULL;

    if (first) {
        walk->page = arena_alloc(request->arena, PAGE_ROWS * sizeof *walk->page);
    } else {
        memcpy(after, walk->page[PAGE_ROWS - 1].id, sizeof after);
    }
    if (walk->page == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        return false;
    }
    walk->at = 0;
    return store_session_list(request->issuer->store, revoke->account, first ? NULL : after,
                              walk->page, PAGE_ROWS, &walk->count, &request->fault) == STORE_OK;
}

/* ---- who asks ---- */

/* … has shown the key of the application, not an access token. */
static bool by_key(const struct request *request)
{
    return request->input.revoke.any;
}

static enum session_end end_of(const struct request *request)
{
    return by_key(request) ? SESSION_ENDED_ADMIN : SESSION_ENDED_LOGOUT;
}
