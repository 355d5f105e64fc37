/* SPDX-License-Identifier: ISC */
/* call.h: one run of the program: the verb, its arguments, what it works on and how it ends. Knows
 * how a failure is worded and which exit status it has; does not know any verb. */
#ifndef RETOKEN_ADMIN_CALL_H
#define RETOKEN_ADMIN_CALL_H

#include "admin/options.h"
#include "admin/output.h"
#include "model/outcome.h"
#include "process/service.h"

/* Exit statuses; scripts rely on them. */
enum call_end {
    CALL_DONE = 0,
    CALL_REFUSED = 1, /* refused or not found; nothing is broken */
    CALL_USAGE = 2,   /* the command line is wrong */
    CALL_FAULT = 3    /* something broke here */
};

/* What a verb needs; opened before it runs. */
enum call_needs {
    CALL_NEEDS_NOTHING, /* not even a configuration: it opens what it needs itself */
    CALL_NEEDS_READING, /* the service, read only */
    CALL_NEEDS_WRITING  /* the service */
};

struct call;

/* A row of the table in main.c, which is also the help. */
struct verb {
    const char *noun;
    const char *verb;      /* "" where the noun says it all */
    const char *arguments; /* "NAME" */
    size_t least, most;    /* arguments */
    uint64_t options;      /* OPTION_BIT(…) | …; --config and --help go with every verb */
    enum call_needs needs;
    enum call_end (*run)(struct call *call);
    const char *summary;
};

struct call {
    const struct verb *verb;
    struct options options;
    size_t first_argument; /* in options.arguments: after noun and verb */
    struct service service;
    bool opened;         /* service is open */
    struct arena *arena; /* for as long as the program runs */
    struct output output;
    struct clock clock;
    struct randomness randomness;
    int64_t now_ms;
};

/* The i-th argument after noun and verb; NULL after the last. */
const char *call_argument(const struct call *call, size_t i);

/* Opens what the verb needs. CALL_DONE, or the end with its reason said. */
enum call_end call_open(struct call *call);

/* Each prints on standard error what is wrong, where, and what would be right, and returns the exit
 * status. */
enum call_end call_refuse(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum call_end call_wrong(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
enum call_end call_fault(const struct call *call, const struct fault *fault);
/* How many bytes a secret should have that a person chose, and how many it must have where it does
 * not come from a terminal: then it may be in use elsewhere, and refusing it logs its owner out. */
struct call_lengths {
    size_t wanted, least;
};
/* CALL_REFUSED, said with `what` ("a password"): too short, and not --force. Otherwise, short of
 * what is wanted, a warning. */
enum call_end call_check_length(const struct call *call, const char *what, size_t size,
                                const struct call_lengths *lengths);
/* A warning on standard error; the verb goes on. */
void call_warn(const struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The account of that name. CALL_DONE; CALL_REFUSED or CALL_FAULT with the reason said. */
enum call_end call_account(const struct call *call, const char *name, struct account *account);
/* The client of that id, likewise. */
enum call_end call_client(const struct call *call, const char *id, struct client *client);
/* The name of the account with that number, "#7" when it was removed, "" for 0. Remembers the last
 * one in *name (start with zeroes): rows of one account often come together. */
struct call_name {
    uint64_t number;
    char text[ACCOUNT_NAME_MAX + 1];
};
enum store_result call_account_name(const struct call *call, uint64_t number,
                                    struct call_name *name, struct fault *fault);
/* Calls visit(self, session) for every session that is stored, in order of ids, ended ones too; it
 * takes a second for some 100,000. A page at a time, so that memory is bounded. False with *fault.
 */
bool call_each_session(const struct call *call,
                       void (*visit)(void *self, const struct session *session), void *self,
                       struct fault *fault);
/* The session id that a command line spells. */
enum call_end call_session_id(const struct call *call, const char *spelled,
                              uint8_t id[SESSION_ID_SIZE]);

/* Attaches an event of now to a write, which is made in the same commit. `account` 0, `client`,
 * `cause` and `note` NULL = none. */
void call_attach(const struct call *call, struct store_write *write, enum event_kind kind,
                 uint64_t account, const char *client, const char *cause, const char *note);
/* Writes an event of now. CALL_FAULT with the reason said: what was done stays done. */
enum call_end call_event(const struct call *call, enum event_kind kind, uint64_t account,
                         const char *client, const char *note);

#endif
