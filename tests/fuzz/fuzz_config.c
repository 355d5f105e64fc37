/* SPDX-License-Identifier: ISC */
/* fuzz_config.c: any bytes as a configuration file. Properties: the file loads, or the fault names
 * it and a line of it; what was loaded is within its bounds, and every mount is found by its path.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "process/config.h"

static char path[32];

/* The file, emptied and filled for every input. */
static void write_file(const uint8_t *data, size_t size)
{
    static int file = -1;

    if (file < 0) {
        file = memfd_create("retoken.conf", MFD_CLOEXEC);
        FUZZ_ASSERT(file >= 0 && fchmod(file, 0600) == 0); /* or it would not be trusted */
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    FUZZ_ASSERT(pwrite(file, data, size, 0) == (ssize_t)size);
    FUZZ_ASSERT(ftruncate(file, (off_t)size) == 0);
}

static bool ends(const char *field, size_t room)
{
    return strnlen(field, room) < room;
}

static void check_loaded(const struct config *config)
{
    FUZZ_ASSERT(config->mount_count >= 1 && config->mount_count <= CONFIG_MOUNTS_MAX);
    FUZZ_ASSERT(config->threads >= 1 && config->threads <= CONFIG_THREADS_MAX);
    FUZZ_ASSERT(config->body_limit >= 1024 && config->body_limit <= 1024 * 1024);
    FUZZ_ASSERT(ends(config->data, sizeof config->data) && config->data[0] != '\0');
    FUZZ_ASSERT(ends(config->store, sizeof config->store) && config->store[0] != '\0');
    FUZZ_ASSERT(ends(config->secret_file, sizeof config->secret_file));
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];

        FUZZ_ASSERT(mount->path[0] == '/' && ends(mount->path, sizeof mount->path));
        FUZZ_ASSERT(config_mount(config, mount->path) == mount);
        FUZZ_ASSERT(ends(mount->realm->name, sizeof mount->realm->name));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    struct fault fault;

    write_file(data, size);
    if (config_load(path, &config, &fault)) {
        FUZZ_ASSERT(fault.text[0] == '\0');
        check_loaded(&config);
    } else {
        fuzz_check_fault(text_of(fault.text), path, fuzz_text(data, size));
    }
    return 0;
}
