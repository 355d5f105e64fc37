/* SPDX-License-Identifier: ISC */
/* tell.c: see tell.h. */
#include "admin/dialect/tell.h"

#include "admin/dialect/tell_parts.h"

static void tell_endpoint(const struct endpoint *endpoint, const struct endpoint *before,
                          struct buffer *out);
static void tell_bodies(const struct endpoint *endpoint, struct buffer *out);
static void tell_request(const struct described_request *request, struct buffer *out);
static void tell_values(const struct described_request *request, struct buffer *out);

void dialect_tell(const struct dialect *dialect, struct buffer *out)
{
    buffer_addf(out, "%s%s%s\n", dialect->name, dialect->summary[0] != '\0' ? ": " : "",
                dialect->summary);
    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        tell_endpoint(&dialect->endpoints[i], i > 0 ? &dialect->endpoints[i - 1] : NULL, out);
    }
    buffer_addf(out, "\nIn a [mount] without a realm these are in the realm %s.\n",
                dialect->realm != NULL ? dialect->realm : "of their path");
    dialect_tell_policy(&dialect->policy, out);
    if (dialect->issuer != NULL) {
        buffer_addf(out, "Its issuer is %s, unless the realm or [retoken] has another.\n",
                    dialect->issuer);
    }
    if (dialect->audience != NULL) {
        buffer_addf(out, "Its audience is %s unless the realm has another.\n", dialect->audience);
    }
    if (dialect->published_key != NULL) {
        buffer_add_c(out,
                     "An application key is known to everyone; `retoken doctor` warns of it.\n");
    }
}

/* ---- requests ---- */

const char *dialect_tell_role(enum described_role role)
{
    switch (role) {
    case DESCRIBED_REFRESH_TOKEN:
        return "the refresh token";
    case DESCRIBED_ACCESS_TOKEN:
        return "the access token";
    case DESCRIBED_USERNAME:
        return "the user name";
    case DESCRIBED_PASSWORD:
        return "the password";
    case DESCRIBED_SCOPE:
        return "the scope";
    case DESCRIBED_CLIENT_ID:
        return "the client's id";
    case DESCRIBED_CLIENT_SECRET:
        return "the client's secret";
    case DESCRIBED_APPLICATION_KEY:
        return "the application's key";
    }
    return "a value";
}

bool dialect_tell_is_secret(enum described_role role)
{
    return role != DESCRIBED_USERNAME && role != DESCRIBED_SCOPE && role != DESCRIBED_CLIENT_ID;
}

void dialect_tell_place(const struct described_place *place, struct buffer *out)
{
    switch (place->source) {
    case DESCRIBED_FORM:
        buffer_addf(out, "the field %s of the form", place->name);
        break;
    case DESCRIBED_QUERY:
        buffer_addf(out, "the parameter %s of the URL", place->name);
        break;
    case DESCRIBED_JSON:
        buffer_add_c(out, "the member ");
        for (size_t i = 0; place->path[i] != NULL; i++) {
            buffer_addf(out, "%s%s", i > 0 ? "/" : "", place->path[i]);
        }
        buffer_add_c(out, " of the JSON body");
        break;
    case DESCRIBED_HEADER:
        buffer_addf(out, "the header %s", place->name);
        break;
    case DESCRIBED_AUTHORIZATION:
        buffer_addf(out, "Authorization: %s", place->name);
        break;
    case DESCRIBED_COOKIE:
        buffer_add_c(out, "its cookie");
        break;
    case DESCRIBED_METHOD:
        buffer_add_c(out, "the method");
        break;
    }
}

static bool same_words(const struct wording *a, const struct wording *b)
{
    for (; a->status != 0 && b->status != 0; a++, b++) {
        if (a->about != b->about || a->behaviour != b->behaviour || a->body != b->body ||
            a->template != b->template || a->status != b->status) {
            return false;
        }
    }
    return a->status == b->status;
}

static void tell_endpoint(const struct endpoint *endpoint, const struct endpoint *before,
                          struct buffer *out)
{
    const struct described *described = endpoint->described;
    const struct described *last = before != NULL ? before->described : NULL;
    const struct wording *words = last != NULL ? last->requests[last->count - 1].words : NULL;
    struct text methods = {0};

    (void)dialect_methods(out->arena, endpoint->methods, &methods);
    buffer_addf(out, "\n%s: %.*s %s%s%s\n", endpoint->name, TEXT_ARGS(methods), endpoint->path,
                endpoint->path_loose ? ", with or without further slashes" : "",
                endpoint->method_any_case ? ", the method in any case" : "");
    if (endpoint->realm != NULL) {
        buffer_addf(out, "  In a [mount] without a realm it is in the realm %s.\n",
                    endpoint->realm);
    }
    tell_bodies(endpoint, out);
    for (size_t i = 0; i < described->count; i++) {
        tell_request(&described->requests[i], out);
        if (words != NULL && same_words(words, described->requests[i].words)) {
            buffer_add_c(out, "  Refusals are answered as those before.\n");
        } else {
            dialect_tell_refusals(described->requests[i].words, out);
        }
        words = described->requests[i].words;
        dialect_tell_complaints(described->requests[i].complaints, out);
    }
}

/* Media types of JSON besides its own are named. */
static void tell_bodies(const struct endpoint *endpoint, struct buffer *out)
{
    const char *const *type = endpoint->json_types;
    const struct described *described = endpoint->described;

    buffer_addf(out, "  %s",
                endpoint->body == ENDPOINT_BODY_IGNORED ? "The body is not read"
                : endpoint->body == ENDPOINT_BODY_FORM  ? "The body is a form"
                : endpoint->body == ENDPOINT_BODY_JSON  ? "The body is JSON"
                                                        : "The body is JSON or a form");
    for (; type != NULL && *type != NULL; type++) {
        buffer_addf(out, "%s%s", type == endpoint->json_types ? ", also as " : " or ", *type);
    }
    buffer_addf(out, "%s.\n",
                described->count > 0 && described->requests[0].needs_json
                    ? ", and without one the request is malformed"
                    : "");
}

static void tell_request(const struct described_request *request, struct buffer *out)
{
    bool login = request->operation == &operation_login;

    if (request->condition_count > 0) {
        buffer_addf(out, "  %s: where ", request->name);
        for (size_t i = 0; i < request->condition_count; i++) {
            const struct described_condition *condition = &request->conditions[i];

            buffer_add_c(out, i > 0 ? " and " : "");
            dialect_tell_place(&condition->place, out);
            for (size_t j = 0; j < condition->choice_count; j++) {
                buffer_addf(out, "%s%.*s", j > 0 ? " or " : " is ",
                            TEXT_ARGS(condition->choices[j]));
            }
            buffer_add_c(out, condition->optional            ? " or not there"
                              : condition->choice_count == 0 ? " is there"
                                                             : "");
        }
        buffer_add_c(out, "\n");
    }
    buffer_addf(out, "  %s\n",
                login                                      ? "A user logs in, and a session begins."
                : request->operation == &operation_refresh ? "A session is renewed."
                : request->everywhere                     ? "All sessions of the account are ended."
                : request->operation == &operation_logout ? "A session is ended."
                : request->operation == &operation_verify
                    ? "It is said whether a refresh or an access token is good."
                    : "It is said whose an access token is, if its session is live.");
    if (request->silent) {
        buffer_add_c(out, "  A token of no live session is answered alike.\n");
    }
    tell_values(request, out);
    dialect_tell_answer(&request->answer, out);
}

static void tell_values(const struct described_request *request, struct buffer *out)
{
    for (size_t i = 0; i < request->value_count; i++) {
        const struct described_value *value = &request->values[i];

        buffer_addf(out, "  It reads %s from ", dialect_tell_role(value->role));
        for (size_t j = 0; j < value->place_count; j++) {
            buffer_add_c(out, j > 0 ? ", or else " : "");
            dialect_tell_place(&value->places[j], out);
        }
        buffer_add_c(out, value->optional ? ", if it is there.\n" : ".\n");
        if (value->role == DESCRIBED_APPLICATION_KEY) {
            buffer_add_c(out, "    The realm's auth-key-sha256 says which key is good.\n");
        }
    }
    if (request->trims) {
        buffer_add_c(out, "  White space round any value is dropped.\n");
    }
    if (request->takes_numbers) {
        buffer_add_c(out, "  A JSON number is taken for its digits.\n");
    }
    if (request->tells_absence) {
        buffer_add_c(out, "  no-token is any value that is not there, and no-field one that is not "
                          "good.\n");
    }
    if (request->oauth_client) {
        buffer_add_c(out, "  The client proves itself as in RFC 6749.\n");
    }
    if (request->only_members) {
        buffer_add_c(out, "  Other members of the JSON body are refused.\n");
    }
    for (const char *const *name = request->not_in_url; name != NULL && *name != NULL; name++) {
        buffer_addf(out, "  %s in the URL is refused.\n", *name);
    }
}
