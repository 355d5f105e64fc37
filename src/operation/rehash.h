/* SPDX-License-Identifier: ISC */
/* rehash.h: a login is the one time at which a password is known, so a hash that is not of the
 * configured kind and cost is replaced then (`password-hash` of retoken.conf). Knows accounts and
 * hashes; does not know how a login is asked for. */
#ifndef RETOKEN_OPERATION_REHASH_H
#define RETOKEN_OPERATION_REHASH_H

#include "operation/request.h"

/* The write that gives the account a better hash of `password`, which was right for it as it was
 * read; in the request's memory. NULL: the hash suffices, or none could be made now. To be made
 * after the login is durable, and whatever comes of it, the login has succeeded: the next one tries
 * again. No session ends. */
struct store_write *rehash_prepare(struct request *request, const struct account *account,
                                   struct text password);

#endif
