/* SPDX-License-Identifier: ISC */
/* outcome.h: every way an operation can end. One list gives the enum, the log word and the
 * operator's sentence; each dialect words each of them for its clients. A refusal is not a failure:
 * only OUTCOME_FAULT means that something broke here. */
#ifndef RETOKEN_MODEL_OUTCOME_H
#define RETOKEN_MODEL_OUTCOME_H

#include <stdbool.h>

#include "base/text.h"

/* OUTCOME(NAME, class, log word, what happened) */
#define OUTCOME_ROWS                                                                               \
    /* granted */                                                                                  \
    OUTCOME(ROTATED, GRANTED, "rotated", "new tokens were issued")                                 \
    OUTCOME(RENEWED, GRANTED, "renewed",                                                           \
            "a new access token was issued; this mount does not rotate")                           \
    OUTCOME(REPLAYED, GRANTED, "replayed", "already renewed a moment ago: the same answer again")  \
    OUTCOME(RECOVERED, GRANTED, "recovered", "the successor again, inside the recovery window")    \
    OUTCOME(ROLLED_FORWARD, GRANTED, "rolled-forward",                                             \
            "newer than the store: its session was moved to it")                                   \
    OUTCOME(AUTHORIZED, GRANTED, "authorized", "an authorization code was issued")                 \
    OUTCOME(SERVED, GRANTED, "served", "what was asked for, which is no token")                    \
    OUTCOME(INACTIVE, GRANTED, "inactive", "asked for a token that is no good now")                \
    OUTCOME(ENDED, GRANTED, "ended", "its user has logged out")                                    \
    OUTCOME(NONE_ENDED, GRANTED, "none-ended", "a logout without a session that is live")          \
    /* the request cannot be understood */                                                         \
    OUTCOME(METHOD_NOT_ALLOWED, REQUEST, "method", "another method than this endpoint takes")      \
    OUTCOME(BODY_TOO_LARGE, REQUEST, "too-large", "the body is over the limit")                    \
    OUTCOME(BODY_INCOMPLETE, REQUEST, "incomplete", "the body is not the length it announced")     \
    OUTCOME(LENGTH_REQUIRED, REQUEST, "no-length", "the body has no announced length")             \
    OUTCOME(UNSUPPORTED_MEDIA, REQUEST, "media", "the body has the wrong media type")              \
    OUTCOME(UNSUPPORTED_CODING, REQUEST, "compressed", "the body is compressed")                   \
    OUTCOME(PAGE_FOREIGN, REQUEST, "foreign-page",                                                 \
            "a page of another origin asks, which allow-origins does not name")                    \
    OUTCOME(MALFORMED, REQUEST, "malformed", "the request cannot be parsed")                       \
    OUTCOME(PARAMETER_REPEATED, REQUEST, "repeated", "a parameter is given twice")                 \
    OUTCOME(PARAMETER_IN_URL, REQUEST, "in-url", "a credential is in the URL")                     \
    OUTCOME(GRANT_TYPE_MISSING, REQUEST, "no-grant-type", "no grant_type")                         \
    OUTCOME(GRANT_TYPE_UNSUPPORTED, REQUEST, "grant-type",                                         \
            "a grant_type that this endpoint does not take")                                       \
    OUTCOME(FORM_INVALID, REQUEST, "form",                                                         \
            "a form that was not made here for this user, or is old")                              \
    OUTCOME(TARGET_INVALID, REQUEST, "target",                                                     \
            "a resource or audience that tokens of the realm, or of the session, are not for")     \
    OUTCOME(TOKEN_MISSING, REQUEST, "no-token", "no refresh token")                                \
    OUTCOME(FIELD_MISSING, REQUEST, "no-field",                                                    \
            "a field the dialect requires is missing or mistyped")                                 \
    OUTCOME(REDIRECT_INVALID, REQUEST, "redirect-uri",                                             \
            "the redirect URI is not one that the client is registered with")                      \
    OUTCOME(RESPONSE_TYPE, REQUEST, "response-type", "another response_type than code")            \
    OUTCOME(RESPONSE_MODE, REQUEST, "response-mode", "another response_mode than query")           \
    OUTCOME(CHALLENGE, REQUEST, "challenge", "no code_challenge of the method S256")               \
    OUTCOME(REQUEST_OBJECT, REQUEST, "request-object", "a request object")                         \
    OUTCOME(REQUEST_URI, REQUEST, "request-uri", "the URI of a request object")                    \
    OUTCOME(INTERACTION, REQUEST, "interaction",                                                   \
            "the user shall log in once more, which only the web server can ask for")              \
    /* who asks */                                                                                 \
    OUTCOME(CLIENT_AUTH_FAILED, CLIENT, "client-auth", "the client did not prove itself")          \
    OUTCOME(CLIENT_AUTH_REPEATED, CLIENT, "client-auth-twice",                                     \
            "the client used two ways to prove itself")                                            \
    OUTCOME(CLIENT_UNAUTHORIZED, CLIENT, "client-grant", "the client may not use this grant")      \
    OUTCOME(DPOP_INVALID, CLIENT, "dpop",                                                          \
            "no key was proved, or not as RFC 9449 or DBSC has it; the token is still good")       \
    OUTCOME(DPOP_NONCE, CLIENT, "dpop-nonce",                                                      \
            "a key is to be proved with a nonce of ours, which was told")                          \
    OUTCOME(CREDENTIALS_WRONG, CLIENT, "credentials", "user name or password is wrong")            \
    OUTCOME(REMOTE_USER_ABSENT, CLIENT, "no-remote-user",                                          \
            "the web server has checked no user: let it ask for a login at this path, and pass "   \
            "REMOTE_USER and AUTH_TYPE")                                                           \
    OUTCOME(REMOTE_USER_UNCHECKED, CLIENT, "remote-user-unchecked",                                \
            "REMOTE_USER came without AUTH_TYPE, so it may be what the client claims: nginx "      \
            "passes that where no auth_basic is on")                                               \
    OUTCOME(REMOTE_USER_UNKNOWN, CLIENT, "remote-user-unknown",                                    \
            "no account has the name that the web server has checked")                             \
    OUTCOME(SLOWED, CLIENT, "slowed",                                                              \
            "too many wrong passwords or secrets: refused unseen for a while")                     \
    /* the token */                                                                                \
    OUTCOME(TOKEN_INVALID, TOKEN, "invalid", "not a refresh token this server issued")             \
    OUTCOME(TOKEN_UNKNOWN, TOKEN, "unknown",                                                       \
            "no session belongs to it (ended and swept, or never here)")                           \
    OUTCOME(TOKEN_EXPIRED, TOKEN, "expired", "its session has expired")                            \
    OUTCOME(TOKEN_REVOKED, TOKEN, "revoked", "its session was revoked")                            \
    OUTCOME(TOKEN_REUSED, TOKEN, "reused", "it was renewed before and came back")                  \
    OUTCOME(TOKEN_SPENT, TOKEN, "spent",                                                           \
            "it was spent, and no clock tells that it has come too late")                          \
    OUTCOME(USER_CODE_WRONG, TOKEN, "user-code", "no device waits with that user code")            \
    OUTCOME(DEVICE_PENDING, TOKEN, "device-pending", "no user has approved the device yet")        \
    OUTCOME(DEVICE_TOO_SOON, TOKEN, "device-too-soon",                                             \
            "the device asks too often, or too many of its network have asked")                    \
    OUTCOME(DEVICE_DENIED, TOKEN, "device-denied", "a user has denied the device")                 \
    OUTCOME(DEVICE_EXPIRED, TOKEN, "device-expired", "no user approved the device in time")        \
    OUTCOME(WRONG_CLIENT, TOKEN, "wrong-client", "it belongs to another client")                   \
    OUTCOME(WRONG_KEY, TOKEN, "wrong-key",                                                         \
            "its session is bound to a key that the sender did not prove")                         \
    OUTCOME(WRONG_REALM, TOKEN, "wrong-realm", "it belongs to another mount")                      \
    OUTCOME(WRONG_USER, TOKEN, "wrong-user", "the user name is not the one it was issued to")      \
    OUTCOME(WRONG_ACCESS_TOKEN, TOKEN, "wrong-access-token",                                       \
            "the access token does not belong to it")                                              \
    OUTCOME(WRONG_REDIRECT, TOKEN, "wrong-redirect",                                               \
            "the redirect URI is not the one that the code was sent to")                           \
    OUTCOME(WRONG_VERIFIER, TOKEN, "wrong-verifier",                                               \
            "the code_verifier is not the source of the code_challenge")                           \
    OUTCOME(TOKEN_ALONE, TOKEN, "alone",                                                           \
            "an access token of no session: it cannot be taken back before it expires")            \
    OUTCOME(ACCOUNT_GONE, TOKEN, "account-gone", "its account was removed")                        \
    OUTCOME(ACCOUNT_DISABLED, TOKEN, "account-disabled", "its account is disabled")                \
    OUTCOME(ACCOUNT_REFUSED, TOKEN, "account-refused",                                             \
            "the hook of its realm refuses its account; the token is still good")                  \
    OUTCOME(SCOPE_INVALID, TOKEN, "scope", "the scope is not the one granted")                     \
    /* here */                                                                                     \
    OUTCOME(BUSY, HERE, "busy", "too much is being checked or asked; the token is still good")     \
    OUTCOME(FAULT, HERE, "fault", "something broke here; the token is still good")

/* Outcomes that a dialect mostly words alike. */
enum outcome_class {
    OUTCOME_CLASS_GRANTED, /* the answer is what was asked for */
    OUTCOME_CLASS_REQUEST, /* the request cannot be understood */
    OUTCOME_CLASS_CLIENT,  /* who asks is not who it should be */
    OUTCOME_CLASS_TOKEN,   /* the token, its session or its account is not good */
    OUTCOME_CLASS_HERE,    /* something broke here */
    OUTCOME_CLASSES
};

enum outcome {
#define OUTCOME(name, class, word, meaning) OUTCOME_##name,
    OUTCOME_ROWS
#undef OUTCOME
};

enum { OUTCOME_COUNT = OUTCOME_FAULT + 1 };
enum { OUTCOME_NO_MOUNT = OUTCOME_COUNT }; /* counted only: no endpoint was asked */

/* The word for logs and metrics. */
const char *outcome_word(enum outcome outcome);
/* The outcome of that word. False: there is none. */
bool outcome_parse(struct text word, enum outcome *outcome);
/* The sentence for the operator (`retoken explain`, log details). */
const char *outcome_meaning(enum outcome outcome);
enum outcome_class outcome_class(enum outcome outcome);
/* The answer is what was asked for. */
bool outcome_is_grant(enum outcome outcome);

#endif
