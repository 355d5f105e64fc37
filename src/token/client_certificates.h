/* SPDX-License-Identifier: ISC */
/* client_certificates.h: by which certificates a client may prove itself (RFC 8705 section 2): by
 * thumbprints, or by one name that an authority vouches for. They are further members of the JWK
 * Set in which the store keeps a client's keys. Does not know connections or web servers. */
#ifndef RETOKEN_TOKEN_CLIENT_CERTIFICATES_H
#define RETOKEN_TOKEN_CLIENT_CERTIFICATES_H

#include "base/fault.h"
#include "base/json.h"
#include "token/certificate.h"

enum { CLIENT_CERTIFICATES_COUNT = 8, CLIENT_CERTIFICATES_NAME_MAX = 512 };

struct client_certificates {
    size_t count; /* of thumbprints: self_signed_tls_client_auth */
    uint8_t thumbprint[CLIENT_CERTIFICATES_COUNT][CRYPTO_HASH_SIZE];
    enum certificate_name kind;
    struct text name; /* tls_client_auth; empty = none */
};

/* What a client's keys say of certificates: nothing where they are "" or no JSON. Texts are in the
 * arena. */
void client_certificates_read(struct arena *arena, struct text keys,
                              struct client_certificates *certificates);

/* `keys` with these certificates in place of its own; *joined is in the arena, and empty where
 * there is neither key nor certificate. False: out of memory. */
bool client_certificates_join(struct arena *arena, struct text keys,
                              const struct client_certificates *certificates, struct text *joined);

/* Reads what an operator registers in place of what is there: the certificates of a PEM file, or
 * those in the `x5c` of a JWK Set (RFC 8705 section 2.2.2) … False with *fault. */
bool client_certificates_from_file(struct arena *arena, struct text file,
                                   struct client_certificates *certificates, struct fault *fault);
/* … or a name, as "dns:app.example". An empty one is none. False: it is not of that form. */
bool client_certificates_from_name(struct text given, struct client_certificates *certificates);
/* "dns": as they are written before a name. */
const char *client_certificates_kind(enum certificate_name kind);

/* Is this one of them? `verified`: somebody whom the web server trusts vouches for the names in
 * it. */
bool client_certificates_match(const struct client_certificates *certificates,
                               const struct certificate *certificate, bool verified);

#endif
