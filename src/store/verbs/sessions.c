/* SPDX-License-Identifier: ISC */
/* sessions.c: beginning, finding and renewing sessions, and their aliases. Knows the order of a
 * session's rows; does not know tokens or policies. */
#include <string.h>

#include "store/verbs/epochs.h"
#include "store/verbs/verbs.h"

/* ---- create ---- */

static bool derive_alias(struct rows *rows, const struct sweep *sweep,
                         const struct session *session, uint8_t alias[SESSION_HASH_SIZE]);
static bool is_taken(struct rows *rows, const struct session *session,
                     const uint8_t derived[SESSION_HASH_SIZE]);
static void add_alias(struct rows *rows, const struct session *session,
                      const uint8_t hash[SESSION_HASH_SIZE]);

static void list_under_account(struct rows *rows, const struct sweep *sweep,
                               const struct session *session, int64_t now_ms);
static void begin_later(struct session *session, int64_t by_ms);
static bool client_lets_it_live(struct rows *rows, const struct session *session,
                                struct client *client);

/* The session begins in the epoch of now, and only while account and client are those on
 * whose word it begins. */
enum store_result sessions_create(struct rows *rows, const struct sweep *sweep,
                                  const struct store_write *write)
{
    const struct session *session = write->of.create.session;
    const struct account *as_read = write->of.create.as_read;
    struct record_session stored = {.session = *session};
    struct account account;
    struct client client;
    uint8_t derived[SESSION_HASH_SIZE];
    bool has_account;

    if (!rows_have_room(rows) || !derive_alias(rows, sweep, session, derived)) {
        return STORE_FAULT;
    }
    has_account = rows_account_get(rows, session->account, &account);
    if (as_read != NULL &&
        (!has_account || !account.enabled || !account_same_password(&account, as_read))) {
        return STORE_STALE;
    } else if (!client_lets_it_live(rows, session, &client)) {
        return STORE_STALE;
    } else if (is_taken(rows, session, derived)) {
        return STORE_EXISTS;
    }
    stored.session.epoch =
        epochs_read(rows, session->realm).epoch + (has_account ? account.epoch : 0);
    if (session->pending == SESSION_BEGUN) {
        list_under_account(rows, sweep, session, session->used_ms);
        begin_later(&stored.session, rows->behind_ms > 0 ? rows->behind_ms : 0);
    }
    if (has_account && write->of.create.is_login) {
        account.last_login_ms = stored.session.created_ms;
        rows_account_put(rows, &account);
    }
    if (session->has_alias) {
        add_alias(rows, session, session->alias);
    }
    if (session->has_derived_aliases) {
        add_alias(rows, session, derived);
    }
    sweep_enter(rows, sweep, &stored);
    rows_session_put(rows, &stored);
    if (session->client_number != 0) {
        clients_note_use(rows, &client, write->of.create.client_secret, session->created_ms);
    }
    return STORE_OK;
}

/* Among the account's sessions, where it may be one too many. */
static void list_under_account(struct rows *rows, const struct sweep *sweep,
                               const struct session *session, int64_t now_ms)
{
    struct rows_key owner = rows_owner_key(session->account, session->id);
    struct account account;

    if (rows_account_get(rows, session->account, &account)) {
        ends_make_room(rows, sweep, &account, now_ms);
    }
    rows_index_put(rows, TABLE_OWNERS, &owner);
}

/* By a clock that is behind: it would be over when the clock is mended. */
static void begin_later(struct session *session, int64_t by_ms)
{
    session->created_ms += by_ms;
    session->rotated_ms += by_ms;
    session->used_ms += by_ms;
    session->expires_ms += session->expires_ms != 0 ? by_ms : 0;
}

/* The alias of generation 0, when it has derived ones. */
static bool derive_alias(struct rows *rows, const struct sweep *sweep,
                         const struct session *session, uint8_t alias[SESSION_HASH_SIZE])
{
    if (session->has_derived_aliases &&
        (sweep->derived_alias == NULL ||
         !sweep->derived_alias(sweep->self, session->secret, session->id, 0, alias))) {
        rows_fail(rows, "the alias of a UUID-shaped refresh token could not be computed");
    }
    return !rows->failed;
}

static bool is_taken(struct rows *rows, const struct session *session,
                     const uint8_t derived[SESSION_HASH_SIZE])
{
    struct record_session other;
    struct record_alias alias;

    return rows_session_get(rows, session->id, &other) ||
           (session->has_alias && rows_alias_get(rows, session->alias, &alias)) ||
           (session->has_derived_aliases && rows_alias_get(rows, derived, &alias));
}

static void add_alias(struct rows *rows, const struct session *session,
                      const uint8_t hash[SESSION_HASH_SIZE])
{
    struct record_alias alias = {.generation = 0};

    memcpy(alias.id, session->id, SESSION_ID_SIZE);
    rows_alias_put(rows, hash, &alias);
}

/* ---- find ---- */

/* A session of an earlier epoch, or of a client that was removed, has ended with all others, though
 * its record may not say so yet. NULL: there is none. */
static void show_end(const struct epochs_now *now, const struct account *account,
                     const struct client *client, struct session *session)
{
    uint32_t epoch = now->epoch + (account != NULL ? account->epoch : 0);

    if (session->end != SESSION_LIVE) {
        return;
    } else if (session->epoch < epoch) {
        bool by_realm = session->used_ms <= now->raised_ms;

        session->end = by_realm ? SESSION_ENDED_ADMIN : SESSION_ENDED_ACCOUNT;
        session->ended_ms = by_realm ? now->raised_ms : session->used_ms;
    } else if (session_client_is_gone(session, client)) {
        session->end = SESSION_ENDED_CLIENT;
        session->ended_ms = session->used_ms;
    }
    session->ended_unmarked = session->end != SESSION_LIVE;
}

enum store_result sessions_view(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                struct session_view *view, struct fault *fault)
{
    struct rows rows;
    struct record_session stored;
    struct record_counters counters;
    struct epochs_now epochs;
    bool found;

    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    rows_counters_want(&rows);
    found = rows_session_get(&rows, id, &stored);
    if (found) {
        rows_owners_want(&rows, &stored.session);
        view->session = stored.session;
        view->has_account = rows_account_get(&rows, view->session.account, &view->account);
        view->has_client = rows_client_get(&rows, view->session.client, &view->client);
        epochs = epochs_read(&rows, view->session.realm);
        show_end(&epochs, view->has_account ? &view->account : NULL,
                 view->has_client ? &view->client : NULL, &view->session);
        if (rows_counters_get(&rows, &counters)) {
            view->keyring_version = counters.keyring_version;
        }
    }
    return verbs_read_end(&rows, found);
}

enum store_result sessions_alias_find(struct store *store, const uint8_t alias[SESSION_HASH_SIZE],
                                      uint8_t id[SESSION_ID_SIZE], uint32_t *generation,
                                      struct fault *fault)
{
    struct rows rows;
    struct record_alias stored;
    bool found;

    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    found = rows_alias_get(&rows, alias, &stored);
    if (found) {
        memcpy(id, stored.id, SESSION_ID_SIZE);
        *generation = stored.generation;
    }
    return verbs_read_end(&rows, found);
}

static bool next_of_all(struct rows *rows, struct rows_key *position, struct record_session *stored)
{
    if (!rows_next(rows, TABLE_SESSIONS, TXN_AFTER, position)) {
        return false;
    } else if (position->size != SESSION_ID_SIZE) {
        rows_fail(rows, "a key in sessions is none of ours; run `retoken store check`");
        return false;
    }
    return rows_session_get(rows, position->bytes, stored);
}

enum store_result sessions_list(struct store *store, uint64_t account, const uint8_t *after,
                                struct session *rows_out, size_t room, size_t *count,
                                struct fault *fault)
{
    static const uint8_t start[SESSION_ID_SIZE];
    struct rows_key position = rows_owner_key(account, after != NULL ? after : start);
    struct record_session stored;
    struct record_epochs epochs;
    struct account owner;
    struct client client;
    struct rows rows;

    *count = 0;
    if (!verbs_read_begin(store, &rows, fault)) {
        return STORE_FAULT;
    }
    rows_epochs_get(&rows, &epochs);
    if (account == 0) {
        position.size = SESSION_ID_SIZE;
        memcpy(position.bytes, after != NULL ? after : start, SESSION_ID_SIZE);
    }
    while (*count < room && (account != 0 ? ends_next_owned(&rows, account, &position, &stored)
                                          : next_of_all(&rows, &position, &stored))) {
        bool owned = rows_account_get(&rows, stored.session.account, &owner);
        bool has_client = rows_client_get(&rows, stored.session.client, &client);
        struct epochs_now now = {epochs_of(&epochs, stored.session.realm, NULL),
                                 epochs_raised_ms(&epochs, stored.session.realm)};

        show_end(&now, owned ? &owner : NULL, has_client ? &client : NULL, &stored.session);
        rows_out[(*count)++] = stored.session;
    }
    return verbs_read_end(&rows, true);
}

/* ---- rotate, touch ---- */

static enum store_result find_unchanged(struct rows *rows, const struct store_rotation *rotation,
                                        struct record_session *stored);
static bool account_lets_it_live(struct rows *rows, const struct session *session);
static bool client_renews(struct rows *rows, const struct session *session,
                          const struct store_rotation *rotation);
static void begin_pending(struct rows *rows, const struct sweep *sweep, struct session *session,
                          const struct store_rotation *rotation);
static void put_successor(struct rows *rows, const struct store_rotation *rotation);
static void note_time_passed(const struct rows *rows, struct session *session, int64_t now_ms);

enum store_result sessions_rotate(struct rows *rows, const struct sweep *sweep,
                                  const struct store_rotation *rotation)
{
    struct record_session stored;
    enum store_result result = find_unchanged(rows, rotation, &stored);
    struct clock_moment now;

    if (result != STORE_OK) {
        return result;
    } else if (rotation->to <= rotation->from) {
        rows_fail(rows, "a session has used up its generations; revoke it");
        return STORE_FAULT;
    } else if (!client_renews(rows, &stored.session, rotation)) {
        return STORE_STALE;
    }
    if (rotation->has_alias) {
        put_successor(rows, rotation);
    }
    if (rotation->begins != SESSION_BEGUN) {
        begin_pending(rows, sweep, &stored.session, rotation);
    }
    now = rows_moment(rows, rotation->now_ms);
    session_note_rotation(&stored.session, rotation->to, rotation->now_ms, &now,
                          rotation->window_ms);
    stored.session.expires_ms = rotation->expires_ms;
    stored.session.secret = rotation->secret;
    memcpy(stored.session.network, rotation->network, sizeof stored.session.network);
    note_time_passed(rows, &stored.session, rotation->now_ms);
    stored.session.has_derived_aliases |= rotation->has_alias;
    if (rotation->has_alias) {
        sweep_old_aliases(rows, sweep, &stored);
    }
    sweep_enter(rows, sweep, &stored);
    rows_session_put(rows, &stored);
    return STORE_OK;
}

/* It is a login of its account's now. */
static void begin_pending(struct rows *rows, const struct sweep *sweep, struct session *session,
                          const struct store_rotation *rotation)
{
    struct account account;

    list_under_account(rows, sweep, session, rotation->now_ms);
    if (session->pending == SESSION_PENDING_DEVICE && session->has_alias) {
        rows_alias_remove(rows, session->alias);
    }
    session_begin(session, rotation->client_proved);
    session->key_kind = rotation->key_kind;
    memcpy(session->key, rotation->key, sizeof session->key);
    if (rows_account_get(rows, session->account, &account)) {
        account.last_login_ms = rotation->now_ms;
        rows_account_put(rows, &account);
    }
}

enum store_result sessions_touch(struct rows *rows, const struct sweep *sweep,
                                 const struct store_rotation *touch)
{
    struct record_session stored;
    enum store_result result = find_unchanged(rows, touch, &stored);

    if (result != STORE_OK) {
        return result;
    } else if (!client_renews(rows, &stored.session, touch)) {
        return STORE_STALE;
    }
    session_note_use(&stored.session, touch->now_ms);
    stored.session.expires_ms = touch->expires_ms;
    memcpy(stored.session.network, touch->network, sizeof stored.session.network);
    note_time_passed(rows, &stored.session, touch->now_ms);
    sweep_enter(rows, sweep, &stored);
    rows_session_put(rows, &stored);
    return STORE_OK;
}

/* ---- approve ---- */

enum store_result sessions_approve(struct rows *rows, const struct sweep *sweep,
                                   const struct store_write *write)
{
    struct record_session stored;
    struct session *session = &stored.session;
    struct account account;
    struct client client;
    uint32_t epoch;

    if (!rows_session_get(rows, write->of.approve.id, &stored)) {
        return STORE_ABSENT;
    }
    epoch = epochs_read(rows, session->realm).epoch;
    if (session->end != SESSION_LIVE || session->pending != SESSION_PENDING_DEVICE ||
        session->account != 0 || session->expires_ms <= write->of.approve.now_ms ||
        session->epoch < epoch || !rows_account_get(rows, write->of.approve.account, &account) ||
        !account.enabled || !client_lets_it_live(rows, session, &client)) {
        return STORE_STALE;
    }
    session->account = account.number;
    session->epoch = epoch + account.epoch;
    session->expires_ms = write->of.approve.expires_ms;
    sweep_enter(rows, sweep, &stored);
    rows_session_put(rows, &stored);
    return STORE_OK;
}

/* ---- what rotate and touch share ---- */

/* A use that was noted by a clock that is behind: it was later than that, and later than any before
 * it. */
static void note_time_passed(const struct rows *rows, struct session *session, int64_t now_ms)
{
    int64_t last_ms =
        session->used_ms > session->rotated_ms ? session->used_ms : session->rotated_ms;
    int64_t passed_ms = now_ms + rows->behind_ms;

    if (rows->behind_ms > 0 && passed_ms > last_ms) {
        session_note_use(session, passed_ms);
        session->expires_ms += session->expires_ms != 0 ? passed_ms - last_ms : 0;
    }
}

/* The session as the caller saw it: live, of that generation, its account there and enabled. */
static enum store_result find_unchanged(struct rows *rows, const struct store_rotation *rotation,
                                        struct record_session *stored)
{
    if (!rows_session_get(rows, rotation->id, stored)) {
        return STORE_ABSENT;
    } else if (stored->session.generation != rotation->from ||
               stored->session.pending != rotation->begins || stored->session.end != SESSION_LIVE ||
               !account_lets_it_live(rows, &stored->session)) {
        return STORE_STALE;
    }
    return STORE_OK;
}

static bool account_lets_it_live(struct rows *rows, const struct session *session)
{
    bool has_account = !session_is_clients_own(session);
    struct account account;

    if (has_account && (!rows_account_get(rows, session->account, &account) || !account.enabled)) {
        return false;
    }
    return session->epoch >=
           epochs_read(rows, session->realm).epoch + (has_account ? account.epoch : 0);
}

static bool note_client_use(struct rows *rows, const struct session *session,
                            const struct store_rotation *rotation);

/* Is its client there and enabled, if it has one? Then it is noted that it has proved itself. */
static bool client_renews(struct rows *rows, const struct session *session,
                          const struct store_rotation *rotation)
{
    return session->client_number == 0 || note_client_use(rows, session, rotation);
}

/* By itself, because a client is large, and is not to lie on the stack of what follows. */
static __attribute__((noinline)) bool note_client_use(struct rows *rows,
                                                      const struct session *session,
                                                      const struct store_rotation *rotation)
{
    struct client client;
    bool lives = client_lets_it_live(rows, session, &client);

    if (lives) {
        clients_note_use(rows, &client, rotation->client_secret, rotation->now_ms);
    }
    return lives;
}

/* A client that was removed or disabled since it was read renews nothing. True: *client is it,
 * unless the session has none. */
static bool client_lets_it_live(struct rows *rows, const struct session *session,
                                struct client *client)
{
    bool there;

    if (session->client_number == 0) {
        return true;
    }
    there = rows_client_get(rows, session->client, client);
    return !session_client_is_gone(session, there ? client : NULL) && client->enabled;
}

/* The successor's alias must not be another's: then two tokens would be one. */
static void put_successor(struct rows *rows, const struct store_rotation *rotation)
{
    struct record_alias alias = {.generation = rotation->to};
    struct record_alias other;

    memcpy(alias.id, rotation->id, SESSION_ID_SIZE);
    if (rows_alias_get(rows, rotation->alias, &other) &&
        (memcmp(other.id, alias.id, SESSION_ID_SIZE) != 0 ||
         other.generation != alias.generation)) {
        rows_fail(rows, "the alias of a refresh token is taken by another one; run "
                        "`retoken store check`");
    }
    rows_alias_put(rows, rotation->alias, &alias);
}

bool sessions_was_rotated(struct rows *rows, const struct store_rotation *rotation)
{
    struct record_session stored;
    bool was_rotated = rows_session_get(rows, rotation->id, &stored) &&
                       stored.session.generation == rotation->to &&
                       stored.session.secret == rotation->secret &&
                       stored.session.end == SESSION_LIVE;

    if (was_rotated) {
        rows_session_put(rows, &stored);
    }
    return was_rotated;
}

void sessions_stamp(struct rows *rows, const struct store_rotation *rotation)
{
    struct clock_moment now = rows_moment(rows, rotation->now_ms);
    struct record_session stored;

    if (rows_session_get(rows, rotation->id, &stored) &&
        stored.session.generation == rotation->to) {
        session_correct_spent(&stored.session, &now);
        rows_session_put(rows, &stored);
    }
}
