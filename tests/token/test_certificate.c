/* SPDX-License-Identifier: ISC */
/* test_certificate.c: certificates as web servers pass them, the names in them, and what a client
 * is registered with (certificate.c and client_certificates.c). */
#include "token/fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/codec.h"
#include "token/certificates.h"
#include "token/client_certificates.h"
#include "token/client_keys.h"

static const char *thumbprint_of(const struct certificate *certificate)
{
    static char spelled[64];

    memset(spelled, 0, sizeof spelled);
    codec_base64url_encode(certificate->thumbprint, sizeof certificate->thumbprint, spelled);
    return spelled;
}

/* Whoever writes it, it is the same certificate. */
static struct text spelled(struct arena *arena, const char *pem, char line_end, bool escaped)
{
    struct buffer out;

    buffer_start(&out, arena, 4096);
    for (; *pem != '\0'; pem++) {
        char c = *pem == '\n' ? line_end : *pem;

        if (escaped && strchr("+/=\n ", c) != NULL) {
            buffer_addf(&out, "%%%02X", (unsigned)c);
        } else if (c != '\0') {
            buffer_add(&out, (struct text){&c, 1});
        }
    }
    return buffer_text(&out);
}

static void every_server_spells_it_otherwise(void **state)
{
    static const struct {
        char line_end;
        bool escaped;
    } rows[] = {{'\n', false}, {'\n', true}, {' ', false}, {'\t', false}, {'\0', false}};
    struct arena *arena = fixture_arena();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text pem = spelled(arena, CERTIFICATES_APP, rows[i].line_end, rows[i].escaped);
        struct certificate certificate;

        assert_int_equal(certificate_read(arena, &pem, &certificate), CERTIFICATE_READ);
        assert_string_equal(thumbprint_of(&certificate), CERTIFICATES_APP_THUMBPRINT);
    }
}

/* The client's own comes first, and a chain may follow it. */
static void several(void **state)
{
    struct arena *arena = fixture_arena();
    struct text pem = TEXT("junk\n" CERTIFICATES_OTHER "\n" CERTIFICATES_APP);
    struct certificate certificate;

    (void)state;
    assert_int_equal(certificate_read(arena, &pem, &certificate), CERTIFICATE_READ);
    assert_string_equal(thumbprint_of(&certificate), CERTIFICATES_OTHER_THUMBPRINT);
    assert_int_equal(certificate_read(arena, &pem, &certificate), CERTIFICATE_READ);
    assert_string_equal(thumbprint_of(&certificate), CERTIFICATES_APP_THUMBPRINT);
    assert_int_equal(certificate_read(arena, &pem, &certificate), CERTIFICATE_MALFORMED);
}

static void what_is_none(void **state)
{
#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"
    static const char *const rows[] = {
        "",        "(null)",       BEGIN,
        BEGIN END, BEGIN "A" END,  BEGIN "AAA*" END,
        END BEGIN, BEGIN "%4" END, "-----BEGIN PRIVATE KEY-----AAAA-----END PRIVATE KEY-----",
        "%",       "%zz",          BEGIN "AAAA",
    };
    struct arena *arena = fixture_arena();
    char *large = arena_alloc(arena, CERTIFICATE_SIZE_MAX + 1);
    struct text pem;
    struct certificate certificate;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pem = text_of(rows[i]);
        if (certificate_read(arena, &pem, &certificate) != CERTIFICATE_MALFORMED) {
            fail_msg("%s", rows[i]);
        }
    }
    /* what a certificate is, is looked at where its names count */
    pem = TEXT(BEGIN "AAAA" END);
    assert_int_equal(certificate_read(arena, &pem, &certificate), CERTIFICATE_READ);
    assert_false(certificate_is_x509(&certificate));
    assert_false(certificate_has_name(&certificate, CERTIFICATE_NAME_DNS, TEXT("app.example")));
    /* bounded before it is looked at */
    memset(large, ' ', CERTIFICATE_SIZE_MAX + 1);
    memcpy(large, CERTIFICATES_APP, strlen(CERTIFICATES_APP));
    pem = (struct text){large, CERTIFICATE_SIZE_MAX};
    assert_int_equal(certificate_read(arena, &pem, &certificate), CERTIFICATE_READ);
    pem = (struct text){large, CERTIFICATE_SIZE_MAX + 1};
    assert_int_equal(certificate_read(arena, &pem, &certificate), CERTIFICATE_MALFORMED);
}

/* Of the right kind, and whole. */
static void names(void **state)
{
    static const struct {
        enum certificate_name kind;
        const char *name;
        bool has;
    } rows[] = {
        {CERTIFICATE_NAME_DN, CERTIFICATES_APP_DN, true},
        {CERTIFICATE_NAME_DN, "CN=App, Inc.,O=Bank+OU=\303\204,C=DE", false},
        {CERTIFICATE_NAME_DN, "CN=App\\, Inc.", false},
        {CERTIFICATE_NAME_DN, CERTIFICATES_APP_DN ",C=DE", false},
        {CERTIFICATE_NAME_DN, "", false},
        {CERTIFICATE_NAME_DNS, "app.example", true},
        {CERTIFICATE_NAME_DNS, "APP.example", true},
        {CERTIFICATE_NAME_DNS, "app.example.org", false},
        {CERTIFICATE_NAME_DNS, "example", false},
        {CERTIFICATE_NAME_DNS, "a.wild.example", false},
        {CERTIFICATE_NAME_DNS, "192.0.2.7", false},
        {CERTIFICATE_NAME_DNS, "", false},
        {CERTIFICATE_NAME_URI, "urn:app:1", true},
        {CERTIFICATE_NAME_URI, "URN:app:1", false},
        {CERTIFICATE_NAME_URI, "app.example", false},
        {CERTIFICATE_NAME_IP, "192.0.2.7", true},
        {CERTIFICATE_NAME_IP, "2001:db8::7", true},
        {CERTIFICATE_NAME_IP, "2001:0DB8:0:0::0:7", true},
        {CERTIFICATE_NAME_IP, "192.0.2.8", false},
        {CERTIFICATE_NAME_IP, "192.0.2", false},
        {CERTIFICATE_NAME_IP, "app.example", false},
        {CERTIFICATE_NAME_EMAIL, "app@example.org", true},
        {CERTIFICATE_NAME_EMAIL, "App@example.org", false},
        {CERTIFICATE_NAME_EMAIL, "urn:app:1", false},
    };
    struct arena *arena = fixture_arena();
    struct text pem = TEXT(CERTIFICATES_APP);
    struct certificate certificate, other;

    (void)state;
    assert_int_equal(certificate_read(arena, &pem, &certificate), CERTIFICATE_READ);
    pem = TEXT(CERTIFICATES_OTHER);
    assert_int_equal(certificate_read(arena, &pem, &other), CERTIFICATE_READ);
    assert_true(certificate_is_x509(&certificate));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (certificate_has_name(&certificate, rows[i].kind, text_of(rows[i].name)) !=
            rows[i].has) {
            fail_msg("%s", rows[i].name);
        }
        assert_false(certificate_has_name(&other, rows[i].kind, text_of(rows[i].name)));
    }
}

/* ---- what a client is registered with ---- */

static bool from_file(struct arena *arena, const char *file, size_t *count, struct fault *fault)
{
    struct client_certificates certificates = {.count = 3};

    *fault = (struct fault){""};
    if (!client_certificates_from_file(arena, text_of(file), &certificates, fault)) {
        return false;
    }
    *count = certificates.count;
    return true;
}

static void files(void **state)
{
#define X5C(certificate) "{\"keys\":[{\"x5c\":[\"" certificate "\",\"MIIC\"]},{\"kty\":\"RSA\"}]}"
    struct arena *arena = fixture_arena();
    struct text app = text_from(TEXT(CERTIFICATES_APP), strlen(BEGIN "\n"));
    struct fault fault;
    struct buffer set;
    struct text name;
    size_t count;

    (void)state;
    assert_true(from_file(arena, CERTIFICATES_APP, &count, &fault));
    assert_int_equal(count, 1);
    assert_true(from_file(arena, CERTIFICATES_APP "\n" CERTIFICATES_OTHER, &count, &fault));
    assert_int_equal(count, 2);
    buffer_start(&set, arena, 4096);
    buffer_add_c(&set, "\n{\"keys\":[{\"kty\":\"RSA\"},{\"x5c\":[\"");
    app = text_cut(app, app.size - strlen(END "\n"));
    while (app.size > 0) {
        buffer_add(&set, text_split(&app, '\n'));
    }
    buffer_add_c(&set, "\",\"MIIC\"]}]}");
    assert_true(buffer_finish(&set, &name));
    assert_true(from_file(arena, arena_c_string(arena, name), &count, &fault));
    assert_int_equal(count, 1);
    assert_false(from_file(arena, "", &count, &fault));
    assert_non_null(strstr(fault.text, "no certificate in PEM"));
    assert_false(from_file(arena, BEGIN "AAAA" END, &count, &fault));
    assert_non_null(strstr(fault.text, "certificate 1 cannot be read"));
    assert_false(from_file(arena, "{\"keys\":[{\"kty\":\"RSA\"}]}", &count, &fault));
    assert_non_null(strstr(fault.text, "no key of this JWK Set has a certificate"));
    assert_false(from_file(arena, X5C("*"), &count, &fault));
    assert_non_null(strstr(fault.text, "key 1 of the JWK Set"));
    assert_false(from_file(arena, X5C("AAAA"), &count, &fault));
    assert_false(from_file(arena, "{", &count, &fault));
    assert_false(from_file(
        arena,
        CERTIFICATES_APP CERTIFICATES_APP CERTIFICATES_APP CERTIFICATES_APP CERTIFICATES_APP
            CERTIFICATES_APP CERTIFICATES_APP CERTIFICATES_APP CERTIFICATES_APP,
        &count, &fault));
    assert_non_null(strstr(fault.text, "too many"));
}

static void registered_names(void **state)
{
    static const struct {
        const char *given;
        bool good;
    } rows[] = {
        {"dn:CN=App", true},     {"dns:app.example", true},
        {"uri:urn:app:1", true}, {"ip:::1", true},
        {"email:a@b", true},     {"", true},
        {"dns:", false},         {"dns", false},
        {"app.example", false},  {"host:a", false},
        {"DNS:a", false},        {"dns:a\tb", false},
        {"dns:\xff", false},
    };
    struct client_certificates certificates = {.count = 0};
    char large[CLIENT_CERTIFICATES_NAME_MAX + 8] = "dns:";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (client_certificates_from_name(text_of(rows[i].given), &certificates) != rows[i].good) {
            fail_msg("%s", rows[i].given);
        }
    }
    memset(large + 4, 'a', CLIENT_CERTIFICATES_NAME_MAX);
    assert_true(client_certificates_from_name(text_of(large), &certificates));
    large[4 + CLIENT_CERTIFICATES_NAME_MAX] = 'a';
    assert_false(client_certificates_from_name(text_of(large), &certificates));
    assert_true(client_certificates_from_name((struct text){0}, &certificates));
    assert_int_equal(certificates.name.size, 0);
}

/* Beside the keys, and neither is lost when the other changes. */
static void kept_beside_keys(void **state)
{
#define KEYS                                                                                       \
    "[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}" \
    "]"
    struct arena *arena = fixture_arena();
    struct client_certificates certificates, read;
    struct text keys = {0}, joined;
    struct fault fault = {""};

    (void)state;
    assert_true(client_certificates_from_file(arena, TEXT(CERTIFICATES_OTHER CERTIFICATES_APP),
                                              &certificates, &fault));
    assert_true(client_certificates_from_name(TEXT("dn:CN=\"App\""), &certificates));
    assert_true(client_certificates_join(arena, keys, &certificates, &joined));
    assert_string_equal(arena_c_string(arena, joined),
                        "{\"keys\":[],\"x5t#S256\":[\"" CERTIFICATES_OTHER_THUMBPRINT
                        "\",\"" CERTIFICATES_APP_THUMBPRINT
                        "\"],\"tls_client_auth_subject_dn\":\"CN=\\\"App\\\"\"}");
    client_certificates_read(arena, joined, &read);
    assert_int_equal(read.count, 2);
    assert_memory_equal(read.thumbprint, certificates.thumbprint, 2 * CRYPTO_HASH_SIZE);
    assert_int_equal(read.kind, CERTIFICATE_NAME_DN);
    assert_true(text_is(read.name, "CN=\"App\""));
    /* keys come and stay */
    assert_true(client_keys_from_set(arena, TEXT("{\"keys\":" KEYS "}"), &keys, &fault));
    assert_true(client_certificates_join(arena, keys, &read, &joined));
    assert_non_null(client_keys_open(arena, joined));
    assert_int_equal(client_keys_kid(client_keys_open(arena, joined), 0).size, 43);
    read.count = 0;
    read.name = (struct text){0};
    assert_true(client_certificates_join(arena, joined, &read, &joined));
    assert_true(text_equal(joined, keys));
    /* nothing is nothing */
    assert_true(client_certificates_join(arena, TEXT("{\"keys\":[],\"x5t#S256\":[\"AA\"]}"), &read,
                                         &joined));
    assert_int_equal(joined.size, 0);
    assert_false(client_certificates_join(arena, TEXT("{"), &read, &joined));
    client_certificates_read(arena, keys, &read);
    assert_int_equal(read.count, 0);
    assert_int_equal(read.name.size, 0);
    client_certificates_read(arena, TEXT("{\"keys\":[],\"x5t#S256\":[\"AA\",1]}"), &read);
    assert_int_equal(read.count, 0);
}

/* A thumbprint needs no one to vouch for it; a name is worth nothing without. */
static void matching(void **state)
{
    struct arena *arena = fixture_arena();
    struct client_certificates by_thumbprint, by_name = {.count = 0}, nothing = {.count = 0};
    struct text pem = TEXT(CERTIFICATES_APP);
    struct certificate app, other;
    struct fault fault = {""};

    (void)state;
    assert_int_equal(certificate_read(arena, &pem, &app), CERTIFICATE_READ);
    pem = TEXT(CERTIFICATES_OTHER);
    assert_int_equal(certificate_read(arena, &pem, &other), CERTIFICATE_READ);
    client_certificates_read(arena, (struct text){0}, &by_thumbprint);
    assert_true(
        client_certificates_from_file(arena, TEXT(CERTIFICATES_APP), &by_thumbprint, &fault));
    assert_true(client_certificates_from_name(TEXT("uri:urn:app:1"), &by_name));
    assert_true(client_certificates_match(&by_thumbprint, &app, false));
    assert_true(client_certificates_match(&by_thumbprint, &app, true));
    assert_false(client_certificates_match(&by_thumbprint, &other, true));
    assert_true(client_certificates_match(&by_name, &app, true));
    assert_false(client_certificates_match(&by_name, &app, false));
    assert_false(client_certificates_match(&by_name, &other, true));
    assert_false(client_certificates_match(&nothing, &app, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_server_spells_it_otherwise),
        cmocka_unit_test(several),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(names),
        cmocka_unit_test(files),
        cmocka_unit_test(registered_names),
        cmocka_unit_test(kept_beside_keys),
        cmocka_unit_test(matching),
    };
    return cmocka_run_group_tests_name("token/certificate", tests, NULL, fixture_close);
}
