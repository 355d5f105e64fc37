/* SPDX-License-Identifier: ISC */
/* library.c: see library.h. */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/auxv.h>

/* The kernel tells every program where its loader is, and a static one has none. */
bool library_can_load(void)
{
    return getauxval(AT_BASE) != 0;
}

bool library_load(const struct library_file *library, void *table, struct fault *fault)
{
    if (!library_can_load()) {
        fault_set(fault, "this program is static and cannot load %s; use another one",
                  library->file);
        return false;
    }
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        fault_set(fault, "%s is missing (on Debian: apt-get install %s): %s", library->file,
                  library->package, dlerror());
        return false;
    }
    for (size_t i = 0; i < library->count; i++) {
        void *found = dlsym(handle, library->symbols[i].name);

        if (found == NULL) {
            fault_set(fault, "%s is too old: it has no %s", library->file,
                      library->symbols[i].name);
            return false;
        }
        memcpy((char *)table + library->symbols[i].offset, &found, sizeof found);
    }
    return true;
}
