/* SPDX-License-Identifier: ISC */
/* server.h: a PostgreSQL server of a test program's own, on a Unix socket in a scratch directory.
 * It starts at the first use, and is gone with its directory soon after the program, however that
 * ends. Knows how to start and stop it; does not know what is stored. Where there is no PostgreSQL,
 * the test fails and says what to install. */
#ifndef RETOKEN_TESTS_STORE_SERVER_H
#define RETOKEN_TESTS_STORE_SERVER_H

#include <stddef.h>

/* The URL of its first database, as a superuser. */
const char *server_url(void);

/* Writes the URL of an empty schema of its own. */
void server_fresh(char *url, size_t size);

/* Runs one statement as a superuser; the test fails when it fails. */
void server_run(const char *sql);

/* Kills the server as a loss of power would, and returns when it has been started again. */
void server_kill(void);

#endif
