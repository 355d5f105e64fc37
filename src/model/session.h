/* session.h: one login of one account on one client (what others call a token family or grant).
 * Plain values of bounded size; the record that a rotation overwrites. */
#ifndef RETOKEN_MODEL_SESSION_H
#define RETOKEN_MODEL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "model/client.h"

enum {
    SESSION_ID_SIZE = 16,    /* UUIDv7: time-ordered, so new sessions share pages */
    SESSION_REALM_MAX = 64,  /* the realm's name */
    SESSION_SCOPE_MAX = 512, /* as granted, space-separated */
    SESSION_HASH_SIZE = 32   /* SHA-256 of an aliased token */
};

/* How a mount spells its refresh tokens. */
enum refresh_format {
    REFRESH_FORMAT_NATIVE = 1, /* derived, opaque; found without any index */
    REFRESH_FORMAT_UUID = 2,   /* derived, UUIDv4-shaped; found through the alias index */
    REFRESH_FORMAT_JWT = 3     /* kopong and Duktig layouts; found through the alias index */
};

/* Why a session ended. */
enum session_end {
    SESSION_LIVE = 0,
    SESSION_ENDED_REUSE = 1,   /* a spent token came back */
    SESSION_ENDED_ADMIN = 2,   /* `retoken session revoke` */
    SESSION_ENDED_ACCOUNT = 3, /* its account was disabled or removed, or its password changed */
    SESSION_ENDED_CLIENT = 4   /* its client was removed */
};

struct session {
    uint8_t id[SESSION_ID_SIZE];
    uint64_t account; /* account.number */
    uint32_t generation;
    enum session_end end;
    bool scope_given; /* the grant carried a scope, possibly empty (Koppeltaal tells the two apart)
                       */
    int64_t created_ms;
    int64_t rotated_ms; /* when this generation was made; = created_ms at generation 0 */
    int64_t used_ms;    /* last renewal where the mount does not rotate (kept coarsely) */
    int64_t expires_ms; /* 0 = never; recomputed at each rotation, used by the sweeper too */
    int64_t ended_ms;   /* 0 while live */
    int64_t written_ms; /* when this generation was put on record, after any waiting: the windows in
                           which its parent is answered again run from here */
    bool has_alias;     /* generation 0 is found through a stored alias: */
    uint8_t alias[SESSION_HASH_SIZE]; /* SHA-256 of its JWT-shaped or imported token */
    bool has_derived_aliases;         /* some generations were spelled as UUID; their aliases are
                                         computed again when the session is swept */
    char realm[SESSION_REALM_MAX + 1];
    char client[CLIENT_ID_MAX + 1]; /* "" = no client */
    char scope[SESSION_SCOPE_MAX + 1];
};

/* "reused", "revoked by an administrator", … */
const char *session_end_meaning(enum session_end end);

#endif
