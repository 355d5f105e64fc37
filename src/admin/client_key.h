/* SPDX-License-Identifier: ISC */
/* client_key.h: the public keys of a client as an operator gives and sees them: --key and
 * --algorithm of `retoken client`, and the names of keys. Does not know which verb asks. */
#ifndef RETOKEN_ADMIN_CLIENT_KEY_H
#define RETOKEN_ADMIN_CLIENT_KEY_H

#include "admin/call.h"

/* Reads the file that --key names, a JWK Set or a public key in PEM with --algorithm, into
 * client->keys in place of what is there; without --key nothing changes. Says what is wrong. */
enum call_end client_key_read(struct call *call, struct client *client);
/* The kids of a client's keys, space-separated; empty when it has none. Takes about 100 KiB of the
 * arena, in which the result is. */
struct text client_key_ids(struct arena *arena, const struct client *client);

#endif
