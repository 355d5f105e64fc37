/* engine.c: the table of engines. Knows their names; does not know how any of them works. */
#include "store/engine.h"

#include <string.h>

static const struct engine_kind *const kinds[] = {&engine_lmdb, &engine_memory};

const char *engine_table_name(enum engine_table table)
{
    static const char *const names[ENGINE_TABLES] = {
#define TABLE(name, word) [TABLE_##name] = (word),
        ENGINE_TABLE_ROWS
#undef TABLE
    };
    return names[table];
}

struct engine *engine_open(const char *url, struct engine_settings settings, struct fault *fault)
{
    const char *colon = strchr(url, ':');
    size_t size = colon == NULL ? 0 : (size_t)(colon - url);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && colon != NULL; i++) {
        if (strlen(kinds[i]->scheme) == size && strncmp(url, kinds[i]->scheme, size) == 0) {
            settings.place = colon + 1;
            return kinds[i]->open(&settings, fault);
        }
    }
    fault_set(fault, "store \"%s\": unknown kind; right would be lmdb:DIRECTORY or memory:", url);
    return NULL;
}
