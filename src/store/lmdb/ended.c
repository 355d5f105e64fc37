/* SPDX-License-Identifier: ISC */
/* ended.c: see ended.h. An entry, integers big-endian:
 *
 *     0000000000000007           number
 *     01                         what: 01 session, 02 account
 *     02                         why, enum session_end
 *     0000                       (zero)
 *     00000000                   epoch of an account
 *     (16 bytes)                 session id; or account number (8) and zero (8)
 *     0000019a9f2c3b00           when
 *     0000019aa4523b00           needed until, 0 = for ever
 *     (16 bytes)                 MAC over "retoken ended" and the 48 bytes before
 *
 * Knows bytes and files. */
#include "store/lmdb/ended.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/secret.h"

enum { MAC_SIZE = 16, BODY_SIZE = ENDED_ENTRY_SIZE - MAC_SIZE, PATH_SIZE = 4096, CHUNK = 256 };

static const char file_name[] = "ended.log", new_name[] = "ended.log.new";

static bool seal(const struct ended *entry, const struct crypto_mac *mac,
                 uint8_t out[ENDED_ENTRY_SIZE]);
static bool unseal(const uint8_t bytes[ENDED_ENTRY_SIZE], const struct crypto_mac *mac,
                   struct ended *entry);
static int open_file(const char *directory, const char *name, int flags);
static off_t entries_of(int file);
static bool write_all(int file, const struct ended_list *list, const struct crypto_mac *mac);
static bool sync_folder(const char *directory);
static bool compact(const char *directory, const struct crypto_mac *mac, int64_t now_ms);

/* ---- lists ---- */

bool ended_list_add(struct ended_list *list, const struct ended *entry)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : list->room * 2;
        struct ended *entries = realloc(list->entries, room * sizeof *entries);

        if (entries == NULL) {
            return false;
        }
        list->entries = entries;
        list->room = room;
    }
    list->entries[list->count++] = *entry;
    return true;
}

void ended_list_free(struct ended_list *list)
{
    free(list->entries);
    *list = (struct ended_list){0};
}

/* ---- appending ---- */

bool ended_append(const char *directory, const struct crypto_mac *mac,
                  const struct ended_list *list, uint64_t first, struct fault *fault)
{
    int file = open_file(directory, file_name, O_WRONLY | O_CREAT);
    off_t before = file >= 0 ? entries_of(file) : -1;
    struct ended_list numbered = *list;
    bool written;

    for (size_t i = 0; i < list->count; i++) {
        numbered.entries[i].number = first + i;
    }
    /* what a crash has left of an entry goes first */
    written = before >= 0 && ftruncate(file, before * ENDED_ENTRY_SIZE) == 0 &&
              lseek(file, 0, SEEK_END) >= 0 && write_all(file, &numbered, mac) &&
              fdatasync(file) == 0 && (before > 0 || sync_folder(directory));
    if (!written) {
        fault_set(fault, "store %s: %s: %s", directory, file_name, strerror(errno));
    }
    if (file >= 0) {
        close(file);
    }
    if (written &&
        before / ENDED_COMPACT_EVERY != (before + (off_t)list->count) / ENDED_COMPACT_EVERY) {
        compact(directory, mac, list->entries[list->count - 1].at_ms);
    }
    return written;
}

/* So that the name of a new file survives a crash as well (fsync(2)). */
static bool sync_folder(const char *directory)
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = folder >= 0 && fsync(folder) == 0;

    if (folder >= 0) {
        close(folder);
    }
    return done;
}

static bool write_all(int file, const struct ended_list *list, const struct crypto_mac *mac)
{
    uint8_t bytes[CHUNK * ENDED_ENTRY_SIZE];

    for (size_t i = 0; i < list->count;) {
        size_t size = 0;

        for (; i < list->count && size < sizeof bytes; i++, size += ENDED_ENTRY_SIZE) {
            if (!seal(&list->entries[i], mac, bytes + size)) {
                errno = ENOMEM;
                return false;
            }
        }
        for (size_t done = 0; done < size;) {
            ssize_t written = write(file, bytes + done, size - done);

            if (written < 0 && errno != EINTR) {
                return false;
            }
            done += written > 0 ? (size_t)written : 0;
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
    if (entry->what == ENDED_SESSION) {
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

uint64_t ended_last(const char *directory, const struct crypto_mac *mac)
{
    int file = open_file(directory, file_name, O_RDONLY);
    uint64_t number = 0;

    if (file < 0) {
        return 0;
    }
    for (off_t i = entries_of(file); i > 0 && number == 0; i--) {
        uint8_t bytes[ENDED_ENTRY_SIZE];
        struct ended entry;

        if (pread(file, bytes, sizeof bytes, (i - 1) * ENDED_ENTRY_SIZE) == (ssize_t)sizeof bytes &&
            unseal(bytes, mac, &entry)) {
            number = entry.number;
        }
    }
    close(file);
    return number;
}

/* Calls for every entry, in order; entry NULL = damaged. False: stopped, or it cannot be read. */
static bool for_each(const char *directory, const struct crypto_mac *mac,
                     bool (*each)(void *self, const struct ended *entry), void *self)
{
    int file = open_file(directory, file_name, O_RDONLY);
    uint8_t bytes[CHUNK * ENDED_ENTRY_SIZE];
    ssize_t size = 0;
    off_t at = 0;
    bool going = true;

    if (file < 0) {
        return errno == ENOENT;
    }
    while (going && (size = pread(file, bytes, sizeof bytes, at)) >= ENDED_ENTRY_SIZE) {
        for (ssize_t i = 0; going && i + ENDED_ENTRY_SIZE <= size; i += ENDED_ENTRY_SIZE) {
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
    entry->what = bytes[8] == ENDED_SESSION ? ENDED_SESSION : ENDED_ACCOUNT;
    entry->end = (enum session_end)bytes[9];
    entry->epoch = codec_get_u32(bytes + 12);
    memcpy(entry->id, bytes + 16, SESSION_ID_SIZE);
    entry->account = codec_get_u64(bytes + 16);
    entry->at_ms = (int64_t)codec_get_u64(bytes + 32);
    entry->until_ms = (int64_t)codec_get_u64(bytes + 40);
    /* made again it is the same bytes, MAC and all */
    return seal(entry, mac, again) && secret_equal(again, bytes, sizeof again) &&
           entry->end != SESSION_LIVE && entry->end <= SESSION_ENDED_CLIENT;
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

bool ended_read(const char *directory, const struct crypto_mac *mac, uint64_t after, size_t most,
                struct ended_list *list, struct fault *fault)
{
    struct reading reading = {after, most, list, false};

    if (!for_each(directory, mac, read_one, &reading) && list->count < most) {
        fault_set(fault, "store %s: %s: %s", directory, file_name,
                  reading.failed ? "out of memory" : strerror(errno));
        return false;
    }
    return true;
}

static bool count_damaged(void *self, const struct ended *entry)
{
    size_t *count = self;

    *count += entry == NULL ? 1 : 0;
    return true;
}

size_t ended_damaged(const char *directory, const struct crypto_mac *mac)
{
    size_t count = 0;

    for_each(directory, mac, count_damaged, &count);
    return count;
}

/* ---- compacting ---- */

struct keeping {
    struct ended_list list;
    int64_t now_ms;
};

static bool keep_needed(void *self, const struct ended *entry)
{
    struct keeping *keeping = self;
    bool needed = entry != NULL && (entry->until_ms == 0 || entry->until_ms > keeping->now_ms);

    return !needed || ended_list_add(&keeping->list, entry);
}

/* Writes what is still needed to a file of its own that then takes the place of the journal. Not
 * having been able to costs room and nothing else. */
static bool compact(const char *directory, const struct crypto_mac *mac, int64_t now_ms)
{
    struct keeping keeping = {.now_ms = now_ms};
    bool done = for_each(directory, mac, keep_needed, &keeping);
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = done ? open_file(directory, new_name, O_WRONLY | O_CREAT | O_TRUNC) : -1;
    struct ended_list kept = keeping.list;

    if (kept.count > ENDED_MOST) {
        kept.entries += kept.count - ENDED_MOST;
        kept.count = ENDED_MOST;
    }
    done = folder >= 0 && file >= 0 && write_all(file, &kept, mac) && fsync(file) == 0 &&
           renameat(folder, new_name, folder, file_name) == 0 && fsync(folder) == 0;
    if (file >= 0) {
        close(file);
    }
    if (folder >= 0) {
        close(folder);
    }
    ended_list_free(&keeping.list);
    return done;
}

/* ---- files ---- */

static int open_file(const char *directory, const char *name, int flags)
{
    char path[PATH_SIZE];
    int length = snprintf(path, sizeof path, "%s/%s", directory, name);

    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* How many whole entries; -1 with errno set. */
static off_t entries_of(int file)
{
    struct stat about;

    return fstat(file, &about) == 0 ? about.st_size / ENDED_ENTRY_SIZE : -1;
}
