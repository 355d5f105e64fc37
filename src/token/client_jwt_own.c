/* SPDX-License-Identifier: ISC */
/* client_jwt_own.c: signatures of clients, verified as our own are. For builds without libjwt:
 * Debian has no static one for retoken.cgi. Does not know claims or clients. */
#include "token/client_jwt.h"

#include "token/signing_pair.h"
#include "token/signing_pem.h"

const char client_jwt_verifier[] = "Retoken's own code";

static bool is_signed_with_secret(const struct jws *jws, struct text secret);
static bool is_signed_with_pair(const struct jws *jws, enum signing_algorithm algorithm,
                                struct text pem);

bool client_jwt_verify(struct arena *arena, struct text token, const struct jws *jws,
                       enum signing_algorithm algorithm, struct text key)
{
    (void)arena;
    (void)token;
    return algorithm == SIGNING_HS256 ? is_signed_with_secret(jws, key)
                                      : is_signed_with_pair(jws, algorithm, key);
}

static bool is_signed_with_secret(const struct jws *jws, struct text secret)
{
    struct signing_key *key = signing_key_from_secret(secret, "secret", NULL);
    bool right = key != NULL &&
                 signing_key_verify(key, jws->signing_input, jws->signature, jws->signature_size);

    signing_key_close(key);
    return right;
}

static bool is_signed_with_pair(const struct jws *jws, enum signing_algorithm algorithm,
                                struct text pem)
{
    const struct signing_profile *profile = signing_profile(algorithm);
    EVP_PKEY *pkey = signing_pem_public(pem, NULL);
    bool right = pkey != NULL && signing_profile_fits(profile, pkey, NULL) &&
                 signing_pair_verify_with(profile, pkey, jws->signing_input, jws->signature,
                                          jws->signature_size);

    EVP_PKEY_free(pkey);
    return right;
}
