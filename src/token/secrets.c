/* SPDX-License-Identifier: ISC */
/* secrets.c: one key per purpose, derived from a master secret by HKDF, and which master secret is
 * in force. Knows the labels. Does not know what the keys protect, the configuration or the store.
 *
 * Readers take no lock: entries of the ring are added behind the others, and never leave. */
#include "token/secrets.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/secret.h"
#include "token/signing_key.h"

/* A label never changes its meaning: another layout of what it protects takes a new label. */
#define LABEL_NATIVE        "retoken 1 native refresh token"
#define LABEL_UUID          "retoken 1 uuid refresh token"
#define LABEL_CODE          "retoken 1 code of a pending session"
#define LABEL_DEVICE_CODE   "retoken 1 device code"
#define LABEL_JTI           "retoken 1 access token id"
#define LABEL_CLIENT_SECRET "retoken 1 client secret"
#define LABEL_MARK          "retoken 1 mark"
#define LABEL_REFRESH_JWT   "retoken 1 jwt refresh token"
#define LABEL_RECORD        "retoken 1 store record"
#define LABEL_SEALING       "retoken 1 sealed signing key"

struct entry {
    struct secrets_keys keys;
    uint8_t name[CRYPTO_KEY_SIZE]; /* struct secrets_line */
    _Atomic int64_t from_ms;       /* INT64_MAX: never again */
    atomic_bool retired;
};

struct secrets_ring {
    struct entry entries[SECRETS_MOST];
    atomic_size_t count;
    pthread_mutex_t following; /* over what is below, and adding */
    char *path;                /* NULL: it came from no file */
    bool passed;
    struct stat seen;
};

static bool open_lines(const struct secrets_file *file, struct secrets *secrets,
                       struct fault *fault);
static bool derive_store(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets *secrets);
static bool take_lines(struct secrets_ring *ring, const struct secrets_file *file,
                       struct fault *fault);
static struct entry *find_line(struct secrets_ring *ring, const struct secrets_line *line);
static bool add_line(struct secrets_ring *ring, const struct secrets_line *line);
static bool derive_tokens(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets_keys *keys);
static struct crypto_mac *derived_mac(const uint8_t master[SECRETS_MASTER_SIZE], const char *label);
static struct signing_key *derived_key(const uint8_t master[SECRETS_MASTER_SIZE],
                                       const char *label);
static void close_keys(struct secrets_keys *keys);

/* ---- opening ---- */

bool secrets_open(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets *secrets,
                  struct fault *fault)
{
    struct secrets_file file = {.count = 1};
    bool opened;

    memcpy(file.lines[0].master, master, SECRETS_MASTER_SIZE);
    opened = secrets_line_name(&file.lines[0]) && open_lines(&file, secrets, fault);
    secret_wipe(&file, sizeof file);
    return opened;
}

bool secrets_open_file(const char *path, bool passed, struct secrets *secrets, struct fault *fault)
{
    struct secrets_file file;
    struct stat seen = {0};
    bool opened;

    *secrets = (struct secrets){0};
    (void)stat(path, &seen); /* before it is read: a change after that is seen next time */
    opened = secrets_file_read(path, passed, &file, fault) && open_lines(&file, secrets, fault);
    secret_wipe(&file, sizeof file);
    if (!opened) {
        return false;
    }
    secrets->ring->seen = seen;
    secrets->ring->passed = passed;
    secrets->ring->path = strdup(path);
    if (secrets->ring->path == NULL) {
        secrets_close(secrets);
        fault_set(fault, "out of memory for the master secret");
        return false;
    }
    return true;
}

static bool open_lines(const struct secrets_file *file, struct secrets *secrets,
                       struct fault *fault)
{
    *secrets = (struct secrets){0};
    secret_keep(secrets, sizeof *secrets);
    secrets->ring = calloc(1, sizeof *secrets->ring);
    if (secrets->ring != NULL) {
        pthread_mutex_init(&secrets->ring->following, NULL);
        if (derive_store(file->lines[0].master, secrets) &&
            take_lines(secrets->ring, file, fault)) {
            return true;
        }
    }
    secrets_close(secrets);
    fault_set(fault, "libcrypto cannot derive keys from the master secret");
    return false;
}

void secrets_close(struct secrets *secrets)
{
    struct secrets_ring *ring = secrets->ring;

    if (ring != NULL) {
        for (size_t i = 0; i < atomic_load(&ring->count); i++) {
            close_keys(&ring->entries[i].keys);
        }
        pthread_mutex_destroy(&ring->following);
        free(ring->path);
        secret_wipe(ring, sizeof *ring);
        free(ring);
    }
    crypto_mac_close(secrets->jti);
    crypto_mac_close(secrets->client_secret);
    crypto_mac_close(secrets->mark);
    secret_wipe(secrets, sizeof *secrets);
}

static void close_keys(struct secrets_keys *keys)
{
    crypto_mac_close(keys->native);
    crypto_mac_close(keys->uuid);
    crypto_mac_close(keys->code);
    crypto_mac_close(keys->device_code);
    signing_key_close(keys->refresh_jwt);
}

/* What is in the store is under these. */
static bool derive_store(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets *secrets)
{
    return (secrets->jti = derived_mac(master, LABEL_JTI)) != NULL &&
           (secrets->client_secret = derived_mac(master, LABEL_CLIENT_SECRET)) != NULL &&
           (secrets->mark = derived_mac(master, LABEL_MARK)) != NULL &&
           crypto_derive(master, LABEL_RECORD, secrets->record) &&
           crypto_derive(master, LABEL_SEALING, secrets->sealing);
}

static struct crypto_mac *derived_mac(const uint8_t master[SECRETS_MASTER_SIZE], const char *label)
{
    uint8_t key[CRYPTO_KEY_SIZE];
    struct crypto_mac *mac = NULL;

    if (crypto_derive(master, label, key)) {
        mac = crypto_mac_open(key, sizeof key);
    }
    secret_wipe(key, sizeof key);
    return mac;
}

static struct signing_key *derived_key(const uint8_t master[SECRETS_MASTER_SIZE], const char *label)
{
    uint8_t bytes[CRYPTO_KEY_SIZE];
    struct signing_key *key = NULL;
    struct fault ignored;

    if (crypto_derive(master, label, bytes)) {
        key = signing_key_from_secret(
            SIGNING_HS256, (struct text){(const char *)bytes, sizeof bytes}, NULL, &ignored);
    }
    secret_wipe(bytes, sizeof bytes);
    return key;
}

/* ---- the file as it is now ---- */

static bool is_same_file(const struct stat *one, const struct stat *other);

enum secrets_news secrets_follow(const struct secrets *secrets, struct fault *fault)
{
    struct secrets_ring *ring = secrets->ring;
    enum secrets_news news = SECRETS_SAME;
    struct secrets_file file;
    struct stat now = {0};

    if (ring == NULL || ring->path == NULL) {
        return SECRETS_SAME;
    }
    pthread_mutex_lock(&ring->following);
    if (stat(ring->path, &now) != 0) {
        now = (struct stat){0};
    }
    if (!is_same_file(&now, &ring->seen)) {
        ring->seen = now;
        news = secrets_file_read(ring->path, ring->passed, &file, fault) &&
                       take_lines(ring, &file, fault)
                   ? SECRETS_CHANGED
                   : SECRETS_UNREADABLE;
        secret_wipe(&file, sizeof file);
    }
    pthread_mutex_unlock(&ring->following);
    return news;
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
           one->st_size == other->st_size && one->st_mode == other->st_mode &&
           one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec &&
           one->st_ctim.tv_sec == other->st_ctim.tv_sec &&
           one->st_ctim.tv_nsec == other->st_ctim.tv_nsec;
}

/* New lines first: what was in force goes on until they are. */
static bool take_lines(struct secrets_ring *ring, const struct secrets_file *file,
                       struct fault *fault)
{
    size_t before = atomic_load(&ring->count);

    if (before > 0 && find_line(ring, &file->lines[0]) != &ring->entries[0]) {
        fault_set(fault, "%s: line 1 is another secret than the store was opened with; put it back",
                  ring->path);
        return false;
    }
    for (size_t i = 0; i < file->count; i++) {
        struct entry *entry = find_line(ring, &file->lines[i]);

        if (entry != NULL) {
            atomic_store(&entry->from_ms, file->lines[i].from_ms);
            atomic_store(&entry->retired, file->lines[i].retired);
        } else if (!add_line(ring, &file->lines[i])) {
            fault_set(
                fault,
                "line %zu of the master secrets cannot be taken up: out of memory, libcrypto "
                "failed, there were more than %d, or it has the id of one that was removed; a "
                "restart may do",
                i + 1, (int)SECRETS_MOST);
            return false;
        }
    }
    for (size_t i = 0; i < before; i++) {
        bool there = false;

        for (size_t j = 0; j < file->count; j++) {
            there = there || find_line(ring, &file->lines[j]) == &ring->entries[i];
        }
        if (!there) {
            atomic_store(&ring->entries[i].from_ms, INT64_MAX);
        }
    }
    return true;
}

static struct entry *find_line(struct secrets_ring *ring, const struct secrets_line *line)
{
    for (size_t i = 0; i < atomic_load(&ring->count); i++) {
        if (secret_equal(ring->entries[i].name, line->name, sizeof line->name)) {
            return &ring->entries[i];
        }
    }
    return NULL;
}

/* Of a line that was there and is not in the file any more: tokens could not tell the two apart. */
static bool has_key_id(const struct secrets_ring *ring, uint8_t key_id)
{
    bool has = false;

    for (size_t i = 0; i < atomic_load(&ring->count); i++) {
        has = has || ring->entries[i].keys.key_id == key_id;
    }
    return has;
}

static bool add_line(struct secrets_ring *ring, const struct secrets_line *line)
{
    size_t count = atomic_load(&ring->count);
    struct entry *entry = &ring->entries[count];

    if (count == SECRETS_MOST || has_key_id(ring, line->name[0]) ||
        !derive_tokens(line->master, &entry->keys)) {
        return false;
    }
    memcpy(entry->name, line->name, sizeof entry->name);
    entry->keys.key_id = line->name[0];
    entry->keys.number = count == 0 ? 0 : line->name[0];
    atomic_store(&entry->from_ms, line->from_ms);
    atomic_store(&entry->retired, line->retired);
    atomic_store(&ring->count, count + 1);
    return true;
}

static bool derive_tokens(const uint8_t master[SECRETS_MASTER_SIZE], struct secrets_keys *keys)
{
    if ((keys->native = derived_mac(master, LABEL_NATIVE)) != NULL &&
        (keys->uuid = derived_mac(master, LABEL_UUID)) != NULL &&
        (keys->code = derived_mac(master, LABEL_CODE)) != NULL &&
        (keys->device_code = derived_mac(master, LABEL_DEVICE_CODE)) != NULL &&
        (keys->refresh_jwt = derived_key(master, LABEL_REFRESH_JWT)) != NULL) {
        return true;
    }
    close_keys(keys);
    *keys = (struct secrets_keys){0};
    return false;
}

/* ---- which one ---- */

static const struct entry *find_entry(const struct secrets *secrets, uint8_t number);

uint8_t secrets_current(const struct secrets *secrets, int64_t now_ms)
{
    const struct secrets_ring *ring = secrets->ring;
    const struct entry *first = NULL;

    for (size_t i = atomic_load(&ring->count); i-- > 0;) {
        const struct entry *entry = &ring->entries[i];

        if (!atomic_load(&entry->retired)) {
            if (atomic_load(&entry->from_ms) <= now_ms) {
                return entry->keys.number;
            }
            /* a clock that is behind: the first that will be */
            first = atomic_load(&entry->from_ms) != INT64_MAX ? entry : first;
        }
    }
    return first != NULL ? first->keys.number : 0;
}

const struct secrets_keys *secrets_find(const struct secrets *secrets, uint8_t number)
{
    const struct entry *entry = find_entry(secrets, number);

    return entry != NULL ? &entry->keys : NULL;
}

static const struct entry *find_entry(const struct secrets *secrets, uint8_t number)
{
    for (size_t i = 0; i < atomic_load(&secrets->ring->count); i++) {
        if (secrets->ring->entries[i].keys.number == number) {
            return &secrets->ring->entries[i];
        }
    }
    return NULL;
}

const struct secrets_keys *secrets_at(const struct secrets *secrets, size_t i)
{
    return i < atomic_load(&secrets->ring->count) ? &secrets->ring->entries[i].keys : NULL;
}

bool secrets_has_retired(const struct secrets *secrets)
{
    bool has = false;

    for (size_t i = 0; i < atomic_load(&secrets->ring->count); i++) {
        has = has || atomic_load(&secrets->ring->entries[i].retired);
    }
    return has;
}

bool secrets_is_retired(const struct secrets *secrets, uint8_t number)
{
    const struct entry *entry = find_entry(secrets, number);

    return entry != NULL && atomic_load(&entry->retired);
}

/* ---- marks and networks ---- */

static bool mark_hash(const struct secrets *secrets, const char *word,
                      const uint8_t one[CRYPTO_HASH_SIZE], struct text other,
                      uint8_t out[CRYPTO_HASH_SIZE]);

bool secrets_mark_hash(const struct secrets *secrets, const char *word, struct text one,
                       struct text other, uint8_t out[CRYPTO_HASH_SIZE])
{
    uint8_t hash[CRYPTO_HASH_SIZE];

    return crypto_sha256(one.data, one.size, hash) && mark_hash(secrets, word, hash, other, out);
}

bool secrets_mark_rehash(const struct secrets *secrets, const char *word,
                         const uint8_t one[CRYPTO_HASH_SIZE], uint8_t out[CRYPTO_HASH_SIZE])
{
    return mark_hash(secrets, word, one, (struct text){0}, out);
}

static bool mark_hash(const struct secrets *secrets, const char *word,
                      const uint8_t one[CRYPTO_HASH_SIZE], struct text other,
                      uint8_t out[CRYPTO_HASH_SIZE])
{
    uint8_t hashes[3 * CRYPTO_HASH_SIZE];

    memcpy(hashes + CRYPTO_HASH_SIZE, one, CRYPTO_HASH_SIZE);
    return crypto_sha256(word, strlen(word), hashes) &&
           crypto_sha256(other.data, other.size, hashes + 2 * CRYPTO_HASH_SIZE) &&
           crypto_mac_compute(secrets->mark, hashes, sizeof hashes, out);
}

/* No mark is a hash of so few bytes. */
bool secrets_network_hash(const struct secrets *secrets, const uint8_t session[SESSION_ID_SIZE],
                          const uint8_t prefix[HTTP_NETWORK_SIZE],
                          uint8_t out[SESSION_NETWORK_SIZE])
{
    uint8_t bytes[SESSION_ID_SIZE + HTTP_NETWORK_SIZE];
    uint8_t hash[CRYPTO_HASH_SIZE];

    memcpy(bytes, session, SESSION_ID_SIZE);
    memcpy(bytes + SESSION_ID_SIZE, prefix, HTTP_NETWORK_SIZE);
    if (!crypto_mac_compute(secrets->mark, bytes, sizeof bytes, hash)) {
        return false;
    }
    memcpy(out, hash, SESSION_NETWORK_SIZE);
    return true;
}
