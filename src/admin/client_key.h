/* SPDX-License-Identifier: ISC */
/* client_key.h: what proves a client besides secrets, as an operator gives and sees it: --key,
 * --algorithm, --certificate and --certificate-name of `retoken client`, and the names of keys.
 * Does not know which verb asks. */
#ifndef RETOKEN_ADMIN_CLIENT_KEY_H
#define RETOKEN_ADMIN_CLIENT_KEY_H

#include "admin/call.h"

/* Reads what these options name into client->keys, each in place of what is there: for --key a JWK
 * Set, or a public key in PEM with --algorithm. Without them nothing changes. Says what is wrong.
 */
enum call_end client_key_read(struct call *call, struct client *client);
/* The kids of a client's keys, space-separated; empty when it has none. Takes about 100 KiB of the
 * arena, in which the result is. */
struct text client_key_ids(struct arena *arena, const struct client *client);
/* The thumbprints (x5t#S256) of its certificates likewise, … */
struct text client_key_thumbprints(struct arena *arena, const struct client *client);
/* … and the name by which it is known in a certificate, as it was given. */
struct text client_key_certificate_name(struct arena *arena, const struct client *client);

#endif
