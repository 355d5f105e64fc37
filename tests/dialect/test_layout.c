/* SPDX-License-Identifier: ISC */
/* test_layout.c: header and payload of each dialect's tokens against its golden files: order,
 * escaping and which members are there when; and what holds for every layout. */
#include "token/fixture.h"

#include <string.h>

#include "dialect/dialect.h"
#include "process/dialects.h"
#include "dialect/golden.h"
#include "token/jws.h"
#include "token/keyring.h"
#include "token/refresh_token.h"

#define SESSION_UUID "01934b2c-5e70-7c11-9a3f-52e80d64b107"
#define JTI          "48529576-1be7-4cf9-81c4-dd15a2186707"

static const struct layout_claims full = {.issuer = TEXT("https://id.example/"),
                                          .audience = TEXT("api"),
                                          .subject = TEXT("234e34"),
                                          .username = TEXT("ada"),
                                          .user_number = 5,
                                          .roles = TEXT("user admin"),
                                          .scope = TEXT("openid profile"),
                                          .scope_given = true,
                                          .client = TEXT("web"),
                                          .session = SESSION_UUID,
                                          .jti = JTI,
                                          .issued_at_s = 1000,
                                          .expires_at_s = 4600,
                                          .refreshed = true};

/* Every claim of an account that a dialect looks at, and some that none does. */
static const char account[] =
    "{\"email\":\"\xc3\xa4@b.example\",\"email_verified\":true,\"preferred_username\":\"ada\","
    "\"firstName\":\"A/B\",\"lastName\":\"L\",\"given_name\":\"A\",\"family_name\":\"L\","
    "\"roleId\":[1,{\"x\":null}],\"color\":\"blue\"}";

/* "plain": kopong's without principal; else of the dialect of that name. */
static const struct layout *layout_named(const char *name)
{
    bool plain = strcmp(name, "plain") == 0;
    struct realm realm = {.policy = dialects_find(text_of(plain ? "kopong" : name))->policy};

    assert_true(!plain || kopong_dialect.settings[0].take(&realm, TEXT("off")));
    return realm.policy.layout;
}

/* All that can be known, or (bare) neither scope, roles, client nor account, and issued by a login.
 */
static struct layout_claims claims_of(bool bare, struct arena *arena)
{
    struct layout_claims claims = full;

    if (bare) {
        claims.roles = claims.scope = claims.client = (struct text){0};
        claims.scope_given = false;
        claims.refreshed = false;
    } else {
        claims.account = json_in_object(arena, T(account), NULL);
        assert_non_null(claims.account);
    }
    return claims;
}

/* ---- golden files ---- */

/* JSON, but a string of more than 100 bytes as "...": compressed data differs from one zlib to the
 * next, and has a test of its own. */
static void show_json(struct buffer *shown, struct text json)
{
    while (json.size > 0) {
        size_t end = 1;

        if (json.data[0] == '"') {
            while (end < json.size && json.data[end] != '"') {
                end += json.data[end] == '\\' ? 2 : 1;
            }
            end++;
        }
        if (end > 100) {
            buffer_add_c(shown, "\"...\"");
        } else {
            golden_show(shown, text_cut(json, end));
        }
        json = text_from(json, end);
    }
    buffer_add_c(shown, "\n");
}

static void show_header(struct buffer *shown, struct text json, const struct signing_key *key)
{
    struct text kid = text_of(signing_key_kid(key));

    buffer_add_c(shown, "header ");
    while (json.size > 0) {
        if (text_starts(json, kid)) {
            buffer_add_c(shown, "KID");
            json = text_from(json, kid.size);
        } else {
            buffer_add_char(shown, json.data[0]);
            json = text_from(json, 1);
        }
    }
    buffer_add_c(shown, "\n");
}

static void show_tokens(const struct layout *layout, bool bare, struct arena *arena,
                        struct buffer *shown)
{
    const struct signing_key *key = fixture_key(SIGNING_HS256);
    struct layout_claims claims = claims_of(bare, arena);
    struct text token;
    struct jws jws;

    assert_true(layout_access_token(layout, key, &claims, arena, &token));
    assert_true(jws_gate(arena, token, &jws));
    show_header(shown, jws.header_json, key);
    buffer_add_c(shown, "access ");
    show_json(shown, jws.payload_json);
    if (layout_has_refresh(layout)) {
        assert_true(layout_refresh_token(layout, key, &claims, arena, &token));
        assert_true(jws_gate(arena, token, &jws));
        buffer_add_c(shown, "refresh ");
        show_json(shown, jws.payload_json);
    }
}

static void tokens_of_every_dialect(void **state)
{
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < dialects_total() * 2; i++) {
        const struct dialect *dialect = dialects_at(i / 2);
        bool bare = i % 2 != 0;
        struct arena *arena = fixture_arena();
        struct buffer shown;

        if (dialect->policy.layout != NULL) {
            buffer_start(&shown, arena, 4096);
            show_tokens(dialect->policy.layout, bare, arena, &shown);
            golden_check(arena, dialect->name, "tokens", bare ? "bare" : "full",
                         buffer_text(&shown));
            count++;
        }
    }
    assert_true(count > 0);
}

static void kopong_without_principal(void **state)
{
    const char *expected =
        "{\"sub\":\"ada\",\"roles\":[\"user\",\"admin\"],\"exp\":4600,\"iat\":1000}";
    struct arena *arena = fixture_arena();
    struct text token;
    struct jws jws;

    (void)state;
    assert_true(layout_access_token(layout_named("plain"), fixture_key(SIGNING_HS256), &full, arena,
                                    &token));
    assert_true(jws_gate(arena, token, &jws));
    assert_true(text_is(jws.payload_json, expected));
}

/* ---- rules that hold for every layout ---- */

static void every_algorithm(void **state)
{
    (void)state;
    for (size_t i = 0; i < dialects_total(); i++) {
        const struct layout *layout = dialects_at(i)->policy.layout;

        for (int algorithm = 0; layout != NULL && algorithm < SIGNING_ALGORITHMS; algorithm++) {
            const struct signing_key *key = fixture_key((enum signing_algorithm)algorithm);
            struct arena *arena = fixture_arena();
            struct text token;
            struct jws jws;
            json_t *header;

            assert_true(layout_access_token(layout, key, &full, arena, &token));
            assert_true(jws_gate(arena, token, &jws));
            header = json_in_object(arena, jws.header_json, NULL);
            assert_string_equal(json_string_value(json_object_get(header, "alg")),
                                signing_algorithm_name((enum signing_algorithm)algorithm));
            if (json_object_get(header, "kid") != NULL) {
                assert_string_equal(json_string_value(json_object_get(header, "kid")),
                                    signing_key_kid(key));
            }
            assert_non_null(jws_open(arena, token, key));
        }
    }
}

/* A renewal within the second of its login gives another access token, or a client could not tell
 * that it was renewed. */
static void renewal_differs_from_login(void **state)
{
    (void)state;
    for (size_t i = 0; i < dialects_total(); i++) {
        const struct layout *layout = dialects_at(i)->policy.layout;
        struct arena *arena = fixture_arena();
        struct layout_claims login = full;
        struct text first, second;

        if (!dialects_at(i)->policy.rotate || layout == NULL) {
            continue;
        }
        login.refreshed = false;
        login.jti[0] = '0';
        assert_true(layout_access_token(layout, fixture_key(SIGNING_HS256), &login, arena, &first));
        assert_true(layout_access_token(layout, fixture_key(SIGNING_HS256), &full, arena, &second));
        assert_row(!text_equal(first, second), dialects_at(i)->name);
    }
}

static void scope_given_but_empty(void **state)
{
    struct arena *arena = fixture_arena();
    struct layout_claims claims = full;
    struct text token;
    json_t *payload;

    (void)state;
    claims.scope = (struct text){0};
    assert_true(layout_access_token(layout_named("koppeltaal"), fixture_key(SIGNING_HS256), &claims,
                                    arena, &token));
    payload = jws_open(arena, token, fixture_key(SIGNING_HS256));
    assert_string_equal(json_string_value(json_object_get(payload, "scope")), "");
    assert_true(layout_access_token(layout_named("oauth"), fixture_key(SIGNING_HS256), &claims,
                                    arena, &token));
    payload = jws_open(arena, token, fixture_key(SIGNING_HS256));
    assert_null(json_object_get(payload, "scope"));
}

/* RFC 9068 section 2.2: without `iss` it is no at+jwt; without an audience of its own it is for
 * this server. */
static void at_jwt_has_issuer_and_audience(void **state)
{
    const struct layout *layout = layout_named("oauth");
    struct layout_claims claims = full;
    struct arena *arena = fixture_arena();
    struct text token;
    struct jws jws;

    (void)state;
    claims.audience = TEXT("");
    assert_true(layout_access_token(layout, fixture_key(SIGNING_HS256), &claims, arena, &token));
    json_t *payload = jws_open(arena, token, fixture_key(SIGNING_HS256));
    assert_string_equal(json_string_value(json_object_get(payload, "aud")), "https://id.example/");
    assert_true(jws_gate(arena, token, &jws));
    assert_true(text_is(jws.type, "at+jwt"));
    claims.issuer = TEXT("");
    assert_true(layout_access_token(layout, fixture_key(SIGNING_HS256), &claims, arena, &token));
    assert_true(jws_gate(arena, token, &jws));
    assert_true(text_is(jws.type, "JWT"));
}

/* A name or scope must not be able to write a claim. */
static void hostile_values_stay_values(void **state)
{
    static const char hostile[] =
        "a\",\"exp\":9999999999,\"x\":\"\\\n\x01\x7f\xc3\xa4\xf0\x9f\x98\x80";
    (void)state;
    for (size_t i = 0; i < dialects_total(); i++) {
        const struct layout *layout = dialects_at(i)->policy.layout;

        if (layout == NULL) {
            continue;
        }
        struct arena *arena = fixture_arena();
        struct layout_claims claims = full;
        struct text token;
        claims.issuer = claims.audience = claims.subject = claims.username = claims.roles =
            claims.scope = claims.client = T(hostile);
        assert_true(
            layout_access_token(layout, fixture_key(SIGNING_HS256), &claims, arena, &token));
        json_t *payload = jws_open(arena, token, fixture_key(SIGNING_HS256));
        assert_non_null(payload);
        assert_int_equal(json_integer_value(json_object_get(payload, "exp")), 4600);
        assert_null(json_object_get(payload, "x"));
    }
}

static void refresh_tokens_are_jwts_where_the_layout_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < dialects_total(); i++) {
        const struct layout *layout = dialects_at(i)->policy.layout;

        if (layout == NULL) {
            continue;
        }
        struct text token = TEXT("untouched");
        bool has = layout_has_refresh(layout);
        assert_int_equal(layout_refresh_token(layout, fixture_key(SIGNING_HS256), &full,
                                              fixture_arena(), &token),
                         has);
        assert_int_equal(refresh_token_shape(token), has ? REFRESH_SHAPE_JWT : REFRESH_SHAPE_NONE);
    }
}

/* The longest name and roles an account can have still give a refresh token that is taken back. */
static void largest_refresh_token_fits(void **state)
{
    static char name[128];
    static char roles[512];
    struct layout_claims claims = full;
    struct randomness randomness = fixture_randomness();
    struct text token;

    (void)state;
    randomness_fill(&randomness, name, sizeof name);
    randomness_fill(&randomness, roles, sizeof roles);
    for (size_t i = 0; i < sizeof name; i++) {
        name[i] = (char)('!' + (name[i] & 0x3f));
    }
    for (size_t i = 0; i < sizeof roles; i++) {
        roles[i] = (char)((i % 8) == 7 ? ' ' : 'A' + (roles[i] & 0x1f));
    }
    claims.username = (struct text){name, sizeof name};
    claims.roles = (struct text){roles, sizeof roles};
    assert_true(layout_refresh_token(layout_named("kopong"), fixture_key(SIGNING_HS256), &claims,
                                     fixture_arena(), &token));
    assert_int_equal(refresh_token_shape(token), REFRESH_SHAPE_JWT);
}

static void session_claims(void **state)
{
    (void)state;
    for (size_t i = 0; i < dialects_total(); i++) {
        const struct layout *layout = dialects_at(i)->policy.layout;

        if (layout == NULL) {
            continue;
        }
        struct arena *arena = fixture_arena();
        const char *claim = layout->session_claim;
        struct text token;
        assert_true(layout_access_token(layout, fixture_key(SIGNING_HS256), &full, arena, &token));
        json_t *payload = jws_open(arena, token, fixture_key(SIGNING_HS256));
        if (claim != NULL) {
            assert_string_equal(json_string_value(json_object_get(payload, claim)), SESSION_UUID);
        } else {
            assert_null(json_object_get(payload, "sid"));
        }
    }
}

static void small_arena_fails_cleanly(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 12000; limit += 97) {
        for (size_t i = 0; i < dialects_total(); i++) {
            const struct layout *layout = dialects_at(i)->policy.layout;

            if (layout == NULL) {
                continue;
            }
            struct arena *arena = arena_open(limit);
            struct layout_claims claims = full;
            struct text token = TEXT("untouched");
            if (arena == NULL) {
                continue;
            }
            bool made =
                layout_access_token(layout, fixture_key(SIGNING_HS256), &claims, arena, &token);
            assert_int_equal(text_is(token, "untouched"), !made);
            arena_close(arena);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_every_dialect),
        cmocka_unit_test(kopong_without_principal),
        cmocka_unit_test(every_algorithm),
        cmocka_unit_test(renewal_differs_from_login),
        cmocka_unit_test(scope_given_but_empty),
        cmocka_unit_test(at_jwt_has_issuer_and_audience),
        cmocka_unit_test(hostile_values_stay_values),
        cmocka_unit_test(refresh_tokens_are_jwts_where_the_layout_says_so),
        cmocka_unit_test(largest_refresh_token_fits),
        cmocka_unit_test(session_claims),
        cmocka_unit_test(small_arena_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
