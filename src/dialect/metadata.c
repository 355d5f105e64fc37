/* SPDX-License-Identifier: ISC */
/* metadata.c: see metadata.h. */
#include "dialect/metadata.h"

#include <stdio.h>
#include <string.h>

#include "dialect/answer.h"
#include "dialect/dialect.h"
#include "http/origin.h"

enum { METADATA_MAX_AGE_S = 300 };

static bool is_beside(const struct mount *mount, const struct realm *realm);
static bool join(const struct request *request, struct text origin, const struct mount *mount,
                 struct text *url);

const struct mount *metadata_mount(const struct request *request, const struct operation *operation)
{
    const struct mounts *mounts = request->realm->mounts;

    for (size_t i = 0; i < mounts->count; i++) {
        const struct mount *mount = &mounts->all[i];

        if (mount->endpoint->operation == operation && is_beside(mount, request->realm)) {
            return mount;
        }
    }
    return NULL;
}

/* Two structs of one realm are of one name. */
static bool is_beside(const struct mount *mount, const struct realm *realm)
{
    return !realm_issues(mount->realm) || (mount->realm->dialect == realm->dialect &&
                                           strcmp(mount->realm->name, realm->name) == 0);
}

bool metadata_path(const struct request *request, const struct operation *operation,
                   struct text *path)
{
    const struct mount *mount = metadata_mount(request, operation);

    return mount != NULL && join(request, (struct text){0}, mount, path);
}

const struct mount *metadata_add_url(struct json_out *out, const char *key,
                                     const struct request *request,
                                     const struct operation *operation)
{
    return metadata_add_url_at(out, key, request, operation,
                               http_origin_of_url(text_of(request->realm->issuer)));
}

const struct mount *metadata_add_url_at(struct json_out *out, const char *key,
                                        const struct request *request,
                                        const struct operation *operation, struct text origin)
{
    const struct mount *mount = metadata_mount(request, operation);
    struct text made;

    if (mount == NULL) {
        return NULL;
    } else if (join(request, origin, mount, &made)) {
        json_out_member(out, key, made);
    } else {
        out->buffer->failed = true;
    }
    return mount;
}

static bool join(const struct request *request, struct text origin, const struct mount *mount,
                 struct text *url)
{
    const char *prefix = request->realm->mounts->prefix;
    struct buffer buffer;

    buffer_start(&buffer, request->arena, origin.size + strlen(prefix) + sizeof mount->path);
    buffer_add(&buffer, origin);
    buffer_add_c(&buffer, prefix);
    buffer_add_c(&buffer, mount->path);
    return buffer_finish(&buffer, url);
}

const struct mount *metadata_add_endpoint(struct json_out *out, const struct request *request,
                                          const char *name, const struct operation *operation,
                                          const char *const *methods)
{
    const struct mount *mount;
    char key[80];

    snprintf(key, sizeof key, "%s_endpoint", name);
    mount = metadata_add_url(out, key, request, operation);
    if (mount != NULL) {
        snprintf(key, sizeof key, "%s_endpoint_auth_methods_supported", name);
        metadata_add_words(out, key, methods);
        snprintf(key, sizeof key, "%s_endpoint_auth_signing_alg_values_supported", name);
        metadata_add_client_algorithms(out, key);
    }
    return mount;
}

void metadata_add_introspection(struct json_out *out, const struct request *request,
                                const char *const *methods)
{
    const char *const algorithms[] = {signing_algorithm_name(request->realm->policy.algorithm),
                                      NULL};

    if (metadata_add_endpoint(out, request, "introspection", &operation_introspect, methods) !=
        NULL) {
        metadata_add_words(out, "introspection_signing_alg_values_supported", algorithms);
    }
}

void metadata_add_keys(struct json_out *out, const struct request *request)
{
    if (!signing_algorithm_is_secret(request->realm->policy.algorithm)) {
        metadata_add_url(out, "jwks_uri", request, &operation_key_set);
    }
}

void metadata_add_words(struct json_out *out, const char *key, const char *const *words)
{
    json_out_key(out, key);
    json_out_array_open(out);
    for (; *words != NULL; words++) {
        json_out_text(out, text_of(*words));
    }
    json_out_array_close(out);
}

void metadata_add_client_algorithms(struct json_out *out, const char *key)
{
    json_out_key(out, key);
    json_out_array_open(out);
    for (int i = 0; i < SIGNING_ALGORITHMS; i++) {
        if (!signing_algorithm_is_secret((enum signing_algorithm)i)) {
            json_out_text(out, text_of(signing_algorithm_name((enum signing_algorithm)i)));
        }
    }
    json_out_array_close(out);
}

void metadata_answer(const struct request *request, struct http_response *response,
                     struct buffer *document)
{
    struct text body = {0};
    bool whole = buffer_finish(document, &body);

    answer_cacheable(request, response, "application/json", METADATA_MAX_AGE_S, body);
    response->failed = response->failed || !whole;
}
