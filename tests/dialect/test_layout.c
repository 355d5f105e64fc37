/* SPDX-License-Identifier: ISC */
/* test_layout.c: header and payload of each layout, compared as strings: order, escaping and which
 * members are there when. */
#include "token/fixture.h"

#include <stdio.h>
#include <string.h>

#include "dialect/dialect.h"
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

/* What the claims hold besides `full`, and what must come out. */
struct row {
    const char *name;
    const char *layout; /* of the dialect of that name, or "plain": kopong's without principal */
    const char *account;
    bool bare; /* no scope, roles, client */
    const char *payload;
};

static const struct layout *layout_named(const char *name)
{
    bool plain = strcmp(name, "plain") == 0;
    struct realm realm = {.policy = dialect_find(text_of(plain ? "kopong" : name))->policy};

    assert_true(!plain || kopong_dialect.settings[0].take(&realm, TEXT("off")));
    return realm.policy.layout;
}

static const struct row rows[] = {
    {"oauth", "oauth", NULL, false,
     "{\"iss\":\"https://id.example/\",\"sub\":\"234e34\",\"aud\":\"api\",\"exp\":4600,"
     "\"iat\":1000,\"jti\":\"" JTI "\",\"client_id\":\"web\",\"scope\":\"openid profile\","
     "\"sid\":\"" SESSION_UUID "\",\"roles\":[\"user\",\"admin\"]}"},
    {"oauth bare", "oauth", "{\"email\":\"a@b.example\"}", true,
     "{\"iss\":\"https://id.example/\",\"sub\":\"234e34\",\"aud\":\"api\",\"exp\":4600,"
     "\"iat\":1000,\"jti\":\"" JTI "\",\"sid\":\"" SESSION_UUID "\"}"},
    {"wirecash", "wirecash", NULL, false,
     "{\"sub\":\"ada\",\"iat\":1000,\"exp\":4600,\"sid\":\"" SESSION_UUID "\",\"jti\":\"" JTI
     "\"}"},
    {"kopong", "plain", NULL, false,
     "{\"sub\":\"ada\",\"roles\":[\"user\",\"admin\"],\"exp\":4600,\"iat\":1000}"},
    {"kopong bare", "plain", NULL, true,
     "{\"sub\":\"ada\",\"roles\":[],\"exp\":4600,\"iat\":1000}"},
    {"duktig", "duktig",
     "{\"email\":\"\xc3\xa4@b.example\",\"firstName\":\"A/B\",\"roleId\":[1,{\"x\":null}]}", false,
     "{\"iss\":\"https:\\/\\/id.example\\/\",\"aud\":\"api\",\"sub\":\"Duktig.io.general.sub\","
     "\"jti\":\"Duktig.io.general.jti\",\"nbf\":1000,\"iat\":1000,\"exp\":4600,"
     "\"account\":{\"userId\":5,\"firstName\":\"A\\/B\",\"email\":\"\\u00e4@b.example\","
     "\"roleId\":[1,{\"x\":null}]}}"},
    {"fusionauth", "fusionauth",
     "{\"preferred_username\":\"ada\",\"email_verified\":true,\"email\":\"a@b.example\"}", false,
     "{\"aud\":\"api\",\"scope\":[\"openid\",\"profile\"],\"exp\":4600,\"iat\":1000,"
     "\"iss\":\"https://id.example/\",\"roles\":[\"user\",\"admin\"],\"sub\":\"234e34\","
     "\"sid\":\"" SESSION_UUID "\",\"authenticationType\":\"REFRESH_TOKEN\","
     "\"email\":\"a@b.example\",\"email_verified\":true,\"preferred_username\":\"ada\"}"},
    {"fusionauth bare", "fusionauth", NULL, true,
     "{\"aud\":\"api\",\"exp\":4600,\"iat\":1000,\"iss\":\"https://id.example/\",\"roles\":[],"
     "\"sub\":\"234e34\",\"sid\":\"" SESSION_UUID "\",\"authenticationType\":\"PASSWORD\"}"},
    {"koppeltaal", "koppeltaal",
     "{\"family_name\":\"L\",\"given_name\":\"A\",\"email\":\"a@b.example\"}", false,
     "{\"iss\":\"https://id.example/\",\"aud\":\"api\",\"nbf\":1000,\"exp\":4600,\"nonce\":\"" JTI
     "\",\"type\":\"access\",\"sub\":\"234e34\",\"email\":\"a@b.example\",\"given_name\":\"A\","
     "\"family_name\":\"L\",\"scope\":\"openid profile\",\"azp\":\"web\"}"},
    {"koppeltaal bare", "koppeltaal", NULL, true,
     "{\"iss\":\"https://id.example/\",\"aud\":\"api\",\"nbf\":1000,\"exp\":4600,\"nonce\":\"" JTI
     "\",\"type\":\"access\",\"azp\":\"234e34\"}"},
};

static struct layout_claims claims_of(const struct row *row, struct arena *arena)
{
    struct layout_claims claims = full;

    if (row->bare) {
        claims.roles = claims.scope = claims.client = (struct text){0};
        claims.scope_given = false;
        claims.refreshed = false;
    }
    if (row->account != NULL) {
        claims.account = json_in_object(arena, T(row->account), NULL);
        assert_non_null(claims.account);
    }
    return claims;
}

static void payloads(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *arena = fixture_arena();
        struct layout_claims claims = claims_of(&rows[i], arena);
        struct text token;
        struct jws jws;
        assert_true(layout_access_token(layout_named(rows[i].layout), fixture_key(SIGNING_HS256),
                                        &claims, arena, &token));
        assert_true(jws_gate(arena, token, &jws));
        if (!text_is(jws.payload_json, rows[i].payload)) {
            print_error("%s\n%.*s\n", rows[i].name, TEXT_ARGS(jws.payload_json));
        }
        assert_true(text_is(jws.payload_json, rows[i].payload));
    }
}

static void headers(void **state)
{
    static const struct {
        const char *layout;
        const char *format; /* %1$s algorithm, %2$s kid */
    } expected[] = {
        {"oauth", "{\"typ\":\"at+jwt\",\"alg\":\"%1$s\",\"kid\":\"%2$s\"}"},
        {"wirecash", "{\"alg\":\"%1$s\",\"typ\":\"JWT\",\"kid\":\"%2$s\"}"},
        {"kopong", "{\"alg\":\"%1$s\"}"},
        {"duktig", "{\"typ\":\"JWT\",\"cty\":\"JWT\",\"alg\":\"%1$s\"}"},
        {"fusionauth", "{\"alg\":\"%1$s\",\"typ\":\"JWT\",\"kid\":\"%2$s\"}"},
        {"koppeltaal", "{\"kid\":\"%2$s\",\"alg\":\"%1$s\",\"typ\":\"JWT\"}"},
    };
    char wanted[256];

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        for (int algorithm = 0; algorithm < SIGNING_ALGORITHMS; algorithm++) {
            const struct signing_key *key = fixture_key((enum signing_algorithm)algorithm);
            struct arena *arena = fixture_arena();
            struct text token;
            struct jws jws;
            assert_true(
                layout_access_token(layout_named(expected[i].layout), key, &full, arena, &token));
            assert_true(jws_gate(arena, token, &jws));
            /* the row's numbered arguments leave one unused, which printf allows */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(wanted, sizeof wanted, expected[i].format,
                     signing_algorithm_name((enum signing_algorithm)algorithm),
                     signing_key_kid(key));
#pragma GCC diagnostic pop
            assert_row(text_is(jws.header_json, wanted), wanted);
            assert_non_null(jws_open(arena, token, key)); /* every layout with every algorithm */
        }
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

/* A name or scope must not be able to write a claim. */
static void hostile_values_stay_values(void **state)
{
    static const char hostile[] =
        "a\",\"exp\":9999999999,\"x\":\"\\\n\x01\x7f\xc3\xa4\xf0\x9f\x98\x80";
    (void)state;
    for (size_t i = 0; i < dialect_count; i++) {
        const struct layout *layout = dialects[i]->policy.layout;

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

static void only_two_layouts_make_refresh_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < dialect_count; i++) {
        const struct layout *layout = dialects[i]->policy.layout;

        if (layout == NULL) {
            continue;
        }
        struct text token = TEXT("untouched");
        bool has = layout == layout_named("kopong") || layout == layout_named("duktig");
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
    for (size_t i = 0; i < dialect_count; i++) {
        const struct layout *layout = dialects[i]->policy.layout;

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
        for (size_t i = 0; i < dialect_count; i++) {
            const struct layout *layout = dialects[i]->policy.layout;

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
        cmocka_unit_test(payloads),
        cmocka_unit_test(headers),
        cmocka_unit_test(scope_given_but_empty),
        cmocka_unit_test(hostile_values_stay_values),
        cmocka_unit_test(only_two_layouts_make_refresh_tokens),
        cmocka_unit_test(largest_refresh_token_fits),
        cmocka_unit_test(session_claims),
        cmocka_unit_test(small_arena_fails_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
