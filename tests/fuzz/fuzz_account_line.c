/* SPDX-License-Identifier: ISC */
/* fuzz_account_line.c: any bytes as a line of `retoken account import`, in each of its formats.
 * Properties: what is read has a name without control bytes; written as JSON and read again it says
 * the same; what is refused is told why; a small arena makes it fail and nothing else. */
#include <string.h>

#include "admin/account_line.h"
#include "fuzz/fuzz.h"

enum { NOW_MS = 1700000000 };

static struct text write_line(struct arena *arena, const struct account *account)
{
    struct buffer buffer;
    struct text written;

    buffer_start(&buffer, arena, 512);
    struct json_out out = json_out_start(&buffer, JSON_STYLE_PLAIN);
    account_line_write(&out, arena, account, true);
    FUZZ_ASSERT(buffer_finish(&buffer, &written));
    return written;
}

static void check_line(struct arena *arena, const struct account_line *line)
{
    static struct account_line again;
    struct account account = line->account;
    struct text name = text_of(account.name);
    struct text written, twice;
    struct fault fault = {0};

    FUZZ_ASSERT(name.size > 0 && !text_has_control(name));
    FUZZ_ASSERT(text_is_utf8(text_of(account.roles)) && text_is_utf8(text_of(account.claims)));
    FUZZ_ASSERT(!line->has_hash || line->password[0] == '\0');
    written = write_line(arena, &account);
    memset(&again, 0, sizeof again);
    FUZZ_ASSERT(account_line_read(arena, ACCOUNT_JSON, written, NOW_MS, &again, &fault) ==
                ACCOUNT_LINE_ONE);
    FUZZ_ASSERT(text_is(name, again.account.name));
    FUZZ_ASSERT(again.has_enabled && again.account.enabled == account.enabled);
    FUZZ_ASSERT(strcmp(again.account.password, account.password) == 0);
    twice = write_line(arena, &again.account);
    FUZZ_ASSERT(text_equal(written, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct account_line line;
    struct text input = fuzz_text(data, size);
    uint64_t random = fuzz_hash(input);

    for (enum account_format format = ACCOUNT_JSON; format <= ACCOUNT_SHADOW; format++) {
        struct arena *arena = fuzz_arena(1 << 20);
        struct fault fault = {0};

        memset(&line, 0, sizeof line);
        switch (account_line_read(arena, format, input, NOW_MS, &line, &fault)) {
        case ACCOUNT_LINE_ONE:
            check_line(arena, &line);
            break;
        case ACCOUNT_LINE_NONE:
            break;
        case ACCOUNT_LINE_WRONG:
            FUZZ_ASSERT(fault.text[0] != '\0');
            break;
        }
        account_line_read(fuzz_arena(fuzz_random(&random, 16384)), format, input, NOW_MS, &line,
                          &fault);
    }
    return 0;
}
