/* SPDX-License-Identifier: ISC */
/* exchange.h: presenting the code of a session that is pending, to begin it: what authorization
 * codes and device codes have in common. Knows who may come with a code; does not know what else a
 * code must come with, or what one that comes again means. */
#ifndef RETOKEN_OPERATION_EXCHANGE_H
#define RETOKEN_OPERATION_EXCHANGE_H

#include "operation/client_auth.h"

/* The state of an operation that exchanges codes. */
struct exchange {
    bool decided;
    enum outcome outcome;
    bool writes;
    struct store_write write;
    struct client_identity client;
    struct token_ref ref;
    struct session_view view; /* last, because it is large and not zeroed */
};

/* How a code is read: refresh_token_code_open and its like. */
typedef bool exchange_open(const struct secrets *secrets, struct text code,
                           uint8_t session[SESSION_ID_SIZE]);

/* A state in which nothing is decided, as request->state. NULL with request->fault. */
struct exchange *exchange_open_state(struct request *request);
/* As operation.begin: makes request->state and decides what client and code alone decide. `unnamed`
 * is the refusal where no client is named; OUTCOME_ROTATED: none need be. */
bool exchange_begin(struct request *request, exchange_open *open, struct text code,
                    enum outcome unnamed);
/* Reads the session into exchange->view. OUTCOME_ROTATED: it is of this realm and client, and the
 * page may have it. `absent` is the refusal where there is none. OUTCOME_FAULT with the fault. */
enum outcome exchange_find(struct request *request, struct exchange *exchange, enum outcome absent);
/* What is to be said to the code of a session that was found and waits for one
 * (SESSION_PENDING_CODE) or has begun. OUTCOME_ROTATED: it may begin, if all else that must come
 * with the code did. */
enum outcome exchange_judge_code(const struct request *request, const struct exchange *exchange);
/* A code came again that had begun its session (OUTCOME_TOKEN_REUSED): prepares the write that ends
 * that, or tells of it. */
void exchange_punish(struct request *request, struct exchange *exchange);
/* Goes on as the refresh operation, which knows what the session's token of this generation gets.
 * False with request->fault. */
bool exchange_ask_again(struct request *request, const struct exchange *exchange,
                        uint32_t generation);
/* Takes the verdict; OUTCOME_ROTATED prepares the write that begins the session. */
void exchange_decide(struct request *request, struct exchange *exchange, enum outcome outcome);
/* As operation.written. One that lost a race is to be decided again. */
void exchange_written(struct request *request, enum store_result result);

#endif
