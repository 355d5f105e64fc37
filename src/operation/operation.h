/* SPDX-License-Identifier: ISC */
/* operation.h: what can be done, free of any dialect: one row per operation, one file each. A
 * dialect's decode chooses the row; the responder runs any of them and knows none.
 *
 *     begin -> step -> NULL: *outcome holds
 *               ^  \-> a write: hand it to the store, then
 *               \----- written(what came of it)
 *
 * So no thread waits while the disk works: the steps of one request may run in different threads,
 * one after the other. */
#ifndef RETOKEN_OPERATION_OPERATION_H
#define RETOKEN_OPERATION_OPERATION_H

#include "operation/request.h"

struct operation {
    const char *word;  /* in the log: "refresh" */
    bool routine;      /* asked by machines all day, and changes nothing: logged at level info */
    bool finds_client; /* of a session, and asks whether the page is one of its pages */
    bool names_client; /* the one that asks, whose page it must be */

    /* Checks who asks and finds what is asked for. False: request->fault says what broke. */
    bool (*begin)(struct request *request);
    /* The next write, kept in the request's arena until it is done, or NULL with *outcome. On
     * OUTCOME_FAULT request->fault says what broke, and what was presented is as good as before. */
    struct store_write *(*step)(struct request *request, enum outcome *outcome);
    /* Takes what came of the write; a write that lost a race makes the next step decide again. NULL
     * where step never writes. */
    void (*written)(struct request *request, enum store_result result);
};

extern const struct operation operation_refresh;
extern const struct operation operation_login;
extern const struct operation operation_logout;
extern const struct operation operation_verify;
extern const struct operation operation_validate;
extern const struct operation operation_introspect;
extern const struct operation operation_check;
extern const struct operation operation_own_sessions;
extern const struct operation operation_revoke;
extern const struct operation operation_authorize;
extern const struct operation operation_code;
extern const struct operation operation_session;
extern const struct operation operation_client;
extern const struct operation operation_device;
extern const struct operation operation_device_approval;
extern const struct operation operation_device_grant;
extern const struct operation operation_dbsc_start;
extern const struct operation operation_dbsc_register;
extern const struct operation operation_key_set;
extern const struct operation operation_public_key;
extern const struct operation operation_health;
extern const struct operation operation_ready;
extern const struct operation operation_metrics;
extern const struct operation operation_preflight;
extern const struct operation operation_metadata;

/* `size` bytes of the request's memory for an operation's state, of which the first `zeroed` are 0.
 * NULL with request->fault set. */
void *operation_state(struct request *request, size_t size, size_t zeroed);

/* Puts into request->answer, for the log line, that this session is spoken of, and the generation
 * of it that was presented. */
void operation_tell_session(struct request *request, const struct session *session,
                            uint32_t presented);

/* Reads the session into *view. OUTCOME_SERVED: it is there; _TOKEN_UNKNOWN: it is not, or not any
 * more; _FAULT: request->fault says what broke. */
enum outcome operation_find_session(struct request *request, const uint8_t id[SESSION_ID_SIZE],
                                    struct session_view *view);

/* The same into the request's memory, as large as what was read. */
enum outcome operation_view_session(struct request *request, const uint8_t id[SESSION_ID_SIZE],
                                    struct session_view **view);

/* The network that the request comes from, as the record of session `id` keeps it; all zero where
 * it is not known. False with request->fault. */
bool operation_network(struct request *request, const uint8_t id[SESSION_ID_SIZE],
                       uint8_t network[SESSION_NETWORK_SIZE]);

/* The operation's next step, after the last of which a guess at a password or secret is counted
 * (guess.h). As `step` and `written`, which no one else calls. */
struct store_write *operation_step(struct request *request, enum outcome *outcome);
void operation_written(struct request *request, enum store_result result);

/* All of it, waiting for each write. For `retoken` and tests. */
enum outcome operation_run(struct request *request);

#endif
