/* SPDX-License-Identifier: ISC */
/* test_remote_user.c: which account the web server's login is of, and when it gets one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "operation/remote_user.h"
#include "operation/world.h"

static struct remote_user user;

static enum outcome find(struct world *w, struct request *request, struct text name)
{
    *request = (struct request){.arena = w->arena,
                                .issuer = &w->issuer,
                                .mount = &w->mount,
                                .realm = &w->realm,
                                .remote_user = name};
    return remote_user_find(request, w->now_ms, &user);
}

static enum outcome write_it(struct world *w, struct request *request)
{
    return remote_user_added(request, store_write(w->store, &user.write, &w->fault), &user);
}

static void test_known_accounts_log_in(void **state)
{
    struct world *w = *state;
    struct account disabled = w->ada;
    struct request request;

    w->realm.remote_user = REMOTE_USER_KNOWN;
    assert_int_equal(find(w, &request, TEXT("ada")), OUTCOME_ROTATED);
    assert_false(user.adds);
    assert_int_equal(user.account.number, w->ada.number);
    assert_int_equal(find(w, &request, TEXT("Ada")), OUTCOME_REMOTE_USER_UNKNOWN);
    assert_int_equal(find(w, &request, TEXT("bob")), OUTCOME_REMOTE_USER_UNKNOWN);
    disabled.enabled = false;
    assert_int_equal(store_account_update(w->store, NULL, &disabled, &w->fault), STORE_OK);
    assert_int_equal(find(w, &request, TEXT("ada")), OUTCOME_ACCOUNT_DISABLED);
}

static void test_any_name_gets_an_account(void **state)
{
    struct world *w = *state;
    struct request request, faster;
    struct remote_user first;
    struct event event;
    size_t count;

    w->realm.remote_user = REMOTE_USER_ANY;
    assert_int_equal(find(w, &request, TEXT("bob@EXAMPLE.ORG")), OUTCOME_ROTATED);
    assert_true(user.adds);
    first = user;
    first.write.of.account_add = &first.account;
    assert_int_equal(find(w, &faster, TEXT("bob@EXAMPLE.ORG")), OUTCOME_ROTATED);
    assert_int_equal(write_it(w, &faster), OUTCOME_ROTATED);
    uint64_t number = user.account.number;
    assert_int_not_equal(number, 0);
    user = first;
    user.write.of.account_add = &user.account;
    assert_int_equal(write_it(w, &request), OUTCOME_ROTATED); /* the same one */
    assert_false(user.adds);
    assert_int_equal(user.account.number, number);
    assert_string_equal(user.account.password, "");
    assert_true(user.account.enabled);
    assert_int_equal(store_event_list(w->store, NULL, 0, &event, 1, &count, &w->fault), STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(event.kind, EVENT_ACCOUNT);
    assert_string_equal(event.note, "bob@EXAMPLE.ORG was added at a login of the web server's");
    assert_int_equal(find(w, &request, TEXT("bob@EXAMPLE.ORG")), OUTCOME_ROTATED);
    assert_false(user.adds);
}

static void test_what_is_no_name_is_no_account(void **state)
{
    static const char *const names[] = {"", "a\nb", "a\x7f", "\xff\xfe"};
    struct world *w = *state;
    struct request request;
    char name[ACCOUNT_NAME_MAX + 1];

    w->realm.remote_user = REMOTE_USER_ANY;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(find(w, &request, text_of(names[i])), OUTCOME_REMOTE_USER_UNKNOWN);
    }
    memset(name, 'x', sizeof name);
    assert_int_equal(find(w, &request, (struct text){name, sizeof name}),
                     OUTCOME_REMOTE_USER_UNKNOWN);
    assert_int_equal(find(w, &request, (struct text){name, ACCOUNT_NAME_MAX}), OUTCOME_ROTATED);
    /* cut where a character ends */
    memset(name, 'x', sizeof name);
    memcpy(name + 63, "\xc3\xa9", 2);
    assert_int_equal(find(w, &request, (struct text){name, 65}), OUTCOME_ROTATED);
    assert_true(text_is_utf8(text_of(user.write.event->note)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_known_accounts_log_in),
        CASE(test_any_name_gets_an_account),
        CASE(test_what_is_no_name_is_no_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
