/* SPDX-License-Identifier: ISC */
/* introspect.c: the operation that tells a client what a token is good for now (RFC 7662), and
 * changes nothing: an access token (standing.c), or a refresh token of the client's own that would
 * be renewed. Knows who may ask after which; does not know how either is sent, or what is told of
 * one that is no good. */
#include "operation/introspect.h"

#include <stddef.h>
#include <string.h>

#include "operation/client_auth.h"
#include "operation/operation.h"
#include "operation/standing.h"
#include "token/jws.h"

struct introspect {
    struct clock_moment now;
    enum outcome outcome;
    bool writes; /* the client's assertion is used up */
    struct store_write write;
    struct client_identity client;
    const struct signing_key *signer; /* of the answer; NULL = it is not signed */
    struct standing standing;         /* last, because it is large and not zeroed */
};

static bool begin(struct request *request);
static bool find_signer(struct request *request, struct introspect *introspect);
static struct store_write *step(struct request *request, enum outcome *outcome);
static void written(struct request *request, enum store_result result);
static enum outcome judge(struct request *request, struct introspect *introspect);
static bool client_proves(struct request *request, struct introspect *introspect,
                          const struct token_ref *ref, enum outcome *refusal);
static enum outcome judge_refresh_token(struct request *request, struct introspect *introspect,
                                        const struct token_ref *ref);

const struct operation operation_introspect = {.word = "introspect",
                                               .routine = true,
                                               .names_client = true,
                                               .begin = begin,
                                               .step = step,
                                               .written = written};

static bool begin(struct request *request)
{
    struct introspect *introspect =
        operation_state(request, sizeof *introspect, offsetof(struct introspect, standing));

    if (introspect == NULL) {
        return false;
    }
    introspect->now = clock_moment(&request->issuer->clock);
    request->answer.now_ms = introspect->now.wall_ms;
    introspect->outcome = judge(request, introspect);
    if (outcome_class(introspect->outcome) == OUTCOME_CLASS_TOKEN) {
        introspect->outcome = OUTCOME_INACTIVE; /* and no more (section 2.2) */
    }
    if (outcome_is_grant(introspect->outcome) && request->input.refresh.signed_answer &&
        !find_signer(request, introspect)) {
        introspect->outcome = OUTCOME_FAULT;
        introspect->writes = false;
    }
    return true;
}

/* Before anything is written: an assertion is not used up for no answer. */
static bool find_signer(struct request *request, struct introspect *introspect)
{
    const struct keyring *keyring = issuer_keyring_now(request->issuer, &request->fault);
    enum signing_algorithm algorithm = request->realm->policy.algorithm;

    if (keyring == NULL) {
        return false;
    }
    introspect->signer = keyring_signer(keyring, algorithm, request->realm->name);
    if (introspect->signer == NULL) {
        fault_set(&request->fault, "no active %s signing key for %s",
                  signing_algorithm_name(algorithm), request->realm->name);
    }
    return introspect->signer != NULL;
}

bool introspect_sign(const struct request *request, struct text said, struct text *token)
{
    const struct introspect *introspect = request->state;
    struct buffer payload;
    struct json_out out;

    buffer_start(&payload, request->arena, said.size + 256);
    out = json_out_start(&payload, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_member(&out, "iss", text_of(request->realm->issuer));
    json_out_member(&out, "aud", text_of(introspect->client.id));
    json_out_member_int(&out, "iat", request->answer.now_ms / CLOCK_SECOND);
    json_out_key(&out, "token_introspection");
    buffer_add(&payload, said);
    json_out_close(&out);
    return !payload.failed && jws_sign_as(introspect->signer, "token-introspection+jwt",
                                          buffer_text(&payload), request->arena, token);
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    struct introspect *introspect = request->state;

    *outcome = introspect->outcome;
    return introspect->writes ? &introspect->write : NULL;
}

static void written(struct request *request, enum store_result result)
{
    struct introspect *introspect = request->state;

    introspect->writes = false;
    switch (result) {
    case STORE_OK:
        return;
    case STORE_EXISTS: /* another request has used the assertion */
        if (!client_auth_is_fresh(request, &introspect->client, introspect->now.wall_ms,
                                  &introspect->outcome)) {
            return;
        }
        fault_set(&request->fault, "the mark of an assertion was there, and is not any more");
        break;
    case STORE_ABSENT:
    case STORE_STALE:
    case STORE_FAULT:
        break;
    }
    introspect->outcome = OUTCOME_FAULT;
}

/* The token is looked for first, because only beside one of ours a secret is worth a hash; but
 * nothing is told of it before the client has proved itself (section 2.1). */
static enum outcome judge(struct request *request, struct introspect *introspect)
{
    struct text token = request->input.refresh.refresh_token;
    struct token_ref ref;
    enum token_ref_result found =
        token_ref_locate(request->issuer, token, request->arena, &ref, &request->fault);
    enum outcome refusal;

    if (found == TOKEN_REF_FAULT) {
        return OUTCOME_FAULT;
    } else if (!client_proves(request, introspect, found == TOKEN_REF_FOUND ? &ref : NULL,
                              &refusal)) {
        return refusal;
    }
    switch (found) {
    case TOKEN_REF_FOUND:
        return judge_refresh_token(request, introspect, &ref);
    case TOKEN_REF_INVALID:
        return standing_of_access_token(request, request->input.refresh.refresh_token,
                                        introspect->now, &introspect->standing);
    case TOKEN_REF_UNKNOWN:
    case TOKEN_REF_FAULT:
        break;
    }
    return OUTCOME_TOKEN_UNKNOWN;
}

static bool client_proves(struct request *request, struct introspect *introspect,
                          const struct token_ref *ref, enum outcome *refusal)
{
    struct client_identity *client = &introspect->client;
    int64_t now_ms = introspect->now.wall_ms;

    if (client_auth_may_prove(request)) {
        if (!client_auth_check(request, ref, now_ms, client, refusal) ||
            (client->proved && !client_auth_is_fresh(request, client, now_ms, refusal))) {
            return false;
        }
    }
    if (!client->proved) {
        request->answer.refusal = CLIENT_REFUSED_NO_PROOF;
        *refusal = OUTCOME_CLIENT_AUTH_FAILED;
        return false;
    } else if (client->once_count > 0) {
        store_prepare_attached(&introspect->write, now_ms);
        client_auth_attach(client, &introspect->write);
        introspect->writes = true;
    }
    return true;
}

/* A resource server has no business with it, and a thief none with what it is good for. */
static enum outcome judge_refresh_token(struct request *request, struct introspect *introspect,
                                        const struct token_ref *ref)
{
    struct standing *standing = &introspect->standing;
    enum outcome found = standing_find(request, ref->session, introspect->now, standing);

    if (found != OUTCOME_SERVED) {
        return found;
    } else if (!text_equal(text_of(standing->view.session.client),
                           text_of(introspect->client.id))) {
        return OUTCOME_WRONG_CLIENT;
    }
    return standing_decide(request, ref->generation, standing);
}
