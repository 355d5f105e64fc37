/* SPDX-License-Identifier: ISC */
/* client_jwt_libjwt.c: signatures of clients, verified by libjwt. Knows libjwt 1.10 and what it
 * lets through: its answer is reliable only because of the gate, the pinned algorithm and a key
 * checked beforehand. What it cannot verify, our own code does. Does not know claims or clients.
 * The only file that includes jwt.h. */
#include <config.h> /* of the build, not process/config.h */

#include "token/client_jwt.h"

#include <jwt.h>
#include <openssl/pem.h>

#include "token/signing_pair.h"

const char client_jwt_verifier[] =
    "libjwt " LIBJWT_VERSION ", PS256 and EdDSA by Retoken's own code";

static jwt_alg_t libjwt_algorithm(const struct jws *jws, enum signing_algorithm algorithm);
static bool libjwt_verifies(struct arena *arena, struct text token, jwt_alg_t pinned,
                            const EVP_PKEY *key);
static bool libjwt_agrees(const char *token, jwt_alg_t pinned, const char *pem, size_t pem_size);

static bool own_verifies(const struct jws *jws, enum signing_algorithm algorithm, EVP_PKEY *key,
                         bool *failed);

/* libjwt gives one answer for a wrong signature and for a lack of memory. So where it refuses, our
 * own code looks too, and where that does not, something failed here. */
bool client_jwt_verify(struct arena *arena, struct text token, const struct jws *jws,
                       enum signing_algorithm algorithm, struct evp_pkey_st *key, bool *failed)
{
    jwt_alg_t pinned = libjwt_algorithm(jws, algorithm);
    bool own;

    *failed = false;
    if (pinned != JWT_ALG_NONE && libjwt_verifies(arena, token, pinned, key)) {
        return true;
    }
    own = own_verifies(jws, algorithm, key, failed);
    if (pinned == JWT_ALG_NONE) {
        return own;
    }
    *failed = *failed || own;
    return false;
}

static bool own_verifies(const struct jws *jws, enum signing_algorithm algorithm, EVP_PKEY *key,
                         bool *failed)
{
    return signing_pair_verify_with(signing_profile(algorithm), key, jws->signing_input,
                                    jws->signature, jws->signature_size, failed);
}

/* JWT_ALG_NONE: libjwt 1.10 cannot do it, or refuses the header's `typ` whatever the signature. */
static jwt_alg_t libjwt_algorithm(const struct jws *jws, enum signing_algorithm algorithm)
{
    if (json_object_get(jws->header, "typ") != NULL &&
        !text_equal_ignore_case(jws->type, TEXT("JWT"))) {
        return JWT_ALG_NONE;
    }
    switch (algorithm) {
    case SIGNING_RS256:
        return JWT_ALG_RS256;
    case SIGNING_RS384:
        return JWT_ALG_RS384;
    case SIGNING_RS512:
        return JWT_ALG_RS512;
    case SIGNING_ES256:
        return JWT_ALG_ES256;
    case SIGNING_ES384:
        return JWT_ALG_ES384;
    case SIGNING_ES512:
        return JWT_ALG_ES512;
    case SIGNING_HS256: /* a client has no key for these */
    case SIGNING_HS384:
    case SIGNING_HS512:
    case SIGNING_PS256:
    case SIGNING_EDDSA:
        break;
    }
    return JWT_ALG_NONE;
}

/* libjwt takes keys as PEM only. An empty key would mean "do not verify" to it, so without a PEM
 * nothing is verified. */
static bool libjwt_verifies(struct arena *arena, struct text token, jwt_alg_t pinned,
                            const EVP_PKEY *key)
{
    const char *token_string = arena_c_string(arena, token);
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem = NULL;
    long size = 0;

    if (bio != NULL && PEM_write_bio_PUBKEY(bio, key) == 1) {
        size = BIO_get_mem_data(bio, &pem);
    }
    bool agrees =
        token_string != NULL && size > 0 && libjwt_agrees(token_string, pinned, pem, (size_t)size);
    BIO_free(bio);
    return agrees;
}

/* libjwt verifies with the algorithm that the token names; afterwards it must be the pinned one. */
static bool libjwt_agrees(const char *token, jwt_alg_t pinned, const char *pem, size_t pem_size)
{
    jwt_t *jwt = NULL;
    bool agrees = jwt_decode(&jwt, token, (const unsigned char *)pem, (int)pem_size) == 0 &&
                  jwt_get_alg(jwt) == pinned;

    jwt_free(jwt);
    return agrees;
}
