/* SPDX-License-Identifier: ISC */
/* test_browser.c: which page a request comes from, by what its browser says; and who may be shown a
 * dialog. What the answers look like: golden/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dialect/browser.h"
#include "dialect/dialect.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct row {
    const char *host;
    const char *origin;
    const char *site;
    bool https;
    const char *allowed;
    const char *issuer;
    enum page page;
};

static const struct row rows[] = {
    /* no browser, or none that says anything */
    {.host = "a.example", .page = PAGE_OWN},
    {.page = PAGE_OWN},
    /* what the browser says counts, whatever proxies have made of Host */
    {.host = "10.0.0.1:80", .origin = "https://a.example", .site = "same-origin", .page = PAGE_OWN},
    {.host = "a.example", .site = "none", .page = PAGE_OWN},
    {.host = "a.example", .site = "cross-site", .page = PAGE_FOREIGN},
    {.host = "a.example", .origin = "http://a.example", .site = "same-site", .page = PAGE_FOREIGN},
    {.host = "a.example",
     .origin = "http://a.example",
     .site = "Same-Origin",
     .page = PAGE_FOREIGN},
    {.host = "a.example", .origin = "null", .site = "cross-site", .page = PAGE_FOREIGN},
    /* without Sec-Fetch-Site: by the host */
    {.host = "a.example", .origin = "http://a.example", .page = PAGE_OWN},
    {.host = "a.example:80", .origin = "http://a.example", .page = PAGE_OWN},
    {.host = "a.example", .origin = "https://a.example", .page = PAGE_OWN},
    {.host = "a.example", .origin = "https://a.example", .https = true, .page = PAGE_OWN},
    {.host = "a.example", .origin = "http://a.example", .https = true, .page = PAGE_FOREIGN},
    {.host = "a.example", .origin = "http://a.example:8080", .page = PAGE_FOREIGN},
    {.host = "a.example", .origin = "http://b.a.example", .page = PAGE_FOREIGN},
    {.host = "a.example", .origin = "null", .page = PAGE_FOREIGN},
    {.origin = "http://a.example", .page = PAGE_FOREIGN},
    {.host = "inner:8080",
     .origin = "https://a.example",
     .issuer = "https://a.example/auth",
     .page = PAGE_OWN},
    {.host = "inner:8080",
     .origin = "https://a.example",
     .issuer = "https://A.Example/auth",
     .page = PAGE_OWN},
    {.host = "inner:8080",
     .origin = "http://a.example",
     .issuer = "https://a.example/auth",
     .page = PAGE_FOREIGN},
    {.host = "inner:8080", .origin = "null", .issuer = "localhost:3030", .page = PAGE_FOREIGN},
    /* allow-origins */
    {.host = "a.example",
     .origin = "https://b.example",
     .site = "cross-site",
     .allowed = "https://c.example https://b.example",
     .page = PAGE_ALLOWED},
    {.host = "a.example",
     .origin = "https://b.example",
     .allowed = "https://b.example",
     .page = PAGE_ALLOWED},
    {.host = "a.example",
     .origin = "https://b.example.net",
     .allowed = "https://b.example",
     .page = PAGE_FOREIGN},
    {.host = "a.example",
     .origin = "https://b.exampl",
     .allowed = "https://b.example",
     .page = PAGE_FOREIGN},
    {.host = "a.example",
     .origin = "http://b.example",
     .allowed = "https://b.example",
     .page = PAGE_FOREIGN},
    {.host = "a.example",
     .origin = "https://b.example https://c.example",
     .allowed = "https://b.example https://c.example",
     .page = PAGE_FOREIGN},
    {.host = "a.example",
     .origin = "capacitor://localhost",
     .allowed = "capacitor://localhost",
     .page = PAGE_ALLOWED},
    {.host = "a.example", .origin = "https://any.example", .allowed = "*", .page = PAGE_ALLOWED},
    {.host = "a.example", .origin = "null", .allowed = "*", .page = PAGE_FOREIGN},
    {.host = "a.example", .origin = "*", .allowed = "*", .page = PAGE_FOREIGN},
    {.host = "a.example", .site = "cross-site", .allowed = "*", .page = PAGE_FOREIGN},
    {.host = "a.example",
     .origin = "https://b.example",
     .allowed = "https://c.example clients",
     .page = PAGE_OF_CLIENT},
    {.host = "a.example",
     .origin = "https://c.example",
     .allowed = "https://c.example clients",
     .page = PAGE_ALLOWED},
    {.host = "a.example", .origin = "http://a.example", .allowed = "clients", .page = PAGE_OWN},
    {.host = "a.example", .origin = "null", .allowed = "clients", .page = PAGE_FOREIGN},
    {.host = "a.example", .origin = "clients", .allowed = "clients", .page = PAGE_FOREIGN},
};

struct trial {
    struct http_header headers[4];
    struct http_exchange http;
    struct realm realm;
    struct mount mount;
    struct request request;
};

static void add(struct trial *trial, const char *name, const char *value)
{
    if (value != NULL) {
        trial->headers[trial->http.request.header_count++] =
            (struct http_header){text_of(name), text_of(value)};
    }
}

static void begin(struct trial *trial)
{
    *trial = (struct trial){.realm = {.dialect = &oauth_dialect, .policy = oauth_dialect.policy},
                            .mount = {.endpoint = &oauth_dialect.endpoints[0]}};
    trial->http.request.headers = trial->headers;
    trial->mount.realm = &trial->realm;
    trial->request.http = &trial->http;
    trial->request.mount = &trial->mount;
    trial->request.realm = &trial->realm;
}

static void test_pages(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct trial trial;

        begin(&trial);
        assert_true(
            text_copy(text_of(rows[i].allowed), trial.realm.origins, sizeof trial.realm.origins));
        assert_true(
            text_copy(text_of(rows[i].issuer), trial.realm.issuer, sizeof trial.realm.issuer));
        add(&trial, "host", rows[i].host);
        add(&trial, "origin", rows[i].origin);
        add(&trial, "sec-fetch-site", rows[i].site);
        trial.http.request.https = rows[i].https;
        browser_look(&trial.request);
        if (trial.request.page != rows[i].page) {
            fail_msg("row %zu: page %d instead of %d", i, (int)trial.request.page,
                     (int)rows[i].page);
        }
        if (rows[i].page == PAGE_ALLOWED || rows[i].page == PAGE_OF_CLIENT) {
            assert_true(text_is(trial.request.origin, rows[i].origin));
        }
    }
}

/* A page may send the browser to it, and no script may ask there. */
static void test_navigated(void **state)
{
    static const struct {
        const char *site, *mode, *origin;
        enum page page;
    } cases[] = {
        {"cross-site", "navigate", NULL, PAGE_OWN},
        {"cross-site", "navigate", "https://b.example", PAGE_OWN},
        {NULL, NULL, "https://b.example", PAGE_OWN},
        {"cross-site", "cors", "https://b.example", PAGE_FOREIGN},
        {"cross-site", "no-cors", NULL, PAGE_FOREIGN},
        {"same-origin", "cors", NULL, PAGE_OWN},
    };
    const struct endpoint navigated = {.navigated = true};
    struct trial trial;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin(&trial);
        trial.mount.endpoint = &navigated;
        strcpy(trial.realm.origins, "https://b.example");
        add(&trial, "sec-fetch-site", cases[i].site);
        add(&trial, "sec-fetch-mode", cases[i].mode);
        add(&trial, "origin", cases[i].origin);
        browser_look(&trial.request);
        assert_int_equal(trial.request.page, cases[i].page);
    }
}

/* Two of them are a request that two readers read differently. */
static void test_repeated(void **state)
{
    struct trial trial;
    (void)state;

    begin(&trial);
    add(&trial, "host", "a.example");
    add(&trial, "origin", "http://a.example");
    add(&trial, "origin", "http://b.example");
    browser_look(&trial.request);
    assert_int_equal(trial.request.page, PAGE_FOREIGN);
    begin(&trial);
    add(&trial, "sec-fetch-site", "same-origin");
    add(&trial, "sec-fetch-site", "same-origin");
    browser_look(&trial.request);
    assert_int_equal(trial.request.page, PAGE_FOREIGN);
}

static void test_who_is_a_browser(void **state)
{
    static const struct {
        const char *name, *value;
        bool browser;
    } one[] = {
        {"sec-fetch-mode", "cors", true},
        {"sec-fetch-site", "same-origin", true},
        {"origin", "https://a.example", true},
        {"x-requested-with", "XMLHttpRequest", true},
        {"accept", "text/html,application/xhtml+xml", true},
        {"accept", "application/json", false},
        {"accept", "*/*", false},
        {"user-agent", "curl/8", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT(one); i++) {
        struct trial trial;

        begin(&trial);
        add(&trial, one[i].name, one[i].value);
        assert_int_equal(browser_asks(&trial.request), one[i].browser);
    }
}

/* A page may read an answer once a client has named its origin, and every preflight before. */
static void test_who_may_read(void **state)
{
    static const struct {
        enum page page;
        const struct operation *operation;
        bool read;
    } cases[] = {
        {PAGE_OWN, &operation_refresh, false},
        {PAGE_ALLOWED, &operation_refresh, true},
        {PAGE_OF_CLIENT, &operation_refresh, false},
        {PAGE_OF_CLIENT, &operation_preflight, true},
        {PAGE_OF_NAMED_CLIENT, &operation_refresh, true},
        {PAGE_FOREIGN, &operation_refresh, false},
    };
    struct trial trial;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct http_response *response = &trial.http.response;
        bool read = false;

        begin(&trial);
        trial.request.page = cases[i].page;
        trial.request.operation = cases[i].operation;
        trial.request.origin = TEXT("https://b.example");
        browser_add_headers(&trial.request);
        for (size_t j = 0; j < response->header_count; j++) {
            read = read || (text_is(response->headers[j].name, "Access-Control-Allow-Origin") &&
                            text_is(response->headers[j].value, "https://b.example"));
        }
        assert_int_equal(read, cases[i].read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),        cmocka_unit_test(test_navigated),
        cmocka_unit_test(test_repeated),     cmocka_unit_test(test_who_is_a_browser),
        cmocka_unit_test(test_who_may_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
