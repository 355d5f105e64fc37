/* SPDX-License-Identifier: ISC */
/* signing_weak.c: see signing_weak.h. The published secrets are kept as hashes, so that this file
 * is no list of secrets to try; their texts are where the names say. */
#include "token/signing_weak.h"

#include "base/codec.h"
#include "base/crypto.h"
#include "base/secret.h"

/* A random secret in hexadecimal digits has at least so many, but for one in a thousand. */
enum { DIFFERENT_LEAST = 10 };

static const struct {
    const char *where;
    const char *sha256;
} published[] = {
    {"the default configuration of grails-spring-security-rest",
     "2e1fdf829f9180e85e5e5d65707a1368ccebdf6d8e0dcf86a85894e11a1b8440"},
    {"the sample configuration of a PHP microservice",
     "0b5a379029d14e78742c90ac664b224b25f6abd0718cf1bd96ffb68215376949"},
    {"JHipster's sample configuration",
     "3a1f222e17a5032cd835d3de3cdd89c35e3cfb621377f49c6e4c035047ea2796"},
    {"jwt.io", "465d9ad5d5528ebe287b5dce4fb51620833d09b290e49ddcc70ca6c4a0aea01b"},
    {"a tutorial of Spring Security",
     "3354cfcf65c7b2e6840ea6f880aede239750cb1d063950c4e8fd9fbf9ec73a32"},
    {"RFC 7515, appendix A.1", "c8ecc9361a05e285f04c26f9572131a6deab07e9e2b865053c6f75a4d8bd2b32"},
};

static bool is_published(struct text secret, const char **where);
static size_t count_different(struct text secret);
static bool repeats_itself(struct text secret);

bool signing_weak_secret(struct text secret, struct fault *fault)
{
    const char *where = NULL;

    if (is_published(secret, &where)) {
        fault_set(fault, "the secret is published in %s, so that anyone can sign with it", where);
    } else if (text_starts(secret, TEXT("django-insecure-"))) {
        fault_set(fault, "the secret is one that Django itself calls insecure");
    } else if (count_different(secret) < DIFFERENT_LEAST) {
        fault_set(fault,
                  "the secret has %zu different bytes, so that it can be guessed; one from "
                  "`openssl rand -base64 32` has more",
                  count_different(secret));
    } else if (repeats_itself(secret)) {
        fault_set(fault, "the secret repeats itself, so that it can be guessed");
    } else {
        return false;
    }
    return true;
}

static bool is_published(struct text secret, const char **where)
{
    uint8_t hash[CRYPTO_HASH_SIZE];
    uint8_t known[CRYPTO_HASH_SIZE];

    if (!crypto_sha256(secret.data, secret.size, hash)) {
        return false;
    }
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        if (codec_hex_decode(text_of(published[i].sha256), known, sizeof known) &&
            secret_equal(hash, known, sizeof hash)) {
            *where = published[i].where;
            return true;
        }
    }
    return false;
}

static size_t count_different(struct text secret)
{
    bool seen[256] = {false};
    size_t count = 0;

    for (size_t i = 0; i < secret.size; i++) {
        unsigned char c = (unsigned char)secret.data[i];

        count += !seen[c];
        seen[c] = true;
    }
    return count;
}

/* Is it a shorter text written twice or more often? */
static bool repeats_itself(struct text secret)
{
    for (size_t period = 1; period <= secret.size / 2; period++) {
        if (secret_equal(secret.data, secret.data + period, secret.size - period)) {
            return true;
        }
    }
    return false;
}
