/* SPDX-License-Identifier: ISC */
/* connection.h: a connection to PostgreSQL: many statements in one round trip, and after each trip
 * one word for what has become of them. The one room of libpq, which is loaded at the first use.
 * Knows hosts, deadlines and the classes of errors; does not know tables, or who tries again.
 *
 * A statement that was sent is never cancelled: what came of it would be uncertain in one more way.
 * The connection must lead to the server itself, or to a pooler that keeps a server connection for
 * each client connection: statements are prepared and settings made once for each connection, so
 * the transaction mode of PgBouncer cannot work. */
#ifndef RETOKEN_STORE_POSTGRESQL_CONNECTION_H
#define RETOKEN_STORE_POSTGRESQL_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "store/postgresql/parameters.h"

enum connection_outcome {
    CONNECTION_OK,
    CONNECTION_AGAIN,   /* nothing was applied; worth trying again at once: a conflict with another
                           transaction (40001, 40P01, 55P03), or an administrator's cancel (57014) */
    CONNECTION_AWAY,    /* nothing was applied, and this connection is closed: the server is not a
                           primary any more, is starting, is full, or could not be reached */
    CONNECTION_UNKNOWN, /* it was sent, and nothing says what became of it: the connection broke,
                           was ended by the server or was too slow; or what was committed may not
                           be on a standby (a WARNING of class 01000). This connection is closed */
    CONNECTION_FAULT    /* nothing was applied, and trying again will not help */
};

struct connection_settings {
    /* postgresql://…, with one or several hosts and all that libpq knows but a password. Unless it
     * says otherwise, target_session_attrs is read-write. */
    const char *url;
    const char *password_file; /* read at each connect, private to this user; NULL = libpq's own
                                  ways (~/.pgpass, a certificate, peer) */
    const char *application;   /* application_name */
    bool read_only;            /* default_transaction_read_only = on */
};

/* Loads libpq, for a process that will not be able to when it connects. False: *fault says what to
 * install. */
bool connection_load(struct fault *fault);

/* For one thread at a time. Made after the last fork. */
struct connection;

/* Copies the settings. Connects to nothing. NULL: out of memory. */
struct connection *connection_open(const struct connection_settings *settings);
/* NULL is harmless. */
void connection_close(struct connection *connection);

/* Connects if it is not connected; until_us is on clock_stopwatch_us. Of several hosts each gets
 * its share of the time (or `connect_timeout`), beginning with the one that was right the last
 * time. OK, AWAY or FAULT; without OK it is not connected, and *fault says why. Looking up a host's
 * name has no deadline but the resolver's. */
enum connection_outcome connection_ready(struct connection *connection, int64_t until_us,
                                         struct fault *fault);
/* How often it has been connected: tells a new connection from the one before. */
uint64_t connection_times(const struct connection *connection);
/* How often it was warned that what it committed may be on no standby: others see it already. */
uint64_t connection_warnings(const struct connection *connection);
/* Closes the socket and sends nothing: the server ends what it is doing, and rolls back what has
 * not been committed. */
void connection_drop(struct connection *connection);
/* PQserverVersion: 150018 is 15.18. 0 = not connected. */
int connection_server_version(const struct connection *connection);

/* One SQL statement, static. `name`: it is prepared at its first use on each connection; NULL: it
 * is not. The types of parameters come from casts in the SQL ($1::bytea). */
struct statement {
    const char *name, *sql;
};

extern const struct statement statement_begin;
extern const struct statement statement_commit;
extern const struct statement statement_rollback;

/* Queues a statement. What has gathered is sent by connection_wait, or when it is much. The
 * parameters (NULL = none) may be cleared at once. What goes wrong here is told by connection_wait.
 */
void connection_send(struct connection *connection, const struct statement *statement,
                     const struct parameters *parameters);

/* Sends what is queued and waits for the results, until until_us at most. The first error makes the
 * outcome; statements behind it were not run. Statements outside of BEGIN and COMMIT are one
 * transaction from one wait to the next. After statement_commit nothing is queued before the wait.
 *
 * OK: all were run. A transaction that was begun and not committed is open, and the caller's to
 * end. AGAIN, FAULT: it has been rolled back, and the connection can be used. AWAY, UNKNOWN: the
 * connection is closed. The results of OK stay until the next connection_send or connection_drop.
 */
enum connection_outcome connection_wait(struct connection *connection, int64_t until_us,
                                        struct fault *fault);

/* Rows that the n-th statement (from 0) returned, or changed where it returns none. */
size_t connection_rows(const struct connection *connection, size_t statement);
/* A value as the server sends it in binary. False: SQL null. */
bool connection_bytes(const struct connection *connection, size_t statement, size_t row,
                      size_t column, const void **data, size_t *size);
/* A bigint, integer, smallint or boolean; a timestamptz in milliseconds since 1970. 0 of SQL null.
 */
int64_t connection_i64(const struct connection *connection, size_t statement, size_t row,
                       size_t column);

#endif
