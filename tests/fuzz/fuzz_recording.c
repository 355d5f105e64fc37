/* SPDX-License-Identifier: ISC */
/* fuzz_recording.c: any bytes as a recorded HTTP message, and as JSON to be scanned. Properties: a
 * message is a request with a method and a path or an answer with a status, its header names are in
 * lower case, its body is UTF-8 and lies in the file or is put together of it; a fault says
 * something; a scan ends, each value lies in the text, and JSON that the gate takes is no bad scan
 * unless it is nested too deeply. */
#include "base/json.h"
#include "base/json_scan.h"
#include "fuzz/fuzz.h"
#include "http/recording.h"

static void check_message(const struct http_recording *recording)
{
    const struct http_request *is = &recording->is;

    FUZZ_ASSERT(recording->status == 0 || (recording->status >= 200 && recording->status <= 599));
    FUZZ_ASSERT(recording->status != 0 || (is->method_name.size > 0 && is->uri.size > 0));
    FUZZ_ASSERT(text_find(recording->path, '?') == recording->path.size);
    FUZZ_ASSERT(text_is_utf8(is->body) && text_find(is->body, '\0') == is->body.size);
    FUZZ_ASSERT(is->header_count <= HTTP_HEADERS_MAX);
    for (size_t i = 0; i < is->header_count; i++) {
        for (size_t j = 0; j < is->headers[i].name.size; j++) {
            char c = is->headers[i].name.data[j];

            FUZZ_ASSERT(c > 0x20 && (c < 'A' || c > 'Z'));
        }
    }
}

static void check_scan(struct text text)
{
    struct json_scan scan;
    struct json_scan_value value;
    size_t last = 0, count = 0, deepest = 0;

    json_scan_start(&scan, text);
    while (json_scan_next(&scan, &value) != JSON_SCAN_END && value.kind != JSON_SCAN_BAD) {
        FUZZ_ASSERT(value.start >= last && value.end > value.start && value.end <= text.size);
        FUZZ_ASSERT(value.depth <= JSON_SCAN_DEPTH_MAX);
        FUZZ_ASSERT(fuzz_inside(value.name, text));
        deepest = value.depth > deepest ? value.depth : deepest;
        last = value.end;
        FUZZ_ASSERT(++count <= text.size);
    }
    FUZZ_ASSERT(json_scan_next(&scan, &value) == JSON_SCAN_END || value.kind == JSON_SCAN_BAD);
    if (value.kind == JSON_SCAN_BAD && deepest + 1 < JSON_SCAN_DEPTH_MAX) {
        FUZZ_ASSERT(json_in_object(fuzz_arena(1 << 20), text, NULL) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = fuzz_text(data, size);
    struct http_recording recording;
    struct fault fault = {""};

    if (http_recording_read(fuzz_arena(1 << 20), text, &recording, &fault)) {
        check_message(&recording);
        check_scan(recording.is.body);
    } else {
        FUZZ_ASSERT(fault.text[0] != '\0');
    }
    check_scan(text);
    return 0;
}
