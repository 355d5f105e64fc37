/* SPDX-License-Identifier: ISC */
/* dialect.h: one const descriptor per dialect: its endpoints, its words, its token layout and the
 * policy it starts with. An endpoint's decode reads a request and chooses the operation; its encode
 * writes what was granted; what was not is worded by a table. A dialect sees neither store nor
 * keys, and reads no socket. How to add one: src/dialect/README. */
#ifndef RETOKEN_DIALECT_DIALECT_H
#define RETOKEN_DIALECT_DIALECT_H

#include "base/template.h"
#include "model/webhook.h"
#include "operation/operation.h"
#include "token/layout.h"

/* Which bodies an endpoint reads. A non-empty body of another media type is refused as
 * OUTCOME_UNSUPPORTED_MEDIA; one without any is taken for a form where the endpoint reads forms
 * (RFC 6749's clients often send none), else for JSON; not at endpoints with cookies. With
 * ENDPOINT_BODY_IGNORED neither body nor query is parsed. */
enum { ENDPOINT_BODY_IGNORED = 0, ENDPOINT_BODY_FORM = 1, ENDPOINT_BODY_JSON = 2 };

/* The methods an endpoint takes, or-ed. */
#define ENDPOINT_METHOD(method) (1U << (method))
enum {
    ENDPOINT_GET = ENDPOINT_METHOD(HTTP_GET),
    ENDPOINT_HEAD = ENDPOINT_METHOD(HTTP_HEAD),
    ENDPOINT_POST = ENDPOINT_METHOD(HTTP_POST),
    ENDPOINT_DELETE = ENDPOINT_METHOD(HTTP_DELETE)
};

/* How a refusal or a fault is worded: the first row that fits counts, so single outcomes come
 * before their class. A dialect words every class. */
struct wording {
    int about; /* an enum outcome, or WORDS_CLASS(…) */
    enum { WORDS_ALWAYS, WORDS_DOCUMENTED, WORDS_DEPLOYED } behaviour;
    bool (*when)(const struct request *request); /* NULL = always */
    int status; /* with 405 goes Allow, with 503 Retry-After: 1, with 429 Retry-After; 0 ends the
                   table */
    const char *media_type;
    const char *body; /* NULL = none, and no media type either */
    /* What the request said and the body quotes: it replaces the one %s of a JSON body, escaped.
     * NULL = the body is as it is. */
    struct text (*quote)(const struct request *request);
    /* Writes the body where it depends on what the request lacks; `body` is NULL then. NULL = it is
     * as it is. */
    void (*compose)(const struct request *request, struct buffer *body);
    const struct template *template; /* the same for described.h */
    const char *header;
    const char *value;
};
/* RFC 9110 section 15.5.16: beside a 415 for a compressed body. */
#define DIALECT_NO_CODING  .header = "Accept-Encoding", .value = "identity"
#define WORDS_CLASS(class) ((int)OUTCOME_COUNT + (int)OUTCOME_CLASS_##class)
/* Of endpoints that carry no tokens: a sentence as plain text. */
extern const struct wording dialect_plain_words[];

/* A document about an issuer is where that has its place, whatever the paths of the realm: not
 * there unless the realm has an issuer of its own that is a URL. A path in that URL comes behind
 * the endpoint's own (RFC 8414 section 3.1), or before it (OpenID Connect Discovery section 4). */
enum endpoint_document { DOCUMENT_NONE, DOCUMENT_BEFORE_PATH, DOCUMENT_BEHIND_PATH };

struct described; /* dialect/described.h */

struct endpoint {
    const char *name;          /* "token", "refresh": the configuration's word */
    const char *path;          /* where it is unless the configuration moves it */
    const char *realm;         /* where the configuration names none; NULL: the dialect's */
    unsigned methods;          /* ENDPOINT_… */
    unsigned deployed_methods; /* besides those, where behaviour = deployed */
    bool method_any_case;      /* "post" is POST */
    bool path_loose;           /* empty path segments are dropped before matching */
    unsigned methods_below;    /* at PATH/ID, where ID is a session's; 0 = that is not here */
    bool client_bound;         /* clients that can prove themselves must: request->client.bound */
    unsigned body;             /* ENDPOINT_BODY_… */
    const char *const *json_types; /* a JSON body's media types besides application/json, ended by
                                      NULL; NULL = none */
    bool cookies;                  /* sets cookies, and is asked with them */
    bool is_public;                /* every page may read what is served here */
    bool needs_remote_user; /* asked in the name of whom the web server has checked; not there
                               unless the realm's remote-user lets it */
    bool with_remote_user;  /* not there either without that setting, though it needs no user: what
                               it begins does */
    bool by_browser; /* asked by a browser by itself, with headers of which no page can send all,
                        whatever page is the reason */
    bool checks;     /* asked by the web server about a request for another page, whatever page and
                        method that is; in the role of a FastCGI authorizer, too */
    bool with_metrics;               /* not there unless metrics = on */
    bool approves_devices;           /* its URL is realm.verification_uri */
    enum endpoint_document document; /* what it says is about the realm's issuer */
    const char
        *content_policy; /* Content-Security-Policy where `navigated`; NULL = the strictest */
    bool navigated;      /* pages of other origins may send the browser here, which then shows
                            the answer: there is no token in it */

    const struct operation *operation; /* what is asked here, unless decode chooses another */

    /* Fills request->client and the operation's part of request->input. False: *refusal says why.
     * Never words anything. NULL: there is nothing to read. */
    bool (*decode)(struct request *request, enum outcome *refusal);
    /* Writes what was granted. */
    void (*encode)(const struct request *request, enum outcome outcome,
                   struct http_response *response);
    /* Writes a refusal or a fault in a way that no table of words can; false: the table does. NULL
     * = always the table. */
    bool (*refuse)(const struct request *request, enum outcome outcome,
                   struct http_response *response);
    const struct wording *words;
    const struct described *described; /* NULL = decode and encode are the dialect's own */
};

/* A setting of the configuration that only one dialect has. */
struct dialect_setting {
    const char *name;
    /* Puts the value into the realm. False: it is none. */
    bool (*take)(struct realm *realm, struct text value);
    const char *expected; /* "write on or off" */
    const char *usual;    /* what holds unless set: "on" */
};

struct dialect {
    const char *name;    /* "kopong": the configuration's word */
    const char *summary; /* one line for help and the page */
    const struct endpoint *endpoints;
    size_t endpoint_count;
    const char *realm; /* of its endpoints where the configuration names none; NULL: each path is a
                          realm of its own */
    bool proves_clients;  /* a request can prove which client sends it */
    struct policy policy; /* of a realm; policy.layout is NULL where no tokens are issued */
    const char *issuer;   /* of a realm, where the configuration names none */
    const char *audience;
    const struct dialect_setting
        *settings; /* its own, ended by a row without a name; NULL = none */

    const struct dialect_webhook *webhook; /* NULL = its server told no events */
    const char *published_key;             /* SHA-256 in hexadecimal of an application's key that
                                              everyone knows; NULL = none */

    /* What does not go together among its own settings, for a complaint; NULL = nothing. May be
     * NULL. */
    const char *(*check)(const struct realm *realm);
    /* What is allowed at this mount but seldom meant, for `retoken doctor`; NULL = nothing to say.
     * May be NULL. */
    const char *(*advise)(const struct mount *mount);
};

/* Every dialect has one row here, in the order in which help and messages name them. DIALECT:
 * NAME.c defines `const struct dialect NAME_dialect`. DESCRIBED: dialects/NAME.dialect describes it
 * (process/dialects.h). */
#define DIALECT_ROWS                                                                               \
    DIALECT(kopong)                                                                                \
    DESCRIBED(wirecash)                                                                            \
    DESCRIBED(duktig)                                                                              \
    DIALECT(oauth)                                                                                 \
    DIALECT(fusionauth)                                                                            \
    DIALECT(koppeltaal)                                                                            \
    DESCRIBED(simplejwt)                                                                           \
    DIALECT(dbsc)                                                                                  \
    DIALECT(wellknown)

#define DIALECT(name) extern const struct dialect name##_dialect;
#define DESCRIBED(name)
DIALECT_ROWS
#undef DIALECT
#undef DESCRIBED

/* NULL when the dialect has none of that name, or at that path of its own. */
const struct endpoint *dialect_endpoint(const struct dialect *dialect, struct text name);
const struct endpoint *dialect_endpoint_at(const struct dialect *dialect, struct text path);

/* "GET, HEAD" for a set of ENDPOINT_…, as Allow names them. False: no memory. */
bool dialect_methods(struct arena *arena, unsigned methods, struct text *names);

/* The path of the URL that was asked for. False: the arena is exhausted. */
bool dialect_url_path(const struct request *request, struct text *path);
/* Does the path end with the id of a session, or that and a slash? *id is a part of it. */
bool dialect_path_session(struct text path, struct text *id);
bool dialect_session_in_path(const struct request *request, struct text *id);
/* What became of a parameter that the dialect reads: may it be one or absent? False: *refusal. */
bool dialect_parameter(enum form_find found, enum outcome *refusal);

/* What every endpoint asks of a request, in this order: well-formed, method, body whole, media
 * type, parsed body and query, the web server's own login; then its own decode. request->mount is
 * set. False: *refusal. */
bool dialect_decode(struct request *request, enum outcome *refusal);
/* The setting `query = on|off` of a dialect that reads tokens from the URL, and what its decode
 * asks first: is a credential in the query that must not be there? */
#define DIALECT_QUERY_SETTING                                                                      \
    {                                                                                              \
        "query", dialect_take_query, "write on or off", "on"                                       \
    }
bool dialect_take_query(struct realm *realm, struct text value);
bool dialect_refuses_query(const struct request *request);
/* Grant, refusal or fault -> request->http->response. A response that cannot be built becomes the
 * dialect's words for a fault. */
void dialect_respond(struct request *request, enum outcome outcome);

#endif
