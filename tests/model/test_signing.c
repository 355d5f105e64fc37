/* SPDX-License-Identifier: ISC */
/* test_signing.c: names of algorithms are exact, both ways; keys change state by their dates. */
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

/* ---- dates ---- */

enum { PLANNED = 1000000, HOUR = 3600000 };

static struct clock_moment moment(int64_t wall_ms, uint64_t boot, int64_t boot_ms)
{
    return (struct clock_moment){.wall_ms = wall_ms, .boot = boot, .boot_ms = boot_ms};
}

static void test_due(void **state)
{
    static const struct {
        const char *what;
        struct clock_moment planned;
        int64_t at_ms;
        struct clock_moment now;
        bool due;
    } rows[] = {
        {"no date", {PLANNED, 50, 7}, 0, {PLANNED + HOUR, 50 + HOUR, 7}, false},
        {"no plan", {0, 50, 7}, PLANNED, {PLANNED + HOUR, 50 + HOUR, 7}, false},
        {"a moment before",
         {PLANNED, 50, 7},
         PLANNED + HOUR,
         {PLANNED + HOUR - 1, 49 + HOUR, 7},
         false},
        {"now", {PLANNED, 50, 7}, PLANNED + HOUR, {PLANNED + HOUR, 50 + HOUR, 7}, true},
        {"set forward", {PLANNED, 50, 7}, PLANNED + HOUR, {PLANNED + 9 * HOUR, 60, 7}, false},
        {"set back", {PLANNED, 50, 7}, PLANNED + HOUR, {PLANNED - 9 * HOUR, 50 + HOUR, 7}, true},
        {"another boot", {PLANNED, 50, 7}, PLANNED + HOUR, {PLANNED + HOUR, 1, 8}, true},
        {"another boot, before",
         {PLANNED, 50, 7},
         PLANNED + HOUR,
         {PLANNED + HOUR - 1, 9 * HOUR, 8},
         false},
        {"boots not known", {PLANNED, 0, 0}, PLANNED + HOUR, {PLANNED + HOUR, 0, 0}, true},
        {"boots not known, before", {PLANNED, 0, 0}, PLANNED + HOUR, {PLANNED, 9 * HOUR, 0}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (signing_is_due(&rows[i].planned, rows[i].at_ms, &rows[i].now) != rows[i].due) {
            fail_msg("%s", rows[i].what);
        }
    }
}

/* The states of three keys of one place, the oldest first, and of one of another realm. */
static void assert_states(const struct signing_row rows[4], int64_t wall_ms, const char *expected)
{
    static const char letters[] = "?parvV";
    static struct signing_row now_rows[4];
    const struct clock_moment now = moment(wall_ms, 7, wall_ms - PLANNED);
    char states[5] = "";

    memcpy(now_rows, rows, sizeof now_rows);
    signing_rows_at(now_rows, 4, &now);
    for (size_t i = 0; i < 4; i++) {
        states[i] = letters[now_rows[i].state];
    }
    assert_string_equal(states, expected);
}

static void test_one_takes_the_place_of_another(void **state)
{
    static struct signing_row rows[4];
    const struct clock_moment planned = moment(PLANNED, 7, 0);

    (void)state;
    rows[0] = (struct signing_row){
        .number = 1, .state = SIGNING_ACTIVE, .planned = planned, .retires_ms = PLANNED + 2 * HOUR};
    rows[1] = (struct signing_row){.number = 2,
                                   .state = SIGNING_PUBLISHED,
                                   .planned = planned,
                                   .activates_ms = PLANNED + HOUR,
                                   .retires_ms = PLANNED + 4 * HOUR};
    rows[2] = (struct signing_row){.number = 3,
                                   .state = SIGNING_PUBLISHED,
                                   .planned = planned,
                                   .activates_ms = PLANNED + 3 * HOUR};
    rows[3] = (struct signing_row){.number = 4,
                                   .state = SIGNING_ACTIVE,
                                   .realm = "/a",
                                   .planned = planned,
                                   .retires_ms = PLANNED + HOUR};
    assert_states(rows, PLANNED, "appa");
    assert_states(rows, PLANNED + HOUR, "aapa"); /* nothing else signs for /a: it goes on */
    assert_states(rows, PLANNED + 2 * HOUR, "rapa");
    assert_states(rows, PLANNED + 3 * HOUR, "raaa");
    assert_states(rows, PLANNED + 4 * HOUR, "rraa");
    assert_states(rows, PLANNED + HOUR - 1, "appa"); /* the clock was set right: as it was */
    rows[2].state = SIGNING_RETIRED;                 /* by hand */
    assert_states(rows, PLANNED + 4 * HOUR, "rara");
    rows[1].state = SIGNING_RETIRED;
    assert_states(rows, PLANNED + 4 * HOUR, "arra");
    rows[1].state = SIGNING_ACTIVE;
    rows[1].algorithm = SIGNING_ES384;
    assert_states(rows, PLANNED + 4 * HOUR, "aara");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_ed25519_is_eddsa),
        cmocka_unit_test(test_nothing_else_parses),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_due),
        cmocka_unit_test(test_one_takes_the_place_of_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
