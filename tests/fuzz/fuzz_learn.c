/* SPDX-License-Identifier: ISC */
/* fuzz_learn.c: any bytes as a recorded request and answer, parted by a line "====", and as a HAR
 * file, of which a dialect is learnt. Properties: what is learnt is a dialect or a fault says why;
 * a dialect can be told, and replayed against what it was learnt from. */
#include "admin/dialect/replay.h"
#include "admin/dialect/tell.h"
#include "admin/learn/har.h"
#include "fuzz/fuzz.h"
#include "process/dialect_file.h"

static void check(struct learn_input *input, struct arena *arena)
{
    struct fault fault = {""};
    struct dialect_differences differences = {.count = 0};
    struct buffer out, told;
    struct text file;

    buffer_start(&out, arena, 4096);
    if (!learn_dialect(input, arena, &out, &fault)) {
        FUZZ_ASSERT(fault.text[0] != '\0');
        return;
    } else if (!buffer_finish(&out, &file)) {
        return;
    }
    const struct dialect *dialect =
        dialect_file_read(TEXT("learnt"), "learnt", file, arena, &fault);
    if (dialect == NULL) {
        FUZZ_ASSERT(fault.text[0] != '\0');
        return;
    }
    buffer_start(&told, arena, 4096);
    dialect_tell(dialect, &told);
    for (size_t i = 0; i < LEARN_WHATS; i++) {
        const struct learn_exchange *granted = input->granted[i];

        FUZZ_ASSERT(granted == NULL ||
                    dialect_replay(dialect, &granted->request, &granted->answer, arena,
                                   &differences, &fault) ||
                    fault.text[0] != '\0');
    }
    dialect_replay_tell(&differences, &told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char line[] = "\n====\n";
    struct arena *arena = fuzz_arena(16 << 20);
    struct text text = fuzz_text(data, size);
    const char *found = size > 0 ? memmem(data, size, line, sizeof line - 1) : NULL;
    size_t at = found != NULL ? (size_t)(found - text.data) : size;
    struct learn_exchange exchange = {.entry = 0};
    struct learn_input input = {.granted = {&exchange}};
    struct fault fault = {""};

    if (http_recording_read(arena, text_cut(text, at), &exchange.request, &fault) &&
        http_recording_read(arena, text_from(text, at + sizeof line - 1), &exchange.answer,
                            &fault) &&
        exchange.request.status == 0 && exchange.answer.status != 0) {
        buffer_start(&input.unsaid, arena, 64);
        check(&input, arena);
    }
    input = (struct learn_input){0};
    if (learn_har_read(arena, text, &input, &fault)) {
        check(&input, arena);
    } else {
        FUZZ_ASSERT(fault.text[0] != '\0');
    }
    return 0;
}
