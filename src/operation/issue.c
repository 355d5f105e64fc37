/* issue.c: beginning sessions and making access tokens; see issue.h. */
#include "operation/issue.h"

#include <string.h>

#include "base/codec.h"
#include "operation/token_ref.h"
#include "operation/decision.h"
#include "token/layout.h"
#include "token/refresh_token.h"

/* JWT-shaped refresh tokens have no room for an identifier: two of one account in one second would
 * be the same string. Each gets a second of its own; this many are tried. */
enum { ISSUE_SECONDS_TRIED = 1000 };

/* The claims that come from the account as it is now. False: its claims are not a JSON object. */
static bool claims_of_account(const struct account *account, struct arena *arena,
                              struct layout_claims *claims, struct fault *fault)
{
    const json_t *number;

    claims->username = text_of(account->name);
    claims->subject = text_of(account->subject[0] != '\0' ? account->subject : account->name);
    claims->roles = text_of(account->roles);
    claims->user_number = account->number;
    if (account->claims[0] == '\0') {
        return true;
    }
    claims->account = json_in_object(arena, text_of(account->claims), fault);
    if (claims->account == NULL) {
        fault_prefix(fault, "claims of account %s", account->name);
        return false;
    }
    number = json_object_get(claims->account, "userId");
    if (json_is_integer(number) && json_integer_value(number) >= 0) {
        claims->user_number = (uint64_t)json_integer_value(number);
    }
    return true;
}

static bool fill_claims(const struct issuer *issuer, const struct mount *mount,
                        const struct session *session, const struct account *account,
                        uint32_t generation, int64_t issued_at_s, struct arena *arena,
                        struct layout_claims *claims, struct fault *fault)
{
    memset(claims, 0, sizeof *claims);
    claims->issuer = text_of(mount->realm->issuer);
    claims->audience = text_of(mount->realm->audience);
    claims->client = text_of(session->client);
    claims->issued_at_s = issued_at_s;
    codec_uuid_format(session->id, claims->session);
    if (!refresh_token_jti(issuer->secrets, session->id, generation, issued_at_s, claims->jti)) {
        fault_set(fault, "HMAC failed");
        return false;
    }
    return claims_of_account(account, arena, claims, fault);
}

bool issue_access_token(struct issuer *issuer, const struct mount *mount,
                        const struct policy *policy, const struct session *session,
                        const struct account *account, uint64_t keyring_version,
                        uint32_t generation, int64_t issued_at_s, struct text scope, bool refreshed,
                        struct arena *arena, struct refresh_answer *answer, struct fault *fault)
{
    const struct keyring *keyring = issuer_keyring(issuer, keyring_version, fault);
    const struct signing_key *key;
    struct layout_claims claims;

    if (keyring == NULL) {
        return false;
    }
    key = keyring_signer(keyring, policy->algorithm, mount->realm->name);
    if (key == NULL) {
        fault_set(
            fault,
            "no active %s signing key for %s: run `retoken key add --algorithm %s --activate`",
            signing_algorithm_name(policy->algorithm), mount->path,
            signing_algorithm_name(policy->algorithm));
        return false;
    }
    if (!fill_claims(issuer, mount, session, account, generation, issued_at_s, arena, &claims,
                     fault)) {
        return false;
    }
    claims.scope = scope;
    claims.scope_given = session->scope_given;
    claims.refreshed = refreshed;
    claims.expires_at_s = issued_at_s + policy->access_lifetime_ms / CLOCK_SECOND;
    if (!layout_access_token(policy->layout, key, &claims, arena, &answer->access_token) ||
        !arena_copy(arena, claims.username, &answer->username) ||
        !arena_copy(arena, claims.roles, &answer->roles) ||
        !arena_copy(arena, scope, &answer->scope)) {
        fault_set(fault, "cannot sign the access token: out of memory or libcrypto failed");
        return false;
    }
    answer->expires_at_s = claims.expires_at_s;
    answer->expires_in_s = claims.expires_at_s - answer->now_ms / CLOCK_SECOND;
    return true;
}

/* scope = scope-token *( SP scope-token ), scope-token = %x21 / %x23-5B / %x5D-7E (RFC 6749 3.3);
 * empty is allowed here, because Koppeltaal grants it. */
static bool scope_is_well_formed(struct text scope)
{
    for (size_t i = 0; i < scope.size; i++) {
        unsigned char c = (unsigned char)scope.data[i];
        bool lone_space = c == ' ' && i > 0 && i + 1 < scope.size && scope.data[i - 1] != ' ';

        if (!lone_space && (c <= 0x20 || c == '"' || c == '\\' || c > 0x7e)) {
            return false;
        }
    }
    return true;
}

static bool start_session(const struct issuer *issuer, const struct issue_ask *ask, int64_t now_ms,
                          struct session *session)
{
    const struct policy *policy = &ask->mount->realm->policy;

    memset(session, 0, sizeof *session);
    session->account = ask->account->number;
    session->created_ms = now_ms;
    session->rotated_ms = now_ms;
    session->used_ms = now_ms;
    session->expires_ms = decision_next_expiry_ms(policy, now_ms, now_ms);
    session->scope_given = ask->scope_given;
    return session_id_make(&issuer->randomness, now_ms, session->id) &&
           text_copy(text_of(ask->mount->realm->name), session->realm, sizeof session->realm) &&
           text_copy(ask->client, session->client, sizeof session->client) &&
           text_copy(ask->scope, session->scope, sizeof session->scope);
}

/* The refresh token of generation 0, and how the session is found by it. */
static bool first_token(struct issuer *issuer, const struct issue_ask *ask, struct session *session,
                        int64_t iat_s, struct arena *arena, struct text *token, struct fault *fault)
{
    enum refresh_format format = ask->mount->realm->policy.format;
    struct layout_claims claims;

    if (ask->imported.size > 0) {
        *token = ask->imported;
    } else if (format != REFRESH_FORMAT_JWT) {
        session->has_derived_aliases = format == REFRESH_FORMAT_UUID;
        return token_ref_mint(issuer, format, session->id, 0, arena, token, fault);
    } else if (!fill_claims(issuer, ask->mount, session, ask->account, 0, iat_s, arena, &claims,
                            fault)) {
        return false;
    } else {
        claims.expires_at_s = session->expires_ms / CLOCK_SECOND;
        if (!layout_refresh_token(ask->mount->realm->policy.layout, issuer->refresh_jwt, &claims,
                                  arena, token)) {
            fault_set(fault, "cannot make a JWT-shaped refresh token for %s", ask->mount->path);
            return false;
        }
    }
    session->has_alias = refresh_token_alias(*token, session->alias);
    if (!session->has_alias) {
        fault_set(fault, "SHA-256 failed");
    }
    return session->has_alias;
}

/* Makes the session durable; a JWT-shaped token whose second is taken moves on to the next one. */
static enum store_result create_session(struct issuer *issuer, const struct issue_ask *ask,
                                        struct session *session, struct arena *arena,
                                        struct text *token, struct fault *fault)
{
    enum store_result result = STORE_FAULT;
    int64_t now_s = session->created_ms / CLOCK_SECOND;

    for (int64_t i = 0; i < ISSUE_SECONDS_TRIED; i++) {
        if (!first_token(issuer, ask, session, now_s + i, arena, token, fault)) {
            return STORE_FAULT;
        }
        result = store_session_create(issuer->store, session, ask->account, fault);
        if (result != STORE_EXISTS || ask->imported.size > 0 ||
            ask->mount->realm->policy.format != REFRESH_FORMAT_JWT) {
            return result;
        }
    }
    return result;
}

static bool has_any(struct text t, const char *bytes)
{
    for (; *bytes != '\0'; bytes++) {
        if (text_find(t, *bytes) < t.size) {
            return true;
        }
    }
    return false;
}

/* A token another server issued is honoured as it is, so it must go wherever ours go (RFC 6265
 * section 4.1.1 has the narrowest door) and must not look like one of ours. */
static bool importable(struct text token, const struct secrets *secrets)
{
    uint8_t id[SESSION_ID_SIZE];
    uint32_t generation;

    return token.size == 0 || (text_is_visible_ascii(token) && !has_any(token, "\",;\\") &&
                               token.size >= 16 && token.size <= REFRESH_TOKEN_MAX &&
                               !refresh_token_native_open(secrets, token, id, &generation));
}

enum outcome issue_session(struct issuer *issuer, const struct issue_ask *ask, struct arena *arena,
                           struct refresh_answer *answer, struct fault *fault)
{
    struct session session;
    uint64_t keyring_version;

    answer->now_ms = clock_now_ms(&issuer->clock);
    if (!importable(ask->imported, issuer->secrets)) {
        return OUTCOME_TOKEN_INVALID;
    } else if (ask->scope.size > SESSION_SCOPE_MAX || !scope_is_well_formed(ask->scope)) {
        return OUTCOME_SCOPE_INVALID;
    } else if (!start_session(issuer, ask, answer->now_ms, &session)) {
        fault_set(fault, "cannot start a session for %s: no randomness, or a name is too long",
                  ask->account->name);
        return OUTCOME_FAULT;
    } else if (store_keyring_version(issuer->store, &keyring_version, fault) != STORE_OK ||
               !issue_access_token(issuer, ask->mount, &ask->mount->realm->policy, &session,
                                   ask->account, keyring_version, 0,
                                   session.created_ms / CLOCK_SECOND, text_of(session.scope), false,
                                   arena, answer, fault)) {
        return OUTCOME_FAULT;
    }
    switch (create_session(issuer, ask, &session, arena, &answer->refresh_token, fault)) {
    case STORE_OK:
        break;
    case STORE_EXISTS:
        return OUTCOME_TOKEN_INVALID;
    case STORE_STALE:
        fault_set(fault, "account %s was disabled, removed or given another password meanwhile",
                  ask->account->name);
        return OUTCOME_FAULT;
    case STORE_ABSENT:
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    answer->session_expires_ms = session.expires_ms;
    answer->session_known = true;
    memcpy(answer->session, session.id, sizeof session.id);
    return arena_copy(arena, ask->client, &answer->client) ? OUTCOME_ROTATED : OUTCOME_FAULT;
}
