/* SPDX-License-Identifier: ISC */
/* jwt_claims.h: what the claims of JWTs that clients sign have in common: times, and URLs of this
 * server. Knows RFC 7519 and what a realm is called; does not know what a JWT is for. */
#ifndef RETOKEN_OPERATION_JWT_CLAIMS_H
#define RETOKEN_OPERATION_JWT_CLAIMS_H

#include "base/json.h"
#include "model/realm.h"

/* How far a client's clock may differ from ours. */
enum { JWT_CLAIMS_SKEW_S = 60 };

enum jwt_date { JWT_DATE_ABSENT, JWT_DATE_READ, JWT_DATE_WRONG };
/* A NumericDate (RFC 7519 section 2) as ms since 1970: seconds, with or without a fraction. */
enum jwt_date jwt_claims_date(const json_t *payload, const char *claim, int64_t *ms);

/* Has the realm an issuer of the operator's own that is a URL, so that a JWT can be for it? */
bool jwt_claims_has_issuer(const struct realm *realm);
/* Is it the issuer itself, but for a slash at the end? */
bool jwt_claims_is_issuer(const struct realm *realm, struct text name);
/* Is it the URL of that path on the issuer's host, or on that of mtls_origin, by http or https and
 * any port (TLS may end before us)? One with a query or a fragment is not. The Host header is the
 * sender's own word and plays no part. */
bool jwt_claims_is_endpoint(const struct realm *realm, struct text path, struct text url);

#endif
