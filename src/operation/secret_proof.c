/* SPDX-License-Identifier: ISC */
/* secret_proof.c: see secret_proof.h. */
#include "operation/secret_proof.h"

#include <stdio.h>
#include <string.h>

#include "operation/operation.h"
#include "operation/password.h"
#include "operation/password_gate.h"

/* What one secret has to be compared with: the client's secrets that hold. */
struct comparison {
    struct request *request;
    const struct client *client;
    char owner[CLIENT_ID_MAX + sizeof "client "];
    const struct client_secret *generated[CLIENT_SECRETS];
    const struct client_secret *chosen[CLIENT_SECRETS]; /* by a human */
    size_t generated_count, chosen_count;
    uint32_t *number; /* of the one that is right */
};

static void start(struct comparison *comparison, int64_t now_ms);
static enum password_check compare_generated(const struct comparison *comparison);
static bool is_remembered(const struct comparison *comparison);
static bool begin_guess(const struct comparison *comparison, const struct token_ref *ref,
                        int64_t now_ms, enum outcome *refusal);
static enum password_check compare_chosen(const struct comparison *comparison);
static enum outcome refusal_of(const struct comparison *comparison, enum password_check check);

bool secret_proof_check(struct request *request, const struct client *client,
                        const struct token_ref *ref, int64_t now_ms, uint32_t *number,
                        enum outcome *refusal)
{
    struct comparison comparison = {.request = request, .client = client, .number = number};
    enum password_check check;

    start(&comparison, now_ms);
    check = compare_generated(&comparison);
    *refusal = refusal_of(&comparison, check);
    if (check != PASSWORD_WRONG) {
        return check == PASSWORD_RIGHT;
    } else if (comparison.generated_count + comparison.chosen_count == 0) {
        request->answer.refusal = CLIENT_REFUSED_NO_SECRET;
        return false; /* whether a client has one is no secret, and a hash for nothing is dear */
    } else if (ref == NULL && comparison.chosen_count == 0) {
        request->answer.refusal = CLIENT_REFUSED_SECRET;
        return false; /* no one can guess it, and a stranger's tries are not worth a write */
    } else if (!begin_guess(&comparison, ref, now_ms, refusal)) {
        return false;
    }
    check = is_remembered(&comparison) ? PASSWORD_RIGHT : compare_chosen(&comparison);
    request->guess.made = check == PASSWORD_RIGHT   ? GUESS_RIGHT
                          : check == PASSWORD_WRONG ? GUESS_WRONG
                                                    : GUESS_NONE;
    *refusal = refusal_of(&comparison, check);
    if (check == PASSWORD_WRONG) {
        request->answer.refusal = CLIENT_REFUSED_SECRET;
    }
    return check == PASSWORD_RIGHT;
}

static void start(struct comparison *comparison, int64_t now_ms)
{
    const struct client *client = comparison->client;

    snprintf(comparison->owner, sizeof comparison->owner, "client %s", client->id);
    for (size_t i = 0; i < CLIENT_SECRETS; i++) {
        const struct client_secret *secret = &client->secrets[i];

        if (!client_secret_holds(secret, now_ms)) {
            continue;
        } else if (client_secret_is_generated(secret->hash)) {
            comparison->generated[comparison->generated_count++] = secret;
        } else {
            comparison->chosen[comparison->chosen_count++] = secret;
        }
    }
}

/* With each, whichever is right, so that time does not tell which. */
static enum password_check compare_generated(const struct comparison *comparison)
{
    const struct request *request = comparison->request;
    bool right = false;
    bool failed = false;

    for (size_t i = 0; i < comparison->generated_count; i++) {
        const struct client_secret *secret = comparison->generated[i];
        enum password_check check =
            client_secret_verify(request->client.secret, secret->hash, request->issuer->secrets);

        if (check == PASSWORD_RIGHT) {
            *comparison->number = secret->number;
            right = true;
        }
        failed |= check == PASSWORD_FAULT;
    }
    return right ? PASSWORD_RIGHT : failed ? PASSWORD_FAULT : PASSWORD_WRONG;
}

/* Either reading of it, so that a client that never form-urlencodes pays for one hash, too. */
static bool is_remembered(const struct comparison *comparison)
{
    const struct request *request = comparison->request;
    const struct client_proof *proof = &request->client;
    struct text owner = text_of(comparison->owner);
    bool raw = proof->raw_given && text_is(proof->raw_id, comparison->client->id);
    bool found = false;

    for (size_t i = 0; i < comparison->chosen_count; i++) {
        const struct client_secret *secret = comparison->chosen[i];
        bool known = password_gate_knows(request->issuer->gate, owner, proof->secret, secret->hash);

        known |= raw &&
                 password_gate_knows(request->issuer->gate, owner, proof->raw_secret, secret->hash);
        if (known) {
            *comparison->number = secret->number;
            found = true;
        }
    }
    return found;
}

/* Who guesses at a client's secret beside a token of one account is slowed for that account alone:
 * it cannot keep the client from the tokens of others. Without a token it is a stranger's guess. */
static bool begin_guess(const struct comparison *comparison, const struct token_ref *ref,
                        int64_t now_ms, enum outcome *refusal)
{
    struct request *request = comparison->request;
    struct guess *guess = &request->guess;
    struct session_view *view;
    enum outcome found;

    guess->client = request->answer.client; /* a copy of its id that lasts */
    if (ref == NULL) {
        return guess_begin(request, GUESS_SECRET, guess->client, 0, now_ms, refusal);
    }
    view = arena_alloc(request->arena, sizeof *view);
    if (view == NULL) {
        fault_set(&request->fault, "the request's memory is used up");
        *refusal = OUTCOME_FAULT;
        return false;
    }
    found = operation_find_session(request, ref->session, view);
    if (found == OUTCOME_FAULT) {
        *refusal = OUTCOME_FAULT;
        return false;
    } else if (found != OUTCOME_SERVED) { /* swept: as worthless as a token of another server */
        request->answer.refusal = CLIENT_REFUSED_SECRET_UNSEEN;
        return false;
    }
    guess->account = view->session.account;
    memcpy(guess->session, ref->session, sizeof guess->session);
    return guess_begin(request, GUESS_CLIENT, guess->client, guess->account, now_ms, refusal);
}

static enum password_check compare_chosen(const struct comparison *comparison)
{
    const struct request *request = comparison->request;
    enum password_check check = PASSWORD_WRONG;

    for (size_t i = 0; i < comparison->chosen_count && check == PASSWORD_WRONG; i++) {
        const struct client_secret *secret = comparison->chosen[i];

        check = password_gate_verify(request->issuer->gate, text_of(comparison->owner),
                                     request->client.secret, secret->hash);
        if (check == PASSWORD_RIGHT) {
            *comparison->number = secret->number;
        }
    }
    return check;
}

static enum outcome refusal_of(const struct comparison *comparison, enum password_check check)
{
    switch (check) {
    case PASSWORD_RIGHT:
    case PASSWORD_WRONG:
        return OUTCOME_CLIENT_AUTH_FAILED;
    case PASSWORD_BUSY:
        return OUTCOME_BUSY;
    case PASSWORD_FAULT:
        break;
    }
    fault_set(&comparison->request->fault,
              "the secret of client %s could not be checked: out of memory?",
              comparison->client->id);
    return OUTCOME_FAULT;
}
