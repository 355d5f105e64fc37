/* SPDX-License-Identifier: ISC */
/* replay.c: what a power cut may leave of a store. From a recording (recorder.c) it builds, for
 * every point between two calls, what may be on the disk then: all that was synced, and of the rest
 * nothing, everything, or some of it. Each image is opened as the next start would open it,
 * checked, asked for all that was promised to clients before that point, and written to once more.
 *
 *   replay FOLDER SEED SECONDS IMAGES    FOLDER has secret, base/ (the store before), inodes (NAME
 * INODE lines), log, and promises (NS WORD SESSION GENERATION lines)
 *
 * The disk keeps sectors of 512 bytes whole, and the order of names, as journalling file systems
 * do. It keeps no order between writes, nor between writes and names. Knows bytes, names and
 * promises; opens stores through store.h; knows no records. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/secret.h"
#include "campaign/recording.h"
#include "store/store.h"
#include "token/refresh_token.h"
#include "token/secrets.h"

enum {
    SECTOR = 512,
    NAME_SIZE = 64,
    FILES_MOST = 256,
    NAMES_MOST = 16,
    WORKERS_MOST = 64,
    HANG_S = 20,
    SUBSETS = 2,   /* random images of a cut in each pass */
    KEPT_MOST = 3, /* bad images that a worker keeps */
    WHY_SIZE = 400
};

struct change {
    struct recorded record;
    const uint8_t *data;
};

struct bytes {
    uint8_t *data;
    size_t size, room;
};

struct file {
    uint64_t inode;
    struct bytes stable, image;
    const struct change **pending;
    size_t pending_count, pending_room;
};

struct name {
    char name[NAME_SIZE];
    size_t file;
};

struct names {
    struct name rows[NAMES_MOST];
    size_t count;
};

/* What has been promised of a session, or may be expected. */
struct promised {
    uint8_t id[SESSION_ID_SIZE];
    bool made, end_asked, ended;
    uint32_t generation, asked;
};

enum promise_kind {
    PROMISE_MADE,
    PROMISE_ASKED,
    PROMISE_GENERATION,
    PROMISE_END_ASKED,
    PROMISE_ENDED
};
static const char *const promise_words[] = {"made", "asked", "generation", "end-asked", "ended"};

struct promise {
    uint64_t when_ns;
    enum promise_kind kind;
    size_t session;
    uint32_t generation;
};

static struct change *changes;
static size_t change_count;
static struct promise *promises;
static size_t promise_count, promise_at; /* those before promise_at have been made */
static struct promised *sessions;
static size_t session_count;
static struct file files[FILES_MOST];
static size_t file_count;
static struct names stable_names;
static const struct change **pending_names;
static size_t pending_name_count;

static char folder[1024], place[1100], url[1200];
static struct store_settings settings;
static struct secrets secrets;

/* Of one worker, shared with the parent. */
struct progress {
    _Atomic uint64_t images, bad, cuts;
    char doing[160];
};

enum part { NOTHING, EVERYTHING, SOME };

static void read_all(void);
static void start_again(void);
static void happen(const struct change *change);
static void build(enum part part, uint64_t seed, struct names *names);
static void put_in_place(const struct names *names, const char *where, uint64_t seed);
static bool judge(char why[WHY_SIZE]);
static void keep_promises_until(uint64_t when_ns);
static uint64_t drawn(uint64_t *state);
static double seconds_now(void);

static void fail(const char *what)
{
    fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
    exit(3);
}

/* ---- one worker ---- */

struct work {
    int number, workers;
    uint64_t seed, most;
    double end;
    struct progress *progress;
};

static void try_image(const struct work *work, uint64_t pass, size_t cut, int which)
{
    static const char *const words[] = {"nothing", "everything", "some"};
    enum part part = which < SOME ? (enum part)which : SOME;
    uint64_t seed = work->seed ^ pass << 56 ^ (uint64_t)cut << 16 ^ (uint64_t)which;
    struct names names;
    char why[WHY_SIZE] = "";

    snprintf(work->progress->doing, sizeof work->progress->doing,
             "cut %zu of %zu, %s of what was not synced, pass %" PRIu64, cut, change_count,
             words[part], pass);
    alarm(HANG_S);
    build(part, seed, &names);
    put_in_place(&names, place, seed);
    atomic_fetch_add(&work->progress->images, 1);
    if (judge(why)) {
        return;
    }
    fprintf(stderr, "BAD: %s: %s\n", work->progress->doing, why);
    if (atomic_fetch_add(&work->progress->bad, 1) < KEPT_MOST) {
        char kept[1200];

        snprintf(kept, sizeof kept, "%s/bad-%zu-%d-%" PRIu64, folder, cut, which, pass);
        put_in_place(&names, kept, seed);
        fprintf(stderr, "kept: %s\n", kept);
    }
}

static bool has_time(const struct work *work)
{
    return seconds_now() < work->end &&
           atomic_load(&work->progress->images) * (uint64_t)work->workers < work->most;
}

/* The first passes skip most cuts, so that all of the recording is seen however little time there
 * is. */
static void perform(const struct work *work)
{
    static const size_t strides[] = {64, 16, 4, 1};
    bool *tried = calloc(change_count + 1, sizeof *tried);

    for (uint64_t pass = 0; tried != NULL && (has_time(work) || pass == 0); pass++) {
        size_t stride = pass < 4 ? strides[pass] : 1;

        start_again();
        for (size_t cut = 0; cut <= change_count && has_time(work); cut++) {
            keep_promises_until(cut < change_count ? changes[cut].record.when_ns : UINT64_MAX);
            if (cut % (size_t)work->workers == (size_t)work->number &&
                cut / (size_t)work->workers % stride == work->seed % stride) {
                for (int which = tried[cut] ? SOME : NOTHING; which < SOME + SUBSETS; which++) {
                    try_image(work, pass, cut, which);
                }
                atomic_fetch_add(&work->progress->cuts, !tried[cut]);
                tried[cut] = true;
            }
            if (cut < change_count) {
                happen(&changes[cut]);
            }
        }
    }
    free(tried);
}

int main(int argc, char *argv[])
{
    struct progress *progress, all = {0};
    int workers = (int)sysconf(_SC_NPROCESSORS_ONLN), crashed = 0;

    if (argc != 5) {
        fputs("usage: replay FOLDER SEED SECONDS IMAGES\n", stderr);
        return 2;
    }
    snprintf(folder, sizeof folder, "%s", argv[1]);
    workers = workers > WORKERS_MOST ? WORKERS_MOST : workers;
    read_all();
    progress = mmap(NULL, sizeof *progress * WORKERS_MOST, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < workers; i++) {
        struct work work = {i,
                            workers,
                            strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15U,
                            strtoull(argv[4], NULL, 10),
                            seconds_now() + atof(argv[3]),
                            &progress[i]};
        pid_t child = fork();

        if (child == 0) {
            snprintf(place, sizeof place, "%s/image-%d", folder, i);
            snprintf(url, sizeof url, "lmdb:%s", place);
            perform(&work);
            _exit(0);
        }
    }
    for (int status; wait(&status) > 0;) {
        crashed += status != 0;
    }
    for (int i = 0; i < workers; i++) {
        if (crashed > 0) {
            fprintf(stderr, "worker %d was at: %s\n", i, progress[i].doing);
        }
        all.images += progress[i].images;
        all.bad += progress[i].bad;
        all.cuts += progress[i].cuts;
    }
    printf("{\"calls\": %zu, \"promises\": %zu, \"sessions\": %zu, \"cuts\": %" PRIu64
           ", \"images\": %" PRIu64 ", \"bad\": %" PRIu64 ", \"crashed\": %d}\n",
           change_count, promise_count, session_count, (uint64_t)all.cuts, (uint64_t)all.images,
           (uint64_t)all.bad, crashed);
    return all.bad > 0 || crashed > 0 ? 1 : 0;
}

/* ---- promises ---- */

static void keep_promises_until(uint64_t when_ns)
{
    for (; promise_at < promise_count && promises[promise_at].when_ns < when_ns; promise_at++) {
        const struct promise *promise = &promises[promise_at];
        struct promised *session = &sessions[promise->session];

        switch (promise->kind) {
        case PROMISE_MADE:
            session->made = true;
            break;
        case PROMISE_ASKED:
            session->asked =
                promise->generation > session->asked ? promise->generation : session->asked;
            break;
        case PROMISE_GENERATION:
            session->generation = promise->generation;
            break;
        case PROMISE_END_ASKED:
            session->end_asked = true;
            break;
        case PROMISE_ENDED:
            session->ended = true;
            break;
        }
    }
}

static bool is_kept(struct store *store, const struct promised *promised, char why[WHY_SIZE])
{
    struct session_view view;
    struct fault fault = {""};
    char id[37];
    enum store_result result = store_session_view(store, promised->id, &view, &fault);
    bool ended = result == STORE_OK && (view.session.end != SESSION_LIVE || !view.has_account ||
                                        view.session.epoch < view.account.epoch);

    codec_uuid_format(promised->id, id);
    if (result != STORE_OK) {
        snprintf(why, WHY_SIZE, "session %s is lost: %d %s", id, (int)result, fault.text);
    } else if (view.session.generation < promised->generation ||
               view.session.generation > promised->asked) {
        snprintf(why, WHY_SIZE, "session %s: generation %u; answered %u, asked for %u", id,
                 view.session.generation, promised->generation, promised->asked);
    } else if (promised->ended && !ended) {
        snprintf(why, WHY_SIZE, "session %s lives again", id);
    } else if (!promised->end_asked && ended) {
        snprintf(why, WHY_SIZE, "session %s has ended (%d), which no one asked for", id,
                 (int)view.session.end);
    } else {
        return true;
    }
    return false;
}

/* ---- judging an image ---- */

static void note_finding(void *self, const char *line)
{
    char *why = self;

    if (why[0] == '\0') {
        snprintf(why, WHY_SIZE, "%s", line);
    }
}

static bool goes_on(struct store *store, char why[WHY_SIZE])
{
    struct fault fault = {""};
    struct event event = {.at_ms = settings.now_ms, .kind = EVENT_ACCOUNT};

    if (store_event_add(store, &event, &fault) != STORE_OK) {
        snprintf(why, WHY_SIZE, "cannot be written to: %s", fault.text);
        return false;
    }
    return true;
}

static bool judge(char why[WHY_SIZE])
{
    struct fault fault = {""};
    uint64_t findings = 0;
    struct store_check check = {.found = note_finding, .self = why};
    struct store *store = store_open(&settings, &fault);
    bool kept = store != NULL;

    if (store == NULL) {
        snprintf(why, WHY_SIZE, "cannot be opened: %s", fault.text);
        return false;
    }
    if (store_check(store, &check, &findings, &fault) != STORE_OK || findings > 0) {
        if (why[0] == '\0') {
            snprintf(why, WHY_SIZE, "check: %s", fault.text);
        }
        kept = false;
    }
    for (size_t i = 0; i < session_count && kept; i++) {
        kept = !sessions[i].made || is_kept(store, &sessions[i], why);
    }
    kept = kept && goes_on(store, why);
    store_close(store);
    return kept;
}

/* ---- the disk ---- */

static struct file *file_of(uint64_t inode)
{
    for (size_t i = 0; i < file_count; i++) {
        if (files[i].inode == inode) {
            return &files[i];
        }
    }
    if (file_count == FILES_MOST) {
        errno = ENFILE;
        fail("files");
    }
    files[file_count] = (struct file){.inode = inode};
    return &files[file_count++];
}

static void make_room(struct bytes *bytes, size_t size)
{
    if (size > bytes->room) {
        bytes->room = size * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        if (bytes->data == NULL) {
            fail("memory");
        }
    }
    if (size > bytes->size) {
        memset(bytes->data + bytes->size, 0, size - bytes->size);
        bytes->size = size;
    }
}

static void put(struct bytes *bytes, uint64_t offset, const uint8_t *data, size_t size)
{
    make_room(bytes, (size_t)offset + size);
    memcpy(bytes->data + offset, data, size);
}

static void apply(struct bytes *bytes, const struct change *change)
{
    if (change->record.kind == RECORDED_WRITE) {
        put(bytes, change->record.offset, change->data, change->record.size);
    } else {
        make_room(bytes, (size_t)change->record.offset);
        bytes->size = (size_t)change->record.offset;
    }
}

static void apply_name(struct names *names, const struct change *change)
{
    const char *name = (const char *)change->data;
    size_t at = 0;

    while (at < names->count && strcmp(names->rows[at].name, name) != 0) {
        at++;
    }
    if (change->record.kind == RECORDED_NO_NAME) {
        if (at < names->count) {
            names->rows[at] = names->rows[--names->count];
        }
        return;
    }
    if (at == NAMES_MOST) {
        errno = ENFILE;
        fail("names");
    }
    names->count += at == names->count;
    snprintf(names->rows[at].name, NAME_SIZE, "%s", name);
    names->rows[at].file = (size_t)(file_of(change->record.inode) - files);
}

static void add_pending(struct file *file, const struct change *change)
{
    if (file->pending_count == file->pending_room) {
        file->pending_room = file->pending_room * 2 + 64;
        file->pending =
            realloc((void *)file->pending, file->pending_room * sizeof(struct change *));
        if (file->pending == NULL) {
            fail("memory");
        }
    }
    file->pending[file->pending_count++] = change;
}

/* From now on the call has been made. */
static void happen(const struct change *change)
{
    struct file *file;

    switch ((enum recorded_kind)change->record.kind) {
    case RECORDED_WRITE:
    case RECORDED_SIZE:
        file = file_of(change->record.inode);
        if (change->record.synced) {
            apply(&file->stable, change);
        } else {
            add_pending(file, change);
        }
        break;
    case RECORDED_SYNC:
        file = file_of(change->record.inode);
        for (size_t i = 0; i < file->pending_count; i++) {
            apply(&file->stable, file->pending[i]);
        }
        file->pending_count = 0;
        break;
    case RECORDED_NAME:
    case RECORDED_NO_NAME:
        pending_names[pending_name_count++] = change;
        break;
    case RECORDED_SYNC_NAMES:
        for (size_t i = 0; i < pending_name_count; i++) {
            apply_name(&stable_names, pending_names[i]);
        }
        pending_name_count = 0;
        break;
    }
}

/* ---- images ---- */

/* A part of one change: all or nothing of it, or some of its sectors. */
static void apply_some(struct bytes *bytes, const struct change *change, uint64_t way,
                       uint64_t *random)
{
    if (change->record.kind != RECORDED_WRITE || way == 0) {
        if ((drawn(random) & 1) != 0) {
            apply(bytes, change);
        }
        return;
    }
    for (uint64_t at = 0, step; at < change->record.size; at += step) {
        uint64_t offset = change->record.offset + at, left = change->record.size - at;

        step = SECTOR - offset % SECTOR < left ? SECTOR - offset % SECTOR : left;
        if (way == 1 ? (drawn(random) & 1) != 0 : drawn(random) % 8 != 0) {
            put(bytes, offset, change->data + at, step);
        }
    }
}

static void build(enum part part, uint64_t seed, struct names *names)
{
    uint64_t random = seed, way = drawn(&random) % 3;
    size_t named = part == NOTHING      ? 0
                   : part == EVERYTHING ? pending_name_count
                                        : drawn(&random) % (pending_name_count + 1);

    *names = stable_names;
    for (size_t i = 0; i < named; i++) {
        apply_name(names, pending_names[i]);
    }
    for (size_t i = 0; i < file_count; i++) {
        struct file *file = &files[i];

        file->image.size = 0;
        put(&file->image, 0, file->stable.data, file->stable.size);
        for (size_t k = 0; k < file->pending_count && part != NOTHING; k++) {
            if (part == EVERYTHING) {
                apply(&file->image, file->pending[k]);
            } else {
                apply_some(&file->image, file->pending[k], way, &random);
            }
        }
    }
}

static void write_file(const char *where, const char *name, const struct bytes *bytes)
{
    char path[1400];
    int file;

    snprintf(path, sizeof path, "%s/%s", where, name);
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || write(file, bytes->data, bytes->size) != (ssize_t)bytes->size ||
        close(file) != 0) {
        fail(path);
    }
}

static void spoil_queue(const char *where, const void *noise, size_t size);

static void put_in_place(const struct names *names, const char *where, uint64_t seed)
{
    static const char *const others[] = {"lock.mdb",      "process.lock", "ended.log",
                                         "ended.log.new", "commit.queue", "commit.queue.part"};
    uint64_t noise[1024];
    char path[1400];

    mkdir(where, 0700);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(path, sizeof path, "%s/%s", where, others[i]);
        unlink(path);
    }
    for (size_t i = 0; i < names->count; i++) {
        write_file(where, names->rows[i].name, &files[names->rows[i].file].image);
    }
    /* What is in the files of locks means nothing. */
    for (size_t i = 0; i < sizeof noise / sizeof *noise && seed % 3 == 0; i++) {
        noise[i] = drawn(&seed);
    }
    if (seed % 3 == 0) {
        write_file(where, "lock.mdb", &(struct bytes){(uint8_t *)noise, sizeof noise, 0});
        write_file(where, "process.lock", &(struct bytes){(uint8_t *)noise, 64, 0});
        spoil_queue(where, noise, sizeof noise);
    }
}

/* What processes have left in their seats, behind a first page that is right. */
static void spoil_queue(const char *where, const void *noise, size_t size)
{
    enum { SEATS_AT = 128 }; /* shared_queue_file.h */
    char path[1400];
    int file;

    snprintf(path, sizeof path, "%s/commit.queue", where);
    file = open(path, O_WRONLY | O_CLOEXEC);
    if (file >= 0 && (pwrite(file, noise, size, SEATS_AT) != (ssize_t)size || close(file) != 0)) {
        fail(path);
    }
}

/* ---- reading the recording ---- */

static uint8_t *content_of(const char *name, size_t *size)
{
    char path[1200];
    struct stat about;
    uint8_t *data;
    int file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) != 0) {
        fail(path);
    }
    *size = (size_t)about.st_size;
    data = malloc(*size + 1);
    if (data == NULL || read(file, data, *size) != (ssize_t)*size) {
        fail(path);
    }
    data[*size] = '\0';
    close(file);
    return data;
}

static void read_log(void)
{
    size_t size, at = 0, room = 0;
    uint8_t *log = content_of("log", &size);

    while (at + sizeof(struct recorded) <= size) {
        if (change_count == room) {
            room = room * 2 + 1024;
            changes = realloc(changes, room * sizeof *changes);
        }
        if (changes == NULL) {
            fail("memory");
        }
        memcpy(&changes[change_count].record, log + at, sizeof(struct recorded));
        changes[change_count].data = log + at + sizeof(struct recorded);
        at += sizeof(struct recorded) + changes[change_count++].record.size;
    }
    pending_names = malloc((change_count + 1) * sizeof(struct change *));
    if (at != size || pending_names == NULL) {
        errno = EINVAL;
        fail("log");
    }
}

static size_t session_of(const char *id)
{
    struct promised one = {0};

    if (!codec_uuid_parse(text_of(id), one.id)) {
        errno = EINVAL;
        fail(id);
    }
    for (size_t i = 0; i < session_count; i++) {
        if (memcmp(sessions[i].id, one.id, sizeof one.id) == 0) {
            return i;
        }
    }
    sessions = realloc(sessions, (session_count + 1) * sizeof *sessions);
    if (sessions == NULL) {
        fail("memory");
    }
    sessions[session_count] = one;
    return session_count++;
}

static void read_promises(void)
{
    size_t size;
    char *text = (char *)content_of("promises", &size), *place_in_text = NULL;

    for (char *line = strtok_r(text, "\n", &place_in_text); line != NULL;
         line = strtok_r(NULL, "\n", &place_in_text)) {
        struct promise promise = {0};
        char word[16], id[40];
        size_t kind = 0;

        if (sscanf(line, "%" SCNu64 " %15s %39s %u", &promise.when_ns, word, id,
                   &promise.generation) != 4) {
            errno = EINVAL;
            fail(line);
        }
        while (strcmp(promise_words[kind], word) != 0) {
            if (++kind == sizeof promise_words / sizeof *promise_words) {
                errno = EINVAL;
                fail(word);
            }
        }
        promise.kind = (enum promise_kind)kind;
        promise.session = session_of(id);
        promises = realloc(promises, (promise_count + 1) * sizeof *promises);
        if (promises == NULL) {
            fail("memory");
        }
        promises[promise_count++] = promise;
    }
}

/* The disk and the promises as they were before the first call. */
static void start_again(void)
{
    size_t size;
    char *text = (char *)content_of("inodes", &size), *place_in_text = NULL;

    for (size_t i = 0; i < file_count; i++) {
        files[i].stable.size = files[i].pending_count = 0;
    }
    stable_names.count = pending_name_count = promise_at = 0;
    for (size_t i = 0; i < session_count; i++) {
        struct promised fresh = {0};

        memcpy(fresh.id, sessions[i].id, sizeof fresh.id);
        sessions[i] = fresh;
    }
    for (char *line = strtok_r(text, "\n", &place_in_text); line != NULL;
         line = strtok_r(NULL, "\n", &place_in_text)) {
        char name[NAME_SIZE], path[NAME_SIZE + 8];
        uint64_t inode;
        uint8_t *data;
        struct change named = {.record = {.kind = RECORDED_NAME}, .data = (const uint8_t *)name};

        if (sscanf(line, "%63s %" SCNu64, name, &inode) != 2) {
            errno = EINVAL;
            fail("inodes");
        }
        snprintf(path, sizeof path, "base/%s", name);
        data = content_of(path, &size);
        put(&file_of(inode)->stable, 0, data, size);
        named.record.inode = inode;
        apply_name(&stable_names, &named);
        free(data);
    }
    free(text);
}

static void read_all(void)
{
    struct clock clock = clock_system();
    struct fault fault = {""};
    char path[1100];

    snprintf(path, sizeof path, "%s/secret", folder);
    if (!secrets_open_file(path, false, &secrets, &fault)) {
        fprintf(stderr, "replay: %s\n", fault.text);
        exit(3);
    }
    settings = (struct store_settings){.url = url,
                                       .keep_ended_ms = INT64_C(30) * 24 * 3600 * 1000,
                                       .now_ms = clock_now_ms(&clock),
                                       .derived_alias = refresh_token_derived_alias,
                                       .derived_alias_self = &secrets};
    memcpy(settings.record_key, secrets.record, sizeof settings.record_key);
    read_log();
    read_promises();
}

/* ---- chance and time ---- */

/* splitmix64 */
static uint64_t drawn(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
