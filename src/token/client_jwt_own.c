/* SPDX-License-Identifier: ISC */
/* client_jwt_own.c: signatures of clients, verified as our own are. For builds without libjwt:
 * Debian has no static one for retoken.cgi. Does not know claims or clients. */
#include "token/client_jwt.h"

#include "token/signing_pair.h"

const char client_jwt_verifier[] = "Retoken's own code";

bool client_jwt_verify(struct arena *arena, struct text token, const struct jws *jws,
                       enum signing_algorithm algorithm, struct evp_pkey_st *key, bool *failed)
{
    (void)arena;
    (void)token;
    return signing_pair_verify_with(signing_profile(algorithm), key, jws->signing_input,
                                    jws->signature, jws->signature_size, failed);
}
