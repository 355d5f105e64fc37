/* SPDX-License-Identifier: ISC */
/* device.c: the operation that answers a device authorization request (RFC 8628 section 3.1): a
 * session that waits for a user's approval, and two codes, one for the device and one for the user.
 * Anyone can ask in the name of a public client, so each request is marked until it is over, the
 * store bounds the marks of a client, and those of one network are counted. Knows clients; does not
 * know users, nor how a request or an answer is spelled.
 */
#include <string.h>

#include "operation/client_auth.h"
#include "operation/device_polls.h"
#include "operation/issue.h"
#include "operation/operation.h"
#include "operation/pending.h"
#include "token/refresh_token.h"
#include "token/user_code.h"

/* A code that is taken is one of very few, so a handful of tries is plenty. */
enum { CODES_TRIED = 4 };

enum { LIFETIME_S = 600 };

/* In so long a time from one network: enough for many people behind one address, and far from what
 * a client may have pending. */
enum { NETWORK_MOST = 100 };

struct device {
    enum outcome outcome;
    bool writes;
    int codes_tried;
    struct client_identity identity;
    struct session session;
    struct mark mark;
    struct mark of_network; /* where one is known */
    struct store_write write;
};

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum outcome check(struct request *request, struct device *device);
static enum outcome start(struct request *request, struct device *device,
                          const struct client *client);
static bool spell_device_code(struct request *request, const struct session *session);
static enum outcome count_network(struct request *request, struct device *device);
static bool mark_request(struct request *request, struct device *device);
static enum outcome prepare(struct request *request, struct device *device);

const struct operation operation_device = {
    .word = "device", .names_client = true, .begin = begin, .step = step, .written = written};

static bool begin(struct request *request)
{
    struct device *device = operation_state(request, sizeof *device, sizeof *device);

    if (device == NULL) {
        return false;
    }
    request->answer.now_ms = clock_now_ms(&request->issuer->clock);
    device->outcome = check(request, device);
    device->writes = device->outcome == OUTCOME_SERVED;
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct device *device = request->state;

    *outcome = device->outcome;
    return device->writes ? &device->write : NULL;
}

static void written(struct request *request, enum store_result result)
{
    struct device *device = request->state;

    device->writes = false;
    switch (result) {
    case STORE_OK:
        break;
    case STORE_EXISTS: /* the assertion was used meanwhile, or another device has the code */
        if (!client_auth_is_fresh(request, &device->identity, request->answer.now_ms,
                                  &device->outcome)) {
            break;
        } else if (++device->codes_tried < CODES_TRIED) {
            device->outcome = prepare(request, device);
            device->writes = device->outcome == OUTCOME_SERVED;
            break;
        }
        fault_set(&request->fault, "%d user codes were taken", (int)CODES_TRIED);
        device->outcome = OUTCOME_FAULT;
        break;
    case STORE_STALE: /* the client was disabled or removed meanwhile */
        device->outcome = OUTCOME_CLIENT_UNAUTHORIZED;
        break;
    case STORE_ABSENT:
    case STORE_FAULT:
        device->outcome = OUTCOME_FAULT;
        break;
    }
}

/* OUTCOME_SERVED: device->write is prepared. */
static enum outcome check(struct request *request, struct device *device)
{
    struct client_identity *identity = &device->identity;
    int64_t now_ms = request->answer.now_ms;
    struct client client;
    enum outcome refusal;

    if (!client_auth_check(request, NULL, now_ms, identity, &refusal) ||
        !client_auth_is_fresh(request, identity, now_ms, &refusal)) {
        return refusal;
    } else if (!identity->named) {
        return OUTCOME_CLIENT_AUTH_FAILED;
    }
    switch (store_client_find(request->issuer->store, identity->id, &client, &request->fault)) {
    case STORE_OK:
        return start(request, device, &client);
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return OUTCOME_CLIENT_AUTH_FAILED;
    case STORE_FAULT:
        break;
    }
    return OUTCOME_FAULT;
}

static enum outcome start(struct request *request, struct device *device,
                          const struct client *client)
{
    struct session *session = &device->session;
    struct text scope = request->input.device.scope;
    bool given = scope.size > 0;
    char room[SESSION_SCOPE_MAX];
    struct policy policy;

    policy_effective(&request->realm->policy, client, &policy);
    if (!issue_scope(client, &policy, &given, &scope, room)) {
        return OUTCOME_SCOPE_INVALID;
    } else if (!pending_start(request, SESSION_PENDING_DEVICE, client, request->answer.now_ms,
                              LIFETIME_S * (int64_t)CLOCK_SECOND, session) ||
               !spell_device_code(request, session) || !mark_request(request, device)) {
        return OUTCOME_FAULT;
    }
    session->scope_given = given;
    (void)text_copy(scope, session->scope, sizeof session->scope);
    request->answer.expires_in_s = LIFETIME_S;
    request->answer.interval_s = DEVICE_INTERVAL_S;
    request->answer.session_known = true;
    memcpy(request->answer.session, session->id, sizeof request->answer.session);
    enum outcome outcome = count_network(request, device);

    return outcome == OUTCOME_SERVED ? prepare(request, device) : outcome;
}

/* OUTCOME_SERVED: one more may be asked for. The count ends with the lifetime of its first. */
static enum outcome count_network(struct request *request, struct device *device)
{
    const struct http_network *network = &request->network;
    struct text prefix = {(const char *)network->prefix, sizeof network->prefix};
    int64_t now_ms = request->answer.now_ms;
    struct mark *mark = &device->of_network;
    struct mark stored;

    if (!network->known) {
        return OUTCOME_SERVED;
    }
    *mark = (struct mark){.kind = MARK_DEVICE, .at_ms = now_ms, .until_ms = device->mark.until_ms};
    if (!secrets_mark_hash(request->issuer->secrets, "network of devices", prefix, TEXT(""),
                           mark->hash)) {
        fault_set(&request->fault, "HMAC failed");
        return OUTCOME_FAULT;
    }
    switch (store_mark_find(request->issuer->store, mark->kind, mark->hash, now_ms, &stored,
                            &request->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return OUTCOME_SERVED;
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    if (stored.until_ms < mark->until_ms) {
        mark->until_ms = stored.until_ms;
    }
    request->answer.retry_after_s =
        (mark->until_ms - now_ms + CLOCK_SECOND - 1) / (int64_t)CLOCK_SECOND;
    return stored.count < NETWORK_MOST ? OUTCOME_SERVED : OUTCOME_DEVICE_TOO_SOON;
}

static bool spell_device_code(struct request *request, const struct session *session)
{
    char spelled[REFRESH_TOKEN_NATIVE_SIZE + 1];

    if (refresh_token_device_code(request->issuer->secrets, session->secret, session->id,
                                  spelled) &&
        arena_copy(request->arena, text_of(spelled), &request->answer.device_code)) {
        return true;
    }
    fault_set(&request->fault, "cannot make a device code: out of memory or libcrypto failed");
    return false;
}

/* What the store counts for this client until the session is over. */
static bool mark_request(struct request *request, struct device *device)
{
    const struct session *session = &device->session;
    const struct secrets *secrets = request->issuer->secrets;
    struct text id = {(const char *)session->id, sizeof session->id};

    device->mark = (struct mark){
        .kind = MARK_DEVICE, .at_ms = session->created_ms, .until_ms = session->expires_ms};
    if (secrets_mark_hash(secrets, "device", id, TEXT(""), device->mark.hash) &&
        secrets_mark_hash(secrets, "client of devices", text_of(session->client), TEXT(""),
                          device->mark.owner)) {
        return true;
    }
    fault_set(&request->fault, "HMAC failed");
    return false;
}

/* With another user code each time. */
static enum outcome prepare(struct request *request, struct device *device)
{
    struct session *session = &device->session;
    char code[USER_CODE_SIZE + 1];
    char shown[USER_CODE_SHOWN_SIZE + 1];

    session->has_alias = true;
    if (!user_code_make(&request->issuer->randomness, code) ||
        !user_code_alias(request->issuer->secrets, code, session->alias)) {
        fault_set(&request->fault, "cannot make a user code: no randomness or libcrypto failed");
        return OUTCOME_FAULT;
    }
    user_code_show(code, shown);
    if (!arena_copy(request->arena, text_of(shown), &request->answer.user_code)) {
        fault_set(&request->fault, "the request's memory is used up");
        return OUTCOME_FAULT;
    }
    store_prepare_create(&device->write, session, NULL);
    store_attach_mark(&device->write, STORE_MARK_ONCE, &device->mark);
    if (request->network.known) {
        store_attach_mark(&device->write, STORE_MARK_COUNT, &device->of_network);
    }
    client_auth_attach(&device->identity, &device->write);
    return OUTCOME_SERVED;
}
