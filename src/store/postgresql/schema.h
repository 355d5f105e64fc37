/* SPDX-License-Identifier: ISC */
/* schema.h: the tables of a store in PostgreSQL, and who may use them. Knows schemas, tables and
 * roles; does not know what the rows hold, except for the columns that an operator can query.
 *
 * The schema is the first one of the connection's search_path. It belongs to one role; another one,
 * the responder's, may read and write rows and nothing else. */
#ifndef RETOKEN_STORE_POSTGRESQL_SCHEMA_H
#define RETOKEN_STORE_POSTGRESQL_SCHEMA_H

#include "store/postgresql/connection.h"
#include "store/store.h"

enum { SCHEMA_VERSION = 1, SCHEMA_NAME_MAX = 63 };

/* What schema_make did. */
struct schema_made {
    bool tables, user_role, owner_role; /* made now; false: there already, or not needed */
    char schema[SCHEMA_NAME_MAX + 1];
    char user[SCHEMA_NAME_MAX + 1];
    char owner[SCHEMA_NAME_MAX + 1];
};

/* Are the tables there, and may the role of this connection use them? STORE_ABSENT: there are none,
 * and *fault says so, too. STORE_FAULT: another version, no rights, or no answer by until_us
 * (clock_stopwatch_us). Connects where it has to. */
enum store_result schema_look(struct connection *connection, int64_t until_us, struct fault *fault);

/* Makes what is missing; several programs may do so at once. `user`: the role that is to use the
 * tables; NULL: that of this connection. For another role a superuser makes the role, if it is not
 * there, and one that owns the schema and cannot log in; without a superuser this connection's role
 * is the owner, and the other one has to be there. *made may be NULL. STORE_OK or STORE_FAULT. */
enum store_result schema_make(struct connection *connection, const char *user,
                              struct schema_made *made, int64_t until_us, struct fault *fault);

#endif
