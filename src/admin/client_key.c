/* SPDX-License-Identifier: ISC */
/* client_key.c: reads --key and --algorithm. Knows the two kinds of file; what a key must be is
 * client_keys.c's. */
#include "admin/client_key.h"

#include <string.h>

#include "admin/prompt.h"
#include "token/client_keys.h"

static enum call_end read_set(struct call *call, const char *path, struct text file,
                              struct text *keys);
static enum call_end read_pem(struct call *call, const char *path, struct text file,
                              struct text *keys);

enum call_end client_key_read(struct call *call, struct client *client)
{
    const char *path = options_value(&call->options, OPTION_KEY);
    struct fault fault = {"out of memory"};
    struct text keys;
    size_t size;

    if (path == NULL) {
        return options_has(&call->options, OPTION_ALGORITHM)
                   ? call_wrong(call, "--algorithm goes with --key FILE")
                   : CALL_DONE;
    }
    char *file = arena_alloc(call->arena, CLIENT_KEYS_INPUT_MAX + 1);
    if (file == NULL || !prompt_file(path, file, CLIENT_KEYS_INPUT_MAX + 1, &size, &fault)) {
        return call_wrong(call, "%s", fault.text);
    }
    bool is_set = file[strspn(file, " \t\r\n")] == '{';
    enum call_end end =
        (is_set ? read_set : read_pem)(call, path, (struct text){file, size}, &keys);
    if (end == CALL_DONE && !text_copy(keys, client->keys, sizeof client->keys)) {
        end = call_wrong(call, "%s: %zu bytes of keys; a client has room for %d", path, keys.size,
                         (int)CLIENT_KEYS_MAX);
    }
    return end;
}

static enum call_end read_set(struct call *call, const char *path, struct text file,
                              struct text *keys)
{
    struct fault fault = {0};

    if (options_has(&call->options, OPTION_ALGORITHM)) {
        return call_wrong(call,
                          "%s is a JWK Set, in which `alg` of each key says its algorithm; leave "
                          "--algorithm out",
                          path);
    } else if (!client_keys_from_set(call->arena, file, keys, &fault)) {
        return call_wrong(call, "%s: %s", path, fault.text);
    }
    return CALL_DONE;
}

/* One algorithm, asymmetric, for good (RFC 8725 section 3.1). */
static enum call_end read_pem(struct call *call, const char *path, struct text file,
                              struct text *keys)
{
    static const char right[] = "RS256, RS384, RS512, PS256, ES256, ES384, ES512 or EdDSA";
    const char *name = options_value(&call->options, OPTION_ALGORITHM);
    enum signing_algorithm algorithm;
    struct fault fault = {0};

    if (name == NULL) {
        return call_wrong(call,
                          "%s is no JWK Set; for a public key in PEM say what the client signs "
                          "with: --algorithm %s",
                          path, right);
    } else if (!signing_algorithm_parse(text_of(name), &algorithm) ||
               signing_algorithm_is_secret(algorithm)) {
        return call_wrong(call, "--algorithm %s: a client signs with %s", name, right);
    } else if (!client_keys_from_pem(call->arena, file, algorithm, keys, &fault)) {
        return call_wrong(call, "%s: %s", path, fault.text);
    }
    return CALL_DONE;
}

struct text client_key_ids(struct arena *arena, const struct client *client)
{
    struct client_keys *keys = NULL;
    struct buffer ids;
    struct text kid;

    if (client->keys[0] != '\0') {
        keys = client_keys_open(arena, text_of(client->keys));
    }
    buffer_start(&ids, arena, 64);
    for (size_t i = 0; keys != NULL && (kid = client_keys_kid(keys, i)).size > 0; i++) {
        buffer_add_c(&ids, i > 0 ? " " : "");
        buffer_add(&ids, kid);
    }
    return buffer_text(&ids);
}
