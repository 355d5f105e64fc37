/* SPDX-License-Identifier: ISC */
/* epochs.h: which epoch a session must be of. It is the sum of its account's, its realm's and that
 * of all realms. Each only grows, so a session whose epoch is less than the sum of now began before
 * one of them was raised: one write ends however many sessions. Knows sums; does not know who
 * raises what. */
#ifndef RETOKEN_STORE_VERBS_EPOCHS_H
#define RETOKEN_STORE_VERBS_EPOCHS_H

#include "store/records/rows.h"

/* What a session of this realm and account (NULL = it has none) begins with, and must not be below.
 */
uint32_t epochs_of(const struct record_epochs *epochs, const char *realm,
                   const struct account *account);
/* When the realm's sessions, or all, were ended last; 0 = never. */
int64_t epochs_raised_ms(const struct record_epochs *epochs, const char *realm);
/* Both, for one session: the record itself is large, and a store mostly has none. All 0 after an
 * error in *rows. */
struct epochs_now {
    uint32_t epoch; /* as epochs_of, without the account's */
    int64_t raised_ms;
};
struct epochs_now epochs_read(struct rows *rows, const char *realm);
/* What stands for a realm, NULL = for all. False: libcrypto failed. */
bool epochs_realm_id(const char *realm, uint8_t id[SESSION_ID_SIZE]);
/* Its epoch is at least `least`, and one more than it was where that is 0; gives it. 0 with an
 * error in *rows. */
uint32_t epochs_raise(struct rows *rows, const uint8_t id[SESSION_ID_SIZE], uint32_t least,
                      int64_t now_ms);

#endif
