/* SPDX-License-Identifier: ISC */
/* store.h: everything Retoken remembers, as verbs of the domain. Each verb is atomic, and durable
 * when it returns STORE_OK. Knows records, indices and transactions; does not know tokens, HTTP,
 * configuration or the clock (times are handed in). No transaction handle and no pointer into the
 * database crosses this line: callers get copies.
 *
 * All verbs may be called from several threads and from several processes at once. Reads never wait
 * for a writer. Writers of one process are committed in groups.
 *
 * Every verb that returns STORE_FAULT has set *fault (which may be NULL) and changed nothing; but
 * where a server was lost in the middle of a commit, *fault says that its outcome is not known.
 * What was asked for may then be asked for again. */
#ifndef RETOKEN_STORE_STORE_H
#define RETOKEN_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/metrics.h"
#include "model/account.h"
#include "model/client.h"
#include "model/event.h"
#include "model/mark.h"
#include "model/session.h"
#include "model/signing.h"

enum store_result {
    STORE_OK,
    STORE_ABSENT, /* no such record */
    STORE_EXISTS, /* a record with that name, alias or kid is there already */
    STORE_STALE,  /* the record is no longer as the caller saw it: read again */
    STORE_FAULT   /* something broke: full, read-only, I/O, a record whose MAC is wrong */
};

struct store;

/* A store is named by a URL: its kind, and where it is. Nothing above this header spells one. */
enum { STORE_URL_MAX = 4096 };
enum store_url {
    STORE_URL_GOOD,
    STORE_URL_WRONG, /* it names no store, or does not fit */
    STORE_URL_SECRET /* it holds a password, which is no part of a URL: it must not be shown */
};
/* The URL that `text` means: a URL of a known kind, or a directory for the default kind. Unless it
 * is good, *wrong says what would be right. */
enum store_url store_url_complete(const char *text, char *url, size_t size, const char **wrong);
/* The URL of the store of an installation that names none: DATA/store. False: it does not fit. */
bool store_url_default(const char *data_directory, char *url, size_t size);
/* The directory that a URL names, a part of it. NULL: the store is not in a directory, but behind a
 * server. */
const char *store_url_directory(const char *url);
/* What people are shown: the directory, or else the URL. A part of `url`. */
const char *store_url_place(const char *url);

/* Who wants to be told of what: every such event waits for it in the outbox (see deliveries). */
enum { STORE_SUBSCRIPTION_MAX = 32 };
struct store_subscription {
    char name[STORE_SUBSCRIPTION_MAX + 1]; /* not empty */
    uint64_t kinds;                        /* event_bit of each */
    const char *const *realms;             /* by name; events of no realm are everyone's */
    size_t realm_count;                    /* 0 = all */
};

struct store_settings {
    const char *url;           /* as store_url_complete gives it */
    const char *password_file; /* "" = as the server's library finds it; of a server only */
    bool rotation_local;    /* rotations of derived tokens wait for no standby; of a server only */
    uint8_t record_key[32]; /* key of the record MACs */
    size_t map_size;        /* first size of the map in bytes; 0 = 64 MiB */
    size_t map_limit;       /* the map grows up to this; 0 = as far as the disk goes */
    bool create;            /* make the directory (0700) and the store when absent */
    bool read_only;         /* all writing verbs give STORE_FAULT */
    int64_t keep_ended_ms;  /* how long an ended or expired session stays to be explained */
    size_t marks_most;      /* marks kept at a time; 0 = 1,000,000 */
    uint32_t session_limit; /* of an account that has none of its own; 0 = none */
    const struct store_subscription *subscriptions; /* copied */
    size_t subscription_count;
    uint32_t outbox_most;   /* rows of one subscription at a time; 0 = 100,000 */
    int64_t writer_wait_ms; /* how long a write waits for other writers; 0 = 5 s */
    int64_t now_ms;         /* noted in a store that is made now; 0 = not told */
    /* Read when a write is made, which may be long after it was asked for. All zero: the times in
     * the writes count, and the time since boot is not known. */
    struct clock clock;
    /* Writes the alias of (session, generation) spelled as UUID under the session's master secret,
     * so that the sweeper can remove it; false on failure. May be NULL where no session has derived
     * aliases. */
    bool (*derived_alias)(void *self, uint8_t secret, const uint8_t session[SESSION_ID_SIZE],
                          uint32_t generation, uint8_t alias[SESSION_HASH_SIZE]);
    void *derived_alias_self;
    struct metrics *metrics; /* borrowed: counts commits; NULL: nothing does */
};

/* Is there a store? STORE_ABSENT: none was made. STORE_FAULT: a server does not say. Opens nothing;
 * record_key does not count. */
enum store_result store_look(const struct store_settings *settings, struct fault *fault);
/* What store_make did: a thing, was it made now, its name. */
typedef void store_told(void *self, const char *what, bool made, const char *name);
/* For a store behind a server: makes tables and the role that the URL names, with the rights of
 * `owner`, a URL of the same database. store_open with `create` does what the URL's own role may.
 * STORE_FAULT: *fault says what to do; or the store is in a directory, and needs none of that. */
enum store_result store_make(const struct store_settings *settings, const char *owner,
                             store_told *told, void *self, struct fault *fault);
/* The n-th file (from 0) that a server's library reads whenever it connects, for a process that
 * cannot open others; some may not be there. False: no more. */
bool store_file(const struct store_settings *settings, size_t n, char path[STORE_URL_MAX]);
/* Loads libraries that store_open may need, for a process that will not be able to. */
void store_prepare(void);

/* NULL with *fault set: absent and not `create`, wrong owner or permissions, a network file system,
 * another format version, not our record key. Call after the last fork; one store per directory and
 * process. */
struct store *store_open(const struct store_settings *settings, struct fault *fault);
/* For long-lived programs that end in order, and tests. A short-lived process leaves by _exit
 * without it (LMDB's close races with another process's open: docs/hazards.md). NULL is
 * harmless. */
void store_close(struct store *store);
/* A failed commit has left this process unsure of the file: finish what is in flight and exit, the
 * next process reads the truth. */
bool store_is_broken(const struct store *store);
/* Does anyone subscribe to events of this kind in this realm ("" = of none)? An event of
 * EVENT_CLASS_FLOW need not be told where this is false. Reads nothing. */
bool store_wants(const struct store *store, enum event_kind kind, const char *realm);

/* The clock that windows and lifetimes are judged by: settings.clock, or where several machines
 * share one store, that of its server. Valid while the store is open. */
struct clock store_clock(struct store *store);

/* ---- sessions ---- */

/* Adds session, its aliases (session->alias when has_alias; `derived_alias` of generation 0 when
 * has_derived_aliases), and its index entries; one that is pending comes among the sessions of its
 * account, and counts there, once it begins. STORE_EXISTS: the id or the alias is taken.
 * STORE_STALE: the account is gone, disabled, or has another password than `as_read`, on whose word
 * the session begins (NULL = not asked); or the client of session->client_number is gone or
 * disabled (0 = not asked). */
enum store_result store_session_create(struct store *store, const struct session *session,
                                       const struct account *as_read, struct fault *fault);

/* All that a decision about one session needs, read in one snapshot. */
struct session_view {
    struct session session;
    uint64_t keyring_version;
    bool has_account;
    bool has_client; /* the session's own client */
    struct account account;
    struct client client; /* last, because most of it is unused: store_session_view_size */
};
/* The bytes of a view that was read which say something; all others were never written to. */
size_t store_session_view_size(const struct session_view *view);
enum store_result store_session_view(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                     struct session_view *grant, struct fault *fault);

/* Which session and generation a stored or derived alias names. */
enum store_result store_alias_find(struct store *store, const uint8_t alias[SESSION_HASH_SIZE],
                                   uint8_t id[SESSION_ID_SIZE], uint32_t *generation,
                                   struct fault *fault);

/* The compare-and-set: generation `from` becomes `to`, which is from + 1, or more where the store
 * has lost history and rolls forward. (For tests; a request prepares it.)
 * STORE_STALE: the record is at another generation, pending as something else, has ended, or its
 * account or client is gone or disabled;
 * STORE_ABSENT: no such session. */
struct store_rotation {
    uint8_t id[SESSION_ID_SIZE];
    uint32_t from, to;
    int64_t now_ms;         /* session.spent[0] is later: when the rotation has become durable */
    int64_t expires_ms;     /* of the session from now on; 0 = never */
    int64_t window_ms;      /* the concurrency window, for session.outdated */
    uint32_t client_secret; /* which secret proved the client, by number, for its last use; 0 = none
                             */
    enum session_pending begins; /* the session is pending as this, and begins; SESSION_BEGUN = it
                                    has begun */
    bool client_proved;          /* … and its client proves itself as it does */
    enum session_key_kind key_kind; /* … and it is bound to this key from then on, or to none */
    uint8_t key[SESSION_KEY_SIZE];
    uint8_t secret; /* session.secret from then on: the successor is under it */
    bool has_alias; /* the successor is spelled as UUID: */
    uint8_t alias[SESSION_HASH_SIZE];
    uint8_t network[SESSION_NETWORK_SIZE]; /* that it comes from; all zero = not known */
};
enum store_result store_session_rotate(struct store *store, const struct store_rotation *rotation,
                                       struct fault *fault);

/* Notes that a session was used without rotating it (used_ms, expires_ms). STORE_STALE as above.
 * (For tests; a request prepares it.) */
enum store_result store_session_touch(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                      uint32_t generation, int64_t now_ms, int64_t expires_ms,
                                      struct fault *fault);

/* Ends a session and appends the event (NULL = none) in the same commit. Ending an ended session is
 * STORE_OK and changes nothing but adds the event.
 * An end outlives the store's data: when an older copy of the data is put back, sessions that have
 * ended since are ended again as it is opened (a journal beside the data remembers them). So do the
 * removal of accounts and clients, and whether an account is enabled. Where the journal cannot be
 * written, STORE_FAULT says that it has ended and an older copy would bring it back. */
enum store_result store_session_end(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                    enum session_end end, int64_t now_ms, const struct event *event,
                                    struct fault *fault);
/* Ends all live sessions of an account; *count = how many were live. One write ends them all; then
 * their records are marked one after the other. On STORE_FAULT with *count > 0 they are ended, and
 * not all are marked. */
enum store_result store_account_sessions_end(struct store *store, uint64_t account,
                                             enum session_end end, int64_t now_ms, size_t *count,
                                             struct fault *fault);

/* Pages through sessions in order of creation: up to `room` rows after id `after` (NULL = from the
 * start), of one account (0 = all). *count < room: that was the last page. */
enum store_result store_session_list(struct store *store, uint64_t account, const uint8_t *after,
                                     struct session *rows, size_t room, size_t *count,
                                     struct fault *fault);

/* ---- what is written ----
 * A write is data: what shall happen, and events to append in the same commit. Deciding and
 * writing are apart, so that a thread need not sleep until the disk has answered: a write is
 * prepared, which touches no store, and then either made at once (store_write) or handed in
 * (store_submit) and made durable together with those of other requests. Every writing verb of this
 * header prepares one and makes it. */

enum store_write_kind {
    STORE_WRITE_CREATE,      /* a session */
    STORE_WRITE_ROTATE,      /* a session */
    STORE_WRITE_TOUCH,       /* a session */
    STORE_WRITE_APPROVE,     /* a session that is pending */
    STORE_WRITE_END,         /* a session */
    STORE_WRITE_END_ACCOUNT, /* all sessions of an account */
    STORE_WRITE_END_CLIENT,  /* all sessions of a client */
    STORE_WRITE_END_REALM,   /* all sessions of a realm, or all */
    STORE_WRITE_MARK_ENDED,  /* some of those, or of a removed client, in their own records */
    STORE_WRITE_ATTACHED,    /* nothing but the event and the marks */
    STORE_WRITE_ACCOUNT_ADD,
    STORE_WRITE_ACCOUNT_UPDATE,
    STORE_WRITE_ACCOUNT_REHASH,
    STORE_WRITE_ACCOUNT_REMOVE,
    STORE_WRITE_CLIENT_ADD,
    STORE_WRITE_CLIENT_UPDATE,
    STORE_WRITE_CLIENT_REMOVE,
    STORE_WRITE_CLIENT_USE, /* nothing but when its secret was last used */
    STORE_WRITE_KEY_ADD,
    STORE_WRITE_KEY_STATE,
    STORE_WRITE_KEY_ROTATE,
    STORE_WRITE_PRUNE,
    STORE_WRITE_LEASE,       /* deliveries */
    STORE_WRITE_DELIVERED,   /* they are done */
    STORE_WRITE_UNDELIVERED, /* one is put off, or dead */
    STORE_WRITE_RETRY,       /* dead ones wait again */
    STORE_WRITE_COPY         /* rows of another store */
};

/* Marks sessions that have ended with all others of their account, of their client (removed, or
 * its sessions ended), or of their realm, in bounded steps. */
struct store_marking {
    uint64_t account;   /* 0 = not of an account: */
    const char *client; /* its id; NULL = of a realm: */
    const char *realm;  /* NULL = of any */
    enum session_end end;
    int64_t now_ms;
    uint8_t after[SESSION_ID_SIZE];   /* done up to here */
    uint8_t reached[SESSION_ID_SIZE]; /* by this step */
    size_t marked;                    /* by this step */
    bool more;
};

struct store_pruning {
    int64_t now_ms;
    bool clock_is_right;
    size_t most;
    size_t removed; /* by this step */
    bool more;
};

struct store_leasing {
    const char *subscription;
    int64_t now_ms, lease_ms;
    struct store_delivery *rows;
    size_t room;
    size_t count; /* of rows, leased by this step */
    bool more;    /* not all were looked at */
};

struct store_retrying {
    const char *subscription;
    uint64_t number; /* 0 = all */
    int64_t now_ms;
    size_t count; /* by this step */
    bool more;
};

/* What a write does with a mark that is attached to it. */
enum store_mark_use {
    STORE_MARK_ONCE,  /* makes it; when it is there and not over, the write gives STORE_EXISTS and
                         changes nothing */
    STORE_MARK_COUNT, /* makes it, or counts it up and gives it these times and this note */
    STORE_MARK_CLEAR  /* removes it if it is there */
};
enum { STORE_MARKS_MAX = 5, STORE_EVENTS_MAX = 2, STORE_WHY_MAX = 127 };

/* Plain memory of the caller's, to be kept until the write is done. What pointers lead to is the
 * caller's too, and is kept as long. */
struct store_write {
    enum store_write_kind kind;
    union {
        struct {
            const struct session *session;
            const struct account *as_read;
            /* neither unless set after preparing */
            bool is_login;          /* noted as the account's last */
            uint32_t client_secret; /* as in store_rotation */
        } create;
        struct store_rotation rotate;
        struct store_rotation touch; /* id, from, now_ms, expires_ms and network of it */
        struct {
            uint8_t id[SESSION_ID_SIZE];
            uint64_t account;
            int64_t now_ms;
            int64_t expires_ms;
        } approve;
        struct {
            uint8_t id[SESSION_ID_SIZE];
            enum session_end end;
            int64_t now_ms;
            const struct session *as_read;
        } end;
        struct {
            uint64_t account;
            enum session_end end;
            int64_t now_ms;
        } end_account;
        struct {
            const char *id;
            enum session_end end;
            int64_t now_ms;
        } end_client;
        struct {
            const char *realm; /* NULL = all */
            enum session_end end;
            int64_t now_ms;
        } end_realm;
        struct store_marking *mark_ended;
        struct account *account_add;
        struct {
            const struct account *before, *after;
            enum session_end end; /* of its sessions; SESSION_LIVE = they go on */
            int64_t now_ms;
        } account_update;
        struct {
            uint64_t account;
            const char *from, *to;
        } account_rehash;
        const char *account_remove; /* name */
        struct client *client_add;
        struct {
            const struct client *before, *after;
        } client_update;
        const char *client_remove; /* id */
        struct {
            const struct client *client;
            uint32_t secret;
        } client_use;
        struct signing_row *key_add;
        struct {
            const char *kid;
            enum signing_state state;
        } key_state;
        struct {
            struct signing_row *row;
            int64_t publish_ms, keep_ms;
        } key_rotate;
        struct store_pruning *prune;
        struct store_leasing *lease;
        struct {
            const char *subscription;
            const uint64_t *numbers;
            size_t count;
        } delivered;
        struct {
            const char *subscription;
            uint64_t number;
            int64_t next_ms;
            bool dead;
            char why[STORE_WHY_MAX + 1];
        } undelivered;
        struct store_retrying *retry;
        struct copying *copy; /* of verbs/copy.c */
    } of;
    int64_t now_ms; /* lets the store sweep up to this time; 0 = this write tells no time */
    size_t events;  /* attached; appended when the write succeeds */
    struct event event[STORE_EVENTS_MAX];
    size_t marks; /* attached; made when the write succeeds */
    struct {
        enum store_mark_use use;
        struct mark mark;
    } mark[STORE_MARKS_MAX];

    /* The store's own, until `done` is called. */
    struct fault *fault;
    void (*done)(void *self, enum store_result result);
    void *self;
    int64_t since_us; /* handed in, by clock_stopwatch_us */
    enum store_result result;
    bool ends;   /* something, which the journal of ends has to know */
    bool unsure; /* it may have been done by a process that died: then it is done, not stale */
    struct store_write *next;
};

/* Each as the verb of that name. */
void store_prepare_create(struct store_write *write, const struct session *session,
                          const struct account *as_read);
void store_prepare_rotate(struct store_write *write, const struct store_rotation *rotation);
void store_prepare_touch(struct store_write *write, const uint8_t id[SESSION_ID_SIZE],
                         uint32_t generation, int64_t now_ms, int64_t expires_ms);
/* A compare-and-set: the session becomes `account`'s, and waits for its device code until
 * expires_ms. STORE_STALE: it does not wait for a user's approval (any more), or is over; or the
 * account is gone or disabled, or the client. */
void store_prepare_approve(struct store_write *write, const uint8_t id[SESSION_ID_SIZE],
                           uint64_t account, int64_t now_ms, int64_t expires_ms);
/* `event` (NULL = none) is attached. STORE_STALE: the session was renewed or approved, or its
 * spending times were corrected, since it was as_read (NULL = not asked). */
void store_prepare_end(struct store_write *write, const uint8_t id[SESSION_ID_SIZE],
                       enum session_end end, int64_t now_ms, const struct session *as_read,
                       const struct event *event);
/* Ends all sessions of an account; their records are marked by those of the second kind, one after
 * the other while marking->more, each from where the last one reached. */
void store_prepare_end_account(struct store_write *write, uint64_t account, enum session_end end,
                               int64_t now_ms);
/* The same for the sessions of a client, which goes on. STORE_ABSENT: there is none of that id. */
void store_prepare_end_client(struct store_write *write, const char *id, enum session_end end,
                              int64_t now_ms);
/* The same for all of a realm (NULL = for all there are). STORE_FAULT also where that was done with
 * too many realms. */
void store_prepare_end_realm(struct store_write *write, const char *realm, enum session_end end,
                             int64_t now_ms);
void store_prepare_mark_ended(struct store_write *write, struct store_marking *marking);
void store_prepare_event(struct store_write *write, const struct event *event);
/* The account's name is not empty. */
void store_prepare_account_add(struct store_write *write, struct account *account);
/* A secret (by number; 0 = none) has proved its client, for whatever is attached. STORE_STALE: the
 * client is no longer there, is another of that id, or is disabled. */
void store_prepare_client_use(struct store_write *write, const struct client *client,
                              uint32_t secret, int64_t now_ms);
void store_prepare_account_update(struct store_write *write, const struct account *before,
                                  const struct account *after);
/* Ends its sessions in the same commit; store_write_and_mark makes it. */
void store_prepare_account_update_and_end(struct store_write *write, const struct account *before,
                                          const struct account *after, enum session_end end,
                                          int64_t now_ms);
void store_prepare_account_remove(struct store_write *write, const char *name);
/* The client's id is not empty, nor the key's kid. */
void store_prepare_client_add(struct store_write *write, struct client *client);
void store_prepare_client_update(struct store_write *write, const struct client *before,
                                 const struct client *after);
void store_prepare_client_remove(struct store_write *write, const char *id);
void store_prepare_key_add(struct store_write *write, struct signing_row *row);
/* now_ms is noted as the date of the state; 0 = not told. */
void store_prepare_key_set_state(struct store_write *write, const char *kid,
                                 enum signing_state state, int64_t now_ms);
/* Adds a key that takes the place of those that sign for its algorithm and its realm: it is
 * published for publish_ms (0: it signs at once), and keep_ms after that the others go out of use.
 * Fills row->number, its state and its dates, which count from row->created_ms, or from the time
 * that has passed where the clock is behind it. STORE_STALE: another such key is published and has
 * not taken its place yet. */
void store_prepare_key_rotate(struct store_write *write, struct signing_row *row,
                              int64_t publish_ms, int64_t keep_ms);
/* Another hash of the same password: `to` takes the place of `from`, and sessions go on.
 * STORE_STALE: the account has another by now. */
void store_prepare_account_rehash(struct store_write *write, uint64_t account, const char *from,
                                  const char *to);
/* A write that does nothing but what is attached to it. */
void store_prepare_attached(struct store_write *write, int64_t now_ms);
/* Attaches an event to a write that has been prepared, at most STORE_EVENTS_MAX. Those of an
 * account that is added get its number. */
void store_attach_event(struct store_write *write, const struct event *event);
/* Attaches a mark, at most STORE_MARKS_MAX. Its at_ms says whether the one that is there is over.
 * STORE_FAULT: no room for one more (see marks). */
void store_attach_mark(struct store_write *write, enum store_mark_use use, const struct mark *mark);

/* Makes a prepared write durable and waits for it; what the verb would have given. */
enum store_result store_write(struct store *store, struct store_write *write, struct fault *fault);
/* The same for a write that ends the sessions of an account, a client or a realm, whose records are
 * then marked; *count
 * as store_account_sessions_end gives it. */
enum store_result store_write_and_mark(struct store *store, struct store_write *write,
                                       size_t *count, struct fault *fault);
/* Hands it in. `done` is called with what the verb would have given: by a store_flush that
 * follows, of this or another thread, or before this returns. It may submit, and must not call a
 * verb that writes. *write, *fault and *self live until then. */
void store_submit(struct store *store, struct store_write *write, struct fault *fault,
                  void (*done)(void *self, enum store_result result), void *self);
/* What was handed in and no thread is making durable. */
enum store_pending {
    STORE_NOTHING,
    STORE_WAITING, /* it may gather while there is other work; then flush */
    STORE_DUE      /* it has gathered for long enough: flush now */
};
enum store_pending store_pending(struct store *store);
/* Answers with STORE_FAULT what has waited to be written for longer than settings.writer_wait_ms:
 * it was not done, and never will be. Returns within how many milliseconds to call it again. A
 * flush does this too while it waits for other processes; this is for the time when the thread that
 * flushes hangs at the disk. */
int64_t store_expire(struct store *store);
/* Makes durable what was handed in, in as few commits as can be, until nothing waits or another
 * thread is at it. Whoever submits, flushes afterwards. */
void store_flush(struct store *store);

/* ---- accounts ---- */

/* Sets account->number. STORE_EXISTS: the name is taken. */
enum store_result store_account_add(struct store *store, struct account *account,
                                    struct fault *fault);
enum store_result store_account_find(struct store *store, const char *name, struct account *account,
                                     struct fault *fault);
enum store_result store_account_get(struct store *store, uint64_t number, struct account *account,
                                    struct fault *fault);
/* One with a password, chosen among all by `draw`: the same draw gives the same account until
 * accounts come or go. STORE_ABSENT: none has a password, or few have. */
enum store_result store_account_draw(struct store *store, uint64_t draw, struct account *account,
                                     struct fault *fault);
/* Overwrites the account with the same number. The name does not change. STORE_STALE: it is no
 * longer as `before` (NULL = as whatever it is), so that no change is undone by another. */
enum store_result store_account_update(struct store *store, const struct account *before,
                                       const struct account *account, struct fault *fault);
/* The same, and ends all its live sessions in the same commit; then their records are marked, in
 * bounded steps. *count = how many were. On STORE_FAULT with *count > 0 all has happened, and not
 * all are marked. */
enum store_result store_account_update_and_end(struct store *store, const struct account *before,
                                               const struct account *account, enum session_end end,
                                               int64_t now_ms, size_t *count, struct fault *fault);
/* Removes the account; its sessions refuse as "account gone" from that commit on. */
enum store_result store_account_remove(struct store *store, const char *name, struct fault *fault);
/* In order of name, after name `after` (NULL = from the start). */
enum store_result store_account_list(struct store *store, const char *after, struct account *rows,
                                     size_t room, size_t *count, struct fault *fault);

/* ---- clients ---- */

/* Sets client->number. STORE_EXISTS: the id is taken. */
enum store_result store_client_add(struct store *store, struct client *client, struct fault *fault);
enum store_result store_client_find(struct store *store, const char *id, struct client *client,
                                    struct fault *fault);
/* Overwrites the client of that id, whose number stays. STORE_STALE: it is no longer as `before`.
 */
enum store_result store_client_update(struct store *store, const struct client *before,
                                      const struct client *client, struct fault *fault);
/* Removes the client: that commit ends its sessions, on every mount, also for a client that takes
 * the id later. */
enum store_result store_client_remove(struct store *store, const char *id, struct fault *fault);
/* Marks as ended the sessions of clients of that id that were removed, in bounded steps, so that
 * they are swept; *count = how many. To be repeated when it was interrupted. */
enum store_result store_client_sessions_mark(struct store *store, const char *id, int64_t now_ms,
                                             size_t *count, struct fault *fault);
enum store_result store_client_list(struct store *store, const char *after, struct client *rows,
                                    size_t room, size_t *count, struct fault *fault);

/* ---- signing keys ---- */

/* Sets row->number. STORE_EXISTS: the kid is taken. Every change counts the keyring version up. */
enum store_result store_key_add(struct store *store, struct signing_row *row, struct fault *fault);
enum store_result store_key_set_state(struct store *store, const char *kid,
                                      enum signing_state state, struct fault *fault);
/* In order of number, each in the state that it has by its dates and the store's clock
 * (signing_rows_at). Without those retired unless `retired` says so, or a clock that is set right
 * could take it back. */
enum store_result store_key_list(struct store *store, bool retired, struct signing_row *rows,
                                 size_t room, size_t *count, struct fault *fault);
enum store_result store_keyring_version(struct store *store, uint64_t *version,
                                        struct fault *fault);

/* ---- events ---- */

enum { STORE_EVENTS_KEPT = 10000 };

/* Of each class (event_class) the newest STORE_EVENTS_KEPT are kept, but none of EVENT_CLASS_FLOW.
 * One that is told again (see struct event) is counted, and is not delivered again. */
enum store_result store_event_add(struct store *store, const struct event *event,
                                  struct fault *fault);
/* Newest first, of those with a number below `before` (0 = all); of one session when `session` is
 * not NULL. *count < room: there are no more. */
enum store_result store_event_list(struct store *store, const uint8_t *session, uint64_t before,
                                   struct event *rows, size_t room, size_t *count,
                                   struct fault *fault);

/* The events of EVENT_CLASS_SECURITY and EVENT_CLASS_ADMINISTRATION form a chain each: a line
 * carries a MAC of what it says and of the line before it. Whoever has no record key cannot remove,
 * change or move one without breaking the chain. What is told again is counted outside of it. */
struct store_event_chain {
    uint64_t lines; /* that were read and are as they were written */
    bool broken;
    enum { STORE_CHAIN_CHANGED, STORE_CHAIN_REMOVED } how; /* the first break: a line was … */
    enum event_class of;
    uint64_t number;     /* the line that was changed, or the last that is there before the gap; 0 =
                            the gap is before the first */
    int64_t at_ms;       /* when the last line before the break happened; 0 = there is none */
    uint8_t last[2][16]; /* the MACs of the last lines: who notes them elsewhere sees later whether
                            the whole list was put back to an older state */
};
enum store_result store_event_verify(struct store *store, struct store_event_chain *chain,
                                     struct fault *fault);

/* ---- deliveries ----
 * An event that a subscription wants becomes a row for it, in the commit in which the event
 * happens. Whoever delivers leases rows, and says afterwards what came of each. Any number may: a
 * row is leased to one at a time, and rows of one session one after the other, the oldest first. A
 * lease that runs out is given again, so a row is delivered once or more. A subscription has at
 * most settings.outbox_most rows: beyond that its oldest rows go, first those of EVENT_CLASS_FLOW,
 * then ROUTINE, STRANGERS, ADMINISTRATION, and SECURITY last. */

enum { STORE_DELIVERY_ID_SIZE = 16 };
struct store_delivery {
    uint64_t number;                    /* event.number; one row of its subscription */
    uint8_t id[STORE_DELIVERY_ID_SIZE]; /* of the event, the same each time it is delivered */
    char subscription[STORE_SUBSCRIPTION_MAX + 1];
    struct event event;
    uint32_t tries;              /* how often it was leased, this time included */
    int64_t first_ms;            /* when it began to wait */
    int64_t next_ms;             /* when its lease runs out, or until when it is put off */
    char why[STORE_WHY_MAX + 1]; /* it was not delivered the last time; "" = not tried */
};

/* Up to `room` rows, at most 500, for lease_ms from now_ms on. STORE_OK also where *count is 0. */
enum store_result store_delivery_lease(struct store *store, const char *subscription,
                                       int64_t now_ms, int64_t lease_ms,
                                       struct store_delivery *rows, size_t room, size_t *count,
                                       struct fault *fault);
/* They were delivered, and are forgotten. One that is not there (any more) is passed over. */
enum store_result store_delivery_done(struct store *store, const char *subscription,
                                      const uint64_t *numbers, size_t count, struct fault *fault);
/* It was not, because of `why` (cut to fit): it waits until next_ms, or is dead until it is
 * retried; then the next one of its session goes ahead. STORE_ABSENT: it is not there, or dead. */
enum store_result store_delivery_failed(struct store *store, const char *subscription,
                                        uint64_t number, int64_t next_ms, bool dead,
                                        const char *why, struct fault *fault);
/* Dead rows, the oldest of each class first, after the row `after` (NULL = from the start). */
enum store_result store_delivery_dead(struct store *store, const char *subscription,
                                      const struct store_delivery *after,
                                      struct store_delivery *rows, size_t room, size_t *count,
                                      struct fault *fault);
/* A dead row (0 = all of them) waits again, ahead of what is new of its session. *count = how
 * many do. STORE_ABSENT: that one is not there. */
enum store_result store_delivery_retry(struct store *store, const char *subscription,
                                       uint64_t number, int64_t now_ms, size_t *count,
                                       struct fault *fault);

struct store_delivery_stat {
    uint64_t waiting; /* to be leased, or for others of their session */
    uint64_t leased, delayed, dead;
    uint64_t delivered, dropped; /* since the store was made */
    uint64_t most;               /* rows at a time */
    int64_t oldest_ms;           /* when the oldest happened that is not dead; 0 = there is none */
};
enum store_result store_delivery_stat(struct store *store, const char *subscription,
                                      struct store_delivery_stat *stat, struct fault *fault);

/* ---- marks ----
 * What is remembered until a time, and then swept. Beyond settings.marks_most, and when the store
 * is nearly full, a new mark takes the place of the MARK_FAILURE that is over first, or of the
 * MARK_KNOWN. Where there is none, its write is refused. An owner has a quarter of all: beyond that
 * its next MARK_KNOWN takes the place of the first of that kind, and another write is refused. */

/* STORE_ABSENT: there is none, or at now_ms it is over. */
enum store_result store_mark_find(struct store *store, enum mark_kind kind,
                                  const uint8_t hash[MARK_HASH_SIZE], int64_t now_ms,
                                  struct mark *mark, struct fault *fault);

/* ---- the store itself ---- */

/* Could a write be made durable now? Found out by reading. STORE_OK: *readiness, and unless
 * STORE_READY *fault says more. STORE_FAULT: it cannot even be read. */
enum store_readiness {
    STORE_READY,
    STORE_COMMIT_WAITS, /* for longer than settings.writer_wait_ms, here or in another process */
    STORE_FULL,         /* the last write found no room */
    STORE_READ_ONLY     /* the file system is */
};
enum store_result store_readiness(struct store *store, enum store_readiness *readiness,
                                  struct fault *fault);

/* What a store says about itself, whatever its kind: counts, sizes, versions. */
struct store_fact {
    const char *name; /* "used_bytes" */
    enum { STORE_FACT_NUMBER, STORE_FACT_BYTES, STORE_FACT_TEXT } type;
    uint64_t number;
    char text[64];
};
enum { STORE_FACTS_MAX = 24 };
/* Every kind has at least: engine, format_version, sessions, aliases, accounts, clients, keys,
 * events, marks. *count = how many there are. */
enum store_result store_facts(struct store *store, struct store_fact facts[STORE_FACTS_MAX],
                              size_t *count, struct fault *fault);
/* The same as an operator looks at it: one sentence per subject, and whether to act on it. */
struct store_remark {
    const char *subject; /* "map" */
    bool warn;
    char text[240];
};
enum { STORE_REMARKS_MAX = 8 };
enum store_result store_remarks(struct store *store, struct store_remark remarks[STORE_REMARKS_MAX],
                                size_t *count, struct fault *fault);

/* Removes up to `most` sessions that ended or expired keep_ended_ms ago or earlier; *removed tells
 * how many, and *more whether others are due. (Every write sweeps a few by itself.) Rows
 * of the outbox go, too, whose subscriptions are not in the settings.
 * A clock that is ahead of the time that has passed, as the store knows it, is not believed beyond
 * a day, here and in every write, unless clock_is_right says so: then it is from now on. */
enum store_result store_prune(struct store *store, int64_t now_ms, bool clock_is_right, size_t most,
                              size_t *removed, bool *more, struct fault *fault);
/* How far now_ms is ahead of that time; negative: behind it; 0: they agree within a day. */
enum store_result store_clock_ahead(struct store *store, int64_t now_ms, int64_t *ahead_ms,
                                    struct fault *fault);

/* Something that the operator should know and that has failed no verb: true, once in a process that
 * sees it come; a process that begins later does not repeat it. To be asked after a write. */
bool store_notice(struct store *store, struct fault *notice);

/* Reads every record and index entry: MACs, sizes, session <-> alias <-> account <-> end entries.
 * Calls `found` (NULL = none) with one line per finding, never with a secret; `progress` (NULL =
 * none) now and then. STORE_OK: read to the end; *findings tells how many. */
struct store_check {
    void (*found)(void *self, const char *line);
    void (*progress)(void *self, uint64_t done, uint64_t total);
    void *self;
};
enum store_result store_check(struct store *store, const struct store_check *check,
                              uint64_t *findings, struct fault *fault);

/* A consistent copy into `directory` (made 0700; must not hold a store), synced to disk. */
enum store_result store_backup(struct store *store, const char *directory, struct fault *fault);

/* STORE_OK: no process has the store open. STORE_STALE: *fault names one that has. STORE_FAULT: a
 * server does not say. For who has not opened it itself. */
enum store_result store_unused(const struct store_settings *settings, struct fault *fault);
/* Copies all that `from` has, of whatever kind, into `to`, which was just made: nothing else may
 * write either of them meanwhile. Afterwards `to` is to be closed, and opened again. STORE_EXISTS:
 * it holds something already. `progress` may be NULL. */
enum store_result store_copy(struct store *from, struct store *to,
                             void (*progress)(void *self, uint64_t done, uint64_t total),
                             void *self, struct fault *fault);

/* Puts a backup in the place of the store that the settings name, whether that can be read or not,
 * in one step: whenever the process is killed, the old store or the new one is there, and doing it
 * again works. The backup is copied and checked first; what was there is kept beside it.
 * STORE_STALE: a process has the store open, and *fault names it; nothing was changed. */
enum store_journal {
    STORE_JOURNAL_SOUND,   /* what has ended since the backup was made has ended again */
    STORE_JOURNAL_ABSENT,  /* it is lost: what has ended since is live again */
    STORE_JOURNAL_DAMAGED, /* some of that is */
    STORE_JOURNAL_FOREIGN  /* it belongs to another store than the backup */
};
struct store_restored {
    int64_t newest_ms;    /* the latest time that the backup knows: it is not older than that */
    uint64_t sessions;    /* that were live in it */
    uint64_t ended_again; /* sessions, accounts and clients that were ended since, or changed */
    enum store_journal journal;
    char kept[64]; /* the file with what was there, in the store's directory; "" = nothing was */
};
enum store_result store_restore(const struct store_settings *settings, const char *directory,
                                struct store_restored *restored, struct fault *fault);

#endif
