/* foreign_jwt_own.c: foreign_jwt.h once more, for the static retoken.cgi: Debian has no libjwt to
 * link into one file. What libjwt is asked for there (is this signature right under this key?) our
 * own keys are asked here; what comes before it, and what comes out, are the same. Does not know
 * claims or clients. */
#include "token/foreign_jwt.h"
#include "token/jws.h"
#include "token/signing_pair.h"
#include "token/signing_pem.h"

/* Those that libjwt 1.10 can verify, so that a client is treated alike by both programs. */
bool foreign_jwt_supports(enum signing_algorithm algorithm)
{
    return algorithm != SIGNING_PS256 && algorithm != SIGNING_EDDSA;
}

/* libjwt's rule. */
static bool is_plain_jwt(const struct jws *jws)
{
    return json_object_get(jws->header, "typ") == NULL ||
           text_equal_ignore_case(jws->type, TEXT("JWT"));
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

json_t *foreign_jwt_open(struct arena *arena, struct text token, enum signing_algorithm algorithm,
                         struct text key)
{
    struct jws jws;

    if (!foreign_jwt_supports(algorithm) || !jws_gate(arena, token, &jws) ||
        !text_is(jws.algorithm, signing_algorithm_name(algorithm)) || !is_plain_jwt(&jws)) {
        return NULL;
    }
    bool right = algorithm == SIGNING_HS256 ? is_signed_with_secret(&jws, key)
                                            : is_signed_with_pair(&jws, algorithm, key);
    return right ? json_in_object(arena, jws.payload_json, NULL) : NULL;
}
