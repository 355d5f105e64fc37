/* SPDX-License-Identifier: ISC */
/* hook_answer.c: see hook_answer.h. */
#include "operation/hook_answer.h"

#include "model/account.h"

static bool take_member(struct arena *arena, const char *key, const json_t *value,
                        struct hook_answer *answer, struct fault *fault);
static bool take_reason(const json_t *value, struct hook_answer *answer, struct fault *fault);
static bool take_claims(const json_t *value, struct hook_answer *answer, struct fault *fault);
static bool take_roles(struct arena *arena, const json_t *value, struct hook_answer *answer,
                       struct fault *fault);
static bool is_reserved(const char *claim);

bool hook_answer_read(struct arena *arena, struct text text, struct hook_answer *answer,
                      struct fault *fault)
{
    json_t *object = json_in_object(arena, text, fault);
    const char *key;
    json_t *value;

    *answer = (struct hook_answer){.asked = true, .text = text};
    if (object == NULL) {
        return false;
    }
    json_object_foreach(object, key, value)
    {
        if (!take_member(arena, key, value, answer, fault)) {
            return false;
        }
    }
    if (answer->refused && json_object_size(object) > 1) {
        fault_set(fault, "\"refuse\" and more");
        return false;
    } else if (!crypto_sha256(text.data, text.size, answer->digest)) {
        fault_set(fault, "libcrypto failed");
        return false;
    }
    return true;
}

static bool take_member(struct arena *arena, const char *key, const json_t *value,
                        struct hook_answer *answer, struct fault *fault)
{
    if (text_is(text_of(key), "refuse")) {
        return take_reason(value, answer, fault);
    } else if (text_is(text_of(key), "claims")) {
        return take_claims(value, answer, fault);
    } else if (text_is(text_of(key), "roles")) {
        return take_roles(arena, value, answer, fault);
    }
    fault_set(fault, "\"%.40s\" is none of claims, roles and refuse", key);
    return false;
}

static bool take_reason(const json_t *value, struct hook_answer *answer, struct fault *fault)
{
    struct text reason = {json_string_value(value), json_string_length(value)};

    answer->refused = true;
    answer->reason = text_cut(reason, HOOK_REASON_MAX);
    if (json_is_string(value) && !text_has_control(reason)) {
        return true;
    }
    fault_set(fault, "\"refuse\" is no string, or has control characters");
    return false;
}

static bool take_claims(const json_t *value, struct hook_answer *answer, struct fault *fault)
{
    const char *name;
    json_t *claim;

    if (!json_is_object(value)) {
        fault_set(fault, "\"claims\" is no object");
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)value, name, claim)
    {
        if (is_reserved(name)) {
            fault_set(fault, "claim \"%s\" is not a hook's to set", name);
            return false;
        }
    }
    answer->claims = value;
    return true;
}

static bool take_roles(struct arena *arena, const json_t *value, struct hook_answer *answer,
                       struct fault *fault)
{
    struct buffer roles;
    const json_t *role;
    size_t i;
    bool good = json_is_array(value);

    buffer_start(&roles, arena, ACCOUNT_ROLES_MAX);
    json_array_foreach(value, i, role)
    {
        struct text word = {json_string_value(role), json_string_length(role)};

        good = good && json_is_string(role) && text_is_visible_ascii(word);
        buffer_add_c(&roles, i > 0 ? " " : "");
        buffer_add(&roles, word);
    }
    answer->has_roles = true;
    if (good && buffer_finish(&roles, &answer->roles) && answer->roles.size <= ACCOUNT_ROLES_MAX) {
        return true;
    }
    fault_set(fault, "\"roles\" is no array of words of visible ASCII, %d bytes together",
              ACCOUNT_ROLES_MAX);
    return false;
}

/* Who the token is of and for, and for how long: RFC 7519 section 4.1, RFC 9068 section 2.2, RFC
 * 7800, RFC 8693, and what dialects call the user. Roles have a member of their own. */
static bool is_reserved(const char *claim)
{
    static const char *const reserved[] = {
        "iss",       "sub",        "aud",     "exp",    "nbf",  "iat", "jti",
        "client_id", "azp",        "scope",   "sid",    "cnf",  "act", "may_act",
        "auth_time", "token_type", "user_id", "userId", "roles"};

    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (text_is(text_of(claim), reserved[i])) {
            return true;
        }
    }
    return false;
}

/* ---- over the account's ---- */

static void add_all(struct json_out *out, const json_t *claims, const json_t *but);

bool hook_answer_apply(const struct hook_answer *answer, struct arena *arena,
                       struct layout_claims *claims, struct fault *fault)
{
    struct buffer buffer;
    struct text all;

    if (answer->has_roles) {
        claims->roles = answer->roles;
    }
    claims->given = answer->claims;
    if (answer->claims == NULL) {
        return true;
    }
    buffer_start(&buffer, arena, 2 * ACCOUNT_CLAIMS_MAX);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    json_out_open(&out);
    add_all(&out, claims->account, answer->claims);
    add_all(&out, answer->claims, NULL);
    json_out_close(&out);
    if (!buffer_finish(&buffer, &all)) {
        fault_set(fault, "the request's memory is used up");
        return false;
    }
    claims->account = json_in_object(arena, all, fault);
    return claims->account != NULL;
}

/* A null of the hook's is no claim. */
static void add_all(struct json_out *out, const json_t *claims, const json_t *but)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)claims, name, value)
    {
        if (but != NULL ? json_object_get(but, name) == NULL : !json_is_null(value)) {
            json_out_key(out, name);
            json_out_value(out, value);
        }
    }
}
