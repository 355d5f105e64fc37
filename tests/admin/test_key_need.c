/* SPDX-License-Identifier: ISC */
/* test_key_need.c: which keys the mounts need, and which of those there are would sign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/key_need.h"
#include "dialect/dialect.h"

static void add_mount(struct config *config, const char *path, const char *name, bool issues,
                      enum signing_algorithm algorithm)
{
    struct realm *realm = &config->realms[config->realm_count++];
    struct mount *mount = &config->mounts[config->mount_count++];

    realm->policy.layout = issues ? oauth_dialect.policy.layout : NULL;
    mount->realm = realm;
    realm->policy.algorithm = algorithm;
    strcpy(mount->path, path);
    strcpy(realm->name, name);
}

static void test_needs(void **state)
{
    struct config *config = calloc(1, sizeof *config);
    struct key_need needs[CONFIG_MOUNTS_MAX];

    (void)state;
    assert_int_equal(key_need_list(config, needs), 0);
    add_mount(config, "/a", "/a", true, SIGNING_HS256);
    add_mount(config, "/b", "/b", true, SIGNING_HS256);
    add_mount(config, "/b2", "/b", true, SIGNING_HS256); /* the same realm: the same key */
    add_mount(config, "/c", "/c", true, SIGNING_RS256);
    add_mount(config, "/jwks", "/jwks", false, SIGNING_ES256); /* signs nothing */
    assert_int_equal(key_need_list(config, needs), 3);
    assert_string_equal(needs[0].realm, "/a");
    assert_true(needs[0].bound);
    assert_string_equal(needs[1].path, "/b");
    assert_int_equal(needs[2].algorithm, SIGNING_RS256);
    assert_false(needs[2].bound);
    free(config);
}

static void test_signer(void **state)
{
    struct signing_row *rows = calloc(5, sizeof *rows);

    static const struct {
        const char *kid, *realm;
        enum signing_algorithm algorithm;
        enum signing_state state;
    } facts[] = {
        {"old", "", SIGNING_RS256, SIGNING_ACTIVE},
        {"new", "", SIGNING_RS256, SIGNING_ACTIVE},
        {"own", "/a", SIGNING_RS256, SIGNING_ACTIVE},
        {"waiting", "", SIGNING_RS256, SIGNING_PUBLISHED},
        {"gone", "", SIGNING_ES256, SIGNING_RETIRED},
    };
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        rows[i].number = (uint32_t)i + 1;
        strcpy(rows[i].kid, facts[i].kid);
        strcpy(rows[i].realm, facts[i].realm);
        rows[i].algorithm = facts[i].algorithm;
        rows[i].state = facts[i].state;
    }
    assert_string_equal(key_need_signer(rows, 5, SIGNING_RS256, "/a", NULL)->kid, "own");
    assert_string_equal(key_need_signer(rows, 5, SIGNING_RS256, "/b", NULL)->kid, "new");
    assert_string_equal(key_need_signer(rows, 5, SIGNING_RS256, "/b", "new")->kid, "old");
    assert_string_equal(key_need_signer(rows, 5, SIGNING_RS256, "/a", "own")->kid, "new");
    assert_null(key_need_signer(rows, 1, SIGNING_RS256, "/b", "old"));
    assert_null(key_need_signer(rows, 5, SIGNING_ES256, "/b", NULL));
    assert_null(key_need_signer(rows, 0, SIGNING_RS256, "/b", NULL));
    free(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_signer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
