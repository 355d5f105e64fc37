/* SPDX-License-Identifier: ISC */
/* preview.c: what the operation would say; see preview.h. Knows where a session is read and which
 * policy is in force; does not know who asks: a client that can prove itself is taken as proved. */
#include "operation/preview.h"

#include <string.h>

#include "operation/token_ref.h"
#include "operation/decision.h"
#include "operation/target.h"

static enum decision_evidence evidence_of(const struct preview *preview);
static enum outcome find_session(struct issuer *issuer, struct text refresh_token,
                                 struct arena *arena, struct preview *preview, struct fault *fault);

enum outcome preview_token(struct issuer *issuer, const struct mount *mount,
                           struct text refresh_token, bool can_prove, struct arena *arena,
                           struct preview *preview, struct fault *fault)
{
    const struct session *session = &preview->grant.session;
    struct clock_moment now = clock_moment(&issuer->clock);

    memset(preview, 0, sizeof *preview);
    preview->now_ms = now.wall_ms;
    preview->outcome = find_session(issuer, refresh_token, arena, preview, fault);
    if (!preview->session_found) {
        return preview->outcome;
    }
    policy_effective(&mount->realm->policy,
                     preview->grant.has_client ? &preview->grant.client : NULL, &preview->policy);
    preview->client_proves =
        can_prove && preview->grant.has_client && client_is_confidential(&preview->grant.client);
    preview->expires_ms = decision_expires_ms(&preview->policy, session);
    if (!text_equal(text_of(session->realm), text_of(mount->realm->name))) {
        preview->outcome = OUTCOME_WRONG_REALM;
    } else if (session->client_proved && !preview->client_proves && session->end == SESSION_LIVE) {
        preview->outcome = OUTCOME_CLIENT_AUTH_FAILED;
    } else {
        preview->outcome = decision_make(&preview->policy, &preview->grant, preview->generation,
                                         evidence_of(preview), &now);
    }
    if (outcome_is_grant(preview->outcome) && !target_is_left(mount->realm, session)) {
        preview->outcome = OUTCOME_TARGET_INVALID;
    }
    if (preview->outcome == OUTCOME_REPLAYED || preview->outcome == OUTCOME_RECOVERED) {
        preview->window_left_ms = decision_window_left_ms(
            &preview->policy, session, preview->generation, preview->outcome, &now);
    }
    return preview->outcome;
}

/* With everything else in order, as preview.h says. */
static enum decision_evidence evidence_of(const struct preview *preview)
{
    if (preview->grant.session.key_kind != SESSION_KEY_NONE) {
        return DECISION_KEY_PROVED;
    }
    return preview->client_proves ? DECISION_CLIENT_PROVED : DECISION_NO_EVIDENCE;
}

/* The session that the token names. OUTCOME_ROTATED: there is one. */
static enum outcome find_session(struct issuer *issuer, struct text refresh_token,
                                 struct arena *arena, struct preview *preview, struct fault *fault)
{
    struct token_ref ref;

    switch (token_ref_locate(issuer, refresh_token, arena, &ref, fault)) {
    case TOKEN_REF_FOUND:
        break;
    case TOKEN_REF_INVALID:
        return OUTCOME_TOKEN_INVALID;
    case TOKEN_REF_UNKNOWN:
        return OUTCOME_TOKEN_UNKNOWN;
    case TOKEN_REF_FAULT:
        return OUTCOME_FAULT;
    }
    switch (store_session_view(issuer->store, ref.session, &preview->grant, fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return OUTCOME_TOKEN_UNKNOWN;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    preview->session_found = true;
    preview->generation = ref.generation;
    return OUTCOME_ROTATED;
}
