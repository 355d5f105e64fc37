/* SPDX-License-Identifier: ISC */
/* dialect_check.c: `retoken dialect check`. Needs no installation; what it says is
 * dialect/tell.h. */
#include "admin/verbs/verbs.h"

#include "admin/dialect/input.h"
#include "admin/dialect/tell.h"

enum call_end verbs_dialect_check(struct call *call)
{
    const struct dialect *dialect = NULL;
    enum call_end end = dialect_input_dialect(call, call_argument(call, 0), &dialect);

    if (end == CALL_DONE) {
        dialect_tell(dialect, &call->output.buffer);
    }
    return end;
}
