/* sweep.c: removes what ended or expired long enough ago, a little per write, never as a job.
 * Knows sessions, their aliases and their two index entries; does not know who asked. */
#include "store/sweep.h"

#include <string.h>

/* When an entry leads to a record that cannot be read, or to aliases that cannot be computed here:
 * the next look is this much later, so that it does not stand before all others for ever. */
enum { POSTPONE_MS = 24 * 60 * 60 * 1000 };

static int64_t later(int64_t at_ms, int64_t by_ms)
{
    return at_ms > RECORD_TIME_MAX - by_ms ? RECORD_TIME_MAX : at_ms + by_ms;
}

/* When the session may be removed; 0 = it is live and never expires. */
static int64_t due_ms_of(const struct sweep *sweep, const struct session *session)
{
    int64_t over_ms = session->expires_ms;

    if (session->end != SESSION_LIVE && (over_ms == 0 || session->ended_ms < over_ms)) {
        over_ms = session->ended_ms;
    } else if (over_ms == 0) {
        return 0;
    }
    over_ms = later(over_ms, sweep->keep_ended_ms);
    return over_ms < 1 ? 1 : over_ms;
}

/* Takes the entry out of the table and, when at_ms is not 0, puts it in there. */
static enum store_result move_entry(struct rows *rows, struct record_session *session,
                                    int64_t at_ms, struct fault *fault)
{
    struct rows_key old = rows_end_key(session->entry_ms, session->session.id);
    struct rows_key new = rows_end_key(at_ms, session->session.id);
    enum store_result result = STORE_OK;

    if (session->entry_ms != 0) {
        result = rows_index_remove(rows, TABLE_ENDS, &old, fault);
    }
    if (result != STORE_FAULT && at_ms != 0) {
        result = rows_index_put(rows, TABLE_ENDS, &new, fault);
    }
    session->entry_ms = at_ms;
    return result == STORE_FAULT ? STORE_FAULT : STORE_OK;
}

enum store_result sweep_enter(struct rows *rows, const struct sweep *sweep,
                              struct record_session *session, struct fault *fault)
{
    int64_t due_ms = due_ms_of(sweep, &session->session);

    if (due_ms == 0 || (session->entry_ms != 0 && session->entry_ms <= due_ms)) {
        return STORE_OK;
    }
    return move_entry(rows, session, due_ms, fault);
}

/* ---- removing ---- */

/* Removes the alias if it is this session's: an operator may have imported the token again. */
static enum store_result remove_alias(struct rows *rows, const struct session *session,
                                      const uint8_t hash[SESSION_HASH_SIZE], struct fault *fault)
{
    struct record_alias alias;
    enum store_result result = rows_alias_get(rows, hash, &alias, fault);

    if (result == STORE_OK && memcmp(alias.id, session->id, SESSION_ID_SIZE) == 0) {
        result = rows_alias_remove(rows, hash, fault);
    }
    return result == STORE_FAULT ? STORE_FAULT : STORE_OK;
}

enum progress {
    FINISHED,
    UNFINISHED, /* the budget is used up; go on from there next time */
    IMPOSSIBLE  /* the aliases cannot be computed in this process */
};

static enum store_result remove_derived(struct rows *rows, const struct sweep *sweep,
                                        struct record_session *session, struct sweep_budget *budget,
                                        enum progress *progress, struct fault *fault)
{
    const struct session *of = &session->session;
    uint8_t hash[SESSION_HASH_SIZE];

    *progress = of->has_derived_aliases && sweep->derived_alias == NULL ? IMPOSSIBLE : FINISHED;
    if (!of->has_derived_aliases || *progress == IMPOSSIBLE) {
        return STORE_OK;
    }
    for (uint64_t generation = session->swept; generation <= of->generation; generation++) {
        session->swept = (uint32_t)generation;
        if (budget->aliases == 0) {
            *progress = UNFINISHED;
            return STORE_OK;
        } else if (!sweep->derived_alias(sweep->self, of->id, (uint32_t)generation, hash)) {
            *progress = IMPOSSIBLE;
            return STORE_OK;
        } else if (remove_alias(rows, of, hash, fault) != STORE_OK) {
            return STORE_FAULT;
        }
        budget->aliases--;
    }
    return STORE_OK;
}

static enum store_result remove_session(struct rows *rows, const struct session *session,
                                        const struct rows_key *entry, struct fault *fault)
{
    struct rows_key owner = rows_owner_key(session->account, session->id);

    if (session->has_alias && remove_alias(rows, session, session->alias, fault) != STORE_OK) {
        return STORE_FAULT;
    } else if (rows_index_remove(rows, TABLE_OWNERS, &owner, fault) == STORE_FAULT) {
        return STORE_FAULT;
    } else if (rows_session_remove(rows, session->id, fault) == STORE_FAULT) {
        return STORE_FAULT;
    } else if (rows_index_remove(rows, TABLE_ENDS, entry, fault) == STORE_FAULT) {
        return STORE_FAULT;
    }
    return STORE_OK;
}

/* ---- one due entry ---- */

/* The record cannot be read, so neither can it be told where its entry stands now: store_check
 * reports both. */
static enum store_result postpone_damaged(struct rows *rows, const struct rows_key *entry,
                                          const uint8_t id[SESSION_ID_SIZE], int64_t now_ms,
                                          struct fault *fault)
{
    struct rows_key moved = rows_end_key(later(now_ms, POSTPONE_MS), id);

    if (rows_index_remove(rows, TABLE_ENDS, entry, fault) == STORE_FAULT) {
        return STORE_FAULT;
    }
    return rows_index_put(rows, TABLE_ENDS, &moved, fault);
}

static enum store_result keep(struct rows *rows, struct record_session *session, int64_t at_ms,
                              struct fault *fault)
{
    if (move_entry(rows, session, at_ms, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    return rows_session_put(rows, session, fault);
}

static enum store_result look_at(struct rows *rows, const struct sweep *sweep, int64_t now_ms,
                                 const struct rows_key *entry, struct record_session *session,
                                 struct sweep_budget *budget, size_t *removed, struct fault *fault)
{
    int64_t due_ms = due_ms_of(sweep, &session->session);
    enum progress progress;

    if (due_ms == 0 || due_ms > now_ms) {
        return keep(rows, session, due_ms, fault);
    } else if (remove_derived(rows, sweep, session, budget, &progress, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    switch (progress) {
    case FINISHED:
        (*removed)++;
        budget->sessions--;
        return remove_session(rows, &session->session, entry, fault);
    case UNFINISHED:
        return rows_session_put(rows, session, fault);
    case IMPOSSIBLE:
        return keep(rows, session, later(now_ms, POSTPONE_MS), fault);
    }
    return STORE_FAULT;
}

static enum store_result sweep_entry(struct rows *rows, const struct sweep *sweep, int64_t now_ms,
                                     const struct rows_key *entry, struct sweep_budget *budget,
                                     size_t *removed, struct fault *fault)
{
    struct record_session session;
    uint8_t id[SESSION_ID_SIZE];
    int64_t at_ms;

    if (!rows_end_split(entry, &at_ms, id)) {
        return rows_index_remove(rows, TABLE_ENDS, entry, fault);
    }
    switch (rows_session_get(rows, id, &session, fault)) {
    case STORE_OK:
        if (session.entry_ms == at_ms) {
            return look_at(rows, sweep, now_ms, entry, &session, budget, removed, fault);
        }
        return rows_index_remove(rows, TABLE_ENDS, entry, fault); /* not the session's entry */
    case STORE_FAULT:
        return postpone_damaged(rows, entry, id, now_ms, fault);
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        break;
    }
    return rows_index_remove(rows, TABLE_ENDS, entry, fault); /* leads nowhere */
}

enum store_result sweep_run(struct rows *rows, const struct sweep *sweep, int64_t now_ms,
                            struct sweep_budget *budget, size_t *removed, bool *more,
                            struct fault *fault)
{
    for (;;) {
        struct rows_key entry = rows_key_first();
        struct rows_key due = rows_end_key(now_ms < 0 ? 0 : now_ms, (const uint8_t[16]){0});
        enum store_result result = rows_next(rows, TABLE_ENDS, ENGINE_FROM, &entry, fault);

        *more = result == STORE_OK && memcmp(entry.bytes, due.bytes, 8) <= 0;
        if (result == STORE_FAULT) {
            return STORE_FAULT;
        } else if (!*more || budget->entries == 0 || budget->sessions == 0 ||
                   budget->aliases == 0) {
            return STORE_OK;
        }
        budget->entries--;
        if (sweep_entry(rows, sweep, now_ms, &entry, budget, removed, fault) == STORE_FAULT) {
            return STORE_FAULT;
        }
    }
}
