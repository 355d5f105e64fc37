/* SPDX-License-Identifier: ISC */
/* test_hook.c: what a hook's answers do to tokens, and what holds where none comes. The hook is a
 * function here; over sockets: tests/e2e/test_hook.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "operation/hook.h"
#include "operation/world.h"

/* A hook and how it answers now. */
struct stage {
    struct hook_settings settings;
    const char *answer; /* NULL: none comes */
    unsigned asked;
    char body[4096]; /* of the last question */
    void (*meanwhile)(struct stage *stage);
    struct world *world;
    struct text token; /* for `meanwhile` */
};

static bool answer(void *self, const struct hook_settings *hook, struct text body,
                   struct arena *arena, struct text *text, struct fault *fault)
{
    struct stage *stage = self;
    void (*meanwhile)(struct stage *) = stage->meanwhile;

    assert_ptr_equal(hook, &stage->settings);
    stage->asked++;
    assert_true(text_copy(body, stage->body, sizeof stage->body));
    if (meanwhile != NULL) {
        stage->meanwhile = NULL;
        meanwhile(stage);
    }
    if (stage->answer == NULL) {
        fault_set(fault, "no answer");
        return false;
    }
    return arena_copy(arena, text_of(stage->answer), text);
}

/* The world's realm asks a hook from now on. */
static struct stage *with_hook(struct world *w)
{
    static struct stage stage;

    stage = (struct stage){.settings = {.name = "users",
                                        .timeout_ms = 200,
                                        .cache_ms = CLOCK_MINUTE,
                                        .on_fault = HOOK_ON_FAULT_LAST,
                                        .last_for_ms = CLOCK_HOUR,
                                        .calls = 2},
                           .answer = "{}",
                           .world = w};
    hook_close(w->issuer.hooks);
    w->issuer.hooks = hook_open(&stage.settings, 1, &w->issuer.randomness, answer, &stage);
    assert_non_null(w->issuer.hooks);
    w->realm.hook = &stage.settings;
    return &stage;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    hook_close(w->issuer.hooks);
    return world_tear_down(state);
}

static struct text roles_of(struct world *w, struct text token)
{
    struct buffer buffer;

    buffer_start(&buffer, w->arena, 64);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    json_out_value(&out, json_object_get(world_payload(w, token), "roles"));
    return buffer_text(&buffer);
}

static void test_roles_come_from_the_hook(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct stage *stage = with_hook(w);
    struct answer got;

    stage->answer = "{\"roles\":[\"a\",\"b\"],\"claims\":{\"email\":\"x@example.org\"}}";
    assert_int_equal(world_present(w, &w->mount, first, &got), OUTCOME_ROTATED);
    assert_string_equal(roles_of(w, got.access_token).data, "[\"a\",\"b\"]");
    assert_true(text_is(got.roles, "a b"));
    assert_string_equal(json_string_value(json_object_get(got.claims, "email")), "x@example.org");
    assert_non_null(strstr(stage->body, "\"account\":\"ada\""));
    assert_non_null(strstr(stage->body, "\"generation\":1"));
    assert_null(strstr(stage->body, first.data));
}

/* What the account's own claims say stays, unless the hook says otherwise; null takes away. */
static void test_claims_lie_over_the_accounts(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct stage *stage = with_hook(w);
    struct account before = w->ada;
    struct answer got;

    strcpy(w->ada.claims, "{\"email\":\"old\",\"given_name\":\"Ada\",\"phone\":\"1\"}");
    assert_int_equal(store_account_update(w->store, &before, &w->ada, &w->fault), STORE_OK);
    stage->answer = "{\"claims\":{\"email\":\"new\",\"phone\":null}}";
    assert_int_equal(world_present(w, &w->mount, first, &got), OUTCOME_ROTATED);
    assert_string_equal(json_string_value(json_object_get(got.claims, "email")), "new");
    assert_string_equal(json_string_value(json_object_get(got.claims, "given_name")), "Ada");
    assert_null(json_object_get(got.claims, "phone"));
}

/* The same request again gets the same token, though the hook has changed its mind. */
static void test_a_replay_says_the_same(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct stage *stage = with_hook(w);
    struct answer rotated, again;

    stage->settings.cache_ms = 0;
    stage->answer = "{\"roles\":[\"before\"]}";
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    stage->answer = "{\"roles\":[\"after\"]}";
    w->now_ms += 59 * CLOCK_SECOND;
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(rotated.access_token, again.access_token));
    assert_int_equal(stage->asked, 1);
    assert_int_equal(world_present(w, &w->mount, rotated.refresh_token, &again), OUTCOME_ROTATED);
    assert_string_equal(roles_of(w, again.access_token).data, "[\"after\"]");
}

/* Another process does not know what was said: its token is another one. */
static void test_another_answer_is_another_token(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct stage *stage = with_hook(w);
    struct answer rotated, again;
    const char *one, *other;

    stage->answer = "{\"roles\":[\"before\"]}";
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    stage = with_hook(w);
    stage->answer = "{\"roles\":[\"after\"]}";
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    one = json_string_value(json_object_get(world_payload(w, rotated.access_token), "jti"));
    other = json_string_value(json_object_get(world_payload(w, again.access_token), "jti"));
    assert_string_not_equal(one, other);
    stage = with_hook(w);
    stage->answer = "{\"roles\":[\"before\"]}";
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(rotated.access_token, again.access_token));
}

static void present_meanwhile(struct stage *stage)
{
    struct answer answer;

    stage->answer = "{\"roles\":[\"winner\"]}";
    assert_int_equal(world_present(stage->world, &stage->world->mount, stage->token, &answer),
                     OUTCOME_ROTATED);
    stage->answer = "{\"roles\":[\"loser\"]}";
}

/* Two requests with one token ask at a time: both get what the first was told. */
static void test_a_race_has_one_answer(void **state)
{
    struct world *w = *state;
    struct stage *stage = with_hook(w);
    struct answer got;

    stage->token = world_session(w, "", NULL);
    stage->asked = 0;
    stage->settings.cache_ms = 0;
    stage->meanwhile = present_meanwhile;
    assert_int_equal(world_present(w, &w->mount, stage->token, &got), OUTCOME_REPLAYED);
    assert_string_equal(roles_of(w, got.access_token).data, "[\"winner\"]");
}

static void test_a_refusal_spends_nothing(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct stage *stage = with_hook(w);
    struct event events[4];
    struct answer got;
    size_t count;

    stage->settings.cache_ms = 0;
    stage->answer = "{\"refuse\":\"left the company\"}";
    assert_int_equal(world_present(w, &w->mount, first, &got), OUTCOME_ACCOUNT_REFUSED);
    assert_int_equal(got.access_token.size, 0);
    assert_int_equal(world_record(w, got.session).generation, 0);
    assert_int_equal(store_event_list(w->store, got.session, 0, events, 4, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(events[0].kind, EVENT_HOOK_REFUSED);
    assert_string_equal(events[0].cause, "users");
    assert_string_equal(events[0].note, "left the company");
    assert_int_equal(events[0].account, w->ada.number);
    stage->answer = "{}";
    assert_int_equal(world_present(w, &w->mount, first, &got), OUTCOME_ROTATED);
}

static void test_a_login_asks_too(void **state)
{
    struct world *w = *state;
    struct stage *stage = with_hook(w);
    struct world_ask ask = {.mount = &w->mount,
                            .no_bearer = true,
                            .username = TEXT("ada"),
                            .password_given = true,
                            .password = TEXT("correct horse")};
    struct answer got;

    stage->answer = "{\"refuse\":\"not today\"}";
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &got, &w->fault),
                     OUTCOME_ACCOUNT_REFUSED);
    ask.password = TEXT("wrong horse"); /* a stranger has no hook asked */
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &got, &w->fault),
                     OUTCOME_CREDENTIALS_WRONG);
    assert_int_equal(stage->asked, 1);
    w->now_ms += CLOCK_HOUR;
    stage->answer = "{\"roles\":[\"guest\"]}";
    ask.password = TEXT("correct horse");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &got, &w->fault), OUTCOME_ROTATED);
    assert_string_equal(roles_of(w, got.access_token).data, "[\"guest\"]");
}

/* An answer holds for `cache`, for all sessions of the account, until the account changes. */
static void test_answers_are_remembered(void **state)
{
    struct world *w = *state;
    struct text one = world_session(w, "", NULL), other = world_session(w, "", NULL);
    struct stage *stage = with_hook(w);
    struct account before = w->ada;
    struct answer got;

    assert_int_equal(world_present(w, &w->mount, one, &got), OUTCOME_ROTATED);
    assert_int_equal(world_present(w, &w->mount, other, &got), OUTCOME_ROTATED);
    assert_int_equal(stage->asked, 1);
    strcpy(w->ada.roles, "other");
    assert_int_equal(store_account_update(w->store, &before, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount, got.refresh_token, &got), OUTCOME_ROTATED);
    assert_int_equal(stage->asked, 2);
    w->now_ms += CLOCK_MINUTE + 1;
    assert_int_equal(world_present(w, &w->mount, got.refresh_token, &got), OUTCOME_ROTATED);
    assert_int_equal(stage->asked, 3);
    w->now_ms -= CLOCK_HOUR; /* a clock that was wrong proves no age */
    assert_int_equal(world_present(w, &w->mount, got.refresh_token, &got), OUTCOME_ROTATED);
    assert_int_equal(stage->asked, 4);
}

static void test_the_last_answer_holds(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL), next;
    struct stage *stage = with_hook(w);
    struct event events[4];
    struct answer got;
    size_t count;

    stage->answer = NULL;
    assert_int_equal(world_present(w, &w->mount, first, &got), OUTCOME_FAULT);
    assert_string_equal(w->fault.text, "hook users: no answer");
    assert_int_equal(world_record(w, got.session).generation, 0);
    stage->answer = "{\"roles\":[\"known\"]}";
    assert_int_equal(world_present(w, &w->mount, first, &got), OUTCOME_ROTATED);
    stage->answer = NULL;
    w->now_ms += 59 * CLOCK_MINUTE;
    assert_int_equal(world_present(w, &w->mount, got.refresh_token, &got), OUTCOME_ROTATED);
    assert_string_equal(roles_of(w, got.access_token).data, "[\"known\"]");
    assert_int_equal(store_event_list(w->store, got.session, 0, events, 4, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(count, 2); /* one a minute at most */
    assert_int_equal(events[0].kind, EVENT_HOOK_FAULT);
    assert_string_equal(events[0].note, "hook users: no answer; its answer of 3540 s ago holds");
    next = got.refresh_token;
    w->now_ms += CLOCK_MINUTE + 1;
    assert_int_equal(world_present(w, &w->mount, next, &got), OUTCOME_FAULT);
    stage->settings.on_fault = HOOK_ON_FAULT_REFUSE;
    w->now_ms -= 30 * CLOCK_MINUTE;
    assert_int_equal(world_present(w, &w->mount, next, &got), OUTCOME_FAULT);
}

static void present_another(struct stage *stage)
{
    struct answer got;

    assert_int_equal(world_present(stage->world, &stage->world->mount, stage->token, &got),
                     OUTCOME_BUSY);
}

/* Beyond `calls` at a time the rule for faults holds at once. */
static void test_few_are_asked_at_a_time(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL), second = world_session(w, "", "b");
    struct stage *stage = with_hook(w);
    struct answer got;

    stage->settings.calls = 1;
    stage->token = second;
    stage->meanwhile = present_another;
    assert_int_equal(world_present(w, &w->mount, first, &got), OUTCOME_ROTATED);
    assert_int_equal(stage->asked, 1);
}

static void test_wrong_answers_are_faults(void **state)
{
    static const struct {
        const char *answer, *wrong;
    } rows[] = {
        {"", "JSON, line 1 column 0: ends too early"},
        {"[]", "JSON: not an object"},
        {"{\"role\":[]}", "\"role\" is none of claims, roles and refuse"},
        {"{\"refuse\":\"x\",\"roles\":[]}", "\"refuse\" and more"},
        {"{\"refuse\":true}", "\"refuse\" is no string, or has control characters"},
        {"{\"refuse\":\"a\\nb\"}", "\"refuse\" is no string, or has control characters"},
        {"{\"claims\":[]}", "\"claims\" is no object"},
        {"{\"claims\":{\"sub\":\"eve\"}}", "claim \"sub\" is not a hook's to set"},
        {"{\"claims\":{\"exp\":1}}", "claim \"exp\" is not a hook's to set"},
        {"{\"claims\":{\"iss\":null}}", "claim \"iss\" is not a hook's to set"},
        {"{\"claims\":{\"client_id\":\"x\"}}", "claim \"client_id\" is not a hook's to set"},
        {"{\"claims\":{\"scope\":\"x\"}}", "claim \"scope\" is not a hook's to set"},
        {"{\"claims\":{\"cnf\":{}}}", "claim \"cnf\" is not a hook's to set"},
        {"{\"roles\":\"a\"}",
         "\"roles\" is no array of words of visible ASCII, 512 bytes together"},
        {"{\"roles\":[\"a b\"]}",
         "\"roles\" is no array of words of visible ASCII, 512 bytes together"},
        {"{\"roles\":[1]}", "\"roles\" is no array of words of visible ASCII, 512 bytes together"},
    };
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct stage *stage = with_hook(w);
    struct answer got;
    char wrong[200];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        stage->answer = rows[i].answer;
        assert_int_equal(world_present(w, &w->mount, first, &got), OUTCOME_FAULT);
        snprintf(wrong, sizeof wrong, "hook users: its answer: %s", rows[i].wrong);
        assert_string_equal(w->fault.text, wrong);
    }
    assert_int_equal(world_record(w, got.session).generation, 0);
}

int main(void)
{
#define HOOKED(test) cmocka_unit_test_setup_teardown(test, world_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        HOOKED(test_roles_come_from_the_hook), HOOKED(test_claims_lie_over_the_accounts),
        HOOKED(test_a_replay_says_the_same),   HOOKED(test_another_answer_is_another_token),
        HOOKED(test_a_race_has_one_answer),    HOOKED(test_a_refusal_spends_nothing),
        HOOKED(test_a_login_asks_too),         HOOKED(test_answers_are_remembered),
        HOOKED(test_the_last_answer_holds),    HOOKED(test_few_are_asked_at_a_time),
        HOOKED(test_wrong_answers_are_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
