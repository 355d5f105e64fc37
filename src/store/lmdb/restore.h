/* SPDX-License-Identifier: ISC */
/* restore.h: a backup takes the place of the data. Knows the files of the store's directory; does
 * not know what is in the records. */
#ifndef RETOKEN_STORE_LMDB_RESTORE_H
#define RETOKEN_STORE_LMDB_RESTORE_H

#include "store/store_private.h"

/* As store_restore, for the store in the directory `place`. */
enum store_result restore_run(const struct store_settings *settings, const char *place,
                              const char *from, struct store_restored *restored,
                              struct fault *fault);

/* As store_unused, for the directory `place`. */
enum store_result restore_unused(const char *place, struct fault *fault);

#endif
