/* SPDX-License-Identifier: ISC */
/* play.c: see play.h. */
#include "admin/dialect/play.h"

#include <stdio.h>

#include "base/codec.h"

#define MADE_UP_UUID "00000000-0000-4000-8000-000000000000"

static const struct endpoint *find_endpoint(const struct dialect *dialect, struct text path,
                                            struct arena *arena);
static bool take_request(struct dialect_play *play, const struct http_recording *recording,
                         struct arena *arena);
static bool make_token(const struct dialect_play *play, bool refresh, struct text *token);

bool dialect_play_read(struct dialect_play *play, const struct dialect *dialect,
                       const struct http_recording *recording, struct arena *arena,
                       struct fault *fault)
{
    const struct endpoint *endpoint = find_endpoint(dialect, recording->path, arena);

    if (endpoint == NULL) {
        fault_set(fault, "%.*s: the dialect has no endpoint at this path",
                  TEXT_ARGS(text_cut(recording->path, 120)));
        return false;
    }
    *play = (struct dialect_play){
        .http = {.arena = arena},
        .realm = {.dialect = dialect, .policy = dialect->policy},
        .mount = {.endpoint = endpoint},
    };
    if (!text_copy(text_of(endpoint->path), play->mount.path, sizeof play->mount.path) ||
        !text_copy(text_of(dialect->issuer), play->realm.issuer, sizeof play->realm.issuer) ||
        !text_copy(text_of(dialect->audience), play->realm.audience, sizeof play->realm.audience) ||
        !take_request(play, recording, arena)) {
        fault_set(fault, "out of memory");
        return false;
    }
    play->mount.realm = &play->realm;
    play->mounts = (struct mounts){.all = &play->mount, .count = 1, .prefix = ""};
    play->realm.mounts = &play->mounts;
    play->request = (struct request){.http = &play->http,
                                     .arena = arena,
                                     .mount = &play->mount,
                                     .realm = &play->realm,
                                     .id = MADE_UP_UUID};
    play->outcome = OUTCOME_FAULT;
    play->understood = dialect_decode(&play->request, &play->outcome);
    if (play->understood) {
        const struct operation *operation = play->request.operation;
        bool renewed = operation == &operation_refresh && !play->realm.policy.rotate;
        bool served = operation == &operation_verify || operation == &operation_validate;

        play->outcome = renewed                          ? OUTCOME_RENEWED
                        : operation == &operation_logout ? OUTCOME_ENDED
                        : served                         ? OUTCOME_SERVED
                                                         : OUTCOME_ROTATED;
    }
    return true;
}

bool dialect_play_has(const struct dialect *dialect, struct text path, struct arena *arena)
{
    return find_endpoint(dialect, path, arena) != NULL;
}

/* Without what a web server would drop. */
static struct text plain_path(struct text path, struct arena *arena)
{
    struct buffer buffer;
    struct text plain = path;

    buffer_start(&buffer, arena, path.size + 1);
    while (path.size > 0) {
        struct text segment = text_split(&path, '/');

        if (segment.size > 0) {
            buffer_add_char(&buffer, '/');
            buffer_add(&buffer, segment);
        }
    }
    (void)buffer_finish(&buffer, &plain);
    return plain;
}

/* The one whose path is all of it, or else its longest end. */
static const struct endpoint *find_endpoint(const struct dialect *dialect, struct text path,
                                            struct arena *arena)
{
    const struct endpoint *found = NULL;
    size_t longest = 0;

    path = plain_path(path, arena);
    if (path.size == 0 && dialect->endpoint_count == 1) {
        return &dialect->endpoints[0]; /* of a host of its own, which no mount can be */
    }
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        struct text own = plain_path(text_of(dialect->endpoints[i].path), arena);

        if (text_ends(path, own) && own.size > longest) {
            longest = own.size;
            found = &dialect->endpoints[i];
        }
    }
    return found;
}

/* Which page asks is left out. */
static bool take_request(struct dialect_play *play, const struct http_recording *recording,
                         struct arena *arena)
{
    struct http_request *request = &play->http.request;
    struct http_header *headers = arena_alloc(arena, HTTP_HEADERS_MAX * sizeof *headers);
    size_t count = 0;

    *request = recording->is;
    request->headers = headers;
    for (size_t i = 0; headers != NULL && i < recording->is.header_count; i++) {
        struct text name = recording->is.headers[i].name;

        if (!text_is(name, "origin") && !text_starts(name, TEXT("sec-fetch-"))) {
            headers[count++] = recording->is.headers[i];
        }
    }
    request->header_count = count;
    return headers != NULL;
}

/* ---- an answer ---- */

bool dialect_play_make_up(struct dialect_play *play, int64_t now_ms, struct fault *fault)
{
    const struct policy *policy = &play->realm.policy;
    const struct request *request = &play->request;
    struct answer *answer = &play->request.answer;
    bool login = request->operation == &operation_login;
    struct text username = login                                   ? request->input.login.username
                           : request->input.refresh.username_given ? request->input.refresh.username
                                                                   : TEXT("ada");
    struct text scope = login ? request->input.login.scope : request->input.refresh.scope;
    int64_t session_ms =
        policy->idle_lifetime_ms > 0 ? policy->idle_lifetime_ms : policy->absolute_lifetime_ms;

    *answer = (struct answer){
        .now_ms = now_ms,
        .expires_at_s = (now_ms + policy->access_lifetime_ms) / 1000,
        .expires_in_s = policy->access_lifetime_ms / 1000,
        .session_expires_ms = session_ms > 0 ? now_ms + session_ms : 0,
        .username = username.size > 0 ? username : TEXT("ada"),
        .subject = TEXT("ada"),
        .roles = TEXT("ROLE_USER"),
        .scope = scope,
        .last_login_ms = login ? now_ms - 24 * 3600 * 1000 : 0,
        .refresh_token = TEXT("made-up-refresh-token"),
    };
    answer->session_known = codec_uuid_parse(TEXT(MADE_UP_UUID), answer->session);
    if (policy->format == REFRESH_FORMAT_UUID) {
        answer->refresh_token = TEXT(MADE_UP_UUID);
    }
    if (!make_token(play, false, &answer->access_token) ||
        (policy->format == REFRESH_FORMAT_JWT && !make_token(play, true, &answer->refresh_token))) {
        fault_set(fault, "out of memory");
        return false;
    }
    return true;
}

/* A JWT as the layout says, whose signature says what it is. */
static bool make_token(const struct dialect_play *play, bool refresh, struct text *token)
{
    const struct layout *layout = play->realm.policy.layout;
    const struct answer *answer = &play->request.answer;
    struct arena *arena = play->request.arena;
    const struct layout_claims claims = {
        .issuer = text_of(play->realm.issuer),
        .audience = text_of(play->realm.audience),
        .subject = answer->subject,
        .username = answer->username,
        .user_number = 1,
        .roles = answer->roles,
        .scope = answer->scope,
        .session = MADE_UP_UUID,
        .jti = MADE_UP_UUID,
        .issued_at_s = answer->now_ms / 1000,
        .expires_at_s = refresh ? answer->session_expires_ms / 1000 : answer->expires_at_s,
        .refreshed = play->request.operation == &operation_refresh,
    };
    struct text header = {0}, payload = {0};
    struct buffer buffer;
    bool whole = layout_header(layout, signing_algorithm_name(play->realm.policy.algorithm),
                               "made-up", claims.issuer.size > 0, arena, &header);

    buffer_start(&buffer, arena, 512);
    template_fill(refresh ? layout->refresh_template : layout->access_template, &claims, &buffer);
    whole = buffer_finish(&buffer, &payload) && whole;
    buffer_start(&buffer, arena, 512);
    buffer_add_base64url(&buffer, header.data, header.size);
    buffer_add_char(&buffer, '.');
    buffer_add_base64url(&buffer, payload.data, payload.size);
    buffer_add_c(&buffer, ".made-up-signature");
    return buffer_finish(&buffer, token) && whole;
}

bool dialect_play_answer(struct dialect_play *play, enum outcome outcome, struct fault *fault)
{
    dialect_respond(&play->request, outcome);
    if (play->http.response.failed) {
        fault_set(fault, "the answer does not fit into a response");
    }
    return !play->http.response.failed;
}
