/* SPDX-License-Identifier: ISC */
/* tell_policy.c: the tokens of a described dialect and what its sessions live by, in
 * sentences. */
#include "admin/dialect/tell_parts.h"

#include "process/config.h"

static void tell_tokens(const struct policy *policy, struct buffer *out);
static void tell_sessions(const struct policy *policy, struct buffer *out);
static void tell_rights(const struct policy *policy, struct buffer *out);

void dialect_tell_policy(const struct policy *policy, struct buffer *out)
{
    tell_tokens(policy, out);
    tell_sessions(policy, out);
}

static void tell_tokens(const struct policy *policy, struct buffer *out)
{
    const struct layout *layout = policy->layout;
    char spelled[32];

    config_duration_format(policy->access_lifetime_ms, spelled);
    buffer_addf(out, "Access tokens are JWTs signed with %s, good for %s. Their header:\n",
                signing_algorithm_name(policy->algorithm), spelled);
    for (size_t i = 0; i < LAYOUT_HEADER_MAX && layout->header[i].name != NULL; i++) {
        buffer_addf(out, "    %s: %s%s\n", layout->header[i].name,
                    layout->header[i].value != NULL ? "always " : "",
                    layout->header[i].value != NULL
                        ? layout->header[i].value
                        : dialect_tell_meaning(text_of(layout->header[i].name)));
    }
    buffer_add_c(out, "  and their payload:\n");
    dialect_tell_template(layout->access_template, out);
    dialect_tell_style(layout->style, out);
    if (policy->access_jitter) {
        buffer_add_c(out, "Each is good for up to a tenth less, so that not all end at once.\n");
    }
    if (layout->refresh_template != NULL && policy->format == REFRESH_FORMAT_JWT) {
        buffer_add_c(out, "Refresh tokens are JWTs, too, with the payload:\n");
        dialect_tell_template(layout->refresh_template, out);
    } else if (policy->by_access_token) {
        buffer_add_c(out, "An access token renews its session; there are no refresh tokens.\n");
    } else {
        buffer_addf(out, "Refresh tokens are %s.\n",
                    policy->format == REFRESH_FORMAT_UUID ? "UUIDs" : "opaque texts");
    }
}

static void tell_sessions(const struct policy *policy, struct buffer *out)
{
    char window[32], idle[32], absolute[32];

    config_duration_format(policy->concurrency_window_ms, window);
    config_duration_format(policy->idle_lifetime_ms, idle);
    config_duration_format(policy->absolute_lifetime_ms, absolute);
    if (policy->by_access_token) {
        buffer_add_c(out, "An access token stays good when its session is renewed.\n");
    } else if (policy->rotate) {
        buffer_addf(out,
                    "Each refresh replaces the refresh token; the old one gets the same answer for "
                    "%s more, and %s after that.\n",
                    window, policy->report_only ? "is reported" : "ends its session");
    } else {
        buffer_add_c(out, "A session keeps its refresh token.\n");
    }
    if (policy->idle_lifetime_ms > 0) {
        buffer_addf(out, "A session ends %s after its last refresh.\n", idle);
    }
    if (policy->absolute_lifetime_ms > 0) {
        buffer_addf(out, "A session ends %s after it began.\n", absolute);
    }
    if (policy->rotate && policy->recovery_window_ms > 0) {
        config_duration_format(policy->recovery_window_ms, window);
        buffer_addf(out,
                    "For %s after that a token of at most %u generations back still gets the next "
                    "one%s.\n",
                    window, (unsigned)policy->recovery_generations,
                    policy->recovery_evidence == RECOVERY_EVIDENCE_CLIENT
                        ? ", where the session's client proves itself"
                        : "");
    }
    tell_rights(policy, out);
}

static void tell_rights(const struct policy *policy, struct buffer *out)
{
    size_t count = 0;

    if (policy->grants != 0) {
        buffer_add_c(out, "Clients may ask for the grants ");
        for (size_t i = 0; i < POLICY_GRANTS; i++) {
            if ((policy->grants & policy_grants[i].bit) != 0) {
                buffer_addf(out, "%s%s", count++ > 0 ? ", " : "", policy_grants[i].word);
            }
        }
        buffer_add_c(out, ".\n");
    }
    if (policy->dpop_required) {
        buffer_add_c(out, "Tokens are issued only to who proves a key (DPoP).\n");
    }
    if (policy->scope_rule != SCOPE_IGNORED) {
        buffer_addf(out, "A refresh may %s.\n",
                    policy->scope_rule == SCOPE_SUBSET
                        ? "ask for a part of the session's scope"
                        : "have a scope only if it is all of the session's");
    }
    if (policy->scope_loss) {
        buffer_add_c(out, "Tokens that cannot say their scope are issued nevertheless.\n");
    }
}
