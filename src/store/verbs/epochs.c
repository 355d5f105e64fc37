/* SPDX-License-Identifier: ISC */
/* epochs.c: see epochs.h. */
#include "store/verbs/epochs.h"

#include <string.h>

static const uint8_t all_realms[SESSION_ID_SIZE];

static const struct record_epoch *find(const struct record_epochs *epochs,
                                       const uint8_t id[SESSION_ID_SIZE])
{
    for (size_t i = 0; i < epochs->count; i++) {
        if (memcmp(epochs->rows[i].realm, id, SESSION_ID_SIZE) == 0) {
            return &epochs->rows[i];
        }
    }
    return NULL;
}

/* Mostly there are none, and no name needs to be hashed. */
static const struct record_epoch *find_realm(const struct record_epochs *epochs, const char *realm)
{
    uint8_t id[SESSION_ID_SIZE];

    return epochs->count > 0 && epochs_realm_id(realm, id) ? find(epochs, id) : NULL;
}

bool epochs_realm_id(const char *realm, uint8_t id[SESSION_ID_SIZE])
{
    memset(id, 0, SESSION_ID_SIZE);
    return realm == NULL || ended_name_id(realm, id);
}

uint32_t epochs_of(const struct record_epochs *epochs, const char *realm,
                   const struct account *account)
{
    const struct record_epoch *of_all = find(epochs, all_realms);
    const struct record_epoch *of_realm = find_realm(epochs, realm);

    return (account != NULL ? account->epoch : 0) + (of_all != NULL ? of_all->epoch : 0) +
           (of_realm != NULL ? of_realm->epoch : 0);
}

int64_t epochs_raised_ms(const struct record_epochs *epochs, const char *realm)
{
    const struct record_epoch *of_all = find(epochs, all_realms);
    const struct record_epoch *of_realm = find_realm(epochs, realm);
    int64_t all_ms = of_all != NULL ? of_all->at_ms : 0;
    int64_t realm_ms = of_realm != NULL ? of_realm->at_ms : 0;

    return all_ms > realm_ms ? all_ms : realm_ms;
}

static __attribute__((noinline)) struct epochs_now read_all(struct rows *rows, const char *realm)
{
    struct record_epochs epochs;

    rows_epochs_get(rows, &epochs);
    return (struct epochs_now){epochs_of(&epochs, realm, NULL), epochs_raised_ms(&epochs, realm)};
}

struct epochs_now epochs_read(struct rows *rows, const char *realm)
{
    return rows_epochs_there(rows) ? read_all(rows, realm) : (struct epochs_now){0};
}

/* Puts those of single realms into that of all, which may not sink for any realm; gives it. */
static uint32_t fold(struct record_epochs *epochs)
{
    const struct record_epoch *of_all = find(epochs, all_realms);
    uint32_t all = of_all != NULL ? of_all->epoch : 0, most = 0;

    for (size_t i = 0; i < epochs->count; i++) {
        if (&epochs->rows[i] != of_all && epochs->rows[i].epoch > most) {
            most = epochs->rows[i].epoch;
        }
    }
    if (of_all != NULL) {
        epochs->rows[0] = *of_all;
    }
    epochs->count = of_all != NULL ? 1 : 0;
    return all + most;
}

uint32_t epochs_raise(struct rows *rows, const uint8_t id[SESSION_ID_SIZE], uint32_t least,
                      int64_t now_ms)
{
    struct record_epochs epochs;
    struct record_epoch *row;

    rows_epochs_get(rows, &epochs);
    if (least == 0 && memcmp(id, all_realms, sizeof all_realms) == 0) {
        least = 1 + fold(&epochs);
    }
    row = (struct record_epoch *)(uintptr_t)find(&epochs, id);
    if (row == NULL && epochs.count == RECORD_EPOCHS_MAX) {
        rows_fail(rows,
                  "the sessions of %d realms were ended already; end all sessions instead, which "
                  "makes room",
                  RECORD_EPOCHS_MAX);
    } else if (row == NULL) {
        row = &epochs.rows[epochs.count++];
        *row = (struct record_epoch){.epoch = 0};
        memcpy(row->realm, id, sizeof row->realm);
    }
    if (rows->failed || (least != 0 && row->epoch >= least)) {
        return rows->failed ? 0 : row->epoch;
    }
    row->epoch = least != 0 ? least : row->epoch + 1;
    row->at_ms = now_ms;
    rows_epochs_put(rows, &epochs);
    return row->epoch;
}
