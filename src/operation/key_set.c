/* SPDX-License-Identifier: ISC */
/* key_set.c: the operation that publishes the public keys (RFC 7517). Knows the keyring; does not
 * know how the key set is served. */
#include "base/buffer.h"
#include "operation/operation.h"

static bool begin(struct request *request);
static struct store_write *step(struct request *request, enum outcome *outcome);

const struct operation operation_key_set = {
    .word = "jwks", .routine = true, .begin = begin, .step = step};

static bool begin(struct request *request)
{
    const struct keyring *keyring = issuer_keyring_now(request->issuer, &request->fault);
    struct buffer buffer;
    struct json_out out;

    if (keyring == NULL) {
        return false;
    }
    buffer_start(&buffer, request->arena, 4096);
    out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    keyring_jwks(keyring, &out);
    if (!buffer_finish(&buffer, &request->answer.key_set)) {
        fault_set(&request->fault, "the request's memory is used up");
        return false;
    }
    return true;
}

static struct store_write *step(struct request *request, enum outcome *outcome)
{
    (void)request;
    *outcome = OUTCOME_SERVED;
    return NULL;
}
