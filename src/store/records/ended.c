/* SPDX-License-Identifier: ISC */
/* ended.c: see ended.h. Knows values only. */
#include "store/records/ended.h"

#include <stdlib.h>
#include <string.h>

bool ended_has_id(enum ended_what what)
{
    return what == ENDED_SESSION || what >= ENDED_CLIENT_REMOVED;
}

bool ended_list_add(struct ended_list *list, const struct ended *entry)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : list->room * 2;
        struct ended *entries = realloc(list->entries, room * sizeof *entries);

        if (entries == NULL) {
            return false;
        }
        list->entries = entries;
        list->room = room;
    }
    list->entries[list->count++] = *entry;
    return true;
}

void ended_list_free(struct ended_list *list)
{
    free(list->entries);
    *list = (struct ended_list){0};
}

bool ended_name_id(const char *name, uint8_t id[SESSION_ID_SIZE])
{
    uint8_t hash[CRYPTO_HASH_SIZE];

    if (!crypto_sha256(name, strlen(name), hash)) {
        return false;
    }
    memcpy(id, hash, SESSION_ID_SIZE);
    return true;
}
