/* SPDX-License-Identifier: ISC */
/* connection.c: see connection.h. libpq in pipeline mode, without blocking, values in binary.
 *
 * One rule decides the outcomes: a statement that was sent was applied (its result came), was not
 * (an ERROR came, which ends the transaction), or nothing is known. FATAL and PANIC end a server
 * process somewhere, perhaps behind a commit. */
#include "store/postgresql/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECTION_OK LIBPQ_CONNECTION_OK /* both have one */
#include <libpq-fe.h>
#undef CONNECTION_OK

#include "base/clock.h"
#include "base/codec.h"
#include "base/crypto.h"
#include "base/library.h"
#include "base/private_file.h"
#include "base/secret.h"
#include "base/text.h"

/* What is used of the library, under its own names. */
#define FUNCTION(name) __typeof__(name) *name
struct libpq {
    FUNCTION(PQconninfoParse);
    FUNCTION(PQconninfoFree);
    FUNCTION(PQfreemem);
    FUNCTION(PQconnectStartParams);
    FUNCTION(PQconnectPoll);
    FUNCTION(PQfinish);
    FUNCTION(PQsocket);
    FUNCTION(PQhost);
    FUNCTION(PQstatus);
    FUNCTION(PQerrorMessage);
    FUNCTION(PQserverVersion);
    FUNCTION(PQtransactionStatus);
    FUNCTION(PQsetErrorVerbosity);
    FUNCTION(PQsetNoticeReceiver);
    FUNCTION(PQsetnonblocking);
    FUNCTION(PQenterPipelineMode);
    FUNCTION(PQsendPrepare);
    FUNCTION(PQsendQueryPrepared);
    FUNCTION(PQsendQueryParams);
    FUNCTION(PQpipelineSync);
    FUNCTION(PQflush);
    FUNCTION(PQconsumeInput);
    FUNCTION(PQisBusy);
    FUNCTION(PQgetResult);
    FUNCTION(PQresultStatus);
    FUNCTION(PQresultErrorField);
    FUNCTION(PQclear);
    FUNCTION(PQntuples);
    FUNCTION(PQftype);
    FUNCTION(PQgetisnull);
    FUNCTION(PQgetvalue);
    FUNCTION(PQgetlength);
    FUNCTION(PQcmdTuples);
};

#define MEMBER(name) #name, offsetof(struct libpq, name)
static const struct library_symbol symbols[] = {
    {MEMBER(PQconninfoParse)},
    {MEMBER(PQconninfoFree)},
    {MEMBER(PQfreemem)},
    {MEMBER(PQconnectStartParams)},
    {MEMBER(PQconnectPoll)},
    {MEMBER(PQfinish)},
    {MEMBER(PQsocket)},
    {MEMBER(PQhost)},
    {MEMBER(PQstatus)},
    {MEMBER(PQerrorMessage)},
    {MEMBER(PQserverVersion)},
    {MEMBER(PQtransactionStatus)},
    {MEMBER(PQsetErrorVerbosity)},
    {MEMBER(PQsetNoticeReceiver)},
    {MEMBER(PQsetnonblocking)},
    {MEMBER(PQenterPipelineMode)},
    {MEMBER(PQsendPrepare)},
    {MEMBER(PQsendQueryPrepared)},
    {MEMBER(PQsendQueryParams)},
    {MEMBER(PQpipelineSync)},
    {MEMBER(PQflush)},
    {MEMBER(PQconsumeInput)},
    {MEMBER(PQisBusy)},
    {MEMBER(PQgetResult)},
    {MEMBER(PQresultStatus)},
    {MEMBER(PQresultErrorField)},
    {MEMBER(PQclear)},
    {MEMBER(PQntuples)},
    {MEMBER(PQftype)},
    {MEMBER(PQgetisnull)},
    {MEMBER(PQgetvalue)},
    {MEMBER(PQgetlength)},
    {MEMBER(PQcmdTuples)},
};
_Static_assert(sizeof(struct libpq) == sizeof symbols / sizeof symbols[0] * sizeof(void *),
               "every function is loaded");

static const struct library_file library = {"libpq.so.5", "libpq5", symbols,
                                            sizeof symbols / sizeof symbols[0]};

enum {
    HOST_MAX = 512,      /* bytes of one host of the URL */
    PASSWORD_MAX = 1024, /* bytes of the password file */
    KEYWORDS_MAX = 64,   /* libpq 15 knows 40 */
    SQLSTATE_SIZE = 5
};

/* A statement that was queued. */
struct queued {
    const struct statement *statement;
    bool prepares;
    PGresult *result; /* NULL: none has come */
};

struct prepared {
    const struct statement *statement;
    bool confirmed; /* false: the server has not answered yet */
};

struct connection {
    char *url, *password_file, *application;
    bool read_only;
    bool loaded;
    struct libpq libpq;
    PGconn *pg; /* NULL: not connected */
    uint64_t times;
    size_t host; /* of those in the URL, by number: the last one that was right */
    struct queued *queue;
    size_t queue_size, queue_room;
    bool waited; /* the queue holds results of the last wait */
    struct prepared *prepared;
    size_t prepared_size, prepared_room;
    bool spoiled; /* what is queued cannot be run any more: `outcome` and `trouble` */
    enum connection_outcome outcome;
    struct fault trouble;
    bool ended;  /* the server has said good-bye */
    bool warned; /* and `warning` */
    uint64_t warnings;
    struct fault warning;
};

/* Made once for each connection. Tables are in schema retoken, unless the URL or the role names
 * another one. A server process whose client is gone, with its machine perhaps,
 * must not keep its locks; a wait for locks is bounded by the caller; and the warning that a commit
 * is on no standby must come. */
#define SETTINGS                                                                                   \
    "SELECT set_config('client_min_messages', 'warning', false),"                                  \
    " set_config('default_transaction_isolation', 'read committed', false),"                       \
    " set_config('idle_in_transaction_session_timeout', '10s', false),"                            \
    " set_config('lock_timeout', '0', false),"                                                     \
    " set_config('statement_timeout', '0', false),"                                                \
    " set_config('search_path', CASE current_setting('search_path') WHEN '\"$user\", public'"      \
    " THEN 'retoken' ELSE current_setting('search_path') END, false)"

static const struct statement settings_of_writer = {NULL, SETTINGS};
static const struct statement settings_of_reader = {
    NULL, SETTINGS ", set_config('default_transaction_read_only', 'on', false)"};

const struct statement statement_begin = {"begin",
                                          "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
const struct statement statement_commit = {"commit", "COMMIT"};
const struct statement statement_rollback = {"rollback", "ROLLBACK"};

static bool load(struct libpq *libpq, struct fault *fault);
static enum connection_outcome connect_any(struct connection *connection,
                                           const PQconninfoOption *options, int64_t until_us,
                                           struct fault *fault);
static enum connection_outcome connect_one(struct connection *connection,
                                           const PQconninfoOption *options, size_t host,
                                           int64_t until_us, struct fault *fault);
static PGconn *start(const struct connection *connection, const PQconninfoOption *options,
                     size_t host, struct fault *fault);
static enum connection_outcome set_up(struct connection *connection, int64_t until_us,
                                      struct fault *fault);
static enum connection_outcome judge_refusal(const char *message, struct fault *fault);
static bool read_password(const struct connection *connection, char password[PASSWORD_MAX + 1],
                          struct fault *fault);
static bool wait_for(int socket, short events, int64_t until_us);
static const char *value_of(const PQconninfoOption *options, const char *keyword);
static size_t host_count(const PQconninfoOption *options);
static bool part_of(const char *list, size_t n, char part[HOST_MAX]);
static bool is_alive(struct connection *connection);
static void take_notice(void *self, const PGresult *notice);
static void forget_results(struct connection *connection);
static bool prepare(struct connection *connection, const struct statement *statement,
                    bool *prepares);
static bool enqueue(struct connection *connection, const struct statement *statement,
                    const struct parameters *parameters);
static void spoil(struct connection *connection, enum connection_outcome outcome, const char *why);
static enum connection_outcome collect(struct connection *connection, int64_t until_us,
                                       struct fault *fault);
static enum connection_outcome collect_one(struct connection *connection, struct queued *queued,
                                           int64_t until_us, struct fault *fault);
static void confirm(struct connection *connection, const struct statement *statement);
static bool next_result(struct connection *connection, int64_t until_us, PGresult **result,
                        struct fault *fault);
static bool next_sync(struct connection *connection, int64_t until_us, struct fault *fault);
static enum connection_outcome judge(const struct connection *connection,
                                     const struct queued *queued, const PGresult *result,
                                     struct fault *fault);
static enum connection_outcome judge_code(const char *code, bool error);
static void say(const struct connection *connection, struct fault *fault);
static bool roll_back(struct connection *connection, int64_t until_us);
static void *grown(void *list, size_t *room, size_t size, size_t each);

/* ---- open and close ---- */

bool connection_load(struct fault *fault)
{
    struct libpq libpq;

    return load(&libpq, fault);
}

struct connection *connection_open(const struct connection_settings *settings)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL) {
        return NULL;
    }
    connection->url = strdup(settings->url);
    connection->application = strdup(settings->application);
    connection->password_file =
        settings->password_file != NULL ? strdup(settings->password_file) : NULL;
    connection->read_only = settings->read_only;
    if (connection->url == NULL || connection->application == NULL ||
        (settings->password_file != NULL && connection->password_file == NULL)) {
        connection_close(connection);
        return NULL;
    }
    return connection;
}

void connection_close(struct connection *connection)
{
    if (connection == NULL) {
        return;
    }
    if (connection->pg != NULL && (connection->queue_size == 0 || connection->waited)) {
        forget_results(connection);
        connection->libpq.PQfinish(connection->pg);
        connection->pg = NULL;
    }
    connection_drop(connection);
    free(connection->queue);
    free(connection->prepared);
    free(connection->url);
    free(connection->password_file);
    free(connection->application);
    free(connection);
}

void connection_drop(struct connection *connection)
{
    forget_results(connection);
    connection->prepared_size = 0;
    if (connection->pg != NULL) {
        /* PQfinish would send what is still queued */
        (void)shutdown(connection->libpq.PQsocket(connection->pg), SHUT_RDWR);
        connection->libpq.PQfinish(connection->pg);
        connection->pg = NULL;
    }
}

uint64_t connection_times(const struct connection *connection)
{
    return connection->times;
}

uint64_t connection_warnings(const struct connection *connection)
{
    return connection->warnings;
}

int connection_server_version(const struct connection *connection)
{
    return connection->pg != NULL ? connection->libpq.PQserverVersion(connection->pg) : 0;
}

/* ---- connecting ---- */

enum connection_outcome connection_ready(struct connection *connection, int64_t until_us,
                                         struct fault *fault)
{
    enum connection_outcome outcome = CONNECTION_FAULT;
    char *wrong = NULL;

    connection->spoiled = false;
    if (connection->pg != NULL && is_alive(connection)) {
        return CONNECTION_OK;
    }
    connection_drop(connection);
    connection->loaded = connection->loaded || load(&connection->libpq, fault);
    if (!connection->loaded) {
        return CONNECTION_FAULT;
    }
    PQconninfoOption *options = connection->libpq.PQconninfoParse(connection->url, &wrong);
    if (options == NULL) {
        /* what libpq says quotes the URL, and perhaps a password in it */
        fault_set(fault, "PostgreSQL: not a URL that libpq understands; write for example "
                         "postgresql://retoken@db1.example.org,db2.example.org/retoken");
    } else if (value_of(options, "password") != NULL || value_of(options, "sslpassword") != NULL) {
        fault_set(fault, "PostgreSQL: the URL of the store holds a password, which others may "
                         "read; put it into a file of mode 0600 and name that in "
                         "store-password-file");
    } else {
        outcome = connect_any(connection, options, until_us, fault);
    }
    connection->libpq.PQconninfoFree(options);
    connection->libpq.PQfreemem(wrong);
    return outcome;
}

static bool load(struct libpq *libpq, struct fault *fault)
{
    if (!library_load(&library, libpq, fault)) {
        return false;
    } else if (!crypto_start_tls()) {
        fault_set(fault, "libcrypto: cannot be set up");
        return false;
    }
    return true;
}

/* All hosts, the last good one first. libpq would try them one after the other, too, but a host
 * that answers nothing at all would have all of the time. */
static enum connection_outcome connect_any(struct connection *connection,
                                           const PQconninfoOption *options, int64_t until_us,
                                           struct fault *fault)
{
    const char *limit = value_of(options, "connect_timeout");
    int64_t limit_us = limit != NULL ? strtoll(limit, NULL, 10) * 1000000 : 0;
    enum connection_outcome outcome = CONNECTION_FAULT;
    size_t count = host_count(options), first = connection->host;
    struct fault all = {""}, one = {""};

    for (size_t i = 0; i < count; i++) {
        int64_t now_us = clock_stopwatch_us();
        int64_t share_us = (until_us - now_us) / (int64_t)(count - i);
        size_t host = (first + i) % count;

        share_us = limit_us > 0 && limit_us < share_us ? limit_us : share_us;
        switch (connect_one(connection, options, host, now_us + share_us, &one)) {
        case CONNECTION_OK:
            connection->host = host;
            connection->times++;
            return CONNECTION_OK;
        case CONNECTION_AGAIN:
        case CONNECTION_AWAY:
        case CONNECTION_UNKNOWN:
            outcome = CONNECTION_AWAY; /* that one host may be another one soon */
            break;
        case CONNECTION_FAULT:
            break;
        }
        connection_drop(connection);
        fault_set(&all, "%s%s%s", all.text, i > 0 ? "; " : "", one.text);
    }
    fault_set(fault, "PostgreSQL: %s", all.text);
    return outcome;
}

static enum connection_outcome connect_one(struct connection *connection,
                                           const PQconninfoOption *options, size_t host,
                                           int64_t until_us, struct fault *fault)
{
    const struct libpq *libpq = &connection->libpq;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;

    connection->ended = connection->warned = false;
    connection->pg = start(connection, options, host, fault);
    if (connection->pg == NULL) {
        return CONNECTION_FAULT;
    }
    libpq->PQsetNoticeReceiver(connection->pg, take_notice, connection);
    libpq->PQsetErrorVerbosity(connection->pg, PQERRORS_VERBOSE); /* with the SQLSTATE */
    while (libpq->PQstatus(connection->pg) != CONNECTION_BAD && next != PGRES_POLLING_OK &&
           next != PGRES_POLLING_FAILED) {
        if (!wait_for(libpq->PQsocket(connection->pg),
                      next == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_us)) {
            fault_set(fault, "no answer in time from %s", libpq->PQhost(connection->pg));
            return CONNECTION_AWAY;
        }
        next = libpq->PQconnectPoll(connection->pg);
    }
    if (next == PGRES_POLLING_OK) {
        return set_up(connection, until_us, fault);
    }
    return judge_refusal(libpq->PQerrorMessage(connection->pg), fault);
}

/* NULL with *fault. */
static PGconn *start(const struct connection *connection, const PQconninfoOption *options,
                     size_t host, struct fault *fault)
{
    static const char *const lists[] = {"host", "hostaddr", "port"};
    const char *keywords[KEYWORDS_MAX], *values[KEYWORDS_MAX];
    char parts[sizeof lists / sizeof lists[0]][HOST_MAX];
    char password[PASSWORD_MAX + 1];
    PGconn *pg = NULL;
    size_t n = 0;

#define ADD(keyword, value) (keywords[n] = (keyword), values[n++] = (value))
    /* the first ones give way to those of the URL */
    ADD("application_name", connection->application);
    ADD("target_session_attrs", "read-write");
    ADD("gssencmode", "disable"); /* looks for Kerberos where there is none */
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (!part_of(value_of(options, lists[i]), host, parts[i])) {
            fault_set(fault, "the %s of the URL is too long", lists[i]);
            return NULL;
        }
        ADD(lists[i], parts[i]);
    }
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        bool list = false;

        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
            list = list || strcmp(option->keyword, lists[i]) == 0;
        }
        if (!list && option->val != NULL && n < KEYWORDS_MAX - 3) {
            ADD(option->keyword, option->val);
        }
    }
    ADD("client_encoding", "UTF8");
    if (connection->password_file != NULL) {
        if (!read_password(connection, password, fault)) {
            return NULL;
        }
        ADD("password", password);
    }
    ADD(NULL, NULL);
#undef ADD
    pg = connection->libpq.PQconnectStartParams(keywords, values, 0);
    secret_wipe(password, sizeof password);
    if (pg == NULL) {
        fault_set(fault, "out of memory");
    }
    return pg;
}

static bool read_password(const struct connection *connection, char password[PASSWORD_MAX + 1],
                          struct fault *fault)
{
    ssize_t size = private_file_read(connection->password_file, "the password of the store",
                                     password, PASSWORD_MAX, fault);

    if (size < 0) {
        return false;
    }
    password[text_find((struct text){password, (size_t)size}, '\n')] = '\0';
    if (password[0] == '\0') {
        fault_set(fault, "%s: holds no password", connection->password_file);
    }
    return password[0] != '\0';
}

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0) {
            return options->val;
        }
    }
    return NULL;
}

static size_t host_count(const PQconninfoOption *options)
{
    const char *hosts = value_of(options, "host");
    const char *addresses = value_of(options, "hostaddr");
    size_t count = 1;

    for (const char *c = addresses != NULL ? addresses : hosts; c != NULL && *c != '\0'; c++) {
        count += *c == ',';
    }
    return count;
}

/* The n-th of a list with commas; all of them share one where there is only one. False: too long.
 */
static bool part_of(const char *list, size_t n, char part[HOST_MAX])
{
    struct text rest = text_of(list);
    struct text found = text_split(&rest, ',');

    for (bool only = rest.size == 0; n > 0 && !only; n--) {
        found = text_split(&rest, ',');
    }
    return text_copy(found, part, HOST_MAX);
}

/* What a new connection needs before anything else is asked. */
static enum connection_outcome set_up(struct connection *connection, int64_t until_us,
                                      struct fault *fault)
{
    const struct libpq *libpq = &connection->libpq;

    if (libpq->PQsetnonblocking(connection->pg, 1) != 0 ||
        libpq->PQenterPipelineMode(connection->pg) != 1) {
        say(connection, fault);
        return CONNECTION_FAULT;
    }
    connection_send(connection, connection->read_only ? &settings_of_reader : &settings_of_writer,
                    NULL);
    enum connection_outcome outcome = connection_wait(connection, until_us, fault);
    forget_results(connection);
    return outcome;
}

/* Of "FATAL:  28P01: password authentication failed …", in a longer text. */
static enum connection_outcome judge_refusal(const char *message, struct fault *fault)
{
    static const char *const lasting[] = {"08P01", "0A", "22", "28", "3D", "42"};
    const char *code = NULL;

    for (const char *at = message; (at = strstr(at, ":  ")) != NULL; at += 3) {
        if (strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == SQLSTATE_SIZE &&
            at[3 + SQLSTATE_SIZE] == ':') {
            code = at + 3;
        }
    }
    fault_set(fault, "%.*s", (int)strcspn(message, "\n"), message);
    for (size_t i = 0; code != NULL && i < sizeof lasting / sizeof lasting[0]; i++) {
        if (strncmp(code, lasting[i], strlen(lasting[i])) == 0) {
            return CONNECTION_FAULT;
        }
    }
    return CONNECTION_AWAY;
}

/* False: not until then. What is wrong with the socket is found by whoever reads from it. */
static bool wait_for(int socket, short events, int64_t until_us)
{
    struct pollfd one = {.fd = socket, .events = events};
    int ready;

    do {
        int64_t left_ms = (until_us - clock_stopwatch_us() + 999) / 1000;
        int64_t most_ms = left_ms < CLOCK_MINUTE ? left_ms : CLOCK_MINUTE;

        ready = poll(&one, 1, most_ms > 0 ? (int)most_ms : 0);
        if (ready == 0 && left_ms <= 0) {
            return false;
        }
    } while (ready == 0 || (ready < 0 && errno == EINTR));
    return ready > 0;
}

/* Has the server not closed it meanwhile? Takes what it has sent unasked. */
static bool is_alive(struct connection *connection)
{
    struct pollfd one = {.fd = connection->libpq.PQsocket(connection->pg), .events = POLLIN};

    while (poll(&one, 1, 0) > 0) {
        if (connection->libpq.PQconsumeInput(connection->pg) != 1) {
            return false;
        }
        (void)connection->libpq.PQisBusy(connection->pg); /* hands out notices */
    }
    return !connection->ended;
}

/* "canceling wait for synchronous replication": committed here, and perhaps nowhere else. */
static void take_notice(void *self, const PGresult *notice)
{
    struct connection *connection = self;
    const struct libpq *libpq = &connection->libpq;
    const char *severity = libpq->PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *code = libpq->PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    const char *message = libpq->PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

    connection->ended = connection->ended || (severity != NULL && strcmp(severity, "FATAL") == 0);
    if (severity != NULL && strcmp(severity, "WARNING") == 0 && code != NULL &&
        (strcmp(code, "01000") == 0 || strcmp(code, "57P01") == 0)) {
        connection->warned = true;
        connection->warnings++;
        fault_set(&connection->warning, "PostgreSQL: %s: %s", code,
                  message != NULL ? message : "a warning");
    }
}

/* ---- sending ---- */

void connection_send(struct connection *connection, const struct statement *statement,
                     const struct parameters *parameters)
{
    if (connection->spoiled) {
        return;
    } else if (connection->waited) {
        forget_results(connection);
    }
    if (connection->pg == NULL) {
        spoil(connection, CONNECTION_AWAY, "not connected");
    } else if (connection->queue_size == 0 && !is_alive(connection)) {
        spoil(connection, CONNECTION_AWAY, "the server has closed the connection");
    } else if (parameters != NULL && parameters->failed) {
        spoil(connection, CONNECTION_FAULT, "out of memory");
    } else if (!enqueue(connection, statement, parameters)) {
        bool lost = connection->libpq.PQstatus(connection->pg) == CONNECTION_BAD;

        spoil(connection, lost ? CONNECTION_AWAY : CONNECTION_FAULT,
              connection->libpq.PQerrorMessage(connection->pg));
    }
}

/* Nothing of what is queued has been committed, because no sync and no COMMIT were sent. */
static void spoil(struct connection *connection, enum connection_outcome outcome, const char *why)
{
    fault_set(&connection->trouble, "PostgreSQL: %s", why);
    connection->spoiled = true;
    connection->outcome = outcome;
    connection_drop(connection);
}

static bool enqueue(struct connection *connection, const struct statement *statement,
                    const struct parameters *parameters)
{
    const struct libpq *libpq = &connection->libpq;
    const char *values[PARAMETERS_MAX];
    int sizes[PARAMETERS_MAX], formats[PARAMETERS_MAX];
    int count = parameters != NULL ? (int)parameters->count : 0;
    struct queued *queue =
        grown(connection->queue, &connection->queue_room, connection->queue_size, sizeof *queue);
    bool prepares = false;

    if (queue == NULL) {
        return false;
    }
    connection->queue = queue;
    for (int i = 0; i < count; i++) {
        values[i] = parameters->each[i].null
                        ? NULL
                        : (const char *)parameters->bytes + parameters->each[i].at;
        sizes[i] = (int)parameters->each[i].size;
        formats[i] = 1;
    }
    if (statement->name == NULL) {
        if (libpq->PQsendQueryParams(connection->pg, statement->sql, count, NULL, values, sizes,
                                     formats, 1) != 1) {
            return false;
        }
    } else if (!prepare(connection, statement, &prepares) ||
               libpq->PQsendQueryPrepared(connection->pg, statement->name, count, values, sizes,
                                          formats, 1) != 1) {
        return false;
    }
    queue[connection->queue_size++] = (struct queued){statement, prepares, NULL};
    return true;
}

static bool prepare(struct connection *connection, const struct statement *statement,
                    bool *prepares)
{
    for (size_t i = 0; i < connection->prepared_size; i++) {
        if (connection->prepared[i].statement == statement) {
            return true;
        }
    }
    struct prepared *list = grown(connection->prepared, &connection->prepared_room,
                                  connection->prepared_size, sizeof *list);
    connection->prepared = list != NULL ? list : connection->prepared;
    if (list == NULL || connection->libpq.PQsendPrepare(connection->pg, statement->name,
                                                        statement->sql, 0, NULL) != 1) {
        return false;
    }
    list[connection->prepared_size++] = (struct prepared){statement, false};
    *prepares = true;
    return true;
}

/* The list with room for one more; NULL: out of memory, and the list is as it was. */
static void *grown(void *list, size_t *room, size_t size, size_t each)
{
    size_t more = *room > 0 ? *room * 2 : 16;

    if (size < *room) {
        return list;
    }
    list = reallocarray(list, more, each);
    *room = list != NULL ? more : *room;
    return list;
}

static void forget_results(struct connection *connection)
{
    for (size_t i = 0; i < connection->queue_size; i++) {
        if (connection->queue[i].result != NULL) {
            connection->libpq.PQclear(connection->queue[i].result);
        }
    }
    connection->queue_size = 0;
    connection->waited = false;
}

/* ---- waiting ---- */

enum connection_outcome connection_wait(struct connection *connection, int64_t until_us,
                                        struct fault *fault)
{
    if (connection->spoiled) {
        connection->spoiled = false;
        fault_set(fault, "%s", connection->trouble.text);
        return connection->outcome;
    } else if (connection->waited) {
        forget_results(connection);
    }
    enum connection_outcome outcome = collect(connection, until_us, fault);
    if (outcome == CONNECTION_OK && connection->warned) {
        fault_set(fault, "%s", connection->warning.text);
        outcome = CONNECTION_UNKNOWN;
    }
    connection->warned = false;
    switch (outcome) {
    case CONNECTION_OK:
        connection->waited = true;
        break;
    case CONNECTION_AGAIN:
    case CONNECTION_FAULT:
        if (!roll_back(connection, until_us)) {
            connection_drop(connection);
        }
        break;
    case CONNECTION_AWAY:
    case CONNECTION_UNKNOWN:
        connection_drop(connection);
        break;
    }
    return outcome;
}

/* Results come in the order of the statements; of those behind an error they say only that. */
static enum connection_outcome collect(struct connection *connection, int64_t until_us,
                                       struct fault *fault)
{
    enum connection_outcome outcome = CONNECTION_OK;
    size_t kept = 0;

    if (connection->queue_size == 0) {
        return CONNECTION_OK;
    } else if (connection->libpq.PQpipelineSync(connection->pg) != 1) {
        say(connection, fault);
        return CONNECTION_UNKNOWN;
    }
    for (size_t i = 0; i < connection->queue_size; i++) {
        struct fault ignored;
        enum connection_outcome one = collect_one(connection, &connection->queue[i], until_us,
                                                  outcome == CONNECTION_OK ? fault : &ignored);

        if (one == CONNECTION_AWAY || one == CONNECTION_UNKNOWN) {
            return one;
        } else if (outcome == CONNECTION_OK) {
            outcome = one;
        }
    }
    for (size_t i = 0; i < connection->prepared_size; i++) {
        if (connection->prepared[i].confirmed) {
            connection->prepared[kept++] = connection->prepared[i];
        }
    }
    connection->prepared_size = kept;
    return next_sync(connection, until_us, fault) ? outcome : CONNECTION_UNKNOWN;
}

/* OK also where an earlier error kept it from being run. */
static enum connection_outcome collect_one(struct connection *connection, struct queued *queued,
                                           int64_t until_us, struct fault *fault)
{
    const struct libpq *libpq = &connection->libpq;
    enum connection_outcome outcome = CONNECTION_OK;

    for (int left = queued->prepares ? 2 : 1; left > 0; left--) {
        PGresult *result, *end;

        if (!next_result(connection, until_us, &result, fault)) {
            return CONNECTION_UNKNOWN;
        }
        if (left == 2 && libpq->PQresultStatus(result) == PGRES_COMMAND_OK) {
            confirm(connection, queued->statement);
        } else if (outcome == CONNECTION_OK) {
            outcome = judge(connection, queued, result, fault);
        }
        libpq->PQclear(queued->result);
        queued->result = result;
        if (outcome == CONNECTION_AWAY || outcome == CONNECTION_UNKNOWN) {
            return outcome;
        }
        /* NULL ends the results of each */
        if (!next_result(connection, until_us, &end, fault)) {
            return CONNECTION_UNKNOWN;
        }
        libpq->PQclear(end);
    }
    return outcome;
}

static void confirm(struct connection *connection, const struct statement *statement)
{
    for (size_t i = 0; i < connection->prepared_size; i++) {
        if (connection->prepared[i].statement == statement) {
            connection->prepared[i].confirmed = true;
        }
    }
}

static bool next_sync(struct connection *connection, int64_t until_us, struct fault *fault)
{
    PGresult *result;
    bool good = next_result(connection, until_us, &result, fault);

    if (good) {
        good = connection->libpq.PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        if (!good) {
            say(connection, fault);
        }
        connection->libpq.PQclear(result);
    }
    return good;
}

/* False with *fault: it has not come, and will not. */
static bool next_result(struct connection *connection, int64_t until_us, PGresult **result,
                        struct fault *fault)
{
    const struct libpq *libpq = &connection->libpq;

    while (libpq->PQisBusy(connection->pg)) {
        int unsent = libpq->PQflush(connection->pg);
        short events = (short)(unsent == 1 ? POLLIN | POLLOUT : POLLIN);

        if (!wait_for(libpq->PQsocket(connection->pg), events, until_us)) {
            fault_set(fault, "PostgreSQL: no answer in time");
            return false;
        } else if (libpq->PQconsumeInput(connection->pg) != 1 && libpq->PQisBusy(connection->pg)) {
            say(connection, fault);
            return false;
        }
    }
    *result = libpq->PQgetResult(connection->pg);
    return true;
}

/* The library's words, without what it advises. */
static void say(const struct connection *connection, struct fault *fault)
{
    const char *message = connection->libpq.PQerrorMessage(connection->pg);

    fault_set(fault, "PostgreSQL: %.*s", (int)strcspn(message, "\n"), message);
}

static enum connection_outcome judge(const struct connection *connection,
                                     const struct queued *queued, const PGresult *result,
                                     struct fault *fault)
{
    const struct libpq *libpq = &connection->libpq;
    ExecStatusType status = libpq->PQresultStatus(result);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
        status == PGRES_PIPELINE_ABORTED) {
        return CONNECTION_OK;
    }
    const char *severity = libpq->PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *code = libpq->PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = libpq->PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (code == NULL || severity == NULL) {
        say(connection, fault);
        return CONNECTION_UNKNOWN;
    }
    fault_set(fault, "PostgreSQL: %s%s%s: %s",
              queued->statement->name != NULL ? queued->statement->name : "",
              queued->statement->name != NULL ? ": " : "", code, message != NULL ? message : "");
    return judge_code(code, strcmp(severity, "ERROR") == 0);
}

/* The classes of PostgreSQL's manual, appendix A. An ERROR has rolled back; anything worse may have
 * come behind a commit. */
static enum connection_outcome judge_code(const char *code, bool error)
{
    static const struct {
        const char *code;
        enum connection_outcome outcome;
    } rows[] = {
        {"25006", CONNECTION_AWAY},    /* read-only: a standby now */
        {"57P03", CONNECTION_AWAY},    /* starting up */
        {"53300", CONNECTION_AWAY},    /* too many connections */
        {"40003", CONNECTION_UNKNOWN}, /* statement completion unknown */
        {"08", CONNECTION_UNKNOWN},    /* connection exceptions */
        {"57P", CONNECTION_UNKNOWN},   /* shut down, crashed, database dropped, idle too long */
        {"40001", CONNECTION_AGAIN},   /* serialization failure */
        {"40P01", CONNECTION_AGAIN},   /* deadlock */
        {"55P03", CONNECTION_AGAIN},   /* lock not available */
        {"57014", CONNECTION_AGAIN},   /* cancelled */
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strncmp(code, rows[i].code, strlen(rows[i].code)) == 0) {
            return error || rows[i].outcome == CONNECTION_AWAY ? rows[i].outcome
                                                               : CONNECTION_UNKNOWN;
        }
    }
    return error ? CONNECTION_FAULT : CONNECTION_UNKNOWN;
}

/* False: it cannot, and closing the connection will. */
static bool roll_back(struct connection *connection, int64_t until_us)
{
    struct fault ignored;

    forget_results(connection);
    if (connection->libpq.PQtransactionStatus(connection->pg) == PQTRANS_IDLE) {
        return true;
    }
    connection_send(connection, &statement_rollback, NULL);
    bool good = !connection->spoiled && collect(connection, until_us, &ignored) == CONNECTION_OK;
    forget_results(connection);
    connection->spoiled = false;
    return good;
}

/* ---- results ---- */

size_t connection_rows(const struct connection *connection, size_t statement)
{
    const struct libpq *libpq = &connection->libpq;
    PGresult *result = connection->queue[statement].result;

    return libpq->PQresultStatus(result) == PGRES_TUPLES_OK
               ? (size_t)libpq->PQntuples(result)
               : strtoul(libpq->PQcmdTuples(result), NULL, 10);
}

bool connection_bytes(const struct connection *connection, size_t statement, size_t row,
                      size_t column, const void **data, size_t *size)
{
    const struct libpq *libpq = &connection->libpq;
    const PGresult *result = connection->queue[statement].result;
    bool null = libpq->PQgetisnull(result, (int)row, (int)column) != 0;

    *data = null ? NULL : libpq->PQgetvalue(result, (int)row, (int)column);
    *size = null ? 0 : (size_t)libpq->PQgetlength(result, (int)row, (int)column);
    return !null;
}

int64_t connection_i64(const struct connection *connection, size_t statement, size_t row,
                       size_t column)
{
    enum { TIMESTAMPTZ = 1184 };
    const PGresult *result = connection->queue[statement].result;
    const void *data;
    size_t size;

    if (!connection_bytes(connection, statement, row, column, &data, &size)) {
        return 0;
    }
    const uint8_t *bytes = data;
    switch (size) {
    case 8:
        return connection->libpq.PQftype(result, (int)column) == TIMESTAMPTZ
                   ? parameters_time_ms(bytes)
                   : (int64_t)codec_get_u64(bytes);
    case 4:
        return (int32_t)codec_get_u32(bytes);
    case 2:
        return (int16_t)(bytes[0] << 8 | bytes[1]);
    default:
        return size == 1 ? bytes[0] : 0;
    }
}
