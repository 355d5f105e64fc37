/* SPDX-License-Identifier: ISC */
/* options.h: the options of every verb as one table, and the one way they are read. Knows names and
 * whether a value follows; does not know what a verb makes of it. */
#ifndef RETOKEN_ADMIN_OPTIONS_H
#define RETOKEN_ADMIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

/* OPTION(NAME, long name, letter or 0, value or "", may be repeated, help) */
#define OPTION_ROWS                                                                                \
    OPTION(CONFIG, "config", 'c', "FILE", false, "the configuration (see retoken.conf(5))")        \
    OPTION(HELP, "help", 'h', "", false, "print how the verb is used")                             \
    OPTION(VERSION, "version", 'V', "", false, "print the version")                                \
    OPTION(JSON, "json", 0, "", false, "print JSON")                                               \
    OPTION(ROLE, "role", 0, "ROLE", true, "a role of the account (may be repeated)")               \
    OPTION(SUBJECT, "subject", 0, "TEXT", false, "what access tokens name as `sub`")               \
    OPTION(CLAIM, "claim", 0, "NAME=VALUE", true, "a claim of the account (may be repeated)")      \
    OPTION(CLAIMS_FILE, "claims-file", 0, "FILE", false, "claims as one JSON object; - is stdin")  \
    OPTION(PASSWORD_FILE, "password-file", 0, "FILE", false, "its first line; - is stdin")         \
    OPTION(NO_PASSWORD, "no-password", 0, "", false, "an account without a password")              \
    OPTION(KEEP_SESSIONS, "keep-sessions", 0, "", false, "its sessions go on when it is enabled")  \
    OPTION(PASSWORD_CHANGE, "on-password-change", 0, "end|keep", false,                            \
           "whether its sessions end with its password")                                           \
    OPTION(SESSION_LIMIT, "session-limit", 0, "N", false,                                          \
           "most live sessions (0: no limit of its own)")                                          \
    OPTION(HTPASSWD, "htpasswd", 0, "", false, "the file is Apache's, as htpasswd makes it")       \
    OPTION(SHADOW, "shadow", 0, "", false, "the file is shadow(5)")                                \
    OPTION(WITH_HASHES, "with-hashes", 0, "", false, "with the hashes of passwords")               \
    OPTION(WITH_TOKENS, "with-tokens", 0, "", false,                                               \
           "with the refresh tokens that their holders have")                                      \
    OPTION(UPDATE, "update", 0, "", false, "change what is there already")                         \
    OPTION(PUBLIC, "public", 0, "", false, "a client without a secret; the public part of a key")  \
    OPTION(SECRET_FILE, "secret-file", 0, "FILE", false,                                           \
           "an existing secret: the file's first line; - is stdin")                                \
    OPTION(SCOPE, "scope", 0, "SCOPE", false, "scope, space-separated")                            \
    OPTION(ORIGIN, "origin", 0, "ORIGIN", true,                                                    \
           "an origin whose pages may use it (may be repeated)")                                   \
    OPTION(REDIRECT_URI, "redirect-uri", 0, "URI", true,                                           \
           "where it may be redirected to (may be repeated)")                                      \
    OPTION(POLICY, "policy", 0, "NAME=VALUE", true,                                                \
           "the client's own policy, named as in retoken.conf(5) (may be repeated)")               \
    OPTION(GRANT, "grant", 0, "GRANT", true, "a grant the client may use (may be repeated)")       \
    OPTION(KEY, "key", 0, "FILE", false, "public keys for client assertions: JWK Set or PEM")      \
    OPTION(CERTIFICATE, "certificate", 0, "FILE", false,                                           \
           "TLS certificates by which it proves itself: PEM, or a JWK Set with x5c")               \
    OPTION(CERTIFICATE_NAME, "certificate-name", 0, "KIND:NAME", false,                            \
           "the name in its TLS certificate: dn:, dns:, uri:, ip: or email:")                      \
    OPTION(ALGORITHM, "algorithm", 0, "ALG", false,                                                \
           "HS256 RS256 RS384 RS512 PS256 ES256 ES384 EdDSA; of others HS384 HS512 ES512 too")     \
    OPTION(MOUNT, "mount", 0, "PATH", false, "the mount the session is for")                       \
    OPTION(ACCOUNT, "account", 0, "NAME", false, "whose sessions or events")                       \
    OPTION(CLIENT, "client", 0, "ID", false, "the client of the session or event")                 \
    OPTION(IMPORT, "import-token-file", 0, "FILE", false,                                          \
           "honour a refresh token of another server; - is stdin")                                 \
    OPTION(CREATE_ACCOUNTS, "create-accounts", 0, "", false,                                       \
           "add accounts that are not there, without a password")                                  \
    OPTION(DRY_RUN, "dry-run", 0, "", false, "say what would happen, and change nothing")          \
    OPTION(REALM, "realm", 0, "REALM", false, "only what is of this realm")                        \
    OPTION(KID, "kid", 0, "KID", false, "the key's name (else its thumbprint)")                    \
    OPTION(ACTIVATE, "activate", 0, "", false, "let it sign at once")                              \
    OPTION(VERIFY_ONLY, "verify-only", 0, "", false,                                               \
           "another server's key: it verifies refresh tokens to adopt, and never signs")           \
    OPTION(NOW, "now", 0, "", false, "even if others cannot have it yet")                          \
    OPTION(FORCE, "force", 0, "", false, "do what is refused because it is seldom meant")          \
    OPTION(ISSUER, "issuer", 0, "URL", false, "this site's URL, which access tokens name")         \
    OPTION(STORE, "store", 0, "URL", false, "the store, if not a directory of its own")            \
    OPTION(OWNER, "owner", 0, "URL", false, "a role of its server that makes tables and roles")    \
    OPTION(YES, "yes", 0, "", false, "without asking")                                             \
    OPTION(ALL, "all", 0, "", false, "all there are")                                              \
    OPTION(ONCE, "once", 0, "", false, "send what is due, and end")                                \
    OPTION(SESSION, "session", 0, "SESSION", false, "only what concerns this session")             \
    OPTION(SINCE, "since", 0, "DURATION", false, "only of the last so long, like 7d")              \
    OPTION(KIND, "kind", 0, "KIND", true, "only events of this kind or class (may be repeated)")   \
    OPTION(URL, "url", 0, "URL", false, "look at the mounts from outside, below this URL")         \
    OPTION(CA_FILE, "ca-file", 0, "FILE", false,                                                   \
           "certificates that vouch for it (else the system's)")                                   \
    OPTION(REQUEST, "request", 0, "FILE", false, "a recorded HTTP request; - is stdin")            \
    OPTION(ANSWER, "answer", 0, "FILE", false, "the recorded HTTP answer to it")                   \
    OPTION(REFUSAL, "refusal", 0, "FILE", false, "a recorded answer to a token that is no good")   \
    OPTION(HAR, "har", 0, "FILE", false, "what a browser recorded, as a HAR file")                 \
    OPTION(PAGE, "page", 0, "", false, "what the page reads: put it into its described.json")      \
    OPTION(OUTCOME, "outcome", 0, "WORD", false, "what is answered then: a word of the log")       \
    OPTION(LAST, "last", 0, "N", false, "how many")

enum option_id {
#define OPTION(name, word, letter, value, repeats, help) OPTION_##name,
    OPTION_ROWS
#undef OPTION
};

enum { OPTION_COUNT = OPTION_LAST + 1, OPTIONS_MAX = 64 };

/* Sets of options, for a verb's row: OPTION_BIT(JSON) | OPTION_BIT(ACCOUNT). */
#define OPTION_BIT(name) (UINT64_C(1) << OPTION_##name)

struct option_row {
    const char *word;
    char letter;
    const char *value; /* what follows it, for the help; "" = nothing does */
    bool repeats;
    const char *help;
};
const struct option_row *options_row(enum option_id option);

struct options {
    struct option_given {
        enum option_id option;
        const char *value; /* "" where none follows */
    } given[OPTIONS_MAX];
    size_t given_count;
    char *const *arguments; /* what is not an option, in order; in argv */
    size_t argument_count;
};

/* Reads argv[1..] with getopt_long(3), which moves the arguments behind the options; abbreviated
 * names are refused. False with *fault: unknown option, value missing or superfluous, one given
 * twice that may not be, too many. Values and arguments stay argv's. For one thread, as getopt. */
bool options_read(int argc, char **argv, struct options *options, struct fault *fault);

bool options_has(const struct options *options, enum option_id option);
/* The value, or NULL when the option was not given. */
const char *options_value(const struct options *options, enum option_id option);
/* The next value of a repeated option from *at on (start with 0); NULL after the last. */
const char *options_next(const struct options *options, enum option_id option, size_t *at);
/* The first given option outside `allowed`; NULL when there is none. */
const struct option_row *options_outside(const struct options *options, uint64_t allowed);

#endif
