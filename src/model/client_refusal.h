/* SPDX-License-Identifier: ISC */
/* client_refusal.h: why a client or its key was not believed, or a token of another server not
 * adopted, for the operator: whoever asks is told nothing but that it was not. One list gives the
 * enum, the word of the log and the sentence. */
#ifndef RETOKEN_MODEL_CLIENT_REFUSAL_H
#define RETOKEN_MODEL_CLIENT_REFUSAL_H

/* REFUSAL(NAME, word, what is wrong) */
#define CLIENT_REFUSAL_ROWS                                                                        \
    REFUSAL(NO_ID, "no-client-id", "it names no client, or with more bytes than an id can have")   \
    REFUSAL(UNKNOWN, "unknown-client", "no client of that id is registered")                       \
    REFUSAL(NO_PROOF, "no-proof", "the client has a secret or a key and proved neither")           \
    REFUSAL(NO_CERTIFICATE, "no-certificate",                                                      \
            "the client or the realm wants a certificate, and none came: the client has shown "    \
            "none, the web server passes no SSL_CLIENT_CERT, or client-certificates is off")       \
    REFUSAL(CERTIFICATE, "certificate",                                                            \
            "the connection's certificate is none that the client is registered with")             \
    REFUSAL(CERTIFICATE_UNVERIFIED, "certificate-unverified",                                      \
            "the client is registered by a name, and the web server does not vouch for the "       \
            "certificate (SSL_CLIENT_VERIFY is not SUCCESS)")                                      \
    REFUSAL(CERTIFICATE_MALFORMED, "certificate-malformed",                                        \
            "what the web server passes as SSL_CLIENT_CERT is no certificate in PEM")              \
    REFUSAL(HEADER, "authorization", "the Authorization header cannot be read")                    \
    REFUSAL(SECRET, "secret", "the secret is wrong")                                               \
    REFUSAL(NO_SECRET, "no-secret", "a secret came, and the client has none that is accepted")     \
    REFUSAL(SECRET_UNSEEN, "secret-unseen",                                                        \
            "the secret was not looked at, because the session of the token beside it is gone")    \
    REFUSAL(DISABLED, "disabled", "the client is disabled")                                        \
    REFUSAL(GRANT, "grant", "the realm or the client does not allow this grant")                   \
    REFUSAL(ASSERTION_TYPE, "assertion-type",                                                      \
            "client_assertion_type is not that of a JWT (RFC 7523 section 2.2)")                   \
    REFUSAL(ASSERTION_MALFORMED, "assertion-malformed", "it is no well-formed JWT")                \
    REFUSAL(ASSERTION_SUB, "assertion-sub",                                                        \
            "its iss, its sub and client_id do not all name one client")                           \
    REFUSAL(ASSERTION_NO_ISSUER, "assertion-no-issuer",                                            \
            "the mount has no issuer of its own that is a URL, so no assertion can be for it: "    \
            "set issuer")                                                                          \
    REFUSAL(ASSERTION_TYP, "assertion-typ",                                                        \
            "its typ is neither JWT nor client-authentication+jwt")                                \
    REFUSAL(ASSERTION_NO_KEYS, "assertion-no-keys", "the client has no keys")                      \
    REFUSAL(ASSERTION_KEY, "assertion-key",                                                        \
            "no key of the client is for its alg and kid (`retoken client set --key`)")            \
    REFUSAL(ASSERTION_SIGNATURE, "assertion-signature",                                            \
            "it is signed with another key than the client's")                                     \
    REFUSAL(                                                                                       \
        ASSERTION_AUD, "assertion-aud",                                                            \
        "its aud must be one: the mount's issuer, or this endpoint's URL on the issuer's host")    \
    REFUSAL(ASSERTION_EXP, "assertion-exp", "its exp is missing, or no time")                      \
    REFUSAL(ASSERTION_EXPIRED, "assertion-expired", "its exp is over")                             \
    REFUSAL(ASSERTION_LONG, "assertion-long", "its exp is more than an hour away")                 \
    REFUSAL(ASSERTION_NBF, "assertion-nbf", "its nbf is no time, or still to come")                \
    REFUSAL(ASSERTION_IAT, "assertion-iat", "its iat is no time, or still to come")                \
    REFUSAL(ASSERTION_JTI, "assertion-jti", "its jti is no text, or empty")                        \
    REFUSAL(ASSERTION_REPLAYED, "assertion-replayed",                                              \
            "it was used before, with another token or too long ago")                              \
    REFUSAL(DPOP_NO_ISSUER, "dpop-no-issuer",                                                      \
            "the mount has no issuer of its own that is a URL, so no DPoP proof can be for it: "   \
            "set issuer")                                                                          \
    REFUSAL(DPOP_ABSENT, "dpop-absent", "no DPoP proof came, and realm or client demand one")      \
    REFUSAL(DPOP_REPEATED, "dpop-repeated", "there is more than one DPoP header")                  \
    REFUSAL(DPOP_MALFORMED, "dpop-malformed",                                                      \
            "the DPoP header is no well-formed JWT; two headers arrive as one behind Apache and "  \
            "lighttpd")                                                                            \
    REFUSAL(DPOP_TYP, "dpop-typ", "the proof's typ is not dpop+jwt")                               \
    REFUSAL(DPOP_ALG, "dpop-alg", "the proof's alg is not one of a key pair that is known here")   \
    REFUSAL(DPOP_KEY, "dpop-key",                                                                  \
            "the proof's jwk is missing, not public, too weak or for another alg")                 \
    REFUSAL(DPOP_SIGNATURE, "dpop-signature", "the proof is signed with another key than its jwk") \
    REFUSAL(DPOP_JTI, "dpop-jti", "the proof's jti is missing, empty or no text")                  \
    REFUSAL(DPOP_HTM, "dpop-htm", "the proof's htm is not the request's method")                   \
    REFUSAL(DPOP_HTU, "dpop-htu",                                                                  \
            "the proof's htu is not this endpoint's URL on the issuer's host")                     \
    REFUSAL(DPOP_ATH, "dpop-ath", "the proof's ath is not the hash of the access token")           \
    REFUSAL(DPOP_IAT, "dpop-iat", "the proof's iat is missing, no time or far off")                \
    REFUSAL(DPOP_NONCE, "dpop-nonce",                                                              \
            "the proof has no nonce of the last minutes, and needs one: its iat is more than a "   \
            "minute off, or dpop-nonce is on")                                                     \
    REFUSAL(DPOP_REPLAYED, "dpop-replayed",                                                        \
            "the proof was used before, with another token or too long ago")                       \
    REFUSAL(DBSC_CHALLENGE, "dbsc-challenge",                                                      \
            "the browser has signed no challenge of the last minutes; it asks for one like this")  \
    REFUSAL(DBSC_MALFORMED, "dbsc-malformed",                                                      \
            "the Secure-Session-Response header is no well-formed JWT with a jti")                 \
    REFUSAL(DBSC_TYP, "dbsc-typ", "the browser's proof has another typ than dbsc+jwt")             \
    REFUSAL(DBSC_ALG, "dbsc-alg", "the browser's proof has another alg than ES256")                \
    REFUSAL(DBSC_KEY, "dbsc-key",                                                                  \
            "the browser's first proof brings no public key on P-256, or a later one brings one")  \
    REFUSAL(DBSC_SIGNATURE, "dbsc-signature",                                                      \
            "the browser's proof is signed with another key than the session's, or its jwk")       \
    REFUSAL(                                                                                       \
        DBSC_AUTHORIZATION, "dbsc-authorization",                                                  \
        "the browser's first proof has no authorization, which was told it with the challenge")    \
    REFUSAL(ADOPT_SIGNATURE, "adopt-signature", "no verify-only key of the realm verifies it")     \
    REFUSAL(ADOPT_TYPE, "adopt-type", "it is no refresh token, by its own words or its exp")       \
    REFUSAL(ADOPT_ISSUER, "adopt-issuer",                                                          \
            "its iss or aud is not the one of adopt-issuer or adopt-audience")                     \
    REFUSAL(ADOPT_TIME, "adopt-time", "its iat, nbf or exp is no time, or still to come")          \
    REFUSAL(ADOPT_ACCOUNT, "adopt-account", "the claim that names the account is no name")         \
    REFUSAL(ADOPT_SCOPE, "adopt-scope", "its scope is none, or too long")

enum client_refusal {
    CLIENT_NOT_REFUSED,
#define REFUSAL(name, word, meaning) CLIENT_REFUSED_##name,
    CLIENT_REFUSAL_ROWS
#undef REFUSAL
};

enum { CLIENT_REFUSALS = CLIENT_REFUSED_ADOPT_SCOPE + 1 };

/* "" for CLIENT_NOT_REFUSED. */
const char *client_refusal_word(enum client_refusal refusal);
const char *client_refusal_meaning(enum client_refusal refusal);

#endif
