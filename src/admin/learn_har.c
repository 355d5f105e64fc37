/* SPDX-License-Identifier: ISC */
/* learn_har.c: see learn_har.h. A HAR file has far more values than any other JSON here, so it is
 * scanned, and only one exchange at a time is parsed. */
#include "admin/learn_har.h"

#include "base/codec.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "model/mount.h"

enum { SCRATCH_MAX = 8 * 1024 * 1024, ENTRY_MAX = 2 * HTTP_RECORDING_MAX };

/* The text of the last entry of each kind. */
struct picked {
    struct text refresh, login, refused;
    char path[MOUNT_PATH_MAX + 1]; /* of the refresh */
};

static bool pick(struct arena *scratch, struct text har, struct picked *picked,
                 struct fault *fault);
static bool read_entry(struct arena *arena, struct text entry, struct learn_exchange *exchange);

static const struct learn_exchange *keep(struct arena *arena, struct text entry)
{
    struct learn_exchange *exchange = arena_alloc(arena, sizeof *exchange);

    return entry.size > 0 && exchange != NULL && read_entry(arena, entry, exchange) ? exchange
                                                                                    : NULL;
}

bool learn_har_read(struct arena *arena, struct text har, struct learn_input *input,
                    struct fault *fault)
{
    struct arena *scratch = arena_open(SCRATCH_MAX);
    struct picked picked = {.path = ""};
    bool found;

    if (scratch == NULL) {
        fault_set(fault, "out of memory");
        return false;
    }
    found = pick(scratch, har, &picked, fault);
    arena_close(scratch);
    if (!found) {
        return false;
    }
    const struct learn_exchange *refused = keep(arena, picked.refused);
    input->refresh = keep(arena, picked.refresh);
    input->login = keep(arena, picked.login);
    input->refusal = refused != NULL ? &refused->answer : NULL;
    if (input->refresh == NULL) {
        fault_set(fault, "no exchange in it is a refresh that was granted; record until the page "
                         "has renewed its token, and save the HAR with sensitive data");
    }
    return input->refresh != NULL;
}

/* Scans to the array log.entries. */
static bool find_entries(struct json_scan *scan, struct json_scan_value *entries)
{
    while (json_scan_next(scan, entries) != JSON_SCAN_END && entries->kind != JSON_SCAN_BAD) {
        if (entries->kind == JSON_SCAN_OPEN && entries->is_array && entries->depth == 2 &&
            text_is(entries->name, "entries")) {
            return true;
        }
    }
    return false;
}

/* First the refresh, then what was refused at the same path. */
static bool pick(struct arena *scratch, struct text har, struct picked *picked, struct fault *fault)
{
    for (int pass = 0; pass < 2; pass++) {
        struct json_scan_value value;
        struct json_scan scan;
        struct text entry;

        json_scan_start(&scan, har);
        if (!find_entries(&scan, &value)) {
            fault_set(fault, "not a HAR file: it has no log.entries");
            return false;
        }
        while (json_scan_next(&scan, &value) == JSON_SCAN_OPEN &&
               json_scan_whole(&scan, &value, &entry)) {
            arena_reset(scratch);
            struct learn_exchange *exchange = arena_alloc(scratch, sizeof *exchange);

            if (exchange == NULL || entry.size > ENTRY_MAX ||
                !read_entry(scratch, entry, exchange)) {
                continue;
            } else if (pass == 1) {
                bool refused = learn_is_refused(exchange, text_of(picked->path), scratch);

                picked->refused = refused ? entry : picked->refused;
            } else if (learn_is_login(exchange, scratch)) {
                picked->login = entry;
            } else if (learn_is_refresh(exchange, scratch) &&
                       text_copy(exchange->request.path, picked->path, sizeof picked->path)) {
                picked->refresh = entry;
            }
        }
    }
    return true;
}

/* ---- one entry ---- */

/* The object that is that member of an object, parsed. NULL: there is none. */
static const json_t *member_of(struct arena *arena, struct text object, const char *name)
{
    struct json_scan_value value;
    struct json_scan scan;
    struct text whole;

    json_scan_start(&scan, object);
    while (json_scan_next(&scan, &value) != JSON_SCAN_END && value.kind != JSON_SCAN_BAD) {
        if (value.kind == JSON_SCAN_OPEN && value.depth == 1 && text_is(value.name, name)) {
            return json_scan_whole(&scan, &value, &whole) ? json_in_object(arena, whole, NULL)
                                                          : NULL;
        }
    }
    return NULL;
}

static bool take_headers(struct arena *arena, const json_t *message,
                         struct http_recording *recording)
{
    const json_t *headers = json_object_get(message, "headers");

    for (size_t i = 0; i < json_array_size(headers); i++) {
        const json_t *header = json_array_get(headers, i);
        struct text name = {0}, value = {0};

        (void)json_in_text(header, "name", &name);
        (void)json_in_text(header, "value", &value);
        if (!http_recording_header(arena, name, value, recording, NULL)) {
            return false;
        }
    }
    return true;
}

/* The text of postData or content, which may be in base64. */
static bool take_body(struct arena *arena, const json_t *content, struct http_recording *recording)
{
    struct text text = {0}, encoding = {0}, type = {0};

    (void)json_in_text(content, "text", &text);
    (void)json_in_text(content, "encoding", &encoding);
    (void)json_in_text(content, "mimeType", &type);
    if (text_is(encoding, "base64")) {
        char *bytes = arena_alloc(arena, text.size + 1);
        size_t size = 0;

        if (bytes == NULL || !codec_base64_decode(text, bytes, text.size, &size)) {
            return false;
        }
        text = (struct text){bytes, size};
    }
    recording->is.body = text;
    if (recording->is.content_type.size == 0) {
        recording->is.content_type = type;
    }
    return text.size <= HTTP_RECORDING_MAX && text_is_utf8(text) &&
           text_find(text, '\0') == text.size;
}

static bool read_entry(struct arena *arena, struct text entry, struct learn_exchange *exchange)
{
    const json_t *request = member_of(arena, entry, "request");
    const json_t *response = member_of(arena, entry, "response");
    struct text method = {0}, url = {0};

    return json_in_text(request, "method", &method) == JSON_IN_TEXT &&
           json_in_text(request, "url", &url) == JSON_IN_TEXT &&
           http_recording_request(arena, method, url, &exchange->request, NULL) &&
           take_headers(arena, request, &exchange->request) &&
           take_body(arena, json_object_get(request, "postData"), &exchange->request) &&
           http_recording_answer(arena, json_integer_value(json_object_get(response, "status")),
                                 &exchange->answer, NULL) &&
           take_headers(arena, response, &exchange->answer) &&
           take_body(arena, json_object_get(response, "content"), &exchange->answer);
}
