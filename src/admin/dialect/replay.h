/* SPDX-License-Identifier: ISC */
/* replay.h: a recorded request and answer through a dialect: whether the dialect would have
 * answered the same bytes. What an operation would have found (tokens, times, the account) is taken
 * from the recording, so that what is left is the dialect's. Knows no store and no key. */
#ifndef RETOKEN_ADMIN_DIALECT_REPLAY_H
#define RETOKEN_ADMIN_DIALECT_REPLAY_H

#include "admin/dialect/play.h"

/* Where an answer differs. Nothing is shown that may be a token or another value of one user. */
struct dialect_difference {
    const char *what;               /* "the body", "status" */
    size_t byte;                    /* the first that differs, from 1; 0 = it is not about bytes */
    struct text recorded, answered; /* what is there, or stands round that byte; "" = nothing */
};

enum { DIALECT_DIFFERENCES_MAX = 24, DIALECT_UNSET_MAX = 8 };

struct dialect_differences {
    struct dialect_difference rows[DIALECT_DIFFERENCES_MAX];
    size_t count;
    struct text unset[DIALECT_UNSET_MAX]; /* names of headers of the backend's own that the dialect
                                             does not set; no difference, because they may be of one
                                             answer */
    size_t unset_count;
};

/* Adds each difference: status, media type, headers of the dialect's, cookies that are set or
 * cleared, the body's first byte that differs, and header and payload of tokens that are JWTs.
 * Times and tokens count as alike. False: *fault, nothing could be compared. */
bool dialect_replay(const struct dialect *dialect, const struct http_recording *request,
                    const struct http_recording *answer, struct arena *arena,
                    struct dialect_differences *differences, struct fault *fault);

/* Appends them, a line or three for each. */
void dialect_replay_tell(const struct dialect_differences *differences, struct buffer *out);

/* Header and payload of a JWT, decoded. False: it is none. */
bool dialect_replay_jwt(struct text token, struct arena *arena, struct text *header,
                        struct text *payload);

#endif
