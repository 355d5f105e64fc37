/* SPDX-License-Identifier: ISC */
/* preview.h: what the operation would say, without doing it; for `retoken explain`. Asks the table
 * that decides about requests (decision.c), so it cannot say anything else. */
#ifndef RETOKEN_OPERATION_PREVIEW_H
#define RETOKEN_OPERATION_PREVIEW_H

#include "base/arena.h"
#include "model/mount.h"
#include "model/outcome.h"
#include "operation/issuer.h"

struct preview {
    enum outcome outcome;
    bool session_found;
    struct session_view grant; /* when session_found */
    struct policy policy;      /* in force for its client */
    bool client_proves;        /* its client can prove itself here */
    uint32_t generation;       /* presented */
    int64_t now_ms;
    int64_t window_left_ms; /* REPLAYED, RECOVERED: how long the same answer is given */
    int64_t expires_ms;     /* when the session ends by itself; 0 = never */
};

/* preview->outcome: what would be answered now to this token on this mount with everything else in
 * order: the session's client proves itself if it can, and if requests of this mount can carry
 * proof (can_prove). Changes nothing. OUTCOME_FAULT: *fault says what broke. */
enum outcome preview_token(struct issuer *issuer, const struct mount *mount,
                           struct text refresh_token, bool can_prove, struct arena *arena,
                           struct preview *preview, struct fault *fault);

#endif
