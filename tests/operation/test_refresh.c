/* SPDX-License-Identifier: ISC */
/* test_refresh.c: the operation over a memory store, with the clock in hand. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "operation/password.h"
#include "operation/world.h"
#include "token/layout.h"
#include "token/refresh_token.h"

static void test_rotation_and_replay(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer rotated, again, next;

    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    assert_false(text_equal(first, rotated.refresh_token));
    assert_int_equal(rotated.expires_in_s, 3600);
    w->now_ms += 30 * CLOCK_SECOND;
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    /* HS256 is deterministic: the same claims make the same string */
    assert_true(text_equal(again.access_token, rotated.access_token));
    assert_true(text_equal(again.refresh_token, rotated.refresh_token));
    assert_int_equal(again.expires_in_s, 3570);
    assert_int_equal(world_present(w, &w->mount, rotated.refresh_token, &next), OUTCOME_ROTATED);
    assert_int_equal(world_record(w, next.session).generation, 2);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_record(w, next.session).end, SESSION_ENDED_REUSE);
    assert_int_equal(world_present(w, &w->mount, next.refresh_token, &again),
                     OUTCOME_TOKEN_REVOKED);
    assert_int_equal(again.access_token.size, 0);
}

static void test_reuse_after_window_is_recorded(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer answer;
    struct event events[4];
    size_t count;

    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_ROTATED);
    w->now_ms += 60 * CLOCK_SECOND + 1;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_TOKEN_REUSED);
    assert_int_equal(store_event_list(w->store, answer.session, 0, events, 4, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(events[0].kind, EVENT_REUSE);
    assert_int_equal(events[0].at_ms, w->now_ms);
    assert_int_equal(events[0].spent_ago_ms, 60 * CLOCK_SECOND + 1);
    assert_int_equal(events[0].network, EVENT_NETWORK_UNKNOWN);
}

/* Did it come from where the session was renewed last? */
static void test_reuse_tells_the_network(void **state)
{
    static const struct {
        const char *address;
        enum event_network network;
    } rows[] = {{"192.0.2.7", EVENT_NETWORK_SAME},
                {"192.0.2.8", EVENT_NETWORK_OTHER},
                {"", EVENT_NETWORK_UNKNOWN}};

    struct world *w = *state;

    for (size_t i = 0; i < 3; i++) {
        struct text first = world_session(w, "", NULL);
        struct world_ask ask = {.mount = &w->mount, .refresh_token = first};
        struct request request = world_request(&w->issuer, &ask, w->arena);
        struct event event;
        size_t count;

        request.network = http_network_of(TEXT("192.0.2.7"));
        assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
        w->now_ms += CLOCK_HOUR;
        request = world_request(&w->issuer, &ask, w->arena);
        request.network = http_network_of(text_of(rows[i].address));
        assert_int_equal(operation_run(&request), OUTCOME_TOKEN_REUSED);
        assert_int_equal(
            store_event_list(w->store, request.answer.session, 0, &event, 1, &count, &w->fault),
            STORE_OK);
        assert_int_equal(event.network, rows[i].network);
        assert_int_equal(event.spent_ago_ms, CLOCK_HOUR);
    }
}

static void test_report_only(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer rotated, answer;

    w->realm.policy.report_only = true;
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_present(w, &w->mount, rotated.refresh_token, &answer), OUTCOME_ROTATED);
}

/* The successor's access token may be shorter-lived than the window: a replay is never stale. */
static void test_replay_of_expired_access_token(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer answer;

    w->realm.policy.access_lifetime_ms = 10 * CLOCK_SECOND;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_ROTATED);
    w->now_ms += 30 * CLOCK_SECOND;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_REPLAYED);
    assert_int_equal(answer.expires_in_s, 10);
}

/* Up to a tenth shorter, otherwise for each session and generation, and the same when it is
 * answered again. */
static void test_jittered_lifetimes(void **state)
{
    enum { SESSIONS = 64, LIFE_S = 3600 };
    struct world *w = *state;
    struct answer answer, again, next;
    int64_t shortest = LIFE_S, longest = 0;
    int moved = 0;

    w->realm.policy.access_jitter = true;
    for (int i = 0; i < SESSIONS; i++) {
        struct text first = world_session(w, "", NULL);

        assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_ROTATED);
        json_t *payload = world_payload(w, answer.access_token);
        assert_int_equal(json_integer_value(json_object_get(payload, "exp")) -
                             json_integer_value(json_object_get(payload, "iat")),
                         answer.expires_in_s);
        assert_in_range(answer.expires_in_s, LIFE_S - LIFE_S / 10, LIFE_S);
        shortest = answer.expires_in_s < shortest ? answer.expires_in_s : shortest;
        longest = answer.expires_in_s > longest ? answer.expires_in_s : longest;
        assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
        assert_true(text_equal(again.access_token, answer.access_token));
        assert_int_equal(world_present(w, &w->mount, answer.refresh_token, &next), OUTCOME_ROTATED);
        moved += next.expires_in_s != answer.expires_in_s;
    }
    assert_true(longest - shortest > LIFE_S / 20);
    assert_true(moved > SESSIONS / 2);
}

/* One that is over by its own end is not answered again, even before the policy's time is. */
static void test_replay_of_jittered_access_token(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer answer, again;

    w->realm.policy.access_lifetime_ms = 30 * CLOCK_SECOND;
    w->realm.policy.access_jitter = true;
    do {
        first = world_session(w, "", NULL);
        assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_ROTATED);
    } while (answer.expires_in_s == 30);
    w->now_ms += answer.expires_in_s * CLOCK_SECOND;
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    assert_int_equal(again.expires_in_s, answer.expires_in_s);
}

static void test_recovery(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer rotated, late;

    w->realm.policy.recovery_window_ms = CLOCK_DAY;
    w->realm.policy.recovery_evidence = RECOVERY_EVIDENCE_NONE;
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    w->now_ms += 2 * CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, first, &late), OUTCOME_RECOVERED);
    assert_true(text_equal(late.refresh_token, rotated.refresh_token));
    assert_int_equal(late.expires_in_s, 3600); /* a fresh access token */
    assert_int_equal(world_record(w, late.session).generation, 1);
    w->realm.policy.recovery_evidence = RECOVERY_EVIDENCE_CLIENT;
    assert_int_equal(world_present(w, &w->mount, first, &late), OUTCOME_TOKEN_REUSED);
}

static void test_strangers_spend_nothing(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct realm realm = w->realm;
    struct mount other = {.realm = &realm};
    struct world_ask ask = {.mount = &w->mount, .refresh_token = first};
    struct answer answer;

    strcpy(realm.name, "/elsewhere");
    assert_int_equal(world_present(w, &other, first, &answer), OUTCOME_WRONG_REALM);
    ask.username_given = true;
    ask.username = TEXT("eve");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_WRONG_USER);
    ask.username = TEXT("ada");
    ask.access_token_given = true;
    ask.access_token = TEXT("x.y.z");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_WRONG_ACCESS_TOKEN);
    assert_int_equal(world_present(w, &w->mount, TEXT("not-a-token"), &answer),
                     OUTCOME_TOKEN_INVALID);
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_ROTATED);
}

static void test_access_token_of_the_session(void **state)
{
    struct world *w = *state;
    struct answer mine, other;
    struct world_ask ask = {.mount = &w->mount, .access_token_given = true};
    struct answer answer;

    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &mine),
                     OUTCOME_ROTATED);
    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &other),
                     OUTCOME_ROTATED);
    ask.refresh_token = mine.refresh_token;
    ask.access_token = other.access_token;
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_WRONG_ACCESS_TOKEN);
    w->now_ms += CLOCK_DAY; /* expired long since: that is why the client is here */
    ask.access_token = mine.access_token;
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_ROTATED);
}

static void test_scope(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", "read write admin");
    struct world_ask ask = {.mount = &w->mount, .refresh_token = token, .scope_given = true};
    struct answer answer;

    ask.scope = TEXT("read delete");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_SCOPE_INVALID);
    ask.scope = TEXT("admin read");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_ROTATED);
    assert_true(answer.scope_narrowed);
    assert_string_equal(
        json_string_value(json_object_get(world_payload(w, answer.access_token), "scope")),
        "read admin");
    /* narrowed once, whole again when omitted (RFC 6749 section 6) */
    assert_int_equal(world_present(w, &w->mount, answer.refresh_token, &answer), OUTCOME_ROTATED);
    assert_true(text_is(answer.scope, "read write admin"));
    w->realm.policy.scope_rule = SCOPE_EXACT;
    ask.refresh_token = answer.refresh_token;
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_SCOPE_INVALID);
    ask.scope = TEXT("read write admin");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_ROTATED);
    ask.refresh_token = answer.refresh_token;
    ask.scope = TEXT(" admin  write\tread admin\n");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_ROTATED);
    assert_true(text_is(answer.scope, "read write admin"));
}

/* A scope is granted in one form, however it is spelled. */
/* What a request chooses is in its access token alone, and two that differ have two names. */
static void test_chosen_audience_and_scope(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", "read write");
    struct world_ask ask = {.mount = &w->mount, .refresh_token = first};
    const struct {
        const char *targets, *scope, *aud;
    } rows[] = {{"", "", "\"api\""},
                {"https://a.example", "", "\"https://a.example\""},
                {"https://a.example https://b.example", "",
                 "[\"https://a.example\", \"https://b.example\"]"},
                {"", "read", "\"api\""}};
    const char *names[sizeof rows / sizeof rows[0]];
    struct text next = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask.scope = text_of(rows[i].scope);
        ask.scope_given = ask.scope.size > 0;
        for (int again = 0; again < 2; again++) {
            struct request request = world_request(&w->issuer, &ask, w->arena);

            request.targets = text_of(rows[i].targets);
            assert_int_equal(operation_run(&request),
                             i + (size_t)again == 0 ? OUTCOME_ROTATED : OUTCOME_REPLAYED);
            json_t *payload = world_payload(w, request.answer.access_token);
            char *aud = json_dumps(json_object_get(payload, "aud"), JSON_ENCODE_ANY);
            assert_string_equal(aud, rows[i].aud);
            free(aud);
            const char *jti = json_string_value(json_object_get(payload, "jti"));
            assert_true(again == 0 || strcmp(jti, names[i]) == 0);
            names[i] = jti;
            assert_true(next.size == 0 || text_equal(next, request.answer.refresh_token));
            next = request.answer.refresh_token;
        }
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(names[k], names[i]);
        }
    }
    ask = (struct world_ask){.mount = &w->mount, .refresh_token = next};
    struct request whole = world_request(&w->issuer, &ask, w->arena);
    assert_int_equal(operation_run(&whole), OUTCOME_ROTATED);
    json_t *payload = world_payload(w, whole.answer.access_token);
    assert_string_equal(json_string_value(json_object_get(payload, "aud")), "api");
    assert_string_equal(json_string_value(json_object_get(payload, "scope")), "read write");
}

static void test_scope_is_kept_in_one_form(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", "  write read\twrite ");
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = token,
                            .scope_given = true,
                            .scope = TEXT("read read  write read")};
    struct answer answer;

    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_ROTATED);
    assert_false(answer.scope_narrowed);
    assert_true(text_is(answer.scope, "write read"));
    assert_string_equal(
        json_string_value(json_object_get(world_payload(w, answer.access_token), "scope")),
        "write read");
}

static enum outcome present_several(struct world *w, const struct text *tokens, size_t count,
                                    struct answer *answer)
{
    struct world_ask ask = {.mount = &w->mount,
                            .refresh_token = tokens[0],
                            .candidates = tokens,
                            .candidate_count = count};

    return world_run(&w->issuer, &ask, w->arena, answer, &w->fault);
}

/* Cookies of one name: what another server or an older login has left harms nothing. */
static void test_one_of_several_tokens(void **state)
{
    enum { FIRST, SECOND, GARBAGE, ENDED, OTHER, TOKENS };
    struct world *w = *state;
    struct text tokens[TOKENS];
    struct text garbage[20];
    struct answer answer, ended;

    tokens[ENDED] = world_session(w, "", NULL);
    assert_int_equal(world_present(w, &w->mount, tokens[ENDED], &ended), OUTCOME_ROTATED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, tokens[ENDED], &answer), OUTCOME_TOKEN_REUSED);
    tokens[FIRST] = world_session(w, "", NULL);
    assert_int_equal(world_present(w, &w->mount, tokens[FIRST], &answer), OUTCOME_ROTATED);
    tokens[SECOND] = answer.refresh_token;
    tokens[GARBAGE] = TEXT("stale-of-another-server");
    /* the newest, in any order, and the older one, in its window or past it, ends nothing */
    assert_int_equal(present_several(w, tokens, 4, &answer), OUTCOME_ROTATED);
    tokens[FIRST] = tokens[SECOND];
    tokens[SECOND] = answer.refresh_token;
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(present_several(w, tokens, 4, &answer), OUTCOME_ROTATED);
    tokens[FIRST] = answer.refresh_token;
    assert_int_equal(present_several(w, tokens, 4, &answer), OUTCOME_ROTATED);
    tokens[FIRST] = answer.refresh_token;
    /* any number of strange ones in front */
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        garbage[i] = i == 19 ? tokens[FIRST] : text_cut(TEXT("abcdefghijklmnopqrstuvw"), i + 3);
    }
    assert_int_equal(present_several(w, garbage, 20, &answer), OUTCOME_ROTATED);
    tokens[FIRST] = answer.refresh_token;
    /* none is good: what is known is said */
    assert_int_equal(present_several(w, tokens + GARBAGE, 2, &answer), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(present_several(w, garbage, 2, &answer), OUTCOME_TOKEN_INVALID);
    /* two logins: neither is chosen, neither is spent */
    tokens[OTHER] = world_session(w, "", NULL);
    tokens[SECOND] = tokens[OTHER];
    assert_int_equal(present_several(w, tokens, 3, &answer), OUTCOME_PARAMETER_REPEATED);
    assert_int_equal(world_present(w, &w->mount, tokens[OTHER], &answer), OUTCOME_ROTATED);
    assert_int_equal(world_present(w, &w->mount, tokens[FIRST], &answer), OUTCOME_ROTATED);
}

/* A cookie with __Host- wins over one that another host may have set, but not when it is dead: the
 * user has logged in again. */
static void test_preferred_token(void **state)
{
    struct world *w = *state;
    struct text tokens[] = {world_session(w, "", NULL), world_session(w, "", NULL)};
    struct world_ask ask = {
        .mount = &w->mount, .refresh_token = tokens[0], .candidates = tokens, .candidate_count = 2};
    struct request request = world_request(&w->issuer, &ask, w->arena);
    struct answer answer;

    request.input.refresh.preferred_count = 1;
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_int_equal(world_present(w, &w->mount, tokens[0], &answer), OUTCOME_REPLAYED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, tokens[0], &answer), OUTCOME_TOKEN_REUSED);
    request = world_request(&w->issuer, &ask, w->arena);
    request.input.refresh.preferred_count = 1;
    assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
    assert_int_equal(world_present(w, &w->mount, tokens[1], &answer), OUTCOME_REPLAYED);
}

static void test_accounts(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct answer answer;

    w->ada.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ACCOUNT_DISABLED);
    w->ada.enabled = true;
    strcpy(w->ada.roles, "viewer");
    assert_int_equal(store_account_update(w->store, NULL, &w->ada, &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    assert_true(text_is(answer.roles, "viewer")); /* claims come from the account as it is now */
    assert_int_equal(store_account_remove(w->store, "ada", &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount, answer.refresh_token, &answer),
                     OUTCOME_ACCOUNT_GONE);
}

/* A grant is what was written, not what was about to be: a lost race and a session that was removed
 * meanwhile are read again, and a fault is one. */
static void test_nothing_is_granted_unwritten(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct world_ask ask = {.mount = &w->mount, .refresh_token = token};
    struct request request = world_request(&w->issuer, &ask, w->arena);
    enum outcome outcome;
    struct answer answer;

    assert_true(request.operation->begin(&request));
    assert_non_null(request.operation->step(&request, &outcome));
    request.operation->written(&request, STORE_STALE);
    assert_non_null(request.operation->step(&request, &outcome));
    request.operation->written(&request, STORE_ABSENT);
    assert_non_null(request.operation->step(&request, &outcome));
    request.operation->written(&request, STORE_FAULT);
    assert_null(request.operation->step(&request, &outcome));
    assert_int_equal(outcome, OUTCOME_FAULT);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
}

/* A rotation that waited long for the writer: the window runs from when it was written, so that the
 * client's first retry still finds it open. */
static void test_window_starts_when_written(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer answer;
    struct store_rotation rotation = {.to = 1, .now_ms = w->now_ms};
    uint32_t generation;
    uint8_t secret;

    assert_true(refresh_token_native_open(&w->secrets, first, rotation.id, &generation, &secret));
    w->now_ms += 5 * CLOCK_MINUTE; /* in the queue */
    assert_int_equal(store_session_rotate(w->store, &rotation, &w->fault), STORE_OK);
    w->now_ms += 30 * CLOCK_SECOND;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_REPLAYED);
    w->now_ms += 31 * CLOCK_SECOND;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_TOKEN_REUSED);
}

/* Of one session alone, and of no more than the network: the record tells who renewed last. */
static void test_record_knows_the_network(void **state)
{
    static const uint8_t none[SESSION_NETWORK_SIZE];
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    const char *addresses[] = {"192.0.2.7", "192.0.2.7", "192.0.2.8", ""};
    uint8_t seen[4][SESSION_NETWORK_SIZE];

    for (size_t i = 0; i < 4; i++) {
        struct world_ask ask = {.mount = &w->mount, .refresh_token = token};
        struct request request = world_request(&w->issuer, &ask, w->arena);

        request.network = http_network_of(text_of(addresses[i]));
        assert_int_equal(operation_run(&request), OUTCOME_ROTATED);
        token = request.answer.refresh_token;
        memcpy(seen[i], world_record(w, request.answer.session).network, sizeof seen[i]);
    }
    assert_memory_equal(seen[0], seen[1], sizeof seen[0]);
    assert_memory_not_equal(seen[0], seen[2], sizeof seen[0]);
    assert_memory_not_equal(seen[0], none, sizeof none);
    assert_memory_equal(seen[3], none, sizeof none);
}

/* The world whose next commit takes 61 s, by its wall clock. LMDB calls this in a commit. */
static struct world *stalled;

int fdatasync(int file)
{
    if (stalled != NULL) {
        stalled->now_ms += 61 * CLOCK_SECOND;
        stalled = NULL;
    }
    return (int)syscall(SYS_fdatasync, file);
}

/* The client gave up, and asks again as soon as the disk is back. */
static void test_window_starts_when_durable(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer rotated, answer;

    stalled = w;
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    assert_null(stalled);
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_REPLAYED);
    assert_true(text_equal(answer.refresh_token, rotated.refresh_token));
    assert_int_equal(world_present(w, &w->mount, rotated.refresh_token, &answer), OUTCOME_ROTATED);
}

/* It is judged by a time that is being corrected, so that its end comes too late. */
static void test_reuse_is_judged_again(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct world_ask ask = {.mount = &w->mount, .refresh_token = first};
    struct request request = world_request(&w->issuer, &ask, w->arena);
    struct store_write *write;
    struct answer answer;
    enum outcome outcome;

    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_ROTATED);
    w->now_ms += 61 * CLOCK_SECOND;
    assert_true(request.operation->begin(&request));
    write = request.operation->step(&request, &outcome);
    assert_non_null(write);
    assert_int_equal(outcome, OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_present(w, &w->mount, answer.refresh_token, &answer), OUTCOME_ROTATED);
    assert_int_equal(store_write(w->store, write, &w->fault), STORE_STALE);
    request.operation->written(&request, STORE_STALE);
    write = request.operation->step(&request, &outcome);
    assert_non_null(write);
    assert_int_equal(outcome, OUTCOME_TOKEN_REUSED);
    assert_int_equal(store_write(w->store, write, &w->fault), STORE_OK);
    assert_int_equal(world_record(w, answer.session).end, SESSION_ENDED_REUSE);
}

/* Nobody is logged out by it: the answer is known, and the session ends no sooner than it would. */
static void test_clock_set_far_back(void **state)
{
    struct world *w = *state;
    struct text first;
    struct answer rotated, answer;

    int64_t expires_ms;

    w->realm.policy.idle_lifetime_ms = 400 * (int64_t)CLOCK_DAY;
    first = world_session(w, "", NULL);
    w->now_ms += 365 * (int64_t)CLOCK_DAY; /* somebody's clock was a year ahead */
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    expires_ms = rotated.session_expires_ms;
    w->now_ms -= 300 * (int64_t)CLOCK_DAY;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_REPLAYED);
    assert_true(text_equal(answer.refresh_token, rotated.refresh_token));
    assert_int_equal(world_present(w, &w->mount, rotated.refresh_token, &answer), OUTCOME_ROTATED);
    assert_int_equal(answer.session_expires_ms, expires_ms);
    assert_int_equal(world_record(w, answer.session).expires_ms, expires_ms);
    assert_int_equal(world_present(w, &w->mount, answer.refresh_token, &answer), OUTCOME_ROTATED);
    assert_int_equal(answer.session_expires_ms, expires_ms);
}

/* However often it is renewed, and in a repeated answer, too. */
static void test_end_that_no_renewal_moves(void **state)
{
    struct world *w = *state;
    struct answer rotated, answer;
    struct text first;
    int64_t ends_ms;

    w->realm.policy.absolute_lifetime_ms = 365 * (int64_t)CLOCK_DAY;
    first = world_session(w, "", NULL);
    ends_ms = w->now_ms + w->realm.policy.absolute_lifetime_ms;
    w->now_ms += CLOCK_DAY;
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    assert_int_equal(rotated.session_ends_ms, ends_ms);
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_REPLAYED);
    assert_int_equal(answer.session_ends_ms, ends_ms);
}

/* Sixty-one seconds forward, a second after the rotation: the time since boot knows better. */
static void test_clock_set_forward(void **state)
{
    struct world *w = *state;
    struct text first;
    struct answer rotated, answer;

    w->boot = (struct clock_moment){.boot = 5, .boot_ms = 1000};
    first = world_session(w, "", NULL);
    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    w->now_ms += 62 * CLOCK_SECOND;
    w->boot.boot_ms += CLOCK_SECOND;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_REPLAYED);
    assert_true(text_equal(answer.refresh_token, rotated.refresh_token));
    w->boot.boot_ms += CLOCK_MINUTE;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_TOKEN_REUSED);
}

static void add_client(struct world *w, struct client *client)
{
    assert_int_equal(store_client_add(w->store, client, &w->fault), STORE_OK);
}

/* What a client has of its own counts for its sessions and for nobody else's. */
static void test_override_of_a_client(void **state)
{
    struct world *w = *state;
    struct client tool = {.enabled = true,
                          .id = "tool",
                          .override = {.set = POLICY_ROTATION | POLICY_ACCESS_LIFETIME,
                                       .rotate = false,
                                       .access_lifetime_ms = 5 * CLOCK_MINUTE}};
    struct answer answer;
    struct text token;

    add_client(w, &tool);
    token = world_session(w, "tool", NULL);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_RENEWED);
    assert_int_equal(answer.expires_in_s, 300);
    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &answer),
                     OUTCOME_ROTATED);
    assert_int_equal(answer.expires_in_s, 3600);
}

/* Where the mount leaves it to the clients which pages may ask. */
static void test_origins_of_a_client(void **state)
{
    static const struct {
        const char *client;
        const char *origin;
        enum outcome outcome;
    } rows[] = {
        {"spa", "https://app.example.org", OUTCOME_ROTATED},
        {"spa", "https://two.example.org", OUTCOME_ROTATED},
        {"spa", "https://app.example.or", OUTCOME_PAGE_FOREIGN},
        {"other", "https://app.example.org", OUTCOME_PAGE_FOREIGN},
        {"gone", "https://app.example.org", OUTCOME_PAGE_FOREIGN},
        {"", "https://app.example.org", OUTCOME_PAGE_FOREIGN},
    };
    struct world *w = *state;
    struct client spa = {
        .enabled = true, .id = "spa", .origins = "https://app.example.org https://two.example.org"};
    struct client other = {.enabled = true, .id = "other"};
    struct client gone = {.enabled = true, .id = "gone", .origins = "https://app.example.org"};
    struct client before;

    add_client(w, &spa);
    add_client(w, &other);
    add_client(w, &gone);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world_ask ask = {.mount = &w->mount,
                                .refresh_token = world_session(w, rows[i].client, NULL)};
        struct request request = world_request(&w->issuer, &ask, w->arena);
        bool read = rows[i].outcome == OUTCOME_ROTATED;

        if (strcmp(rows[i].client, "gone") == 0) { /* disabled since */
            before = gone;
            gone.enabled = false;
            assert_int_equal(store_client_update(w->store, &before, &gone, &w->fault), STORE_OK);
        }
        request.page = PAGE_OF_CLIENT;
        request.origin = text_of(rows[i].origin);
        assert_int_equal(operation_run(&request), rows[i].outcome);
        assert_int_equal(request.page, read ? PAGE_ALLOWED : PAGE_FOREIGN);
        assert_int_equal(world_record(w, request.answer.session).generation, read ? 1 : 0);
    }
}

/* A client that only names itself says who reads that there is no such session; of one that there
 * is, its own client. */
static void test_page_of_a_named_client(void **state)
{
    static const struct {
        const char *session; /* its client; NULL: there is none */
        const char *named;
        enum outcome outcome;
        enum page page;
    } rows[] = {
        {NULL, "spa", OUTCOME_TOKEN_INVALID, PAGE_OF_NAMED_CLIENT},
        {NULL, "other", OUTCOME_PAGE_FOREIGN, PAGE_FOREIGN},
        {NULL, "nobody", OUTCOME_CLIENT_AUTH_FAILED, PAGE_OF_CLIENT},
        {NULL, "", OUTCOME_TOKEN_INVALID, PAGE_OF_CLIENT},
        {"spa", "spa", OUTCOME_ROTATED, PAGE_ALLOWED},
        {"spa", "other", OUTCOME_PAGE_FOREIGN, PAGE_FOREIGN},
        {"other", "spa", OUTCOME_WRONG_CLIENT, PAGE_OF_NAMED_CLIENT},
        {"", "spa", OUTCOME_PAGE_FOREIGN, PAGE_FOREIGN},
    };
    struct world *w = *state;
    struct client spa = {.enabled = true, .id = "spa", .origins = "https://app.example.org"};
    struct client other = {.enabled = true, .id = "other", .origins = "https://two.example.org"};

    add_client(w, &spa);
    add_client(w, &other);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text token = rows[i].session != NULL ? world_session(w, rows[i].session, NULL)
                                                    : TEXT("never-issued");
        struct request request =
            world_clients_request(w, &operation_refresh, token, rows[i].named, "");
        struct answer answer;

        request.page = PAGE_OF_CLIENT;
        request.origin = TEXT("https://app.example.org");
        assert_int_equal(operation_run(&request), rows[i].outcome);
        assert_int_equal(request.page, rows[i].page);
        if (rows[i].session != NULL && rows[i].outcome != OUTCOME_ROTATED) { /* nothing was spent */
            assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
        }
    }
}

/* Of several cookies, only the client of the one that is chosen says who may read the answer. */
static void test_pages_and_several_tokens(void **state)
{
    static const struct {
        const char *spent;
        const char *good;
        bool granted;
    } rows[] = {{"spa", "other", false}, {"other", "spa", true}};
    struct world *w = *state;
    struct client spa = {.enabled = true, .id = "spa", .origins = "https://app.example.org"};
    struct client other = {.enabled = true, .id = "other"};

    add_client(w, &spa);
    add_client(w, &other);
    for (size_t i = 0; i < 2 * (sizeof rows / sizeof *rows); i++) {
        struct text spent = world_session(w, rows[i / 2].spent, NULL);
        struct text good = world_session(w, rows[i / 2].good, NULL);
        struct text tokens[] = {i % 2 == 0 ? spent : good, i % 2 == 0 ? good : spent};
        struct world_ask ask = {.mount = &w->mount,
                                .refresh_token = tokens[0],
                                .candidates = tokens,
                                .candidate_count = 2};
        struct request request;
        struct answer answer;

        assert_int_equal(world_present(w, &w->mount, spent, &answer), OUTCOME_ROTATED);
        w->now_ms += CLOCK_HOUR;
        request = world_request(&w->issuer, &ask, w->arena);
        request.page = PAGE_OF_CLIENT;
        request.origin = TEXT("https://app.example.org");
        assert_int_equal(outcome_is_grant(operation_run(&request)), rows[i / 2].granted);
        assert_int_equal(world_present(w, &w->mount, good, &answer),
                         rows[i / 2].granted ? OUTCOME_REPLAYED : OUTCOME_ROTATED);
    }
}

static void test_grants_of_a_client(void **state)
{
    struct world *w = *state;
    struct client robot = {.enabled = true, .id = "robot", .grants = GRANT_CLIENT};
    struct answer answer;

    add_client(w, &robot);
    assert_int_equal(world_present(w, &w->mount, world_session(w, "robot", NULL), &answer),
                     OUTCOME_CLIENT_UNAUTHORIZED);
    assert_int_equal(world_record(w, answer.session).end, SESSION_LIVE);
}

/* A token without a scope might be taken for one that may do everything. */
static void test_scope_that_a_layout_cannot_say(void **state)
{
    struct world *w = *state;
    struct layout mute = *w->realm.policy.layout;
    struct text token = world_session(w, "", "read");
    struct answer answer;

    mute.says_scope = false;
    w->realm.policy.layout = &mute;
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_SCOPE_INVALID);
    assert_int_equal(world_record(w, answer.session).generation, 0);
    w->realm.policy.scope_loss = true;
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    w->realm.policy.scope_loss = false;
    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &answer),
                     OUTCOME_ROTATED);
}

static void test_proof_that_a_session_began_with(void **state)
{
    struct world *w = *state;
    struct issue_ask began = {.account = &w->ada, .client = TEXT("web"), .client_proved = true};
    struct client web = {.enabled = true, .id = "web"};
    struct world_ask ask = {.mount = &w->mount,
                            .client_proof = CLIENT_PROOF_BODY,
                            .client_id = TEXT("web"),
                            .client_secret = TEXT("secret of web")};
    struct answer first, answer;

    assert_true(client_secret_hash(ask.client_secret, true, &w->secrets, &w->issuer.randomness,
                                   web.secrets[0].hash, &w->fault));
    add_client(w, &web);
    assert_int_equal(world_issue(w, &began, &first), OUTCOME_ROTATED);
    /* this mount binds no client, but the session does */
    assert_int_equal(world_present(w, &w->mount, first.refresh_token, &answer),
                     OUTCOME_CLIENT_AUTH_FAILED);
    ask.refresh_token = first.refresh_token;
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault), OUTCOME_ROTATED);
}

/* Mounts that ask for no client included: a session dies with the client that it began with. */
static void test_removed_and_disabled_clients(void **state)
{
    struct world *w = *state;
    struct client before = {.enabled = true, .id = "web"};
    struct client web = before, after;
    struct answer answer;
    struct text token;

    add_client(w, &web);
    token = world_session(w, "web", NULL);
    after = before = web;
    after.enabled = false;
    assert_int_equal(store_client_update(w->store, &before, &after, &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_CLIENT_UNAUTHORIZED);
    assert_int_equal(store_client_update(w->store, &after, &before, &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
    token = answer.refresh_token;
    assert_int_equal(store_client_remove(w->store, "web", &w->fault), STORE_OK);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_TOKEN_REVOKED);
    add_client(w, &web);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_TOKEN_REVOKED);
    token = world_session(w, "web", NULL);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_ROTATED);
}

/* Eight processes share one login, and each has an older token than the one before. */
static void test_ancestors_are_replayed(void **state)
{
    struct world *w = *state;
    struct text tokens[SESSION_SPENT_KEPT + 2];
    struct answer last, answer;
    size_t count = sizeof tokens / sizeof *tokens;

    tokens[0] = world_session(w, "", NULL);
    for (size_t i = 1; i < count; i++) {
        w->now_ms += CLOCK_SECOND;
        assert_int_equal(world_present(w, &w->mount, tokens[i - 1], &last), OUTCOME_ROTATED);
        tokens[i] = last.refresh_token;
    }
    for (size_t i = 1; i + 1 < count; i++) {
        assert_int_equal(world_present(w, &w->mount, tokens[i], &answer), OUTCOME_REPLAYED);
        assert_true(text_equal(answer.refresh_token, last.refresh_token));
        assert_true(text_equal(answer.access_token, last.access_token));
    }
    assert_int_equal(world_record(w, last.session).generation, count - 1);
    /* further back than the record goes: refused, and no more than that until a window has passed
     */
    assert_int_equal(world_present(w, &w->mount, tokens[0], &answer), OUTCOME_TOKEN_SPENT);
    assert_int_equal(world_present(w, &w->mount, tokens[count - 1], &last), OUTCOME_ROTATED);
    w->now_ms += CLOCK_HOUR;
    assert_int_equal(world_present(w, &w->mount, tokens[0], &answer), OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_present(w, &w->mount, last.refresh_token, &answer),
                     OUTCOME_TOKEN_REVOKED);
}

/* A thief renews so quickly that the record forgets when the owner's token was spent. */
static void test_a_hasty_thief_is_found_out(void **state)
{
    struct world *w = *state;
    struct text owner = world_session(w, "", NULL);
    struct answer thief = {.refresh_token = owner};
    struct answer answer;

    for (int i = 0; i < 3 * SESSION_SPENT_KEPT; i++) {
        assert_int_equal(world_present(w, &w->mount, thief.refresh_token, &thief), OUTCOME_ROTATED);
        w->now_ms += w->realm.policy.concurrency_window_ms / 12;
    }
    assert_int_equal(world_present(w, &w->mount, owner, &answer), OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_present(w, &w->mount, thief.refresh_token, &answer),
                     OUTCOME_TOKEN_REVOKED);
}

/* Rotation was switched off after a token was spent: its replay is still the answer of its
 * successor, or the client would go on with a token that is reuse in a minute. */
static void test_replay_where_rotation_was_switched_off(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct answer rotated, again;

    assert_int_equal(world_present(w, &w->mount, first, &rotated), OUTCOME_ROTATED);
    w->realm.policy.rotate = false;
    assert_int_equal(world_present(w, &w->mount, first, &again), OUTCOME_REPLAYED);
    assert_true(text_equal(again.refresh_token, rotated.refresh_token));
    assert_int_equal(world_present(w, &w->mount, rotated.refresh_token, &again), OUTCOME_RENEWED);
}

/* A JWT-shaped refresh token of our own is no imported one: what comes with it must be ours. */
static void test_access_token_beside_a_jwt_of_ours(void **state)
{
    struct world *w = *state;
    struct world_ask ask = {.mount = &w->mount, .access_token_given = true};
    struct answer answer;

    world_make_kopong(&w->realm);
    ask.refresh_token = world_session(w, "", NULL);
    ask.access_token = TEXT("garbage");
    assert_int_equal(world_run(&w->issuer, &ask, w->arena, &answer, &w->fault),
                     OUTCOME_WRONG_ACCESS_TOKEN);
}

/* A session renewed five times, and another store that saw only the first of them: the backup. */
static void restore(struct world *w, struct world *later, struct text tokens[6])
{
    struct answer answer;
    struct session backup;

    tokens[0] = world_session(w, "", NULL);
    for (int i = 1; i < 6; i++) {
        assert_int_equal(world_present(w, &w->mount, tokens[i - 1], &answer), OUTCOME_ROTATED);
        tokens[i] = answer.refresh_token;
        if (i == 1) {
            backup = world_record(w, answer.session);
        }
    }
    world_open(later);
    assert_int_equal(store_session_create(later->store, &backup, NULL, &later->fault), STORE_OK);
    later->now_ms = w->now_ms + CLOCK_HOUR;
}

/* The owner's token moves the restored store on; the thief's older one is found out. */
static void test_roll_forward(void **state)
{
    struct world *w = *state;
    struct world later;
    struct text tokens[6];
    struct answer owner, answer;
    struct event events[4];
    size_t count;

    restore(w, &later, tokens);
    assert_int_equal(world_present(&later, &later.mount, tokens[5], &owner),
                     OUTCOME_ROLLED_FORWARD);
    assert_int_equal(world_record(&later, owner.session).generation, 6);
    assert_int_equal(
        store_event_list(later.store, owner.session, 0, events, 4, &count, &later.fault), STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(events[0].kind, EVENT_ROLLED_FORWARD);
    assert_int_equal(events[0].generation, 5);
    assert_string_equal(events[0].note, "the store knew generation 1 only");
    assert_int_equal(world_present(&later, &later.mount, tokens[5], &answer), OUTCOME_REPLAYED);
    assert_true(text_equal(answer.refresh_token, owner.refresh_token));
    /* when this one was spent was lost; it may have been a moment ago */
    assert_int_equal(world_present(&later, &later.mount, tokens[3], &answer), OUTCOME_TOKEN_SPENT);
    assert_int_equal(world_record(&later, owner.session).end, SESSION_LIVE);
    later.now_ms += 61 * CLOCK_SECOND;
    assert_int_equal(world_present(&later, &later.mount, tokens[3], &answer), OUTCOME_TOKEN_REUSED);
    assert_int_equal(world_record(&later, owner.session).end, SESSION_ENDED_REUSE);
    world_close(&later);
}

static void test_roll_forward_where_nothing_rotates(void **state)
{
    struct world *w = *state;
    struct world later;
    struct text tokens[6];
    struct answer answer;

    restore(w, &later, tokens);
    later.realm.policy.rotate = false;
    assert_int_equal(world_present(&later, &later.mount, tokens[5], &answer),
                     OUTCOME_ROLLED_FORWARD);
    assert_true(text_equal(answer.refresh_token, tokens[5]));
    assert_int_equal(world_record(&later, answer.session).generation, 5);
    assert_int_equal(world_present(&later, &later.mount, tokens[5], &answer), OUTCOME_RENEWED);
    world_close(&later);
}

/* One write ends all sessions of an account: those of an older epoch. */
static void test_ended_with_its_account(void **state)
{
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    struct answer answer;
    size_t count;

    assert_int_equal(store_account_sessions_end(w->store, w->ada.number, SESSION_ENDED_ADMIN,
                                                w->now_ms, &count, &w->fault),
                     STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(world_present(w, &w->mount, token, &answer), OUTCOME_TOKEN_REVOKED);
    assert_int_equal(world_present(w, &w->mount, world_session(w, "", NULL), &answer),
                     OUTCOME_ROTATED);
}

struct racer {
    pthread_t thread;
    struct world *world;
    struct text token;
    struct arena *arena;
    pthread_barrier_t *start;
    enum outcome outcome;
    struct answer answer;
};

static void *race(void *self)
{
    struct racer *racer = self;
    struct world_ask ask = {.mount = &racer->world->mount, .refresh_token = racer->token};
    struct fault fault;

    pthread_barrier_wait(racer->start);
    racer->outcome = world_run(&racer->world->issuer, &ask, racer->arena, &racer->answer, &fault);
    return NULL;
}

/* 64 at once: exactly one rotation, and everybody holds the same successor. */
static void test_race(void **state)
{
    enum { RACERS = 64 };
    static struct racer racers[RACERS];
    struct world *w = *state;
    struct text token = world_session(w, "", NULL);
    pthread_barrier_t start;
    int rotated = 0;

    pthread_barrier_init(&start, NULL, RACERS);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.world = w, .token = token, .start = &start};
        racers[i].arena = arena_open(1 << 20);
        assert_non_null(racers[i].arena);
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        rotated += racers[i].outcome == OUTCOME_ROTATED;
        assert_true(outcome_is_grant(racers[i].outcome));
        assert_true(text_equal(racers[i].answer.refresh_token, racers[0].answer.refresh_token));
        assert_true(text_equal(racers[i].answer.access_token, racers[0].answer.access_token));
    }
    assert_int_equal(rotated, 1);
    assert_int_equal(world_record(w, racers[0].answer.session).generation, 1);
    for (int i = 0; i < RACERS; i++) {
        arena_close(racers[i].arena);
    }
    pthread_barrier_destroy(&start);
}

/* A request decided while its token was current and then waited for the writer, while its client
 * had another renew the session twice. */
static void test_overtaken_while_it_waited(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct world_ask ask = {.mount = &w->mount, .refresh_token = first};
    struct answer second, third;
    enum outcome outcome;
    struct request late = world_request(&w->issuer, &ask, w->arena);

    assert_true(operation_refresh.begin(&late));
    assert_non_null(operation_refresh.step(&late, &outcome));
    assert_int_equal(world_present(w, &w->mount, first, &second), OUTCOME_ROTATED);
    assert_int_equal(world_present(w, &w->mount, second.refresh_token, &third), OUTCOME_ROTATED);
    operation_refresh.written(&late, STORE_STALE);
    assert_null(operation_refresh.step(&late, &outcome));
    assert_int_equal(outcome, OUTCOME_REPLAYED);
    assert_true(text_equal(late.answer.refresh_token, third.refresh_token));
    assert_int_equal(world_present(w, &w->mount, third.refresh_token, &third), OUTCOME_ROTATED);
}

/* Overtaken once: the answer of the winner. */
static void test_lost_race_is_answered_as_a_replay(void **state)
{
    struct world *w = *state;
    struct text first = world_session(w, "", NULL);
    struct world_ask ask = {.mount = &w->mount, .refresh_token = first};
    struct answer second;
    enum outcome outcome;
    struct request late = world_request(&w->issuer, &ask, w->arena);

    assert_true(operation_refresh.begin(&late));
    assert_non_null(operation_refresh.step(&late, &outcome));
    assert_int_equal(world_present(w, &w->mount, first, &second), OUTCOME_ROTATED);
    operation_refresh.written(&late, STORE_STALE);
    assert_null(operation_refresh.step(&late, &outcome));
    assert_int_equal(outcome, OUTCOME_REPLAYED);
    assert_true(text_equal(late.answer.refresh_token, second.refresh_token));
    assert_true(text_equal(late.answer.access_token, second.access_token));
}

/* In the commit that rotates; and nothing of it is listed. */
static void test_tells_subscribers(void **state)
{
    struct world *w = *state;
    struct text first;
    struct answer answer;
    struct event event;
    size_t count;

    world_subscribe(w);
    first = world_session(w, "", NULL);
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_ROTATED);
    assert_true(world_told(w, &event));
    assert_int_equal(event.kind, EVENT_REFRESHED);
    assert_int_equal(event.generation, 0);
    assert_int_equal(event.account, w->ada.number);
    assert_memory_equal(event.session, answer.session, sizeof event.session);
    assert_string_equal(event.mount, w->mount.path);
    assert_string_equal(event.realm, w->realm.name);
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_REPLAYED);
    assert_true(world_told(w, &event));
    assert_int_equal(event.kind, EVENT_REPLAYED);
    w->now_ms += w->realm.policy.concurrency_window_ms + 1;
    assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_TOKEN_REUSED);
    assert_true(world_told(w, &event));
    assert_int_equal(event.kind, EVENT_REUSE);
    assert_false(world_told(w, &event));
    assert_int_equal(store_event_list(w->store, NULL, 0, &event, 1, &count, &w->fault), STORE_OK);
    assert_int_equal(event.kind, EVENT_REUSE);
}

static void test_tells_subscribers_where_nothing_rotates(void **state)
{
    struct world *w = *state;
    struct text first;
    struct answer answer;
    struct event event;

    world_subscribe(w);
    first = world_session(w, "", NULL);
    w->realm.policy.rotate = false;
    for (int i = 0; i < 2; i++) {
        w->now_ms += CLOCK_MINUTE;
        assert_int_equal(world_present(w, &w->mount, first, &answer), OUTCOME_RENEWED);
        assert_true(world_told(w, &event));
        assert_int_equal(event.kind, EVENT_REFRESHED);
        assert_int_equal(event.at_ms, w->now_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_rotation_and_replay),
        CASE(test_reuse_after_window_is_recorded),
        CASE(test_report_only),
        CASE(test_replay_of_expired_access_token),
        CASE(test_jittered_lifetimes),
        CASE(test_replay_of_jittered_access_token),
        CASE(test_recovery),
        CASE(test_strangers_spend_nothing),
        CASE(test_access_token_of_the_session),
        CASE(test_overtaken_while_it_waited),
        CASE(test_lost_race_is_answered_as_a_replay),
        CASE(test_scope),
        CASE(test_chosen_audience_and_scope),
        CASE(test_scope_is_kept_in_one_form),
        CASE(test_one_of_several_tokens),
        CASE(test_preferred_token),

        CASE(test_accounts),
        CASE(test_nothing_is_granted_unwritten),
        CASE(test_record_knows_the_network),
        CASE(test_reuse_tells_the_network),
        CASE(test_window_starts_when_written),
        CASE(test_window_starts_when_durable),
        CASE(test_reuse_is_judged_again),
        CASE(test_clock_set_far_back),
        CASE(test_end_that_no_renewal_moves),
        CASE(test_clock_set_forward),
        CASE(test_override_of_a_client),
        CASE(test_origins_of_a_client),
        CASE(test_page_of_a_named_client),
        CASE(test_pages_and_several_tokens),
        CASE(test_grants_of_a_client),
        CASE(test_removed_and_disabled_clients),
        CASE(test_proof_that_a_session_began_with),
        CASE(test_ancestors_are_replayed),
        CASE(test_a_hasty_thief_is_found_out),
        CASE(test_replay_where_rotation_was_switched_off),
        CASE(test_access_token_beside_a_jwt_of_ours),
        CASE(test_roll_forward),
        CASE(test_roll_forward_where_nothing_rotates),
        CASE(test_ended_with_its_account),
        CASE(test_scope_that_a_layout_cannot_say),
        CASE(test_race),
        CASE(test_tells_subscribers),
        CASE(test_tells_subscribers_where_nothing_rotates),
    };
    return cmocka_run_group_tests_name("operation/refresh", tests, NULL, NULL);
}
