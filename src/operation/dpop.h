/* SPDX-License-Identifier: ISC */
/* dpop.h: does a DPoP proof show that its sender holds a key (RFC 9449 section 4.3)? Knows the
 * claims of proofs and the nonces that they may carry; does not know the store, sessions or how a
 * proof came. */
#ifndef RETOKEN_OPERATION_DPOP_H
#define RETOKEN_OPERATION_DPOP_H

#include "base/arena.h"
#include "base/fault.h"
#include "model/client_refusal.h"
#include "model/mark.h"
#include "model/realm.h"
#include "operation/nonce.h"

enum { DPOP_THUMBPRINT_SIZE = 43 /* characters */ };

struct dpop_ask {
    struct arena *arena;
    const struct secrets *secrets;
    const struct realm *realm;
    struct text proof;        /* the header's value */
    struct text method;       /* of the request that it came with */
    struct text path;         /* of its URL */
    struct text access_token; /* that came with it; "" = none */
    int64_t now_ms;
};

/* What a right one says. */
struct dpop_proof {
    uint8_t key[CRYPTO_HASH_SIZE]; /* thumbprint of the key that its sender holds (RFC 7638) */
    struct text id;                /* jti */
    int64_t until_ms;              /* from then on it is no good by itself */
};

/* Checks all but whether it was used before. Its nonce must be one of dpop_nonce of the last two to
 * four minutes, and where realm.dpop_nonce is on or its `iat` is more than a minute off, it must
 * have one: who has a wrong clock gets in by a nonce. False: *refusal is one of
 * CLIENT_REFUSED_DPOP_… (DPOP_NONCE: the same with dpop_nonce may do), or CLIENT_NOT_REFUSED with
 * *fault. */
bool dpop_check(const struct dpop_ask *ask, struct dpop_proof *proof, enum client_refusal *refusal,
                struct fault *fault);

/* The nonce of this time: the same in every process, and after a restart. False: libcrypto failed.
 */
bool dpop_nonce(const struct secrets *secrets, const struct realm *realm, int64_t now_ms,
                char nonce[NONCE_SIZE + 1]);

/* The mark that it is used at now_ms, beside this refresh token or code. False: libcrypto failed.
 */
bool dpop_mark(const struct dpop_proof *proof, struct text beside, const struct secrets *secrets,
               int64_t now_ms, struct mark *mark);

#endif
