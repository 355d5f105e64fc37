/* SPDX-License-Identifier: ISC */
/* dialect_checks.c: whether the file of a dialect is all there and goes together: what each
 * operation needs, which policy its answers allow, and that no refusal looks like a grant. */
#include "process/dialect_reader.h"

#include <string.h>

static bool check_request(struct dialect_reader *reader, struct dialect_request *request);
static bool has_text_round_token(const json_t *outline);
static bool renews_by_access_token(const struct dialect_reader *reader);
static bool check_by_access_token(struct dialect_reader *reader,
                                  const struct dialect_request *request);
static bool gives_refresh_token(const struct described_answer *answer);
static bool needs(struct dialect_reader *reader, const struct dialect_request *request,
                  enum described_role role, const char *line);
static bool tells(const struct described_answer *answer, const char *name);
static bool check_refusals(struct dialect_reader *reader, const struct dialect_request *request);
static bool check_layout(struct dialect_reader *reader);
static bool finish_policy(struct dialect_reader *reader);

bool dialect_check(struct dialect_reader *reader)
{
    if (reader->endpoint_count == 0) {
        return config_complain(&reader->lines, 1, "no endpoint; write [endpoint NAME]");
    }
    for (size_t i = 0; i < reader->endpoint_count; i++) {
        const struct dialect_endpoint *endpoint = &reader->endpoints[i];

        if (reader->dialect->endpoints[i].operation == NULL) {
            return config_complain(&reader->lines, endpoint->section->line,
                                   "[endpoint %s]: no operation; write operation "
                                   "= " DIALECT_OPERATIONS ", or [request %s NAME] sections",
                                   endpoint->endpoint.name, endpoint->endpoint.name);
        }
    }
    for (size_t i = 0; i < reader->request_count; i++) {
        if (!check_request(reader, &reader->requests[i])) {
            return false;
        }
    }
    return check_layout(reader) && finish_policy(reader);
}

static bool check_request(struct dialect_reader *reader, struct dialect_request *request)
{
    const struct described_answer *answer = &request->request.answer;
    const struct operation *operation = request->request.operation;
    bool login = operation == &operation_login;
    bool issues = login || operation == &operation_refresh;
    const struct cookie_names *cookies = &answer->cookie_names;
    bool set = answer->cookies == DESCRIBED_COOKIES_SET;
    bool has_access = tells(answer, "access_token") || (set && cookies->access != NULL);
    bool has_refresh = tells(answer, "refresh_token") || (set && cookies->refresh != NULL);

    if (!request->has_answer) {
        return config_complain(&reader->lines, request->section->line,
                               "[%.*s %.*s]: no answer; write answer = STATUS BODY",
                               TEXT_ARGS(request->section->word),
                               TEXT_ARGS(request->section->argument));
    } else if (operation != &operation_logout &&
               (request->request.everywhere || request->request.silent)) {
        return config_complain(&reader->lines, request->section->line,
                               "[%.*s %.*s]: sessions and unknown-token are about a logout",
                               TEXT_ARGS(request->section->word),
                               TEXT_ARGS(request->section->argument));
    } else if (login ? !needs(reader, request, DESCRIBED_USERNAME, "username") ||
                           !needs(reader, request, DESCRIBED_PASSWORD, "password")
                     : !needs(reader, request, DESCRIBED_REFRESH_TOKEN, "refresh-token")) {
        return false;
    } else if (issues && !has_access) {
        return config_complain(&reader->lines, request->section->line,
                               "[%.*s %.*s]: its answer has no ${access_token}",
                               TEXT_ARGS(request->section->word),
                               TEXT_ARGS(request->section->argument));
    } else if (renews_by_access_token(reader)) {
        return check_by_access_token(reader, request) && check_refusals(reader, request);
    } else if (login && !has_refresh) {
        return config_complain(&reader->lines, request->section->line,
                               "[%.*s %.*s]: its answer has no ${refresh_token}, so nothing could "
                               "be refreshed",
                               TEXT_ARGS(request->section->word),
                               TEXT_ARGS(request->section->argument));
    } else if (answer->body != NULL && has_text_round_token(template_outline(answer->body))) {
        return config_complain(&reader->lines, request->section->line,
                               "[%.*s %.*s]: its answer has text beside ${refresh_token}, which "
                               "clients would show with the token; remove it",
                               TEXT_ARGS(request->section->word),
                               TEXT_ARGS(request->section->argument));
    }
    return check_refusals(reader, request);
}

/* In one string with it: then what clients show is no token. */
static bool has_text_round_token(const json_t *outline)
{
    static const char *const tokens[] = {"${refresh_token}", "${new_refresh_token}"};
    struct text text = text_of(json_string_value(outline));
    bool found = false;
    const char *name;
    json_t *value;
    size_t i;

    for (i = 0; i < sizeof tokens / sizeof tokens[0] && json_is_string(outline); i++) {
        found = found || (!text_is(text, tokens[i]) &&
                          memmem(text.data, text.size, tokens[i], strlen(tokens[i])) != NULL);
    }
    json_object_foreach((json_t *)(uintptr_t)outline, name, value)
    {
        found = found || has_text_round_token(value);
    }
    json_array_foreach(outline, i, value)
    {
        found = found || has_text_round_token(value);
    }
    return found;
}

/* Does an access token renew its session? Then it is the only token that clients know of. */
static bool renews_by_access_token(const struct dialect_reader *reader)
{
    bool renews = false;

    for (size_t i = 0; i < reader->request_count; i++) {
        const struct described_request *request = &reader->requests[i].request;

        renews = renews || (request->operation == &operation_refresh && request->by_access_token);
    }
    return renews;
}

/* Beside refresh tokens that rotate, an access token would be worth more than they are; and one
 * that carries less than its session would be worth all of it. */
static bool check_by_access_token(struct dialect_reader *reader,
                                  const struct dialect_request *request)
{
    const struct described_request *made = &request->request;
    bool renews = made->operation == &operation_refresh;
    const char *wrong = NULL;

    if (gives_refresh_token(&made->answer)) {
        wrong = "its answer has a refresh token, and sessions are renewed with the access token; "
                "remove it";
    } else if (renews && !made->by_access_token) {
        wrong = "sessions are renewed with the access token elsewhere; write access-token instead "
                "of refresh-token";
    }
    for (size_t i = 0; i < made->value_count && renews; i++) {
        if (made->values[i].role == DESCRIBED_SCOPE) {
            wrong = "an access token renews its session with all of its scope; remove scope";
        }
    }
    return wrong == NULL || config_complain(&reader->lines, request->section->line,
                                            "[%.*s %.*s]: %s", TEXT_ARGS(request->section->word),
                                            TEXT_ARGS(request->section->argument), wrong);
}

/* An access token may be asked for instead of a refresh token. */
static bool needs(struct dialect_reader *reader, const struct dialect_request *request,
                  enum described_role role, const char *line)
{
    const struct described_request *made = &request->request;
    bool found = false;

    for (size_t i = 0; i < made->value_count; i++) {
        found = found || made->values[i].role == role || made->by_access_token;
    }
    return found || config_complain(&reader->lines, request->section->line,
                                    "[%.*s %.*s]: no %s; write where it is, for example %s = json "
                                    "NAME",
                                    TEXT_ARGS(request->section->word),
                                    TEXT_ARGS(request->section->argument), line, line);
}

static bool gives_refresh_token(const struct described_answer *answer)
{
    return tells(answer, "refresh_token") || tells(answer, "new_refresh_token") ||
           (answer->cookies == DESCRIBED_COOKIES_SET && answer->cookie_names.refresh != NULL);
}

static bool tells(const struct described_answer *answer, const char *name)
{
    bool found = answer->body != NULL && template_has(answer->body, name);

    for (size_t i = 0; i < answer->header_count; i++) {
        found = found || template_has(answer->headers[i].value, name);
    }
    return found;
}

/* A status of success alone tells a client nothing where the body can tell it more: then the body
 * must lack the member that a grant has its access token in. */
static bool looks_granted(struct dialect_reader *reader, const struct wording *words,
                          const char *member)
{
    const json_t *body =
        words->body == NULL ? NULL : json_in_object(reader->scratch, text_of(words->body), NULL);

    return member == NULL || body == NULL || json_object_get(body, member) != NULL;
}

static bool check_refusals(struct dialect_reader *reader, const struct dialect_request *request)
{
    const struct described_answer *answer = &request->request.answer;
    const char *member =
        answer->body != NULL ? template_member(answer->body, "access_token") : NULL;

    for (const struct wording *words = request->request.words; words->status != 0; words++) {
        if (words->status < 300 && looks_granted(reader, words, member)) {
            return config_complain(&reader->lines, request->section->line,
                                   "a refusal with status %d: no client could tell it from a "
                                   "grant; write 400 to 599, or a JSON body without the member of "
                                   "the access token",
                                   words->status);
        }
    }
    return true;
}

/* Where the access token renews, it says which session and until when. */
static bool check_layout(struct dialect_reader *reader)
{
    const char *end = template_member(reader->layout->access_template, "expires_at");

    for (size_t i = 0; i < reader->lines.section_count && renews_by_access_token(reader); i++) {
        const struct config_section *section = &reader->lines.sections[i];

        if (text_is(section->word, "access-token") && reader->layout->session_claim == NULL) {
            return config_complain(&reader->lines, section->line,
                                   "[access-token]: sessions are renewed with it, and no member "
                                   "of its payload is ${session}");
        } else if (text_is(section->word, "access-token") &&
                   (end == NULL || strcmp(end, "exp") != 0)) {
            return config_complain(&reader->lines, section->line,
                                   "[access-token]: sessions are renewed with it until it expires; "
                                   "write \"exp\":${expires_at?} into its payload");
        } else if (text_is(section->word, "refresh-token")) {
            return config_complain(&reader->lines, section->line,
                                   "[refresh-token]: sessions are renewed with the access token; "
                                   "remove the section");
        }
    }
    return true;
}

/* Where no answer has a place for another refresh token, none is issued. */
static bool finish_policy(struct dialect_reader *reader)
{
    struct dialect *dialect = reader->dialect;
    struct policy *policy = &reader->realm.policy;
    bool jwt = reader->layout->refresh_template != NULL;
    bool keeps = true, password = false;

    for (size_t i = 0; i < reader->request_count; i++) {
        const struct described_request *request = &reader->requests[i].request;

        password = password || (request->oauth_client && request->operation == &operation_login);
        keeps = keeps && (request->operation != &operation_refresh ||
                          !gives_refresh_token(&request->answer));
    }
    if (password && policy->grants == 0) {
        policy->grants = GRANTS_USUAL | GRANT_PASSWORD; /* else nobody could log in by the file */
    }
    policy->layout = reader->layout;
    policy->keeps_token = keeps;
    policy->by_access_token = renews_by_access_token(reader);
    policy->format = reader->format_line == 0 && jwt ? REFRESH_FORMAT_JWT : policy->format;
    if (reader->rotation_line == 0) {
        policy->rotate = policy_can_rotate(policy);
    } else if (policy->rotate && !policy_can_rotate(policy)) {
        return config_complain(&reader->lines, reader->rotation_line, "rotation = on: %s",
                               keeps ? "no answer to a refresh has a place for ${refresh_token}"
                                     : "a session gets one refresh token that is a JWT");
    }
    if (policy->format == REFRESH_FORMAT_JWT && !jwt) {
        return config_complain(&reader->lines, reader->format_line,
                               "format = jwt: write the payload in a section [refresh-token]");
    }
    dialect->policy = *policy;
    dialect->summary = dialect->summary != NULL ? dialect->summary : "";
    dialect->issuer = reader->realm.issuer[0] == '\0'
                          ? NULL
                          : dialect_keep(reader, text_of(reader->realm.issuer));
    dialect->audience = reader->realm.audience[0] == '\0'
                            ? NULL
                            : dialect_keep(reader, text_of(reader->realm.audience));
    return !reader->lines.failed;
}
