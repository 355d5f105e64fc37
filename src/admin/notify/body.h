/* SPDX-License-Identifier: ISC */
/* body.h: an event as the body of a request, in each format of [webhook]. Knows what is
 * told; does not know where bodies go. */
#ifndef RETOKEN_ADMIN_NOTIFY_BODY_H
#define RETOKEN_ADMIN_NOTIFY_BODY_H

#include "model/webhook.h"
#include "token/signing_key.h"

enum notify_body_result {
    NOTIFY_BODY_WRITTEN,
    NOTIFY_BODY_NONE, /* the format has no words for this event: it counts as delivered */
    NOTIFY_BODY_FAULT
};

/* Writes the body into the arena, and its media type. `signer` is the realm's signing key, for
 * WEBHOOK_FORMAT_CAEP only. */
enum notify_body_result notify_body_write(const struct webhook *webhook,
                                          const struct webhook_told *told,
                                          const struct signing_key *signer, struct arena *arena,
                                          struct text *body, const char **media_type);

#endif
