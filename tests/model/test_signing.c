/* SPDX-License-Identifier: ISC */
/* test_signing.c: names of algorithms are exact, both ways. */
#include "base/expect.h"
#include "model/signing.h"

static void test_round_trip(void **state)
{
    (void)state;
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        enum signing_algorithm parsed = SIGNING_HS256;
        const char *name = signing_algorithm_name((enum signing_algorithm)i);
        assert_true(signing_algorithm_parse(text_of(name), &parsed));
        assert_int_equal(parsed, i);
    }
    assert_string_equal(signing_algorithm_name(SIGNING_RS256), "RS256");
    assert_string_equal(signing_algorithm_name(SIGNING_EDDSA), "EdDSA");
    assert_string_equal(signing_algorithm_name((enum signing_algorithm)SIGNING_ALGORITHMS),
                        "unknown");
    assert_string_equal(signing_algorithm_name((enum signing_algorithm) - 1), "unknown");
}

static void test_ed25519_is_eddsa(void **state)
{
    enum signing_algorithm parsed = SIGNING_HS256;

    (void)state;
    assert_true(signing_algorithm_parse(TEXT("Ed25519"), &parsed));
    assert_int_equal(parsed, SIGNING_EDDSA);
}

static void test_nothing_else_parses(void **state)
{
    static const struct text others[] = {
        {NULL, 0},          LITERAL("none"),    LITERAL("None"),    LITERAL("rs256"),
        LITERAL("RS256 "),  LITERAL(" RS256"),  LITERAL("RS256\0"), LITERAL("RS25"),
        LITERAL("EDDSA"),   LITERAL("eddsa"),   LITERAL("PS384"),   LITERAL("ES256K"),
        LITERAL("unknown"), LITERAL("ed25519"), LITERAL("Ed448"),
    };
    (void)state;

    for (size_t i = 0; i < COUNT(others); i++) {
        enum signing_algorithm parsed = SIGNING_PS256;
        assert_false(signing_algorithm_parse(others[i], &parsed));
        assert_int_equal(parsed, SIGNING_PS256);
    }
}

static void test_kinds(void **state)
{
    static const char *const secrets[] = {"HS256", "HS384", "HS512"};
    static const char *const others[] = {"HS384", "HS512", "ES512"};
    size_t secret = 0, foreign = 0;

    (void)state;
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        enum signing_algorithm algorithm = (enum signing_algorithm)i;

        if (signing_algorithm_is_secret(algorithm)) {
            assert_string_equal(signing_algorithm_name(algorithm), secrets[secret++]);
        }
        if (!signing_algorithm_is_ours(algorithm)) {
            assert_string_equal(signing_algorithm_name(algorithm), others[foreign++]);
        }
    }
    assert_int_equal(secret, COUNT(secrets));
    assert_int_equal(foreign, COUNT(others));
}

static void test_states(void **state)
{
    (void)state;
    assert_string_equal(signing_state_name(SIGNING_PUBLISHED), "published");
    assert_string_equal(signing_state_name(SIGNING_ACTIVE), "active");
    assert_string_equal(signing_state_name(SIGNING_RETIRED), "retired");
    assert_string_equal(signing_state_name(SIGNING_VERIFY_ONLY), "verify-only");
    assert_string_equal(signing_state_name(SIGNING_VERIFY_RETIRED), "retired");
    assert_string_equal(signing_state_name((enum signing_state)0), "unknown");
    for (int state_of_key = 0; state_of_key < SIGNING_STATES; state_of_key++) {
        assert_int_equal(signing_state_is_retired((enum signing_state)state_of_key),
                         state_of_key == SIGNING_RETIRED || state_of_key == SIGNING_VERIFY_RETIRED);
        assert_int_equal(signing_state_is_foreign((enum signing_state)state_of_key),
                         state_of_key >= SIGNING_VERIFY_ONLY);
    }
    assert_string_equal(signing_state_name((enum signing_state)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_ed25519_is_eddsa),
        cmocka_unit_test(test_nothing_else_parses),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
