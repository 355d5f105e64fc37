/* SPDX-License-Identifier: ISC */
/* cookies.c: see cookies.h. */
#include "dialect/cookies.h"

#define HOST_PREFIX "__Host-"

/* A session without end: 400 days is the most that browsers keep a cookie (RFC 6265bis). */
enum { AGE_MAX_S = 400 * 24 * 60 * 60, AGE_OF_BROWSER_SESSION = -1, AGE_OVER = 0 };

/* ---- settings ---- */

struct word {
    const char *word; /* NULL ends a list */
    int value;
};

static bool choose(const struct word *words, struct text value, int *chosen)
{
    for (; words->word != NULL; words++) {
        if (text_is(value, words->word)) {
            *chosen = words->value;
            return true;
        }
    }
    return false;
}

bool cookies_take_secure(struct realm *realm, struct text value)
{
    static const struct word words[] = {{"auto", COOKIE_SECURE_AUTO},
                                        {"always", COOKIE_SECURE_ALWAYS},
                                        {"never", COOKIE_SECURE_NEVER},
                                        {NULL, 0}};
    int chosen = COOKIE_SECURE_AUTO;
    bool known = choose(words, value, &chosen);

    realm->cookies.secure = (enum cookie_secure)chosen;
    return known;
}

bool cookies_take_prefix(struct realm *realm, struct text value)
{
    static const struct word words[] = {{"none", COOKIE_PREFIX_NONE},
                                        {"host", COOKIE_PREFIX_HOST},
                                        {"host-only", COOKIE_PREFIX_HOST_ONLY},
                                        {NULL, 0}};
    int chosen = COOKIE_PREFIX_NONE;
    bool known = choose(words, value, &chosen);

    realm->cookies.prefix = (enum cookie_prefix)chosen;
    return known;
}

bool cookies_take_same_site(struct realm *realm, struct text value)
{
    static const struct word words[] = {{"lax", COOKIE_SAME_SITE_LAX},
                                        {"strict", COOKIE_SAME_SITE_STRICT},
                                        {"none", COOKIE_SAME_SITE_NONE},
                                        {NULL, 0}};
    int chosen = COOKIE_SAME_SITE_LAX;
    bool known = choose(words, value, &chosen);

    realm->cookies.same_site = (enum cookie_same_site)chosen;
    return known;
}

bool cookies_is_name(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' &&
            c != '_' && c != '.') {
            return false;
        }
    }
    return name.size > 0;
}

static bool is_domain(struct text domain)
{
    return cookies_is_name(domain) && domain.size <= COOKIE_DOMAIN_MAX;
}

/* Without what would end the attribute. */
static bool is_path(struct text path)
{
    return text_starts(path, TEXT("/")) && text_is_visible_ascii(path) &&
           text_find(path, ';') == path.size && text_find(path, ',') == path.size;
}

static bool take_name(struct text value, char *field, size_t room)
{
    return cookies_is_name(value) && !text_starts(value, TEXT("__")) &&
           text_copy(value, field, room);
}

bool cookies_take_name(struct realm *realm, struct text value)
{
    return take_name(value, realm->cookies.refresh_name, sizeof realm->cookies.refresh_name);
}

bool cookies_take_access_name(struct realm *realm, struct text value)
{
    return take_name(value, realm->cookies.access_name, sizeof realm->cookies.access_name);
}

bool cookies_take_domain(struct realm *realm, struct text value)
{
    struct text domain = text_is(value, "none") ? TEXT("") : value;

    return (domain.size == 0 || is_domain(domain)) &&
           text_copy(domain, realm->cookies.domain, sizeof realm->cookies.domain);
}

bool cookies_take_path(struct realm *realm, struct text value)
{
    return is_path(value) && text_copy(value, realm->cookies.path, sizeof realm->cookies.path);
}

/* A row of expire-cookie: NAME DOMAIN PATH. */
struct expired {
    struct text name;
    struct text domain; /* "" = this host only */
    struct text path;
};

static bool next_expired(struct text *rest, struct expired *expired)
{
    struct text words = text_trim(text_split(rest, ','));

    expired->name = text_split(&words, ' ');
    words = text_trim(words);
    expired->domain = text_split(&words, ' ');
    expired->path = text_trim(words);
    if (!cookies_is_name(expired->name) || !is_domain(expired->domain) || !is_path(expired->path)) {
        return false;
    } else if (text_is(expired->domain, "-")) {
        expired->domain = (struct text){0};
    }
    return true;
}

bool cookies_take_expired(struct realm *realm, struct text value)
{
    enum { EXPIRED_MOST = 4 };
    struct text rest = value;
    struct expired expired;
    size_t count = 0;

    if (text_is(value, "none")) {
        realm->cookies.expired[0] = '\0';
        return true;
    }
    do {
        if (!next_expired(&rest, &expired) || ++count > EXPIRED_MOST) {
            return false;
        }
    } while (rest.size > 0);
    return text_copy(value, realm->cookies.expired, sizeof realm->cookies.expired);
}

const char *cookies_check(const struct realm *realm)
{
    const struct cookie_policy *policy = &realm->cookies;

    if (policy->prefix != COOKIE_PREFIX_NONE &&
        (policy->domain[0] != '\0' ||
         (policy->path[0] != '\0' && !text_is(text_of(policy->path), "/")))) {
        return "cookie-prefix: a name with __Host- goes with no cookie-domain and cookie-path = /";
    } else if (policy->prefix != COOKIE_PREFIX_NONE && policy->secure == COOKIE_SECURE_NEVER) {
        return "cookie-secure = never: browsers take __Host- cookies over https only";
    } else if (policy->same_site == COOKIE_SAME_SITE_NONE &&
               policy->secure == COOKIE_SECURE_NEVER) {
        return "cookie-secure = never: browsers take cookies with SameSite=None over https only";
    }
    return NULL;
}

/* RFC 6265 section 5.1.4. */
const char *cookies_advise(const struct mount *mount)
{
    struct text wanted = text_of(mount->realm->cookies.path);
    struct text path = text_of(mount->path);

    if (wanted.size > 0 && wanted.data[wanted.size - 1] == '/') {
        wanted.size--;
    }
    return wanted.size == 0 || (text_starts(path, wanted) &&
                                (path.size == wanted.size || path.data[wanted.size] == '/'))
               ? NULL
               : "browsers send no cookies here: let cookie-path cover this path, too";
}

/* ---- names ---- */

static const char *refresh_name(const struct request *request, const struct cookie_names *names);
static const char *access_name(const struct request *request, const struct cookie_names *names);
static const char *name_at(const struct request *request, const char *plain, size_t place);
static const char *prefixed(struct arena *arena, const char *name);

const char *cookies_refresh_name(const struct request *request, const struct cookie_names *names,
                                 size_t place)
{
    return name_at(request, refresh_name(request, names), place);
}

const char *cookies_access_name(const struct request *request, const struct cookie_names *names,
                                size_t place)
{
    return name_at(request, access_name(request, names), place);
}

static const char *name_at(const struct request *request, const char *plain, size_t place)
{
    if (place == 0) {
        return prefixed(request->arena, plain);
    }
    return place == 1 && request->realm->cookies.prefix != COOKIE_PREFIX_HOST_ONLY ? plain : NULL;
}

static const char *refresh_name(const struct request *request, const struct cookie_names *names)
{
    const char *set = request->realm->cookies.refresh_name;

    return set[0] != '\0' && names->refresh != NULL ? set : names->refresh;
}

static const char *access_name(const struct request *request, const struct cookie_names *names)
{
    const char *set = request->realm->cookies.access_name;

    return set[0] != '\0' && names->access != NULL ? set : names->access;
}

/* NULL: no memory. */
static const char *prefixed(struct arena *arena, const char *name)
{
    struct buffer buffer;
    struct text whole = {0};

    buffer_start(&buffer, arena, sizeof HOST_PREFIX + COOKIE_NAME_MAX);
    buffer_add_c(&buffer, HOST_PREFIX);
    buffer_add_c(&buffer, name);
    buffer_add_char(&buffer, '\0');
    return buffer_finish(&buffer, &whole) ? whole.data : NULL;
}

/* ---- requests ---- */

/* Those that are not none; returns how many are in `values`. */
static size_t take_values(const struct request *request, const char *name, struct text *values,
                          size_t room, bool (*is_none)(struct text value))
{
    size_t sent = http_cookies(&request->http->request, name, values, room);
    size_t count = 0;

    for (size_t i = 0; i < sent; i++) {
        if (is_none == NULL || !is_none(values[i])) {
            values[count++] = values[i];
        }
    }
    return count;
}

bool cookies_take_refresh_tokens(struct request *request, const struct cookie_names *names,
                                 bool (*is_none)(struct text value))
{
    struct refresh_input *input = &request->input.refresh;
    struct text *values = arena_alloc(request->arena, REFRESH_CANDIDATES_MAX * sizeof *values);
    const char *name;
    size_t count = 0;

    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; (name = cookies_refresh_name(request, names, i)) != NULL; i++) {
        count +=
            take_values(request, name, values + count, REFRESH_CANDIDATES_MAX - count, is_none);
        input->preferred_count = i == 0 ? count : input->preferred_count;
    }
    if (count > 0) {
        input->refresh_token = values[0];
        input->candidates = values;
        input->candidate_count = count > 1 ? count : 0;
        input->preferred_count = count > 1 ? input->preferred_count : 0;
    }
    return true;
}

/* ---- answers ---- */

static struct http_cookie make_cookie(const struct request *request, const char *name);
static void set_cookie(const struct request *request, struct http_response *response,
                       const char *name, struct text value, int64_t age_s);
static void expire_named(const struct request *request, struct http_response *response);
static void expire(const struct request *request, struct http_response *response,
                   const struct expired *expired);
static bool is_secure(const struct request *request);
static int64_t refresh_age_s(const struct answer *answer);

void cookies_set(const struct request *request, const struct cookie_names *names,
                 struct http_response *response)
{
    const struct answer *answer = &request->answer;
    int64_t left_s = answer->expires_in_s > 0 ? answer->expires_in_s : AGE_OVER;

    set_cookie(request, response, access_name(request, names), answer->access_token,
               names->access_expires ? left_s : AGE_OF_BROWSER_SESSION);
    set_cookie(request, response, refresh_name(request, names), answer->refresh_token,
               refresh_age_s(answer));
    expire_named(request, response);
}

void cookies_describe_access(const struct request *request, const struct cookie_names *names,
                             struct text *name, struct buffer *attributes)
{
    struct http_cookie cookie = make_cookie(request, access_name(request, names));

    *name = cookie.name;
    http_cookie_attributes(&cookie, attributes);
}

size_t cookies_access_values(const struct request *request, const struct cookie_names *names,
                             struct text *values, size_t room)
{
    size_t count = 0;
    const char *name;

    for (size_t i = 0; (name = cookies_access_name(request, names, i)) != NULL; i++) {
        count += http_cookies(&request->http->request, name, values + count, room - count);
    }
    return count;
}

void cookies_clear(const struct request *request, const struct cookie_names *names,
                   struct http_response *response)
{
    set_cookie(request, response, access_name(request, names), (struct text){0}, AGE_OVER);
    set_cookie(request, response, refresh_name(request, names), (struct text){0}, AGE_OVER);
    expire_named(request, response);
}

/* What expire-cookie names. */
static void expire_named(const struct request *request, struct http_response *response)
{
    struct text rest = text_of(request->realm->cookies.expired);
    struct expired expired;

    while (rest.size > 0 && next_expired(&rest, &expired)) {
        expire(request, response, &expired);
    }
}

static struct http_cookie make_cookie(const struct request *request, const char *name)
{
    static const char *const same_sites[] = {[COOKIE_SAME_SITE_LAX] = "Lax",
                                             [COOKIE_SAME_SITE_STRICT] = "Strict",
                                             [COOKIE_SAME_SITE_NONE] = "None"};
    const struct cookie_policy *policy = &request->realm->cookies;

    return (struct http_cookie){
        .name =
            text_of(policy->prefix != COOKIE_PREFIX_NONE ? prefixed(request->arena, name) : name),
        .domain = text_of(policy->domain),
        .path = text_of(policy->path),
        .same_site = same_sites[policy->same_site],
        .now_ms = request->answer.now_ms,
        .secure = is_secure(request),
    };
}

/* If it has a name, under the spelling of the realm; a cookie under the other one would come back
 * with each request and be read one day. */
static void set_cookie(const struct request *request, struct http_response *response,
                       const char *name, struct text value, int64_t age_s)
{
    bool with_prefix = request->realm->cookies.prefix != COOKIE_PREFIX_NONE;
    const char *other = with_prefix || name == NULL ? name : prefixed(request->arena, name);
    struct http_cookie cookie;
    struct text unused;

    if (name == NULL) {
        return;
    }
    cookie = make_cookie(request, name);
    cookie.value = value;
    cookie.max_age_s = age_s;
    http_response_cookie(response, request->arena, &cookie);
    if (other != NULL && http_cookies(&request->http->request, other, &unused, 1) > 0) {
        expire(request, response,
               &(struct expired){
                   .name = text_of(other), .domain = cookie.domain, .path = cookie.path});
    }
}

/* A browser drops a cookie that is set again, with the same name, domain and path, and is over. */
static void expire(const struct request *request, struct http_response *response,
                   const struct expired *expired)
{
    bool host = text_starts(expired->name, TEXT(HOST_PREFIX));
    struct http_cookie cookie = {
        .name = expired->name,
        .domain = host ? (struct text){0} : expired->domain,
        .path = host ? (struct text){0} : expired->path,
        .same_site = "Lax",
        .max_age_s = AGE_OVER,
        .secure = is_secure(request) || text_starts(expired->name, TEXT("__")),
    };

    http_response_cookie(response, request->arena, &cookie);
}

/* HTTPS comes from the web server, which knows; a header such as X-Forwarded-Proto is anyone's
 * word. Where TLS ends before the web server, an https issuer says how clients get here. */
static bool is_secure(const struct request *request)
{
    const struct realm *realm = request->realm;

    switch (realm->cookies.secure) {
    case COOKIE_SECURE_ALWAYS:
        return true;
    case COOKIE_SECURE_NEVER:
        return false;
    case COOKIE_SECURE_AUTO:
        break;
    }
    return request->http->request.https || realm->cookies.prefix != COOKIE_PREFIX_NONE ||
           realm->cookies.same_site == COOKIE_SAME_SITE_NONE ||
           text_starts(text_of(realm->issuer), TEXT("https://"));
}

static int64_t refresh_age_s(const struct answer *answer)
{
    int64_t left_s = (answer->session_expires_ms - answer->now_ms) / CLOCK_SECOND;

    if (answer->session_expires_ms == 0 || left_s > AGE_MAX_S) {
        return AGE_MAX_S;
    }
    return left_s > 0 ? left_s : AGE_OVER;
}
