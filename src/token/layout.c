/* layout.c: the claims of each layout in the order its old server wrote them, because clients
 * compare strings. Knows names, order and escaping of members. Does not know sessions, policies, or
 * where a claim's value comes from.
 *
 * A new layout: one payload function, one row below, one name in model/mount.h. */
#include "token/jws.h"
#include "token/layout.h"
#include "token/refresh_token.h"

enum { HEADER_MEMBERS_MAX = 4, HEADER_ROOM = 256, PAYLOAD_ROOM = 512 };

typedef void payload_writer(struct json_out *out, const struct layout_claims *claims);

struct layout_row {
    unsigned style; /* enum json_style, of header and payload */
    const char *header[HEADER_MEMBERS_MAX];
    const char *type; /* the value of `typ` */
    payload_writer *access;
    payload_writer *refresh;   /* NULL: its refresh tokens are no JWTs */
    const char *session_claim; /* NULL: its access tokens do not name their session */
};

/* ---- members that several layouts share ---- */

static void add_words(struct json_out *out, const char *key, struct text words)
{
    json_out_key(out, key);
    json_out_array_open(out);
    while (words.size > 0) {
        struct text word = text_split(&words, ' ');
        if (word.size > 0) {
            json_out_text(out, word);
        }
    }
    json_out_array_close(out);
}

static void add_expiry(struct json_out *out, const struct layout_claims *claims)
{
    if (claims->expires_at_s != 0) {
        json_out_member_int(out, "exp", claims->expires_at_s);
    }
}

/* A claim of the account, as it is, when it has it. */
static void add_account_claim(struct json_out *out, const struct layout_claims *claims,
                              const char *key)
{
    const json_t *value = json_object_get(claims->account, key);

    if (value != NULL) {
        json_out_key(out, key);
        json_out_value(out, value);
    }
}

/* ---- kopong: grails-spring-security-rest 2.0.0.M2 ---- */

static void add_principal(struct json_out *out, const struct layout_claims *claims)
{
    struct text principal;

    if (layout_principal(claims->username, claims->roles, claims->user_number, out->buffer->arena,
                         &principal)) {
        json_out_member(out, "principal", principal);
    } else {
        out->buffer->failed = true;
    }
}

/* Access and refresh token differ in `exp` only, which the refresh token usually has not. */
static void kopong_payload(struct json_out *out, const struct layout_claims *claims)
{
    if (claims->principal) {
        add_principal(out, claims);
    }
    json_out_member(out, "sub", claims->username);
    add_words(out, "roles", claims->roles);
    add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
}

/* ---- Duktig ---- */

static void add_duktig_registered(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "iss", claims->issuer);
    json_out_member(out, "aud", claims->audience);
    json_out_member(out, "sub", TEXT("Duktig.io.general.sub"));
    json_out_member(out, "jti", TEXT("Duktig.io.general.jti"));
    json_out_member_int(out, "nbf", claims->issued_at_s);
    json_out_member_int(out, "iat", claims->issued_at_s);
    add_expiry(out, claims);
    json_out_key(out, "account");
}

static void duktig_access(struct json_out *out, const struct layout_claims *claims)
{
    static const char *const members[] = {"firstName", "lastName", "email", "roleId"};

    add_duktig_registered(out, claims);
    json_out_open(out);
    json_out_member_int(out, "userId", (int64_t)claims->user_number);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        add_account_claim(out, claims, members[i]);
    }
    json_out_close(out);
}

static void duktig_refresh(struct json_out *out, const struct layout_claims *claims)
{
    add_duktig_registered(out, claims);
    json_out_open(out);
    json_out_member_int(out, "userId", (int64_t)claims->user_number);
    json_out_close(out);
}

/* ---- Koppeltaal ---- */

/* The old server named a person only where a person had logged in, and not for a service's own
 * grant: we see the person by the claims of the account. */
static void add_koppeltaal_person(struct json_out *out, const struct layout_claims *claims)
{
    bool person = json_object_get(claims->account, "email") != NULL ||
                  json_object_get(claims->account, "given_name") != NULL;

    if (person && claims->subject.size > 0) {
        json_out_member(out, "sub", claims->subject);
    }
    add_account_claim(out, claims, "email");
    add_account_claim(out, claims, "given_name");
    add_account_claim(out, claims, "family_name");
}

static void koppeltaal_access(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "iss", claims->issuer);
    json_out_member(out, "aud", claims->audience);
    json_out_member_int(out, "nbf", claims->issued_at_s);
    add_expiry(out, claims);
    json_out_member(out, "nonce", text_of(claims->jti));
    json_out_member(out, "type", TEXT("access"));
    add_koppeltaal_person(out, claims);
    if (claims->scope_given) {
        json_out_member(out, "scope", claims->scope);
    }
    json_out_member(out, "azp", claims->client.size > 0 ? claims->client : claims->subject);
}

/* ---- FusionAuth: the payload of the seed document, then what tells sessions apart ---- */

static void fusionauth_access(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "aud", claims->audience);
    if (claims->scope_given) {
        add_words(out, "scope", claims->scope);
    }
    add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
    json_out_member(out, "iss", claims->issuer);
    add_words(out, "roles", claims->roles);
    json_out_member(out, "sub", claims->subject);
    json_out_member(out, "sid", text_of(claims->session));
    json_out_member(out, "authenticationType",
                    claims->refreshed ? TEXT("REFRESH_TOKEN") : TEXT("PASSWORD"));
    add_account_claim(out, claims, "email");
    add_account_claim(out, claims, "email_verified");
    add_account_claim(out, claims, "preferred_username");
}

/* ---- /oauth/token: RFC 9068 section 2.2, as far as the operator has named issuer and audience
 * ---- */

static void add_named(struct json_out *out, const char *key, struct text value)
{
    if (value.size > 0) {
        json_out_member(out, key, value);
    }
}

static void oauth_access(struct json_out *out, const struct layout_claims *claims)
{
    add_named(out, "iss", claims->issuer);
    json_out_member(out, "sub", claims->subject);
    add_named(out, "aud", claims->audience);
    add_expiry(out, claims);
    json_out_member_int(out, "iat", claims->issued_at_s);
    json_out_member(out, "jti", text_of(claims->jti));
    add_named(out, "client_id", claims->client);
    add_named(out, "scope", claims->scope); /* an empty scope is no scope (RFC 6749 section 3.3) */
    json_out_member(out, "sid", text_of(claims->session));
    if (claims->roles.size > 0) {
        add_words(out, "roles", claims->roles);
    }
}

/* ---- WireCash ---- */

static void wirecash_access(struct json_out *out, const struct layout_claims *claims)
{
    json_out_member(out, "sub", claims->username);
    json_out_member_int(out, "iat", claims->issued_at_s);
    add_expiry(out, claims);
    json_out_member(out, "sid", text_of(claims->session));
    json_out_member(out, "jti", text_of(claims->jti));
}

/* ---- the table ---- */

static const struct layout_row layouts[] = {
    [LAYOUT_OAUTH] = {.header = {"typ", "alg", "kid"},
                      .type = "at+jwt",
                      .access = oauth_access,
                      .session_claim = "sid"},
    [LAYOUT_KOPONG] = {.style = JSON_STYLE_ESCAPE_SLASH,
                       .header = {"alg"},
                       .access = kopong_payload,
                       .refresh = kopong_payload},
    [LAYOUT_WIRECASH] = {.header = {"alg", "typ", "kid"},
                         .type = "JWT",
                         .access = wirecash_access,
                         .session_claim = "sid"},
    [LAYOUT_DUKTIG] = {.style = JSON_STYLE_ESCAPE_SLASH | JSON_STYLE_ASCII,
                       .header = {"typ", "cty", "alg"},
                       .type = "JWT",
                       .access = duktig_access,
                       .refresh = duktig_refresh},
    [LAYOUT_FUSIONAUTH] = {.header = {"alg", "typ", "kid"},
                           .type = "JWT",
                           .access = fusionauth_access,
                           .session_claim = "sid"},
    [LAYOUT_KOPPELTAAL] = {.header = {"kid", "alg", "typ"},
                           .type = "JWT",
                           .access = koppeltaal_access},
};

static struct text header_value(const struct layout_row *row, const struct signing_key *key,
                                struct text member)
{
    if (text_is(member, "alg")) {
        return text_of(signing_algorithm_name(signing_key_algorithm(key)));
    } else if (text_is(member, "kid")) {
        return text_of(signing_key_kid(key));
    } else if (text_is(member, "typ")) {
        return text_of(row->type);
    }
    return TEXT("JWT"); /* cty, of Duktig */
}

static bool write_header(const struct layout_row *row, const struct signing_key *key,
                         struct arena *arena, struct text *header)
{
    struct buffer buffer;
    struct json_out out = json_out_start(&buffer, row->style);

    buffer_start(&buffer, arena, HEADER_ROOM);
    json_out_open(&out);
    for (size_t i = 0; i < HEADER_MEMBERS_MAX && row->header[i] != NULL; i++) {
        json_out_member(&out, row->header[i], header_value(row, key, text_of(row->header[i])));
    }
    json_out_close(&out);
    return buffer_finish(&buffer, header);
}

static bool write_payload(const struct layout_row *row, payload_writer *writer,
                          const struct layout_claims *claims, struct arena *arena,
                          struct text *payload)
{
    struct buffer buffer;
    struct json_out out = json_out_start(&buffer, row->style);

    buffer_start(&buffer, arena, PAYLOAD_ROOM);
    json_out_open(&out);
    writer(&out, claims);
    json_out_close(&out);
    return buffer_finish(&buffer, payload);
}

static bool make_token(const struct layout_row *row, payload_writer *writer,
                       const struct signing_key *key, const struct layout_claims *claims,
                       struct arena *arena, struct text *token)
{
    struct text header;
    struct text payload;

    return write_header(row, key, arena, &header) &&
           write_payload(row, writer, claims, arena, &payload) &&
           jws_sign(key, header, payload, arena, token);
}

bool layout_access_token(enum token_layout layout, const struct signing_key *key,
                         const struct layout_claims *claims, struct arena *arena,
                         struct text *token)
{
    const struct layout_row *row = &layouts[layout];

    return make_token(row, row->access, key, claims, arena, token);
}

bool layout_refresh_token(enum token_layout layout, const struct signing_key *key,
                          const struct layout_claims *claims, struct arena *arena,
                          struct text *token)
{
    const struct layout_row *row = &layouts[layout];
    struct text made;

    /* a longer one would be refused when it comes back */
    if (row->refresh == NULL || !make_token(row, row->refresh, key, claims, arena, &made) ||
        made.size > REFRESH_TOKEN_MAX) {
        return false;
    }
    *token = made;
    return true;
}

const char *layout_session_claim(enum token_layout layout)
{
    return layouts[layout].session_claim;
}
