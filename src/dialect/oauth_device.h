/* SPDX-License-Identifier: ISC */
/* oauth_device.h: the device flow (RFC 8628): /oauth/device_authorization, which gives a device its
 * codes, and /oauth/device, the page on which a user approves it. Knows their parameters, answers
 * and HTML; does not know clients, users or codes. */
#ifndef RETOKEN_DIALECT_OAUTH_DEVICE_H
#define RETOKEN_DIALECT_OAUTH_DEVICE_H

#include "dialect/dialect.h"

/* As of struct endpoint. */
bool oauth_device_decode(struct request *request, enum outcome *refusal);
void oauth_device_encode(const struct request *request, enum outcome outcome,
                         struct http_response *response);

/* The page works without script. */
bool oauth_device_page_decode(struct request *request, enum outcome *refusal);
void oauth_device_page_encode(const struct request *request, enum outcome outcome,
                              struct http_response *response);
extern const struct wording oauth_device_page_words[];
extern const char oauth_device_page_policy[]; /* Content-Security-Policy */

/* The setting verification-uri, for when the page is seen elsewhere than the issuer says. */
bool oauth_device_take_uri(struct realm *realm, struct text value);

#endif
