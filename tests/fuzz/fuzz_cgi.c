/* SPDX-License-Identifier: ISC */
/* fuzz_cgi.c: any list of CGI variables, one a line, as an HTTP request. Properties: every text of
 * the request lies in the list or the arena; header names are in lower case, none is `proxy`; a
 * repeated variable that must be single is malformed; the content length is a number or refused; a
 * small arena makes it fail and nothing else. */
#include <string.h>

#include "fuzz/fuzz.h"
#include "http/request.h"

enum { VARIABLES_MAX = 512 };

/* Cuts the lines of *lines into C strings. */
static void split_lines(char *lines, const char *variables[VARIABLES_MAX + 1])
{
    size_t count = 0;

    for (char *line = lines; line != NULL && count < VARIABLES_MAX;) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        variables[count++] = line;
        line = end == NULL ? NULL : end + 1;
    }
    variables[count] = NULL;
}

static size_t count_named(const char *const *variables, const char *name)
{
    size_t count = 0;

    for (; *variables != NULL; variables++) {
        struct text value = text_of(*variables);
        count += text_is(text_split(&value, '='), name);
    }
    return count;
}

static void check_headers(const struct http_request *request, struct text list)
{
    FUZZ_ASSERT(request->header_count <= HTTP_HEADERS_MAX);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        struct text value;

        FUZZ_ASSERT(header->name.size > 0 && fuzz_inside(header->value, list));
        FUZZ_ASSERT(text_find(header->name, '_') == header->name.size);
        FUZZ_ASSERT(!text_is(header->name, "proxy"));
        for (size_t j = 0; j < header->name.size; j++) {
            FUZZ_ASSERT(header->name.data[j] < 'A' || header->name.data[j] > 'Z');
        }
        if (text_is(header->name, "cookie") && header->value.size > 0) { /* there may be several */
            FUZZ_ASSERT(http_header(request, "cookie", &value) != HTTP_ABSENT ||
                        request->malformed);
        }
    }
}

static void check_length(const struct http_request *request, size_t count)
{
    switch (request->length_state) {
    case HTTP_LENGTH_ABSENT:
        FUZZ_ASSERT(count <= 1);
        break;
    case HTTP_LENGTH_GIVEN:
        FUZZ_ASSERT(count == 1 && request->length <= INT32_MAX);
        break;
    case HTTP_LENGTH_BAD:
        FUZZ_ASSERT(count >= 1);
        break;
    }
}

static void check_request(const struct http_request *request, const char *const *variables,
                          struct text list)
{
    static const char *const single[] = {"REQUEST_METHOD", "SCRIPT_NAME",    "PATH_INFO",
                                         "CONTENT_TYPE",   "CONTENT_LENGTH", "HTTP_AUTHORIZATION"};

    for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
        FUZZ_ASSERT(request->malformed || count_named(variables, single[i]) < 2);
    }
    FUZZ_ASSERT(fuzz_inside(request->method_name, list) && fuzz_inside(request->query, list));
    FUZZ_ASSERT(fuzz_inside(request->script_name, list) && fuzz_inside(request->path_info, list));
    FUZZ_ASSERT(fuzz_inside(request->content_type, list));
    FUZZ_ASSERT(fuzz_inside(request->remote_address, list));
    FUZZ_ASSERT((request->method == HTTP_POST) == text_is(request->method_name, "POST"));
    check_headers(request, list);
    check_length(request, count_named(variables, "CONTENT_LENGTH"));
    FUZZ_ASSERT(request->content_type.size > 0 ||
                !http_media_is(request->content_type, "application/json"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text lines = {.data = malloc(size + 1), .size = size};
    const char *variables[VARIABLES_MAX + 1];
    struct http_request request;

    FUZZ_ASSERT(lines.data != NULL);
    memcpy((char *)(uintptr_t)lines.data, size > 0 ? data : (const uint8_t *)"", size);
    ((char *)(uintptr_t)lines.data)[size] = '\0';
    uint64_t random = fuzz_hash(lines);
    split_lines((char *)(uintptr_t)lines.data, variables);

    FUZZ_ASSERT(http_request_from_cgi(fuzz_arena(1 << 20), variables, &request));
    check_request(&request, variables, lines);
    bool malformed = request.malformed;

    if (http_request_from_cgi(fuzz_arena(fuzz_random(&random, 8192)), variables, &request)) {
        FUZZ_ASSERT(request.malformed == malformed);
    }
    free((char *)(uintptr_t)lines.data);
    return 0;
}
