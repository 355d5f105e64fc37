/* SPDX-License-Identifier: ISC */
/* guess.c: see guess.h. */
#include "operation/guess.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "operation/password_gate.h"
#include "operation/request.h"

enum { WAIT_FIRST_MS = CLOCK_SECOND, WAIT_MOST_MS = 15 * CLOCK_MINUTE };

static void describe(const struct request *request, struct event *event);

bool guess_mark(const struct secrets *secrets, enum guess_kind kind, struct text whom,
                uint64_t account, struct mark *mark)
{
    static const char *const words[] = {[GUESS_LOGIN] = "guess login",
                                        [GUESS_RENEWAL] = "guess renewal",
                                        [GUESS_CLIENT] = "guess client"};
    char number[24];

    snprintf(number, sizeof number, "%llu", (unsigned long long)account);
    *mark = (struct mark){.kind = MARK_FAILURE};
    return secrets_mark_hash(secrets, words[kind], whom, text_of(number), mark->hash);
}

/* A clock that went back lets a try pass. */
int64_t guess_wait_ms(const struct mark *mark, int64_t now_ms)
{
    int64_t wait_ms = WAIT_FIRST_MS;

    if (mark->count < GUESS_FREE || now_ms < mark->at_ms) {
        return 0;
    }
    for (uint32_t i = GUESS_FREE; i < mark->count && wait_ms < WAIT_MOST_MS; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < WAIT_MOST_MS ? wait_ms : WAIT_MOST_MS;
    return now_ms - mark->at_ms < wait_ms ? mark->at_ms + wait_ms - now_ms : 0;
}

bool guess_begin(struct request *request, enum guess_kind kind, struct text whom, uint64_t account,
                 int64_t now_ms, enum outcome *refusal)
{
    struct guess *guess = &request->guess;
    struct mark stored;
    int64_t wait_ms;

    *refusal = OUTCOME_FAULT;
    guess->made = GUESS_NONE;
    if (!guess_mark(request->issuer->secrets, kind, whom, account, &guess->mark)) {
        fault_set(&request->fault, "HMAC failed");
        return false;
    }
    switch (store_mark_find(request->issuer->store, MARK_FAILURE, guess->mark.hash, now_ms, &stored,
                            &request->fault)) {
    case STORE_OK:
        guess->mark = stored;
        break;
    case STORE_ABSENT:
        break;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return false;
    }
    wait_ms = guess_wait_ms(&guess->mark, now_ms);
    guess->mark.at_ms = now_ms;
    guess->mark.until_ms = now_ms + CLOCK_DAY;
    if (wait_ms > 0) {
        request->answer.retry_after_s = (wait_ms + CLOCK_SECOND - 1) / CLOCK_SECOND;
        *refusal = OUTCOME_SLOWED;
        return false;
    }
    return true;
}

bool guess_password(struct request *request, struct text name, struct text password,
                    const char *hash, enum outcome *refusal)
{
    char owner[ACCOUNT_NAME_MAX + sizeof "account "];

    snprintf(owner, sizeof owner, "account %.*s", TEXT_ARGS(name));
    switch (password_gate_verify(request->issuer->gate, text_of(owner), password, hash)) {
    case PASSWORD_RIGHT:
        request->guess.made = GUESS_RIGHT;
        return true;
    case PASSWORD_WRONG:
        request->guess.made = GUESS_WRONG;
        *refusal = OUTCOME_CREDENTIALS_WRONG;
        return false;
    case PASSWORD_BUSY:
        *refusal = OUTCOME_BUSY;
        return false;
    case PASSWORD_FAULT:
        break;
    }
    fault_set(&request->fault, "a password could not be checked: out of memory?");
    *refusal = OUTCOME_FAULT;
    return false;
}

struct store_write *guess_settle(struct request *request, enum outcome outcome)
{
    struct guess *guess = &request->guess;
    bool wrong = guess->made == GUESS_WRONG;
    struct store_write *write;

    if (guess->made == GUESS_NONE || (!wrong && guess->mark.count == 0)) {
        return NULL;
    }
    guess->settled = true;
    guess->outcome = outcome;
    write = arena_alloc(request->arena, sizeof *write);
    if (write == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        guess->outcome = OUTCOME_FAULT;
        return NULL;
    }
    store_prepare_attached(write, guess->mark.at_ms);
    store_attach_mark(write, wrong ? STORE_MARK_COUNT : STORE_MARK_CLEAR, &guess->mark);
    if (wrong && guess->mark.count + 1 == GUESS_FREE &&
        (guess->account != 0 || guess->client.size > 0)) {
        struct event event;

        describe(request, &event);
        store_attach_event(write, &event);
    }
    return write;
}

void guess_settled(struct request *request, enum store_result result)
{
    if (result != STORE_OK && request->guess.made == GUESS_WRONG) {
        request->guess.outcome = OUTCOME_FAULT;
    }
}

static void describe(const struct request *request, struct event *event)
{
    const struct guess *guess = &request->guess;

    memset(event, 0, sizeof *event);
    event->at_ms = guess->mark.at_ms;
    event->kind = EVENT_GUESSED;
    event->account = guess->account;
    memcpy(event->session, guess->session, sizeof event->session);
    memcpy(event->realm, request->realm->name, sizeof event->realm);
    (void)text_copy(guess->client, event->client, sizeof event->client);
    snprintf(event->note, sizeof event->note, "%d wrong %s in a row", (int)GUESS_FREE,
             guess->client.size > 0 ? "secrets" : "passwords");
}
