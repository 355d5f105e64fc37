/* SPDX-License-Identifier: ISC */
/* key_need.h: which signing keys the mounts of a configuration need, and which of the store's keys
 * would sign for them. Knows the rule of token/keyring.h over rows, so that it also sees what is
 * not there. */
#ifndef RETOKEN_ADMIN_KEY_NEED_H
#define RETOKEN_ADMIN_KEY_NEED_H

#include "process/config.h"

enum { KEY_NEED_ROWS_MAX = 512 };

struct key_need {
    enum signing_algorithm algorithm;
    const char *realm; /* lives in the configuration */
    const char *path;  /* the first mount that needs it */
    bool bound; /* a key made for it is bound to the realm: a shared secret is shared once only */
};

/* Every pair of algorithm and realm that some mount signs with, once; the count. */
size_t key_need_list(const struct config *config, struct key_need needs[CONFIG_MOUNTS_MAX]);

/* The row that signs for (algorithm, realm), leaving out the key named `without` (NULL = none):
 * active, bound to the realm, else bound to none; the newest of several. NULL when there is none.
 */
const struct signing_row *key_need_signer(const struct signing_row *rows, size_t count,
                                          enum signing_algorithm algorithm, const char *realm,
                                          const char *without);

/* For how long what `row` signs is of use, by the realms that it may sign for and the policy of
 * this client (NULL = of none): the life of an access token, and as long as an expired one is a
 * bearer to log in with. In ms; 0: it signs for none. */
int64_t key_need_kept_ms(const struct config *config, const struct signing_row *row,
                         const struct client *client);

#endif
