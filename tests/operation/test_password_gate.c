/* SPDX-License-Identifier: ISC */
/* test_password_gate.c: how many hashes are computed, and which are not. The hash is made of
 * paper here: it is right when both texts are equal, is counted, and may be held up. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "operation/password_gate.h"

/* ---- a hash that is held up ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool held;
static int running, most_running, computed, answered, priority;

enum password_check password_verify(struct text password, const char *hash)
{
    pthread_mutex_lock(&lock);
    computed++;
    priority = getpriority(PRIO_PROCESS, 0);
    running++;
    most_running = running > most_running ? running : most_running;
    pthread_cond_broadcast(&changed);
    while (held) {
        pthread_cond_wait(&changed, &lock);
    }
    running--;
    pthread_mutex_unlock(&lock);
    return text_is(password, hash) ? PASSWORD_RIGHT : PASSWORD_WRONG;
}

static void hold(bool on)
{
    pthread_mutex_lock(&lock);
    held = on;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_until_reached(const int *number, int count)
{
    pthread_mutex_lock(&lock);
    while (*number < count) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static void wait_until_running(int count)
{
    wait_until_reached(&running, count);
}

static void wait_until_answered(int count)
{
    wait_until_reached(&answered, count);
}

/* ---- askers ---- */

struct asker {
    struct password_gate *gate;
    const char *owner, *password, *hash;
    pthread_t thread;
    enum password_check result;
};

static void *ask(void *self)
{
    struct asker *asker = self;

    asker->result = password_gate_verify(asker->gate, text_of(asker->owner),
                                         text_of(asker->password), asker->hash);
    pthread_mutex_lock(&lock);
    answered++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void start(struct asker *asker, struct password_gate *gate, const char *owner,
                  const char *password)
{
    *asker = (struct asker){.gate = gate, .owner = owner, .password = password, .hash = "h"};
    assert_int_equal(pthread_create(&asker->thread, NULL, ask, asker), 0);
}

static enum password_check end(struct asker *asker)
{
    assert_int_equal(pthread_join(asker->thread, NULL), 0);
    return asker->result;
}

static enum password_check verify(struct password_gate *gate, const char *owner,
                                  const char *password, const char *hash)
{
    return password_gate_verify(gate, text_of(owner), text_of(password), hash);
}

static int open_gate(void **state)
{
    struct randomness randomness = randomness_system();

    held = false;
    running = most_running = computed = answered = 0;
    *state = password_gate_open(2 * PASSWORD_CHECKS, &randomness);
    return *state == NULL;
}

static int close_gate(void **state)
{
    password_gate_close(*state);
    return 0;
}

/* ---- what is remembered ---- */

static void test_remembers_what_was_right(void **state)
{
    struct password_gate *gate = *state;

    assert_false(password_gate_knows(gate, TEXT("client web"), TEXT("h"), "h"));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(verify(gate, "client web", "h", "h"), PASSWORD_RIGHT);
    }
    assert_int_equal(computed, 1);
    assert_true(password_gate_knows(gate, TEXT("client web"), TEXT("h"), "h"));
    /* for this owner, this password and this hash, and for nothing else */
    assert_false(password_gate_knows(gate, TEXT("client we"), TEXT("h"), "h"));
    assert_false(password_gate_knows(gate, TEXT("client web"), TEXT("H"), "h"));
    assert_false(password_gate_knows(gate, TEXT("client web"), TEXT("h"), "H"));
    assert_false(password_gate_knows(gate, TEXT("client web"), TEXT(""), "h"));
    assert_int_equal(verify(gate, "client web", "h", "another"), PASSWORD_WRONG);
    assert_int_equal(computed, 2);
}

static void test_forgets_wrong_ones_and_the_oldest(void **state)
{
    struct password_gate *gate = *state;
    char many[16];

    for (int i = 0; i < 2; i++) {
        assert_int_equal(verify(gate, "account ada", "wrong", "h"), PASSWORD_WRONG);
        assert_false(password_gate_knows(gate, TEXT("account ada"), TEXT("wrong"), "h"));
    }
    assert_int_equal(computed, 2);
    assert_int_equal(verify(gate, "account ada", "h", "h"), PASSWORD_RIGHT);
    for (int i = 0; i < 16 * PASSWORDS_REMEMBERED; i++) {
        snprintf(many, sizeof many, "%d", i);
        assert_int_equal(verify(gate, "account eve", many, many), PASSWORD_RIGHT);
    }
    assert_false(password_gate_knows(gate, TEXT("account ada"), TEXT("h"), "h"));
    assert_true(password_gate_knows(gate, TEXT("account eve"), text_of(many), many));
}

static void test_nothing_overlong(void **state)
{
    char huge[PASSWORD_MAX + 1];

    memset(huge, 'a', sizeof huge);
    assert_int_equal(password_gate_verify(*state, TEXT("x"), (struct text){huge, sizeof huge}, "h"),
                     PASSWORD_WRONG);
    assert_int_equal(computed, 0);
    assert_int_equal(
        password_gate_verify(*state, TEXT("x"), (struct text){huge, PASSWORD_MAX}, "h"),
        PASSWORD_WRONG);
    assert_int_equal(computed, 1);
}

/* ---- how many at a time ---- */

enum { ASKERS = PASSWORD_PLACES + 1 };

/* All but one find a place, whichever comes first, and while the hashes are held up only that one
 * is answered. */
static void test_few_at_a_time_and_few_wait(void **state)
{
    static const char owners[ASKERS][2] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    struct asker askers[ASKERS];
    size_t busy = 0;

    hold(true);
    for (size_t i = 0; i < ASKERS; i++) {
        start(&askers[i], *state, owners[i], i % 2 == 0 ? "h" : "wrong");
    }
    wait_until_answered(1);
    wait_until_running(PASSWORD_CHECKS);
    hold(false);
    for (size_t i = 0; i < ASKERS; i++) {
        enum password_check result = end(&askers[i]);

        busy += result == PASSWORD_BUSY;
        assert_true(result == PASSWORD_BUSY ||
                    result == (i % 2 == 0 ? PASSWORD_RIGHT : PASSWORD_WRONG));
    }
    assert_int_equal(busy, 1);
    assert_int_equal(computed, ASKERS - 1);
    assert_int_equal(most_running, PASSWORD_CHECKS);
    assert_int_equal(verify(*state, "z", "h", "h"), PASSWORD_RIGHT); /* the places are free again */
}

/* The other half is for what is quick, where there is one. */
static void test_half_the_processors(void **state)
{
    static const struct {
        size_t processors;
        int hashes;
    } rows[] = {{1, 1}, {2, 1}, {3, 1}, {4, 2}, {7, 3}, {8, 4}, {64, PASSWORD_CHECKS}};
    struct randomness randomness = randomness_system();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct password_gate *gate = password_gate_open(rows[i].processors, &randomness);

        assert_non_null(gate);
        for (int hash = 0; hash < rows[i].hashes; hash++) {
            assert_true(password_gate_enter(gate));
        }
        assert_false(password_gate_enter(gate));
        password_gate_leave(gate);
        assert_true(password_gate_enter(gate));
        password_gate_close(gate);
    }
}

static void test_behind_what_is_quick(void **state)
{
    int before = getpriority(PRIO_PROCESS, 0);

    assert_int_equal(verify(*state, "client web", "h", "h"), PASSWORD_RIGHT);
    assert_int_equal(priority, before > PASSWORD_NICE ? before : PASSWORD_NICE);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

static void test_one_owner_takes_few_places(void **state)
{
    static const char guesses[PASSWORD_OF_OWNER + 1][2] = {"1", "2", "3"};
    struct asker askers[PASSWORD_OF_OWNER + 1];
    struct asker other;
    size_t busy = 0;

    hold(true);
    for (size_t i = 0; i <= PASSWORD_OF_OWNER; i++) {
        start(&askers[i], *state, "account ada", guesses[i]);
    }
    wait_until_answered(1);
    start(&other, *state, "account eve", "h");
    wait_until_running(PASSWORD_OF_OWNER + 1);
    hold(false);
    for (size_t i = 0; i <= PASSWORD_OF_OWNER; i++) {
        busy += end(&askers[i]) == PASSWORD_BUSY;
    }
    assert_int_equal(busy, 1);
    assert_int_equal(end(&other), PASSWORD_RIGHT);
}

/* A burst of one client: one hash, and the same answer to all. */
static void test_one_check_for_all_who_ask_it(void **state)
{
    struct asker askers[2 * ASKERS];

    hold(true);
    for (size_t i = 0; i < 2 * ASKERS; i++) {
        start(&askers[i], *state, "client web", "h");
    }
    wait_until_running(1);
    hold(false);
    for (size_t i = 0; i < 2 * ASKERS; i++) {
        assert_int_equal(end(&askers[i]), PASSWORD_RIGHT);
    }
    assert_int_equal(computed, 1);
}

struct draws {
    bool works;
    int count;
};

static bool draw(void *self, void *out, size_t size)
{
    struct draws *draws = self;

    draws->count++;
    memset(out, 7, size);
    return draws->works;
}

/* A process that sees no password asks for none. */
static void test_the_key_is_drawn_with_the_first(void **state)
{
    struct draws draws = {.works = false};
    struct randomness randomness = {draw, &draws};
    struct password_gate *gate = password_gate_open(2, &randomness);

    (void)state;
    assert_non_null(gate);
    assert_int_equal(draws.count, 0);
    assert_false(password_gate_knows(gate, TEXT("ada"), TEXT("x"), "$5$a$b"));
    assert_int_equal(password_gate_verify(gate, TEXT("ada"), TEXT("x"), "$5$a$b"), PASSWORD_FAULT);
    assert_int_equal(draws.count, 2);
    draws.works = true;
    assert_int_equal(password_gate_verify(gate, TEXT("ada"), TEXT("x"), "$5$a$b"), PASSWORD_WRONG);
    assert_int_equal(password_gate_verify(gate, TEXT("ada"), TEXT("y"), "$5$a$b"), PASSWORD_WRONG);
    assert_int_equal(draws.count, 3);
    password_gate_close(gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_remembers_what_was_right, open_gate, close_gate),
        cmocka_unit_test_setup_teardown(test_forgets_wrong_ones_and_the_oldest, open_gate,
                                        close_gate),
        cmocka_unit_test_setup_teardown(test_nothing_overlong, open_gate, close_gate),
        cmocka_unit_test_setup_teardown(test_few_at_a_time_and_few_wait, open_gate, close_gate),
        cmocka_unit_test(test_half_the_processors),
        cmocka_unit_test(test_the_key_is_drawn_with_the_first),
        cmocka_unit_test_setup_teardown(test_behind_what_is_quick, open_gate, close_gate),
        cmocka_unit_test_setup_teardown(test_one_owner_takes_few_places, open_gate, close_gate),
        cmocka_unit_test_setup_teardown(test_one_check_for_all_who_ask_it, open_gate, close_gate),
    };
    return cmocka_run_group_tests_name("operation/password_gate", tests, NULL, NULL);
}
