/* SPDX-License-Identifier: ISC */
/* sweep.c: removes what ended or expired long enough ago, a little per write, never as a job.
 * Knows sessions, their aliases and their two index entries; does not know who asked. */
#include "store/verbs/sweep.h"

#include <string.h>

#include "store/verbs/events.h"
#include "store/verbs/marks.h"
#include "store/verbs/outbox.h"
#include "store/verbs/sweep_time.h"
#include "store/verbs/verbs.h"

/* When an entry leads to a record that cannot be read, or to aliases that cannot be computed here:
 * the next look is this much later, so that it is not ahead of all others for ever. */
enum { POSTPONE_MS = 24 * 60 * 60 * 1000 };

enum { PRUNE_SESSIONS = 100, PRUNE_ENTRIES = 500, PRUNE_ALIASES = 1000, PRUNE_DELIVERIES = 1000 };

static int64_t due_ms_of(const struct sweep *sweep, const struct session *session);
static int64_t look_ms_of(const struct rows *rows, const struct sweep *sweep,
                          const struct session *session);
static bool expires_untold(const struct rows *rows, const struct session *session);
static int64_t later(int64_t at_ms, int64_t by_ms);
static void move_entry(struct rows *rows, struct record_session *session, int64_t at_ms);
static void sweep_entry(struct rows *rows, const struct sweep *sweep, int64_t now_ms,
                        const struct rows_key *entry, struct sweep_budget *budget, size_t *removed);

/* ---- entries ---- */

void sweep_enter(struct rows *rows, const struct sweep *sweep, struct record_session *session)
{
    int64_t due_ms = look_ms_of(rows, sweep, &session->session);

    if (due_ms != 0 && (session->entry_ms == 0 || session->entry_ms > due_ms)) {
        move_entry(rows, session, due_ms);
    }
}

/* When the session may be removed; 0 = it is live and never expires. */
static int64_t due_ms_of(const struct sweep *sweep, const struct session *session)
{
    int64_t over_ms = session->expires_ms;

    if (session->pending !=
        SESSION_BEGUN) { /* there is nothing to explain, and any client can ask */
        return over_ms < 1 ? 1 : over_ms;
    } else if (session->end != SESSION_LIVE && (over_ms == 0 || session->ended_ms < over_ms)) {
        over_ms = session->ended_ms;
    } else if (over_ms == 0) {
        return 0;
    }
    over_ms = later(over_ms, sweep->keep_ended_ms);
    over_ms = session->kept_until_ms > over_ms ? session->kept_until_ms : over_ms;
    return over_ms < 1 ? 1 : over_ms;
}

/* When it is worth a look: at its end already, where someone wants to be told of that. */
static int64_t look_ms_of(const struct rows *rows, const struct sweep *sweep,
                          const struct session *session)
{
    return expires_untold(rows, session) ? session->expires_ms : due_ms_of(sweep, session);
}

/* Will its end be an event, which is noted in the session once it is told? */
static bool expires_untold(const struct rows *rows, const struct session *session)
{
    if (rows->outbox == NULL || (rows->outbox->kinds & event_bit(EVENT_EXPIRED)) == 0 ||
        session->pending != SESSION_BEGUN || session->end != SESSION_LIVE ||
        session->expires_ms < 1) {
        return false;
    }
    for (size_t i = 0; i < session->event_count; i++) {
        if (session->events[i].kind == EVENT_EXPIRED &&
            session->events[i].at_ms == session->expires_ms) {
            return false;
        }
    }
    return true;
}

static int64_t later(int64_t at_ms, int64_t by_ms)
{
    return at_ms > RECORD_TIME_MAX - by_ms ? RECORD_TIME_MAX : at_ms + by_ms;
}

/* Takes the entry out of the table and, when at_ms is not 0, puts it in there. */
static void move_entry(struct rows *rows, struct record_session *session, int64_t at_ms)
{
    struct rows_key old = rows_end_key(session->entry_ms, session->session.id);
    struct rows_key new = rows_end_key(at_ms, session->session.id);

    if (session->entry_ms != 0) {
        rows_index_remove(rows, TABLE_ENDS, &old);
    }
    if (at_ms != 0) {
        rows_index_put(rows, TABLE_ENDS, &new);
    }
    session->entry_ms = at_ms;
}

/* ---- a look at what is due ---- */

void sweep_run(struct rows *rows, const struct sweep *sweep, int64_t now_ms,
               struct sweep_budget *budget, size_t *removed, bool *more)
{
    struct rows_key due = rows_end_key(now_ms < 0 ? 0 : now_ms, (const uint8_t[16]){0});

    marks_sweep(rows, now_ms, budget->entries);
    for (;;) {
        struct rows_key entry = rows_key_first();

        *more =
            rows_next(rows, TABLE_ENDS, TXN_FROM, &entry) && memcmp(entry.bytes, due.bytes, 8) <= 0;
        if (!*more || budget->entries == 0 || budget->sessions == 0 || budget->aliases == 0) {
            return;
        }
        budget->entries--;
        sweep_entry(rows, sweep, now_ms, &entry, budget, removed);
    }
}

enum store_result sweep_prune(struct rows *rows, const struct sweep *sweep,
                              struct store_pruning *pruning)
{
    struct sweep_budget budget = {PRUNE_SESSIONS, PRUNE_ENTRIES, PRUNE_ALIASES};
    struct clock_moment now = rows_moment(rows, pruning->now_ms);
    struct record_time stored, time;

    if (!rows_time_get(rows, &stored) && pruning->clock_is_right) {
        rows->failed = false; /* the time that is stored is damaged: it is written again */
    }
    time = pruning->clock_is_right ? sweep_time_set(&now) : sweep_time_at(&stored, &now);
    if (pruning->clock_is_right || sweep_time_worth_storing(&stored, &time)) {
        rows_time_put(rows, &time);
    }
    pruning->removed = 0;
    if (outbox_prune(rows, PRUNE_DELIVERIES)) {
        pruning->more = true;
        return STORE_OK;
    }
    if (pruning->most < budget.sessions) {
        budget.sessions = pruning->most;
    }
    sweep_run(rows, sweep, sweep_time_limit_ms(&time, pruning->now_ms), &budget, &pruning->removed,
              &pruning->more);
    return STORE_OK;
}

/* ---- one due entry ---- */

enum progress {
    FINISHED,
    UNFINISHED, /* the budget is used up; go on from there next time */
    IMPOSSIBLE  /* the aliases cannot be computed in this process */
};

static bool find_session(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                         struct record_session *session, bool *damaged);
static void look_at(struct rows *rows, const struct sweep *sweep, int64_t now_ms,
                    const struct rows_key *entry, struct record_session *session,
                    struct sweep_budget *budget, size_t *removed);
static void tell_expiry(struct rows *rows, struct session *session);
static void keep(struct rows *rows, struct record_session *session, int64_t at_ms);
static enum progress remove_derived(struct rows *rows, const struct sweep *sweep,
                                    struct record_session *session, struct sweep_budget *budget);
static enum progress remove_until(struct rows *rows, const struct sweep *sweep,
                                  struct record_session *session, uint32_t last,
                                  struct sweep_budget *budget);
static void remove_session(struct rows *rows, const struct session *session,
                           const struct rows_key *entry);
static void remove_alias(struct rows *rows, const struct session *session,
                         const uint8_t hash[SESSION_HASH_SIZE]);

static void sweep_entry(struct rows *rows, const struct sweep *sweep, int64_t now_ms,
                        const struct rows_key *entry, struct sweep_budget *budget, size_t *removed)
{
    struct record_session session;
    uint8_t id[SESSION_ID_SIZE];
    int64_t at_ms;
    bool damaged = false;

    if (rows_end_split(entry, &at_ms, id) && find_session(rows, id, &session, &damaged) &&
        session.entry_ms == at_ms) {
        look_at(rows, sweep, now_ms, entry, &session, budget, removed);
        return;
    }
    rows_index_remove(rows, TABLE_ENDS, entry); /* it leads nowhere, or is not the session's */
    if (damaged) {
        /* where its entry belongs cannot be read either: store_check reports both */
        struct rows_key moved = rows_end_key(later(now_ms, POSTPONE_MS), id);

        rows_index_put(rows, TABLE_ENDS, &moved);
    }
}

/* A record that cannot be read is no reason to stop. */
static bool find_session(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                         struct record_session *session, bool *damaged)
{
    bool found = rows_session_get(rows, id, session);

    *damaged = rows->failed;
    rows->failed = false;
    return found;
}

static void look_at(struct rows *rows, const struct sweep *sweep, int64_t now_ms,
                    const struct rows_key *entry, struct record_session *session,
                    struct sweep_budget *budget, size_t *removed)
{
    int64_t due_ms;

    if (expires_untold(rows, &session->session) && session->session.expires_ms <= now_ms) {
        tell_expiry(rows, &session->session);
    }
    due_ms = due_ms_of(sweep, &session->session);
    if (due_ms == 0 || due_ms > now_ms) {
        keep(rows, session, look_ms_of(rows, sweep, &session->session));
        return;
    }
    switch (remove_derived(rows, sweep, session, budget)) {
    case FINISHED:
        (*removed)++;
        budget->sessions--;
        remove_session(rows, &session->session, entry);
        break;
    case UNFINISHED:
        rows_session_put(rows, session);
        break;
    case IMPOSSIBLE:
        keep(rows, session, later(now_ms, POSTPONE_MS));
        break;
    }
}

/* An account's or a client's end may have ended it before, which its record need not say. */
static void tell_expiry(struct rows *rows, struct session *session)
{
    struct event event;

    event_of_session(&event, EVENT_EXPIRED, session, session->generation, session->expires_ms);
    events_append(rows, &event);
    session_note_event(session, EVENT_EXPIRED, session->expires_ms);
}

static void keep(struct rows *rows, struct record_session *session, int64_t at_ms)
{
    move_entry(rows, session, at_ms);
    rows_session_put(rows, session);
}

/* ---- removing ---- */

bool sweep_remove(struct rows *rows, const struct sweep *sweep, struct record_session *session)
{
    struct sweep_budget budget = {.aliases = SWEEP_ALIASES_KEPT + 1};
    struct rows_key entry = rows_end_key(session->entry_ms, session->session.id);

    if (session->session.kept_until_ms != 0 ||
        remove_derived(rows, sweep, session, &budget) != FINISHED) {
        return false;
    }
    remove_session(rows, &session->session, &entry);
    return true;
}

/* Two for one that comes, so that a session that has too many gets down to them. */
void sweep_old_aliases(struct rows *rows, const struct sweep *sweep, struct record_session *session)
{
    struct sweep_budget budget = {.aliases = 2};
    uint32_t generation = session->session.generation;

    if (generation >= SWEEP_ALIASES_KEPT) {
        remove_until(rows, sweep, session, generation - SWEEP_ALIASES_KEPT, &budget);
    }
}

static enum progress remove_derived(struct rows *rows, const struct sweep *sweep,
                                    struct record_session *session, struct sweep_budget *budget)
{
    return remove_until(rows, sweep, session, session->session.generation, budget);
}

/* Those up to and with generation `last`. */
static enum progress remove_until(struct rows *rows, const struct sweep *sweep,
                                  struct record_session *session, uint32_t last,
                                  struct sweep_budget *budget)
{
    const struct session *of = &session->session;
    uint8_t hash[SESSION_HASH_SIZE];

    if (!of->has_derived_aliases) {
        return FINISHED;
    } else if (sweep->derived_alias == NULL) {
        return IMPOSSIBLE;
    }
    for (uint64_t generation = session->swept; generation <= last; generation++) {
        session->swept = (uint32_t)generation;
        if (budget->aliases == 0) {
            return UNFINISHED;
        } else if (!sweep->derived_alias(sweep->self, of->secret, of->id, (uint32_t)generation,
                                         hash)) {
            return IMPOSSIBLE;
        }
        remove_alias(rows, of, hash);
        budget->aliases--;
    }
    return FINISHED;
}

static void remove_session(struct rows *rows, const struct session *session,
                           const struct rows_key *entry)
{
    struct rows_key owner = rows_owner_key(session->account, session->id);

    if (session->has_alias) {
        remove_alias(rows, session, session->alias);
    }
    rows_index_remove(rows, TABLE_OWNERS, &owner);
    rows_session_remove(rows, session->id);
    rows_index_remove(rows, TABLE_ENDS, entry);
}

/* Removes the alias if it is this session's: an operator may have imported the token again. One
 * that cannot be read may be another's: it stays, and store_check reports it. */
static void remove_alias(struct rows *rows, const struct session *session,
                         const uint8_t hash[SESSION_HASH_SIZE])
{
    struct record_alias alias;
    bool failed = rows->failed;
    bool found = rows_alias_get(rows, hash, &alias);

    rows->failed = failed;
    if (found && memcmp(alias.id, session->id, SESSION_ID_SIZE) == 0) {
        rows_alias_remove(rows, hash);
    }
}

/* ---- the clock ---- */

enum store_result sweep_clock_ahead(struct store *store, int64_t now_ms, int64_t *ahead_ms,
                                    struct fault *fault)
{
    struct clock_moment now = {.wall_ms = now_ms};
    struct record_time time;
    struct rows rows;

    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    if (verbs_of(store)->clock.now_ms != NULL) {
        now = clock_moment(&verbs_of(store)->clock);
    }
    rows_time_get(&rows, &time);
    time = sweep_time_at(&time, &now);
    *ahead_ms = now_ms - time.trusted_ms;
    if (*ahead_ms >= -CLOCK_DAY && *ahead_ms <= CLOCK_DAY) {
        *ahead_ms = 0;
    }
    return verbs_read_end(&rows, true);
}
