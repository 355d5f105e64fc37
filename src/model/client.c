/* SPDX-License-Identifier: ISC */
/* client.c: what a client's fields mean together; see client.h. Knows no hash and no key. */
#include "model/client.h"

bool client_is_confidential(const struct client *client)
{
    for (int i = 0; i < CLIENT_SECRETS; i++) {
        if (client->secrets[i].hash[0] != '\0') {
            return true;
        }
    }
    return client->keys[0] != '\0';
}

bool client_secret_holds(const struct client_secret *secret, int64_t now_ms)
{
    return secret->hash[0] != '\0' && now_ms >= secret->from_ms &&
           (secret->until_ms == 0 || now_ms < secret->until_ms);
}
