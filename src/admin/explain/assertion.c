/* SPDX-License-Identifier: ISC */
/* assertion.c: what a client assertion (RFC 7523) is good for, by the same code that judges
 * it in a request. Knows mounts and clients; does not know refresh tokens. */
#include "admin/explain/explain.h"

#include <string.h>

#include "dialect/dialect.h"
#include "operation/client_assertion.h"

struct judged {
    const struct mount *mount; /* that was asked; NULL = none takes assertions */
    enum client_refusal refusal;
    struct client_assertion assertion;
};

static bool judge(struct call *call, struct text token, const struct client *client,
                  struct judged *judged, struct fault *fault);
static enum call_end say(struct call *call, const struct explained *it, const json_t *payload,
                         const struct client *client, const struct judged *judged);
static bool when_used(struct call *call, const struct client *client,
                      const struct client_assertion *assertion, int64_t *at_ms,
                      struct fault *fault);
static void add_audience(struct buffer *b, const json_t *payload, const struct mount *mount);

bool explain_is_assertion(struct call *call, const struct jws *jws)
{
    const json_t *payload = json_in_object(call->arena, jws->payload_json, NULL);
    struct text issuer, subject;

    return payload != NULL && json_in_text(payload, "iss", &issuer) == JSON_IN_TEXT &&
           json_in_text(payload, "sub", &subject) == JSON_IN_TEXT && issuer.size > 0 &&
           text_equal(issuer, subject);
}

enum call_end explain_assertion(struct call *call, const struct explained *it,
                                const struct jws *jws)
{
    const json_t *payload = json_in_object(call->arena, jws->payload_json, NULL);
    struct client *client = arena_alloc(call->arena, sizeof *client);
    struct judged judged = {.refusal = CLIENT_REFUSED_UNKNOWN};
    struct fault fault = {"out of memory"};
    char id[CLIENT_ID_MAX + 1];
    struct text name;

    if (client == NULL || payload == NULL) {
        return call_fault(call, &fault);
    }
    (void)json_in_text(payload, "iss", &name);
    client->id[0] = '\0';
    if (text_copy(name, id, sizeof id)) {
        switch (store_client_find(call->service.store, id, client, &fault)) {
        case STORE_OK:
            if (!judge(call, it->token, client, &judged, &fault)) {
                return call_fault(call, &fault);
            }
            break;
        case STORE_ABSENT:
        case STORE_EXISTS:
        case STORE_STALE:
            break;
        case STORE_FAULT:
            return call_fault(call, &fault);
        }
    }
    return say(call, it, payload, client, &judged);
}

/* By the mounts in their order, until one takes it. */
static bool judge(struct call *call, struct text token, const struct client *client,
                  struct judged *judged, struct fault *fault)
{
    const struct config *config = &call->service.config;

    judged->refusal = CLIENT_NOT_REFUSED;
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];
        struct client_assertion_ask ask = {.arena = call->arena,
                                           .assertion = token,
                                           .client = client,
                                           .realm = mount->realm,
                                           .endpoint_path = text_of(mount->path),
                                           .now_ms = call->now_ms};

        if (!realm_issues(mount->realm) || !mount->realm->dialect->proves_clients ||
            mount->endpoint->is_public) {
            continue;
        }
        judged->mount = mount;
        fault->text[0] = '\0';
        if (client_assertion_check(&ask, &judged->assertion, &judged->refusal, fault)) {
            break;
        } else if (judged->refusal == CLIENT_NOT_REFUSED) {
            return false;
        }
    }
    if (judged->refusal == CLIENT_NOT_REFUSED && !client->enabled) {
        judged->refusal = CLIENT_REFUSED_DISABLED;
    }
    return true;
}

static enum call_end say(struct call *call, const struct explained *it, const json_t *payload,
                         const struct client *client, const struct judged *judged)
{
    const char *outcome = client_refusal_word(judged->refusal);
    struct fault fault = {""};
    struct text says = TEXT("(out of memory)");
    int64_t used_ms = 0;
    struct buffer b;

    buffer_start(&b, call->arena, EXPLAIN_SENTENCE_MAX);
    buffer_addf(&b, "a client assertion for %s; ",
                client->id[0] != '\0' ? client->id : "a client that is not registered");
    if (judged->refusal == CLIENT_REFUSED_ASSERTION_AUD) {
        add_audience(&b, payload, judged->mount);
    } else if (judged->refusal == CLIENT_REFUSED_UNKNOWN) {
        buffer_add_c(&b, "it proves nothing");
    } else if (judged->refusal != CLIENT_NOT_REFUSED) {
        buffer_addf(&b, "refused: %s", client_refusal_meaning(judged->refusal));
    } else if (judged->mount == NULL) {
        outcome = "no-mount";
        buffer_add_c(&b, "no mount of this configuration takes assertions");
    } else if (!when_used(call, client, &judged->assertion, &used_ms, &fault)) {
        return call_fault(call, &fault);
    } else if (used_ms != 0) {
        outcome = client_refusal_word(CLIENT_REFUSED_ASSERTION_REPLAYED);
        buffer_add_c(&b, "it was used ");
        explain_ago(&b, used_ms, call->now_ms);
        buffer_addf(&b, ", and is good for a repetition of that request only");
    } else {
        outcome = "right";
        buffer_addf(&b, "it would prove the client once at %s, ", judged->mount->path);
        explain_left(&b, judged->assertion.expires_ms - call->now_ms);
    }
    buffer_finish(&b, &says);
    return explain_only(call, it, "client assertion", outcome, says);
}

/* *at_ms: when it was used; untouched when it was not. */
static bool when_used(struct call *call, const struct client *client,
                      const struct client_assertion *assertion, int64_t *at_ms, struct fault *fault)
{
    struct mark mark, used;

    if (!client_assertion_mark(assertion, text_of(client->id), TEXT(""), &call->service.secrets,
                               call->now_ms, &mark)) {
        fault_set(fault, "libcrypto cannot hash");
        return false;
    }
    switch (
        store_mark_find(call->service.store, mark.kind, mark.hash, call->now_ms, &used, fault)) {
    case STORE_OK:
        *at_ms = used.at_ms;
        return true;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return true;
    case STORE_FAULT:
        break;
    }
    return false;
}

/* Escaped to ASCII: anyone may have written it, and it goes to a terminal. */
static void add_audience(struct buffer *b, const json_t *payload, const struct mount *mount)
{
    const json_t *aud = json_object_get(payload, "aud");

    buffer_add_c(b, "its aud is ");
    if (aud == NULL) {
        buffer_add_c(b, "missing");
    } else {
        struct json_out out = json_out_start(b, JSON_STYLE_ASCII);

        json_out_value(&out, aud);
    }
    buffer_addf(b, ", wanted \"%s\", or %s on its host", mount->realm->issuer, mount->path);
}
