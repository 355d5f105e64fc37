/* SPDX-License-Identifier: ISC */
/* verbs_dialect_test.c: `retoken dialect test`: the recordings in a folder, NAME.request.http and
 * NAME.answer.http, through the one FILE.dialect beside them. Needs no installation; how they are
 * compared is dialect_replay.h. */
#include "admin/verbs/verbs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/dialect_input.h"
#include "admin/dialect_replay.h"

enum { PATH_ROOM = 1024 };

static enum call_end test_one(struct call *call, const struct dialect *dialect, const char *folder,
                              struct text name, size_t *differing);

static int select_files(const struct dirent *entry)
{
    struct text name = text_of(entry->d_name);

    return text_ends(name, TEXT(".dialect")) || text_ends(name, TEXT(".request.http"));
}

static enum call_end test_all(struct call *call, const char *folder, struct dirent **entries,
                              int count)
{
    const struct dialect *dialect = NULL;
    struct text suffix = TEXT(".request.http");
    char path[PATH_ROOM] = "";
    size_t differing = 0, tested = 0;
    enum call_end end;

    for (int i = 0; i < count; i++) {
        if (!text_ends(text_of(entries[i]->d_name), TEXT(".dialect"))) {
            continue;
        } else if (path[0] != '\0') {
            return call_refuse(call, "%s: more than one .dialect", folder);
        }
        (void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    }
    if (path[0] == '\0') {
        return call_refuse(call, "%s: no .dialect in it", folder);
    }
    end = dialect_input_dialect(call, path, &dialect);
    for (int i = 0; i < count && end == CALL_DONE; i++) {
        struct text name = text_of(entries[i]->d_name);

        if (text_ends(name, suffix)) {
            end = test_one(call, dialect, folder, text_cut(name, name.size - suffix.size),
                           &differing);
            tested++;
        }
    }
    if (end == CALL_DONE && tested == 0) {
        return call_refuse(call, "%s: no NAME.request.http in it", folder);
    } else if (end == CALL_DONE) {
        output_say(&call->output, "%zu recordings, %zu answered otherwise", tested, differing);
    }
    return end == CALL_DONE && differing > 0 ? CALL_REFUSED : end;
}

enum call_end verbs_dialect_test(struct call *call)
{
    const char *folder = call_argument(call, 0);
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, select_files, alphasort);

    if (count < 0) {
        return call_refuse(call, "%s: %s", folder, strerror(errno));
    }
    enum call_end end = test_all(call, folder, entries, count);
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
    return end;
}

static enum call_end test_one(struct call *call, const struct dialect *dialect, const char *folder,
                              struct text name, size_t *differing)
{
    struct http_recording request, answer;
    char path[PATH_ROOM];
    struct buffer told;
    struct text said = {0};
    struct fault fault;
    size_t count = 0;

    (void)snprintf(path, sizeof path, "%s/%.*s.request.http", folder, TEXT_ARGS(name));
    enum call_end end = dialect_input_request(call, path, &request);
    (void)snprintf(path, sizeof path, "%s/%.*s.answer.http", folder, TEXT_ARGS(name));
    end = end == CALL_DONE ? dialect_input_answer(call, path, &answer) : end;
    if (end != CALL_DONE) {
        return end;
    }
    buffer_start(&told, call->arena, 1024);
    if (!dialect_replay(dialect, &request, &answer, call->arena, &told, &count, &fault)) {
        buffer_addf(&told, "  %s\n", fault.text);
        count++;
    }
    *differing += count > 0;
    if (!buffer_finish(&told, &said)) {
        fault_set(&fault, "out of memory");
        return call_fault(call, &fault);
    }
    buffer_addf(&call->output.buffer, "%.*s: %s\n%.*s", TEXT_ARGS(name),
                count > 0 ? "differs" : "the same", TEXT_ARGS(said));
    return CALL_DONE;
}
