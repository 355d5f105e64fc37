/* SPDX-License-Identifier: ISC */
/* record.h: record bytes <-> model values. Knows the layout of every record and its MAC; does not
 * know tables' contents, transactions or LMDB. */
#ifndef RETOKEN_STORE_RECORDS_RECORD_H
#define RETOKEN_STORE_RECORDS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "model/account.h"
#include "model/client.h"
#include "model/event.h"
#include "model/mark.h"
#include "model/session.h"
#include "model/signing.h"
#include "store/records/txn.h"
#include "store/store.h"

/* With its MAC, what is stored has at most: */
enum {
    RECORD_MAC_SIZE = 16,
    RECORD_SIZE_MAX = 12800, /* the largest: a client with everything a client can have */
    RECORD_SESSION_MAX = 2048,
    RECORD_ACCOUNT_MAX = 3456,
    RECORD_EPOCHS_SIZE_MAX = 7680,
    RECORD_SMALL_MAX = 512, /* an alias, a number, a mark, counters, a time */
    RECORD_PREFIX_MAX = 2 + TABLE_KEY_MAX
};

/* The latest time that a session's record can hold, in the year 10889. */
static const int64_t RECORD_TIME_MAX = (INT64_C(1) << 48) - 1;

/* A record under way. The MAC covers table, key and value, so those stand in one run of bytes:
 *
 *     01 10 0190a5b0…            table, key size, key: `prefix` bytes, not stored
 *     01 00 …                    value
 *     6b1f…                      MAC, 16 bytes; value and MAC are what is stored
 *
 * `failed` remembers the first value that did not fit or did not make sense. */
struct record {
    size_t prefix, size, at; /* at: the reader's position; all from the start of bytes */
    bool failed;
    size_t room; /* of bytes */
    uint8_t *bytes;
};

/* Declares a record for as many bytes of value and MAC: only as many, because each thread's stack
 * keeps the pages that its deepest call has touched. */
#define RECORD(name, most)                                                                         \
    uint8_t name##_bytes[RECORD_PREFIX_MAX + (most)];                                              \
    struct record name = {.room = sizeof name##_bytes, .bytes = name##_bytes}

/* Starts a record of this table and key. key.size <= TABLE_KEY_MAX. */
void record_start(struct record *record, enum table table, struct txn_bytes key);
/* Appends the MAC; what shall be stored. False when an encoder failed or libcrypto did. */
bool record_seal(struct record *record, const struct crypto_mac *mac, struct txn_bytes *stored);
/* After record_start: takes what is stored and checks the MAC. False: not as we wrote it. */
bool record_open(struct record *record, const struct crypto_mac *mac, struct txn_bytes stored);

/* Each pair: encode between record_start and record_seal; decode after record_open, false when the
 * bytes make no sense to this version. The name that is the record's key is not in its value: the
 * caller fills id, number and the like. */

/* The session and what the store alone needs to know about it. */
struct record_session {
    struct session session;
    int64_t entry_ms; /* where its entry is in the ends table; 0 = it has none */
    uint32_t swept;   /* derived aliases below this generation are removed already */
};
void record_put_session(struct record *record, const struct record_session *session);
bool record_get_session(struct record *record, struct record_session *session);

struct record_alias {
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;
};
void record_put_alias(struct record *record, const struct record_alias *alias);
bool record_get_alias(struct record *record, struct record_alias *alias);

void record_put_account(struct record *record, const struct account *account);
bool record_get_account(struct record *record, struct account *account);

void record_put_number(struct record *record, uint64_t number);
bool record_get_number(struct record *record, uint64_t *number);

void record_put_client(struct record *record, const struct client *client);
bool record_get_client(struct record *record, struct client *client);

void record_put_key(struct record *record, const struct signing_row *row);
bool record_get_key(struct record *record, struct signing_row *row);

void record_put_event(struct record *record, const struct event *event);
bool record_get_event(struct record *record, struct event *event);

/* The link of the event after `before`: between record_start and nothing else. Covers all that
 * never changes of it. False: libcrypto failed. */
bool record_event_link(struct record *record, const struct crypto_mac *mac,
                       const struct event *event, const uint8_t before[EVENT_LINK_SIZE],
                       uint8_t link[EVENT_LINK_SIZE]);
/* By which a receiver knows the event when it is delivered again. All zero: libcrypto failed. */
void record_event_id(const struct crypto_mac *mac, const struct event *event,
                     uint8_t id[STORE_DELIVERY_ID_SIZE]);

/* An event that waits for a subscription. */
enum delivery_state {
    DELIVERY_NEW,     /* since it was appended, and has no entry in deliveries */
    DELIVERY_READY,   /* the next of its session */
    DELIVERY_HELD,    /* an earlier one of its session is not delivered yet */
    DELIVERY_LEASED,  /* until next_ms */
    DELIVERY_DELAYED, /* until next_ms */
    DELIVERY_DEAD
};
enum { DELIVERY_STATES = DELIVERY_DEAD + 1 };
struct record_delivery {
    enum delivery_state state;
    uint32_t tries;
    int64_t first_ms, next_ms;
    char why[STORE_WHY_MAX + 1];
    struct event event;
};
void record_put_delivery(struct record *record, const struct record_delivery *row);
bool record_get_delivery(struct record *record, struct record_delivery *row);

/* Of one subscription. */
struct record_outbox {
    uint32_t rows[DELIVERY_STATES];
    uint64_t delivered, dropped;
};
void record_put_outbox(struct record *record, const struct record_outbox *counts);
bool record_get_outbox(struct record *record, struct record_outbox *counts);

/* All but kind and hash, which are its key. */
void record_put_mark(struct record *record, const struct mark *mark);
bool record_get_mark(struct record *record, struct mark *mark);

/* meta: written at every change of these. */
struct record_counters {
    uint64_t next_account, next_client, next_event, keyring_version;
    uint64_t ended; /* the last entry of the journal of ends that these data know of */
    uint32_t next_key;
    uint32_t events[EVENT_CLASSES]; /* how many are kept */
};
void record_put_counters(struct record *record, const struct record_counters *counters);
bool record_get_counters(struct record *record, struct record_counters *counters);

/* meta: written at every event that is in a chain. */
struct record_chains {
    struct record_chain {
        uint8_t base[EVENT_LINK_SIZE]; /* the link of the last that is no longer kept */
        uint8_t head[EVENT_LINK_SIZE]; /* the link of the last */
    } security, administration;
};
void record_put_chains(struct record *record, const struct record_chains *chains);
bool record_get_chains(struct record *record, struct record_chains *chains);

/* meta: the time by which sessions are removed (sweep_time.h). All zero: there is none yet. */
struct record_time {
    int64_t trusted_ms;
    int64_t wall_ms, boot_ms; /* the clocks at that time */
    uint64_t boot;            /* as clock_moment.boot */
    int64_t catch_up_ms;      /* what it may still gain on the time since boot */
    bool ahead;               /* the clock was too far ahead of it to be believed */
};
void record_put_time(struct record *record, const struct record_time *time);
bool record_get_time(struct record *record, struct record_time *time);

/* meta: what an operator has ended at once, however many sessions there were. All zero: nothing. */
enum { RECORD_EPOCHS_MAX = 256 }; /* with that of all */
struct record_epochs {
    size_t count;
    struct record_epoch {
        uint8_t realm[SESSION_ID_SIZE]; /* ended_name_id; zero = every realm */
        uint32_t epoch;
        int64_t at_ms; /* when it was raised last */
    } rows[RECORD_EPOCHS_MAX];
};
void record_put_epochs(struct record *record, const struct record_epochs *epochs);
bool record_get_epochs(struct record *record, struct record_epochs *epochs);

/* meta: written once. Read before there is a key for MACs, so it carries `proof` instead: what the
 * right record key makes of the store's id. */
enum { RECORD_STORE_ID_SIZE = 16, RECORD_FORMAT_VERSION = 2, RECORD_FORMAT_SIZE = 52 };
struct record_format {
    uint32_t version;
    uint8_t store_id[RECORD_STORE_ID_SIZE];
    int64_t created_ms; /* 0 = not told */
    uint8_t proof[RECORD_MAC_SIZE];
};
void record_format_encode(const struct record_format *format, uint8_t out[RECORD_FORMAT_SIZE]);
/* False: these are no bytes of a Retoken store. Any version. */
bool record_format_decode(struct txn_bytes stored, struct record_format *format);

#endif
