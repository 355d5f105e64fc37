/* SPDX-License-Identifier: ISC */
/* test_client_jwt.c: assertions of clients open with their key and algorithm, and nothing of what
 * libjwt by itself lets through does. Linked once with each verifier. */
#include "token/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/valgrind.h"
#include "token/client_jwt.h"
#include "token/client_keys.h"
#include "token/forge.h"

#define PAYLOAD                                                                                    \
    "{\"iss\":\"client\",\"sub\":\"client\",\"exp\":1}" /* expiry is the caller's affair */

static json_t *opened(struct arena *arena, struct text token, struct text keys)
{
    json_t *payload;
    enum client_jwt_result result = client_jwt_open(arena, token, keys, &payload);

    assert_int_equal(payload != NULL, result == CLIENT_JWT_OPEN);
    return payload;
}

static struct text token_of(struct arena *arena, const struct signing_key *key, const char *more)
{
    char header[256];

    snprintf(header, sizeof header, "{\"alg\":\"%s\"%s}",
             signing_algorithm_name(signing_key_algorithm(key)), more);
    return forge_signed(arena, key, header, PAYLOAD);
}

/* The keys of several such sets in one. */
static struct text joined(struct arena *arena, const struct text *sets, size_t count)
{
    static const struct text head = {"{\"keys\":[", 9}, tail = {"]}", 2};
    struct buffer buffer;

    buffer_start(&buffer, arena, 1024);
    buffer_add(&buffer, head);
    for (size_t i = 0; i < count; i++) {
        buffer_add_c(&buffer, i > 0 ? "," : "");
        buffer_add(&buffer,
                   text_cut(text_from(sets[i], head.size), sets[i].size - head.size - tail.size));
    }
    buffer_add(&buffer, tail);
    return buffer_text(&buffer);
}

static void right_ones_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_PAIRS; i++) {
        struct signing_key *key = fixture_pair_key(&fixture_pairs[i]);
        struct arena *arena = fixture_arena();
        struct text keys = fixture_key_set(arena, &fixture_pairs[i]);
        json_t *payload = opened(arena, token_of(arena, key, ",\"typ\":\"JWT\""), keys);
        assert_row(payload != NULL, signing_algorithm_name(fixture_pairs[i].algorithm));
        assert_string_equal(json_string_value(json_object_get(payload, "iss")), "client");
        assert_int_equal(json_integer_value(json_object_get(payload, "exp")), 1);
        /* a kid of no registered key, or no kid at all, leaves every key to try */
        assert_non_null(opened(arena, token_of(arena, key, ",\"kid\":\"urn:x/../1\""), keys));
        assert_non_null(opened(arena, token_of(arena, key, ",\"kid\":7"), keys));
        signing_key_close(key);
    }
}

/* RFC 9864 gives EdDSA with Ed25519 a name of its own. */
static void ed25519_is_another_name(void **state)
{
    static const char header[] = "{\"alg\":\"Ed25519\"}";

    (void)state;
    for (size_t i = 0; i < FIXTURE_PAIRS; i++) {
        struct signing_key *key = fixture_pair_key(&fixture_pairs[i]);
        struct arena *arena = fixture_arena();
        struct text token = forge_signed(arena, key, header, PAYLOAD);
        assert_int_equal(opened(arena, token, fixture_key_set(arena, &fixture_pairs[i])) != NULL,
                         fixture_pairs[i].algorithm == SIGNING_EDDSA);
        signing_key_close(key);
    }
}

/* Every algorithm registered against every algorithm signed with, over one key where the type
 * allows. */
static void only_the_diagonal_opens(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_PAIRS; i++) {
        struct signing_key *key = fixture_pair_key(&fixture_pairs[i]);
        for (size_t j = 0; j < FIXTURE_PAIRS; j++) {
            struct arena *arena = fixture_arena();
            json_t *payload =
                opened(arena, token_of(arena, key, ""), fixture_key_set(arena, &fixture_pairs[j]));
            assert_int_equal(payload != NULL, i == j);
        }
        signing_key_close(key);
    }
}

/* A key without `alg` is for the algorithms of its type. */
static void types_pin_algorithms(void **state)
{
    (void)state;
    for (size_t i = 0; i < FIXTURE_PAIRS; i++) {
        for (size_t j = 0; j < FIXTURE_PAIRS; j++) {
            struct arena *arena = fixture_arena();
            struct signing_key *key = fixture_pair_key(&fixture_pairs[i]);
            struct text token = token_of(arena, key, "");
            struct text keys = fixture_key_set(arena, &fixture_pairs[j]);
            char *alg = arena_c_string(arena, keys);
            memcpy(strstr(alg, "\"alg\""), "\"ALG\"", 5);
            assert_int_equal(opened(arena, token, T(alg)) != NULL,
                             strcmp(fixture_pairs[i].kind, fixture_pairs[j].kind) == 0);
            signing_key_close(key);
        }
    }
}

static void one_of_several_keys_opens(void **state)
{
    struct signing_key *rsa = fixture_pair_key(&fixture_pairs[0]);
    struct signing_key *ec = fixture_pair_key(fixture_es256);
    struct arena *arena = fixture_arena();
    struct fixture_pair other = {"RSA other", SIGNING_RS256};
    struct text sets[] = {fixture_key_set(arena, &other), fixture_key_set(arena, fixture_es256),
                          fixture_key_set(arena, &fixture_pairs[0])};
    struct text old = joined(arena, sets, 2);
    struct text both = joined(arena, sets, 3);
    struct text token = token_of(arena, rsa, "");
    char named[128];

    (void)state;
    assert_non_null(opened(arena, token, both));
    assert_non_null(opened(arena, token_of(arena, ec, ""), both));
    assert_null(opened(arena, token, old));
    snprintf(named, sizeof named, ",\"kid\":\"%s\"", signing_key_kid(rsa));
    assert_non_null(opened(arena, token_of(arena, rsa, named), both));
    /* the kid of another key: that one alone is tried, whatever its type */
    snprintf(named, sizeof named, ",\"kid\":\"%s\"", signing_key_kid(ec));
    assert_null(opened(arena, token_of(arena, rsa, named), both));
    assert_non_null(opened(arena, token_of(arena, ec, named), both));
    signing_key_close(rsa);
    signing_key_close(ec);
}

static void public_keys_are_no_secrets(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"HS256\"}", "{\"alg\":\"RS256\"}",
                                          "{\"alg\":\"none\"}", "{\"alg\":\"hs256\"}"};

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct arena *arena = fixture_arena();
        struct text keys = fixture_key_set(arena, &fixture_pairs[0]);
        struct text public = fixture_public_pem("RSA");
        const struct text secrets[] = {keys, public, text_cut(public, public.size - 1), TEXT("")};
        for (size_t j = 0; j < sizeof secrets / sizeof secrets[0]; j++) {
            struct text token = forge_mac(arena, secrets[j], headers[i], PAYLOAD);
            assert_row(opened(arena, token, keys) == NULL, headers[i]);
        }
    }
    assert_null(opened(fixture_arena(), TEXT("eyJhbGciOiJub25lIn0.e30."), TEXT("")));
}

static void wrong_keys_open_nothing(void **state)
{
    static const char *const sets[] = {"",
                                       "{}",
                                       "{\"keys\":[]}",
                                       "{\"keys\":{}}",
                                       "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
                                       "-----BEGIN PUBLIC KEY-----"};
    struct arena *arena = fixture_arena();
    struct signing_key *key = fixture_pair_key(&fixture_pairs[0]);
    struct text token = token_of(arena, key, "");
    struct fixture_pair other = {"RSA other", SIGNING_RS256};

    (void)state;
    assert_null(opened(arena, token, fixture_key_set(arena, &other)));
    assert_null(opened(arena, token, fixture_key_set(arena, fixture_es256)));
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        assert_row(opened(arena, token, T(sets[i])) == NULL, sets[i]);
    }
    signing_key_close(key);
}

static void what_libjwt_lets_through(void **state)
{
    static const struct {
        const char *name;
        const char *header;
        const char *payload;
        const char *tail;
    } rows[] = {
        {"crit", "{\"alg\":\"ES256\",\"crit\":[\"x\"],\"x\":1}", "{}", ""},
        {"b64", "{\"alg\":\"ES256\",\"b64\":false}", "{}", ""},
        {"lower case", "{\"alg\":\"fixture_es256\"}", "{}", ""},
        {"none", "{\"alg\":\"none\"}", "{}", ""},
        {"duplicate claim", "{\"alg\":\"ES256\"}", "{\"sub\":\"a\",\"sub\":\"b\"}", ""},
        {"array", "{\"alg\":\"ES256\"}", "[]", ""},
        {"newline", "{\"alg\":\"ES256\"}", "{}", "\n"},
        {"padding", "{\"alg\":\"ES256\"}", "{}", "="},
        {"padding twice", "{\"alg\":\"ES256\"}", "{}", "=="},
    };
    struct signing_key *key = fixture_pair_key(fixture_es256);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = fixture_arena();
        struct text token = forge_signed(arena, key, rows[i].header, rows[i].payload);
        struct buffer buffer;
        buffer_start(&buffer, arena, 512);
        buffer_add(&buffer, token);
        buffer_add_c(&buffer, rows[i].tail);
        assert_row(opened(arena, buffer_text(&buffer), fixture_key_set(arena, fixture_es256)) ==
                       NULL,
                   rows[i].name);
    }
    signing_key_close(key);
}

/* What is signed for another purpose opens nothing, whoever signed it. */
static void types_of_assertions_open(void **state)
{
    static const struct {
        const char *more;
        enum client_jwt_result result;
    } rows[] = {
        {"", CLIENT_JWT_OPEN},
        {",\"typ\":\"JWT\"", CLIENT_JWT_OPEN},
        {",\"typ\":\"jwt\"", CLIENT_JWT_OPEN},
        {",\"typ\":\"application/JWT\"", CLIENT_JWT_OPEN},
        {",\"typ\":\"client-authentication+jwt\"", CLIENT_JWT_OPEN},
        {",\"typ\":\"Client-Authentication+JWT\"", CLIENT_JWT_OPEN},
        {",\"typ\":\"Application/client-authentication+jwt\"", CLIENT_JWT_OPEN},
        {",\"typ\":\"at+jwt\"", CLIENT_JWT_TYPE},
        {",\"typ\":\"application/at+jwt\"", CLIENT_JWT_TYPE},
        {",\"typ\":\"application/application/jwt\"", CLIENT_JWT_TYPE},
        {",\"typ\":\"client-authentication\"", CLIENT_JWT_TYPE},
        {",\"typ\":\"JWTs\"", CLIENT_JWT_TYPE},
        {",\"typ\":\"\"", CLIENT_JWT_TYPE},
        {",\"typ\":1", CLIENT_JWT_MALFORMED},
    };

    (void)state;
    for (size_t pair = 0; pair < FIXTURE_PAIRS; pair++) {
        struct signing_key *key = fixture_pair_key(&fixture_pairs[pair]);

        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct arena *arena = fixture_arena();
            struct text token = token_of(arena, key, rows[i].more);
            json_t *payload;

            assert_row(client_jwt_open(arena, token, fixture_key_set(arena, &fixture_pairs[pair]),
                                       &payload) == rows[i].result,
                       rows[i].more);
        }
        signing_key_close(key);
    }
}

static void refusals_say_why(void **state)
{
    struct arena *arena = fixture_arena();
    struct signing_key *key = fixture_pair_key(&fixture_pairs[0]);
    struct text token = token_of(arena, key, "");
    struct fixture_pair other = {"RSA other", SIGNING_RS256};
    const struct {
        struct text token, keys;
        enum client_jwt_result result;
    } rows[] = {
        {token, fixture_key_set(arena, &fixture_pairs[0]), CLIENT_JWT_OPEN},
        {token, fixture_key_set(arena, &other), CLIENT_JWT_SIGNATURE},
        {token, fixture_key_set(arena, fixture_es256), CLIENT_JWT_KEY},
        {token, TEXT(""), CLIENT_JWT_KEY},
        {token, TEXT("damaged"), CLIENT_JWT_FAULT},
        {text_cut(token, token.size - 1), fixture_key_set(arena, &fixture_pairs[0]),
         CLIENT_JWT_MALFORMED},
        {forge_signed(arena, key, "{\"alg\":\"none\"}", PAYLOAD),
         fixture_key_set(arena, &fixture_pairs[0]), CLIENT_JWT_KEY},
        {forge_signed(arena, key, "{\"alg\":\"RS256\"}", "[]"),
         fixture_key_set(arena, &fixture_pairs[0]), CLIENT_JWT_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *payload;

        print_message("row %zu\n", i);
        assert_int_equal(client_jwt_open(arena, rows[i].token, rows[i].keys, &payload),
                         rows[i].result);
    }
    signing_key_close(key);
}

/* libcrypto's memory: the allocation of that number is refused, or all from there on. */
static size_t allocation, refused = SIZE_MAX;
static bool refused_for_good;

static bool is_refused(void)
{
    allocation++;
    return refused_for_good ? allocation >= refused : allocation == refused;
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_refused() ? NULL : malloc(size);
}

static void *reallocate(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_refused() ? NULL : realloc(old, size);
}

static void release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

/* Of LeakSanitizer, where it is linked. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* libjwt forgets some of its own when libcrypto fails, which is not ours to mend. */
static enum client_jwt_result open_without_memory(struct arena *arena, size_t from,
                                                  struct text token, struct text keys)
{
    enum client_jwt_result result;
    json_t *payload;

    if (__lsan_disable != NULL) {
        __lsan_disable();
    }
    allocation = 0;
    refused = from;
    result = client_jwt_open(arena, token, keys, &payload);
    refused = SIZE_MAX;
    if (__lsan_enable != NULL) {
        __lsan_enable();
    }
    return result;
}

/* A right signature is never called wrong; how often it was called neither. */
static size_t without_memory(const struct fixture_pair *pair)
{
    struct signing_key *key = fixture_pair_key(pair);
    struct arena *kept = arena_open((size_t)1 << 20);
    struct text token = token_of(kept, key, ""), keys = fixture_key_set(kept, pair);
    size_t faults = 0, number = 0;

    for (bool done = false; !done;) {
        enum client_jwt_result result;

        number += 5 + number / 50; /* the later ones are those of long sums, all alike */
        result = open_without_memory(fixture_arena(), number, token, keys);
        done = allocation < number;
        assert_row(result == CLIENT_JWT_OPEN || result == CLIENT_JWT_FAULT,
                   signing_algorithm_name(pair->algorithm));
        faults += result == CLIENT_JWT_FAULT;
    }
    arena_close(kept);
    signing_key_close(key);
    return faults;
}

static void a_lack_of_memory_is_a_fault(void **state)
{
    (void)state;
    if (is_under_valgrind()) {
        skip(); /* takes minutes, and what libjwt forgets is a leak */
    }
    for (size_t i = 0; i < FIXTURE_PAIRS; i++) {
        refused_for_good = true;
        assert_true(without_memory(&fixture_pairs[i]) > 0);
        refused_for_good = false;
        without_memory(&fixture_pairs[i]);
    }
}

/* … nor is a wrong one right. */
static void memory_makes_no_signature_right(void **state)
{
    struct fixture_pair other = {"RSA other", SIGNING_RS256};
    struct signing_key *key;

    (void)state;
    if (is_under_valgrind()) {
        skip();
    }
    key = fixture_pair_key(&other);
    refused_for_good = false;
    for (size_t i = 1; i < 200; i++) {
        struct arena *arena = fixture_arena();
        struct text token = token_of(arena, key, ""),
                    keys = fixture_key_set(arena, &fixture_pairs[0]);

        assert_int_not_equal(open_without_memory(arena, i, token, keys), CLIENT_JWT_OPEN);
    }
    signing_key_close(key);
}

static void hostile_strings(void **state)
{
    static const char *const tokens[] = {
        "", ".", "..", ".e30.", "e30..", "e30.e30.", "eyJhbGciOiJFUzI1NiJ9.."};
    size_t size = (size_t)9 << 20;
    char *dots = malloc(size);
    struct arena *arena = fixture_arena();
    struct text keys = fixture_key_set(arena, fixture_es256);

    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        assert_row(opened(arena, T(tokens[i]), keys) == NULL, tokens[i]);
    }
    assert_non_null(dots);
    memset(dots, '.', size);
    assert_null(opened(arena, (struct text){dots, size}, keys));
    memset(dots, 'A', size);
    dots[10] = dots[20] = '.';
    assert_null(opened(arena, (struct text){dots, size}, keys));
    free(dots);
}

static void ecdsa_zero_and_asn1(void **state)
{
    static const char zero[72];
    struct arena *arena = fixture_arena();
    struct text keys = fixture_key_set(arena, fixture_es256);

    (void)state;
    for (size_t size = 1; size <= sizeof zero; size++) {
        struct text token = forge_with(arena, TEXT("{\"alg\":\"ES256\"}"), TEXT(PAYLOAD),
                                       (struct text){zero, size});
        assert_null(opened(arena, token, keys));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_ones_open),
        cmocka_unit_test(ed25519_is_another_name),
        cmocka_unit_test(only_the_diagonal_opens),
        cmocka_unit_test(types_pin_algorithms),
        cmocka_unit_test(one_of_several_keys_opens),
        cmocka_unit_test(public_keys_are_no_secrets),
        cmocka_unit_test(wrong_keys_open_nothing),
        cmocka_unit_test(what_libjwt_lets_through),
        cmocka_unit_test(types_of_assertions_open),
        cmocka_unit_test(refusals_say_why),
        cmocka_unit_test(a_lack_of_memory_is_a_fault),
        cmocka_unit_test(memory_makes_no_signature_right),
        cmocka_unit_test(hostile_strings),
        cmocka_unit_test(ecdsa_zero_and_asn1),
    };

    if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
