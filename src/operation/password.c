/* SPDX-License-Identifier: ISC */
/* password.c: hashes of passwords and client secrets; see password.h. */
#include "operation/password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <crypt.h>

#include "base/codec.h"
#include "base/secret.h"
#include "operation/password_apr1.h"

/* yescrypt of a random password that was thrown away: an account without one is compared with it,
 * so that it takes as long. Same cost as crypt_gensalt's default. */
#define NOBODY "$y$j9T$T9hQ1OzW8m6VwzJwXO1vX.$hgQIx3acE7.DBcEoPRx266W1LhBiVlccQ7emvp.iAz8"

/* "hmac$" + base64url(HMAC-SHA-256): a generated client secret. */
#define HMAC_MARK "hmac$"
enum { HMAC_TEXT_SIZE = 43, SECRET_BYTES = 32, BCRYPT_MOST = 72 };

/* crypt_r wants C strings. False for what cannot be a password. */
static bool to_c_string(struct text password, char out[PASSWORD_MAX + 1])
{
    return password.size > 0 && text_copy(password, out, PASSWORD_MAX + 1);
}

/* One crypt_r call with its big work area on the heap, wiped. *hash gets at most PASSWORD_HASH_MAX
 * characters. False when crypt refuses the setting. */
static bool run_crypt(const char *password, const char *setting, char hash[PASSWORD_HASH_MAX + 1])
{
    struct crypt_data *work = calloc(1, sizeof *work);
    const char *made;
    bool done;

    if (work == NULL) {
        return false;
    }
    made = crypt_r(password, setting, work);
    done = made != NULL && made[0] != '*' && text_copy(text_of(made), hash, PASSWORD_HASH_MAX + 1);
    secret_wipe(work, sizeof *work);
    free(work);
    return done;
}

bool password_hash(struct text password, const struct password_method *method,
                   const struct randomness *randomness, char hash[PASSWORD_HASH_MAX + 1],
                   struct fault *fault)
{
    char plain[PASSWORD_MAX + 1];
    char random[16];
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    bool done = false;

    if (!to_c_string(password, plain)) {
        fault_set(fault, "a password has 1 to %d bytes and no NUL", PASSWORD_MAX);
    } else if (method->kind == PASSWORD_BCRYPT && password.size > BCRYPT_MOST) {
        fault_set(fault, "bcrypt takes no more than %d bytes of a password", BCRYPT_MOST);
    } else if (!randomness_fill(randomness, random, sizeof random)) {
        fault_set(fault, "no randomness for a password salt");
    } else if (crypt_gensalt_rn(password_method_prefix(method), password_method_cost(method),
                                random, (int)sizeof random, setting, (int)sizeof setting) == NULL ||
               !run_crypt(plain, setting, hash)) {
        fault_set(fault, "crypt cannot hash with %s", password_method_prefix(method));
    } else {
        done = true;
    }
    secret_wipe(plain, sizeof plain);
    return done;
}

static enum password_check check(const char *plain, const char *against)
{
    bool apr1 = text_starts(text_of(against), TEXT(PASSWORD_APR1));
    char made[PASSWORD_HASH_MAX + 1];
    enum password_check result;

    errno = 0;
    if (apr1 ? !password_apr1(text_of(plain), against, made) : !run_crypt(plain, against, made)) {
        /* a hash that is none fits no password */
        result = errno == EINVAL ? PASSWORD_WRONG : PASSWORD_FAULT;
    } else {
        result =
            secret_text_equal(text_of(made), text_of(against)) ? PASSWORD_RIGHT : PASSWORD_WRONG;
    }
    secret_wipe(made, sizeof made);
    return result;
}

enum password_check password_verify(struct text password, const char *hash)
{
    char plain[PASSWORD_MAX + 1];
    bool has_hash = hash != NULL && hash[0] != '\0';
    enum password_check result = PASSWORD_WRONG;

    if (to_c_string(password, plain)) {
        result = check(plain, has_hash ? hash : NOBODY);
    }
    secret_wipe(plain, sizeof plain);
    return result == PASSWORD_RIGHT && !has_hash ? PASSWORD_WRONG : result;
}

bool client_secret_generate(const struct randomness *randomness, char secret[44])
{
    uint8_t bytes[SECRET_BYTES];

    if (!randomness_fill(randomness, bytes, sizeof bytes)) {
        return false;
    }
    codec_base64url_encode(bytes, sizeof bytes, secret);
    secret[HMAC_TEXT_SIZE] = '\0';
    secret_wipe(bytes, sizeof bytes);
    return true;
}

static bool hmac_hash(struct text secret, const struct secrets *secrets,
                      char hash[PASSWORD_HASH_MAX + 1])
{
    uint8_t mac[CRYPTO_HASH_SIZE];
    size_t mark = strlen(HMAC_MARK);

    if (!crypto_mac_compute(secrets->client_secret, secret.data, secret.size, mac)) {
        return false;
    }
    memcpy(hash, HMAC_MARK, mark);
    codec_base64url_encode(mac, sizeof mac, hash + mark);
    hash[mark + HMAC_TEXT_SIZE] = '\0';
    return true;
}

bool client_secret_hash(struct text secret, bool generated, const struct secrets *secrets,
                        const struct randomness *randomness, char hash[PASSWORD_HASH_MAX + 1],
                        struct fault *fault)
{
    if (!generated) {
        return password_hash(secret, &(struct password_method){0}, randomness, hash, fault);
    }
    if (!hmac_hash(secret, secrets, hash)) {
        fault_set(fault, "HMAC failed");
        return false;
    }
    return true;
}

bool client_secret_is_generated(const char *hash)
{
    return text_starts(text_of(hash), TEXT(HMAC_MARK));
}

enum password_check client_secret_verify(struct text secret, const char *hash,
                                         const struct secrets *secrets)
{
    char made[PASSWORD_HASH_MAX + 1];

    if (secret.size == 0 || secret.size > PASSWORD_MAX) {
        return PASSWORD_WRONG;
    } else if (!hmac_hash(secret, secrets, made)) {
        return PASSWORD_FAULT;
    }
    return secret_text_equal(text_of(made), text_of(hash)) ? PASSWORD_RIGHT : PASSWORD_WRONG;
}
