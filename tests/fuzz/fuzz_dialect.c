/* SPDX-License-Identifier: ISC */
/* fuzz_dialect.c: any bytes as the file of a dialect. Properties: it is a dialect, or the fault
 * names the file and a line of it; what was made can answer every outcome, no refusal like a grant,
 * and no answer holds what the request's own texts would break out of. */
#include "fuzz/fuzz.h"
#include "process/dialect_file.h"

#define NAME "acme.dialect"

/* Is JSON still JSON, whatever is put into it? */
static void check_answer(const struct http_response *response, struct arena *arena)
{
    struct buffer buffer;
    struct text whole;

    FUZZ_ASSERT(response->status >= 200 && response->status < 600);
    FUZZ_ASSERT(response->status < 300 || response->status >= 400);
    for (size_t i = 0; i < response->header_count; i++) {
        FUZZ_ASSERT(!text_has_control(response->headers[i].value));
        if (text_is(response->headers[i].name, "Content-Type") &&
            text_is(response->headers[i].value, "application/json") && response->body.size > 0) {
            buffer_start(&buffer, arena, response->body.size + 16);
            buffer_add_c(&buffer, "{\"\":");
            buffer_add(&buffer, response->body);
            buffer_add_c(&buffer, "\n}");
            FUZZ_ASSERT(buffer_finish(&buffer, &whole));
            FUZZ_ASSERT(json_in_object(arena, whole, NULL) != NULL);
        }
    }
}

static void answer_all(const struct dialect *dialect, const struct endpoint *endpoint,
                       struct arena *arena)
{
    const struct text hard = TEXT("\"\\\",\"x\":\"\r\n\xc3\xa4</a>");
    struct realm realm = {.dialect = dialect, .policy = dialect->policy};
    struct mount mount = {.endpoint = endpoint, .realm = &realm};
    struct http_exchange http = {.request = {.method = HTTP_POST,
                                             .method_name = hard,
                                             .content_type = TEXT("application/json"),
                                             .body = TEXT("{\"a\":\"b\"}")}};

    for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
        struct request request = {.http = &http, .arena = arena, .mount = &mount, .realm = &realm};
        enum outcome refusal = (enum outcome)outcome;
        bool understood = dialect_decode(&request, &refusal);

        request.answer = (struct answer){.access_token = hard,
                                         .refresh_token = hard,
                                         .scope = hard,
                                         .roles = hard,
                                         .username = hard,
                                         .now_ms = INT64_C(1500000000000),
                                         .session_expires_ms = INT64_C(1500000090000)};
        if (!outcome_is_grant((enum outcome)outcome)) {
            refusal = (enum outcome)outcome;
        } else if (understood) {
            refusal = OUTCOME_ROTATED;
        }
        dialect_respond(&request, refusal);
        check_answer(&http.response, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = fuzz_arena(4 << 20);
    struct fault fault = {0};
    const struct dialect *dialect =
        dialect_file_read(TEXT("acme"), NAME, fuzz_text(data, size), arena, &fault);

    if (dialect == NULL) {
        fuzz_check_fault(text_of(fault.text), NAME, fuzz_text(data, size));
        return 0;
    }
    FUZZ_ASSERT(fault.text[0] == '\0');
    FUZZ_ASSERT(dialect->endpoint_count > 0);
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        answer_all(dialect, &dialect->endpoints[i], arena);
    }
    return 0;
}
