/* SPDX-License-Identifier: ISC */
/* learn.h: the file of a dialect, proposed from recorded exchanges. Every guess is marked by a
 * comment, and what no file can say is said to the user. Knows how backends usually name things;
 * does not know where recordings come from. */
#ifndef RETOKEN_ADMIN_LEARN_LEARN_H
#define RETOKEN_ADMIN_LEARN_LEARN_H

#include "admin/learn/values.h"

/* What an exchange is about. */
enum learn_what {
    LEARN_REFRESH,
    LEARN_LOGIN,
    LEARN_LOGOUT,
    LEARN_VALIDATE, /* whose a token is: "me", "userinfo" */
    LEARN_VERIFY,   /* whether it is good */
    LEARN_WHATS     /* nothing of ours */
};

struct learn_exchange {
    struct http_recording request, answer;
    size_t entry; /* of a HAR file, from 1; 0: it is alone */
};

struct learn_refusal {
    enum learn_what what;
    const char *word; /* a line of [refusals]: "token" */
    const struct learn_exchange *exchange;
};

enum { LEARN_REFUSALS_MAX = 24, LEARN_NAMES_MAX = 4 };

/* What a backend calls its tokens, where the way of values told it. "" ends an array, or is none.
 */
struct learn_names {
    const char *cookie;                  /* that has the refresh token; NULL = none is known */
    struct text shown[LEARN_NAMES_MAX];  /* places of requests with refresh tokens, as spelled */
    struct text next[LEARN_NAMES_MAX];   /* paths in answers, or headers, of refresh tokens */
    struct text access[LEARN_NAMES_MAX]; /* of access tokens */
    struct text username, password;      /* places of logins, as spelled */
};

/* What was recorded of one backend. */
struct learn_input {
    const struct learn_exchange *granted[LEARN_WHATS]; /* NULL = none; a refresh there must be */
    const struct learn_exchange *earlier; /* another refresh, before that one; NULL = none */
    struct learn_refusal refusals[LEARN_REFUSALS_MAX];
    size_t refusal_count;
    size_t refreshes, rotations; /* how many there were, and how many brought another token */
    struct learn_names names;
    bool logout_guessed;  /* no word of the logout says that it is one */
    struct buffer unsaid; /* lines: what no file can say, each with its place */
};

/* Appends the file, and to input->unsaid what cannot be in it. False: *fault says what the
 * recordings lack. */
bool learn_dialect(struct learn_input *input, struct arena *arena, struct buffer *out,
                   struct fault *fault);

/* Appends a line "entry 5, POST /auth/refresh: …", in which nothing is shown that the path may have
 * of one user. `format` has no value of a recording but names. */
void learn_unsaid(struct buffer *unsaid, const struct learn_exchange *exchange, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));

#endif
