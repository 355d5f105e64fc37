/* SPDX-License-Identifier: ISC */
/* key_need.c: what the mounts need against what the store has. */
#include "admin/key_need.h"

#include <string.h>

static bool listed(const struct key_need *needs, size_t count, const struct key_need *need);
static bool better(const struct signing_row *row, const struct signing_row *best);

size_t key_need_list(const struct config *config, struct key_need needs[CONFIG_MOUNTS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];
        const struct key_need need = {.algorithm = mount->realm->policy.algorithm,
                                      .realm = mount->realm->name,
                                      .path = mount->path,
                                      .bound = mount->realm->policy.algorithm == SIGNING_HS256};

        if (realm_issues(mount->realm) && !listed(needs, count, &need)) {
            needs[count++] = need;
        }
    }
    return count;
}

static bool listed(const struct key_need *needs, size_t count, const struct key_need *need)
{
    for (size_t i = 0; i < count; i++) {
        if (needs[i].algorithm == need->algorithm && strcmp(needs[i].realm, need->realm) == 0) {
            return true;
        }
    }
    return false;
}

const struct signing_row *key_need_signer(const struct signing_row *rows, size_t count,
                                          enum signing_algorithm algorithm, const char *realm,
                                          const char *without)
{
    const struct signing_row *best = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct signing_row *row = &rows[i];
        bool fits = row->state == SIGNING_ACTIVE && row->algorithm == algorithm &&
                    (row->realm[0] == '\0' || strcmp(row->realm, realm) == 0) &&
                    (without == NULL || strcmp(row->kid, without) != 0);

        if (fits && (best == NULL || better(row, best))) {
            best = row;
        }
    }
    return best;
}

/* Does `row` come before `best`? A key of the realm's own does, then the newer one. */
static bool better(const struct signing_row *row, const struct signing_row *best)
{
    bool row_bound = row->realm[0] != '\0';
    bool best_bound = best->realm[0] != '\0';

    return row_bound != best_bound ? row_bound : row->number > best->number;
}

int64_t key_need_kept_ms(const struct config *config, const struct signing_row *row,
                         const struct client *client)
{
    int64_t longest_ms = 0;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct realm *realm = config->mounts[i].realm;
        struct policy policy;

        if (!realm_issues(realm) || realm->policy.algorithm != row->algorithm ||
            (row->realm[0] != '\0' && strcmp(row->realm, realm->name) != 0)) {
            continue;
        }
        policy_effective(&realm->policy, client, &policy);
        int64_t kept_ms = policy.access_lifetime_ms + policy.bearer_max_age_ms;
        longest_ms = kept_ms > longest_ms ? kept_ms : longest_ms;
    }
    return longest_ms;
}
