/* outcome.h: every way a refresh can end. One list gives the enum, the log word and the operator's
 * sentence; each dialect words each of them for its clients. A refusal is not a failure: only
 * OUTCOME_FAULT means that something broke here. */
#ifndef RETOKEN_MODEL_OUTCOME_H
#define RETOKEN_MODEL_OUTCOME_H

#include <stdbool.h>

/* OUTCOME(NAME, log word, what happened) */
#define OUTCOME_ROWS                                                                               \
    /* granted */                                                                                  \
    OUTCOME(ROTATED, "rotated", "new tokens were issued")                                          \
    OUTCOME(RENEWED, "renewed", "a new access token was issued; this mount does not rotate")       \
    OUTCOME(REPLAYED, "replayed", "already renewed a moment ago: the same answer again")           \
    OUTCOME(RECOVERED, "recovered", "the successor again, inside the recovery window")             \
    OUTCOME(ROLLED_FORWARD, "rolled-forward", "newer than the store: its session was moved to it") \
    /* the request cannot be understood */                                                         \
    OUTCOME(METHOD_NOT_ALLOWED, "method", "this endpoint is asked with POST")                      \
    OUTCOME(BODY_TOO_LARGE, "too-large", "the body is over the limit")                             \
    OUTCOME(BODY_INCOMPLETE, "incomplete", "the body is not the length it announced")              \
    OUTCOME(LENGTH_REQUIRED, "no-length", "the body has no announced length")                      \
    OUTCOME(UNSUPPORTED_MEDIA, "media", "the body has the wrong media type or charset")            \
    OUTCOME(MALFORMED, "malformed", "the request cannot be parsed")                                \
    OUTCOME(PARAMETER_REPEATED, "repeated", "a parameter stands there twice")                      \
    OUTCOME(PARAMETER_IN_URL, "in-url", "a credential stands in the URL")                          \
    OUTCOME(GRANT_TYPE_MISSING, "no-grant-type", "no grant_type")                                  \
    OUTCOME(GRANT_TYPE_UNSUPPORTED, "grant-type", "another grant_type than refresh_token")         \
    OUTCOME(TOKEN_MISSING, "no-token", "no refresh token")                                         \
    OUTCOME(FIELD_MISSING, "no-field", "a field the dialect requires is missing or mistyped")      \
    /* who asks */                                                                                 \
    OUTCOME(CLIENT_AUTH_FAILED, "client-auth", "the client did not prove itself")                  \
    OUTCOME(CLIENT_AUTH_REPEATED, "client-auth-twice", "the client used two ways to prove itself") \
    OUTCOME(CLIENT_UNAUTHORIZED, "client-grant", "the client may not use this grant")              \
    OUTCOME(CREDENTIALS_WRONG, "credentials", "user name or password is wrong")                    \
    /* the token */                                                                                \
    OUTCOME(TOKEN_INVALID, "invalid", "not a refresh token this server issued")                    \
    OUTCOME(TOKEN_UNKNOWN, "unknown", "no session belongs to it (ended and swept, or never here)") \
    OUTCOME(TOKEN_EXPIRED, "expired", "its session has expired")                                   \
    OUTCOME(TOKEN_REVOKED, "revoked", "its session was revoked")                                   \
    OUTCOME(TOKEN_REUSED, "reused", "it was renewed before and came back")                         \
    OUTCOME(TOKEN_SPENT, "spent", "it was spent, and no clock tells that it has come too late")    \
    OUTCOME(TOKEN_FROM_FUTURE, "future", "the store is older than the token: a restored backup?")  \
    OUTCOME(WRONG_CLIENT, "wrong-client", "it belongs to another client")                          \
    OUTCOME(WRONG_REALM, "wrong-realm", "it belongs to another mount")                             \
    OUTCOME(WRONG_USER, "wrong-user", "the user name is not the one it was issued to")             \
    OUTCOME(WRONG_ACCESS_TOKEN, "wrong-access-token", "the access token does not belong to it")    \
    OUTCOME(ACCOUNT_GONE, "account-gone", "its account was removed")                               \
    OUTCOME(ACCOUNT_DISABLED, "account-disabled", "its account is disabled")                       \
    OUTCOME(SCOPE_INVALID, "scope", "the scope is not the one granted")                            \
    /* here */                                                                                     \
    OUTCOME(FAULT, "fault", "something broke here; the token is still good")

enum outcome {
#define OUTCOME(name, word, meaning) OUTCOME_##name,
    OUTCOME_ROWS
#undef OUTCOME
};

enum { OUTCOME_COUNT = OUTCOME_FAULT + 1 };

/* The word for logs and metrics. */
const char *outcome_word(enum outcome outcome);
/* The sentence for the operator (`retoken explain`, log details). */
const char *outcome_meaning(enum outcome outcome);
/* Tokens were given. */
bool outcome_is_grant(enum outcome outcome);

#endif
