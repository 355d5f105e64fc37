/* SPDX-License-Identifier: ISC */
/* ended_log.c: see ended_log.h. An entry, integers big-endian:
 *
 *     0000000000000007           number
 *     01                         what, enum ended_what
 *     02                         why, enum session_end
 *     0000                       (zero)
 *     00000000                   epoch of an account or a realm
 *     (16 bytes)                 session id; or account number (8) and zero (8); or the hash of a
 *                                client's or a realm's name
 *     0000019a9f2c3b00           when
 *     0000019aa4523b00           needed until, 0 = for ever
 *     (16 bytes)                 MAC over "retoken ended" and the 48 bytes before
 *
 * Knows bytes and files. */
#include "store/lmdb/ended_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/secret.h"
#include "base/whole_file.h"

enum { MAC_SIZE = 16, BODY_SIZE = ENDED_ENTRY_SIZE - MAC_SIZE, CHUNK = 256 };

static const char file_name[] = "ended.log";

static bool seal(const struct ended *entry, const struct crypto_mac *mac,
                 uint8_t out[ENDED_ENTRY_SIZE]);
static bool unseal(const uint8_t bytes[ENDED_ENTRY_SIZE], const struct crypto_mac *mac,
                   struct ended *entry);
static int open_file(const char *directory, int flags);
static bool path_of(const char *directory, char path[WHOLE_FILE_PATH_MAX]);
static bool sync_in(const char *directory);
static off_t entries_of(int file);
static bool is_blank(const uint8_t bytes[ENDED_ENTRY_SIZE]);
static uint64_t last_number(int file, off_t entries, const struct crypto_mac *mac);
static bool write_newer(int file, const struct ended_list *list, uint64_t last,
                        const struct crypto_mac *mac);
static bool compact(const char *directory, const struct crypto_mac *mac);

/* ---- as bytes ---- */

bool ended_log_pack(const struct ended_list *list, const struct crypto_mac *mac, uint8_t **bytes,
                    size_t *size)
{
    *size = 0;
    *bytes = malloc(list->count * ENDED_ENTRY_SIZE);
    for (size_t i = 0; *bytes != NULL && i < list->count; i++, *size += ENDED_ENTRY_SIZE) {
        if (!seal(&list->entries[i], mac, *bytes + *size)) {
            free(*bytes);
            *bytes = NULL;
        }
    }
    return *bytes != NULL;
}

bool ended_log_unpack(const uint8_t *bytes, size_t size, const struct crypto_mac *mac,
                      struct ended_list *list)
{
    for (size_t at = 0; at + ENDED_ENTRY_SIZE <= size; at += ENDED_ENTRY_SIZE) {
        struct ended entry;

        if (unseal(bytes + at, mac, &entry) && !ended_list_add(list, &entry)) {
            return false;
        }
    }
    return true;
}

/* ---- appending ---- */

bool ended_log_prepare(const char *directory, size_t count, struct fault *fault)
{
    int file = open_file(directory, O_RDWR | O_CREAT);
    off_t entries = file >= 0 ? entries_of(file) : -1;
    bool ready = entries >= 0 && (fallocate(file, FALLOC_FL_KEEP_SIZE, entries * ENDED_ENTRY_SIZE,
                                            (off_t)count * ENDED_ENTRY_SIZE) == 0 ||
                                  errno == EOPNOTSUPP || errno == ENOSYS);

    if (!ready) {
        fault_set(fault, "store %s: %s: %s", directory, file_name, strerror(errno));
    }
    if (file >= 0) {
        close(file);
    }
    return ready;
}

bool ended_log_append(const char *directory, const struct crypto_mac *mac,
                      const struct ended_list *list, struct fault *fault)
{
    int file = open_file(directory, O_RDWR | O_CREAT);
    off_t before = file >= 0 ? entries_of(file) : -1;
    off_t after = before + (off_t)list->count;
    bool written = before >= 0 &&
                   /* what a power cut has left of an entry goes first */
                   ftruncate(file, before * ENDED_ENTRY_SIZE) == 0 &&
                   lseek(file, 0, SEEK_END) >= 0 &&
                   write_newer(file, list, last_number(file, before, mac), mac) &&
                   fdatasync(file) == 0 && (before > 0 || sync_in(directory));

    if (!written) {
        fault_set(fault, "store %s: %s: %s", directory, file_name, strerror(errno));
    }
    if (file >= 0) {
        close(file);
    }
    if (written && before / ENDED_COMPACT_EVERY != after / ENDED_COMPACT_EVERY) {
        compact(directory, mac);
    }
    return written;
}

/* Makes the name of a new journal durable. */
static bool sync_in(const char *directory)
{
    char path[WHOLE_FILE_PATH_MAX];

    return path_of(directory, path) && whole_file_sync_name(path);
}

static bool write_newer(int file, const struct ended_list *list, uint64_t last,
                        const struct crypto_mac *mac)
{
    uint8_t bytes[CHUNK * ENDED_ENTRY_SIZE];

    for (size_t i = 0; i < list->count;) {
        size_t size = 0;

        for (; i < list->count && size < sizeof bytes; i++) {
            if (list->entries[i].number <= last) {
                continue;
            } else if (!seal(&list->entries[i], mac, bytes + size)) {
                errno = ENOMEM;
                return false;
            }
            size += ENDED_ENTRY_SIZE;
        }
        if (!whole_file_write_all(file, bytes, size)) {
            return false;
        }
    }
    return true;
}

static bool seal(const struct ended *entry, const struct crypto_mac *mac,
                 uint8_t out[ENDED_ENTRY_SIZE])
{
    static const char label[] = "retoken ended";
    uint8_t message[sizeof label + BODY_SIZE] = {0};
    uint8_t *body = message + sizeof label;
    uint8_t full[CRYPTO_HASH_SIZE];

    memcpy(message, label, sizeof label);
    codec_put_u64(body, entry->number);
    body[8] = (uint8_t)entry->what;
    body[9] = (uint8_t)entry->end;
    codec_put_u32(body + 12, entry->epoch);
    if (ended_has_id(entry->what)) {
        memcpy(body + 16, entry->id, SESSION_ID_SIZE);
    } else {
        codec_put_u64(body + 16, entry->account);
    }
    codec_put_u64(body + 32, (uint64_t)entry->at_ms);
    codec_put_u64(body + 40, (uint64_t)entry->until_ms);
    if (!crypto_mac_compute(mac, message, sizeof message, full)) {
        return false;
    }
    memcpy(out, body, BODY_SIZE);
    memcpy(out + BODY_SIZE, full, MAC_SIZE);
    return true;
}

/* ---- reading ---- */

uint64_t ended_log_last(const char *directory, const struct crypto_mac *mac)
{
    int file = open_file(directory, O_RDONLY);
    uint64_t number = 0;

    if (file >= 0) {
        number = last_number(file, entries_of(file), mac);
        close(file);
    }
    return number;
}

/* False: it is damaged, or not there. */
static bool read_entry(int file, off_t i, const struct crypto_mac *mac, struct ended *entry)
{
    uint8_t bytes[ENDED_ENTRY_SIZE];

    return pread(file, bytes, sizeof bytes, i * ENDED_ENTRY_SIZE) == (ssize_t)sizeof bytes &&
           unseal(bytes, mac, entry);
}

static uint64_t last_number(int file, off_t entries, const struct crypto_mac *mac)
{
    struct ended entry;

    for (off_t i = entries; i > 0; i--) {
        if (read_entry(file, i - 1, mac, &entry)) {
            return entry.number;
        }
    }
    return 0;
}

/* The first entry with a number above `after`; their numbers ascend. */
static off_t first_above(int file, const struct crypto_mac *mac, uint64_t after)
{
    off_t low = 0, high = entries_of(file);

    while (low < high) {
        off_t middle = low + (high - low) / 2, sound = middle;
        struct ended entry;

        while (sound < high && !read_entry(file, sound, mac, &entry)) {
            sound++;
        }
        if (sound == high || entry.number > after) {
            high = middle;
        } else {
            low = sound + 1;
        }
    }
    return low;
}

/* Calls for the entries with numbers above `after`, and for those that are damaged there (entry
 * NULL), in order. False: stopped, or it cannot be read. */
static bool for_each(const char *directory, const struct crypto_mac *mac, uint64_t after,
                     bool (*each)(void *self, const struct ended *entry), void *self)
{
    int file = open_file(directory, O_RDONLY);
    uint8_t bytes[CHUNK * ENDED_ENTRY_SIZE];
    ssize_t size = 0;
    bool going = true;
    off_t at, end;

    if (file < 0) {
        return errno == ENOENT;
    }
    at = after > 0 ? first_above(file, mac, after) * ENDED_ENTRY_SIZE : 0;
    end = entries_of(file) * ENDED_ENTRY_SIZE;
    while (going && at < end && (size = pread(file, bytes, sizeof bytes, at)) >= ENDED_ENTRY_SIZE) {
        for (ssize_t i = 0; going && at < end && i + ENDED_ENTRY_SIZE <= size;
             i += ENDED_ENTRY_SIZE) {
            struct ended entry;

            going = each(self, unseal(bytes + i, mac, &entry) ? &entry : NULL);
            at += ENDED_ENTRY_SIZE;
        }
    }
    close(file);
    return going && size >= 0;
}

static bool unseal(const uint8_t bytes[ENDED_ENTRY_SIZE], const struct crypto_mac *mac,
                   struct ended *entry)
{
    uint8_t again[ENDED_ENTRY_SIZE];

    memset(entry, 0, sizeof *entry);
    entry->number = codec_get_u64(bytes);
    entry->what = (enum ended_what)bytes[8];
    entry->end = (enum session_end)bytes[9];
    entry->epoch = codec_get_u32(bytes + 12);
    memcpy(entry->id, bytes + 16, SESSION_ID_SIZE);
    entry->account = codec_get_u64(bytes + 16);
    entry->at_ms = (int64_t)codec_get_u64(bytes + 32);
    entry->until_ms = (int64_t)codec_get_u64(bytes + 40);
    /* made again it is the same bytes, MAC and all */
    return entry->what >= ENDED_SESSION && entry->what <= ENDED_REALM && seal(entry, mac, again) &&
           secret_equal(again, bytes, sizeof again) && entry->end != SESSION_LIVE &&
           (int)entry->end < SESSION_ENDS;
}

struct reading {
    uint64_t after;
    size_t most;
    struct ended_list *list;
    bool failed;
};

static bool read_one(void *self, const struct ended *entry)
{
    struct reading *reading = self;

    if (entry != NULL && entry->number > reading->after) {
        reading->failed = !ended_list_add(reading->list, entry);
    }
    return !reading->failed && reading->list->count < reading->most;
}

bool ended_log_read(const char *directory, const struct crypto_mac *mac, uint64_t after,
                    size_t most, struct ended_list *list, struct fault *fault)
{
    struct reading reading = {after, most, list, false};

    if (!for_each(directory, mac, after, read_one, &reading) && list->count < most) {
        fault_set(fault, "store %s: %s: %s", directory, file_name,
                  reading.failed ? "out of memory" : strerror(errno));
        return false;
    }
    return true;
}

struct looking {
    struct ended_log_state *state;
    uint64_t known;
};

static bool look_at(void *self, const struct ended *entry)
{
    const struct looking *looking = self;
    struct ended_log_state *state = looking->state;

    if (entry == NULL) {
        state->damaged++;
    } else {
        state->entries++;
        state->last = entry->number;
        state->newer += entry->number > looking->known ? 1 : 0;
    }
    return true;
}

void ended_log_look(const char *directory, const struct crypto_mac *mac, uint64_t known,
                    struct ended_log_state *state)
{
    struct looking looking = {state, known};
    int file = open_file(directory, O_RDONLY);
    struct stat about;

    *state = (struct ended_log_state){.exists = file >= 0 || errno != ENOENT};
    if (file >= 0) {
        state->torn =
            fstat(file, &about) == 0 && about.st_size != entries_of(file) * ENDED_ENTRY_SIZE;
        close(file);
        for_each(directory, mac, 0, look_at, &looking);
    }
}

/* ---- compacting ---- */

static bool keep_all(void *self, const struct ended *entry)
{
    return entry == NULL || ended_list_add(self, entry);
}

/* The earliest time that one of the last entries tells: a clock that was wrong for a while must not
 * decide what is over. 0: none tells. */
static int64_t earliest_of_last(const struct ended_list *list)
{
    size_t from = list->count > ENDED_COMPACT_EVERY ? list->count - ENDED_COMPACT_EVERY : 0;
    int64_t earliest_ms = 0;

    for (size_t i = from; i < list->count; i++) {
        int64_t at_ms = list->entries[i].at_ms;

        if (at_ms != 0 && (earliest_ms == 0 || at_ms < earliest_ms)) {
            earliest_ms = at_ms;
        }
    }
    return earliest_ms;
}

static void keep_needed(struct ended_list *list)
{
    int64_t now_ms = earliest_of_last(list);
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].until_ms == 0 || list->entries[i].until_ms > now_ms) {
            list->entries[kept++] = list->entries[i];
        }
    }
    list->count = kept;
}

/* Not having been able to costs room and nothing else. */
static bool compact(const char *directory, const struct crypto_mac *mac)
{
    struct ended_list list = {0}, kept;
    char path[WHOLE_FILE_PATH_MAX];
    struct whole_file whole;
    bool done = path_of(directory, path) && for_each(directory, mac, 0, keep_all, &list) &&
                whole_file_open(&whole, path, 0600, NULL);

    if (done) {
        keep_needed(&list);
        kept = list;
        if (kept.count > ENDED_MOST) {
            kept.entries += kept.count - ENDED_MOST;
            kept.count = ENDED_MOST;
        }
        done = write_newer(whole.file, &kept, 0, mac);
        if (done) {
            done = whole_file_finish(&whole, true, NULL) == WHOLE_FILE_DONE;
        } else {
            whole_file_drop(&whole);
        }
    }
    ended_list_free(&list);
    return done;
}

/* ---- the file ---- */

static bool path_of(const char *directory, char path[WHOLE_FILE_PATH_MAX])
{
    int length = snprintf(path, WHOLE_FILE_PATH_MAX, "%s/%s", directory, file_name);

    if (length < 0 || length >= WHOLE_FILE_PATH_MAX) {
        errno = ENAMETOOLONG;
        return false;
    }
    return true;
}

static int open_file(const char *directory, int flags)
{
    char path[WHOLE_FILE_PATH_MAX];

    return path_of(directory, path) ? open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
}

/* How many whole entries; -1 with errno set. A power cut may have left room without bytes at the
 * end, or a part of an entry. */
static off_t entries_of(int file)
{
    uint8_t bytes[ENDED_ENTRY_SIZE];
    struct stat about;
    off_t entries;

    if (fstat(file, &about) != 0) {
        return -1;
    }
    for (entries = about.st_size / ENDED_ENTRY_SIZE; entries > 0; entries--) {
        if (pread(file, bytes, sizeof bytes, (entries - 1) * ENDED_ENTRY_SIZE) !=
                (ssize_t)sizeof bytes ||
            !is_blank(bytes)) {
            break;
        }
    }
    return entries;
}

static bool is_blank(const uint8_t bytes[ENDED_ENTRY_SIZE])
{
    static const uint8_t blank[ENDED_ENTRY_SIZE];

    return memcmp(bytes, blank, sizeof blank) == 0;
}
