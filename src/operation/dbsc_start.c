/* SPDX-License-Identifier: ISC */
/* dbsc_start.c: the operation that lets a browser begin a session under a key of its own, in the
 * name of whom the web server has checked: a session that waits for the code and the key. It
 * belongs to no client. Does not know how either is sent. */
#include <string.h>

#include "operation/dbsc.h"
#include "operation/operation.h"
#include "operation/pending.h"
#include "operation/remote_user.h"

enum { CODE_LIFETIME_MS = 60 * CLOCK_SECOND };

struct start {
    enum outcome outcome;
    bool writes; /* user.write while user.adds, then `write` */
    struct remote_user user;
    struct session session;
    struct store_write write;
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static void settle(struct request *request, struct start *start, enum outcome found);
static enum outcome prepare(struct request *request, struct start *start);

const struct operation operation_dbsc_start = {
    .word = "dbsc-start", .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct start *start = operation_state(request, sizeof *start, sizeof *start);

    if (start == NULL) {
        return false;
    }
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    settle(request, start, remote_user_find(request, request->answer.now_ms, &start->user));
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct start *start = request->state;

    *outcome = start->outcome;
    if (!start->writes) {
        return NULL;
    }
    return start->user.adds ? &start->user.write : &start->write;
}

static void written(struct request *request, enum store_result result)
{
    struct start *start = request->state;

    if (start->user.adds) {
        settle(request, start, remote_user_added(request, result, &start->user));
        return;
    }
    start->writes = false;
    if (result == STORE_STALE) {
        fault_set(&request->fault, "the account was disabled or removed meanwhile");
    }
    start->outcome = result == STORE_OK ? OUTCOME_AUTHORIZED : OUTCOME_FAULT;
}

/* OUTCOME_ROTATED: the user is known, or will be when the write is made. */
static void settle(struct request *request, struct start *start, enum outcome found)
{
    start->outcome =
        found == OUTCOME_ROTATED && !start->user.adds ? prepare(request, start) : found;
    start->writes = start->outcome == OUTCOME_ROTATED || start->outcome == OUTCOME_AUTHORIZED;
}

/* OUTCOME_AUTHORIZED: start->write is to be made. */
static enum outcome prepare(struct request *request, struct start *start)
{
    static const struct client none;
    const struct account *account = &start->user.account;
    struct session *session = &start->session;

    if (!pending_start(request, SESSION_PENDING_CODE, &none, request->answer.now_ms,
                       CODE_LIFETIME_MS, session)) {
        return OUTCOME_FAULT;
    }
    session->account = account->number;
    session->epoch = account->epoch;
    request->answer.session_known = true;
    memcpy(request->answer.session, session->id, sizeof request->answer.session);
    if (!pending_code(request, session, &request->answer.code) ||
        !dbsc_tell_challenge(request, session->id)) {
        return OUTCOME_FAULT;
    }
    store_prepare_create(&start->write, session, account);
    return OUTCOME_AUTHORIZED;
}
