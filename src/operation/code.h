/* SPDX-License-Identifier: ISC */
/* code.h: what the request for an authorization code and its exchange have in common. */
#ifndef RETOKEN_OPERATION_CODE_H
#define RETOKEN_OPERATION_CODE_H

#include "model/session.h"
#include "token/secrets.h"

/* What session.redirect keeps of a redirect URI. False: libcrypto failed. */
bool code_redirect_hash(const struct secrets *secrets, struct text uri,
                        uint8_t hash[SESSION_HASH_SIZE]);

#endif
