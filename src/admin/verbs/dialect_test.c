/* SPDX-License-Identifier: ISC */
/* dialect_test.c: `retoken dialect test`: the recordings in a folder, NAME.request.http and
 * NAME.answer.http, through the one FILE.dialect beside them. Needs no installation; how they are
 * compared is dialect/replay.h. */
#include "admin/verbs/verbs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/dialect/input.h"
#include "admin/dialect/replay.h"

enum { PATH_ROOM = 1024 };

static enum call_end test_one(struct call *call, const struct dialect *dialect, const char *folder,
                              struct text name, size_t *differing);

static void add_one(struct json_out *out, struct text name,
                    const struct dialect_differences *differences);

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
    if (call->output.json && end == CALL_DONE) {
        json_out_array_open(&call->output.out);
    }
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
    } else if (end == CALL_DONE && call->output.json) {
        json_out_array_close(&call->output.out);
        output_json_end(&call->output);
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
    struct dialect_differences differences = {.count = 0};
    struct http_recording request, answer;
    char path[PATH_ROOM];
    struct fault fault;

    (void)snprintf(path, sizeof path, "%s/%.*s.request.http", folder, TEXT_ARGS(name));
    enum call_end end = dialect_input_request(call, path, &request);
    (void)snprintf(path, sizeof path, "%s/%.*s.answer.http", folder, TEXT_ARGS(name));
    end = end == CALL_DONE ? dialect_input_answer(call, path, &answer) : end;
    if (end != CALL_DONE) {
        return end;
    }
    if (!dialect_replay(dialect, &request, &answer, call->arena, &differences, &fault)) {
        differences = (struct dialect_differences){
            .rows = {{.what = fault.text, .recorded = TEXT("an answer")}}, .count = 1};
    }
    *differing += differences.count > 0;
    if (call->output.json) {
        add_one(&call->output.out, name, &differences);
        return CALL_DONE;
    }
    buffer_addf(&call->output.buffer, "%.*s: %s\n", TEXT_ARGS(name),
                differences.count > 0 ? "differs" : "the same");
    dialect_replay_tell(&differences, &call->output.buffer);
    return CALL_DONE;
}

static void add_one(struct json_out *out, struct text name,
                    const struct dialect_differences *differences)
{
    json_out_open(out);
    json_out_member(out, "name", name);
    json_out_key(out, "same");
    json_out_bool(out, differences->count == 0);
    json_out_key(out, "differences");
    json_out_array_open(out);
    for (size_t i = 0; i < differences->count; i++) {
        const struct dialect_difference *row = &differences->rows[i];

        json_out_open(out);
        json_out_member(out, "what", text_of(row->what));
        if (row->byte > 0) {
            json_out_member_int(out, "byte", (int64_t)row->byte);
        }
        json_out_member(out, "recorded", row->recorded);
        json_out_member(out, "answered", row->answered);
        json_out_close(out);
    }
    json_out_array_close(out);
    json_out_key(out, "headers_not_set");
    json_out_array_open(out);
    for (size_t i = 0; i < differences->unset_count; i++) {
        json_out_text(out, differences->unset[i]);
    }
    json_out_array_close(out);
    json_out_close(out);
}
