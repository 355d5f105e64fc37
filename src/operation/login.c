/* login.c: access token and password -> a new session; see login.h. */
#include "operation/login.h"

#include "operation/issue.h"
#include "operation/password.h"
#include "token/jws.h"

/* The name of the user whose access token this is, who must be the one that asks. OUTCOME_ROTATED:
 * so it is. */
static enum outcome find_user(struct issuer *issuer, const struct refresh_ask *ask,
                              struct arena *arena, char name[ACCOUNT_NAME_MAX + 1],
                              struct fault *fault)
{
    const struct keyring *keyring = issuer_keyring_now(issuer, fault);
    struct fault unready = {""};
    struct text subject;
    json_t *payload;

    if (keyring == NULL) {
        return OUTCOME_FAULT;
    }
    payload = jws_open_any(arena, ask->refresh_token, keyring, ask->mount->realm->name, &unready);
    if (payload == NULL && unready.text[0] != '\0') {
        *fault = unready;
        return OUTCOME_FAULT;
    } else if (payload == NULL || json_in_text(payload, "sub", &subject) != JSON_IN_TEXT) {
        return OUTCOME_TOKEN_INVALID;
    } else if (!text_equal(subject, ask->username) ||
               !text_copy(subject, name, ACCOUNT_NAME_MAX + 1)) {
        return OUTCOME_WRONG_USER;
    }
    return OUTCOME_ROTATED;
}

enum outcome login_with_access_token(struct issuer *issuer, const struct refresh_ask *ask,
                                     struct arena *arena, struct refresh_answer *answer,
                                     struct fault *fault)
{
    struct account account;
    struct issue_ask issue = {.mount = ask->mount, .account = &account};
    char name[ACCOUNT_NAME_MAX + 1];
    enum outcome outcome = find_user(issuer, ask, arena, name, fault);

    if (outcome != OUTCOME_ROTATED) {
        return outcome;
    }
    switch (store_account_find(issuer->store, name, &account, fault)) {
    case STORE_OK:
        break;
    case STORE_ABSENT:
        return OUTCOME_ACCOUNT_GONE;
    case STORE_EXISTS:
    case STORE_STALE:
    case STORE_FAULT:
        return OUTCOME_FAULT;
    }
    if (!password_matches(ask->password, account.password, &outcome, fault)) {
        return outcome;
    } else if (!account.enabled) {
        return OUTCOME_ACCOUNT_DISABLED;
    }
    return issue_session(issuer, &issue, arena, answer, fault);
}
