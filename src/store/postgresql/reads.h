/* SPDX-License-Identifier: ISC */
/* reads.h: reading for many threads. Keys that threads ask for at the same time are read together:
 * one of the threads leads, and sends what has gathered in one trip. Who walks through a table gets
 * a connection alone. No read waits for a write. Knows connections and threads; does not know what
 * is read.
 *
 * What a server shows when it was just started may be on no standby, and would be lost with it. So
 * after each new connection a small write must be durable before anything is believed that is read
 * (writers.h). */
#ifndef RETOKEN_STORE_POSTGRESQL_READS_H
#define RETOKEN_STORE_POSTGRESQL_READS_H

#include "store/postgresql/tables.h"
#include "store/postgresql/writers.h"

struct reads;

/* `server` outlives it. NULL: out of memory. */
struct reads *reads_open(struct writers_server *server);
/* NULL is harmless. */
void reads_close(struct reads *reads);

/* Begins a transaction, which its read_end ends. False with *fault set. */
bool reads_begin(struct reads *reads, int64_t wait_us, struct txn *txn, struct fault *fault);

/* For tables.c: reads what `tables` asks for; a connection, and back. */
enum connection_outcome reads_fill(struct reads *reads, struct tables *tables, int64_t until_us,
                                   struct fault *fault);
enum connection_outcome reads_take(struct reads *reads, int64_t until_us,
                                   struct connection **connection, struct fault *fault);
void reads_give(struct reads *reads, struct tables *tables);

#endif
