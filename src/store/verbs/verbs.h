/* SPDX-License-Identifier: ISC */
/* verbs.h: the verbs of store.h over tables of records, the same for every kind of store that keeps
 * its data in such tables. Knows what a verb does in one transaction; does not know how a
 * transaction is made durable. Each group of verbs has a file of its own. */
#ifndef RETOKEN_STORE_VERBS_VERBS_H
#define RETOKEN_STORE_VERBS_VERBS_H

#include "store/records/rows.h"
#include "store/store_private.h"
#include "store/verbs/ends.h"
#include "store/verbs/events.h"
#include "store/verbs/outbox.h"
#include "store/verbs/sweep.h"

/* First member of what such a kind keeps. */
struct verbs {
    struct store store;
    struct crypto_mac *mac;
    struct sweep sweep;
    struct outbox outbox;
    struct clock clock; /* all zero: none */
    uint32_t format_version;
    size_t marks_most; /* as in store_settings */
    /* How a write is applied: verbs_apply, or a test's own way. */
    enum store_result (*apply)(const struct verbs *verbs, struct rows *rows,
                               struct store_write *write);
    /* Begins a snapshot, whose kind ends it; false with *fault set. */
    bool (*read_begin)(struct store *store, struct txn *txn, struct fault *fault);
    /* What of the kind's own store_check looks at, too; may be NULL. */
    void (*check)(struct store *store, const struct store_check *check, uint64_t *findings);
};

/* The verbs behind the kind's seam. */
static inline struct verbs *verbs_of(struct store *store)
{
    return (struct verbs *)store;
}

/* What the settings say. False with *fault set. verbs_close is harmless before and after. */
bool verbs_open(const struct store_settings *settings, const struct store_kind *kind,
                struct verbs *verbs, struct fault *fault);
void verbs_close(struct verbs *verbs);

/* A snapshot; false with *fault set. */
bool verbs_read_begin(struct store *store, struct rows *rows, struct fault *fault);
/* Ends it: STORE_FAULT after an error, else STORE_OK or STORE_ABSENT as found. */
enum store_result verbs_read_end(struct rows *rows, bool found);

/* Makes the write's changes, with its marks and events, in a transaction. May be called more than
 * once for one write, and in another thread. After anything but STORE_OK without rows->failed it
 * has written nothing. */
enum store_result verbs_apply(const struct verbs *verbs, struct rows *rows,
                              struct store_write *write);
/* Applies it and settles its result, so that an error of one write is not the next one's. False:
 * the transaction cannot be committed as it is. An error before the write changed anything, such as
 * a damaged record, is that write's own matter. */
bool verbs_settle(const struct verbs *verbs, struct rows *rows, struct store_write *write);
/* Writes the present time once more into what an applied write says about when it was written. */
void verbs_stamp(struct rows *rows, const struct store_write *write);

/* ---- the first records (format.c) ---- */

/* Reads them in a transaction. False, which may be an error in *rows: there are none. */
bool format_read(struct rows *rows, struct record_format *format);
/* Puts those of a store that is made now. */
void format_make(struct rows *rows, const struct store_settings *settings);
/* Is the format ours, and the record key the one it was made with? Opens verbs->mac. False with
 * *fault set. */
bool format_accept(struct verbs *verbs, const struct store_settings *settings,
                   const struct record_format *format, struct fault *fault);

/* ---- reading as in store.h; writing inside one transaction ---- */

enum store_result sessions_view(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                struct session_view *view, struct fault *fault);
enum store_result sessions_list(struct store *store, uint64_t account, const uint8_t *after,
                                struct session *rows_out, size_t room, size_t *count,
                                struct fault *fault);
enum store_result sessions_alias_find(struct store *store, const uint8_t alias[SESSION_HASH_SIZE],
                                      uint8_t id[SESSION_ID_SIZE], uint32_t *generation,
                                      struct fault *fault);
enum store_result sessions_create(struct rows *rows, const struct sweep *sweep,
                                  const struct store_write *write);
enum store_result sessions_rotate(struct rows *rows, const struct sweep *sweep,
                                  const struct store_rotation *rotation);
/* The generation before `to` is spent now, and not earlier. Nothing when `to` is no longer the
 * current one. */
void sessions_stamp(struct rows *rows, const struct store_rotation *rotation);
/* Is `to` the current one of a live session, under the same master secret, whoever wrote it? The
 * same token follows anyway. Then it is written once more, because who wrote it may have died
 * before it was durable. */
bool sessions_was_rotated(struct rows *rows, const struct store_rotation *rotation);
enum store_result sessions_touch(struct rows *rows, const struct sweep *sweep,
                                 const struct store_rotation *touch);
enum store_result sessions_approve(struct rows *rows, const struct sweep *sweep,
                                   const struct store_write *write);

enum store_result ends_session(struct rows *rows, const struct sweep *sweep,
                               const struct store_write *write);
enum store_result ends_account(struct rows *rows, const struct store_write *write);
enum store_result ends_client(struct rows *rows, const struct store_write *write);
enum store_result ends_realm(struct rows *rows, const struct store_write *write);
enum store_result ends_mark(struct rows *rows, const struct sweep *sweep,
                            struct store_marking *marking);
/* The next session of the account after *position, an owner key. */
bool ends_next_owned(struct rows *rows, uint64_t account, struct rows_key *position,
                     struct record_session *stored);

enum store_result accounts_find(struct store *store, const char *name, struct account *account,
                                struct fault *fault);
enum store_result accounts_get(struct store *store, uint64_t number, struct account *account,
                               struct fault *fault);
enum store_result accounts_draw(struct store *store, uint64_t draw, struct account *account,
                                struct fault *fault);
enum store_result accounts_list(struct store *store, const char *after, struct account *rows_out,
                                size_t room, size_t *count, struct fault *fault);
enum store_result accounts_add(struct rows *rows, struct account *account);
enum store_result accounts_update(struct rows *rows, const struct store_write *write);
enum store_result accounts_rehash(struct rows *rows, const struct store_write *write);
enum store_result accounts_remove(struct rows *rows, const char *name);

enum store_result clients_find(struct store *store, const char *id, struct client *client,
                               struct fault *fault);
enum store_result clients_list(struct store *store, const char *after, struct client *rows_out,
                               size_t room, size_t *count, struct fault *fault);
enum store_result clients_add(struct rows *rows, struct client *client);
enum store_result clients_update(struct rows *rows, const struct client *before,
                                 const struct client *after);
enum store_result clients_remove(struct rows *rows, const char *id);
enum store_result clients_use(struct rows *rows, const struct store_write *write);
/* The secret of that number (0 = none) has proved this client, as read. */
void clients_note_use(struct rows *rows, struct client *client, uint32_t secret, int64_t now_ms);

enum store_result keys_list(struct store *store, bool retired, struct signing_row *rows_out,
                            size_t room, size_t *count, struct fault *fault);
enum store_result keys_version(struct store *store, uint64_t *version, struct fault *fault);
enum store_result keys_add(struct rows *rows, struct signing_row *row);
enum store_result keys_set_state(struct rows *rows, const struct store_write *write);
/* Writes down what has happened to keys by their dates, up to this time. */
void keys_settle(struct rows *rows, int64_t trusted_ms);
enum store_result keys_rotate(struct rows *rows, const struct store_write *write);

enum store_result events_list(struct store *store, const uint8_t *session, uint64_t before,
                              struct event *rows_out, size_t room, size_t *count,
                              struct fault *fault);

enum store_result events_verify(struct store *store, struct store_event_chain *chain,
                                struct fault *fault);

enum store_result outbox_dead(struct store *store, const char *subscription,
                              const struct store_delivery *after, struct store_delivery *rows_out,
                              size_t room, size_t *count, struct fault *fault);
enum store_result outbox_stat(struct store *store, const char *subscription,
                              struct store_delivery_stat *stat, struct fault *fault);

enum store_result marks_find(struct store *store, enum mark_kind kind,
                             const uint8_t hash[MARK_HASH_SIZE], int64_t now_ms, struct mark *mark,
                             struct fault *fault);

enum store_result sweep_clock_ahead(struct store *store, int64_t now_ms, int64_t *ahead_ms,
                                    struct fault *fault);
/* As store_copy, where both kinds keep their data in such tables. */
enum store_result copy_all(struct store *from, struct store *to,
                           void (*progress)(void *self, uint64_t done, uint64_t total), void *self,
                           struct fault *fault);
enum store_result copy_some(struct rows *rows, struct copying *copying);
enum store_result check_all(struct store *store, const struct store_check *check,
                            uint64_t *findings, struct fault *fault);

#endif
