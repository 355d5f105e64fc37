/* SPDX-License-Identifier: ISC */
/* fusionauth_sent.h: where a FusionAuth client puts values and tokens. Knows its spellings of
 * nothing, its cookies and schemes; does not know what a request is about. */
#ifndef RETOKEN_DIALECT_FUSIONAUTH_SENT_H
#define RETOKEN_DIALECT_FUSIONAUTH_SENT_H

#include "dialect/cookies.h"

extern const struct cookie_names fusionauth_cookies;

/* The TypeScript client writes out what it does not have. */
bool fusionauth_is_absent(struct text value);

/* A member of the JSON body that is there and not empty. */
bool fusionauth_member(const struct request *request, const char *name, struct text *value);

/* The cookies of this name that are not absent, also those that another server has left. Returns
 * how many are in `values`, at most `room`. */
size_t fusionauth_take_cookies(const struct request *request, const char *name, struct text *values,
                               size_t room);

/* The access token in the header, under the scheme of 2019 too. */
bool fusionauth_bearer(const struct request *request, struct text *token);
/* The access tokens in cookies, in the request's memory. NULL: no memory. */
struct text *fusionauth_access_cookies(const struct request *request, size_t *count);

#endif
