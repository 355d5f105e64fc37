/* SPDX-License-Identifier: ISC */
/* columns.h: what of a session's record is in columns of its own, so that an operator can ask the
 * database for it. Retoken itself believes the record only. */
#ifndef RETOKEN_STORE_POSTGRESQL_COLUMNS_H
#define RETOKEN_STORE_POSTGRESQL_COLUMNS_H

#include "store/records/record.h"

struct columns {
    uint64_t account;
    char client[CLIENT_ID_MAX + 1];
    char realm[SESSION_REALM_MAX + 1];
    int64_t created_ms, expires_ms; /* expires_ms 0 = never */
    const char *ended;              /* why, a word; NULL = it lives */
};

/* Of a damaged record nothing, and that it is one. Bytes that are no text in UTF-8 become question
 * marks. */
void columns_read(const struct crypto_mac *mac, struct txn_bytes key, struct txn_bytes value,
                  struct columns *columns);

#endif
