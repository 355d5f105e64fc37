/* sessions.c: the verbs about sessions and their aliases. */
#include <string.h>

#include "store/events.h"
#include "store/prepared.h"

/* ---- create ---- */

/* The alias of generation 0, when it has derived ones. */
static bool derive_alias(const struct sweep *sweep, const struct session *session,
                         uint8_t alias[SESSION_HASH_SIZE], struct fault *fault)
{
    if (!session->has_derived_aliases ||
        (sweep->derived_alias != NULL &&
         sweep->derived_alias(sweep->self, session->id, 0, alias))) {
        return true;
    }
    fault_set(fault, "the alias of a UUID-shaped refresh token could not be computed");
    return false;
}

/* STORE_ABSENT: id and aliases are free. */
static enum store_result find_taken(struct rows *rows, const struct session *session,
                                    const uint8_t derived[SESSION_HASH_SIZE], struct fault *fault)
{
    struct record_session other;
    struct record_alias alias;
    enum store_result result = rows_session_get(rows, session->id, &other, fault);

    if (result == STORE_ABSENT && session->has_alias) {
        result = rows_alias_get(rows, session->alias, &alias, fault);
    }
    if (result == STORE_ABSENT && session->has_derived_aliases) {
        result = rows_alias_get(rows, derived, &alias, fault);
    }
    return result == STORE_OK ? STORE_EXISTS : result;
}

static enum store_result add_alias(struct rows *rows, const struct session *session,
                                   const uint8_t hash[SESSION_HASH_SIZE], struct fault *fault)
{
    struct record_alias alias = {.generation = 0};

    memcpy(alias.id, session->id, SESSION_ID_SIZE);
    return rows_alias_put(rows, hash, &alias, fault);
}

/* Is the account still the one on whose word the session begins? */
static enum store_result check_account(struct rows *rows, const struct account *as_read,
                                       struct fault *fault)
{
    struct account account;
    enum store_result result = rows_account_get(rows, as_read->number, &account, fault);

    if (result == STORE_ABSENT ||
        (result == STORE_OK &&
         (!account.enabled || strcmp(account.password, as_read->password) != 0))) {
        return STORE_STALE;
    }
    return result;
}

static enum store_result apply_create(struct rows *rows, void *what, struct fault *fault)
{
    const struct store_write *write = what;
    const struct sweep *sweep = &write->store->sweep;
    const struct session *session = write->of.creation.session;
    const struct account *as_read = write->of.creation.as_read;
    struct record_session stored = {.session = *session};
    struct rows_key owner = rows_owner_key(session->account, session->id);
    uint8_t derived[SESSION_HASH_SIZE];
    enum store_result result;

    if (!rows_have_room(rows, fault) || !derive_alias(sweep, session, derived, fault)) {
        return STORE_FAULT;
    }
    result = as_read != NULL ? check_account(rows, as_read, fault) : STORE_OK;
    if (result != STORE_OK) {
        return result;
    }
    result = find_taken(rows, session, derived, fault);
    if (result != STORE_ABSENT) {
        return result;
    }
    if (session->has_alias && add_alias(rows, session, session->alias, fault) != STORE_OK) {
        return STORE_FAULT;
    } else if (session->has_derived_aliases &&
               add_alias(rows, session, derived, fault) != STORE_OK) {
        return STORE_FAULT;
    } else if (sweep_enter(rows, sweep, &stored, fault) != STORE_OK) {
        return STORE_FAULT;
    } else if (rows_index_put(rows, TABLE_OWNERS, &owner, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    return rows_session_put(rows, &stored, fault);
}

void store_prepare_create(struct store_write *write, const struct session *session,
                          const struct account *as_read)
{
    prepared_start(write, apply_create, session->created_ms);
    write->of.creation.session = session;
    write->of.creation.as_read = as_read;
}

enum store_result store_session_create(struct store *store, const struct session *session,
                                       const struct account *as_read, struct fault *fault)
{
    struct store_write write;

    store_prepare_create(&write, session, as_read);
    return store_write(store, &write, fault);
}

/* ---- find ---- */

static enum store_result read_account(struct rows *rows, struct session_view *grant,
                                      struct fault *fault)
{
    enum store_result result =
        rows_account_get(rows, grant->session.account, &grant->account, fault);

    grant->has_account = result == STORE_OK;
    return result == STORE_ABSENT ? STORE_OK : result;
}

static enum store_result read_client(struct rows *rows, struct session_view *grant,
                                     struct fault *fault)
{
    enum store_result result = rows_client_get(rows, grant->session.client, &grant->client, fault);

    grant->has_client = result == STORE_OK;
    return result == STORE_ABSENT ? STORE_OK : result;
}

static enum store_result read_grant(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                                    struct session_view *grant, struct fault *fault)
{
    struct record_session stored;
    struct record_counters counters;
    enum store_result result = rows_session_get(rows, id, &stored, fault);

    if (result != STORE_OK) {
        return result;
    }
    grant->session = stored.session;
    if (read_account(rows, grant, fault) != STORE_OK ||
        read_client(rows, grant, fault) != STORE_OK ||
        rows_counters_get(rows, &counters, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    grant->keyring_version = counters.keyring_version;
    return STORE_OK;
}

enum store_result store_session_view(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                     struct session_view *grant, struct fault *fault)
{
    struct rows rows;
    enum store_result result = store_private_read_begin(store, &rows, fault);

    if (result == STORE_OK) {
        result = read_grant(&rows, id, grant, fault);
        store_private_read_end(&rows);
    }
    return result;
}

enum store_result store_alias_find(struct store *store, const uint8_t alias[SESSION_HASH_SIZE],
                                   uint8_t id[SESSION_ID_SIZE], uint32_t *generation,
                                   struct fault *fault)
{
    struct rows rows;
    struct record_alias found;
    enum store_result result = store_private_read_begin(store, &rows, fault);

    if (result == STORE_OK) {
        result = rows_alias_get(&rows, alias, &found, fault);
        store_private_read_end(&rows);
    }
    if (result == STORE_OK) {
        memcpy(id, found.id, SESSION_ID_SIZE);
        *generation = found.generation;
    }
    return result;
}

/* ---- rotate, touch ---- */

/* The session as the caller saw it: live, of that generation, its account there and enabled. */
static enum store_result find_unchanged(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                                        uint32_t generation, struct record_session *stored,
                                        struct fault *fault)
{
    struct account account;
    enum store_result result = rows_session_get(rows, id, stored, fault);

    if (result != STORE_OK) {
        return result;
    } else if (stored->session.generation != generation || stored->session.end != SESSION_LIVE) {
        return STORE_STALE;
    }
    result = rows_account_get(rows, stored->session.account, &account, fault);
    if (result == STORE_ABSENT || (result == STORE_OK && !account.enabled)) {
        return STORE_STALE;
    }
    return result;
}

static enum store_result put_renewed(struct rows *rows, const struct sweep *sweep,
                                     struct record_session *stored, struct fault *fault)
{
    if (sweep_enter(rows, sweep, stored, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    return rows_session_put(rows, stored, fault);
}

/* The successor's alias must be nobody else's: then two tokens would be one. */
static enum store_result put_successor(struct rows *rows, const struct store_rotation *rotation,
                                       struct fault *fault)
{
    struct record_alias alias = {.generation = rotation->to};
    struct record_alias other;
    enum store_result result = rows_alias_get(rows, rotation->alias, &other, fault);

    memcpy(alias.id, rotation->id, SESSION_ID_SIZE);
    if (result == STORE_OK && (memcmp(other.id, alias.id, SESSION_ID_SIZE) != 0 ||
                               other.generation != alias.generation)) {
        fault_set(fault, "the alias of a refresh token is taken by another one; run "
                         "`retoken store check`");
        return STORE_FAULT;
    } else if (result == STORE_FAULT) {
        return result;
    }
    return rows_alias_put(rows, rotation->alias, &alias, fault);
}

/* A clock that was set back does not make the last use earlier, or the session would end before its
 * time. */
static void note_use(struct session *session, int64_t now_ms)
{
    const int64_t times[] = {session->rotated_ms, now_ms};

    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        session->used_ms = times[i] > session->used_ms ? times[i] : session->used_ms;
    }
}

/* Generation to - 1 is spent now; when those between it and `from` were is not known. */
static void note_spent(struct session *session, const struct store_rotation *rotation)
{
    struct clock_moment now = {.wall_ms = rotation->now_ms};
    struct session_spent *spent = session->spent;
    uint32_t steps = rotation->to - rotation->from;
    uint32_t kept = steps < SESSION_SPENT_KEPT ? SESSION_SPENT_KEPT - steps : 0;

    if (rotation->clock != NULL) {
        now = clock_moment(rotation->clock);
    }
    memmove(spent + SESSION_SPENT_KEPT - kept, spent, kept * sizeof *spent);
    memset(spent, 0, (SESSION_SPENT_KEPT - kept) * sizeof *spent);
    for (uint32_t i = 0; i < SESSION_SPENT_KEPT && now.boot != session->boot; i++) {
        spent[i].boot_ms = 0;
    }
    session->boot = now.boot;
    spent[0] = (struct session_spent){now.wall_ms, now.boot != 0 ? now.boot_ms : 0};
}

static enum store_result apply_rotate(struct rows *rows, void *what, struct fault *fault)
{
    const struct store_write *write = what;
    const struct store_rotation *rotation = &write->of.rotation;
    struct record_session stored;
    enum store_result result = find_unchanged(rows, rotation->id, rotation->from, &stored, fault);

    if (result != STORE_OK) {
        return result;
    } else if (rotation->to <= rotation->from) {
        fault_set(fault, "a session has used up its generations; revoke it");
        return STORE_FAULT;
    } else if (rotation->has_alias && put_successor(rows, rotation, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    note_use(&stored.session, rotation->now_ms);
    note_spent(&stored.session, rotation);
    stored.session.generation = rotation->to;
    stored.session.rotated_ms = rotation->now_ms;
    stored.session.expires_ms = rotation->expires_ms;
    stored.session.has_derived_aliases |= rotation->has_alias;
    if (rotation->event != NULL && events_append(rows, rotation->event, fault) != STORE_OK) {
        return STORE_FAULT;
    }
    return put_renewed(rows, &write->store->sweep, &stored, fault);
}

void store_prepare_rotate(struct store_write *write, const struct store_rotation *rotation)
{
    prepared_start(write, apply_rotate, rotation->now_ms);
    write->of.rotation = *rotation;
}

enum store_result store_session_rotate(struct store *store, const struct store_rotation *rotation,
                                       struct fault *fault)
{
    struct store_write write;

    store_prepare_rotate(&write, rotation);
    return store_write(store, &write, fault);
}

static enum store_result apply_touch(struct rows *rows, void *what, struct fault *fault)
{
    const struct store_write *write = what;
    const struct store_rotation *touch = &write->of.touch;
    struct record_session stored;
    enum store_result result = find_unchanged(rows, touch->id, touch->from, &stored, fault);

    if (result != STORE_OK) {
        return result;
    }
    note_use(&stored.session, touch->now_ms);
    stored.session.expires_ms = touch->expires_ms;
    return put_renewed(rows, &write->store->sweep, &stored, fault);
}

void store_prepare_touch(struct store_write *write, const uint8_t id[SESSION_ID_SIZE],
                         uint32_t generation, int64_t now_ms, int64_t expires_ms)
{
    prepared_start(write, apply_touch, now_ms);
    write->of.touch =
        (struct store_rotation){.from = generation, .now_ms = now_ms, .expires_ms = expires_ms};
    memcpy(write->of.touch.id, id, SESSION_ID_SIZE);
}

enum store_result store_session_touch(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                      uint32_t generation, int64_t now_ms, int64_t expires_ms,
                                      struct fault *fault)
{
    struct store_write write;

    store_prepare_touch(&write, id, generation, now_ms, expires_ms);
    return store_write(store, &write, fault);
}

/* ---- end ---- */

struct ending {
    const struct sweep *sweep;
    enum session_end end;
    int64_t now_ms;
};

static enum store_result end_one(struct rows *rows, const struct ending *ending,
                                 struct record_session *stored, struct fault *fault)
{
    stored->session.end = ending->end;
    stored->session.ended_ms = ending->now_ms;
    return put_renewed(rows, ending->sweep, stored, fault);
}

static enum store_result apply_end(struct rows *rows, void *what, struct fault *fault)
{
    const struct store_write *write = what;
    struct ending how = {&write->store->sweep, write->of.ending.end, write->of.ending.now_ms};
    struct record_session stored;
    enum store_result result = STORE_FAULT;

    if (how.end == SESSION_LIVE) {
        fault_set(fault, "a session cannot be ended as live");
        return STORE_FAULT;
    }
    result = rows_session_get(rows, write->of.ending.id, &stored, fault);
    if (result == STORE_OK && stored.session.end == SESSION_LIVE) {
        result = end_one(rows, &how, &stored, fault);
    }
    if (result == STORE_OK && write->of.ending.has_event) {
        result = events_append(rows, &write->of.ending.event, fault);
    }
    return result;
}

void store_prepare_end(struct store_write *write, const uint8_t id[SESSION_ID_SIZE],
                       enum session_end end, int64_t now_ms, const struct event *event)
{
    prepared_start(write, apply_end, now_ms);
    memcpy(write->of.ending.id, id, SESSION_ID_SIZE);
    write->of.ending.end = end;
    write->of.ending.now_ms = now_ms;
    write->of.ending.has_event = event != NULL;
    if (event != NULL) {
        write->of.ending.event = *event;
    }
}

enum store_result store_session_end(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                    enum session_end end, int64_t now_ms, const struct event *event,
                                    struct fault *fault)
{
    struct store_write write;

    store_prepare_end(&write, id, end, now_ms, event);
    return store_write(store, &write, fault);
}

/* ---- all sessions of an account ---- */

/* The next session of the account after *position, an owner key. */
static enum store_result next_owned(struct rows *rows, uint64_t account, struct rows_key *position,
                                    struct record_session *stored, struct fault *fault)
{
    uint8_t id[SESSION_ID_SIZE];
    uint64_t owner;

    for (;;) {
        enum store_result result = rows_next(rows, TABLE_OWNERS, ENGINE_AFTER, position, fault);

        if (result != STORE_OK) {
            return result;
        } else if (!rows_owner_split(position, &owner, id) || owner != account) {
            return STORE_ABSENT;
        }
        result = rows_session_get(rows, id, stored, fault);
        if (result != STORE_ABSENT) { /* an entry that leads nowhere is store_check's business */
            return result;
        }
    }
}

struct account_ending {
    struct ending how;
    uint64_t account;
    struct rows_key after; /* done up to here */
    /* what this batch came to */
    struct rows_key reached;
    size_t ended;
    bool more;
};

/* Other writers get their turn after this many. */
enum { END_AT_ONCE = 256 };

static enum store_result apply_account_end(struct rows *rows, void *what, struct fault *fault)
{
    struct account_ending *ending = what;
    struct record_session stored;
    enum store_result result = STORE_OK;

    ending->reached = ending->after;
    ending->ended = 0;
    for (size_t i = 0; i < END_AT_ONCE && result == STORE_OK; i++) {
        result = next_owned(rows, ending->account, &ending->reached, &stored, fault);
        if (result == STORE_OK && stored.session.end == SESSION_LIVE) {
            result = end_one(rows, &ending->how, &stored, fault);
            ending->ended++;
        }
    }
    ending->more = result == STORE_OK;
    return result == STORE_ABSENT ? STORE_OK : result;
}

enum store_result store_account_sessions_end(struct store *store, uint64_t account,
                                             enum session_end end, int64_t now_ms, size_t *count,
                                             struct fault *fault)
{
    struct account_ending ending = {.how = {&store->sweep, end, now_ms},
                                    .account = account,
                                    .after = rows_owner_key(account, (const uint8_t[16]){0}),
                                    .more = true};
    enum store_result result = STORE_OK;

    *count = 0;
    if (end == SESSION_LIVE) {
        fault_set(fault, "sessions cannot be ended as live");
        return STORE_FAULT;
    }
    while (result == STORE_OK && ending.more) {
        result = store_private_write(store, apply_account_end, &ending, now_ms, fault);
        *count += result == STORE_OK ? ending.ended : 0;
        ending.after = ending.reached;
    }
    return result;
}

/* ---- list ---- */

static enum store_result next_of_all(struct rows *rows, struct rows_key *position,
                                     struct record_session *stored, struct fault *fault)
{
    enum store_result result = rows_next(rows, TABLE_SESSIONS, ENGINE_AFTER, position, fault);

    if (result == STORE_OK && position->size != SESSION_ID_SIZE) {
        fault_set(fault, "a key in sessions is none of ours; run `retoken store check`");
        return STORE_FAULT;
    }
    return result == STORE_OK ? rows_session_get(rows, position->bytes, stored, fault) : result;
}

enum store_result store_session_list(struct store *store, uint64_t account, const uint8_t *after,
                                     struct session *rows_out, size_t room, size_t *count,
                                     struct fault *fault)
{
    static const uint8_t start[SESSION_ID_SIZE];
    const uint8_t *from = after != NULL ? after : start;
    struct rows_key position = {.size = SESSION_ID_SIZE};
    struct record_session stored;
    struct rows rows;
    enum store_result result = store_private_read_begin(store, &rows, fault);

    *count = 0;
    if (result != STORE_OK) {
        return result;
    }
    memcpy(position.bytes, from, SESSION_ID_SIZE);
    if (account != 0) {
        position = rows_owner_key(account, from);
    }
    while (*count < room && result == STORE_OK) {
        result = account != 0 ? next_owned(&rows, account, &position, &stored, fault)
                              : next_of_all(&rows, &position, &stored, fault);
        if (result == STORE_OK) {
            rows_out[(*count)++] = stored.session;
        }
    }
    store_private_read_end(&rows);
    return result == STORE_ABSENT ? STORE_OK : result;
}
