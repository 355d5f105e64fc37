/* SPDX-License-Identifier: ISC */
/* ending.c: see ending.h. */
#include "operation/ending.h"

#include <string.h>

void ending_of_account(struct ending *ending, uint64_t account, enum session_end end,
                       int64_t now_ms)
{
    store_prepare_end_account(&ending->write, account, end, now_ms);
    ending->marking = (struct store_marking){.account = account, .end = end, .now_ms = now_ms};
    ending->stage = ENDING_ALL;
}

void ending_of_client(struct ending *ending, const char *client, enum session_end end,
                      int64_t now_ms)
{
    store_prepare_end_client(&ending->write, client, end, now_ms);
    ending->marking = (struct store_marking){.client = client, .end = end, .now_ms = now_ms};
    ending->stage = ENDING_ALL;
}

struct store_write *ending_next(struct ending *ending)
{
    if (ending->stage != ENDING_MARKS) {
        return NULL;
    }
    store_prepare_mark_ended(&ending->write, &ending->marking);
    return &ending->write;
}

bool ending_marked(struct ending *ending, enum store_result result)
{
    struct store_marking *marking = &ending->marking;
    bool marked = ending->stage == ENDING_MARKS;
    bool more = marked ? marking->more : ending->stage == ENDING_ALL;

    memcpy(marking->after, marking->reached, sizeof marking->after);
    ending->stage = result == STORE_OK && more ? ENDING_MARKS : ENDING_NOTHING;
    return marked;
}
