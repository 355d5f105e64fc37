/* SPDX-License-Identifier: ISC */
/* test_dialect.c: the dialects against their golden files: every case from CGI variables to
 * response bytes, every outcome in both behaviours; and what the table of dialects must be. The
 * operation is played by the test: a dialect sees only its ask and its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/codec.h"
#include "dialect/dialect.h"
#include "process/dialects.h"
#include "dialect/golden.h"
#include "dialect/known_issuer.h"

enum { ARENA_ROOM = 4 * 1024 * 1024, VARIABLES_MAX = 64, MOUNTS_ROOM = 32 };

/* A known moment: 2017-07-14 02:40:00 UTC. */

static struct arena *arena;

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(ARENA_ROOM);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(arena);
    return 0;
}

/* ---- one case ---- */

struct trial {
    struct http_exchange http;
    struct realm realm;
    struct mount mount;
    struct mount others[MOUNTS_ROOM]; /* the dialect's endpoints and the key set */
    struct mounts mounts;
    struct text mounted; /* which of them are there; "" = all */
    struct request request;
    bool understood;
    enum outcome outcome; /* the refusal, or what the operation says */
    struct answer answer;
};

static void fill_mount(struct trial *trial, const struct dialect *dialect)
{
    trial->realm = (struct realm){.dialect = dialect, .policy = dialect->policy};
    trial->mount = (struct mount){.endpoint = &dialect->endpoints[0]};
    assert_true(text_copy(text_of(dialect->endpoints[0].path), trial->mount.path,
                          sizeof trial->mount.path));
    assert_true(
        text_copy(text_of(dialect->issuer), trial->realm.issuer, sizeof trial->realm.issuer));
    assert_true(
        text_copy(text_of(dialect->audience), trial->realm.audience, sizeof trial->realm.audience));
}

static void add_other(struct trial *trial, const struct endpoint *endpoint,
                      const struct realm *realm)
{
    struct mount *mount = &trial->others[trial->mounts.count];

    if (trial->mounted.size > 0 && !text_has_word(trial->mounted, text_of(endpoint->name))) {
        return;
    }
    assert_true(trial->mounts.count < MOUNTS_ROOM);
    *mount = (struct mount){.endpoint = endpoint, .realm = realm};
    assert_true(text_copy(text_of(endpoint->path), mount->path, sizeof mount->path));
    trial->mounts.count++;
}

static void fill_others(struct trial *trial)
{
    static const struct realm public = {.dialect = &wellknown_dialect};
    const struct dialect *dialect = trial->realm.dialect;

    trial->mounts = (struct mounts){.all = trial->others, .prefix = ""};
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        add_other(trial, &dialect->endpoints[i], &trial->realm);
    }
    add_other(trial, dialect_endpoint(&wellknown_dialect, TEXT("jwks")), &public);
    trial->realm.mounts = &trial->mounts;
}

/* A trial may have been copied since. */
static void bind(struct trial *trial)
{
    fill_others(trial);
    trial->mount.realm = &trial->realm;
    trial->request.http = &trial->http;
    trial->request.mount = &trial->mount;
    trial->request.realm = &trial->realm;
    trial->request.arena = arena;
    trial->request.issuer = &known_issuer;
}

static struct answer usual_answer(void)
{
    return (struct answer){.access_token = TEXT("new.access.token"),
                           .refresh_token = TEXT("next-refresh-token"),
                           .now_ms = NOW_MS,
                           .expires_at_s = NOW_MS / CLOCK_SECOND + 3600,
                           .expires_in_s = 3600,
                           .session_expires_ms = NOW_MS + INT64_C(30) * CLOCK_DAY,
                           .username = TEXT("ada"),
                           .subject = TEXT("ada"),
                           .roles = TEXT("ROLE_USER"),
                           .granted = TEXT("read write"),
                           .key_set = TEXT("{\"keys\":[]}"),
                           .public_keys = TEXT("{\"k1\":\"PEM 1\",\"k2\":\"PEM 2\"}"),
                           .public_key = TEXT("PEM 2"),
                           .metrics = TEXT("retoken_build_info 1\n")};
}

static enum outcome outcome_of(struct text word)
{
    enum outcome outcome = OUTCOME_FAULT;

    if (!outcome_parse(word, &outcome)) {
        fail_msg("no outcome %.*s", TEXT_ARGS(word));
    }
    return outcome;
}

static int64_t number_of(struct text t)
{
    uint64_t value = 0;

    assert_true(text_to_u64(t, INT64_MAX, &value));
    return (int64_t)value;
}

static enum http_body body_state_of(struct text word)
{
    static const char *const words[] = {
        [HTTP_BODY_WHOLE] = "whole",
        [HTTP_BODY_TOO_LARGE] = "too-large",
        [HTTP_BODY_CUT_SHORT] = "cut-short",
        [HTTP_BODY_NO_LENGTH] = "no-length",
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_is(word, words[i])) {
            return (enum http_body)i;
        }
    }
    fail_msg("no body state %.*s", TEXT_ARGS(word));
    return HTTP_BODY_WHOLE;
}

static enum store_readiness readiness_of(struct text word)
{
    static const char *const words[] = {
        [STORE_READY] = "ready",
        [STORE_COMMIT_WAITS] = "commit-waits",
        [STORE_FULL] = "full",
        [STORE_READ_ONLY] = "read-only",
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text_is(word, words[i])) {
            return (enum store_readiness)i;
        }
    }
    fail_msg("no readiness %.*s", TEXT_ARGS(word));
    return STORE_READY;
}

/* What a case says besides the request. */
struct script {
    bool authorizes;
    enum http_body body_state;
    const char *path;
    bool has_outcome;
};

/* "NAME VALUE": a setting of the dialect's own. */
static void set_own(struct realm *realm, struct text value)
{
    struct text name = text_split(&value, ' ');
    const struct dialect_setting *setting = realm->dialect->settings;

    while (!text_is(name, setting->name)) {
        setting++;
        assert_non_null(setting->name);
    }
    assert_true(setting->take(realm, value));
}

static void obey(struct text line, struct trial *trial, struct script *script)
{
    struct text value = line;
    struct text word = text_split(&value, ' ');
    struct answer *answer = &trial->answer;

    if (text_is(word, "@behaviour")) {
        assert_true(text_is(value, "deployed"));
        trial->realm.behaviour = BEHAVIOUR_DEPLOYED;
    } else if (text_is(word, "@path")) {
        assert_true(text_copy(value, trial->mount.path, sizeof trial->mount.path));
    } else if (text_is(word, "@endpoint")) {
        trial->mount.endpoint = dialect_endpoint(trial->realm.dialect, value);
        assert_non_null(trial->mount.endpoint);
        assert_true(text_copy(text_of(trial->mount.endpoint->path), trial->mount.path,
                              sizeof trial->mount.path));
    } else if (text_is(word, "@readiness")) {
        answer->readiness = readiness_of(value);
    } else if (text_is(word, "@issuer")) {
        assert_true(text_copy(value, trial->realm.issuer, sizeof trial->realm.issuer));
        trial->realm.issuer_is_own = true;
    } else if (text_is(word, "@resources")) {
        assert_true(text_copy(value, trial->realm.targets, sizeof trial->realm.targets));
    } else if (text_is(word, "@certificates")) {
        trial->realm.client_certificates = true;
    } else if (text_is(word, "@mounted")) {
        trial->mounted = value;
    } else if (text_is(word, "@grants")) {
        while (value.size > 0) {
            trial->realm.policy.grants |= policy_grant_find(text_word(&value));
        }
    } else if (text_is(word, "@algorithm")) {
        assert_true(signing_algorithm_parse(value, &trial->realm.policy.algorithm));
    } else if (text_is(word, "@origins")) {
        assert_true(text_copy(value, trial->realm.origins, sizeof trial->realm.origins));
    } else if (text_is(word, "@set")) {
        set_own(&trial->realm, value);
    } else if (text_is(word, "@body")) {
        script->body_state = body_state_of(value);
    } else if (text_is(word, "@authorizer")) {
        script->authorizes = true;
    } else if (text_is(word, "@outcome")) {
        trial->outcome = outcome_of(value);
        script->has_outcome = true;
    } else if (text_is(word, "@access_token")) {
        answer->access_token = value;
    } else if (text_is(word, "@bound")) {
        answer->bound = true;
    } else if (text_is(word, "@challenge")) {
        answer->challenge = value;
    } else if (text_is(word, "@dpop_nonce")) {
        answer->dpop_nonce = value;
    } else if (text_is(word, "@refresh_token")) {
        answer->refresh_token = value;
    } else if (text_is(word, "@session")) {
        answer->session_known = codec_uuid_parse(value, answer->session);
        assert_true(answer->session_known);
    } else if (text_is(word, "@expires_at")) {
        answer->expires_at_s = number_of(value);
    } else if (text_is(word, "@expires_in")) {
        answer->expires_in_s = number_of(value);
    } else if (text_is(word, "@username")) {
        answer->username = value;
    } else if (text_is(word, "@client")) {
        answer->client = value;
    } else if (text_is(word, "@payload")) {
        answer->payload = json_in_object(arena, value, NULL);
        assert_non_null(answer->payload);
    } else if (text_is(word, "@claims")) {
        answer->claims = json_in_object(arena, value, NULL);
        assert_non_null(answer->claims);
    } else if (text_is(word, "@roles")) {
        answer->roles = value;
    } else if (text_is(word, "@scope")) {
        answer->scope = value;
        answer->scope_narrowed = true;
    } else if (text_is(word, "@granted")) {
        answer->granted = text_is(value, "nothing") ? (struct text){0} : value;
    } else if (text_is(word, "@last_login")) {
        answer->last_login_ms = number_of(value);
    } else if (text_is(word, "@redirect_uri")) {
        answer->redirect_uri = value;
    } else if (text_is(word, "@code")) {
        answer->code = value;
    } else if (text_is(word, "@device_code")) {
        answer->device_code = value;
    } else if (text_is(word, "@user_code")) {
        answer->user_code = value;
    } else if (text_is(word, "@interval")) {
        answer->interval_s = number_of(value);
    } else if (text_is(word, "@form")) {
        answer->form = value;
    } else if (text_is(word, "@client")) {
        answer->client = value;
    } else if (text_is(word, "@own_sessions")) {
        static const struct own_session rows[] = {{"0199a5b0-0000-7000-8000-000000000001",
                                                   {"web", 3},
                                                   {"", 0},
                                                   {"read", 4},
                                                   1700000000000,
                                                   1700003600000,
                                                   1702592000000,
                                                   true},
                                                  {"0199a5b0-0000-7000-8000-000000000002",
                                                   {"", 0},
                                                   {"Ada's \"phone\"", 13},
                                                   {"", 0},
                                                   1700000000000,
                                                   1700000000000,
                                                   0,
                                                   false}};

        answer->own_sessions = rows;
        answer->own_session_count = 2;
    } else if (text_is(word, "@ends_at_latest")) {
        answer->session_ends_ms = number_of(value);
    } else if (text_is(word, "@session_ends")) {
        answer->session_expires_ms = number_of(value);
    } else {
        fail_msg("what is %.*s?", TEXT_ARGS(word));
    }
}

/* Reads a request file. The variables the server always sets come from the mount. */
static void read_case(struct text file, struct trial *trial)
{
    const char *variables[VARIABLES_MAX] = {0};
    struct script script = {.body_state = HTTP_BODY_WHOLE};
    size_t count = 0;

    while (file.size > 0) {
        struct text line = text_split(&file, '\n');

        if (line.size == 0) {
            break;
        } else if (line.data[0] == '@') {
            obey(line, trial, &script);
        } else {
            assert_true(count + 2 < VARIABLES_MAX);
            variables[count++] = arena_c_string(arena, line);
        }
    }
    if (file.size > 0 && file.data[file.size - 1] == '\n') {
        file.size--;
    }
    if (!script.has_outcome) {
        trial->outcome = trial->realm.policy.rotate ? OUTCOME_ROTATED : OUTCOME_RENEWED;
    }
    variables[count] = arena_alloc(arena, sizeof trial->mount.path + 16);
    (void)snprintf((char *)(uintptr_t)variables[count], sizeof trial->mount.path + 16,
                   "SCRIPT_NAME=%s", trial->mount.path);
    assert_true(http_request_from_cgi(arena, variables, &trial->http.request));
    trial->http.request.body = file;
    trial->http.request.body_state = script.body_state;
    trial->http.request.authorizes = script.authorizes;
}

static void decode(struct trial *trial)
{
    enum outcome refusal = OUTCOME_FAULT;

    trial->request = (struct request){0};
    bind(trial);
    trial->understood = dialect_decode(&trial->request, &refusal);
    if (!trial->understood) {
        trial->outcome = refusal;
    } else {
        trial->request.answer = trial->answer;
    }
}

static void respond(struct trial *trial, struct http_response *response, struct text *bytes)
{
    struct buffer buffer;

    bind(trial);
    memset(&trial->http.response, 0xa5, sizeof trial->http.response);
    dialect_respond(&trial->request, trial->outcome);
    *response = trial->http.response;
    assert_false(response->failed);
    buffer_start(&buffer, arena, 4096);
    assert_true(http_response_write(response, &buffer));
    assert_true(buffer_finish(&buffer, bytes));
}

/* ---- what was understood, as text ---- */

static void show_text(struct buffer *out, const char *name, bool given, struct text value)
{
    if (given || value.size > 0) {
        buffer_addf(out, "  %s: ", name);
        golden_show(out, value);
        buffer_add_c(out, "\n");
    }
}

static const char *proof_word(enum client_proof_kind proof)
{
    switch (proof) {
    case CLIENT_PROOF_NONE:
        return "";
    case CLIENT_PROOF_BASIC:
        return "basic";
    case CLIENT_PROOF_BODY:
        return "body";
    case CLIENT_PROOF_ASSERTION:
        return "assertion";
    }
    return "?";
}

static void show_client(struct buffer *out, const struct client_proof *client)
{
    show_text(out, "client_proof", false, text_of(proof_word(client->kind)));
    show_text(out, "client_id", false, client->id);
    show_text(out, "client_secret", false, client->secret);
    show_text(out, "client_raw_id", client->raw_given, client->raw_id);
    show_text(out, "client_raw_secret", client->raw_given, client->raw_secret);
    show_text(out, "client_assertion", false, client->assertion);
    show_text(out, "endpoint_path", false, client->endpoint_path);
    show_text(out, "client_bound", false, client->bound ? TEXT("yes") : TEXT(""));
}

static void show_ask(struct buffer *out, const struct request *request)
{
    buffer_add_c(out, "ask\n");
    if (request->operation != &operation_refresh && request->operation != &operation_login) {
        buffer_addf(out, "  operation: %s\n", request->operation->word);
    }
    show_text(out, "targets", false, request->targets);
    show_text(out, "dpop", false, request->possession.dpop);
    show_text(out, "certificate", false, request->possession.pem);
    show_text(out, "verified", false, request->possession.verified ? TEXT("yes") : TEXT(""));
    show_text(out, "by_browser", false, text_of(request->possession.by_browser ? "yes" : ""));
    show_text(out, "response", false, request->possession.response);
    show_text(out, "method", false, request->possession.method);
    show_text(out, "path", false, request->possession.path);
    if (request->operation == &operation_refresh || request->operation == &operation_logout ||
        request->operation == &operation_verify || request->operation == &operation_check ||
        request->operation == &operation_validate) {
        const struct refresh_input *input = &request->input.refresh;

        for (size_t i = 0; i < input->candidate_count; i++) {
            show_text(out, i < input->preferred_count ? "preferred candidate" : "candidate", true,
                      input->candidates[i]);
        }

        show_text(out, "refresh_token", true, input->refresh_token);
        show_client(out, &request->client);
        show_text(out, "scope", input->scope_given, input->scope);
        show_text(out, "username", input->username_given, input->username);
        show_text(out, "access_token", input->access_token_given, input->access_token);
        show_text(out, "everywhere", false, text_of(input->everywhere ? "yes" : ""));
        show_text(out, "silent", false, text_of(input->silent ? "yes" : ""));
        show_text(out, "by_access_token", false, text_of(input->by_access_token ? "yes" : ""));
    } else if (request->operation == &operation_login) {
        const struct login_input *input = &request->input.login;

        show_text(out, "refresh_token", input->bearer_given, input->bearer);
        show_client(out, &request->client);
        show_text(out, "scope", input->scope_given, input->scope);
        show_text(out, "username", true, input->username);
        show_text(out, "password", true, input->password);
    } else if (request->operation == &operation_authorize) {
        const struct authorize_input *input = &request->input.authorize;

        show_text(out, "remote_user", true, request->remote_user);
        show_text(out, "client_id", true, input->client_id);
        show_text(out, "redirect_uri", false, input->redirect_uri);
        show_text(out, "scope", false, input->scope);
        show_text(out, "state", false, input->state);
        show_text(out, "tell", false,
                  input->refused ? text_of(outcome_word(input->refusal)) : TEXT(""));
    } else if (request->operation == &operation_code) {
        const struct code_input *input = &request->input.code;

        show_text(out, "code", true, input->code);
        show_text(out, "redirect_uri", false, input->redirect_uri);
        show_text(out, "code_verifier", true, input->verifier);
        show_client(out, &request->client);
    } else if (request->operation == &operation_own_sessions) {
        const struct own_sessions_input *input = &request->input.own_sessions;

        show_text(out, "access_token", true, input->access_token);
        show_text(out, "ends", input->ends, input->session);
    } else if (request->operation == &operation_revoke) {
        const struct revoke_input *input = &request->input.revoke;

        show_text(out, "any", false, input->any ? TEXT("yes") : TEXT(""));
        show_text(out, "access_token", false, input->access_token);
        show_text(out, "refresh_token", false, input->refresh_token);
        show_text(out, "session", false, input->session);
        show_text(out, "user", false, input->user);
        show_text(out, "client", false, input->client);
    } else if (request->operation == &operation_dbsc_start) {
        show_text(out, "remote_user", true, request->remote_user);
    } else if (request->operation == &operation_session) {
        show_text(out, "remote_user", true, request->remote_user);
        show_client(out, &request->client);
        show_text(out, "scope", false, request->input.session.scope);
    } else if (request->operation == &operation_client) {
        const struct client_input *input = &request->input.client;

        show_client(out, &request->client);
        show_text(out, "scope", input->scope_given, input->scope);
        show_text(out, "session", false, input->begins_session ? TEXT("yes") : TEXT(""));
    } else if (request->operation == &operation_device ||
               request->operation == &operation_device_grant) {
        show_client(out, &request->client);
        show_text(out, "scope", false, request->input.device.scope);
        show_text(out, "device_code", false, request->input.device.device_code);
    } else if (request->operation == &operation_device_approval) {
        static const char *const steps[] = {[APPROVAL_ASK] = "ask",
                                            [APPROVAL_LOOK] = "look",
                                            [APPROVAL_ALLOW] = "allow",
                                            [APPROVAL_DENY] = "deny"};
        const struct approval_input *input = &request->input.approval;

        show_text(out, "remote_user", true, request->remote_user);
        show_text(out, "step", true, text_of(steps[input->step]));
        show_text(out, "user_code", false, input->user_code);
        show_text(out, "form", false, input->form);
    } else if (request->operation == &operation_public_key) {
        show_text(out, "kid", false, request->input.public_key.kid);
        show_text(out, "signer", false, request->input.public_key.signer ? TEXT("yes") : TEXT(""));
    }
}

/* ---- rules that hold for every answer ---- */

static struct text header_of(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++) {
        if (text_equal_ignore_case(response->headers[i].name, text_of(name))) {
            return response->headers[i].value;
        }
    }
    return (struct text){0};
}

static void check_answer(const struct trial *trial, const struct http_response *response)
{
    struct text type = header_of(response, "Content-Type");
    bool grant = outcome_is_grant(trial->outcome);

    /* only what is public may be kept */
    if (!grant || !trial->mount.endpoint->is_public) {
        assert_true(text_is(header_of(response, "Cache-Control"), "no-store"));
    }
    assert_int_equal(type.size > 0, response->body.size > 0);
    assert_true(response->status == 303 ||
                grant == (response->status / 100 == 2 || response->status == 304));
    if (http_media_is(type, "application/json")) {
        struct buffer object; /* an answer may be an array, too */

        buffer_start(&object, arena, response->body.size + 8);
        buffer_addf(&object, "{\"body\":%.*s}", TEXT_ARGS(response->body));
        assert_non_null(json_in_object(arena, buffer_text(&object), NULL));
    }
    if (!grant) {
        assert_int_equal(header_of(response, "Set-Cookie").size, 0);
    }
    assert_true(response->status == 303 ||
                (outcome_class(trial->outcome) == OUTCOME_CLASS_HERE) == (response->status >= 500));
    if (response->status == 405) {
        assert_true(header_of(response, "Allow").size > 0);
    }
    if (response->status == 503) {
        assert_true(header_of(response, "Retry-After").size > 0);
    }
}

/* ---- cases ---- */

/* The document's sample answer, compact, in its own order of keys. */
static void check_sample(const struct dialect *dialect, const char *name,
                         const struct http_response *response)
{
    struct text sample;
    struct buffer compact;
    struct json_out out;
    json_t *json;
    struct text body = response->body;

    if (!golden_read(arena, dialect->name, name, "json", &sample)) {
        return;
    }
    json = json_in_object(arena, sample, NULL);
    assert_non_null(json);
    buffer_start(&compact, arena, 4096);
    out = json_out_start(&compact, JSON_STYLE_PLAIN);
    json_out_value(&out, json);
    if (text_ends(body, TEXT("\n"))) {
        body.size--; /* Flask's */
    }
    assert_true(text_equal(buffer_text(&compact), body));
}

static void run_case(const struct dialect *dialect, const char *name)
{
    struct trial trial = {.answer = usual_answer()};
    struct http_response response;
    struct buffer shown;
    struct text file, bytes;

    assert_true(golden_read(arena, dialect->name, name, "request", &file));
    fill_mount(&trial, dialect);
    read_case(file, &trial);
    decode(&trial);
    respond(&trial, &response, &bytes);

    buffer_start(&shown, arena, 4096);
    if (trial.understood) {
        show_ask(&shown, &trial.request);
        buffer_addf(&shown, "outcome: %s\n\n", outcome_word(trial.outcome));
    } else {
        buffer_addf(&shown, "refused: %s\n\n", outcome_word(trial.outcome));
    }
    golden_show(&shown, bytes);
    buffer_add_c(&shown, "\n");
    golden_check(arena, dialect->name, name, "answer", buffer_text(&shown));
    check_answer(&trial, &response);
    check_sample(dialect, name, &response);
}

/* No answer without its request, and nothing else that no test reads. */
static void check_no_file_is_left_over(const char *folder, size_t cases)
{
    static const char *const known[] = {".json", ".documented", ".deployed", ".full", ".bare"};
    static char names[GOLDEN_CASES_MAX][GOLDEN_NAME_MAX];
    size_t files = 2 * cases + 2; /* with "." and ".." */

    assert_int_equal(golden_cases(folder, ".answer", names), cases);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        files += golden_cases(folder, known[i], names);
    }
    assert_int_equal(golden_cases(folder, "", names), files);
}

static void test_cases(void **state)
{
    static char names[GOLDEN_CASES_MAX][GOLDEN_NAME_MAX];

    (void)state;
    for (size_t d = 0; d < dialects_total(); d++) {
        size_t count = golden_cases(dialects_at(d)->name, ".request", names);

        assert_true(count > 0); /* a folder that vanished must not pass */
        for (size_t i = 0; i < count; i++) {
            arena_reset(arena);
            run_case(dialects_at(d), names[i]);
        }
        check_no_file_is_left_over(dialects_at(d)->name, count);
    }
}

/* ---- every outcome ---- */

/* Has no endpoint before this one the same operation? Then it has goldens of its own. */
static bool is_first(const struct dialect *dialect, size_t endpoint)
{
    for (size_t i = 0; i < endpoint; i++) {
        if (dialect->endpoints[i].operation == dialect->endpoints[endpoint].operation) {
            return false;
        }
    }
    return true;
}

/* "outcomes" for the dialect's first operation, "outcomes-login" for another. */
static const char *golden_name(const char *word, const struct dialect *dialect, size_t endpoint)
{
    struct buffer name;

    if (endpoint == 0) {
        return word;
    }
    buffer_start(&name, arena, GOLDEN_NAME_MAX);
    buffer_addf(&name, "%s-%s", word, dialect->endpoints[endpoint].operation->word);
    return arena_c_string(arena, buffer_text(&name));
}

/* An ordinary request of each operation, so that wording has something to look at. */
static void usual_trial(const struct dialect *dialect, size_t endpoint,
                        enum mount_behaviour behaviour, struct trial *trial)
{
    struct text file;

    *trial = (struct trial){.answer = usual_answer()};
    assert_true(golden_read(arena, dialect->name, golden_name("usual", dialect, endpoint),
                            "request", &file));
    fill_mount(trial, dialect);
    trial->realm.behaviour = behaviour;
    read_case(file, trial);
    decode(trial);
    assert_true(trial->understood);
    assert_ptr_equal(trial->request.operation, dialect->endpoints[endpoint].operation);
}

/* Outcomes that are answered alike stand together, in the order of their list. */
static void show_outcomes(const struct dialect *dialect, size_t endpoint,
                          enum mount_behaviour behaviour, struct buffer *shown)
{
    struct text answers[OUTCOME_COUNT] = {0};
    struct trial trial;

    usual_trial(dialect, endpoint, behaviour, &trial);
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        struct http_response response;

        trial.outcome = (enum outcome)i;
        respond(&trial, &response, &answers[i]);
        check_answer(&trial, &response);
    }
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        struct text answer = answers[i];

        if (answer.data == NULL) {
            continue; /* shown with an earlier one */
        }
        buffer_add_c(shown, "@");
        for (int j = i; j < OUTCOME_COUNT; j++) {
            if (answers[j].data != NULL && text_equal(answers[j], answer)) {
                buffer_addf(shown, " %s", outcome_word((enum outcome)j));
                answers[j] = (struct text){0};
            }
        }
        buffer_add_c(shown, "\n");
        golden_show(shown, answer);
        buffer_add_c(shown, "\n\n");
    }
}

/* The golden itself must name every outcome once: a file cut short would else agree with a walk cut
 * short. */
static void check_names_every_outcome(const struct dialect *dialect, const char *name,
                                      const char *behaviour)
{
    unsigned seen[OUTCOME_COUNT] = {0};
    struct text file = {0};

    if (!golden_read(arena, dialect->name, name, behaviour, &file)) {
        fail_msg("%s has no %s.%s", dialect->name, name, behaviour);
    }
    while (file.size > 0) {
        struct text line = text_split(&file, '\n');

        if (text_starts(line, TEXT("@ "))) {
            line = text_from(line, 2);
            while (line.size > 0) {
                seen[outcome_of(text_split(&line, ' '))]++;
            }
        }
    }
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        if (seen[i] != 1) {
            fail_msg("%s, %s.%s: %u goldens for %s", dialect->name, name, behaviour, seen[i],
                     outcome_word((enum outcome)i));
        }
    }
}

static void check_outcomes(const struct dialect *dialect, size_t endpoint)
{
    static const char *const behaviours[] = {
        [BEHAVIOUR_DOCUMENTED] = "documented", [BEHAVIOUR_DEPLOYED] = "deployed"};

    for (int b = BEHAVIOUR_DOCUMENTED; b <= BEHAVIOUR_DEPLOYED; b++) {
        struct buffer shown;
        const char *name;

        arena_reset(arena);
        name = golden_name("outcomes", dialect, endpoint);
        buffer_start(&shown, arena, 16384);
        show_outcomes(dialect, endpoint, (enum mount_behaviour)b, &shown);
        golden_check(arena, dialect->name, name, behaviours[b], buffer_text(&shown));
        check_names_every_outcome(dialect, name, behaviours[b]);
    }
}

static void test_outcomes(void **state)
{
    (void)state;
    for (size_t d = 0; d < dialects_total(); d++) {
        for (size_t e = 0; e < dialects_at(d)->endpoint_count; e++) {
            if (is_first(dialects_at(d), e)) {
                check_outcomes(dialects_at(d), e);
            }
        }
    }
}

/* ---- what breaks ---- */

/* A token no header can carry: the answer is the dialect's fault, not half an answer. */
static void test_answer_that_cannot_be_built(void **state)
{
    struct trial trial;
    struct http_response response;
    struct text bytes;

    (void)state;
    arena_reset(arena);
    usual_trial(dialects_find(TEXT("fusionauth")), 0, BEHAVIOUR_DOCUMENTED, &trial);
    trial.request.answer.access_token = TEXT("a\r\nSet-Cookie: b=c");
    trial.outcome = OUTCOME_ROTATED;
    respond(&trial, &response, &bytes);
    assert_int_equal(response.status, 500);
    assert_int_equal(header_of(&response, "Set-Cookie").size, 0);
    assert_int_equal(response.body.size, 0);
}

static void end_memory(const struct dialect *dialect, size_t endpoint)
{
    struct trial trial;
    bool granted = false;

    arena_reset(arena);
    usual_trial(dialect, endpoint, BEHAVIOUR_DOCUMENTED, &trial);
    for (size_t room = 1; room <= 64 * 1024; room += room < 4096 ? 61 : 4093) {
        struct arena *small = arena_open(room);
        enum outcome refusal = OUTCOME_FAULT;
        struct http_response response;

        assert_non_null(small);
        trial.request = (struct request){0};
        bind(&trial);
        trial.request.arena = small;
        if (dialect_decode(&trial.request, &refusal)) {
            trial.request.answer = trial.answer;
            dialect_respond(&trial.request, OUTCOME_ROTATED);
            response = trial.http.response;
            granted = response.status / 100 == 2 || response.status == 303;
            assert_true(!granted || response.body.size > 0 ||
                        header_of(&response, "Location").size > 0 ||
                        trial.request.operation == &operation_logout ||
                        header_of(&response, "Secure-Session-Registration").size > 0 ||
                        header_of(&response, "Remote-User").size > 0);
        } else {
            dialect_respond(&trial.request, refusal);
            response = trial.http.response;
            granted = false;
            assert_true(response.status >= 400);
        }
        assert_false(response.failed);
        arena_close(small);
    }
    assert_true(granted); /* the last one had room enough */
}

/* Memory that ends anywhere gives a refusal or a fault, never a broken answer. */
static void test_memory_ends(void **state)
{
    (void)state;
    for (size_t d = 0; d < dialects_total(); d++) {
        for (size_t e = 0; e < dialects_at(d)->endpoint_count; e++) {
            if (is_first(dialects_at(d), e)) {
                end_memory(dialects_at(d), e);
            }
        }
    }
}

/* Every case with its body damaged, byte by byte: some answer that keeps the rules of all answers.
 */
static void damage_body(const struct trial *whole, char *body)
{
    static const char hostile[] = {'\0', '%', '"', '\xff'};
    const struct text original = whole->http.request.body;

    for (size_t at = 0; at < original.size; at++) {
        for (size_t how = 0; how <= sizeof hostile; how++) {
            struct trial trial = *whole;
            struct http_response response;
            struct text bytes;

            arena_reset(arena);
            memcpy(body, original.data, original.size);
            trial.http.request.body = (struct text){body, original.size};
            if (how == sizeof hostile) {
                trial.http.request.body.size = at;
            } else {
                body[at] = hostile[how];
            }
            decode(&trial);
            respond(&trial, &response, &bytes);
            check_answer(&trial, &response);
        }
    }
}

static void test_damaged_bodies(void **state)
{
    enum { BODY_ROOM = 256 };
    static char names[GOLDEN_CASES_MAX][GOLDEN_NAME_MAX];
    struct arena *kept = arena_open(ARENA_ROOM);
    struct arena *requests = arena;

    (void)state;
    assert_non_null(kept);
    for (size_t d = 0; d < dialects_total(); d++) {
        size_t count = golden_cases(dialects_at(d)->name, ".request", names);

        for (size_t i = 0; i < count; i++) {
            struct trial trial = {.answer = usual_answer()};
            char body[BODY_ROOM];
            struct text file;

            arena_reset(kept);
            arena = kept; /* the request must outlive the arena of each attempt */
            assert_true(golden_read(arena, dialects_at(d)->name, names[i], "request", &file));
            fill_mount(&trial, dialects_at(d));
            read_case(file, &trial);
            trial.outcome = OUTCOME_ROTATED;
            trial.answer = usual_answer();
            arena = requests;
            trial.http.request.body = text_cut(trial.http.request.body, BODY_ROOM);
            damage_body(&trial, body);
        }
    }
    arena_close(kept);
}

/* ---- cookies ---- */

static int64_t cookie_age(const struct trial *trial)
{
    struct http_response response;
    struct text bytes;
    struct trial copy = *trial;

    copy.outcome = OUTCOME_ROTATED;
    respond(&copy, &response, &bytes);
    for (size_t i = 0; i < response.header_count; i++) {
        struct text value = response.headers[i].value;

        if (text_starts(value, TEXT("refresh_token="))) {
            while (value.size > 0) {
                struct text part = text_trim(text_split(&value, ';'));

                if (text_starts(part, TEXT("Max-Age="))) {
                    return number_of(text_from(part, strlen("Max-Age=")));
                }
            }
        }
    }
    fail_msg("no Max-Age");
    return -1;
}

static void test_cookie_age(void **state)
{
    const int64_t most = INT64_C(400) * CLOCK_DAY;
    const struct {
        int64_t session_expires_ms;
        int64_t age_s;
    } rows[] = {
        {NOW_MS + INT64_C(30) * CLOCK_DAY, 2592000},
        {NOW_MS + 1999, 1},
        {NOW_MS + 1, 0},
        {NOW_MS, 0},
        {NOW_MS - CLOCK_DAY, 0},
        {0, most / 1000},
        {NOW_MS + most, most / 1000},
        {NOW_MS + most + CLOCK_SECOND, most / 1000},
        {INT64_MAX, most / 1000},
    };
    struct trial trial;

    (void)state;
    arena_reset(arena);
    usual_trial(dialects_find(TEXT("fusionauth")), 0, BEHAVIOUR_DOCUMENTED, &trial);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        trial.request.answer.session_expires_ms = rows[i].session_expires_ms;
        assert_int_equal(cookie_age(&trial), rows[i].age_s);
    }
}

/* ---- the table ---- */

static void test_table(void **state)
{
    (void)state;
    assert_true(dialects_total() > 0);
    for (size_t i = 0; i < dialects_total(); i++) {
        const struct dialect *dialect = dialects_at(i);

        assert_ptr_equal(dialects_find(text_of(dialect->name)), dialect);
        assert_true(strlen(dialect->summary) > 0);
        if (dialect->policy.layout != NULL) {
            assert_true(dialect->policy.concurrency_window_ms > 0);
            assert_true(dialect->policy.access_lifetime_ms > 0);
            assert_false(dialect->policy.report_only);
        }
    }
    assert_null(dialects_find(TEXT("Kopong")));
    assert_null(dialects_find(TEXT("")));
}

/* Every class of outcomes is worded for every endpoint, in both behaviours, whatever else is told
 * apart. */
static void test_every_class_is_worded(void **state)
{
    (void)state;
    for (size_t i = 0; i < dialects_total(); i++) {
        for (size_t j = 0; j < dialects_at(i)->endpoint_count; j++) {
            bool worded[OUTCOME_CLASSES] = {[OUTCOME_CLASS_GRANTED] = true};

            for (const struct wording *words = dialects_at(i)->endpoints[j].words;
                 words->status != 0; words++) {
                if (words->about >= (int)OUTCOME_COUNT && words->behaviour == WORDS_ALWAYS &&
                    words->when == NULL) {
                    worded[words->about - (int)OUTCOME_COUNT] = true;
                }
            }
            for (int class = 0; class < OUTCOME_CLASSES; class ++) {
                if (!worded[class]) {
                    fail_msg("%s, %s: class %d is not worded", dialects_at(i)->name,
                             dialects_at(i)->endpoints[j].name, class);
                }
            }
        }
    }
}

/* What holds credentials is never sent on to another place (RFC 9700 section 4.12). */
static void test_no_refusal_redirects(void **state)
{
    (void)state;
    for (size_t i = 0; i < dialects_total(); i++) {
        for (size_t j = 0; j < dialects_at(i)->endpoint_count; j++) {
            for (const struct wording *words = dialects_at(i)->endpoints[j].words;
                 words->status != 0; words++) {
                assert_in_range(words->status, 400, 599);
            }
        }
    }
}

/* No two endpoints claim one path, and each has all that it needs. */
static void test_endpoints(void **state)
{
    (void)state;
    for (size_t i = 0; i < dialects_total(); i++) {
        assert_true(dialects_at(i)->endpoint_count > 0);
        for (size_t j = 0; j < dialects_at(i)->endpoint_count; j++) {
            const struct endpoint *endpoint = &dialects_at(i)->endpoints[j];

            assert_ptr_equal(dialect_endpoint(dialects_at(i), text_of(endpoint->name)), endpoint);
            assert_true(endpoint->path[0] == '/');
            assert_non_null(endpoint->operation);
            assert_non_null(endpoint->encode);
            assert_true(endpoint->methods != 0);
            for (size_t k = 0; i < dialects_count() && k < dialects_count(); k++) {
                for (size_t l = 0; l < dialects_at(k)->endpoint_count; l++) {
                    const struct endpoint *other = &dialects_at(k)->endpoints[l];

                    assert_true(other == endpoint || strcmp(other->path, endpoint->path) != 0);
                }
            }
        }
    }
    assert_null(dialect_endpoint(dialects_at(0), TEXT("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_answer_that_cannot_be_built),
        cmocka_unit_test(test_memory_ends),
        cmocka_unit_test(test_damaged_bodies),
        cmocka_unit_test(test_cookie_age),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_every_class_is_worded),
        cmocka_unit_test(test_no_refusal_redirects),
        cmocka_unit_test(test_endpoints),
    };

    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
