/* SPDX-License-Identifier: ISC */
/* prepared.c: the writing verbs: each fills in a write and makes it. Knows what a write holds; does
 * not know how a kind of store applies it. */
#include <string.h>

#include "store/store_private.h"

static enum store_result mark_all(struct store *store, struct store_marking *marking, size_t *count,
                                  struct fault *fault);

static void start(struct store_write *write, enum store_write_kind kind, int64_t now_ms)
{
    write->kind = kind;
    write->now_ms = now_ms;
    write->events = 0;
    write->marks = 0;
    write->unsure = false;
}

void store_prepare_client_use(struct store_write *write, const struct client *client,
                              uint32_t secret, int64_t now_ms)
{
    start(write, STORE_WRITE_CLIENT_USE, now_ms);
    write->of.client_use.client = client;
    write->of.client_use.secret = secret;
}

void store_prepare_attached(struct store_write *write, int64_t now_ms)
{
    start(write, STORE_WRITE_ATTACHED, now_ms);
}

void store_attach_event(struct store_write *write, const struct event *event)
{
    if (write->events < STORE_EVENTS_MAX) {
        write->event[write->events++] = *event;
    }
}

void store_attach_mark(struct store_write *write, enum store_mark_use use, const struct mark *mark)
{
    if (write->marks < STORE_MARKS_MAX) {
        write->mark[write->marks].use = use;
        write->mark[write->marks++].mark = *mark;
    }
}

enum store_result store_write(struct store *store, struct store_write *write, struct fault *fault)
{
    write->fault = fault;
    return store->kind->write(store, write);
}

void store_submit(struct store *store, struct store_write *write, struct fault *fault,
                  void (*done)(void *self, enum store_result result), void *self)
{
    write->fault = fault;
    write->done = done;
    write->self = self;
    store->kind->submit(store, write);
}

/* ---- sessions ---- */

void store_prepare_create(struct store_write *write, const struct session *session,
                          const struct account *as_read)
{
    start(write, STORE_WRITE_CREATE, session->used_ms);
    write->of.create.session = session;
    write->of.create.as_read = as_read;
    write->of.create.is_login = false;
    write->of.create.client_secret = 0;
}

enum store_result store_session_create(struct store *store, const struct session *session,
                                       const struct account *as_read, struct fault *fault)
{
    struct store_write write;

    store_prepare_create(&write, session, as_read);
    return store_write(store, &write, fault);
}

void store_prepare_rotate(struct store_write *write, const struct store_rotation *rotation)
{
    start(write, STORE_WRITE_ROTATE, rotation->now_ms);
    write->of.rotate = *rotation;
}

enum store_result store_session_rotate(struct store *store, const struct store_rotation *rotation,
                                       struct fault *fault)
{
    struct store_write write;

    store_prepare_rotate(&write, rotation);
    return store_write(store, &write, fault);
}

void store_prepare_touch(struct store_write *write, const uint8_t id[SESSION_ID_SIZE],
                         uint32_t generation, int64_t now_ms, int64_t expires_ms)
{
    start(write, STORE_WRITE_TOUCH, now_ms);
    write->of.touch =
        (struct store_rotation){.from = generation, .now_ms = now_ms, .expires_ms = expires_ms};
    memcpy(write->of.touch.id, id, SESSION_ID_SIZE);
}

enum store_result store_session_touch(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                      uint32_t generation, int64_t now_ms, int64_t expires_ms,
                                      struct fault *fault)
{
    struct store_write write;

    store_prepare_touch(&write, id, generation, now_ms, expires_ms);
    return store_write(store, &write, fault);
}

void store_prepare_approve(struct store_write *write, const uint8_t id[SESSION_ID_SIZE],
                           uint64_t account, int64_t now_ms, int64_t expires_ms)
{
    start(write, STORE_WRITE_APPROVE, now_ms);
    memcpy(write->of.approve.id, id, SESSION_ID_SIZE);
    write->of.approve.account = account;
    write->of.approve.now_ms = now_ms;
    write->of.approve.expires_ms = expires_ms;
}

void store_prepare_end(struct store_write *write, const uint8_t id[SESSION_ID_SIZE],
                       enum session_end end, int64_t now_ms, const struct session *as_read,
                       const struct event *event)
{
    start(write, STORE_WRITE_END, now_ms);
    memcpy(write->of.end.id, id, SESSION_ID_SIZE);
    write->of.end.end = end;
    write->of.end.now_ms = now_ms;
    write->of.end.as_read = as_read;
    if (event != NULL) {
        store_attach_event(write, event);
    }
}

enum store_result store_session_end(struct store *store, const uint8_t id[SESSION_ID_SIZE],
                                    enum session_end end, int64_t now_ms, const struct event *event,
                                    struct fault *fault)
{
    struct store_write write;

    store_prepare_end(&write, id, end, now_ms, NULL, event);
    return store_write(store, &write, fault);
}

void store_prepare_end_account(struct store_write *write, uint64_t account, enum session_end end,
                               int64_t now_ms)
{
    start(write, STORE_WRITE_END_ACCOUNT, now_ms);
    write->of.end_account.account = account;
    write->of.end_account.end = end;
    write->of.end_account.now_ms = now_ms;
}

void store_prepare_end_client(struct store_write *write, const char *id, enum session_end end,
                              int64_t now_ms)
{
    start(write, STORE_WRITE_END_CLIENT, now_ms);
    write->of.end_client.id = id;
    write->of.end_client.end = end;
    write->of.end_client.now_ms = now_ms;
}

void store_prepare_end_realm(struct store_write *write, const char *realm, enum session_end end,
                             int64_t now_ms)
{
    start(write, STORE_WRITE_END_REALM, now_ms);
    write->of.end_realm.realm = realm;
    write->of.end_realm.end = end;
    write->of.end_realm.now_ms = now_ms;
}

void store_prepare_mark_ended(struct store_write *write, struct store_marking *marking)
{
    start(write, STORE_WRITE_MARK_ENDED, marking->now_ms);
    write->of.mark_ended = marking;
}

enum store_result store_account_sessions_end(struct store *store, uint64_t account,
                                             enum session_end end, int64_t now_ms, size_t *count,
                                             struct fault *fault)
{
    struct store_write write;

    store_prepare_end_account(&write, account, end, now_ms);
    return store_write_and_mark(store, &write, count, fault);
}

enum store_result store_write_and_mark(struct store *store, struct store_write *write,
                                       size_t *count, struct fault *fault)
{
    struct store_marking marking = {.now_ms = write->now_ms};
    enum store_result result = store_write(store, write, fault);

    *count = 0;
    if (write->kind == STORE_WRITE_ACCOUNT_UPDATE) {
        marking.account = write->of.account_update.after->number;
        marking.end = write->of.account_update.end;
    } else if (write->kind == STORE_WRITE_END_CLIENT) {
        marking.client = write->of.end_client.id;
        marking.end = write->of.end_client.end;
    } else if (write->kind == STORE_WRITE_END_REALM) {
        marking.realm = write->of.end_realm.realm;
        marking.end = write->of.end_realm.end;
    } else {
        marking.account = write->of.end_account.account;
        marking.end = write->of.end_account.end;
    }
    return result == STORE_OK ? mark_all(store, &marking, count, fault) : result;
}

static enum store_result mark_all(struct store *store, struct store_marking *marking, size_t *count,
                                  struct fault *fault)
{
    struct store_write write;
    enum store_result result = STORE_OK;

    marking->more = true;
    while (result == STORE_OK && marking->more) {
        store_prepare_mark_ended(&write, marking);
        result = store_write(store, &write, fault);
        *count += result == STORE_OK ? marking->marked : 0;
        memcpy(marking->after, marking->reached, SESSION_ID_SIZE);
    }
    return result;
}

/* ---- events ---- */

void store_prepare_event(struct store_write *write, const struct event *event)
{
    store_prepare_attached(write, event->at_ms);
    store_attach_event(write, event);
}

enum store_result store_event_add(struct store *store, const struct event *event,
                                  struct fault *fault)
{
    struct store_write write;

    store_prepare_event(&write, event);
    return store_write(store, &write, fault);
}

/* ---- accounts ---- */

void store_prepare_account_add(struct store_write *write, struct account *account)
{
    start(write, STORE_WRITE_ACCOUNT_ADD, account->created_ms);
    write->of.account_add = account;
}

enum store_result store_account_add(struct store *store, struct account *account,
                                    struct fault *fault)
{
    struct store_write write;

    if (account->name[0] == '\0') {
        fault_set(fault, "an account needs a name");
        return STORE_FAULT;
    }
    store_prepare_account_add(&write, account);
    return store_write(store, &write, fault);
}

enum store_result store_account_update(struct store *store, const struct account *before,
                                       const struct account *account, struct fault *fault)
{
    struct store_write write;

    store_prepare_account_update(&write, before, account);
    return store_write(store, &write, fault);
}

void store_prepare_account_update(struct store_write *write, const struct account *before,
                                  const struct account *after)
{
    start(write, STORE_WRITE_ACCOUNT_UPDATE, 0);
    write->of.account_update.before = before;
    write->of.account_update.after = after;
    write->of.account_update.end = SESSION_LIVE;
}

void store_prepare_account_rehash(struct store_write *write, uint64_t account, const char *from,
                                  const char *to)
{
    start(write, STORE_WRITE_ACCOUNT_REHASH, 0);
    write->of.account_rehash.account = account;
    write->of.account_rehash.from = from;
    write->of.account_rehash.to = to;
}

void store_prepare_account_update_and_end(struct store_write *write, const struct account *before,
                                          const struct account *after, enum session_end end,
                                          int64_t now_ms)
{
    store_prepare_account_update(write, before, after);
    write->now_ms = now_ms;
    write->of.account_update.end = end;
    write->of.account_update.now_ms = now_ms;
}

enum store_result store_account_update_and_end(struct store *store, const struct account *before,
                                               const struct account *account, enum session_end end,
                                               int64_t now_ms, size_t *count, struct fault *fault)
{
    struct store_write write;

    store_prepare_account_update_and_end(&write, before, account, end, now_ms);
    return store_write_and_mark(store, &write, count, fault);
}

void store_prepare_account_remove(struct store_write *write, const char *name)
{
    start(write, STORE_WRITE_ACCOUNT_REMOVE, 0);
    write->of.account_remove = name;
}

enum store_result store_account_remove(struct store *store, const char *name, struct fault *fault)
{
    struct store_write write;

    store_prepare_account_remove(&write, name);
    return store_write(store, &write, fault);
}

/* ---- clients ---- */

void store_prepare_client_add(struct store_write *write, struct client *client)
{
    start(write, STORE_WRITE_CLIENT_ADD, client->created_ms);
    write->of.client_add = client;
}

enum store_result store_client_add(struct store *store, struct client *client, struct fault *fault)
{
    struct store_write write;

    if (client->id[0] == '\0') {
        fault_set(fault, "a client needs an id");
        return STORE_FAULT;
    }
    store_prepare_client_add(&write, client);
    return store_write(store, &write, fault);
}

void store_prepare_client_update(struct store_write *write, const struct client *before,
                                 const struct client *after)
{
    start(write, STORE_WRITE_CLIENT_UPDATE, 0);
    write->of.client_update.before = before;
    write->of.client_update.after = after;
}

enum store_result store_client_update(struct store *store, const struct client *before,
                                      const struct client *client, struct fault *fault)
{
    struct store_write write;

    store_prepare_client_update(&write, before, client);
    return store_write(store, &write, fault);
}

void store_prepare_client_remove(struct store_write *write, const char *id)
{
    start(write, STORE_WRITE_CLIENT_REMOVE, 0);
    write->of.client_remove = id;
}

enum store_result store_client_remove(struct store *store, const char *id, struct fault *fault)
{
    struct store_write write;

    store_prepare_client_remove(&write, id);
    return store_write(store, &write, fault);
}

enum store_result store_client_sessions_mark(struct store *store, const char *id, int64_t now_ms,
                                             size_t *count, struct fault *fault)
{
    struct store_marking marking = {.client = id, .end = SESSION_ENDED_CLIENT, .now_ms = now_ms};

    *count = 0;
    return mark_all(store, &marking, count, fault);
}

/* ---- signing keys ---- */

void store_prepare_key_add(struct store_write *write, struct signing_row *row)
{
    start(write, STORE_WRITE_KEY_ADD, row->created_ms);
    write->of.key_add = row;
}

void store_prepare_key_set_state(struct store_write *write, const char *kid,
                                 enum signing_state state, int64_t now_ms)
{
    start(write, STORE_WRITE_KEY_STATE, now_ms);
    write->of.key_state.kid = kid;
    write->of.key_state.state = state;
}

void store_prepare_key_rotate(struct store_write *write, struct signing_row *row,
                              int64_t publish_ms, int64_t keep_ms)
{
    start(write, STORE_WRITE_KEY_ROTATE, row->created_ms);
    write->of.key_rotate.row = row;
    write->of.key_rotate.publish_ms = publish_ms;
    write->of.key_rotate.keep_ms = keep_ms;
}

enum store_result store_key_add(struct store *store, struct signing_row *row, struct fault *fault)
{
    struct store_write write;

    if (row->kid[0] == '\0') {
        fault_set(fault, "a signing key needs a kid");
        return STORE_FAULT;
    }
    store_prepare_key_add(&write, row);
    return store_write(store, &write, fault);
}

enum store_result store_key_set_state(struct store *store, const char *kid,
                                      enum signing_state state, struct fault *fault)
{
    struct store_write write;

    store_prepare_key_set_state(&write, kid, state, 0);
    return store_write(store, &write, fault);
}

/* ---- deliveries ---- */

enum store_result store_delivery_lease(struct store *store, const char *subscription,
                                       int64_t now_ms, int64_t lease_ms,
                                       struct store_delivery *rows, size_t room, size_t *count,
                                       struct fault *fault)
{
    struct store_leasing leasing = {.subscription = subscription,
                                    .now_ms = now_ms,
                                    .lease_ms = lease_ms,
                                    .rows = rows,
                                    .room = room};
    struct store_write write;
    enum store_result result;

    do {
        start(&write, STORE_WRITE_LEASE, 0);
        write.of.lease = &leasing;
        result = store_write(store, &write, fault);
    } while (result == STORE_OK && leasing.count == 0 && leasing.more);
    *count = result == STORE_OK ? leasing.count : 0;
    return result;
}

enum store_result store_delivery_done(struct store *store, const char *subscription,
                                      const uint64_t *numbers, size_t count, struct fault *fault)
{
    struct store_write write;

    start(&write, STORE_WRITE_DELIVERED, 0);
    write.of.delivered.subscription = subscription;
    write.of.delivered.numbers = numbers;
    write.of.delivered.count = count;
    return store_write(store, &write, fault);
}

enum store_result store_delivery_failed(struct store *store, const char *subscription,
                                        uint64_t number, int64_t next_ms, bool dead,
                                        const char *why, struct fault *fault)
{
    struct store_write write;

    start(&write, STORE_WRITE_UNDELIVERED, 0);
    write.of.undelivered.subscription = subscription;
    write.of.undelivered.number = number;
    write.of.undelivered.next_ms = next_ms;
    write.of.undelivered.dead = dead;
    (void)text_copy(text_cut(text_of(why), STORE_WHY_MAX), write.of.undelivered.why,
                    sizeof write.of.undelivered.why);
    return store_write(store, &write, fault);
}

/* In steps that let other writers through. */
enum store_result store_delivery_retry(struct store *store, const char *subscription,
                                       uint64_t number, int64_t now_ms, size_t *count,
                                       struct fault *fault)
{
    struct store_retrying retrying = {
        .subscription = subscription, .number = number, .now_ms = now_ms, .more = true};
    enum store_result result = STORE_OK;

    *count = 0;
    while (result == STORE_OK && retrying.more) {
        struct store_write write;

        start(&write, STORE_WRITE_RETRY, 0);
        write.of.retry = &retrying;
        result = store_write(store, &write, fault);
        *count += result == STORE_OK ? retrying.count : 0;
    }
    return result;
}

/* ---- pruning ---- */

/* Tells no time, or the store would sweep beyond `most`. In steps that let other writers through.
 */
enum store_result store_prune(struct store *store, int64_t now_ms, bool clock_is_right, size_t most,
                              size_t *removed, bool *more, struct fault *fault)
{
    struct store_pruning pruning = {
        .now_ms = now_ms, .clock_is_right = clock_is_right, .most = most, .more = true};
    enum store_result result = STORE_OK;

    *removed = 0;
    while (result == STORE_OK && pruning.more && pruning.most > 0) {
        struct store_write write;

        start(&write, STORE_WRITE_PRUNE, 0);
        write.of.prune = &pruning;
        result = store_write(store, &write, fault);
        if (result == STORE_OK) {
            *removed += pruning.removed;
            pruning.most -= pruning.removed;
        }
    }
    *more = pruning.more;
    return result;
}
