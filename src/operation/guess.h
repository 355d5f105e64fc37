/* SPDX-License-Identifier: ISC */
/* guess.h: passwords and secrets that people choose can be guessed, and so can codes that they
 * type. So wrong ones are counted durably, and beyond a number of them further tries are refused
 * unseen for a while (design.md section 9). Knows what is guessed at, what is counted together and
 * how long to wait; does not know how a proof is checked.
 */
#ifndef RETOKEN_OPERATION_GUESS_H
#define RETOKEN_OPERATION_GUESS_H

#include "http/network.h"
#include "model/outcome.h"
#include "operation/issuer.h"

/* After so many wrong ones the next try waits a second, then twice as long each time, a quarter of
 * an hour at most. GUESS_FREE are in a row, and a day without one forgets them. GUESS_FREE_OF_ALL
 * are those of everyone at one account or client in a day, or of one network in an hour. */
enum { GUESS_FREE = 5, GUESS_FREE_OF_ALL = 100 };

/* What is guessed at, and how. Those of the second group are made by strangers, who have nothing in
 * hand: each is counted three times, by `whom` and network, by `whom`, and by network. The last two
 * do not slow a network from which that was right before. */
enum guess_kind {
    GUESS_LOGIN,   /* an account's password beside an access token: by the name that is claimed */
    GUESS_RENEWAL, /* the same beside a refresh token: by its session */
    GUESS_CLIENT,  /* a client's secret beside a refresh token: by client and the token's account */

    GUESS_PASSWORD, /* an account's password alone: `whom` is the name that is claimed */
    GUESS_SECRET,   /* a client's secret alone: `whom` is its id */
    GUESS_CODE      /* a code that a user types: `whom` is the name of that user's account */
};

/* Is it of the second group? */
bool guess_is_of_strangers(enum guess_kind kind);
/* Which mark counts them, so that `retoken` can find it too. `whom`: account name, session id,
 * client id; `account`: GUESS_CLIENT's, otherwise 0. From GUESS_PASSWORD on it is the one of all
 * networks. False: libcrypto failed. */
bool guess_mark(const struct secrets *secrets, enum guess_kind kind, struct text whom,
                uint64_t account, struct mark *mark);
/* The mark which forgets those of each network, once it is counted at now_ms. False: as above. */
bool guess_pardon(const struct secrets *secrets, enum guess_kind kind, struct text whom,
                  int64_t now_ms, struct mark *mark);
/* How long after now_ms the next try has to wait, where `most` may be wrong; 0 = it need not. */
int64_t guess_wait_ms(const struct mark *mark, uint32_t most, int64_t now_ms);

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

    /* guess.c's own */
    enum guess_kind kind;
    struct guess_count {
        struct mark mark;
        uint32_t most;
    } counts[3]; /* the first: those in a row */
    size_t count;
    struct mark known; /* whom and network, of GUESS_PASSWORD and later */
    bool notes_known;  /* where it is right */
    struct guess_writing {
        enum store_mark_use use;
        struct mark mark;
    } before[2]; /* of a guess before this one, which was right */
    size_t writings_before;
};

/* May one be made? True: check it, then set request->guess.made. False: *refusal is OUTCOME_SLOWED
 * with answer.retry_after_s, or OUTCOME_FAULT with request->fault. Where a request makes two, the
 * first was right. */
bool guess_begin(struct request *request, enum guess_kind kind, struct text whom, uint64_t account,
                 int64_t now_ms, enum outcome *refusal);
/* Checks an account's password as a guess that has begun. True: it is right. False: *refusal is
 * OUTCOME_CREDENTIALS_WRONG, OUTCOME_BUSY, or OUTCOME_FAULT with request->fault. */
bool guess_password(struct request *request, struct text name, struct text password,
                    const char *hash, enum outcome *refusal);

/* The write that counts the request's guess, or forgets those before it, and tells that the request
 * was refused (refusal.h), in the request's memory; NULL: there is none to make. `outcome` is kept
 * in guess.outcome. */
struct store_write *guess_settle(struct request *request, enum outcome outcome);
/* What came of that write: a wrong guess that could not be counted is a fault. */
void guess_settled(struct request *request, enum store_result result);

#endif
