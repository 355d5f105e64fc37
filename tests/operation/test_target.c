/* SPDX-License-Identifier: ISC */
/* test_target.c: a session that was begun for some audiences gets access tokens for those or a part
 * of them, and never for others (RFC 8707 section 2.2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "operation/preview.h"
#include "operation/world.h"
#include "token/layout.h"

#define A     "https://a.example"
#define B     "https://b.example"
#define C     "https://c.example"
#define USUAL "api"

static int set_up(void **state)
{
    int result = world_set_up(state);
    struct world *w = *state;

    strcpy(w->realm.targets, A " " B " " C);
    return result;
}

#define TARGET_CASE(test) cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)

/* A session of ada's, begun by password for these. */
static struct answer begin(struct world *w, const char *targets)
{
    struct world_ask ask = {.mount = &w->mount,
                            .no_bearer = true,
                            .username_given = true,
                            .username = TEXT("ada"),
                            .password_given = true,
                            .password = TEXT("correct horse")};
    struct request request = world_request(&w->issuer, &ask, w->arena);

    request.targets = text_of(targets);
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_string_equal(world_record(w, request.answer.session).targets, targets);
    return request.answer;
}

static enum outcome renew(struct world *w, struct text token, const char *targets,
                          struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount, .refresh_token = token};
    struct request request = world_request(&w->issuer, &ask, w->arena);
    enum outcome outcome;

    request.targets = text_of(targets);
    outcome = operation_run(&request);
    *answer = request.answer;
    return outcome;
}

static void assert_audience(struct world *w, struct text access_token, const char *expected)
{
    char *aud = json_dumps(json_object_get(world_payload(w, access_token), "aud"), JSON_ENCODE_ANY);

    assert_string_equal(aud, expected);
    free(aud);
}

/* Each refusal spends nothing, and no choice narrows the session. */
static void test_a_part_of_what_was_granted(void **state)
{
    static const struct {
        const char *asked, *aud; /* NULL: refused */
    } rows[] = {
        {"", "[\"" A "\", \"" B "\"]"},
        {B, "\"" B "\""},
        {C, NULL},
        {USUAL, NULL},
        {A " " C, NULL},
        {B " " A, "[\"" B "\", \"" A "\"]"},
        {A, "\"" A "\""},
        {"", "[\"" A "\", \"" B "\"]"},
    };
    struct world *w = *state;
    struct answer first = begin(w, A " " B), answer;
    struct text token = first.refresh_token;

    assert_audience(w, first.access_token, rows[0].aud);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t before = world_record(w, first.session).generation;

        print_message("row %zu\n", i);
        if (rows[i].aud == NULL) {
            assert_int_equal(renew(w, token, rows[i].asked, &answer), OUTCOME_TARGET_INVALID);
            assert_int_equal(world_record(w, first.session).generation, before);
            continue;
        }
        assert_int_equal(renew(w, token, rows[i].asked, &answer), OUTCOME_ROTATED);
        assert_audience(w, answer.access_token, rows[i].aud);
        assert_string_equal(world_record(w, first.session).targets, A " " B);
        /* inside the window as well */
        assert_int_equal(renew(w, token, C, &answer), OUTCOME_TARGET_INVALID);
        assert_int_equal(renew(w, token, rows[i].asked, &answer), OUTCOME_REPLAYED);
        assert_audience(w, answer.access_token, rows[i].aud);
        token = answer.refresh_token;
    }
}

/* One that was begun for none in particular may ask for each, and that limits nothing. */
static void test_one_that_is_not_limited(void **state)
{
    struct world *w = *state;
    struct answer answer = begin(w, "");

    assert_audience(w, answer.access_token, "\"" USUAL "\"");
    assert_int_equal(renew(w, answer.refresh_token, C, &answer), OUTCOME_ROTATED);
    assert_audience(w, answer.access_token, "\"" C "\"");
    assert_int_equal(renew(w, answer.refresh_token, A, &answer), OUTCOME_ROTATED);
    assert_int_equal(renew(w, answer.refresh_token, "", &answer), OUTCOME_ROTATED);
    assert_audience(w, answer.access_token, "\"" USUAL "\"");
}

static enum outcome preview(struct world *w, struct text token)
{
    static struct preview seen;

    return preview_token(&w->issuer, &w->mount, token, false, w->arena, &seen, &w->fault);
}

/* What the realm has no more is not given, and the usual audience not instead of it. */
static void test_what_the_realm_has_no_more(void **state)
{
    struct world *w = *state;
    struct answer answer = begin(w, A " " B), refused;
    struct text token = answer.refresh_token;

    strcpy(w->realm.targets, B " " C);
    assert_int_equal(renew(w, token, "", &answer), OUTCOME_ROTATED);
    assert_audience(w, answer.access_token, "\"" B "\"");
    token = answer.refresh_token;
    strcpy(w->realm.targets, C);
    assert_int_equal(preview(w, token), OUTCOME_TARGET_INVALID);
    assert_int_equal(renew(w, token, "", &refused), OUTCOME_TARGET_INVALID);
    assert_int_equal(world_record(w, answer.session).generation, 1);
    strcpy(w->realm.targets, A);
    assert_int_equal(preview(w, token), OUTCOME_ROTATED);
    assert_int_equal(renew(w, token, "", &answer), OUTCOME_ROTATED);
    assert_audience(w, answer.access_token, "\"" A "\"");
}

/* Another dialect of the realm, whose tokens name one audience or none: a token that says less
 * might be taken for one that may go anywhere. */
static void test_tokens_that_cannot_say_it(void **state)
{
    struct world *w = *state;
    struct layout layout = *w->realm.policy.layout;
    struct answer limited = begin(w, A), usual = begin(w, USUAL " " A), answer;

    w->realm.policy.layout = &layout;
    layout.says_targets = false;
    assert_int_equal(renew(w, limited.refresh_token, "", &answer), OUTCOME_TARGET_INVALID);
    assert_int_equal(renew(w, usual.refresh_token, "", &answer), OUTCOME_ROTATED);
    assert_audience(w, answer.access_token, "\"" USUAL "\"");
    layout.says_audience = false;
    assert_int_equal(renew(w, answer.refresh_token, "", &answer), OUTCOME_TARGET_INVALID);
    answer = begin(w, "");
    assert_int_equal(renew(w, answer.refresh_token, "", &answer), OUTCOME_ROTATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TARGET_CASE(test_a_part_of_what_was_granted),
        TARGET_CASE(test_one_that_is_not_limited),
        TARGET_CASE(test_what_the_realm_has_no_more),
        TARGET_CASE(test_tokens_that_cannot_say_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
