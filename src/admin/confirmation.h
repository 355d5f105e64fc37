/* SPDX-License-Identifier: ISC */
/* confirmation.h: the key that a session is bound to, in the lines of `retoken session export` and
 * `import`: the member `cnf` (RFC 7800), as access tokens have it. Knows how each kind of key is
 * written, and which mounts have it proved. */
#ifndef RETOKEN_ADMIN_CONFIRMATION_H
#define RETOKEN_ADMIN_CONFIRMATION_H

#include "base/json.h"
#include "model/mount.h"
#include "model/session.h"

/* `cnf` with `jkt` (RFC 9449), `x5t#S256` (RFC 8705) or, of a browser, `jwk`; nothing for a session
 * that is bound to no key. */
void confirmation_write(struct json_out *out, const struct session *session);

/* Reads it: SESSION_KEY_NONE where it is absent or null. False with *why: it is no key. */
bool confirmation_read(struct arena *arena, const json_t *object, enum session_key_kind *kind,
                       uint8_t key[SESSION_KEY_SIZE], struct fault *why);

/* Can a session that is bound to a key of this kind, or to none, be renewed at the mount? False
 * with *why, which says what would be right. */
bool confirmation_fits(const struct mount *mount, enum session_key_kind kind, struct fault *why);

/* Is the mount of a dialect that renews only what is bound to a browser's key? */
bool confirmation_is_a_browsers(const struct mount *mount);

#endif
