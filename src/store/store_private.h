/* SPDX-License-Identifier: ISC */
/* store_private.h: what a kind of store is. A new kind is a folder beside store/lmdb, a row in
 * store.c, and passes the contract, tests/store/test_contract_*. Knows the verbs; does not know how
 * any kind keeps what it is given. */
#ifndef RETOKEN_STORE_STORE_PRIVATE_H
#define RETOKEN_STORE_STORE_PRIVATE_H

#include "store/store.h"

/* First member of what a kind keeps. */
struct store {
    const struct store_kind *kind;
};

/* Each function as the verb of that name in store.h. */
struct store_kind {
    const char *scheme; /* "lmdb" */

    /* `place` is what follows "SCHEME:" in the URL. */
    struct store *(*open)(const struct store_settings *settings, const char *place,
                          struct fault *fault);
    void (*close)(struct store *store);
    bool (*is_broken)(const struct store *store);
    bool (*wants)(const struct store *store, enum event_kind kind, const char *realm);

    struct clock (*clock)(struct store *store);

    enum store_result (*write)(struct store *store, struct store_write *write);
    void (*submit)(struct store *store, struct store_write *write);
    enum store_pending (*pending)(struct store *store);
    int64_t (*expire)(struct store *store);
    void (*flush)(struct store *store);

    enum store_result (*session_view)(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                      struct session_view *view, struct fault *fault);
    enum store_result (*session_list)(struct store *store, uint64_t account, const uint8_t *after,
                                      struct session *rows, size_t room, size_t *count,
                                      struct fault *fault);
    enum store_result (*alias_find)(struct store *store, const uint8_t alias[SESSION_HASH_SIZE],
                                    uint8_t id[SESSION_ID_SIZE], uint32_t *generation,
                                    struct fault *fault);
    enum store_result (*account_find)(struct store *store, const char *name,
                                      struct account *account, struct fault *fault);
    enum store_result (*account_get)(struct store *store, uint64_t number, struct account *account,
                                     struct fault *fault);
    enum store_result (*account_draw)(struct store *store, uint64_t draw, struct account *account,
                                      struct fault *fault);
    enum store_result (*account_list)(struct store *store, const char *after, struct account *rows,
                                      size_t room, size_t *count, struct fault *fault);
    enum store_result (*client_find)(struct store *store, const char *id, struct client *client,
                                     struct fault *fault);
    enum store_result (*client_list)(struct store *store, const char *after, struct client *rows,
                                     size_t room, size_t *count, struct fault *fault);
    enum store_result (*key_list)(struct store *store, bool retired, struct signing_row *rows,
                                  size_t room, size_t *count, struct fault *fault);
    enum store_result (*keyring_version)(struct store *store, uint64_t *version,
                                         struct fault *fault);
    enum store_result (*event_list)(struct store *store, const uint8_t *session, uint64_t before,
                                    struct event *rows, size_t room, size_t *count,
                                    struct fault *fault);
    enum store_result (*event_verify)(struct store *store, struct store_event_chain *chain,
                                      struct fault *fault);
    enum store_result (*delivery_dead)(struct store *store, const char *subscription,
                                       const struct store_delivery *after,
                                       struct store_delivery *rows, size_t room, size_t *count,
                                       struct fault *fault);
    enum store_result (*delivery_stat)(struct store *store, const char *subscription,
                                       struct store_delivery_stat *stat, struct fault *fault);
    enum store_result (*mark_find)(struct store *store, enum mark_kind kind,
                                   const uint8_t hash[MARK_HASH_SIZE], int64_t now_ms,
                                   struct mark *mark, struct fault *fault);

    enum store_result (*readiness)(struct store *store, enum store_readiness *readiness,
                                   struct fault *fault);
    enum store_result (*facts)(struct store *store, struct store_fact facts[STORE_FACTS_MAX],
                               size_t *count, struct fault *fault);
    enum store_result (*remarks)(struct store *store,
                                 struct store_remark remarks[STORE_REMARKS_MAX], size_t *count,
                                 struct fault *fault);
    enum store_result (*clock_ahead)(struct store *store, int64_t now_ms, int64_t *ahead_ms,
                                     struct fault *fault);
    bool (*notice)(struct store *store, struct fault *notice);
    enum store_result (*check)(struct store *store, const struct store_check *check,
                               uint64_t *findings, struct fault *fault);
    enum store_result (*backup)(struct store *store, const char *directory, struct fault *fault);
    enum store_result (*copy)(struct store *from, struct store *to,
                              void (*progress)(void *self, uint64_t done, uint64_t total),
                              void *self, struct fault *fault);
    /* NULL of a kind behind a server. */
    enum store_result (*unused)(const char *place, struct fault *fault);
    enum store_result (*restore)(const struct store_settings *settings, const char *place,
                                 const char *from, struct store_restored *restored,
                                 struct fault *fault);
};

/* The earliest clock of a list of writes, so that nothing is swept early; 0 when none tells the
 * time.
 */
int64_t store_time_of(const struct store_write *batch);
/* The same result and fault for all of a list of writes. */
void store_answer(struct store_write *batch, enum store_result result, const struct fault *fault);

extern const struct store_kind lmdb_kind, postgresql_kind;

/* ---- store_url.c ---- */

/* What a kind needs round it that keeps its data behind a server; as store_look, store_make,
 * store_file, store_prepare and store_unused. */
struct store_server {
    enum store_result (*look)(const struct store_settings *settings, struct fault *fault);
    enum store_result (*make)(const struct store_settings *settings, const char *owner,
                              store_told *told, void *self, struct fault *fault);
    bool (*file)(const struct store_settings *settings, size_t n, char path[STORE_URL_MAX]);
    void (*prepare)(void);
    enum store_result (*unused)(const struct store_settings *settings, struct fault *fault);
};
extern const struct store_server postgresql_server;

/* A kind by the name that URLs begin with. The first of all is the default. */
struct store_scheme {
    const char *name;
    const struct store_kind *kind;     /* NULL: this program was built without it */
    const struct store_server *server; /* NULL: NAME:DIRECTORY; else NAME://… */
};

/* NULL: of no kind. */
const struct store_scheme *store_url_scheme(const char *url);
/* The n-th of all, from 0. NULL: no more. */
const struct store_scheme *store_url_nth_scheme(size_t n);

enum store_parameter { STORE_PARAMETER_ABSENT, STORE_PARAMETER_FOUND, STORE_PARAMETER_TOO_LONG };
/* The value of NAME=VALUE behind `?` in a URL, decoded. */
enum store_parameter store_url_parameter(const char *url, const char *name, char *value,
                                         size_t size);
/* The user that a URL names, decoded. False: none, or a longer one. */
bool store_url_user(const char *url, char *user, size_t size);

#endif
