/* SPDX-License-Identifier: ISC */
/* play.h: a recorded request through a dialect, without an installation: which endpoint
 * takes it, what is read, and the bytes of an answer. What an operation would find is the caller's,
 * or made up. Knows no store and no key; does not know how it is shown. */
#ifndef RETOKEN_ADMIN_DIALECT_PLAY_H
#define RETOKEN_ADMIN_DIALECT_PLAY_H

#include "dialect/described.h"
#include "http/recording.h"

struct dialect_play {
    struct http_exchange http;
    struct realm realm;
    struct mount mount;
    struct mounts mounts;
    struct request request;
    bool understood;
    enum outcome outcome; /* why not, or what a grant is called */
};

/* Has the dialect an endpoint at this path? */
bool dialect_play_has(const struct dialect *dialect, struct text path, struct arena *arena);

/* Finds the endpoint by the request's path, which may have another one before it, and reads the
 * request. Where a page of another origin had it sent, that is let pass: which pages may ask is a
 * setting of the realm. False: *fault; the dialect has no such path. */
bool dialect_play_read(struct dialect_play *play, const struct dialect *dialect,
                       const struct http_recording *recording, struct arena *arena,
                       struct fault *fault);

/* Fills the answer with an account and with tokens that are made up and say so, as of now. False:
 * *fault. */
bool dialect_play_make_up(struct dialect_play *play, int64_t now_ms, struct fault *fault);

/* Writes the answer to that outcome into the exchange's response. False: *fault. */
bool dialect_play_answer(struct dialect_play *play, enum outcome outcome, struct fault *fault);

#endif
