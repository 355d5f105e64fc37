/* SPDX-License-Identifier: ISC */
/* public_key.c: the operation that tells the public keys of a realm in PEM, one or all. Knows the
 * keyring; does not know how they are asked for, nor what is written round them. */
#include "base/buffer.h"
#include "operation/operation.h"
#include "token/signing_file.h"

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);
static bool tell(struct request *request, const struct keyring *keyring,
                 const struct signing_key *only);
static bool is_told(const struct signing_key *key, const struct signing_key *only);
static const struct signing_key *find(const struct request *request, const struct keyring *keyring);

const struct operation operation_public_key = {
    .word = "public-key", .routine = true, .begin = begin, .step = step};

static bool begin(struct request *request)
{
    const struct public_key_input *asked = &request->input.public_key;
    const struct keyring *keyring = issuer_keyring_now(request->issuer, &request->fault);
    const struct signing_key *only = NULL;

    if (keyring == NULL) {
        return false;
    } else if (asked->kid.size > 0 || asked->signer) {
        only = find(request, keyring);
        if (only == NULL || signing_algorithm_is_secret(signing_key_algorithm(only))) {
            return true; /* none: step says so */
        }
    }
    return tell(request, keyring, only);
}

static const struct signing_key *find(const struct request *request, const struct keyring *keyring)
{
    const struct realm *realm = request->realm;
    const struct signing_key *key;

    if (request->input.public_key.kid.size == 0) {
        return keyring_signer(keyring, realm->policy.algorithm, realm->name);
    }
    for (size_t i = 0; (key = keyring_verifier(keyring, realm->name, i)) != NULL; i++) {
        if (text_is(request->input.public_key.kid, signing_key_kid(key))) {
            return key;
        }
    }
    return NULL;
}

/* {"KID":"PEM",…}, and of one key its PEM too. */
static bool tell(struct request *request, const struct keyring *keyring,
                 const struct signing_key *only)
{
    struct answer *answer = &request->answer;
    const struct signing_key *key;
    struct buffer all, one;
    struct json_out out;
    bool good = true;

    buffer_start(&all, request->arena, 4096);
    out = json_out_start(&all, JSON_STYLE_PLAIN);
    json_out_open(&out);
    for (size_t i = 0; good && (key = keyring_verifier(keyring, request->realm->name, i)) != NULL;
         i++) {
        if (is_told(key, only)) {
            buffer_start(&one, request->arena, 1024);
            good = signing_file_write(key, false, &one) && buffer_finish(&one, &answer->public_key);
            json_out_member(&out, signing_key_kid(key), answer->public_key);
        }
    }
    json_out_close(&out);
    good = good && buffer_finish(&all, &answer->public_keys);
    if (!good) {
        fault_set(&request->fault,
                  "a public key cannot be written: no memory, or libcrypto failed");
    }
    return good;
}

static bool is_told(const struct signing_key *key, const struct signing_key *only)
{
    return only != NULL ? key == only : !signing_algorithm_is_secret(signing_key_algorithm(key));
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    *outcome = request->answer.public_key.size > 0 ? OUTCOME_SERVED : OUTCOME_TOKEN_UNKNOWN;
    return NULL;
}
