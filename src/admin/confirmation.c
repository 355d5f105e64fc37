/* SPDX-License-Identifier: ISC */
/* confirmation.c: see confirmation.h. */
#include "admin/confirmation.h"

#include <string.h>

#include "base/codec.h"
#include "base/crypto.h"
#include "dialect/dialect.h"
#include "token/dpop_jwt.h"

_Static_assert((int)DPOP_JWT_POINT_SIZE == (int)SESSION_KEY_SIZE, "a session keeps the point");

/* How each kind is written: the member of `cnf`. */
static const char *const members[] = {[SESSION_KEY_DPOP] = "jkt",
                                      [SESSION_KEY_BROWSER] = "jwk",
                                      [SESSION_KEY_CERTIFICATE] = "x5t#S256"};
enum { KINDS = sizeof members / sizeof members[0] };

static bool read_member(struct arena *arena, const json_t *value, enum session_key_kind kind,
                        uint8_t key[SESSION_KEY_SIZE]);
static bool proves_keys(const struct realm *realm);

void confirmation_write(struct json_out *out, const struct session *session)
{
    char spelled[SESSION_JWK_SIZE + 1] = "";

    if (session->key_kind == SESSION_KEY_NONE) {
        return;
    }
    json_out_key(out, "cnf");
    json_out_open(out);
    if (session->key_kind == SESSION_KEY_BROWSER) {
        session_key_jwk(session, spelled);
        json_out_key(out, members[SESSION_KEY_BROWSER]);
        buffer_add_c(out->buffer, spelled);
        out->comma = true;
    } else {
        codec_base64url_encode(session->key, CRYPTO_HASH_SIZE, spelled);
        json_out_member(out, members[session->key_kind], text_of(spelled));
    }
    json_out_close(out);
}

bool confirmation_read(struct arena *arena, const json_t *object, enum session_key_kind *kind,
                       uint8_t key[SESSION_KEY_SIZE], struct fault *why)
{
    const json_t *confirmation = json_object_get(object, "cnf");

    *kind = SESSION_KEY_NONE;
    memset(key, 0, SESSION_KEY_SIZE);
    if (confirmation == NULL || json_is_null(confirmation)) {
        return true;
    }
    for (int i = SESSION_KEY_DPOP; i < KINDS && json_object_size(confirmation) == 1; i++) {
        const json_t *value = json_object_get(confirmation, members[i]);

        if (value != NULL && read_member(arena, value, (enum session_key_kind)i, key)) {
            *kind = (enum session_key_kind)i;
            return true;
        }
    }
    fault_set(why,
              "cnf: no key; write {\"jkt\": …} or {\"x5t#S256\": …} with a SHA-256 thumbprint in "
              "base64url, or {\"jwk\": {…}} with a browser's key on P-256");
    return false;
}

static bool read_member(struct arena *arena, const json_t *value, enum session_key_kind kind,
                        uint8_t key[SESSION_KEY_SIZE])
{
    struct text spelled = {json_string_value(value), json_string_length(value)};
    size_t size = 0;

    if (kind == SESSION_KEY_BROWSER) {
        return dpop_jwt_read_point(arena, value, key);
    }
    return json_is_string(value) && codec_base64url_decode(spelled, key, CRYPTO_HASH_SIZE, &size) &&
           size == CRYPTO_HASH_SIZE;
}

bool confirmation_fits(const struct mount *mount, enum session_key_kind kind, struct fault *why)
{
    const struct realm *realm = mount->realm;
    const char *missing = NULL;

    if (confirmation_is_a_browsers(mount) && kind != SESSION_KEY_BROWSER) {
        missing = "renews only what is bound to a browser's key: {\"jwk\": {…}}";
    } else if (kind == SESSION_KEY_BROWSER && !confirmation_is_a_browsers(mount)) {
        missing = "has no browser prove its key; import the line at a mount of dbsc";
    } else if (kind == SESSION_KEY_DPOP && !proves_keys(realm)) {
        missing = "has nobody prove a key; import the line at a mount of oauth";
    } else if (kind == SESSION_KEY_CERTIFICATE && !realm->client_certificates) {
        missing = "looks at no certificates; set client-certificates = on there";
    }
    if (missing != NULL) {
        fault_set(why, "cnf: %s %s", mount->path, missing);
    }
    return missing == NULL;
}

static bool proves_keys(const struct realm *realm)
{
    return realm->dialect->proves_clients && realm->dialect->policy.layout->says_key;
}

bool confirmation_is_a_browsers(const struct mount *mount)
{
    const struct dialect *dialect = mount->realm->dialect;
    bool found = false;

    for (size_t i = 0; i < dialect->endpoint_count; i++) {
        found = found || dialect->endpoints[i].by_browser;
    }
    return found;
}
