/* SPDX-License-Identifier: ISC */
/* shared_queue_file.c: see shared_queue_file.h. */
#include "store/lmdb/shared_queue_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/whole_file.h"

static struct shared_file *map_file(const char *path, const struct crypto_mac *mac);
static bool make_file(const char *path, const struct crypto_mac *mac);
static bool identify(const struct crypto_mac *mac, struct shared_identity *identity);

struct shared_file *shared_file_map(const char *directory, const struct crypto_mac *mac)
{
    char path[WHOLE_FILE_PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/commit.queue", directory);
    struct shared_file *file;

    if (length < 0 || length >= (int)sizeof path) {
        return NULL;
    }
    file = map_file(path, mac);
    return file == NULL && make_file(path, mac) ? map_file(path, mac) : file;
}

void shared_file_unmap(struct shared_file *file)
{
    munmap(file, sizeof *file);
}

/* NULL: it is not there, or not ours. */
static struct shared_file *map_file(const char *path, const struct crypto_mac *mac)
{
    int descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct shared_file *file = MAP_FAILED;
    struct shared_identity right;
    struct stat status;

    if (descriptor < 0) {
        return NULL;
    }
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size == (off_t)sizeof *file) {
        file = mmap(NULL, sizeof *file, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    }
    close(descriptor);
    if (file == MAP_FAILED) {
        return NULL;
    } else if (!identify(mac, &right) || !secret_equal(&file->identity, &right, sizeof right)) {
        shared_file_unmap(file);
        return NULL;
    }
    return file;
}

/* With room on disk for all of it: a page that has none when it is written to ends the process. A
 * process that has mapped a file that is replaced keeps it, and is alone there. */
static bool make_file(const char *path, const struct crypto_mac *mac)
{
    struct whole_file whole;
    struct shared_identity identity;
    struct fault ignored;

    if (!identify(mac, &identity) || !whole_file_open(&whole, path, 0600, &ignored)) {
        return false;
    }
    if (posix_fallocate(whole.file, 0, (off_t)sizeof(struct shared_file)) != 0 ||
        !whole_file_put(&whole, &identity, sizeof identity)) {
        whole_file_drop(&whole);
        return false;
    }
    return whole_file_finish(&whole, true, &ignored) == WHOLE_FILE_DONE;
}

static bool identify(const struct crypto_mac *mac, struct shared_identity *identity)
{
    memset(identity, 0, sizeof *identity);
    snprintf(identity->says, sizeof identity->says, "retoken commit.queue 1 %d %zu %zu %zu",
             SHARED_SEATS, sizeof(struct shared_file), sizeof(struct shared_seat),
             sizeof(struct shared_head));
    return crypto_mac_compute(mac, identity->says, sizeof identity->says, identity->mac);
}
