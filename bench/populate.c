/* SPDX-License-Identifier: ISC */
/* populate.c: fills an installation that `retoken init` made with many sessions of one account, and
 * writes their refresh tokens to a file, one per line: what the load generator rotates. Goes
 * through the store's own verb, many sessions to a commit. Knows configuration, store and tokens;
 * does not know dialects' words or load.
 *
 *   populate CONFIG MOUNT ACCOUNT COUNT TOKENS_FILE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "process/service.h"
#include "operation/decision.h"
#include "token/refresh_token.h"

/* A batch is what one commit is given; larger ones fill LMDB's list of dirty pages. */
enum { BATCH = 4096, LINE_SIZE = REFRESH_TOKEN_NATIVE_SIZE + 1 };

struct creation {
    struct filling *filling;
    struct session session;
    struct store_write write;
    struct fault fault;
};

struct filling {
    struct service service;
    const struct mount *mount;
    struct account account;
    size_t count, done;
    char *lines;
    bool failed;
    struct creation batch[BATCH];
};

/* ---- one session ---- */

static bool start_session(const struct filling *filling, struct session *session)
{
    const struct issuer *issuer = &filling->service.issuer;
    const struct mount *mount = filling->mount;
    int64_t now_ms = clock_now_ms(&issuer->clock);

    memset(session, 0, sizeof *session);
    session->account = filling->account.number;
    session->created_ms = now_ms;
    session->rotated_ms = now_ms;
    session->used_ms = now_ms;
    session->expires_ms = decision_next_expiry_ms(&mount->realm->policy, now_ms, now_ms);
    return session_id_make(&issuer->randomness, now_ms, session->id) &&
           text_copy(text_of(mount->realm->name), session->realm, sizeof session->realm);
}

static bool make_line(const struct filling *filling, const struct session *session, char *line)
{
    char token[REFRESH_TOKEN_NATIVE_SIZE + 1];

    if (!refresh_token_native(&filling->service.secrets, 0, session->id, 0, token)) {
        return false;
    }
    memcpy(line, token, REFRESH_TOKEN_NATIVE_SIZE);
    line[REFRESH_TOKEN_NATIVE_SIZE] = '\n';
    return true;
}

static void when_created(void *self, enum store_result result)
{
    struct creation *creation = self;
    struct filling *filling = creation->filling;

    if (result != STORE_OK && !filling->failed) {
        filling->failed = true;
        fprintf(stderr, "\npopulate: result %d %s\n", (int)result, creation->fault.text);
    }
    filling->done++;
}

/* ---- all of them ---- */

static bool fill_batch(struct filling *filling, size_t first, size_t count)
{
    for (size_t i = 0; i < count && !filling->failed; i++) {
        struct creation *creation = &filling->batch[i];

        creation->filling = filling;
        creation->fault.text[0] = '\0';
        if (!start_session(filling, &creation->session) ||
            !make_line(filling, &creation->session, filling->lines + (first + i) * LINE_SIZE)) {
            fputs("populate: no randomness, or libcrypto failed\n", stderr);
            filling->failed = true; /* those handed in are settled all the same */
            break;
        }
        store_prepare_create(&creation->write, &creation->session, NULL);
        store_submit(filling->service.store, &creation->write, &creation->fault, when_created,
                     creation);
    }
    store_flush(filling->service.store);
    return !filling->failed;
}

static bool fill_all(struct filling *filling)
{
    bool to_terminal = isatty(STDERR_FILENO) == 1, filled = true;

    while (filled && filling->done < filling->count) {
        size_t left = filling->count - filling->done;

        filled = fill_batch(filling, filling->done, left < BATCH ? left : BATCH);
        if (to_terminal) {
            fprintf(stderr, "\rpopulate: %zu of %zu sessions", filling->done, filling->count);
        }
    }
    if (to_terminal) {
        fprintf(stderr, "\r%60s\r", "");
    }
    return filled;
}

static bool write_lines(const struct filling *filling, const char *path)
{
    FILE *file = fopen(path, "w");
    bool written =
        file != NULL && fwrite(filling->lines, LINE_SIZE, filling->count, file) == filling->count;

    if (file != NULL && fclose(file) != 0) {
        written = false;
    }
    if (!written) {
        perror(path);
    }
    return written;
}

static bool open_installation(struct filling *filling, char **argv)
{
    struct fault fault = {""};

    if (!config_load(argv[1], &filling->service.config, &fault) ||
        !service_open(&filling->service, false, false, &fault)) {
        fprintf(stderr, "populate: %s\n", fault.text);
        return false;
    }
    filling->mount = config_mount(&filling->service.config, argv[2]);
    if (filling->mount == NULL || !realm_issues(filling->mount->realm) ||
        filling->mount->realm->policy.format != REFRESH_FORMAT_NATIVE) {
        fprintf(stderr, "populate: %s: no mount with native refresh tokens\n", argv[2]);
        return false;
    }
    if (store_account_find(filling->service.store, argv[3], &filling->account, &fault) !=
        STORE_OK) {
        fprintf(stderr, "populate: no account %s %s\n", argv[3], fault.text);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct filling filling; /* large */
    uint64_t count;

    if (argc != 6 || !text_to_u64(text_of(argv[4]), 100000000, &count) || count == 0) {
        fputs("usage: populate CONFIG MOUNT ACCOUNT COUNT TOKENS_FILE\n", stderr);
        return 2;
    }
    filling.count = (size_t)count;
    filling.lines = malloc(filling.count * LINE_SIZE);
    if (filling.lines == NULL) {
        perror("populate");
        return 3;
    }
    if (!open_installation(&filling, argv) || !fill_all(&filling) ||
        !write_lines(&filling, argv[5])) {
        return 3;
    }
    free(filling.lines);
    service_close(&filling.service);
    return 0;
}
