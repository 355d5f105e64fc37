/* SPDX-License-Identifier: ISC */
/* What the static programs know of users and groups. The linker wraps fopen and setgroups, so that
 * the files are the test's and nothing changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <grp.h>
#include <netdb.h>
#include <pwd.h>

#include <cmocka.h>

static const char *passwd, *group;
static gid_t taken[512];
static size_t taken_count;

FILE *__wrap_fopen(const char *path, const char *mode);
int __wrap_setgroups(size_t count, const gid_t *groups);
void *__wrap_dlopen(const char *file, int mode);

FILE *__wrap_fopen(const char *path, const char *mode)
{
    const char *text = strcmp(path, "/etc/passwd") == 0 ? passwd : group;

    assert_string_equal(mode, "re");
    assert_true(strcmp(path, "/etc/passwd") == 0 || strcmp(path, "/etc/group") == 0);
    return text == NULL ? NULL : fmemopen((void *)(uintptr_t)text, strlen(text), "r");
}

int __wrap_setgroups(size_t count, const gid_t *groups)
{
    taken_count = count;
    memcpy(taken, groups, count * sizeof groups[0]);
    return 0;
}

static void users_are_those_of_the_file(void **state)
{
    (void)state;
    passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:,,:/var/www:/bin/false\n";
    assert_string_equal(getpwuid(0)->pw_name, "root");
    assert_string_equal(getpwuid(33)->pw_dir, "/var/www");
    assert_int_equal(getpwuid(33)->pw_gid, 34);
    assert_null(getpwuid(1));
    passwd = NULL;
    assert_null(getpwuid(0));
}

static void groups_are_those_a_user_is_a_member_of(void **state)
{
    (void)state;
    group = "root:x:0:\nweb:x:34:web\nlogs:x:4:ada,web\nothers:x:5:webmaster,ada\nssl:x:9:web,bo\n";
    assert_int_equal(initgroups("web", 34), 0);
    assert_int_equal(taken_count, 3);
    assert_int_equal(taken[0], 34);
    assert_int_equal(taken[1], 4);
    assert_int_equal(taken[2], 9);
    group = NULL;
    assert_int_equal(initgroups("web", 34), 0);
    assert_int_equal(taken_count, 1);
}

static void too_many_groups_are_left_out(void **state)
{
    char text[300 * 16];
    size_t used = 0;

    (void)state;
    for (unsigned n = 1; n <= 300; n++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "g%u:x:%u:web\n", n, n);
    }
    group = text;
    assert_int_equal(initgroups("web", 1), 0);
    assert_int_equal(taken_count, 256);
    assert_int_equal(taken[255], 256);
}

static void nothing_is_loaded_or_looked_up(void **state)
{
    struct addrinfo *found;

    (void)state;
    assert_null(__wrap_dlopen("libc.so.6", 2));
    assert_int_not_equal(getaddrinfo("localhost", "80", NULL, &found), 0);
    freeaddrinfo(found);
    assert_null(gethostbyname("localhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_those_of_the_file),
        cmocka_unit_test(groups_are_those_a_user_is_a_member_of),
        cmocka_unit_test(too_many_groups_are_left_out),
        cmocka_unit_test(nothing_is_loaded_or_looked_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
