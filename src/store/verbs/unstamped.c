/* SPDX-License-Identifier: ISC */
/* unstamped.c: see unstamped.h. */
#include "store/verbs/unstamped.h"

#include <stdatomic.h>
#include <string.h>

struct entry {
    uint8_t id[SESSION_ID_SIZE];
    uint32_t to;
};

struct unstamped {
    atomic_uint_least32_t count; /* set when the entries are there */
    struct entry entries[UNSTAMPED_MAX];
};

_Static_assert(sizeof(struct unstamped) <= UNSTAMPED_PAGE, "a page has room for it");

void unstamped_note(struct unstamped *page, const struct store_write *batch)
{
    uint32_t count = 0;

    if (page == NULL) {
        return;
    }
    for (const struct store_write *write = batch; write != NULL && count < UNSTAMPED_MAX;
         write = write->next) {
        if (write->kind == STORE_WRITE_ROTATE && write->result == STORE_OK) {
            struct entry *entry = &page->entries[count++];

            memcpy(entry->id, write->of.rotate.id, sizeof entry->id);
            entry->to = write->of.rotate.to;
        }
    }
    atomic_store(&page->count, count);
}

void unstamped_forget(struct unstamped *page)
{
    if (page != NULL) {
        atomic_store(&page->count, 0);
    }
}

bool unstamped_get(const struct unstamped *page, size_t at, struct store_write *write)
{
    uint32_t count = page != NULL ? atomic_load(&page->count) : 0;
    struct store_rotation rotation = {.to = 0};

    if (at >= count || count > UNSTAMPED_MAX) {
        return false;
    }
    memcpy(rotation.id, page->entries[at].id, sizeof rotation.id);
    rotation.to = page->entries[at].to;
    rotation.from = rotation.to - 1;
    store_prepare_rotate(write, &rotation);
    return true;
}
