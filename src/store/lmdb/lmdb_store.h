/* SPDX-License-Identifier: ISC */
/* lmdb_store.h: an open store of the kind "lmdb", and what its verbs share. Knows everything that a
 * verb may use; each group of verbs has a file of its own. */
#ifndef RETOKEN_STORE_LMDB_LMDB_STORE_H
#define RETOKEN_STORE_LMDB_LMDB_STORE_H

#include <sys/types.h>

#include "store/lmdb/ends.h"
#include "store/lmdb/events.h"
#include "store/lmdb/group_commit.h"
#include "store/lmdb/marks.h"
#include "store/lmdb/outbox.h"
#include "store/lmdb/rows.h"
#include "store/lmdb/sweep.h"
#include "store/store_private.h"

struct lmdb_store {
    struct store store;
    struct env *env;
    struct crypto_mac *mac;
    struct group_commit *group; /* NULL in a read-only store */
    struct sweep sweep;
    struct outbox outbox;
    struct clock clock; /* all zero: none */
    char *ours; /* one page, set to 1; the kernel clears it in a child: a store does not survive a
                   fork */
    uint32_t format_version;
    size_t marks_most;  /* as in store_settings */
    size_t ended_again; /* entries of the journal that were lacking when it was opened */
};

/* The store behind the kind's seam. */
static inline struct lmdb_store *lmdb_store_of(struct store *store)
{
    return (struct lmdb_store *)store;
}

/* False with *fault set after a fork: LMDB's locks and our mutexes did not come along. */
bool lmdb_store_is_ours(const struct lmdb_store *store, struct fault *fault);
/* A snapshot; false with *fault set. */
bool lmdb_store_read_begin(struct store *store, struct rows *rows, struct fault *fault);
/* Ends it: STORE_FAULT after an error, else STORE_OK or STORE_ABSENT as found. */
enum store_result lmdb_store_read_end(struct rows *rows, bool found);

/* Applies a write in a transaction of group_commit.h's. */
enum store_result lmdb_store_apply(void *store, struct rows *rows, struct store_write *write);
/* Stamps it once more, in a later transaction. */
void lmdb_store_stamp(void *store, struct rows *rows, const struct store_write *write);

/* ---- the verbs: reading as in store.h; writing inside one transaction ---- */

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
enum store_result sessions_touch(struct rows *rows, const struct sweep *sweep,
                                 const struct store_rotation *touch);
enum store_result sessions_approve(struct rows *rows, const struct sweep *sweep,
                                   const struct store_write *write);

enum store_result ends_session(struct rows *rows, const struct sweep *sweep,
                               const struct store_write *write);
enum store_result ends_account(struct rows *rows, const struct store_write *write);
enum store_result ends_mark(struct rows *rows, const struct sweep *sweep,
                            struct store_marking *marking);
/* Ends again what ended after this copy of the data was made, and notes now_ms as the time of that
 * (0 = not told); and gives the journal what a killed process left out. False with *fault set. */
bool ends_catch_up(struct lmdb_store *store, int64_t now_ms, struct fault *fault);
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
enum store_result keys_set_state(struct rows *rows, const char *kid, enum signing_state state);

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

enum store_result facts_list(struct store *store, struct store_fact facts[STORE_FACTS_MAX],
                             size_t *count, struct fault *fault);
enum store_result facts_remarks(struct store *store, struct store_remark remarks[STORE_REMARKS_MAX],
                                size_t *count, struct fault *fault);
enum store_result facts_clock_ahead(struct store *store, int64_t now_ms, int64_t *ahead_ms,
                                    struct fault *fault);
enum store_result check_all(struct store *store, const struct store_check *check,
                            uint64_t *findings, struct fault *fault);

#endif
