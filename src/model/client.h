/* client.h: a registered OAuth client (RFC 6749 section 2). Plain values of bounded size. */
#ifndef RETOKEN_MODEL_CLIENT_H
#define RETOKEN_MODEL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CLIENT_ID_MAX = 64,
    CLIENT_SECRET_MAX = 384, /* the hash, see refresh/secret_hash.h */
    CLIENT_SCOPE_MAX = 512,  /* space-separated; "" = no limit */
    CLIENT_KEY_MAX = 1024    /* PEM public key for client assertions (RFC 7523), "" = none */
};

struct client {
    bool enabled;
    int64_t created_ms;
    char id[CLIENT_ID_MAX + 1];
    char secret[CLIENT_SECRET_MAX + 1]; /* "" = a public client, it has none */
    char scope[CLIENT_SCOPE_MAX + 1];
    char key[CLIENT_KEY_MAX + 1];
    char key_algorithm[8]; /* the one algorithm the key is used with: RS256, ES384 … */
};

#endif
