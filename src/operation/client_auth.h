/* SPDX-License-Identifier: ISC */
/* client_auth.h: does the client prove itself (RFC 6749 section 2.3, RFC 7523 section 3, RFC 8705
 * section 2), and with which key (RFC 9449)? Knows client records and proofs; does not know
 * sessions. */
#ifndef RETOKEN_OPERATION_CLIENT_AUTH_H
#define RETOKEN_OPERATION_CLIENT_AUTH_H

#include "operation/request.h"
#include "operation/token_ref.h"

/* What proves something once: whoever grants anything makes this mark of it, and where that is
 * there already, it is refused like this. */
struct client_once {
    struct mark mark;
    enum outcome refusal;
    enum client_refusal reason;
};
enum { CLIENT_ONCE_MAX = 2 };

struct client_identity {
    bool named;      /* the request names a client that is registered and enabled */
    bool proved;     /* … and proved it with a secret, an assertion or a certificate */
    uint32_t secret; /* the number of the secret that did; 0 = none */
    char id[CLIENT_ID_MAX + 1];
    struct client_once once[CLIENT_ONCE_MAX]; /* the assertion that did, among others */
    size_t once_count;
};

/* Checks request->client at now_ms. `ref`: the token of ours that came along; NULL: none did, and
 * then a wrong secret is a stranger's guess. True: *identity is filled (not named when the request
 * names no client). False: *refusal is CLIENT_AUTH_FAILED (a confidential client without proof, a
 * wrong proof, an unknown client), PAGE_FOREIGN (before any proof is looked at), SLOWED, BUSY,
 * CLIENT_UNAUTHORIZED (it is who it says, and is disabled or may not use request->grant),
 * DPOP_INVALID or DPOP_NONCE (possession_take), or FAULT
 * with request->fault. A refused client that is
 * registered is in answer.client, and why it was refused in answer.refusal. */
bool client_auth_check(struct request *request, const struct token_ref *ref, int64_t now_ms,
                       struct client_identity *identity, enum outcome *refusal);

/* Has it sent anything at all that could prove a client? */
bool client_auth_may_prove(const struct request *request);

/* Attaches the marks of identity->once to a write that grants something. */
void client_auth_attach(const struct client_identity *identity, struct store_write *write);

/* Is nothing of identity->once used yet? For operations that answer no request twice: before a
 * write to which they are attached, and again when that write gives STORE_EXISTS. False: *refusal
 * is CLIENT_AUTH_FAILED or another that says so, or FAULT. */
bool client_auth_is_fresh(struct request *request, const struct client_identity *identity,
                          int64_t now_ms, enum outcome *refusal);

/* May a page of request->origin read the answer, where that is for this client (NULL = none) to
 * say? Settles request->page. False: *refusal is PAGE_FOREIGN. */
bool client_auth_page_matches(struct request *request, const struct client *client,
                              enum outcome *refusal);

/* When was that one used, and with what? STORE_ABSENT: it was not. Otherwise STORE_OK with *used,
 * or STORE_FAULT. */
enum store_result client_auth_find_use(struct request *request, const struct client_once *once,
                                       int64_t now_ms, struct mark *used);

#endif
