/* SPDX-License-Identifier: ISC */
/* fastcgi.c: the room of libfcgi: FastCGI requests to exchanges, and responses back. Knows
 * FastCGI's records through libfcgi, and the pitfalls of that library (docs/hazards.md); does not
 * know what is asked, nor which thread does what (connections.h, workers.h).
 *
 * libfcgi 2.4.2 must not be left alone with a connection: it waits forever for the second half of a
 * record, takes a signal for the end of a body, and aborts over lengths that were merely announced.
 * So it gets to read only when one complete, well-formed request is ready (fcgi_scan.h). A request
 * that arrives in pieces is collected first, and libfcgi reads the copy. It never closes a
 * connection either: it is told to keep all of them, and connections.h keeps or closes them.
 *
 * The way of a request: receive -> perform -> (the handler, perhaps a flush) -> answered. */
#include "server/fastcgi.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/log.h"
#include "base/secret.h"
#include "server/fcgi_scan.h"
#include "server/message.h"

enum { PIECE_SIZE = 16 * 1024, PARAMS_MAX = 1024 * 1024 };

/* More than any web server needs, less than would use up the memory of the process. */
enum { REQUESTS_MAX = 4096, COLLECTED_MAX = 128 * 1024 * 1024 };

/* What libfcgi allocates for a request, as malloc counts it: two streams of 8 KiB and one of 512
 * bytes; and of each variable a copy and, with the table of them growing, two pointers. */
enum { STREAMS_MEMORY = 20 * 1024, MEMORY_PER_BYTE_OF_PARAMS = 4 };

/* A request that is being answered. */
struct request {
    struct http_exchange exchange; /* first, so that a pointer to it is one to the request */
    struct request *next;          /* among the spare ones */
    struct fastcgi *fastcgi;
    int connection;
    bool keep; /* the connection, afterwards */
    bool broken_input;
    FCGX_Request fcgi;
};

/* A request that arrives in pieces. */
struct partial {
    struct fcgi_scan scan;
    struct fcgi_buffer buffer;
};

/* A request that has arrived. */
struct arrival {
    int connection;
    int source;    /* where to read it from: the connection itself, or a file */
    size_t params; /* bytes of its variables */
    size_t body;   /* bytes of its body, those beyond the limit included */
    bool keep;
    bool authorizes; /* it is for an authorizer, and has no body */
};

struct fastcgi {
    struct connections *connections;
    const struct server_handler *handler;
    bool over_tcp;
    struct partial **partials; /* by connection; each belongs to the owner of the connection */
    atomic_size_t collected;   /* bytes of room in all partials */

    pthread_mutex_t lock;  /* over the rest */
    size_t requests;       /* as many as have ever been needed at once */
    struct request *spare; /* those of them that are not in use */
};

static void partial_close(struct fastcgi *fastcgi, int connection);
static void request_close(struct request *request);

/* ---- open, close ---- */

struct fastcgi *fastcgi_open(struct connections *connections, const struct server_handler *handler,
                             bool over_tcp)
{
    struct fastcgi *fastcgi = calloc(1, sizeof *fastcgi);

    if (fastcgi == NULL) {
        return NULL;
    }
    fastcgi->connections = connections;
    fastcgi->handler = handler;
    fastcgi->over_tcp = over_tcp;
    fastcgi->partials = calloc((size_t)connections_room(connections), sizeof(struct partial *));
    atomic_init(&fastcgi->collected, 0);
    pthread_mutex_init(&fastcgi->lock, NULL);
    if (fastcgi->partials == NULL || FCGX_Init() != 0) {
        fastcgi_close(fastcgi);
        return NULL;
    }
    return fastcgi;
}

void fastcgi_close(struct fastcgi *fastcgi)
{
    if (fastcgi == NULL) {
        return;
    }
    int room = fastcgi->partials != NULL ? connections_room(fastcgi->connections) : 0;
    for (int connection = 0; connection < room; connection++) {
        partial_close(fastcgi, connection);
    }
    while (fastcgi->spare != NULL) {
        struct request *request = fastcgi->spare;

        fastcgi->spare = request->next;
        request_close(request);
    }
    pthread_mutex_destroy(&fastcgi->lock);
    free(fastcgi->partials);
    free(fastcgi);
}

/* ---- receiving ---- */

static bool receive(struct fastcgi *fastcgi, struct arrival *arrival);
static bool look(struct fastcgi *fastcgi, unsigned char *piece, struct arrival *arrival);
static ssize_t receive_piece(int connection, unsigned char *piece, int flags);
static void start_scan(const struct fastcgi *fastcgi, struct fcgi_scan *scan);
static bool begin_to_collect(struct fastcgi *fastcgi, unsigned char *piece,
                             struct arrival *arrival);
static bool collect(struct fastcgi *fastcgi, unsigned char *piece, struct arrival *arrival);
static bool take_collected(struct fastcgi *fastcgi, bool may_keep, struct arrival *arrival);
static struct arrival arrival_of(const struct fcgi_scan *scan, int connection, int source);
static void turn_away(struct fastcgi *fastcgi, int connection, const struct fcgi_scan *scan);
static void perform(struct fastcgi *fastcgi, const struct arrival *arrival);

void fastcgi_receive(struct fastcgi *fastcgi, int connection)
{
    struct arrival arrival = {.connection = connection};

    if (receive(fastcgi, &arrival)) {
        perform(fastcgi, &arrival);
    }
}

/* True: the request is whole. By itself, so that the piece is not on the stack of each thread any
 * more while the request is performed. */
static __attribute__((noinline)) bool receive(struct fastcgi *fastcgi, struct arrival *arrival)
{
    unsigned char piece[PIECE_SIZE];

    return fastcgi->partials[arrival->connection] != NULL ? collect(fastcgi, piece, arrival)
                                                          : look(fastcgi, piece, arrival);
}

/* The whole request has nearly always arrived, and libfcgi may read it from the socket. */
static bool look(struct fastcgi *fastcgi, unsigned char *piece, struct arrival *arrival)
{
    int connection = arrival->connection;
    struct fcgi_scan scan;
    size_t used = 0;
    ssize_t got = receive_piece(connection, piece, MSG_PEEK);

    if (got < 0) {
        connections_await_rest(fastcgi->connections, connection);
        return false;
    } else if (got == 0) {
        connections_close_one(fastcgi->connections, connection);
        return false;
    }
    start_scan(fastcgi, &scan);
    enum fcgi_scan_state state = fcgi_scan_feed(&scan, piece, (size_t)got, &used);
    secret_wipe(piece, (size_t)got);
    if (state == FCGI_SCAN_WHOLE && used == (size_t)got && fcgi_scan_plain(&scan)) {
        *arrival = arrival_of(&scan, connection, connection);
        return true;
    } else if (state == FCGI_SCAN_PART || state == FCGI_SCAN_WHOLE) {
        return begin_to_collect(fastcgi, piece, arrival);
    }
    turn_away(fastcgi, connection, &scan);
    return false;
}

static struct arrival arrival_of(const struct fcgi_scan *scan, int connection, int source)
{
    return (struct arrival){.connection = connection,
                            .source = source,
                            .params = scan->params,
                            .body = fcgi_scan_body(scan),
                            .keep = fcgi_scan_keep(scan),
                            .authorizes = fcgi_scan_authorizes(scan)};
}

/* -1: nothing has come yet; 0: the peer has gone. */
static ssize_t receive_piece(int connection, unsigned char *piece, int flags)
{
    ssize_t got = recv(connection, piece, PIECE_SIZE, flags | MSG_DONTWAIT);

    return got < 0 && errno != EAGAIN && errno != EINTR ? 0 : got;
}

static void start_scan(const struct fastcgi *fastcgi, struct fcgi_scan *scan)
{
    const struct server_handler *handler = fastcgi->handler;
    struct fcgi_scan_limits limits = {.params = PARAMS_MAX,
                                      .body = handler->body_limit(handler->self)};

    fcgi_scan_start(scan, &limits);
}

static bool begin_to_collect(struct fastcgi *fastcgi, unsigned char *piece, struct arrival *arrival)
{
    int connection = arrival->connection;
    struct partial *partial = calloc(1, sizeof *partial);

    fastcgi->partials[connection] = partial;
    if (partial == NULL) {
        log_line(LOG_LEVEL_ERROR, "no memory for a request");
        connections_close_one(fastcgi->connections, connection);
        return false;
    }
    start_scan(fastcgi, &partial->scan);
    return collect(fastcgi, piece, arrival);
}

static bool collect(struct fastcgi *fastcgi, unsigned char *piece, struct arrival *arrival)
{
    int connection = arrival->connection;
    struct partial *partial = fastcgi->partials[connection];
    enum fcgi_scan_state state = FCGI_SCAN_PART;
    ssize_t got = 0;
    size_t used = 0;
    size_t collected = 0;

    while (state == FCGI_SCAN_PART && (got = receive_piece(connection, piece, 0)) > 0) {
        size_t before = partial->buffer.room;

        state = fcgi_scan_collect(&partial->scan, &partial->buffer, piece, (size_t)got, &used);
        secret_wipe(piece, (size_t)got);
        collected = atomic_fetch_add(&fastcgi->collected, partial->buffer.room - before);
    }
    if (collected > COLLECTED_MAX) {
        log_line(LOG_LEVEL_ERROR, "no memory for a request: too many are half sent");
        partial_close(fastcgi, connection);
        connections_close_one(fastcgi->connections, connection);
    } else if (state == FCGI_SCAN_WHOLE) {
        /* Bytes that follow are not asked for: no web server sends two requests at a time. */
        return take_collected(fastcgi, used == (size_t)got, arrival);
    } else if (state == FCGI_SCAN_PART && got < 0) {
        connections_await_rest(fastcgi->connections, connection);
    } else {
        turn_away(fastcgi, connection, &partial->scan);
    }
    return false;
}

/* -1 with errno: no descriptor or no memory for it. */
static int file_of(const struct fcgi_buffer *buffer)
{
    int file = memfd_create("request", MFD_CLOEXEC);

    if (file >= 0 && (write(file, buffer->bytes, buffer->size) != (ssize_t)buffer->size ||
                      lseek(file, 0, SEEK_SET) != 0)) {
        close(file);
        file = -1;
    }
    return file;
}

static bool take_collected(struct fastcgi *fastcgi, bool may_keep, struct arrival *arrival)
{
    int connection = arrival->connection;
    const struct partial *partial = fastcgi->partials[connection];

    *arrival = arrival_of(&partial->scan, connection, file_of(&partial->buffer));
    arrival->keep = arrival->keep && may_keep;
    int error = errno;
    partial_close(fastcgi, connection); /* while the connection is this thread's */
    if (arrival->source < 0) {
        log_line(LOG_LEVEL_ERROR, "no memory for a request: %s", strerror(error));
        connections_close_one(fastcgi->connections, connection);
    }
    return arrival->source >= 0;
}

/* The peer sends no request that we take, or nothing more at all. */
static void turn_away(struct fastcgi *fastcgi, int connection, const struct fcgi_scan *scan)
{
    if (scan->state == FCGI_SCAN_BAD) {
        log_line(LOG_LEVEL_NOTICE, "not-fastcgi: %s; its connection was closed",
                 fcgi_scan_why(scan));
    }
    partial_close(fastcgi, connection);
    connections_close_one(fastcgi->connections, connection);
}

static void partial_close(struct fastcgi *fastcgi, int connection)
{
    struct partial *partial = fastcgi->partials[connection];

    if (partial != NULL) {
        atomic_fetch_sub(&fastcgi->collected, partial->buffer.room);
        fcgi_buffer_free(&partial->buffer);
        free(partial);
        fastcgi->partials[connection] = NULL;
    }
}

/* ---- performing ---- */

static bool memory_is_there(const struct arrival *arrival);
static struct request *request_take(struct fastcgi *fastcgi);
static void request_give(struct request *request);
static void handle(struct request *request, const struct arrival *arrival);
static bool read_request(struct request *request, const struct arrival *arrival, size_t limit);
static void drop_rest(FCGX_Stream *in);
static bool has_gone(const struct request *request);
static void answered(struct http_exchange *exchange);
static void send_and_finish(struct request *request, struct text spelled);
static void finish(struct request *request);

static void perform(struct fastcgi *fastcgi, const struct arrival *arrival)
{
    struct request *request = memory_is_there(arrival) ? request_take(fastcgi) : NULL;

    if (request == NULL) {
        log_line(LOG_LEVEL_ERROR, "no memory for a request, or %d in progress", REQUESTS_MAX);
        if (arrival->source != arrival->connection) {
            close(arrival->source);
        }
        connections_close_one(fastcgi->connections, arrival->connection);
        return;
    }
    request->connection = arrival->connection;
    request->keep = arrival->keep;
    /* to FCGX_Accept_r it looks like a connection that was kept after an earlier request */
    FCGX_InitRequest(&request->fcgi, -1, 0);
    request->fcgi.ipcFd = arrival->source;
    request->fcgi.keepConnection = 1;
    request->fcgi.detached = 1; /* should it fail, it closes without waiting for the peer */
    if (FCGX_Accept_r(&request->fcgi) == 0) {
        handle(request, arrival);
        return;
    }
    if (arrival->source == arrival->connection) { /* reset since; libfcgi has closed it */
        connections_forget(fastcgi->connections);
    } else {
        connections_close_one(fastcgi->connections, arrival->connection);
    }
    request_give(request);
}

/* libfcgi aborts the process when an allocation fails, and with it what others have asked for. */
static bool memory_is_there(const struct arrival *arrival)
{
    void *volatile memory = /* or the compiler takes it for granted */
        malloc(STREAMS_MEMORY + MEMORY_PER_BYTE_OF_PARAMS * arrival->params);

    free(memory);
    return memory != NULL;
}

static void handle(struct request *request, const struct arrival *arrival)
{
    const struct server_handler *handler = request->fastcgi->handler;
    bool read = read_request(request, arrival, handler->body_limit(handler->self));

    request->broken_input = FCGX_GetError(request->fcgi.in) != 0;
    /* now, for the next request to read with, while this one waits for the disk */
    FCGX_FreeStream(&request->fcgi.in);
    if (arrival->source != arrival->connection) { /* from here on, libfcgi writes to the peer */
        close(arrival->source);
        request->fcgi.ipcFd = arrival->connection;
    }
    if (!read) {
        request->keep = false; /* the rest of the body would be taken for the next request */
        send_and_finish(request, message_no_memory());
    } else if (has_gone(request)) {
        log_line(LOG_LEVEL_NOTICE, "gone: the client left before its request was performed");
        request->keep = false;
        finish(request);
    } else {
        handler->handle(handler->self, &request->exchange);
    }
}

/* Reads one byte more than there can be of the body, because only that makes libfcgi read the end
 * of its stream. Nothing waits: all of it has arrived. False when the arena is exhausted. */
static bool read_request(struct request *request, const struct arrival *arrival, size_t limit)
{
    struct http_request *http = &request->exchange.request;
    struct arena *arena = request->exchange.arena;
    FCGX_Stream *in = request->fcgi.in;
    size_t room = (arrival->body < limit ? arrival->body : limit) + 1;
    char *bytes = arena_alloc(arena, room);

    if (bytes == NULL ||
        !http_request_from_cgi(arena, (const char *const *)request->fcgi.envp, http)) {
        return false;
    }
    http->authorizes = arrival->authorizes;
    if (http->authorizes) { /* libfcgi would wait for a body */
        return true;
    }
    int got = FCGX_GetStr(bytes, (int)room, in);
    if (got == (int)room) {
        drop_rest(in);
    }
    message_set_body(http, (struct text){bytes, (size_t)got}, limit, FCGX_GetError(in) != 0);
    return true;
}

static void drop_rest(FCGX_Stream *in)
{
    char trash[4096];

    while (FCGX_GetStr(trash, sizeof trash, in) > 0) {
    }
    secret_wipe(trash, sizeof trash);
}

/* With many connections, a request may be taken up after its client has given up; performing it
 * then would rotate a token that the client never receives. A peer that has closed its side of a
 * TCP connection has closed all of it: no web server closes half of one. */
static bool has_gone(const struct request *request)
{
    struct pollfd peer = {.fd = request->connection,
                          .events = request->fastcgi->over_tcp ? POLLRDHUP : 0};

    return poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0;
}

/* ---- answering ---- */

static void answered(struct http_exchange *exchange)
{
    send_and_finish((struct request *)exchange, message_spell(exchange));
}

static void send_and_finish(struct request *request, struct text spelled)
{
    FCGX_PutStr(spelled.data, (int)spelled.size, request->fcgi.out);
    finish(request);
}

static void wipe_variables(char **variables);

/* Gives the connection back. Not FCGX_Finish_r, which closes what it could not write to, and waits
 * as long as the peer keeps sending, while this thread may hold up a whole batch. A stream that has
 * failed must not be closed either: that would send its buffer again. */
static void finish(struct request *request)
{
    struct connections *connections = request->fastcgi->connections;
    FCGX_Request *fcgi = &request->fcgi;
    bool broken = request->broken_input || FCGX_GetError(fcgi->out) != 0 ||
                  FCGX_FClose(fcgi->err) != 0 || FCGX_FClose(fcgi->out) != 0;

    wipe_variables(fcgi->envp);
    FCGX_Free(fcgi, 0);
    if (request->keep && !broken) {
        connections_await_next(connections, request->connection);
    } else {
        connections_close_one(connections, request->connection);
    }
    request_give(request);
}

/* Among them are credentials and tokens, and M_PERTURB (workers.c) leaves small pieces as they are.
 */
static void wipe_variables(char **variables)
{
    for (; *variables != NULL; variables++) {
        secret_wipe(*variables, strlen(*variables));
    }
}

/* ---- requests ---- */

static struct request *request_open(struct fastcgi *fastcgi);

/* The one that was used last: its memory is in the cache. NULL: out of memory, or too many. */
static struct request *request_take(struct fastcgi *fastcgi)
{
    pthread_mutex_lock(&fastcgi->lock);
    struct request *request = fastcgi->spare;
    if (request != NULL) {
        fastcgi->spare = request->next;
    } else if (fastcgi->requests < REQUESTS_MAX && (request = request_open(fastcgi)) != NULL) {
        fastcgi->requests++;
    }
    pthread_mutex_unlock(&fastcgi->lock);
    return request;
}

static void request_give(struct request *request)
{
    struct fastcgi *fastcgi = request->fastcgi;

    arena_reset(request->exchange.arena);
    pthread_mutex_lock(&fastcgi->lock);
    request->next = fastcgi->spare;
    fastcgi->spare = request;
    pthread_mutex_unlock(&fastcgi->lock);
}

static struct request *request_open(struct fastcgi *fastcgi)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL) {
        return NULL;
    }
    request->fastcgi = fastcgi;
    request->exchange.answered = answered;
    request->exchange.arena = message_arena_open();
    if (request->exchange.arena == NULL) {
        request_close(request);
        return NULL;
    }
    return request;
}

static void request_close(struct request *request)
{
    arena_close(request->exchange.arena);
    free(request);
}
