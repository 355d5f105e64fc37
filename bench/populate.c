/* populate.c: fills an installation that `retoken init` made with many sessions of one account, and
 * writes their refresh tokens to a file, one per line: what the load generator rotates. Goes
 * through the store's own verb, from many threads at once, so that group commit makes large
 * batches. Knows configuration, store and tokens; does not know dialects' words or load.
 *
 *   populate CONFIG MOUNT ACCOUNT COUNT TOKENS_FILE */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "dialect/mounts.h"
#include "process/service.h"
#include "refresh/table.h"
#include "token/refresh_token.h"

enum { THREADS = 256, STACK_SIZE = 256 * 1024, LINE_SIZE = REFRESH_TOKEN_NATIVE_SIZE + 1 };

struct filling {
    struct service service;
    const struct mount *mount;
    struct account account;
    size_t count;
    char *lines;
    atomic_size_t next, done;
    atomic_bool failed;
};

/* ---- one session ---- */

static bool start_session(const struct filling *filling, struct session *session)
{
    const struct authority *authority = &filling->service.authority;
    const struct mount *mount = filling->mount;
    int64_t now_ms = clock_now_ms(&authority->clock);

    memset(session, 0, sizeof *session);
    session->account = filling->account.number;
    session->created_ms = now_ms;
    session->rotated_ms = now_ms;
    session->used_ms = now_ms;
    session->expires_ms = table_next_expiry_ms(&mount->policy, now_ms, now_ms);
    session->written_ms = now_ms;
    return session_id_make(&authority->randomness, now_ms, session->id) &&
           text_copy(text_of(mount->realm), session->realm, sizeof session->realm);
}

static bool fill_line(struct filling *filling, size_t i, struct fault *fault)
{
    char token[REFRESH_TOKEN_NATIVE_SIZE + 1];
    struct session session;
    char *line = filling->lines + i * LINE_SIZE;

    if (!start_session(filling, &session) ||
        !refresh_token_native(&filling->service.secrets, session.id, 0, token)) {
        fault_set(fault, "no randomness, or libcrypto failed");
        return false;
    }
    memcpy(line, token, REFRESH_TOKEN_NATIVE_SIZE);
    line[REFRESH_TOKEN_NATIVE_SIZE] = '\n';
    return store_session_create(filling->service.store, &session, NULL, fault) == STORE_OK;
}

static void *fill(void *self)
{
    struct filling *filling = self;
    struct fault fault = {""};
    size_t i;

    while ((i = atomic_fetch_add(&filling->next, 1)) < filling->count &&
           !atomic_load(&filling->failed)) {
        if (!fill_line(filling, i, &fault)) {
            if (!atomic_exchange(&filling->failed, true)) {
                fprintf(stderr, "\npopulate: %s\n", fault.text);
            }
            return NULL;
        }
        atomic_fetch_add(&filling->done, 1);
    }
    return NULL;
}

/* ---- all of them ---- */

static void show_progress(struct filling *filling)
{
    struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
    bool to_terminal = isatty(STDERR_FILENO) == 1;
    size_t done;

    while ((done = atomic_load(&filling->done)) < filling->count &&
           !atomic_load(&filling->failed)) {
        if (to_terminal) {
            fprintf(stderr, "\rpopulate: %zu of %zu sessions", done, filling->count);
        }
        nanosleep(&pause, NULL);
    }
    if (to_terminal) {
        fprintf(stderr, "\r%60s\r", "");
    }
}

static bool fill_all(struct filling *filling)
{
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    size_t started = 0;

    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    while (started < THREADS &&
           pthread_create(&threads[started], &attributes, fill, filling) == 0) {
        started++;
    }
    pthread_attr_destroy(&attributes);
    if (started == 0) {
        fputs("populate: no thread could be started\n", stderr);
        return false;
    }
    show_progress(filling);
    for (size_t i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
    }
    return !atomic_load(&filling->failed);
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
    static const struct config_dialects facts = {.defaults = dialect_mount_defaults,
                                                 .default_mount = dialect_default_mount,
                                                 .names = "oauth, …"};
    struct fault fault = {""};

    if (!config_load(argv[1], &facts, &filling->service.config, &fault) ||
        !service_open(&filling->service, false, false, &fault)) {
        fprintf(stderr, "populate: %s\n", fault.text);
        return false;
    }
    filling->mount = config_mount(&filling->service.config, argv[2]);
    if (filling->mount == NULL || filling->mount->kind != MOUNT_REFRESH ||
        filling->mount->policy.format != REFRESH_FORMAT_NATIVE) {
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
    static struct filling filling; /* the configuration in it is large */
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
