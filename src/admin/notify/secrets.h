/* SPDX-License-Identifier: ISC */
/* secrets.h: the secrets that a receiver shares with us, and a signature by each, as the
 * Standard Webhooks specification has them. Knows the file's format; does not know who receives. */
#ifndef RETOKEN_ADMIN_NOTIFY_SECRETS_H
#define RETOKEN_ADMIN_NOTIFY_SECRETS_H

#include "base/fault.h"
#include "base/text.h"

enum {
    NOTIFY_SECRETS = 2, /* a secret and the one that follows it */
    NOTIFY_SECRET_LEAST = 24,
    NOTIFY_SECRET_MOST = 64,
    NOTIFY_SIGNATURE_SIZE = 47 /* "v1," and base64 of 32 bytes */
};

struct notify_secrets {
    size_t count;
    struct {
        uint8_t bytes[NOTIFY_SECRET_MOST];
        size_t size;
    } each[NOTIFY_SECRETS];
};

/* Reads a file of one or two lines: whsec_ and base64 of 24 to 64 bytes. It is a regular file that
 * only this user can read. False with *fault, which names the file and says what would be right.
 * The caller wipes *secrets. */
bool notify_secrets_read(const char *path, struct notify_secrets *secrets, struct fault *fault);

/* The value of webhook-signature: "v1,…" by each secret with a space between, over
 * "ID.TIMESTAMP.BODY". False: libcrypto failed or memory is short. */
bool notify_secrets_sign(const struct notify_secrets *secrets, struct text id, int64_t timestamp_s,
                         struct text body, char out[NOTIFY_SECRETS * (NOTIFY_SIGNATURE_SIZE + 1)]);

#endif
