/* SPDX-License-Identifier: ISC */
/* fixture.c: fixtures of the token tests. Knows how to make keys; does not know what is tested. */
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "token/client_keys.h"
#include "token/fixture.h"
#include "token/rsa_pairs.h"

enum { ARENA_LIMIT = 1 << 20, SEEDS = 4, PEM_ROOM = 8192, PAIRS_MAX = 16 };

static struct arena *arena;
static struct secrets secrets[SEEDS];
static bool secrets_open_already[SEEDS];
static struct signing_key *keys[SIGNING_ALGORITHMS];

/* One pair of each kind does for a whole program. */
static struct {
    char kind[16];
    EVP_PKEY *pkey;
} pairs[PAIRS_MAX];

struct arena *fixture_arena(void)
{
    arena_close(arena);
    arena = arena_open(ARENA_LIMIT);
    assert_non_null(arena);
    return arena;
}

const struct secrets *fixture_secrets(uint8_t seed)
{
    uint8_t master[SECRETS_MASTER_SIZE];

    assert_true(seed < SEEDS);
    if (!secrets_open_already[seed]) {
        memset(master, seed, sizeof master);
        assert_true(secrets_open(master, &secrets[seed], NULL));
        secrets_open_already[seed] = true;
    }
    return &secrets[seed];
}

/* splitmix64: good enough to look random, and the same everywhere */
static bool repeatable_fill(void *self, void *out, size_t size)
{
    uint64_t *state = self;
    uint8_t *bytes = out;

    for (size_t i = 0; i < size; i++) {
        uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        bytes[i] = (uint8_t)(z >> 56);
    }
    return true;
}

struct randomness fixture_randomness(void)
{
    static uint64_t state;

    return (struct randomness){repeatable_fill, &state};
}

static bool no_fill(void *self, void *out, size_t size)
{
    (void)self;
    (void)out;
    (void)size;
    return false;
}

struct randomness fixture_no_randomness(void)
{
    return (struct randomness){no_fill, NULL};
}

static struct signing_key *make_key(enum signing_algorithm algorithm)
{
    struct randomness randomness = fixture_randomness();
    char kind[16];

    snprintf(kind, sizeof kind, "RSA %s", signing_algorithm_name(algorithm));
    const char *pem = rsa_pairs_pem(kind);
    return pem == NULL ? signing_key_generate(algorithm, NULL, &randomness, NULL)
                       : signing_key_from_pem(algorithm, text_of(pem), NULL, NULL);
}

const struct signing_key *fixture_key(enum signing_algorithm algorithm)
{
    if (keys[algorithm] == NULL) {
        keys[algorithm] = make_key(algorithm);
        assert_non_null(keys[algorithm]);
    }
    return keys[algorithm];
}

static EVP_PKEY *make_pair(const char *kind)
{
    const char *pem = rsa_pairs_pem(kind);

    if (pem != NULL) {
        BIO *bio = BIO_new_mem_buf(pem, -1);
        EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        BIO_free(bio);
        return pkey;
    } else if (strncmp(kind, "P-", 2) == 0 || strncmp(kind, "secp", 4) == 0) {
        return EVP_EC_gen(kind);
    }
    return EVP_PKEY_Q_keygen(NULL, NULL, kind); /* ED25519, X25519, ED448 */
}

static EVP_PKEY *pair_of(const char *kind)
{
    size_t i = 0;

    while (i < PAIRS_MAX && pairs[i].pkey != NULL && strcmp(pairs[i].kind, kind) != 0) {
        i++;
    }
    assert_true(i < PAIRS_MAX);
    if (pairs[i].pkey == NULL) {
        assert_true(text_copy(text_of(kind), pairs[i].kind, sizeof pairs[i].kind));
        pairs[i].pkey = make_pair(kind);
        assert_non_null(pairs[i].pkey);
    }
    return pairs[i].pkey;
}

EVP_PKEY *fixture_new_pair(const struct signing_profile *profile)
{
    static unsigned turn;

    EVP_PKEY *pkey = profile->group != NULL    ? EVP_EC_gen(profile->group)
                     : profile->digest == NULL ? make_pair(profile->type)
                     : turn++ % 2 == 0         ? make_pair("RSA")
                                               : make_pair("RSA other");

    assert_non_null(pkey);
    return pkey;
}

static struct text drain(BIO *bio, char *room)
{
    int size = BIO_read(bio, room, PEM_ROOM);

    assert_true(size > 0 && size < PEM_ROOM);
    room[size] = '\0';
    BIO_free(bio);
    return (struct text){room, (size_t)size};
}

struct text fixture_private_pem(const char *kind)
{
    static char room[PEM_ROOM];
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pair_of(kind), NULL, NULL, 0, NULL, NULL),
                     1);
    return drain(bio, room);
}

struct text fixture_public_pem(const char *kind)
{
    static char room[PEM_ROOM];
    BIO *bio = BIO_new(BIO_s_mem());

    assert_int_equal(PEM_write_bio_PUBKEY(bio, pair_of(kind)), 1);
    return drain(bio, room);
}

const struct fixture_pair fixture_pairs[FIXTURE_PAIRS] = {
    {"RSA", SIGNING_RS256},     {"RSA", SIGNING_RS384},   {"RSA", SIGNING_RS512},
    {"RSA", SIGNING_PS256},     {"P-256", SIGNING_ES256}, {"P-384", SIGNING_ES384},
    {"ED25519", SIGNING_EDDSA}, {"P-521", SIGNING_ES512},
};
const struct fixture_pair *const fixture_es256 = &fixture_pairs[4];

struct signing_key *fixture_pair_key(const struct fixture_pair *pair)
{
    struct signing_key *key =
        signing_key_from_pem(pair->algorithm, fixture_private_pem(pair->kind), NULL, NULL);

    assert_non_null(key);
    return key;
}

struct text fixture_key_set(struct arena *in, const struct fixture_pair *pair)
{
    struct text set = {0};

    assert_true(
        client_keys_from_pem(in, fixture_public_pem(pair->kind), pair->algorithm, &set, NULL));
    return set;
}

int fixture_close(void **state)
{
    (void)state;
    arena_close(arena);
    arena = NULL;
    for (size_t i = 0; i < SEEDS; i++) {
        if (secrets_open_already[i]) {
            secrets_close(&secrets[i]);
            secrets_open_already[i] = false;
        }
    }
    for (size_t i = 0; i < SIGNING_ALGORITHMS; i++) {
        signing_key_close(keys[i]);
        keys[i] = NULL;
    }
    for (size_t i = 0; i < PAIRS_MAX; i++) {
        EVP_PKEY_free(pairs[i].pkey);
        pairs[i].pkey = NULL;
    }
    return 0;
}
