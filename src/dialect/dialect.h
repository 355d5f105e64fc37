/* dialect.h: one const descriptor per dialect: facts, and three functions that translate. A dialect
 * sees neither store nor keys, reads no socket, and words every outcome in its own manner. How to
 * add one: src/dialect/README. */
#ifndef RETOKEN_DIALECT_DIALECT_H
#define RETOKEN_DIALECT_DIALECT_H

#include "base/form.h"
#include "base/json.h"
#include "http/request.h"
#include "http/response.h"
#include "model/mount.h"
#include "model/outcome.h"
#include "operation/refresh.h"
#include "token/layout.h"

/* Which bodies a dialect reads. A non-empty body of another media type is refused as
 * OUTCOME_UNSUPPORTED_MEDIA; one without any is taken for a form where the dialect reads forms (the
 * sample of RFC 6749's notes has none), else for JSON. With DIALECT_BODY_IGNORED neither body nor
 * query is looked at. */
enum { DIALECT_BODY_IGNORED = 0, DIALECT_BODY_FORM = 1, DIALECT_BODY_JSON = 2 };

/* One request on its way through a dialect. dialect_decode fills it from the top; a dialect's
 * decode fills `ask`; encode and refuse read all of it. */
struct dialect_exchange {
    const struct http_request *request;
    const struct mount *mount;
    struct arena *arena;
    struct form query; /* decoded query string */
    struct form form;  /* decoded form body; empty when there is none */
    json_t *json;      /* parsed JSON body; NULL when there is none */
    struct refresh_ask ask;
    struct refresh_answer answer;
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
    const char *name;     /* "kopong"; the configuration's word */
    const char *summary;  /* one line for help and the page */
    bool method_any_case; /* WireCash: the documented curl sends "post" */
    bool method_get;      /* GET is read as well as POST, where behaviour = deployed */
    bool path_loose;      /* Duktig: empty path segments are dropped before matching */
    unsigned body;        /* DIALECT_BODY_… */
    struct policy policy; /* defaults of a mount */
    const char *issuer;   /* defaults where the configuration names none */
    const char *audience;
    const struct dialect_setting
        *settings; /* its own, ended by a row without a name; NULL = none */

    /* Request -> ask. False: *refusal says why. Never words anything. */
    bool (*decode)(struct dialect_exchange *exchange, enum outcome *refusal);
    /* Grant -> response. */
    void (*encode)(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response);
    /* Refusal or fault -> response, in the dialect's own words. */
    void (*refuse)(const struct dialect_exchange *exchange, enum outcome outcome,
                   struct http_response *response);
};

/* Every dialect has one row here: NAME.c defines `const struct dialect NAME_dialect`. In the order
 * in which help and messages name them. */
#define DIALECT_ROWS                                                                               \
    DIALECT(kopong)                                                                                \
    DIALECT(wirecash)                                                                              \
    DIALECT(duktig)                                                                                \
    DIALECT(oauth)                                                                                 \
    DIALECT(fusionauth)                                                                            \
    DIALECT(koppeltaal)

#define DIALECT(name)                                                                              \
    extern const struct dialect name##_dialect;                                                    \
    extern const struct layout name##_layout;
DIALECT_ROWS
#undef DIALECT

extern const struct layout kopong_plain_layout;

extern const struct dialect *const dialects[];
extern const size_t dialect_count;
/* NULL when there is none of that name. */
const struct dialect *dialect_find(const char *name);

/* The mounts that exist without any configuration. */
struct dialect_default_mount {
    const char *path;
    enum mount_kind kind;
    const struct dialect *dialect; /* NULL for JWKS and health */
    const char *realm;             /* NULL: the path */
};
extern const struct dialect_default_mount dialect_default_mounts[];
extern const size_t dialect_default_mount_count;

/* What every dialect asks of a request in the same order: well-formed, method, body whole, media
 * type, parsed body and query; then the dialect's own decode. False: *refusal. */
bool dialect_decode(struct dialect_exchange *exchange, enum outcome *refusal);
/* Grant or refusal -> response, through the descriptor. A response that failed to build becomes the
 * dialect's fault answer. */
void dialect_respond(const struct dialect_exchange *exchange, enum outcome outcome,
                     struct http_response *response);

#endif
