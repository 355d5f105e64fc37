/* SPDX-License-Identifier: ISC */
/* mounts.c: what is mounted, what is not, and what of it is allowed but seldom intended. Knows
 * dialects and realms; does not know the store. */
#include "admin/doctor/doctor.h"

#include <string.h>

#include "dialect/dialect.h"
#include "operation/operation.h"
#include "process/dialects.h"

static void check_unmounted(struct examination *e);
static bool is_mounted(const struct config *config, const struct endpoint *endpoint);
static bool needs_a_setting(const struct endpoint *endpoint);
static const char *remark_on(const struct config *config, const struct mount *mount);
static bool is_described_as_another(const struct config *config, const struct realm *realm);
static bool is_renewed(const struct config *config, const struct realm *realm);

void doctor_mounts_examine(struct examination *e)
{
    const struct config *config = &e->call->service.config;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];
        const char *remark = remark_on(config, mount);
        const char *kind =
            realm_issues(mount->realm) ? mount->realm->dialect->name : mount->endpoint->name;

        if (doctor_is_first_of_realm(config, i) && realm_issues(mount->realm) &&
            mount->realm->issuer[0] == '\0' && layout_needs_issuer(mount->realm->policy.layout)) {
            doctor_report(
                e, "mount", HEALTH_FAIL,
                "%s: %s; its access tokens name no issuer, and verifiers refuse them: set issuer "
                "to this site's URL",
                mount->path, kind);
            continue;
        }
        doctor_report(e, "mount", remark != NULL ? HEALTH_WARN : HEALTH_OK, "%s: %s%s%s",
                      mount->path, kind, remark != NULL ? "; " : "", remark != NULL ? remark : "");
    }
    check_unmounted(e);
}

/* What is to be said of a realm's issuer is said at the first of its mounts that has it. */
bool doctor_is_first_of_realm(const struct config *config, size_t mount)
{
    const struct realm *realm = config->mounts[mount].realm;

    for (size_t i = 0; i < mount; i++) {
        const struct realm *before = config->mounts[i].realm;

        if (strcmp(before->name, realm->name) == 0 && strcmp(before->issuer, realm->issuer) == 0) {
            return false;
        }
    }
    return true;
}

/* One [realm] or [mount] section is enough, and all others are gone. */
static void check_unmounted(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct buffer b;
    struct text paths;

    buffer_start(&b, e->call->arena, 256);
    for (size_t i = 0; i < dialects_count(); i++) {
        const struct dialect *dialect = dialects_at(i);

        for (size_t j = 0; dialect != NULL && j < dialect->endpoint_count; j++) {
            const struct endpoint *endpoint = &dialect->endpoints[j];

            if (!is_mounted(config, endpoint) && !needs_a_setting(endpoint)) {
                buffer_addf(&b, "%s%s", b.size > 0 ? ", " : "", endpoint->path);
            }
        }
    }
    if (b.size > 0 && buffer_finish(&b, &paths)) {
        doctor_report(e, "not mounted", HEALTH_OK,
                      "%.*s: with a [realm] or [mount] section only what sections name is served",
                      TEXT_ARGS(paths));
    }
}

static bool is_mounted(const struct config *config, const struct endpoint *endpoint)
{
    size_t i = 0;

    while (i < config->mount_count && config->mounts[i].endpoint != endpoint) {
        i++;
    }
    return i < config->mount_count;
}

/* Is it missing for another reason than sections? */
static bool needs_a_setting(const struct endpoint *endpoint)
{
    return endpoint->needs_remote_user || endpoint->with_remote_user || endpoint->with_metrics ||
           endpoint->document != DOCUMENT_NONE;
}

/* What is allowed but seldom intended; NULL: nothing. */
static const char *remark_on(const struct config *config, const struct mount *mount)
{
    const struct policy *policy = &mount->realm->policy;

    if (!realm_issues(mount->realm)) {
        return NULL;
    } else if (policy->rotate && policy->concurrency_window_ms < 30 * CLOCK_SECOND) {
        return "clients that repeat a lost request are logged out: raise concurrency-window above "
               "30s";
    } else if (mount->endpoint->operation == &operation_login &&
               !is_renewed(config, mount->realm)) {
        return "no mount renews the sessions that begin here: give it the realm of a refresh";
    } else if (mount->endpoint->operation == &operation_refresh &&
               is_described_as_another(config, mount->realm)) {
        return "clients that look its issuer up find another realm: give it an issuer of its own";
    }
    return mount->realm->dialect->advise != NULL ? mount->realm->dialect->advise(mount) : NULL;
}

/* Are there documents of its issuer, and are they of another realm of its dialect? */
static bool is_described_as_another(const struct config *config, const struct realm *realm)
{
    bool described = false;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct realm *other = config->mounts[i].realm;

        if (config->mounts[i].endpoint->document == DOCUMENT_NONE ||
            other->dialect != realm->dialect || strcmp(other->issuer, realm->issuer) != 0) {
            continue;
        } else if (strcmp(other->name, realm->name) == 0) {
            return false;
        }
        described = true;
    }
    return described;
}

static bool is_renewed(const struct config *config, const struct realm *realm)
{
    for (size_t i = 0; i < config->mount_count; i++) {
        if (config->mounts[i].endpoint->operation == &operation_refresh &&
            strcmp(config->mounts[i].realm->name, realm->name) == 0) {
            return true;
        }
    }
    return false;
}
