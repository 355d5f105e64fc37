/* SPDX-License-Identifier: ISC */
/* store.c: the kinds of store, and the way from a verb to the kind. Knows the kinds' names; does
 * not know how any of them works. */
#include "store/store.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "store/store_private.h"

/* The first is the default. A kind that this program was built without is known by its name only.
 */
static const struct scheme {
    const char *name;
    bool has_directory; /* NAME:DIRECTORY; else NAME://… */
    const struct store_kind *kind;
} schemes[] = {{"lmdb", true, &lmdb_kind}, {"postgresql", false, NULL}};

static const struct scheme *find_scheme(const char *url);
static bool holds_password(const char *url);
static bool is_password(const char *parameter);
static const struct store_kind *require_kind(const char *url, struct fault *fault);

/* ---- URLs, open, close ---- */

enum store_url store_url_complete(const char *text, char *url, size_t size, const char **wrong)
{
    const struct scheme *scheme = find_scheme(text);
    int length;

    *wrong = "not a store; write its directory, or postgresql://HOST/DATABASE";
    if (holds_password(text)) {
        *wrong = "holds a password, which others may see; write it into a file that "
                 "store-password-file names, or into ~/.pgpass";
        return STORE_URL_SECRET;
    } else if (scheme == NULL && strchr(text, ':') != NULL) {
        return STORE_URL_WRONG; /* a scheme of no kind */
    } else if (scheme != NULL) {
        length = snprintf(url, size, "%s", text);
    } else {
        length = snprintf(url, size, "%s:%s", schemes[0].name, text);
    }
    return length > 0 && (size_t)length < size && store_url_place(url)[0] != '\0' ? STORE_URL_GOOD
                                                                                  : STORE_URL_WRONG;
}

bool store_url_default(const char *data_directory, char *url, size_t size)
{
    int length = snprintf(url, size, "%s:%s/store", schemes[0].name, data_directory);

    return length > 0 && (size_t)length < size;
}

const char *store_url_directory(const char *url)
{
    const struct scheme *scheme = find_scheme(url);

    return scheme == NULL ? url : scheme->has_directory ? url + strlen(scheme->name) + 1 : NULL;
}

const char *store_url_place(const char *url)
{
    const char *directory = store_url_directory(url);

    return directory != NULL ? directory : url;
}

/* NAME:DIRECTORY or NAME://…; NULL: of no kind. */
static const struct scheme *find_scheme(const char *url)
{
    size_t size = strcspn(url, ":");

    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (url[size] == ':' && strlen(schemes[i].name) == size &&
            strncmp(url, schemes[i].name, size) == 0 &&
            (schemes[i].has_directory || strncmp(url + size, "://", 3) == 0)) {
            return &schemes[i];
        }
    }
    return NULL;
}

/* ANY://USER:PASSWORD@… (RFC 3986 section 3.2.1), or a parameter that is one. */
static bool holds_password(const char *url)
{
    const char *authority = strstr(url, "://");

    if (authority == NULL) {
        return false;
    }
    authority += strlen("://");
    const char *question = authority + strcspn(authority, "?");
    const char *at = memrchr(authority, '@', (size_t)(question - authority));

    if (at != NULL && memchr(authority, ':', (size_t)(at - authority)) != NULL) {
        return true;
    }
    while (*question != '\0') {
        if (is_password(++question)) {
            return true;
        }
        question += strcspn(question, "&");
    }
    return false;
}

/* A name may be spelled with %XX. */
static bool is_password(const char *parameter)
{
    static const char *const names[] = {"password=", "sslpassword="};
    char name[16];
    size_t size = 0;

    while (size + 1 < sizeof name && *parameter != '\0' && *parameter != '&') {
        bool spelled = *parameter == '%' && strlen(parameter) > 2 &&
                       codec_hex_decode(text_cut(text_of(parameter + 1), 2), &name[size], 1);

        name[size] = spelled ? name[size] : *parameter;
        size++;
        parameter += spelled ? 3 : 1;
    }
    name[size] = '\0';
    return strncmp(name, names[0], strlen(names[0])) == 0 ||
           strncmp(name, names[1], strlen(names[1])) == 0;
}

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

/* NULL with *fault set. */
static const struct store_kind *require_kind(const char *url, struct fault *fault)
{
    const struct scheme *scheme = find_scheme(url);

    if (scheme == NULL) {
        fault_set(fault, "store \"%s\": unknown kind; write %s:DIRECTORY", url, schemes[0].name);
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

/* ---- handing in; reading ---- */

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

enum store_result store_backup(struct store *store, const char *directory, struct fault *fault)
{
    return store->kind->backup(store, directory, fault);
}
