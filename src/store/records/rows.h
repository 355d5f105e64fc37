/* SPDX-License-Identifier: ISC */
/* rows.h: the tables row by row: typed records read and written inside one transaction. Knows which
 * record is under which key; does not know what a verb wants, nor how they are kept.
 *
 * The first error is remembered: from then on nothing is read or written, every get, remove and
 * next is false, and the code that runs the transaction asks rows->failed once, at the end. So
 * false means "not there" or "does not matter any more". */
#ifndef RETOKEN_STORE_RECORDS_ROWS_H
#define RETOKEN_STORE_RECORDS_ROWS_H

#include "store/records/ended.h"
#include "store/records/record.h"
#include "store/records/rows_key.h"
#include "store/store.h"

/* One transaction. */
struct rows {
    struct txn txn;
    const struct crypto_mac *mac;
    const struct clock *clock; /* when a row is written; NULL = as its write says */
    int64_t
        behind_ms; /* how far the wall clock is behind the time that has passed (sweep_time.h) */
    struct fault *fault;         /* where an error is told; NULL = nowhere */
    const struct outbox *outbox; /* who wants to be told; NULL = nobody */
    struct ended_list *ended;    /* what ends in it, for the journal; NULL in a snapshot */
    bool failed;                 /* an error, told in *fault */
    size_t changes;              /* puts and removes so far */
    bool full;                   /* the environment had no room */
    bool pressed;                /* a verb was refused because the store is nearly full */
};

/* An error of the caller's own. */
void rows_fail(struct rows *rows, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Now; without a clock, wall_ms. */
struct clock_moment rows_moment(const struct rows *rows, int64_t wall_ms);

/* Moves *key to the next key in that direction; false at the end. */
bool rows_next(struct rows *rows, enum table table, enum txn_seek seek, struct rows_key *key);

/* What a get of a session, of what it depends on, and of the counters will ask for soon. */
void rows_session_want(struct rows *rows, const uint8_t id[SESSION_ID_SIZE]);
void rows_owners_want(struct rows *rows, const struct session *session);
void rows_counters_want(struct rows *rows);

/* What is left shall serve rotations and ends: false, which is an error, when nearly full. */
bool rows_have_room(struct rows *rows);

bool rows_session_get(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                      struct record_session *session);
void rows_session_put(struct rows *rows, const struct record_session *session);
bool rows_session_remove(struct rows *rows, const uint8_t id[SESSION_ID_SIZE]);

bool rows_alias_get(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                    struct record_alias *alias);
void rows_alias_put(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                    const struct record_alias *alias);
bool rows_alias_remove(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE]);

bool rows_account_get(struct rows *rows, uint64_t number, struct account *account);
void rows_account_put(struct rows *rows, const struct account *account);
bool rows_account_remove(struct rows *rows, uint64_t number);
/* False for a name that no account can have. */
bool rows_name_get(struct rows *rows, const char *name, uint64_t *number);
void rows_name_put(struct rows *rows, const char *name, uint64_t number);
bool rows_name_remove(struct rows *rows, const char *name);

/* False for an id that no client can have. */
bool rows_client_get(struct rows *rows, const char *id, struct client *client);
void rows_client_put(struct rows *rows, const struct client *client);
bool rows_client_remove(struct rows *rows, const char *id);

bool rows_signing_get(struct rows *rows, uint32_t number, struct signing_row *row);
void rows_signing_put(struct rows *rows, const struct signing_row *row);

bool rows_event_get(struct rows *rows, const struct rows_key *key, struct event *event);
void rows_event_put(struct rows *rows, const struct rows_key *key, const struct event *event);
bool rows_event_remove(struct rows *rows, const struct rows_key *key);
/* What the event under this key is chained with to the one whose link is `before`. */
void rows_event_link(struct rows *rows, const struct rows_key *key, const struct event *event,
                     const uint8_t before[EVENT_LINK_SIZE], uint8_t link[EVENT_LINK_SIZE]);

bool rows_delivery_get(struct rows *rows, const char *subscription, enum rows_delivery_part part,
                       enum event_class of, uint64_t number, struct record_delivery *row);
void rows_delivery_put(struct rows *rows, const char *subscription,
                       const struct record_delivery *row);
/* New, or taken up. */
bool rows_delivery_get_waiting(struct rows *rows, const char *subscription,
                               const struct rows_waiting *place, struct record_delivery *row);
/* The row's own, of the state it has. */
struct rows_key rows_delivery_key_of(const char *subscription, const struct record_delivery *row);
bool rows_delivery_remove(struct rows *rows, const struct rows_key *key);
/* All zero where the subscription has had no rows yet. */
void rows_outbox_get(struct rows *rows, const char *subscription, struct record_outbox *counts);
void rows_outbox_put(struct rows *rows, const char *subscription,
                     const struct record_outbox *counts);

bool rows_mark_get(struct rows *rows, enum mark_kind kind, const uint8_t hash[MARK_HASH_SIZE],
                   struct mark *mark);
void rows_mark_put(struct rows *rows, const struct mark *mark);
bool rows_mark_remove(struct rows *rows, enum mark_kind kind, const uint8_t hash[MARK_HASH_SIZE]);

/* A row as it is stored, MAC and all, for a copy of the whole store. */
bool rows_raw_get(struct rows *rows, enum table table, const struct rows_key *key,
                  struct txn_bytes *stored);
void rows_raw_put(struct rows *rows, enum table table, const struct rows_key *key,
                  struct txn_bytes stored);

/* The indices have keys only: they lead to records, which have MACs. */
bool rows_index_get(struct rows *rows, enum table table, const struct rows_key *key);
void rows_index_put(struct rows *rows, enum table table, const struct rows_key *key);
bool rows_index_remove(struct rows *rows, enum table table, const struct rows_key *key);

/* An error when they are absent: they are written together with the format. */
bool rows_counters_get(struct rows *rows, struct record_counters *counters);
void rows_counters_put(struct rows *rows, const struct record_counters *counters);
/* All zero: no event was in a chain yet. */
void rows_chains_get(struct rows *rows, struct record_chains *chains);
void rows_chains_put(struct rows *rows, const struct record_chains *chains);
/* Was any raised? An error is none. */
bool rows_epochs_there(struct rows *rows);
/* No rows: none was raised yet. */
void rows_epochs_get(struct rows *rows, struct record_epochs *epochs);
void rows_epochs_put(struct rows *rows, const struct record_epochs *epochs);
/* False and all zero: no write has told the time yet. */
bool rows_time_get(struct rows *rows, struct record_time *time);
void rows_time_put(struct rows *rows, const struct record_time *time);
/* What the last commit that ended anything has ended, as ended_log_pack makes it; each entry has a
 * MAC of its own. False: none has. */
bool rows_ended_get(struct rows *rows, struct txn_bytes *packed);
void rows_ended_put(struct rows *rows, struct txn_bytes packed);
/* False: a store without its first records. */
bool rows_format_get(struct rows *rows, struct record_format *format);
void rows_format_put(struct rows *rows, const struct record_format *format);

#endif
