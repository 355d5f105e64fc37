/* SPDX-License-Identifier: ISC */
/* life.h: one login of one user over weeks: when its programs need a token, which answers are lost,
 * a store that fails over to a standby, and a thief beside them. decision.c decides, and the record
 * is kept as the store keeps it. Knows the habits of clients; does not know what is right. */
#ifndef RETOKEN_TESTS_DECISION_LIFE_H
#define RETOKEN_TESTS_DECISION_LIFE_H

#include "decision/failover.h"
#include "model/policy.h"

enum { LIFE_HOLDERS_MAX = 8 };
#define LIFE_NEVER INT64_MAX /* as a duration or a point in time, ms */

/* A policy, and whether the client authenticates itself with each request. */
struct terms {
    struct policy policy;
    bool proves;
};

/* How the programs behave that use one login. */
struct habits {
    int holders;           /* how many there are */
    bool apart;            /* each is in use at times of its own; otherwise all at the same time */
    bool nights;           /* no use begins between 23:00 and 07:00 */
    int64_t use_ms;        /* how long a use lasts, on average; LIFE_NEVER = it does not end */
    int64_t pause_ms;      /* from one use to the next, on average */
    int64_t learn_ms;      /* so long after its arrival the others have a new token */
    bool at_start;         /* they look for it only when a use begins */
    int64_t jitter_ms;     /* within this each notices that its access token has expired */
    double lost;           /* the share of answers that do not arrive */
    int64_t retry_most_ms; /* a lost answer is asked for again from 1 s to this later */
};

/* A thief copies the owner's current token, and is let in as often as decision.c lets him. */
struct thief {
    bool late;        /* begins after the owner has spent it; otherwise 1 s after copying */
    bool waits;       /* … 1 s to 24 h after that; otherwise 1 s */
    int64_t every_ms; /* renews so often; 0 = uses it once, LIFE_NEVER = as access tokens expire */
};

struct logouts {
    int64_t days, days_hit;   /* all days, and those with a logout */
    int64_t weeks, weeks_hit; /* the same of weeks */
    int64_t spent, times;     /* tokens that were spent; logouts */
    /* Of failovers: requests without an answer; rotations that were answered and are forgotten;
     * sessions that their next token rolled forward. */
    int64_t unanswered, forgotten, rolled_forward;
};

struct theft {
    bool let_in;        /* the thief was given tokens at least once */
    bool shut_out;      /* the owner was refused, but the session did not end */
    int64_t noticed_ms; /* from the first time until reuse was found; LIFE_NEVER = not in 4 weeks */
};

/* Adds what happens to user `number` of the world `seed` in so many weeks. */
void life_logouts(const struct terms *terms, const struct habits *habits,
                  const struct failovers *failovers, uint64_t seed, uint64_t number, int weeks,
                  struct logouts *sum);

/* What comes of a token that is copied from that user in the second week. The thief also has what
 * the client proves itself with. With a lag_ms, there is one failover, at most that long
 * after the owner has spent that token, and a late thief begins when requests are answered again:
 * where rotations are local, what the owner did is forgotten by then. every_ms is 0. */
struct theft life_theft(const struct terms *terms, const struct habits *habits,
                        const struct failovers *failovers, const struct thief *thief, uint64_t seed,
                        uint64_t number);

#endif
