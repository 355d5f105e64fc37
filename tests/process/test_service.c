/* SPDX-License-Identifier: ISC */
/* test_service.c: what opens, and what the fault says of what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/scratch.h"
#include "process/service.h"

struct place {
    char directory[SCRATCH_PATH_MAX];
    struct service service;
    struct fault fault;
};

static int enter(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct randomness randomness = randomness_system();

    if (place == NULL) {
        return -1;
    }
    if (!scratch_make(place->directory)) {
        free(place);
        return -1;
    }
    struct config *config = &place->service.config;
    snprintf(config->secret_file, sizeof config->secret_file, "%s/secret", place->directory);
    store_url_default(place->directory, config->store, sizeof config->store);
    config->store_size = 1 << 20;
    *state = place;
    return secrets_file_create(config->secret_file, &randomness, &place->fault) ? 0 : -1;
}

static int leave(void **state)
{
    struct place *place = *state;

    scratch_remove(place->directory);
    free(place);
    return 0;
}

static void test_opens_and_closes_twice(void **state)
{
    struct place *place = *state;
    uint64_t version;

    for (int i = 0; i < 2; i++) {
        if (!service_open(&place->service, true, false, &place->fault)) {
            fail_msg("%s", place->fault.text);
        }
        assert_ptr_equal(place->service.issuer.store, place->service.store);
        assert_int_equal(store_keyring_version(place->service.store, &version, &place->fault),
                         STORE_OK);
        service_close(&place->service);
        service_close(&place->service); /* harmless */
        assert_null(place->service.store);
    }
}

static void expect_fault(struct place *place, const char *part)
{
    place->fault.text[0] = '\0';
    assert_false(service_open(&place->service, false, false, &place->fault));
    if (strstr(place->fault.text, part) == NULL) {
        fail_msg("the fault says: %s", place->fault.text);
    }
    service_close(&place->service); /* nothing is open */
}

static void test_secret_missing(void **state)
{
    struct place *place = *state;

    assert_true(service_open(&place->service, true, false, &place->fault));
    service_close(&place->service);
    unlink(place->service.config.secret_file);
    expect_fault(place, "put back the secret that the store");
}

static void test_secret_for_all_to_read(void **state)
{
    struct place *place = *state;

    assert_true(service_open(&place->service, true, false, &place->fault));
    service_close(&place->service);
    assert_int_equal(chmod(place->service.config.secret_file, 0644), 0);
    expect_fault(place, place->service.config.secret_file);
}

static void test_store_missing(void **state)
{
    struct place *place = *state;

    expect_fault(place, "/store is missing: put it back");
}

/* Most likely RETOKEN_HOME is wrong: a second, empty installation would be the wrong advice. */
static void test_nothing_there(void **state)
{
    struct place *place = *state;

    unlink(place->service.config.secret_file);
    expect_fault(place, "set RETOKEN_HOME or name the configuration with -c (a new one: "
                        "`retoken init`)");
}

/* `retoken init` would make an empty one of it. */
static void test_data_cut(void **state)
{
    struct place *place = *state;
    char path[CONFIG_PATH_MAX + 16];

    assert_true(service_open(&place->service, true, false, &place->fault));
    service_close(&place->service);
    snprintf(path, sizeof path, "%s/data.mdb", store_url_directory(place->service.config.store));
    for (off_t size = 4096; size >= 0; size -= 4096) {
        assert_int_equal(truncate(path, size), 0);
        expect_fault(place, "data.mdb is cut: put it back, or a backup");
        assert_null(strstr(place->fault.text, "init"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_opens_and_closes_twice, enter, leave),
        cmocka_unit_test_setup_teardown(test_secret_missing, enter, leave),
        cmocka_unit_test_setup_teardown(test_secret_for_all_to_read, enter, leave),
        cmocka_unit_test_setup_teardown(test_store_missing, enter, leave),
        cmocka_unit_test_setup_teardown(test_nothing_there, enter, leave),
        cmocka_unit_test_setup_teardown(test_data_cut, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
