/* SPDX-License-Identifier: ISC */
/* test_documented_tokens.c: the documented tokens come out of their fields again, byte for byte,
 * and open. */
#include "token/fixture.h"

#include <string.h>

#include "dialect/dialect.h"
#include "process/dialects.h"
#include "dialect/documented_tokens.h"
#include "token/jws.h"

static const struct layout_claims kopong = {.username = TEXT("test@kopong.com"),
                                            .user_number = 5,
                                            .roles = TEXT("ROLE_CUSTOMER"),
                                            .issued_at_s = 1514033165,
                                            .expires_at_s = 1514036765};

static const struct layout_claims duktig = {.issuer = TEXT("Duktig.io.iss"),
                                            .audience = TEXT("Duktig.io.general.aud"),
                                            .username = TEXT("super.admin@duktig.io"),
                                            .user_number = 1,
                                            .issued_at_s = 1573814034,
                                            .expires_at_s = 1573900434};

static struct signing_key *key_of(const char *secret)
{
    struct signing_key *key = signing_key_from_secret(SIGNING_HS256, T(secret), NULL, NULL);

    assert_non_null(key);
    return key;
}

static void assert_token(struct text token, const char *golden)
{
    assert_int_equal(token.size, strlen(golden));
    assert_memory_equal(token.data, golden, token.size);
}

static void kopong_access_token(void **state)
{
    struct signing_key *key = key_of(GOLDEN_KOPONG_SECRET);
    struct text token;

    (void)state;
    assert_true(
        layout_access_token(kopong_dialect.policy.layout, key, &kopong, fixture_arena(), &token));
    assert_token(token, GOLDEN_KOPONG_ACCESS);
    signing_key_close(key);
}

static void kopong_refresh_token(void **state)
{
    struct signing_key *key = key_of(GOLDEN_KOPONG_SECRET);
    struct layout_claims claims = kopong;
    struct text token;

    (void)state;
    claims.issued_at_s = 1514033166;
    claims.expires_at_s = 0;
    assert_true(
        layout_refresh_token(kopong_dialect.policy.layout, key, &claims, fixture_arena(), &token));
    assert_token(token, GOLDEN_KOPONG_REFRESH);
    signing_key_close(key);
}

static void duktig_access_token(void **state)
{
    struct signing_key *key = key_of(GOLDEN_DUKTIG_SECRET);
    struct arena *arena = fixture_arena();
    struct layout_claims claims = duktig;
    struct text token;

    (void)state;
    /* in another order than the token has them, with one that it has not */
    claims.account = json_in_object(arena,
                                    TEXT("{\"roleId\":1,\"email\":\"super.admin@duktig.io\","
                                         "\"phone\":\"1\",\"lastName\":\"Admin\","
                                         "\"firstName\":\"Super\"}"),
                                    NULL);
    assert_non_null(claims.account);
    assert_true(layout_access_token(dialects_find(TEXT("duktig"))->policy.layout, key, &claims,
                                    arena, &token));
    assert_token(token, GOLDEN_DUKTIG_ACCESS);
    signing_key_close(key);
}

/* The documented refresh token has the same claims but the account's number only. */
static void duktig_refresh_token(void **state)
{
    struct signing_key *key = key_of(GOLDEN_DUKTIG_SECRET);
    struct arena *arena = fixture_arena();
    struct text token;
    struct jws jws;

    (void)state;
    assert_true(layout_refresh_token(dialects_find(TEXT("duktig"))->policy.layout, key, &duktig,
                                     arena, &token));
    assert_true(jws_gate(arena, token, &jws));
    assert_true(text_is(jws.header_json, "{\"typ\":\"JWT\",\"cty\":\"JWT\",\"alg\":\"HS256\"}"));
    assert_true(text_is(jws.payload_json,
                        "{\"iss\":\"Duktig.io.iss\",\"aud\":\"Duktig.io.general.aud\","
                        "\"sub\":\"Duktig.io.general.sub\",\"jti\":\"Duktig.io.general.jti\","
                        "\"nbf\":1573814034,\"iat\":1573814034,\"exp\":1573900434,"
                        "\"account\":{\"userId\":1}}"));
    signing_key_close(key);
}

static void documented_tokens_open(void **state)
{
    static const struct {
        const char *secret;
        const char *token;
    } rows[] = {{GOLDEN_KOPONG_SECRET, GOLDEN_KOPONG_ACCESS},
                {GOLDEN_KOPONG_SECRET, GOLDEN_KOPONG_REFRESH},
                {GOLDEN_DUKTIG_SECRET, GOLDEN_DUKTIG_ACCESS}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct signing_key *right = key_of(rows[i].secret);
        struct signing_key *wrong = key_of(rows[(i + 2) % 3].secret);
        assert_non_null(jws_open(fixture_arena(), T(rows[i].token), right));
        assert_int_equal(jws_open(fixture_arena(), T(rows[i].token), wrong) != NULL,
                         rows[i].secret == rows[(i + 2) % 3].secret);
        signing_key_close(right);
        signing_key_close(wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kopong_access_token),    cmocka_unit_test(kopong_refresh_token),
        cmocka_unit_test(duktig_access_token),    cmocka_unit_test(duktig_refresh_token),
        cmocka_unit_test(documented_tokens_open),
    };

    return cmocka_run_group_tests(tests, NULL, fixture_close);
}
