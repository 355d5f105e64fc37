/* SPDX-License-Identifier: ISC */
/* policy.c: names, and which policy holds for one client. Knows which fields an override has; does
 * not know where either comes from. */
#include "model/policy.h"

#include <stddef.h>

#include "model/client.h"

const struct policy_grant policy_grants[POLICY_GRANTS] = {
    {"refresh", GRANT_REFRESH}, {"password", GRANT_PASSWORD}, {"client", GRANT_CLIENT},
    {"code", GRANT_CODE},       {"device", GRANT_DEVICE},     {"exchange", GRANT_EXCHANGE},
};

uint32_t policy_grant_find(struct text word)
{
    for (size_t i = 0; i < POLICY_GRANTS; i++) {
        if (text_is(word, policy_grants[i].word)) {
            return policy_grants[i].bit;
        }
    }
    return 0;
}

const char *policy_format_name(enum refresh_format format)
{
    switch (format) {
    case REFRESH_FORMAT_NATIVE:
        return "native";
    case REFRESH_FORMAT_UUID:
        return "uuid";
    case REFRESH_FORMAT_JWT:
        return "jwt";
    }
    return "";
}

bool policy_can_rotate(const struct policy *policy)
{
    return !policy->keeps_token && policy->format != REFRESH_FORMAT_JWT;
}

void policy_effective(const struct policy *realm, const struct client *client,
                      struct policy *effective)
{
    static const struct policy_override none;
    const struct policy_override *own = client != NULL ? &client->override : &none;

    *effective = *realm;
    if (own->set & POLICY_ROTATION) {
        effective->rotate = own->rotate && policy_can_rotate(realm);
    }
    if (own->set & POLICY_REPORT_ONLY) {
        effective->report_only = own->report_only;
    }
    if (own->set & POLICY_CONCURRENCY_WINDOW) {
        effective->concurrency_window_ms = own->concurrency_window_ms;
    }
    if (own->set & POLICY_RECOVERY_WINDOW) {
        effective->recovery_window_ms = own->recovery_window_ms;
    }
    if (own->set & POLICY_RECOVERY_GENERATIONS) {
        effective->recovery_generations = own->recovery_generations;
    }
    if (own->set & POLICY_RECOVERY_EVIDENCE) {
        effective->recovery_evidence = own->recovery_evidence;
    }
    if (own->set & POLICY_IDLE_LIFETIME) {
        effective->idle_lifetime_ms = own->idle_lifetime_ms;
    }
    if (own->set & POLICY_ABSOLUTE_LIFETIME) {
        effective->absolute_lifetime_ms = own->absolute_lifetime_ms;
    }
    if (own->set & POLICY_ACCESS_LIFETIME) {
        effective->access_lifetime_ms = own->access_lifetime_ms;
    }
    effective->dpop_required |= (own->set & POLICY_DPOP_REQUIRED) != 0;
    effective->certificate_required |= (own->set & POLICY_CERTIFICATE_REQUIRED) != 0;
}

bool policy_allows(const struct policy *policy, const struct client *client, enum grant_bit grant)
{
    uint32_t realm = policy->grants != 0 ? policy->grants : (uint32_t)GRANTS_USUAL;

    if (client == NULL) {
        return grant != GRANT_CLIENT && (realm & grant) != 0;
    } else if (client->grants == 0) {
        return (realm & grant) != 0;
    } else if (grant == GRANT_CLIENT && policy->grants == 0) {
        return (client->grants & grant) != 0;
    }
    return (realm & client->grants & grant) != 0;
}

bool policy_offers(const struct policy *policy, enum grant_bit grant)
{
    uint32_t realm = policy->grants != 0 ? policy->grants : (uint32_t)(GRANTS_USUAL | GRANT_CLIENT);

    return (realm & grant) != 0;
}
