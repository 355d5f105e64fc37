/* SPDX-License-Identifier: ISC */
/* certificate.h: the certificate of a TLS connection's client, as a web server passes it to its
 * programs: its bytes, its thumbprint and the names in it. Whether anyone vouches for it, the web
 * server knows; nothing here does. */
#ifndef RETOKEN_TOKEN_CERTIFICATE_H
#define RETOKEN_TOKEN_CERTIFICATE_H

#include "base/arena.h"
#include "base/crypto.h"

enum { CERTIFICATE_SIZE_MAX = 16 * 1024 }; /* as text; the largest of RSA have 4 KiB */

struct certificate {
    struct text der;                      /* empty = there is none */
    uint8_t thumbprint[CRYPTO_HASH_SIZE]; /* SHA-256 of it: x5t#S256 (RFC 8705 section 3.1) */
};

enum certificate_result {
    CERTIFICATE_READ,
    CERTIFICATE_MALFORMED, /* no PEM, or too large */
    CERTIFICATE_FAULT      /* memory was short or libcrypto failed */
};

/* Reads the first certificate of *pem, which it moves behind it. The white space between the lines
 * may be any, or none (servers differ), and all of it may be percent-encoded (nginx's
 * $ssl_client_escaped_cert). The result is in the arena. */
enum certificate_result certificate_read(struct arena *arena, struct text *pem,
                                         struct certificate *certificate);

/* The same from the base64 of one, as in `x5c` of a JWK. */
enum certificate_result certificate_from_base64(struct arena *arena, struct text encoded,
                                                struct certificate *certificate);

/* Is it an X.509 certificate? */
bool certificate_is_x509(const struct certificate *certificate);

/* The names by which a client may be registered (RFC 8705 section 2.1.2). */
enum certificate_name {
    CERTIFICATE_NAME_DN, /* the subject, as RFC 4514 spells it */
    CERTIFICATE_NAME_DNS,
    CERTIFICATE_NAME_URI,
    CERTIFICATE_NAME_IP,
    CERTIFICATE_NAME_EMAIL
};
enum { CERTIFICATE_NAMES = CERTIFICATE_NAME_EMAIL + 1 };

/* Is this its subject, or one of its alternative names of that kind? Hosts and addresses are
 * compared as such, everything else byte by byte; a wildcard stands for nothing. */
bool certificate_has_name(const struct certificate *certificate, enum certificate_name kind,
                          struct text name);

#endif
