/* SPDX-License-Identifier: ISC */
/* columns.c: see columns.h. Knows which of a record's values are columns. */
#include "store/postgresql/columns.h"

#include <string.h>

#include "base/text.h"

static void copy_text(const char *from, char *to)
{
    struct text text = {from, strlen(from)};

    memcpy(to, from, text.size + 1);
    for (size_t i = 0; !text_is_utf8(text) && i < text.size; i++) {
        to[i] = (unsigned char)from[i] < 0x80 ? from[i] : '?';
    }
}

void columns_read(const struct crypto_mac *mac, struct txn_bytes key, struct txn_bytes value,
                  struct columns *columns)
{
    struct record_session stored;
    RECORD(record, RECORD_SESSION_MAX);

    record_start(&record, TABLE_SESSIONS, key);
    if (!record_open(&record, mac, value) || !record_get_session(&record, &stored)) {
        *columns = (struct columns){.ended = "damaged"};
        return;
    }
    columns->account = stored.session.account;
    copy_text(stored.session.client, columns->client);
    copy_text(stored.session.realm, columns->realm);
    columns->created_ms = stored.session.created_ms;
    columns->expires_ms = stored.session.expires_ms;
    columns->ended =
        stored.session.end == SESSION_LIVE ? NULL : session_end_meaning(stored.session.end);
}
