/* SPDX-License-Identifier: ISC */
/* golden.c: see golden.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialect/golden.h"

enum { PATH_ROOM = 1024, FILE_ROOM = 256 * 1024 };

bool golden_is_writing(void)
{
    return getenv("RETOKEN_GOLDEN_WRITE") != NULL;
}

static void path_of(char path[PATH_ROOM], const char *folder, const char *name, const char *ending)
{
    int size = snprintf(path, PATH_ROOM, "%s/%s/%s.%s", GOLDEN_DIR, folder, name, ending);

    assert_true(size > 0 && size < PATH_ROOM);
}

bool golden_read(struct arena *arena, const char *folder, const char *name, const char *ending,
                 struct text *text)
{
    char path[PATH_ROOM];
    char *data = arena_alloc(arena, FILE_ROOM);
    FILE *file;

    assert_non_null(data);
    path_of(path, folder, name, ending);
    file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    *text = (struct text){data, fread(data, 1, FILE_ROOM, file)};
    assert_int_equal(fclose(file), 0);
    assert_true(text->size < FILE_ROOM);
    return true;
}

static void write_file(const char *path, struct text text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.size, file), text.size);
    assert_int_equal(fclose(file), 0);
}

void golden_check(struct arena *arena, const char *folder, const char *name, const char *ending,
                  struct text actual)
{
    struct text expected;
    char path[PATH_ROOM];

    path_of(path, folder, name, ending);
    if (golden_is_writing()) {
        write_file(path, actual);
    }
    if (!golden_read(arena, folder, name, ending, &expected)) {
        fail_msg("%s is missing", path);
    }
    if (!text_equal(expected, actual)) {
        fail_msg("%s differs; the answer is now\n%.*s", path, TEXT_ARGS(actual));
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

size_t golden_cases(const char *folder, const char *ending,
                    char names[GOLDEN_CASES_MAX][GOLDEN_NAME_MAX])
{
    char path[PATH_ROOM];
    const struct dirent *entry;
    size_t count = 0;
    DIR *dir;

    assert_true(snprintf(path, sizeof path, "%s/%s", GOLDEN_DIR, folder) < PATH_ROOM);
    dir = opendir(path);
    if (dir == NULL) {
        fail_msg("%s: no goldens", path);
        return 0;
    }
    while ((entry = readdir(dir)) != NULL) {
        struct text name = text_of(entry->d_name);

        if (text_ends(name, text_of(ending)) && count < GOLDEN_CASES_MAX) {
            name = text_cut(name, name.size - strlen(ending));
            assert_true(text_copy(name, names[count], GOLDEN_NAME_MAX));
            count++;
        }
    }
    assert_int_equal(closedir(dir), 0);
    assert_true(count < GOLDEN_CASES_MAX);
    qsort(names, count, GOLDEN_NAME_MAX, compare_names);
    return count;
}

void golden_show(struct buffer *buffer, struct text bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        unsigned char c = (unsigned char)bytes.data[i];

        if (c == '\r' && i + 1 < bytes.size && bytes.data[i + 1] == '\n') {
            buffer_add_char(buffer, '\n');
            i++;
        } else if (c == '\n') {
            buffer_add_c(buffer, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            buffer_addf(buffer, "\\x%02x", c);
        } else {
            buffer_add_char(buffer, (char)c);
        }
    }
}
