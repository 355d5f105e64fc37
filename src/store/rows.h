/* rows.h: the tables row by row: typed records read and written inside one transaction. Knows which
 * record stands under which key; does not know what a verb wants, nor how an engine works.
 *
 * Results are enum store_result: OK, ABSENT (get, remove, next) or FAULT with *fault set. */
#ifndef RETOKEN_STORE_ROWS_H
#define RETOKEN_STORE_ROWS_H

#include "store/engine.h"
#include "store/record.h"
#include "store/store.h"

/* One transaction. */
struct rows {
    const struct engine_kind *kind;
    struct engine_txn txn;
    const struct crypto_mac *mac;
    size_t changes; /* puts and removes so far */
    bool full;      /* the engine had no room */
    bool pressed;   /* a verb was refused because the store is nearly full */
};

/* A key on its way through a table. */
struct rows_key {
    size_t size;
    uint8_t bytes[ENGINE_KEY_MAX];
};
/* Before all keys; after all keys. */
struct rows_key rows_key_first(void);
struct rows_key rows_key_last(void);
/* Moves *key to the next key in that direction. */
enum store_result rows_next(struct rows *rows, enum engine_table table, enum engine_seek seek,
                            struct rows_key *key, struct fault *fault);

/* What is left shall serve rotations and ends: false with *fault set when nearly full. */
bool rows_have_room(struct rows *rows, struct fault *fault);

enum store_result rows_session_get(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                                   struct record_session *session, struct fault *fault);
enum store_result rows_session_put(struct rows *rows, const struct record_session *session,
                                   struct fault *fault);
enum store_result rows_session_remove(struct rows *rows, const uint8_t id[SESSION_ID_SIZE],
                                      struct fault *fault);

enum store_result rows_alias_get(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                                 struct record_alias *alias, struct fault *fault);
enum store_result rows_alias_put(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                                 const struct record_alias *alias, struct fault *fault);
enum store_result rows_alias_remove(struct rows *rows, const uint8_t hash[SESSION_HASH_SIZE],
                                    struct fault *fault);

enum store_result rows_account_get(struct rows *rows, uint64_t number, struct account *account,
                                   struct fault *fault);
enum store_result rows_account_put(struct rows *rows, const struct account *account,
                                   struct fault *fault);
enum store_result rows_account_remove(struct rows *rows, uint64_t number, struct fault *fault);
/* ABSENT for a name that no account can have. */
enum store_result rows_name_get(struct rows *rows, const char *name, uint64_t *number,
                                struct fault *fault);
enum store_result rows_name_put(struct rows *rows, const char *name, uint64_t number,
                                struct fault *fault);
enum store_result rows_name_remove(struct rows *rows, const char *name, struct fault *fault);

/* ABSENT for an id that no client can have. */
enum store_result rows_client_get(struct rows *rows, const char *id, struct client *client,
                                  struct fault *fault);
enum store_result rows_client_put(struct rows *rows, const struct client *client,
                                  struct fault *fault);
enum store_result rows_client_remove(struct rows *rows, const char *id, struct fault *fault);

enum store_result rows_key_get(struct rows *rows, uint32_t number, struct signing_row *row,
                               struct fault *fault);
enum store_result rows_key_put(struct rows *rows, const struct signing_row *row,
                               struct fault *fault);

enum store_result rows_event_get(struct rows *rows, uint64_t number, struct event *event,
                                 struct fault *fault);
enum store_result rows_event_put(struct rows *rows, uint64_t number, const struct event *event,
                                 struct fault *fault);
enum store_result rows_event_remove(struct rows *rows, uint64_t number, struct fault *fault);

/* The two indices have keys only: they lead to records, which have MACs. */
struct rows_key rows_owner_key(uint64_t account, const uint8_t id[SESSION_ID_SIZE]);
struct rows_key rows_end_key(int64_t at_ms, const uint8_t id[SESSION_ID_SIZE]);
/* False: no key of that table. */
bool rows_owner_split(const struct rows_key *key, uint64_t *account, uint8_t id[SESSION_ID_SIZE]);
bool rows_end_split(const struct rows_key *key, int64_t *at_ms, uint8_t id[SESSION_ID_SIZE]);
enum store_result rows_index_get(struct rows *rows, enum engine_table table,
                                 const struct rows_key *key, struct fault *fault);
enum store_result rows_index_put(struct rows *rows, enum engine_table table,
                                 const struct rows_key *key, struct fault *fault);
enum store_result rows_index_remove(struct rows *rows, enum engine_table table,
                                    const struct rows_key *key, struct fault *fault);

enum store_result rows_counters_get(struct rows *rows, struct record_counters *counters,
                                    struct fault *fault);
enum store_result rows_counters_put(struct rows *rows, const struct record_counters *counters,
                                    struct fault *fault);
/* ABSENT: a store without its first records. */
enum store_result rows_format_get(struct rows *rows, struct record_format *format,
                                  struct fault *fault);
enum store_result rows_format_put(struct rows *rows, const struct record_format *format,
                                  struct fault *fault);

#endif
