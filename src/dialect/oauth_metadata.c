/* SPDX-License-Identifier: ISC */
/* oauth_metadata.c: see oauth_metadata.h. */
#include "dialect/oauth_metadata.h"

#include "dialect/metadata.h"
#include "dialect/oauth_expiration.h"
#include "dialect/oauth_grants.h"
#include "http/origin.h"
#include "operation/jwt_claims.h"
#include "operation/operation.h"

enum { PROOFS_ROOM = 8 };

static void write_document(struct json_out *out, const struct request *request);
static void add_authorization(struct json_out *out, const struct request *request);
static void add_aliases(struct json_out *out, const struct request *request);
static const char *const *proofs(const struct request *request, bool by_nothing,
                                 const char *words[PROOFS_ROOM]);
static void add_grants(struct json_out *out, const struct request *request);
static void answer(const struct request *request, bool openid, struct http_response *response);

void oauth_metadata_encode(const struct request *request, enum outcome outcome,
                           struct http_response *response)
{
    (void)outcome;
    answer(request, false, response);
}

void oauth_metadata_encode_openid(const struct request *request, enum outcome outcome,
                                  struct http_response *response)
{
    (void)outcome;
    answer(request, true, response);
}

/* There are no ID tokens, and `sub` is the same for every client; but many libraries refuse a
 * document of this name without both members, whatever they want it for. */
static void answer(const struct request *request, bool openid, struct http_response *response)
{
    const char *const algorithms[] = {signing_algorithm_name(request->realm->policy.algorithm),
                                      NULL};
    struct buffer body;
    struct json_out out;

    buffer_start(&body, request->arena, 2048);
    out = json_out_start(&body, JSON_STYLE_PLAIN);
    json_out_open(&out);
    write_document(&out, request);
    if (openid) {
        metadata_add_words(&out, "subject_types_supported", (const char *const[]){"public", NULL});
        metadata_add_words(&out, "id_token_signing_alg_values_supported", algorithms);
    }
    json_out_close(&out);
    metadata_answer(request, response, &body);
}

bool oauth_metadata_take_mtls_origin(struct realm *realm, struct text value)
{
    if (text_is(value, "none")) {
        realm->mtls_origin[0] = '\0';
        return true;
    }
    return http_origin_is_plain(value) && text_starts(value, TEXT("https://")) &&
           text_copy(value, realm->mtls_origin, sizeof realm->mtls_origin);
}

static void write_document(struct json_out *out, const struct request *request)
{
    const char *words[PROOFS_ROOM];

    json_out_member(out, "issuer", text_of(request->realm->issuer));
    add_authorization(out, request);
    metadata_add_endpoint(out, request, "token", &operation_refresh, proofs(request, true, words));
    add_grants(out, request);
    metadata_add_keys(out, request);
    if (jwt_claims_has_issuer(request->realm)) { /* RFC 9449 section 5.1 */
        metadata_add_client_algorithms(out, "dpop_signing_alg_values_supported");
    }
    if (request->realm->client_certificates) { /* RFC 8705 section 3.3 */
        json_out_key(out, "tls_client_certificate_bound_access_tokens");
        json_out_bool(out, true);
        add_aliases(out, request);
    }
    metadata_add_endpoint(out, request, "revocation", &operation_logout,
                          proofs(request, true, words));
    metadata_add_introspection(out, request, proofs(request, false, words));
    metadata_add_url(out, "device_authorization_endpoint", request, &operation_device);
    oauth_expiration_add_types(out, request);
}

/* response_types_supported is required, also where there is none. The code needs PKCE (RFC 7636),
 * and the answer says whose it is (RFC 9207). */
static void add_authorization(struct json_out *out, const struct request *request)
{
    static const char *const code[] = {"code", NULL};
    bool there =
        metadata_add_url(out, "authorization_endpoint", request, &operation_authorize) != NULL;

    metadata_add_words(out, "response_types_supported", there ? code : code + 1);
    if (there) {
        metadata_add_words(out, "response_modes_supported", (const char *const[]){"query", NULL});
        metadata_add_words(out, "code_challenge_methods_supported",
                           (const char *const[]){"S256", NULL});
        json_out_key(out, "authorization_response_iss_parameter_supported");
        json_out_bool(out, true);
    }
}

/* RFC 8705 section 5: what a client with a certificate asks. */
static void add_aliases(struct json_out *out, const struct request *request)
{
    const struct {
        const char *name;
        const struct operation *operation;
    } rows[] = {{"token_endpoint", &operation_refresh},
                {"revocation_endpoint", &operation_logout},
                {"introspection_endpoint", &operation_introspect},
                {"device_authorization_endpoint", &operation_device}};
    struct text origin = text_of(request->realm->mtls_origin);

    if (origin.size == 0) {
        return;
    }
    json_out_key(out, "mtls_endpoint_aliases");
    json_out_open(out);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        metadata_add_url_at(out, rows[i].name, request, rows[i].operation, origin);
    }
    json_out_close(out);
}

/* How clients prove themselves; by_nothing: they need not. In `words`, ended by NULL. */
static const char *const *proofs(const struct request *request, bool by_nothing,
                                 const char *words[PROOFS_ROOM])
{
    size_t count = 0;

    words[count++] = "client_secret_basic";
    words[count++] = "client_secret_post";
    words[count++] = "private_key_jwt";
    if (request->realm->client_certificates) {
        words[count++] = "tls_client_auth";
        words[count++] = "self_signed_tls_client_auth";
    }
    if (by_nothing) {
        words[count++] = "none";
    }
    words[count] = NULL;
    return words;
}

static void add_grants(struct json_out *out, const struct request *request)
{
    json_out_key(out, "grant_types_supported");
    json_out_array_open(out);
    oauth_grants_add(out, request);
    json_out_array_close(out);
}
