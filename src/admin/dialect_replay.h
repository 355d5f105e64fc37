/* SPDX-License-Identifier: ISC */
/* dialect_replay.h: a recorded request and answer through a dialect: whether the dialect would have
 * answered the same bytes. What an operation would have found (tokens, times, the account) is taken
 * from the recording, so that what is left is the dialect's. Knows no store and no key. */
#ifndef RETOKEN_ADMIN_DIALECT_REPLAY_H
#define RETOKEN_ADMIN_DIALECT_REPLAY_H

#include "admin/dialect_play.h"

/* Appends a line for each difference: status, media type, headers of the dialect's, the body's
 * first byte that differs, and header and payload of an access token that is a JWT. Tokens are not
 * shown. *count is raised by how many there are. False: *fault, nothing could be compared. */
bool dialect_replay(const struct dialect *dialect, const struct http_recording *request,
                    const struct http_recording *answer, struct arena *arena, struct buffer *out,
                    size_t *count, struct fault *fault);

/* Header and payload of a JWT, decoded. False: it is none. */
bool dialect_replay_jwt(struct text token, struct arena *arena, struct text *header,
                        struct text *payload);

#endif
