/* SPDX-License-Identifier: ISC */
/* test_session.c: what a rotation leaves in the record; every end of a session is told apart, and
 * so is one of a later version. */
#include "base/codec.h"
#include "base/expect.h"
#include "model/session.h"

enum { WINDOW = 60000 };

static void rotate(struct session *session, uint32_t to, int64_t ms, uint64_t boot)
{
    struct clock_moment spent = {.wall_ms = 1000 + ms, .boot_ms = ms, .boot = boot};

    session_note_rotation(session, to, 900 + ms, &spent, WINDOW);
}

static void assert_spent(const struct session *session, size_t back, int64_t wall_ms,
                         int64_t boot_ms)
{
    assert_int_equal(session->spent[back - 1].wall_ms, wall_ms);
    assert_int_equal(session->spent[back - 1].boot_ms, boot_ms);
}

static void test_rotation(void **state)
{
    struct session session = {.created_ms = 800, .rotated_ms = 800, .used_ms = 800};
    (void)state;

    for (uint32_t to = 1; to <= 10; to++) {
        rotate(&session, to, to * 10, 7);
        assert_int_equal(session.generation, to);
        assert_int_equal(session.rotated_ms, 900 + to * 10);
        assert_int_equal(session.used_ms, 900 + to * 10);
        for (uint32_t back = 1; back <= SESSION_SPENT_KEPT; back++) {
            int64_t ms = back <= to ? (to - back + 1) * 10 : 0;
            assert_spent(&session, back, ms != 0 ? 1000 + ms : 0, ms);
        }
    }
}

/* The generations between were not spent here, so when is not known. */
static void test_rotation_over_several(void **state)
{
    struct session session = {0};
    (void)state;

    rotate(&session, 1, 10, 7);
    rotate(&session, 2, 20, 7);
    rotate(&session, 5, 30, 7);
    assert_spent(&session, 1, 1030, 30);
    assert_spent(&session, 2, 0, 0);
    assert_spent(&session, 3, 0, 0);
    assert_spent(&session, 4, 1020, 20);
    assert_spent(&session, 5, 1010, 10);
    rotate(&session, 5 + SESSION_SPENT_KEPT, 40, 7);
    assert_spent(&session, 1, 1040, 40);
    for (size_t back = 2; back <= SESSION_SPENT_KEPT; back++) {
        assert_spent(&session, back, 0, 0);
    }
}

/* The time since boot means nothing to another boot, the wall clock's does. */
static void test_rotation_in_another_boot(void **state)
{
    struct session session = {0};
    (void)state;

    rotate(&session, 1, 10, 7);
    rotate(&session, 2, 20, 7);
    rotate(&session, 3, 5, 8);
    assert_int_equal(session.boot, 8);
    assert_spent(&session, 1, 1005, 5);
    assert_spent(&session, 2, 1020, 0);
    assert_spent(&session, 3, 1010, 0);
    rotate(&session, 4, 30, 0); /* not known */
    assert_int_equal(session.boot, 0);
    assert_spent(&session, 1, 1030, 0);
    assert_spent(&session, 2, 1005, 0);
}

/* However fast it rotates: what was spent longer ago than the window and some rotations is known to
 * be, and what was not is not. */
static void test_outdated(void **state)
{
    static const int64_t paces[] = {100, 5000, 7000, 900000};
    (void)state;

    for (size_t i = 0; i < COUNT(paces); i++) {
        const uint32_t lag = (uint32_t)(2 * (WINDOW / paces[i])) + 2 * SESSION_SPENT_KEPT + 2;

        for (uint64_t boot = 0; boot < 2; boot++) {
            struct session session = {.boot = boot};

            for (uint32_t n = 1; n < 3 * lag; n++) {
                uint32_t recent = (uint32_t)(WINDOW / paces[i]) + 1; /* spent inside the window */

                rotate(&session, n, n * paces[i], boot);
                assert_true(session.outdated == 0 || session.outdated + recent <= n);
                assert_true(n <= lag || session.outdated + lag >= n);
            }
        }
    }
}

/* The time since boot is not compared with that of another boot. */
static void test_outdated_in_another_boot(void **state)
{
    struct session session = {.boot = 7};
    uint32_t outdated;
    (void)state;

    for (uint32_t n = 1; n <= 40; n++) {
        rotate(&session, n, n * 10000, 7);
    }
    outdated = session.outdated;
    assert_true(outdated > 20);
    rotate(&session, 41, 900000000, 8);
    assert_int_equal(session.outdated, outdated);
    assert_int_equal(session.watched_ms, 0);
    /* where that is not known, the wall clock tells */
    rotate(&session, 42, 900000100, 0);
    assert_int_equal(session.watched_ms, 0);
    rotate(&session, 43, 900000200, 0);
    assert_int_equal(session.outdated, outdated);
    assert_int_equal(session.watched, 34);
    assert_int_equal(session.watched_ms, 1000 + 350000);
    rotate(&session, 44, 900000300, 0);
    assert_int_equal(session.outdated, 35);
    assert_int_equal(session.watched, 35);
}

/* What a roll forward passes over was not spent here. */
static void test_outdated_over_several(void **state)
{
    struct session session = {.boot = 7};
    (void)state;

    for (uint32_t n = 1; n <= 6; n++) {
        rotate(&session, n, n * 10, 7);
    }
    rotate(&session, 12, 70, 7); /* forgets when 0 to 3 were */
    assert_int_equal(session.watched, 3);
    assert_int_equal(session.watched_ms, 40);
    rotate(&session, 13, 70 + WINDOW, 7);
    assert_int_equal(session.outdated, 4);
}

static void test_use_is_never_earlier(void **state)
{
    struct session session = {.rotated_ms = 500, .used_ms = 700};
    (void)state;

    session_note_use(&session, 600);
    assert_int_equal(session.used_ms, 700);
    session_note_use(&session, 800);
    assert_int_equal(session.used_ms, 800);
    session.rotated_ms = 900;
    session_note_use(&session, 600);
    assert_int_equal(session.used_ms, 900);
}

static void test_meanings(void **state)
{
    static const int ends[] = {SESSION_LIVE,          SESSION_ENDED_REUSE,  SESSION_ENDED_ADMIN,
                               SESSION_ENDED_ACCOUNT, SESSION_ENDED_CLIENT, 200};
    (void)state;

    for (size_t i = 0; i < COUNT(ends); i++) {
        const char *meaning = session_end_meaning((enum session_end)ends[i]);
        assert_true(strlen(meaning) > 0);
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(meaning, session_end_meaning((enum session_end)ends[k]));
        }
    }
    assert_string_equal(session_end_meaning(SESSION_ENDED_ADMIN), "revoked by an administrator");
}

/* The point and its thumbprint are those of RFC 9449, sections 4.1 and 6.1. */
static void test_key(void **state)
{
    struct session session = {.key_kind = SESSION_KEY_NONE};
    char thumbprint[SESSION_THUMBPRINT_SIZE + 1];
    char jwk[SESSION_JWK_SIZE + 1];
    size_t size;
    (void)state;

    assert_true(session_key_thumbprint(&session, thumbprint));
    assert_string_equal(thumbprint, "");
    assert_string_equal(session_key_name(session.key_kind), "");

    session.key_kind = SESSION_KEY_BROWSER;
    assert_true(codec_base64url_decode(TEXT("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs"),
                                       session.key, 32, &size));
    assert_true(codec_base64url_decode(TEXT("9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"),
                                       session.key + 32, 32, &size));
    assert_true(session_key_thumbprint(&session, thumbprint));
    assert_string_equal(thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_string_equal(session_key_name(session.key_kind), "browser");
    session_key_jwk(&session, jwk);
    assert_string_equal(jwk, "{\"crv\":\"P-256\",\"kty\":\"EC\","
                             "\"x\":\"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs\","
                             "\"y\":\"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA\"}");

    session.key_kind = SESSION_KEY_DPOP;
    assert_true(codec_base64url_decode(TEXT("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
                                       session.key, 32, &size));
    assert_true(session_key_thumbprint(&session, thumbprint));
    assert_string_equal(thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_string_equal(session_key_name(session.key_kind), "dpop");

    session.key_kind = SESSION_KEY_CERTIFICATE;
    assert_true(session_key_thumbprint(&session, thumbprint));
    assert_string_equal(thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_string_equal(session_key_name(session.key_kind), "certificate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rotation),
                                       cmocka_unit_test(test_rotation_over_several),
                                       cmocka_unit_test(test_rotation_in_another_boot),
                                       cmocka_unit_test(test_outdated),
                                       cmocka_unit_test(test_outdated_in_another_boot),
                                       cmocka_unit_test(test_outdated_over_several),
                                       cmocka_unit_test(test_use_is_never_earlier),
                                       cmocka_unit_test(test_meanings),
                                       cmocka_unit_test(test_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
