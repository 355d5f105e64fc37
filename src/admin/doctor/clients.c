/* SPDX-License-Identifier: ISC */
/* clients.c: clients that cannot do what they are registered for, or whose stolen tokens nobody
 * would notice. Knows what a client proves itself with; does not know its sessions. */
#include "admin/doctor/doctor.h"

#include <string.h>

#include "admin/client_key.h"
#include "dialect/dialect.h"
#include "operation/jwt_claims.h"

static void check_assertions(struct examination *e);
static void check_certificates(struct examination *e);
static bool find_client(struct call *call,
                        struct text (*what)(struct arena *arena, const struct client *client),
                        char id[CLIENT_ID_MAX + 1], struct fault *fault);
static void check_clients(struct examination *e);
static struct text not_rotating(struct call *call, const struct client *client);

void doctor_clients_examine(struct examination *e)
{
    check_assertions(e);
    check_certificates(e);
    check_clients(e);
}

/* A client that signs assertions needs a mount with a name that they can be for. */
static void check_assertions(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct fault fault = {""};
    char id[CLIENT_ID_MAX + 1];

    if (!find_client(e->call, client_key_ids, id, &fault)) {
        return;
    }
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct realm *realm = config->mounts[i].realm;

        if (doctor_is_first_of_realm(config, i) && realm_issues(realm) &&
            realm->dialect->proves_clients && !jwt_claims_has_issuer(realm)) {
            doctor_report(e, "assertions", HEALTH_WARN,
                          "%s takes none, and client %s signs them: set issuer to this site's URL",
                          config->mounts[i].path, id);
        }
    }
}

/* A client that proves itself by a certificate needs a realm that looks at those. */
static void check_certificates(struct examination *e)
{
    const struct config *config = &e->call->service.config;
    struct fault fault = {""};
    char id[CLIENT_ID_MAX + 1];
    bool looked_at = false;

    for (size_t i = 0; i < config->mount_count; i++) {
        looked_at = looked_at || config->mounts[i].realm->client_certificates;
    }
    if (!looked_at && (find_client(e->call, client_key_thumbprints, id, &fault) ||
                       find_client(e->call, client_key_certificate_name, id, &fault))) {
        doctor_report(e, "certificates", HEALTH_WARN,
                      "client %s proves itself by one, and no realm looks at them: set "
                      "client-certificates = on",
                      id);
    }
}

/* A client that has something of `what`, in `id`; "" = none. */
static bool find_client(struct call *call,
                        struct text (*what)(struct arena *arena, const struct client *client),
                        char id[CLIENT_ID_MAX + 1], struct fault *fault)
{
    enum { PAGE = 16, ROW_LIMIT = 1 << 20 };
    struct client *rows = arena_alloc(call->arena, PAGE * sizeof *rows);
    struct arena *of_row = arena_open(ROW_LIMIT);
    bool found = false;
    size_t count = PAGE;

    id[0] = '\0';
    while (rows != NULL && of_row != NULL && count == PAGE && !found) {
        if (store_client_list(call->service.store, id[0] != '\0' ? id : NULL, rows, PAGE, &count,
                              fault) != STORE_OK) {
            break;
        }
        for (size_t i = 0; i < count && !found; i++) {
            memcpy(id, rows[i].id, sizeof rows[i].id);
            found = what(of_row, &rows[i]).size > 0;
            arena_reset(of_row);
        }
    }
    arena_close(of_row);
    return found;
}

/* RFC 9700 section 4.14: the tokens of a client that proves nothing rotate, or are bound. */
static void check_clients(struct examination *e)
{
    struct call *call = e->call;
    struct client *client = arena_alloc(call->arena, sizeof *client);
    struct fault fault = {"out of memory"};
    char after[CLIENT_ID_MAX + 1] = "";
    enum store_result result = client != NULL ? STORE_OK : STORE_FAULT;
    size_t count = 1;

    while (result == STORE_OK && count == 1) {
        result = store_client_list(call->service.store, after[0] != '\0' ? after : NULL, client, 1,
                                   &count, &fault);
        if (result == STORE_OK && count == 1) {
            struct text paths = not_rotating(call, client);

            if (client->enabled && !client_is_confidential(client) && paths.size > 0) {
                doctor_report(e, "client", HEALTH_WARN,
                              "%s is public, and a stolen token of its is never noticed where none "
                              "rotates (%.*s): give it a secret or a key, or its sessions an "
                              "absolute-lifetime",
                              client->id, TEXT_ARGS(paths));
            }
            memcpy(after, client->id, sizeof after);
        }
    }
    if (result != STORE_OK) {
        doctor_report(e, "client", HEALTH_FAIL, "%s", fault.text);
    }
}

/* The mounts where this client's tokens live for ever and stay the same. */
static struct text not_rotating(struct call *call, const struct client *client)
{
    const struct config *config = &call->service.config;
    struct policy policy;
    struct buffer b;

    buffer_start(&b, call->arena, 256);
    for (size_t i = 0; i < config->mount_count; i++) {
        const struct mount *mount = &config->mounts[i];

        policy_effective(&mount->realm->policy, client, &policy);
        if (realm_issues(mount->realm) && !policy.rotate && policy.absolute_lifetime_ms == 0) {
            buffer_addf(&b, "%s%s", buffer_text(&b).size > 0 ? " " : "", mount->path);
        }
    }
    return buffer_text(&b);
}
