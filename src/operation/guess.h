/* SPDX-License-Identifier: ISC */
/* guess.h: passwords and secrets that people choose can be guessed. So wrong ones are counted
 * durably, and from the fifth in a row on further tries are refused unseen for a while (design.md
 * section 9). Knows what is guessed at and how long to wait; does not know how a proof is checked.
 */
#ifndef RETOKEN_OPERATION_GUESS_H
#define RETOKEN_OPERATION_GUESS_H

#include "model/outcome.h"
#include "operation/issuer.h"

/* After so many wrong ones the next try waits a second, then twice as long each time, a quarter of
 * an hour at most. A day without one forgets them. */
enum { GUESS_FREE = 5 };

/* What is counted together. */
enum guess_kind {
    GUESS_LOGIN,   /* an account's password, by a name that is claimed */
    GUESS_RENEWAL, /* the same beside a refresh token: by its session */
    GUESS_CLIENT   /* a client's secret beside a refresh token: by client and the token's account */
};

/* Which mark counts them, so that `retoken` can find it too. `whom`: account name, session id,
 * client id; `account`: GUESS_CLIENT's, otherwise 0. False: libcrypto failed. */
bool guess_mark(const struct secrets *secrets, enum guess_kind kind, struct text whom,
                uint64_t account, struct mark *mark);
/* How long after now_ms the next try has to wait; 0 = it need not. */
int64_t guess_wait_ms(const struct mark *mark, int64_t now_ms);

struct request; /* operation/request.h */

/* The guess of one request. Its first part is for the event; all of it is zero until guess_begin.
 */
struct guess {
    uint64_t account;
    uint8_t session[SESSION_ID_SIZE];
    struct text client;

    enum { GUESS_NONE, GUESS_RIGHT, GUESS_WRONG } made;
    bool settled;
    enum outcome outcome; /* once settled */
    struct mark mark;
};

/* May one be made? True: check it, then set request->guess.made. False: *refusal is OUTCOME_SLOWED
 * with answer.retry_after_s, or OUTCOME_FAULT with request->fault. */
bool guess_begin(struct request *request, enum guess_kind kind, struct text whom, uint64_t account,
                 int64_t now_ms, enum outcome *refusal);
/* Checks an account's password as a guess that has begun. True: it is right. False: *refusal is
 * OUTCOME_CREDENTIALS_WRONG, OUTCOME_BUSY, or OUTCOME_FAULT with request->fault. */
bool guess_password(struct request *request, struct text name, struct text password,
                    const char *hash, enum outcome *refusal);

/* The write that counts the request's guess, or forgets those before it, in the request's memory;
 * NULL: there is none to make. `outcome` is kept in guess.outcome. */
struct store_write *guess_settle(struct request *request, enum outcome outcome);
/* What came of that write: a wrong guess that could not be counted is a fault. */
void guess_settled(struct request *request, enum store_result result);

#endif
