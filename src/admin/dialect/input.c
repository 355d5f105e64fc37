/* SPDX-License-Identifier: ISC */
/* input.c: see input.h. */
#include "admin/dialect/input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "process/dialect_file.h"
#include "process/dialects.h"

enum { DIALECT_SIZE_MAX = 256 * 1024 };

static struct text name_of(const char *path);
static enum call_end read_recording(struct call *call, const char *path,
                                    struct http_recording *recording);

enum call_end dialect_input_read(struct call *call, const char *path, size_t most,
                                 struct text *bytes)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int file = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct buffer buffer;
    char piece[16 * 1024];
    ssize_t got = 1;
    struct fault fault;

    if (file < 0) {
        return call_refuse(call, "%s: %s", path, strerror(errno));
    }
    buffer_start(&buffer, call->arena, sizeof piece);
    while (got > 0 && buffer.size <= most) {
        got = read(file, piece, sizeof piece);
        buffer_add(&buffer, (struct text){piece, got > 0 ? (size_t)got : 0});
    }
    int error = errno;
    if (!is_stdin) {
        close(file);
    }
    if (got < 0) {
        return call_refuse(call, "%s: %s", path, strerror(error));
    } else if (buffer.size > most) {
        return call_refuse(call, "%s: larger than %zu KiB", path, most / 1024);
    } else if (!buffer_finish(&buffer, bytes)) {
        fault_set(&fault, "%s: out of memory", path);
        return call_fault(call, &fault);
    }
    return CALL_DONE;
}

enum call_end dialect_input_dialect(struct call *call, const char *path,
                                    const struct dialect **dialect)
{
    struct text contents;
    struct fault fault;
    bool is_name = dialect_file_is_name(text_of(path)) && access(path, F_OK) != 0;

    *dialect = is_name ? dialects_find(text_of(path)) : NULL;
    if (*dialect != NULL) {
        return (*dialect)->endpoints[0].described != NULL
                   ? CALL_DONE
                   : call_refuse(call, "%s: written in C; `retoken dialects %s` lists its paths",
                                 path, path);
    }
    enum call_end end = dialect_input_read(call, path, DIALECT_SIZE_MAX, &contents);

    if (end != CALL_DONE) {
        return end;
    }
    *dialect = dialect_file_read(name_of(path), path, contents, call->arena, &fault);
    return *dialect != NULL ? CALL_DONE : call_refuse(call, "%s", fault.text);
}

/* "acme" of "/etc/retoken/acme.dialect"; any name will do where that is none. */
static struct text name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct text name = text_of(slash != NULL ? slash + 1 : path);

    name = text_cut(name, text_find(name, '.'));
    return dialect_file_is_name(name) ? name : TEXT("dialect");
}

enum call_end dialect_input_request(struct call *call, const char *path,
                                    struct http_recording *recording)
{
    enum call_end end = read_recording(call, path, recording);

    return end == CALL_DONE && recording->status != 0
               ? call_refuse(call, "%s: an answer, where a request should be", path)
               : end;
}

enum call_end dialect_input_answer(struct call *call, const char *path,
                                   struct http_recording *recording)
{
    enum call_end end = read_recording(call, path, recording);

    return end == CALL_DONE && recording->status == 0
               ? call_refuse(call, "%s: a request, where an answer should be", path)
               : end;
}

static enum call_end read_recording(struct call *call, const char *path,
                                    struct http_recording *recording)
{
    struct text bytes;
    struct fault fault;
    enum call_end end = dialect_input_read(call, path, HTTP_RECORDING_MAX, &bytes);

    if (end == CALL_DONE && !http_recording_read(call->arena, bytes, recording, &fault)) {
        return call_refuse(call, "%s: %s", path, fault.text);
    }
    return end;
}
