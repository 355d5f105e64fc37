/* SPDX-License-Identifier: ISC */
/* config_documents.c: the mounts of documents about issuers (RFC 8414, OpenID Connect Discovery).
 * Knows where each belongs, by the URL of its issuer; does not know what it says, nor any dialect
 * by name. */
#include "process/config_reader.h"

#include <stdio.h>

#include "dialect/dialect.h"
#include "http/origin.h"

static bool add_documents(struct config_reader *reader);
static bool check_issuers(struct config_reader *reader);
static bool has_issuer(const struct realm *realm);
static bool add_document(struct config_reader *reader, size_t realm,
                         const struct endpoint *endpoint);
static bool path_of(const struct realm *realm, const struct endpoint *endpoint,
                    char path[MOUNT_PATH_MAX + 1]);

bool config_add_documents(struct config_reader *reader)
{
    struct config *config = reader->config;

    if (!check_issuers(reader) || !add_documents(reader)) {
        return false;
    }
    config->all_mounts = (struct mounts){config->mounts, config->mount_count, config->prefix};
    for (size_t i = 0; i < config->realm_count; i++) {
        config->realms[i].mounts = &config->all_mounts;
    }
    return true;
}

/* One issuer has one document of a name: that of its first realm. */
static bool add_documents(struct config_reader *reader)
{
    const struct config *config = reader->config;

    for (size_t i = 0; i < config->realm_count; i++) {
        const struct realm *realm = &config->realms[i];

        for (size_t j = 0; j < realm->dialect->endpoint_count && has_issuer(realm); j++) {
            const struct endpoint *endpoint = &realm->dialect->endpoints[j];

            if (endpoint->document != DOCUMENT_NONE && (reader->realms[i].placed & 1U << j) == 0 &&
                !add_document(reader, i, endpoint)) {
                return false;
            }
        }
    }
    return true;
}

/* Those that a line mounts somewhere. */
static bool check_issuers(struct config_reader *reader)
{
    const struct config *config = reader->config;

    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];

        if (mount->endpoint->document != DOCUMENT_NONE && !has_issuer(mount->realm)) {
            return config_complain(reader, reader->mounts[i],
                                   "%s: it describes an issuer; add issuer = https://HOST",
                                   mount->path);
        }
    }
    return true;
}

static bool has_issuer(const struct realm *realm)
{
    return realm_issues(realm) && realm->issuer_is_own &&
           config_is_issuer_url(text_of(realm->issuer));
}

static bool add_document(struct config_reader *reader, size_t realm,
                         const struct endpoint *endpoint)
{
    struct config *config = reader->config;
    char path[MOUNT_PATH_MAX + 1];

    if (!path_of(&config->realms[realm], endpoint, path) || config_mount(config, path) != NULL) {
        return true;
    } else if (!config_add_mount(reader, reader->realms[realm].section, text_of(path), endpoint,
                                 &config->realms[realm])) {
        return false;
    }
    config->mounts[config->mount_count - 1].is_whole_path = true;
    return true;
}

/* False: a request could not have it. A slash at the issuer's end is none of its path. */
static bool path_of(const struct realm *realm, const struct endpoint *endpoint,
                    char path[MOUNT_PATH_MAX + 1])
{
    struct text issuer = text_of(realm->issuer);
    struct text own = text_from(issuer, http_origin_of_url(issuer).size);
    const char *name = endpoint->path;
    int size;

    if (text_ends(own, TEXT("/"))) {
        own.size--;
    }
    if (endpoint->document == DOCUMENT_BEFORE_PATH) {
        size = snprintf(path, MOUNT_PATH_MAX + 1, "%s%.*s", name, TEXT_ARGS(own));
    } else {
        size = snprintf(path, MOUNT_PATH_MAX + 1, "%.*s%s", TEXT_ARGS(own), name);
    }
    return size <= MOUNT_PATH_MAX && config_is_mountable(text_of(path));
}
