/* SPDX-License-Identifier: ISC */
/* client_auth.c: checks what a client proves itself with. Knows secrets, assertions and
 * certificates; does not know sessions. */
#include "operation/client_auth.h"

#include <string.h>

#include "operation/client_assertion.h"
#include "operation/operation.h"
#include "operation/possession.h"
#include "operation/secret_proof.h"
#include "token/client_certificates.h"

static bool check_readings(struct request *request, const struct token_ref *ref, int64_t now_ms,
                           struct client_identity *identity, enum outcome *refusal);
static bool check(struct request *request, const struct token_ref *ref, int64_t now_ms,
                  struct client_identity *identity, enum outcome *refusal);
static bool is_its_page(struct request *request, const struct client *client,
                        enum outcome *refusal);
static bool may_use_grant(struct request *request, const struct client *client,
                          enum outcome *refusal);
static bool claimed_id(struct request *request, struct text *id);
static bool introduce(struct request *request, const struct client *client);
static bool prove(struct request *request, const struct client *client, const struct token_ref *ref,
                  int64_t now_ms, struct client_identity *identity, enum outcome *refusal);
static bool certificate_proves(struct request *request, const struct client *client);
static bool assertion_proves(struct request *request, const struct client *client, int64_t now_ms,
                             struct client_identity *identity, enum outcome *refusal);

/* The client first: of a key of who is not the client, nothing is told. */
bool client_auth_check(struct request *request, const struct token_ref *ref, int64_t now_ms,
                       struct client_identity *identity, enum outcome *refusal)
{
    return possession_take_certificate(request, refusal) &&
           check_readings(request, ref, now_ms, identity, refusal) &&
           possession_take(request, now_ms, identity, refusal);
}

static bool check_readings(struct request *request, const struct token_ref *ref, int64_t now_ms,
                           struct client_identity *identity, enum outcome *refusal)
{
    struct client_proof *proof = &request->client;
    struct guess first;
    bool proved;

    if (check(request, ref, now_ms, identity, refusal)) {
        return true;
    } else if (!proof->raw_given ||
               (*refusal != OUTCOME_CLIENT_AUTH_FAILED && *refusal != OUTCOME_SLOWED)) {
        return false;
    }
    first = request->guess;
    proof->id = proof->raw_id;
    proof->secret = proof->raw_secret;
    proof->raw_given = false;
    proved = check(request, ref, now_ms, identity, refusal);
    /* a second reading that was not compared does not hide a wrong first one */
    if (first.made == GUESS_WRONG && request->guess.made == GUESS_NONE) {
        request->guess = first;
    }
    return proved;
}

/* One reading of what the client proves itself with. */
static bool check(struct request *request, const struct token_ref *ref, int64_t now_ms,
                  struct client_identity *identity, enum outcome *refusal)
{
    enum client_refusal *reason = &request->answer.refusal;
    struct text id;
    struct client client;

    memset(identity, 0, sizeof *identity);
    *refusal = OUTCOME_CLIENT_AUTH_FAILED;
    *reason = CLIENT_NOT_REFUSED;
    if (!claimed_id(request, &id)) {
        return false;
    } else if (id.size == 0 && request->client.kind == CLIENT_PROOF_NONE) {
        return is_its_page(request, NULL, refusal) && may_use_grant(request, NULL, refusal);
    }
    *reason = CLIENT_REFUSED_NO_ID;
    if (id.size == 0 || !text_copy(id, identity->id, sizeof identity->id)) {
        return false;
    }
    *reason = CLIENT_REFUSED_UNKNOWN;
    switch (store_client_find(request->issuer->store, identity->id, &client, &request->fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
    case STORE_EXISTS:
    case STORE_STALE:
        return false;
    case STORE_FAULT:
        *reason = CLIENT_NOT_REFUSED;
        *refusal = OUTCOME_FAULT;
        return false;
    }
    *reason = CLIENT_NOT_REFUSED;
    if (!introduce(request, &client)) {
        *refusal = OUTCOME_FAULT;
        return false;
    } else if (!is_its_page(request, &client, refusal) ||
               !prove(request, &client, ref, now_ms, identity, refusal)) {
        return false;
    } else if (!client.enabled) {
        *refusal = OUTCOME_CLIENT_UNAUTHORIZED;
        *reason = CLIENT_REFUSED_DISABLED;
        return false;
    } else if (!may_use_grant(request, &client, refusal)) {
        return false;
    }
    identity->named = true;
    return true;
}

/* Where it is for the session's client to say, which may be another, this one says who reads that
 * there is no such session. */
static bool is_its_page(struct request *request, const struct client *client, enum outcome *refusal)
{
    bool asks_session = request->operation->finds_client;
    bool listed = request->page == PAGE_OWN || request->page == PAGE_ALLOWED;

    if (asks_session && (client == NULL || listed)) {
        return true;
    } else if (!client_auth_page_matches(request, client, refusal)) {
        return false;
    } else if (asks_session) {
        request->page = PAGE_OF_NAMED_CLIENT;
    }
    return true;
}

/* From here on the page may read the answer, or nothing of it. */
bool client_auth_page_matches(struct request *request, const struct client *client,
                              enum outcome *refusal)
{
    if (request->page == PAGE_OF_CLIENT || request->page == PAGE_OF_NAMED_CLIENT) {
        bool named = client != NULL && client->enabled &&
                     text_has_word(text_of(client->origins), request->origin);

        request->page = named ? PAGE_ALLOWED : PAGE_FOREIGN;
    }
    if (request->page == PAGE_FOREIGN) {
        *refusal = OUTCOME_PAGE_FOREIGN;
    }
    return request->page != PAGE_FOREIGN;
}

/* NULL = the request names no client. */
static bool may_use_grant(struct request *request, const struct client *client,
                          enum outcome *refusal)
{
    if (request->grant == 0 || policy_allows(&request->realm->policy, client, request->grant)) {
        return true;
    }
    *refusal = OUTCOME_CLIENT_UNAUTHORIZED;
    request->answer.refusal = CLIENT_REFUSED_GRANT;
    return false;
}

/* The client that the request says it comes from, before anything is proved; an assertion says so
 * itself. False: it contradicts itself, or the assertion cannot be read. */
static bool claimed_id(struct request *request, struct text *id)
{
    struct text stated = request->client.id;

    *id = stated;
    if (request->client.kind != CLIENT_PROOF_ASSERTION) {
        return true;
    } else if (!client_assertion_names(request->arena, request->client.assertion, id)) {
        request->answer.refusal = CLIENT_REFUSED_ASSERTION_MALFORMED;
        return false;
    } else if (stated.size > 0 && !text_equal(stated, *id)) {
        request->answer.refusal = CLIENT_REFUSED_ASSERTION_SUB;
        return false;
    }
    return true;
}

/* For the log: its own spelling of its id. */
static bool introduce(struct request *request, const struct client *client)
{
    if (arena_copy(request->arena, text_of(client->id), &request->answer.client)) {
        return true;
    }
    fault_set(&request->fault, "the request's memory is used up");
    return false;
}

/* Is the proof right for this client? */
static bool prove(struct request *request, const struct client *client, const struct token_ref *ref,
                  int64_t now_ms, struct client_identity *identity, enum outcome *refusal)
{
    bool confidential = client_is_confidential(client);

    switch (request->client.kind) {
    case CLIENT_PROOF_NONE:
        if (!confidential) {
            return true;
        }
        identity->proved = certificate_proves(request, client);
        break;
    case CLIENT_PROOF_BASIC:
    case CLIENT_PROOF_BODY:
        /* some libraries send an empty password for a client that has none */
        if (!confidential && request->client.secret.size == 0) {
            return true;
        }
        identity->proved =
            secret_proof_check(request, client, ref, now_ms, &identity->secret, refusal);
        break;
    case CLIENT_PROOF_ASSERTION:
        identity->proved = assertion_proves(request, client, now_ms, identity, refusal);
        break;
    }
    return identity->proved;
}

/* RFC 8705 section 2: its id came, and what proves it is the connection. */
static bool certificate_proves(struct request *request, const struct client *client)
{
    const struct possession *possession = &request->possession;
    enum client_refusal *reason = &request->answer.refusal;
    struct client_certificates registered;

    client_certificates_read(request->arena, text_of(client->keys), &registered);
    if (registered.count == 0 && registered.name.size == 0) {
        *reason = CLIENT_REFUSED_NO_PROOF;
    } else if (!possession_has_certificate(request)) {
        *reason = CLIENT_REFUSED_NO_CERTIFICATE;
    } else if (client_certificates_match(&registered, &possession->certificate,
                                         possession->verified)) {
        *reason = CLIENT_NOT_REFUSED;
        return true;
    } else {
        *reason = registered.name.size > 0 && !possession->verified
                      ? CLIENT_REFUSED_CERTIFICATE_UNVERIFIED
                      : CLIENT_REFUSED_CERTIFICATE;
    }
    return false;
}

static bool assertion_proves(struct request *request, const struct client *client, int64_t now_ms,
                             struct client_identity *identity, enum outcome *refusal)
{
    struct client_assertion_ask ask = {.arena = request->arena,
                                       .assertion = request->client.assertion,
                                       .client = client,
                                       .realm = request->realm,
                                       .endpoint_path = request->client.endpoint_path,
                                       .now_ms = now_ms};
    struct client_assertion assertion;
    struct client_once *once = &identity->once[identity->once_count];
    enum client_refusal *reason = &request->answer.refusal;

    if (!client_assertion_check(&ask, &assertion, reason, &request->fault)) {
        *refusal = *reason != CLIENT_NOT_REFUSED ? OUTCOME_CLIENT_AUTH_FAILED : OUTCOME_FAULT;
        return false;
    } else if (!client_assertion_mark(&assertion, text_of(client->id), request->client.beside,
                                      request->issuer->secrets, now_ms, &once->mark)) {
        fault_set(&request->fault, "cannot hash an assertion: libcrypto failed");
        *refusal = OUTCOME_FAULT;
        return false;
    }
    once->refusal = OUTCOME_CLIENT_AUTH_FAILED;
    once->reason = CLIENT_REFUSED_ASSERTION_REPLAYED;
    identity->once_count++;
    return true;
}

bool client_auth_may_prove(const struct request *request)
{
    return request->client.kind != CLIENT_PROOF_NONE || request->possession.pem.size > 0;
}

void client_auth_attach(const struct client_identity *identity, struct store_write *write)
{
    for (size_t i = 0; i < identity->once_count; i++) {
        store_attach_mark(write, STORE_MARK_ONCE, &identity->once[i].mark);
    }
}

bool client_auth_is_fresh(struct request *request, const struct client_identity *identity,
                          int64_t now_ms, enum outcome *refusal)
{
    struct mark used;

    for (size_t i = 0; i < identity->once_count; i++) {
        switch (client_auth_find_use(request, &identity->once[i], now_ms, &used)) {
        case STORE_ABSENT:
            continue;
        case STORE_OK:
        case STORE_EXISTS:
        case STORE_STALE:
            request->answer.refusal = identity->once[i].reason;
            *refusal = identity->once[i].refusal;
            return false;
        case STORE_FAULT:
            break;
        }
        *refusal = OUTCOME_FAULT;
        return false;
    }
    return true;
}

enum store_result client_auth_find_use(struct request *request, const struct client_once *once,
                                       int64_t now_ms, struct mark *used)
{
    return store_mark_find(request->issuer->store, once->mark.kind, once->mark.hash, now_ms, used,
                           &request->fault);
}
