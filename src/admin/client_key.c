/* SPDX-License-Identifier: ISC */
/* client_key.c: reads --key, --algorithm, --certificate and --certificate-name. Knows the kinds of
 * file; what a key must be is client_keys.c's, and a certificate client_certificates.c's. */
#include "admin/client_key.h"

#include "admin/prompt.h"
#include "base/codec.h"
#include "token/client_certificates.h"
#include "token/client_keys.h"

static enum call_end read_file(struct call *call, const char *path, struct text *file);
static enum call_end read_keys(struct call *call, struct text *keys);
static enum call_end read_set(struct call *call, const char *path, struct text file,
                              struct text *keys);
static enum call_end read_pem(struct call *call, const char *path, struct text file,
                              struct text *keys);
static enum call_end read_certificates(struct call *call, struct client_certificates *certificates);

enum call_end client_key_read(struct call *call, struct client *client)
{
    struct client_certificates certificates;
    struct text keys = text_of(client->keys), joined;
    enum call_end end;

    client_certificates_read(call->arena, keys, &certificates);
    end = read_keys(call, &keys);
    end = end == CALL_DONE ? read_certificates(call, &certificates) : end;
    if (end != CALL_DONE) {
        return end;
    } else if (!client_certificates_join(call->arena, keys, &certificates, &joined)) {
        return call_fault(call, &(struct fault){"out of memory"});
    } else if (!text_copy(joined, client->keys, sizeof client->keys)) {
        return call_wrong(call, "%zu bytes of keys and certificates; a client has room for %d",
                          joined.size, (int)CLIENT_KEYS_MAX);
    }
    return CALL_DONE;
}

static enum call_end read_file(struct call *call, const char *path, struct text *file)
{
    char *room = arena_alloc(call->arena, CLIENT_KEYS_INPUT_MAX + 1);
    struct fault fault = {"out of memory"};
    size_t size;

    if (room == NULL || !prompt_file(path, room, CLIENT_KEYS_INPUT_MAX + 1, &size, &fault)) {
        return call_wrong(call, "%s", fault.text);
    }
    *file = (struct text){room, size};
    return CALL_DONE;
}

/* ---- keys ---- */

static enum call_end read_keys(struct call *call, struct text *keys)
{
    const char *path = options_value(&call->options, OPTION_KEY);
    struct text file;
    enum call_end end;

    if (path == NULL) {
        return options_has(&call->options, OPTION_ALGORITHM)
                   ? call_wrong(call, "--algorithm goes with --key FILE")
                   : CALL_DONE;
    }
    end = read_file(call, path, &file);
    if (end != CALL_DONE) {
        return end;
    }
    return (text_starts(text_strip(file), TEXT("{")) ? read_set : read_pem)(call, path, file, keys);
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

/* ---- certificates ---- */

/* "": no longer. */
static enum call_end read_certificates(struct call *call, struct client_certificates *certificates)
{
    const char *path = options_value(&call->options, OPTION_CERTIFICATE);
    const char *name = options_value(&call->options, OPTION_CERTIFICATE_NAME);
    struct fault fault = {0};
    struct text file;
    enum call_end end;

    if (path != NULL && path[0] == '\0') {
        certificates->count = 0;
    } else if (path != NULL) {
        end = read_file(call, path, &file);
        if (end != CALL_DONE) {
            return end;
        } else if (!client_certificates_from_file(call->arena, file, certificates, &fault)) {
            return call_wrong(call, "%s: %s", path, fault.text);
        }
    }
    if (name != NULL && !client_certificates_from_name(text_of(name), certificates)) {
        return call_wrong(call,
                          "--certificate-name %s: write dn:, dns:, uri:, ip: or email: and the "
                          "name, %d bytes at most",
                          name, (int)CLIENT_CERTIFICATES_NAME_MAX);
    }
    return CALL_DONE;
}

struct text client_key_thumbprints(struct arena *arena, const struct client *client)
{
    char spelled[CRYPTO_HASH_SIZE * 2];
    struct client_certificates certificates;
    struct buffer b;

    client_certificates_read(arena, text_of(client->keys), &certificates);
    buffer_start(&b, arena, 64);
    for (size_t i = 0; i < certificates.count; i++) {
        codec_base64url_encode(certificates.thumbprint[i], CRYPTO_HASH_SIZE, spelled);
        buffer_add_c(&b, i > 0 ? " " : "");
        buffer_add(&b, (struct text){spelled, codec_base64url_size(CRYPTO_HASH_SIZE)});
    }
    return buffer_text(&b);
}

struct text client_key_certificate_name(struct arena *arena, const struct client *client)
{
    struct client_certificates certificates;
    struct buffer b;

    client_certificates_read(arena, text_of(client->keys), &certificates);
    buffer_start(&b, arena, 64);
    if (certificates.name.size > 0) {
        buffer_addf(&b, "%s:", client_certificates_kind(certificates.kind));
        buffer_add(&b, certificates.name);
    }
    return buffer_text(&b);
}
