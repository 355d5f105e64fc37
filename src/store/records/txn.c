/* SPDX-License-Identifier: ISC */
/* txn.c: the names of the tables. */
#include "store/records/txn.h"

const char *table_name(enum table table)
{
    static const char *const names[TABLES] = {
#define TABLE(name, word) [TABLE_##name] = (word),
        TABLE_ROWS
#undef TABLE
    };
    return names[table];
}
