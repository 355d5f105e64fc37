/* SPDX-License-Identifier: ISC */
/* fuzz_oauth_page.c: any bytes as what a browser brings along: the query of /oauth/authorize, and
 * the query and form of /oauth/device. Properties: a request is read, or refused with an outcome
 * that is no grant; whatever an operation says of it, the answer can be written, and nothing that
 * came along opens a tag in a page. */
#include <string.h>

#include "dialect/dialect.h"
#include "fuzz/fuzz.h"
#include "http/exchange.h"
#include "model/mount.h"

static const enum outcome outcomes[] = {OUTCOME_SERVED,
                                        OUTCOME_AUTHORIZED,
                                        OUTCOME_SCOPE_INVALID,
                                        OUTCOME_CLIENT_UNAUTHORIZED,
                                        OUTCOME_SLOWED,
                                        OUTCOME_USER_CODE_WRONG,
                                        OUTCOME_FAULT,
                                        OUTCOME_REMOTE_USER_UNKNOWN,
                                        OUTCOME_CLIENT_AUTH_FAILED};

/* As the operation would repeat it. */
static void fill_answer(struct answer *answer, struct text input)
{
    *answer = (struct answer){.now_ms = 1700000000,
                              .client = text_cut(input, 64),
                              .scope = text_cut(input, 64),
                              .username = text_cut(input, 64),
                              .user_code = TEXT("WDJB-MJHT"),
                              .form = TEXT("1500000000.mac"),
                              .code = TEXT("a-code"),
                              .redirect_uri = TEXT("https://app.example/done?from=login")};
}

static bool opens_tag(struct text page)
{
    for (size_t i = 0; i + 7 <= page.size; i++) {
        if (memcmp(page.data + i, "<script", 7) == 0) {
            return true;
        }
    }
    return false;
}

static void ask(const char *name, enum http_method method, struct text query, struct text body)
{
    const struct dialect *dialect = &oauth_dialect;

    for (size_t i = 0; i < sizeof outcomes / sizeof outcomes[0]; i++) {
        struct arena *arena = fuzz_arena(1 << 20);
        struct http_exchange http = {.arena = arena};
        static struct realm realm;
        static struct mount mount;
        struct request request = {.arena = arena};
        enum outcome outcome = outcomes[i], refusal = OUTCOME_FAULT;
        struct buffer buffer;

        memset(&realm, 0, sizeof realm);
        realm.dialect = dialect;
        realm.policy = dialect->policy;
        (void)text_copy(TEXT("https://login.example"), realm.issuer, sizeof realm.issuer);
        mount =
            (struct mount){.realm = &realm, .endpoint = dialect_endpoint(dialect, text_of(name))};
        FUZZ_ASSERT(mount.endpoint != NULL);
        (void)text_copy(text_of(mount.endpoint->path), mount.path, sizeof mount.path);
        http.request =
            (struct http_request){.method = method,
                                  .method_name = method == HTTP_GET ? TEXT("GET") : TEXT("POST"),
                                  .script_name = text_of(mount.path),
                                  .query = query,
                                  .remote_user = TEXT("ada"),
                                  .auth_type = TEXT("Basic"),
                                  .body_state = HTTP_BODY_WHOLE,
                                  .body = body};
        request.http = &http;
        request.mount = &mount;
        request.realm = &realm;
        if (!dialect_decode(&request, &refusal)) {
            FUZZ_ASSERT(!outcome_is_grant(refusal));
            outcome = refusal;
        } else {
            fill_answer(&request.answer, body.size > 0 ? body : query);
        }
        dialect_respond(&request, outcome);
        buffer_start(&buffer, arena, 4096);
        FUZZ_ASSERT(http_response_write(&http.response, &buffer));
        FUZZ_ASSERT(http.response.status >= 200 && http.response.status <= 599);
        FUZZ_ASSERT(!opens_tag(http.response.body));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text input = fuzz_text(data, size), none = {0};

    ask("authorize", HTTP_GET, input, none);
    ask("device", HTTP_GET, input, none);
    ask("device", HTTP_POST, none, input);
    return 0;
}
