/* SPDX-License-Identifier: ISC */
/* client.c: what a client's fields mean together; see client.h. Knows no hash and no key. */
#include "model/client.h"

#include <stddef.h>

#include "model/scope.h"

/* Uses are noted this coarsely. */
static const int64_t USE_GRAIN_MS = CLOCK_HOUR;

bool client_is_confidential(const struct client *client)
{
    for (int i = 0; i < CLIENT_SECRETS; i++) {
        if (client->secrets[i].hash[0] != '\0') {
            return true;
        }
    }
    return client->keys[0] != '\0';
}

bool client_scope(const struct client *client, struct text asked, char *out, struct text *scope)
{
    struct text most = text_of(client->scope);

    asked = asked.size > 0 ? asked : most;
    return asked.size <= CLIENT_SCOPE_MAX && scope_canonical(asked, out, scope) &&
           (most.size == 0 || scope_covers(most, *scope));
}

struct client_secret *client_secret_find(struct client *client, uint32_t number)
{
    for (int i = 0; i < CLIENT_SECRETS; i++) {
        if (client->secrets[i].hash[0] != '\0' && client->secrets[i].number == number &&
            number != 0) {
            return &client->secrets[i];
        }
    }
    return NULL;
}

bool client_use_due(const struct client_secret *secret, int64_t now_ms)
{
    return secret != NULL && now_ms - secret->used_ms >= USE_GRAIN_MS;
}

bool client_secret_holds(const struct client_secret *secret, int64_t now_ms)
{
    return secret->hash[0] != '\0' && (secret->until_ms == 0 || now_ms < secret->until_ms);
}
