/* SPDX-License-Identifier: ISC */
/* store.c: the kinds of store, and the way from a verb to the kind. Knows the kinds' names; does
 * not know how any of them works. */
#include "store/store.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "store/store_private.h"

static const struct store_kind *require_kind(const char *url, struct fault *fault);
static const struct store_server *server_of(const struct store_settings *settings);

/* ---- open, close ---- */

struct store *store_open(const struct store_settings *settings, struct fault *fault)
{
    const struct store_kind *kind = require_kind(settings->url, fault);

    return kind != NULL ? kind->open(settings, store_url_place(settings->url), fault) : NULL;
}

enum store_result store_restore(const struct store_settings *settings, const char *directory,
                                struct store_restored *restored, struct fault *fault)
{
    const struct store_kind *kind = require_kind(settings->url, fault);

    return kind != NULL
               ? kind->restore(settings, store_url_place(settings->url), directory, restored, fault)
               : STORE_FAULT;
}

enum store_result store_look(const struct store_settings *settings, struct fault *fault)
{
    const struct store_server *server = server_of(settings);

    if (server != NULL) {
        return server->look(settings, fault);
    } else if (access(store_url_place(settings->url), F_OK) == 0 || errno != ENOENT) {
        return STORE_OK;
    }
    fault_set(fault, "store %s is missing", store_url_place(settings->url));
    return STORE_ABSENT;
}

enum store_result store_make(const struct store_settings *settings, const char *owner,
                             store_told *told, void *self, struct fault *fault)
{
    const struct store_server *server = server_of(settings);

    if (server != NULL) {
        return server->make(settings, owner, told, self, fault);
    }
    fault_set(fault, "store %s is a directory, and needs no roles of a server",
              store_url_place(settings->url));
    return STORE_FAULT;
}

bool store_file(const struct store_settings *settings, size_t n, char path[STORE_URL_MAX])
{
    const struct store_server *server = server_of(settings);

    return server != NULL && server->file(settings, n, path);
}

void store_prepare(void)
{
    const struct store_scheme *scheme;

    for (size_t i = 0; (scheme = store_url_nth_scheme(i)) != NULL; i++) {
        if (scheme->server != NULL) {
            scheme->server->prepare();
        }
    }
}

/* NULL: in a directory. */
static const struct store_server *server_of(const struct store_settings *settings)
{
    const struct store_scheme *scheme = store_url_scheme(settings->url);

    return scheme != NULL ? scheme->server : NULL;
}

/* NULL with *fault set. */
static const struct store_kind *require_kind(const char *url, struct fault *fault)
{
    const struct store_scheme *scheme = store_url_scheme(url);

    if (scheme == NULL) {
        fault_set(fault, "store \"%s\": unknown kind; write lmdb:DIRECTORY", url);
    } else if (scheme->kind == NULL) {
        fault_set(fault, "store %s: this program was built without %s", url, scheme->name);
    }
    return scheme != NULL ? scheme->kind : NULL;
}

void store_close(struct store *store)
{
    if (store != NULL) {
        store->kind->close(store);
    }
}

bool store_is_broken(const struct store *store)
{
    return store->kind->is_broken(store);
}

bool store_wants(const struct store *store, enum event_kind kind, const char *realm)
{
    return store->kind->wants(store, kind, realm);
}

struct clock store_clock(struct store *store)
{
    return store->kind->clock(store);
}

/* ---- handing in; reading ---- */

int64_t store_time_of(const struct store_write *batch)
{
    int64_t now_ms = 0;

    for (const struct store_write *write = batch; write != NULL; write = write->next) {
        if (write->now_ms > 0 && (now_ms == 0 || write->now_ms < now_ms)) {
            now_ms = write->now_ms;
        }
    }
    return now_ms;
}

void store_answer(struct store_write *batch, enum store_result result, const struct fault *fault)
{
    for (struct store_write *write = batch; write != NULL; write = write->next) {
        write->result = result;
        if (write->fault != NULL) {
            *write->fault = *fault;
        }
    }
}

enum store_pending store_pending(struct store *store)
{
    return store->kind->pending(store);
}

int64_t store_expire(struct store *store)
{
    return store->kind->expire(store);
}

void store_flush(struct store *store)
{
    store->kind->flush(store);
}

enum store_result store_session_view(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                     struct session_view *view, struct fault *fault)
{
    return store->kind->session_view(store, id, view, fault);
}

size_t store_session_view_size(const struct session_view *view)
{
    size_t before_keys = offsetof(struct session_view, client) + offsetof(struct client, keys);

    return view->has_client ? before_keys + strlen(view->client.keys) + 1
                            : offsetof(struct session_view, client);
}

enum store_result store_session_list(struct store *store, uint64_t account, const uint8_t *after,
                                     struct session *rows, size_t room, size_t *count,
                                     struct fault *fault)
{
    return store->kind->session_list(store, account, after, rows, room, count, fault);
}

enum store_result store_alias_find(struct store *store, const uint8_t alias[SESSION_HASH_SIZE],
                                   uint8_t id[SESSION_ID_SIZE], uint32_t *generation,
                                   struct fault *fault)
{
    return store->kind->alias_find(store, alias, id, generation, fault);
}

enum store_result store_account_find(struct store *store, const char *name, struct account *account,
                                     struct fault *fault)
{
    return store->kind->account_find(store, name, account, fault);
}

enum store_result store_account_get(struct store *store, uint64_t number, struct account *account,
                                    struct fault *fault)
{
    return store->kind->account_get(store, number, account, fault);
}

enum store_result store_account_draw(struct store *store, uint64_t draw, struct account *account,
                                     struct fault *fault)
{
    return store->kind->account_draw(store, draw, account, fault);
}

enum store_result store_account_list(struct store *store, const char *after, struct account *rows,
                                     size_t room, size_t *count, struct fault *fault)
{
    return store->kind->account_list(store, after, rows, room, count, fault);
}

enum store_result store_client_find(struct store *store, const char *id, struct client *client,
                                    struct fault *fault)
{
    return store->kind->client_find(store, id, client, fault);
}

enum store_result store_client_list(struct store *store, const char *after, struct client *rows,
                                    size_t room, size_t *count, struct fault *fault)
{
    return store->kind->client_list(store, after, rows, room, count, fault);
}

enum store_result store_key_list(struct store *store, bool retired, struct signing_row *rows,
                                 size_t room, size_t *count, struct fault *fault)
{
    return store->kind->key_list(store, retired, rows, room, count, fault);
}

enum store_result store_keyring_version(struct store *store, uint64_t *version, struct fault *fault)
{
    return store->kind->keyring_version(store, version, fault);
}

enum store_result store_event_list(struct store *store, const uint8_t *session, uint64_t before,
                                   struct event *rows, size_t room, size_t *count,
                                   struct fault *fault)
{
    return store->kind->event_list(store, session, before, rows, room, count, fault);
}

enum store_result store_event_verify(struct store *store, struct store_event_chain *chain,
                                     struct fault *fault)
{
    return store->kind->event_verify(store, chain, fault);
}

enum store_result store_delivery_dead(struct store *store, const char *subscription,
                                      const struct store_delivery *after,
                                      struct store_delivery *rows, size_t room, size_t *count,
                                      struct fault *fault)
{
    return store->kind->delivery_dead(store, subscription, after, rows, room, count, fault);
}

enum store_result store_delivery_stat(struct store *store, const char *subscription,
                                      struct store_delivery_stat *stat, struct fault *fault)
{
    return store->kind->delivery_stat(store, subscription, stat, fault);
}

enum store_result store_mark_find(struct store *store, enum mark_kind kind,
                                  const uint8_t hash[MARK_HASH_SIZE], int64_t now_ms,
                                  struct mark *mark, struct fault *fault)
{
    return store->kind->mark_find(store, kind, hash, now_ms, mark, fault);
}

/* ---- the store as a whole ---- */

enum store_result store_readiness(struct store *store, enum store_readiness *readiness,
                                  struct fault *fault)
{
    return store->kind->readiness(store, readiness, fault);
}

enum store_result store_facts(struct store *store, struct store_fact facts[STORE_FACTS_MAX],
                              size_t *count, struct fault *fault)
{
    return store->kind->facts(store, facts, count, fault);
}

enum store_result store_remarks(struct store *store, struct store_remark remarks[STORE_REMARKS_MAX],
                                size_t *count, struct fault *fault)
{
    return store->kind->remarks(store, remarks, count, fault);
}

enum store_result store_clock_ahead(struct store *store, int64_t now_ms, int64_t *ahead_ms,
                                    struct fault *fault)
{
    return store->kind->clock_ahead(store, now_ms, ahead_ms, fault);
}

bool store_notice(struct store *store, struct fault *notice)
{
    return store->kind->notice(store, notice);
}

enum store_result store_check(struct store *store, const struct store_check *check,
                              uint64_t *findings, struct fault *fault)
{
    return store->kind->check(store, check, findings, fault);
}

enum store_result store_unused(const struct store_settings *settings, struct fault *fault)
{
    const struct store_kind *kind = require_kind(settings->url, fault);
    const struct store_server *server = server_of(settings);

    if (kind == NULL) {
        return STORE_FAULT;
    }
    return server != NULL ? server->unused(settings, fault)
                          : kind->unused(store_url_place(settings->url), fault);
}

enum store_result store_copy(struct store *from, struct store *to,
                             void (*progress)(void *self, uint64_t done, uint64_t total),
                             void *self, struct fault *fault)
{
    return from->kind->copy(from, to, progress, self, fault);
}

enum store_result store_backup(struct store *store, const char *directory, struct fault *fault)
{
    return store->kind->backup(store, directory, fault);
}
