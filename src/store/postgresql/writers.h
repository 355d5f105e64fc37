/* SPDX-License-Identifier: ISC */
/* writers.h: connections that may be believed. Each has a row in the table of writers, written when
 * it is connected: that write must be durable, so what was visible before it is durable as well;
 * and it waits for a transaction of the connection before it, whose row it is, and so tells whether
 * that was committed. Knows that row and the server's clock; does not know records. */
#ifndef RETOKEN_STORE_POSTGRESQL_WRITERS_H
#define RETOKEN_STORE_POSTGRESQL_WRITERS_H

#include <stdatomic.h>

#include "base/clock.h"
#include "store/postgresql/connection.h"

/* The server's time, as far as this process has been told it, by a clock that is never set. For
 * many threads at once. */
struct writers_clock;
struct writers_server {
    struct connection_settings settings;
    struct writers_clock *clock;
    atomic_uint_fast64_t warnings; /* of commits of this process that may be on no standby */
};
/* NULL: out of memory. */
struct writers_clock *writers_clock_open(void);
/* NULL is harmless. */
void writers_clock_close(struct writers_clock *clock);
/* As a clock to hand in; before the first connection it is the machine's. */
struct clock writers_clock_of(struct writers_clock *clock);

/* For one thread at a time. */
struct writer;
/* Connects to nothing. NULL: out of memory, or no randomness. */
struct writer *writer_open(struct writers_server *server);
/* NULL is harmless. */
void writer_close(struct writer *writer);
struct connection *writer_connection(struct writer *writer);
/* Connects if need be, and makes sure that it may be believed: a new connection, and each once
 * there was a warning that a commit may be on no standby, which others see nevertheless. */
enum connection_outcome writer_ready(struct writer *writer, int64_t until_us, struct fault *fault);
/* The number of the last transaction of this writer that is known to be committed. */
int64_t writer_committed(const struct writer *writer);
/* Queues, in a transaction, that it is the next one, and that what it wrote before bears the right
 * time. */
void writer_send_number(struct writer *writer);
/* It was committed. */
void writer_note_commit(struct writer *writer);

/* A commit that waited long for a standby is seen late, and says that its tokens were spent earlier
 * than anybody could know. Whoever wrote it corrects that, unless it has died; so a time is certain
 * once this says so. Waits for no disk. */
enum connection_outcome writer_confirm(struct writer *writer, int64_t until_us,
                                       struct fault *fault);
/* Queues the question whether a token that was spent at that time may have been spent later, by
 * another writer; the answer is the statement's number of rows. */
void writer_send_doubt(struct writer *writer, int64_t spent_ms);
/* Queues forgetting those that have not been seen for a day. */
void writer_send_tidy(struct writer *writer);

#endif
