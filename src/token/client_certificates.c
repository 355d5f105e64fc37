/* SPDX-License-Identifier: ISC */
/* client_certificates.c: see client_certificates.h. Knows the members of a client's metadata in RFC
 * 8705; one certificate is certificate.c's. */
#include "token/client_certificates.h"

#include <string.h>

#include "base/codec.h"
#include "base/secret.h"

#define THUMBPRINTS "x5t#S256"

static const struct {
    const char *word, *member;
} kinds[CERTIFICATE_NAMES] = {
    [CERTIFICATE_NAME_DN] = {"dn", "tls_client_auth_subject_dn"},
    [CERTIFICATE_NAME_DNS] = {"dns", "tls_client_auth_san_dns"},
    [CERTIFICATE_NAME_URI] = {"uri", "tls_client_auth_san_uri"},
    [CERTIFICATE_NAME_IP] = {"ip", "tls_client_auth_san_ip"},
    [CERTIFICATE_NAME_EMAIL] = {"email", "tls_client_auth_san_email"},
};

static void write_certificates(struct json_out *out,
                               const struct client_certificates *certificates);
static bool add_from_pem(struct arena *arena, struct text pem,
                         struct client_certificates *certificates, struct fault *fault);
static bool add_from_set(struct arena *arena, struct text set,
                         struct client_certificates *certificates, struct fault *fault);
static bool add_one(const struct certificate *one, struct client_certificates *certificates,
                    struct fault *fault);

/* ---- in the store ---- */

void client_certificates_read(struct arena *arena, struct text keys,
                              struct client_certificates *certificates)
{
    const json_t *object = keys.size > 0 ? json_in_object(arena, keys, NULL) : NULL;
    const json_t *listed = json_object_get(object, THUMBPRINTS);

    *certificates = (struct client_certificates){.count = 0};
    for (size_t i = 0; i < json_array_size(listed); i++) {
        struct text spelled = text_of(json_string_value(json_array_get(listed, i)));
        size_t size = 0;

        if (certificates->count < CLIENT_CERTIFICATES_COUNT &&
            codec_base64url_decode(spelled, certificates->thumbprint[certificates->count],
                                   CRYPTO_HASH_SIZE, &size) &&
            size == CRYPTO_HASH_SIZE) {
            certificates->count++;
        }
    }
    for (size_t i = 0; i < CERTIFICATE_NAMES && certificates->name.size == 0; i++) {
        certificates->kind = (enum certificate_name)i;
        if (json_in_text(object, kinds[i].member, &certificates->name) != JSON_IN_TEXT) {
            certificates->name = (struct text){0};
        }
    }
}

bool client_certificates_join(struct arena *arena, struct text keys,
                              const struct client_certificates *certificates, struct text *joined)
{
    const json_t *object = keys.size > 0 ? json_in_object(arena, keys, NULL) : NULL;
    const json_t *array = json_object_get(object, "keys");
    struct buffer buffer;
    struct json_out out;

    *joined = (struct text){0};
    if (keys.size > 0 && object == NULL) {
        return false;
    } else if (json_array_size(array) == 0 && certificates->count == 0 &&
               certificates->name.size == 0) {
        return true;
    }
    buffer_start(&buffer, arena, keys.size + 1024);
    out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    json_out_open(&out);
    json_out_key(&out, "keys");
    if (array != NULL) {
        json_out_value(&out, array);
    } else {
        json_out_array_open(&out);
        json_out_array_close(&out);
    }
    write_certificates(&out, certificates);
    json_out_close(&out);
    return buffer_finish(&buffer, joined);
}

static void write_certificates(struct json_out *out, const struct client_certificates *certificates)
{
    char spelled[CRYPTO_HASH_SIZE * 2];

    if (certificates->count > 0) {
        json_out_key(out, THUMBPRINTS);
        json_out_array_open(out);
        for (size_t i = 0; i < certificates->count; i++) {
            codec_base64url_encode(certificates->thumbprint[i], CRYPTO_HASH_SIZE, spelled);
            json_out_text(out, (struct text){spelled, codec_base64url_size(CRYPTO_HASH_SIZE)});
        }
        json_out_array_close(out);
    }
    if (certificates->name.size > 0) {
        json_out_member(out, kinds[certificates->kind].member, certificates->name);
    }
}

/* ---- from an operator ---- */

bool client_certificates_from_file(struct arena *arena, struct text file,
                                   struct client_certificates *certificates, struct fault *fault)
{
    struct text start = text_strip(file);

    certificates->count = 0;
    return text_starts(start, TEXT("{")) ? add_from_set(arena, start, certificates, fault)
                                         : add_from_pem(arena, file, certificates, fault);
}

static bool add_from_pem(struct arena *arena, struct text pem,
                         struct client_certificates *certificates, struct fault *fault)
{
    struct certificate one;

    while (certificate_read(arena, &pem, &one) == CERTIFICATE_READ) {
        if (!add_one(&one, certificates, fault)) {
            return false;
        }
    }
    if (certificates->count == 0) {
        fault_set(fault, "no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
    }
    return certificates->count > 0;
}

/* The first of each chain is the client's own (RFC 7517 section 4.7). */
static bool add_from_set(struct arena *arena, struct text set,
                         struct client_certificates *certificates, struct fault *fault)
{
    const json_t *object = json_in_object(arena, set, fault);
    const json_t *keys = json_object_get(object, "keys");

    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *chain = json_object_get(json_array_get(keys, i), "x5c");
        struct certificate one;

        if (chain == NULL) {
            continue;
        } else if (certificate_from_base64(arena,
                                           text_of(json_string_value(json_array_get(chain, 0))),
                                           &one) != CERTIFICATE_READ) {
            fault_set(fault, "key %zu of the JWK Set: its x5c does not begin with a certificate",
                      i + 1);
            return false;
        } else if (!add_one(&one, certificates, fault)) {
            return false;
        }
    }
    if (object != NULL && certificates->count == 0) {
        fault_set(fault, "no key of this JWK Set has a certificate (x5c)");
    }
    return certificates->count > 0;
}

static bool add_one(const struct certificate *one, struct client_certificates *certificates,
                    struct fault *fault)
{
    if (!certificate_is_x509(one)) {
        fault_set(fault, "certificate %zu cannot be read as X.509", certificates->count + 1);
        return false;
    } else if (certificates->count == CLIENT_CERTIFICATES_COUNT) {
        fault_set(fault, "too many certificates; %d are the most", (int)CLIENT_CERTIFICATES_COUNT);
        return false;
    }
    memcpy(certificates->thumbprint[certificates->count++], one->thumbprint,
           sizeof one->thumbprint);
    return true;
}

bool client_certificates_from_name(struct text given, struct client_certificates *certificates)
{
    struct text name = given;
    struct text word = text_split(&name, ':');

    certificates->name = (struct text){0};
    for (size_t i = 0; i < CERTIFICATE_NAMES; i++) {
        if (text_is(word, kinds[i].word)) {
            certificates->kind = (enum certificate_name)i;
            certificates->name = name;
        }
    }
    return given.size == 0 ||
           (certificates->name.size > 0 && name.size <= CLIENT_CERTIFICATES_NAME_MAX &&
            text_is_utf8(name) && !text_has_control(name));
}

const char *client_certificates_kind(enum certificate_name kind)
{
    return kinds[kind].word;
}

/* ---- at a request ---- */

bool client_certificates_match(const struct client_certificates *certificates,
                               const struct certificate *certificate, bool verified)
{
    for (size_t i = 0; i < certificates->count; i++) {
        if (secret_equal(certificates->thumbprint[i], certificate->thumbprint,
                         sizeof certificate->thumbprint)) {
            return true;
        }
    }
    return verified && certificates->name.size > 0 &&
           certificate_has_name(certificate, certificates->kind, certificates->name);
}
