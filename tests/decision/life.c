/* SPDX-License-Identifier: ISC */
/* life.c: see life.h. One event after the other: a holder needs a token, or its answer arrives, or
 * the thief comes. Times are ms since the life began, at midnight. */
#include "decision/life.h"

#include "base/clock.h"
#include "decision/chance.h"
#include "operation/decision.h"

enum {
    LEARNED_KEPT = 8,
    THIEF_RETRY_MS = 10 * CLOCK_SECOND,
    ANSWER_LEAST_MS = 50,
    ANSWER_MOST_MS = 500,
    DAYS_BEFORE = 20000,
    PATIENCE_DAYS = 28
};

/* What an answer carries. */
struct tokens {
    uint32_t generation;
    int64_t good_until_ms; /* the access token */
};

/* One program that uses the login. */
struct holder {
    struct chance uses;
    int64_t use_start_ms, use_end_ms;
    bool starts; /* the next event is the first of this use */
    struct tokens tokens;
    int64_t next_ms; /* when it needs a token, or its answer arrives */
    bool waits;      /* for this: */
    struct tokens answer;
};

struct life {
    const struct terms *terms;
    const struct habits *habits;
    struct failover failover;
    struct chance network;
    struct session_view view;
    int64_t now_ms;
    struct holder holders[LIFE_HOLDERS_MAX];
    struct {
        int64_t since_ms;
        struct tokens tokens;
    } learned[LEARNED_KEPT]; /* what the holders share, newest first */
};

static void begin(struct life *life, const struct failovers *failovers, uint64_t seed,
                  uint64_t number);
static void log_in(struct life *life);
static struct holder *soonest(struct life *life);
static enum outcome advance(struct life *life, struct holder *holder);
static void arrive(struct life *life, struct holder *holder);
static enum outcome need(struct life *life, struct holder *holder);
static enum outcome ask(struct life *life, uint32_t presented, struct tokens *tokens);
static struct clock_moment moment(int64_t ms);
static void learn(const struct life *life, struct holder *holder);
static void plan(struct life *life, struct holder *holder);
static void next_use(const struct habits *habits, struct holder *holder);
static int64_t past_night(const struct habits *habits, struct chance *chance, int64_t ms);
static int64_t later_ms(int64_t a, int64_t b);

/* ---- logouts ---- */

void life_logouts(const struct terms *terms, const struct habits *habits,
                  const struct failovers *failovers, uint64_t seed, uint64_t number, int weeks,
                  struct logouts *sum)
{
    struct life life = {.terms = terms, .habits = habits};
    int64_t last_day = -1;
    int64_t last_week = -1;
    struct holder *holder;

    begin(&life, failovers, seed, number);
    for (;;) {
        int64_t day;
        enum outcome outcome;

        holder = soonest(&life);
        day = holder->next_ms / CLOCK_DAY;
        if (day >= weeks * 7) {
            break;
        }
        outcome = advance(&life, holder);
        if (outcome == OUTCOME_ROTATED) {
            sum->spent++;
        } else if (outcome == OUTCOME_ROLLED_FORWARD) {
            sum->rolled_forward++;
        } else if (!outcome_is_grant(outcome) && outcome != OUTCOME_FAULT) {
            sum->times++;
            sum->days_hit += day > last_day;
            sum->weeks_hit += day / 7 > last_week;
            last_day = day;
            last_week = day / 7;
            log_in(&life);
        }
    }
    sum->days += weeks * 7;
    sum->weeks += weeks;
    sum->unanswered += life.failover.unanswered;
    sum->forgotten += life.failover.forgotten;
}

static void begin(struct life *life, const struct failovers *failovers, uint64_t seed,
                  uint64_t number)
{
    const struct habits *habits = life->habits;

    failover_begin(&life->failover, failovers, seed);
    life->network = chance_of(seed, number << 8);
    life->view.has_account = true;
    life->view.account.enabled = true;
    for (int i = 0; i < habits->holders; i++) {
        struct holder *holder = &life->holders[i];

        holder->uses = chance_of(seed, (number << 8) + 1 + (habits->apart ? (uint64_t)i : 0));
        holder->use_end_ms = habits->use_ms == LIFE_NEVER ? LIFE_NEVER : 0;
    }
    log_in(life);
}

/* A new session, whose first tokens all holders get. */
static void log_in(struct life *life)
{
    int64_t wall_ms = moment(life->now_ms).wall_ms;

    life->view.session = (struct session){.created_ms = wall_ms,
                                          .rotated_ms = wall_ms,
                                          .used_ms = wall_ms,
                                          .client = "app"}; /* whose proof counts */
    failover_note_login(&life->failover, &life->view.session);
    for (int i = 0; i < LEARNED_KEPT; i++) {
        life->learned[i].tokens = (struct tokens){0};
    }
    for (int i = 0; i < life->habits->holders; i++) {
        struct holder *holder = &life->holders[i];

        holder->waits = false;
        holder->tokens =
            (struct tokens){.good_until_ms = life->now_ms + life->terms->policy.access_lifetime_ms};
        plan(life, holder);
    }
}

/* ---- theft ---- */

struct heist {
    struct life life;
    const struct thief *thief;
    struct chance chance;
    int64_t copy_ms; /* the first token that arrives after this is copied */
    bool copied;
    struct tokens copy;
    bool planned;
    int64_t comes_ms; /* the thief, next time */
    int64_t let_in_ms, end_ms;
    struct theft theft;
    bool over;
};

static void thief_comes(struct heist *heist);
static void owner_goes_on(struct heist *heist, struct holder *holder);
static void plan_theft(struct heist *heist, const struct session *before);
static void notice(struct heist *heist);

struct theft life_theft(const struct terms *terms, const struct habits *habits,
                        const struct failovers *failovers, const struct thief *thief, uint64_t seed,
                        uint64_t number)
{
    struct heist heist = {.life = {.terms = terms, .habits = habits},
                          .thief = thief,
                          .chance = chance_of(seed, (number << 8) + 0xff),
                          .comes_ms = LIFE_NEVER,
                          .end_ms = LIFE_NEVER,
                          .theft = {.noticed_ms = LIFE_NEVER}};

    heist.copy_ms = 7 * CLOCK_DAY + chance_below_ms(&heist.chance, 7 * CLOCK_DAY);
    begin(&heist.life, failovers, seed, number);
    while (!heist.over) {
        struct holder *holder = soonest(&heist.life);

        if (heist.comes_ms >= heist.end_ms && holder->next_ms >= heist.end_ms) {
            break;
        } else if (heist.comes_ms < holder->next_ms) {
            thief_comes(&heist);
        } else {
            owner_goes_on(&heist, holder);
        }
    }
    return heist.theft;
}

static void thief_comes(struct heist *heist)
{
    struct life *life = &heist->life;
    enum outcome outcome;

    life->now_ms = heist->comes_ms;
    heist->comes_ms = LIFE_NEVER;
    outcome = ask(life, heist->copy.generation, &heist->copy);
    if (outcome == OUTCOME_FAULT) {
        heist->comes_ms = life->now_ms + THIEF_RETRY_MS;
        return;
    } else if (outcome == OUTCOME_TOKEN_REUSED) {
        notice(heist);
        return;
    } else if (!outcome_is_grant(outcome)) {
        return;
    } else if (!heist->theft.let_in) {
        heist->theft.let_in = true;
        heist->let_in_ms = life->now_ms;
        heist->end_ms = life->now_ms + PATIENCE_DAYS * (int64_t)CLOCK_DAY;
        heist->over = !life->terms->policy.rotate; /* what is never spent cannot come back spent */
    }
    if (heist->thief->every_ms == LIFE_NEVER) {
        heist->comes_ms = heist->copy.good_until_ms;
    } else if (heist->thief->every_ms > 0) {
        heist->comes_ms = life->now_ms + heist->thief->every_ms;
    }
}

/* Logs in again when refused, which is no matter of the thief's once he has a session to himself.
 */
static void owner_goes_on(struct heist *heist, struct holder *holder)
{
    struct life *life = &heist->life;
    struct session before = life->view.session;
    enum outcome outcome = advance(life, holder);

    if (outcome == OUTCOME_FAULT) {
        return;
    } else if (!outcome_is_grant(outcome) && !heist->copied) {
        log_in(life);
    } else if (outcome == OUTCOME_TOKEN_REUSED) {
        notice(heist);
    } else if (!outcome_is_grant(outcome)) {
        heist->theft.shut_out = true;
        heist->over = true;
    } else if (!heist->copied && life->now_ms >= heist->copy_ms &&
               holder->tokens.good_until_ms > life->now_ms) {
        heist->copied = true;
        heist->copy = holder->tokens;
        heist->end_ms = life->now_ms + PATIENCE_DAYS * (int64_t)CLOCK_DAY;
    }
    if (heist->copied && !heist->planned) {
        plan_theft(heist, &before);
    }
}

/* A token that is never spent cannot be late. `before`: the session before the owner came. */
static void plan_theft(struct heist *heist, const struct session *before)
{
    struct life *life = &heist->life;
    const struct failovers *failovers = life->failover.plan;
    int64_t begins_ms = life->now_ms;

    if (!heist->thief->late) {
        heist->planned = true;
        heist->comes_ms = life->now_ms + CLOCK_SECOND;
    } else if (!life->terms->policy.rotate ||
               life->view.session.generation > heist->copy.generation) {
        heist->planned = true;
        if (failovers->lag_ms > 0) {
            begins_ms += chance_below_ms(&heist->chance, failovers->lag_ms);
            failover_expect(&life->failover, begins_ms,
                            failovers->local ? before : &life->view.session);
            begins_ms += failovers->down_ms;
        }
        heist->comes_ms =
            begins_ms + (heist->thief->waits
                             ? chance_between_ms(&heist->chance, CLOCK_SECOND, CLOCK_DAY)
                             : CLOCK_SECOND);
    }
}

static void notice(struct heist *heist)
{
    heist->theft.noticed_ms = heist->life.now_ms - heist->let_in_ms;
    heist->over = true;
}

/* ---- events ---- */

static struct holder *soonest(struct life *life)
{
    struct holder *found = &life->holders[0];

    for (int i = 1; i < life->habits->holders; i++) {
        if (life->holders[i].next_ms < found->next_ms) {
            found = &life->holders[i];
        }
    }
    return found;
}

/* What was decided; OUTCOME_RENEWED when nothing was asked. */
static enum outcome advance(struct life *life, struct holder *holder)
{
    life->now_ms = holder->next_ms;
    if (holder->waits) {
        arrive(life, holder);
        return OUTCOME_RENEWED;
    }
    learn(life, holder);
    if (holder->tokens.good_until_ms > life->now_ms) {
        plan(life, holder);
        return OUTCOME_RENEWED;
    }
    return need(life, holder);
}

static void arrive(struct life *life, struct holder *holder)
{
    for (int i = LEARNED_KEPT - 1; i > 0; i--) {
        life->learned[i] = life->learned[i - 1];
    }
    life->learned[0].since_ms = life->now_ms;
    life->learned[0].tokens = holder->answer;
    holder->tokens = holder->answer;
    holder->waits = false;
    plan(life, holder);
}

static enum outcome need(struct life *life, struct holder *holder)
{
    enum outcome outcome = ask(life, holder->tokens.generation, &holder->answer);

    if (chance_happens(&life->network, life->habits->lost) || outcome == OUTCOME_FAULT) {
        holder->next_ms = life->now_ms + chance_between_ms(&life->network, CLOCK_SECOND,
                                                           life->habits->retry_most_ms);
    } else {
        holder->waits = true;
        holder->next_ms = life->now_ms + ANSWER_LEAST_MS +
                          chance_below_ms(&life->network, ANSWER_MOST_MS - ANSWER_LEAST_MS);
    }
    return outcome;
}

/* As refresh.c and the store carry a decision out; OUTCOME_FAULT when there is no answer. A replay
 * repeats the access token while it is good. */
static enum outcome ask(struct life *life, uint32_t presented, struct tokens *tokens)
{
    const struct policy *policy = &life->terms->policy;
    struct session *session = &life->view.session;
    struct clock_moment now = moment(life->now_ms);
    enum outcome outcome;
    int64_t good_until_ms;

    failover_arrive(&life->failover, session, life->now_ms);
    outcome =
        decision_make(policy, &life->view, presented,
                      life->terms->proves ? DECISION_CLIENT_PROVED : DECISION_NO_EVIDENCE, &now);
    good_until_ms = session->rotated_ms + policy->access_lifetime_ms;
    if (!failover_answers(&life->failover, outcome, life->now_ms)) {
        return OUTCOME_FAULT;
    } else if (outcome == OUTCOME_ROTATED || outcome == OUTCOME_ROLLED_FORWARD) {
        session_note_rotation(session, presented + (policy->rotate ? 1 : 0), now.wall_ms, &now,
                              policy->concurrency_window_ms);
    } else if (outcome == OUTCOME_TOKEN_REUSED) {
        session->end = SESSION_ENDED_REUSE;
    }
    if (outcome != OUTCOME_REPLAYED || good_until_ms <= now.wall_ms) {
        good_until_ms = now.wall_ms + policy->access_lifetime_ms;
    }
    if (outcome_is_grant(outcome)) {
        tokens->generation = session->generation;
        tokens->good_until_ms = good_until_ms - moment(0).wall_ms;
    }
    return outcome;
}

static struct clock_moment moment(int64_t ms)
{
    return (struct clock_moment){
        .wall_ms = (int64_t)DAYS_BEFORE * CLOCK_DAY + ms, .boot_ms = CLOCK_DAY + ms, .boot = 1};
}

/* ---- habits ---- */

/* What another holder shares, if it is newer. */
static void learn(const struct life *life, struct holder *holder)
{
    bool looks = holder->starts || !life->habits->at_start;

    holder->starts = false;
    for (int i = 0; i < LEARNED_KEPT && looks; i++) {
        if (life->now_ms - life->learned[i].since_ms >= life->habits->learn_ms &&
            life->learned[i].tokens.generation >= holder->tokens.generation &&
            life->learned[i].tokens.good_until_ms > holder->tokens.good_until_ms) {
            holder->tokens = life->learned[i].tokens;
        }
    }
}

/* The next time it is in use and its access token is not good, or a use begins. */
static void plan(struct life *life, struct holder *holder)
{
    int64_t at_ms = later_ms(life->now_ms, holder->tokens.good_until_ms);

    while (at_ms >= holder->use_end_ms) {
        next_use(life->habits, holder);
        at_ms = later_ms(life->now_ms, holder->use_start_ms);
    }
    holder->next_ms = at_ms + chance_below_ms(&life->network, life->habits->jitter_ms);
}

static void next_use(const struct habits *habits, struct holder *holder)
{
    struct chance *chance = &holder->uses;
    int64_t start_ms = holder->use_end_ms + chance_around_ms(chance, habits->pause_ms);

    holder->starts = true;
    holder->use_start_ms = past_night(habits, chance, start_ms);
    holder->use_end_ms = holder->use_start_ms + 1 + chance_around_ms(chance, habits->use_ms);
}

static int64_t past_night(const struct habits *habits, struct chance *chance, int64_t ms)
{
    int64_t hours = ms / CLOCK_HOUR % 24;

    if (!habits->nights || (hours >= 7 && hours < 23)) {
        return ms;
    }
    ms += hours < 7 ? 0 : CLOCK_DAY; /* the next morning */
    return ms / CLOCK_DAY * CLOCK_DAY + 7 * CLOCK_HOUR + chance_around_ms(chance, habits->pause_ms);
}

static int64_t later_ms(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
