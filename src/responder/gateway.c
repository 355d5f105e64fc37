/* gateway.c: the room of libfcgi: FastCGI requests to answers. Knows FastCGI's records through
 * libfcgi and how this library stumbles (docs/hazards.md); does not know what is asked, nor who
 * waits for whom (door.h, crew.h).
 *
 * libfcgi 2.4.2 must not be left alone with a connection: it waits for ever for half a record,
 * takes a signal for the end of a body, and aborts over lengths that were merely announced. So it
 * is given a connection only when one whole, well-formed request lies ready in it (records.h); what
 * comes in pieces is collected first, and libfcgi reads the copy. Nor does it ever close one: it is
 * told that all are kept, and the door keeps or closes them.
 *
 * A request's way: ready -> receive -> perform -> (the disk) -> answered -> back to the door. Where
 * it has to wait for the disk, its thread goes on with other requests, and whoever settles the
 * store sends the answer. */
#include "responder/gateway.h"

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

#include "base/secret.h"
#include "process/log.h"
#include "responder/exchange.h"
#include "responder/records.h"

enum { PIECE_SIZE = 16 * 1024, PARAMS_MAX = 1024 * 1024 };

/* More than any web server needs; less than would use up the process's memory. */
enum { JOBS_MAX = 4096, COLLECTED_MAX = 128 * 1024 * 1024 };

/* A request that comes in pieces. */
struct parcel {
    struct records records;
    struct records_copy copy;
};

/* A request that is being answered. */
struct job {
    struct job *next; /* while nobody needs it */
    struct gateway *gateway;
    int peer;
    bool keep; /* the connection, afterwards */
    FCGX_Request fcgi;
    struct exchange exchange;
};

struct gateway {
    struct door *door;
    struct serve *serve;
    bool over_tcp;
    struct parcel **parcels; /* by descriptor; each belongs to who has the peer */
    atomic_size_t collected; /* bytes of all parcels */

    pthread_mutex_t lock; /* over the rest */
    size_t jobs;          /* as many as have ever been needed at once */
    struct job *spare;    /* of them */
};

/* ---- jobs ---- */

static void job_close(struct job *job)
{
    if (job != NULL) {
        arena_close(job->exchange.arena);
        free(job);
    }
}

static struct job *job_open(struct gateway *gateway)
{
    struct job *job = calloc(1, sizeof *job);

    if (job == NULL) {
        return NULL;
    }
    job->gateway = gateway;
    job->exchange.serve = gateway->serve;
    job->exchange.arena = exchange_arena_open();
    if (job->exchange.arena == NULL) {
        job_close(job);
        return NULL;
    }
    return job;
}

/* The one that was used last: its memory is in the cache. */
static struct job *job_take(struct gateway *gateway)
{
    pthread_mutex_lock(&gateway->lock);
    struct job *job = gateway->spare;
    if (job != NULL) {
        gateway->spare = job->next;
    } else if (gateway->jobs < JOBS_MAX && (job = job_open(gateway)) != NULL) {
        gateway->jobs++;
    }
    pthread_mutex_unlock(&gateway->lock);
    return job;
}

static void job_give(struct job *job)
{
    struct gateway *gateway = job->gateway;

    arena_reset(job->exchange.arena);
    pthread_mutex_lock(&gateway->lock);
    job->next = gateway->spare;
    gateway->spare = job;
    pthread_mutex_unlock(&gateway->lock);
}

/* ---- answering ---- */

/* Gives the connection back. In place of FCGX_Finish_r, which closes what it could not write to,
 * and waits for as long as the peer goes on sending; and we may be the thread for whose batch
 * others wait. A stream that has failed must not be closed either: it would send its buffer once
 * more. */
static void finish(struct job *job)
{
    FCGX_Request *fcgi = &job->fcgi;
    bool broken = FCGX_GetError(fcgi->in) != 0 || FCGX_GetError(fcgi->out) != 0 ||
                  FCGX_FClose(fcgi->err) != 0 || FCGX_FClose(fcgi->out) != 0;

    FCGX_Free(fcgi, 0);
    if (job->keep && !broken) {
        door_await_next(job->gateway->door, job->peer);
    } else {
        door_dismiss(job->gateway->door, job->peer);
    }
    job_give(job);
}

static void answered(void *self, struct text answer)
{
    struct job *job = self;

    FCGX_PutStr(answer.data, (int)answer.size, job->fcgi.out);
    finish(job);
}

/* With many connections a request may be taken up after its client has given up; to perform it then
 * would rotate a token for nobody. A peer that has closed its side of a TCP connection has closed
 * it for good: no web server closes half of one. */
static bool has_gone(const struct gateway *gateway, int connection)
{
    struct pollfd peer = {.fd = connection};

    peer.events = gateway->over_tcp ? POLLRDHUP : 0;
    return poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0;
}

static void drop(struct job *job)
{
    log_line(CONFIG_LOG_NOTICE, "gone: the client left before its request was performed");
    job->keep = false;
    finish(job);
}

/* ---- performing ---- */

static size_t read_stream(void *self, char *out, size_t room)
{
    int got = FCGX_GetStr(out, (int)room, self);
    return got > 0 ? (size_t)got : 0;
}

/* In all that libfcgi takes for a fault, the body ends early. */
static bool stream_is_broken(void *self)
{
    return FCGX_GetError(self) != 0;
}

/* The request has been read from `source`, from here on it is the peer that is written to. */
static void read_and_perform(struct job *job, int source)
{
    struct serve *serve = job->gateway->serve;
    struct exchange_body body = {
        .read = read_stream, .is_broken = stream_is_broken, .self = job->fcgi.in};
    bool read = exchange_read(job->exchange.arena, (const char *const *)job->fcgi.envp, &body,
                              serve_body_limit(serve), &job->exchange.request);

    if (source != job->peer) {
        close(source);
        job->fcgi.ipcFd = job->peer;
    }
    if (!read) {
        job->keep = false; /* what is left of the body would be taken for the next request */
        answered(job, exchange_no_memory());
    } else if (has_gone(job->gateway, job->peer)) {
        drop(job);
    } else {
        exchange_answer(&job->exchange);
    }
}

/* A whole request lies in `source`: the peer's connection, or a file. To FCGX_Accept_r it looks
 * like a connection that was kept after a request before. */
static void perform(struct gateway *gateway, int peer, int source, bool keep)
{
    struct job *job = job_take(gateway);

    if (job == NULL) {
        log_line(CONFIG_LOG_ERROR, "no memory for a request, or %d at once already", JOBS_MAX);
        if (source != peer) {
            close(source);
        }
        door_dismiss(gateway->door, peer);
        return;
    }
    job->peer = peer;
    job->keep = keep;
    job->exchange.answered = answered;
    job->exchange.self = job;
    FCGX_InitRequest(&job->fcgi, -1, 0);
    job->fcgi.ipcFd = source;
    job->fcgi.keepConnection = 1;
    job->fcgi.detached = 1; /* should it fail, it closes without waiting for the peer */
    if (FCGX_Accept_r(&job->fcgi) == 0) {
        read_and_perform(job, source);
        return;
    }
    if (source == peer) { /* reset after we looked at it; libfcgi has closed what it was given */
        door_forget(gateway->door);
    } else {
        door_dismiss(gateway->door, peer);
    }
    job_give(job);
}

/* ---- requests in pieces ---- */

static void parcel_close(struct gateway *gateway, int peer)
{
    struct parcel *parcel = gateway->parcels[peer];

    if (parcel != NULL) {
        atomic_fetch_sub(&gateway->collected, parcel->copy.room);
        records_copy_free(&parcel->copy);
        free(parcel);
        gateway->parcels[peer] = NULL;
    }
}

static void dismiss(struct gateway *gateway, int peer)
{
    parcel_close(gateway, peer);
    door_dismiss(gateway->door, peer);
}

static void start(const struct gateway *gateway, struct records *records)
{
    struct records_limits limits = {.params = PARAMS_MAX, .body = serve_body_limit(gateway->serve)};
    records_start(records, &limits);
}

/* -1 with errno: no descriptor or no memory for it. */
static int file_of(const struct records_copy *copy)
{
    int file = memfd_create("request", MFD_CLOEXEC);

    if (file >= 0 && (write(file, copy->bytes, copy->size) != (ssize_t)copy->size ||
                      lseek(file, 0, SEEK_SET) != 0)) {
        close(file);
        file = -1;
    }
    return file;
}

static void perform_parcel(struct gateway *gateway, int peer, bool keep)
{
    int file = file_of(&gateway->parcels[peer]->copy);
    int error = errno;

    parcel_close(gateway, peer);
    if (file >= 0) {
        perform(gateway, peer, file, keep);
    } else {
        log_line(CONFIG_LOG_ERROR, "no memory for a request: %s", strerror(error));
        door_dismiss(gateway->door, peer);
    }
}

/* A peer that sends no request we take, or none any more. */
static void turn_away(struct gateway *gateway, int peer, const struct records *records)
{
    if (records->state == RECORDS_BAD) {
        log_line(CONFIG_LOG_NOTICE, "not-fastcgi: %s; its connection was closed",
                 records_why(records));
    }
    dismiss(gateway, peer);
}

/* -1: nothing there yet; 0: the peer has gone. */
static ssize_t receive_piece(int peer, unsigned char *piece, int flags)
{
    ssize_t got = recv(peer, piece, PIECE_SIZE, flags | MSG_DONTWAIT);

    return got < 0 && errno != EAGAIN && errno != EINTR ? 0 : got;
}

static void collect(struct gateway *gateway, int peer, unsigned char *piece)
{
    struct parcel *parcel = gateway->parcels[peer];
    enum records_state state = RECORDS_PART;
    ssize_t got = 0;
    size_t used = 0;
    size_t collected = 0;

    while (state == RECORDS_PART && (got = receive_piece(peer, piece, 0)) > 0) {
        size_t before = parcel->copy.room;

        state = records_collect(&parcel->records, &parcel->copy, piece, (size_t)got, &used);
        secret_wipe(piece, (size_t)got);
        collected = atomic_fetch_add(&gateway->collected, parcel->copy.room - before);
    }
    if (collected > COLLECTED_MAX) {
        log_line(CONFIG_LOG_ERROR, "no memory for a request: too many are half sent");
        dismiss(gateway, peer);
    } else if (state == RECORDS_WHOLE) {
        /* what came behind it, nobody has asked for: no web server sends two at a time */
        bool keep = records_keep(&parcel->records) && used == (size_t)got;
        perform_parcel(gateway, peer, keep);
    } else if (state == RECORDS_PART && got < 0) {
        door_await_rest(gateway->door, peer);
    } else {
        turn_away(gateway, peer, &parcel->records);
    }
}

static void begin_to_collect(struct gateway *gateway, int peer, unsigned char *piece)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);

    gateway->parcels[peer] = parcel;
    if (parcel == NULL) {
        log_line(CONFIG_LOG_ERROR, "no memory for a request");
        door_dismiss(gateway->door, peer);
        return;
    }
    start(gateway, &parcel->records);
    collect(gateway, peer, piece);
}

/* ---- receiving ---- */

/* Nearly always the whole request is there, and libfcgi may read it where it is. */
static void look(struct gateway *gateway, int peer, unsigned char *piece)
{
    struct records records;
    size_t used = 0;
    ssize_t got = receive_piece(peer, piece, MSG_PEEK);

    if (got < 0) {
        door_await_rest(gateway->door, peer);
        return;
    } else if (got == 0) {
        door_dismiss(gateway->door, peer);
        return;
    }
    start(gateway, &records);
    enum records_state state = records_feed(&records, piece, (size_t)got, &used);
    secret_wipe(piece, (size_t)got);
    if (state == RECORDS_WHOLE && used == (size_t)got && records_plain(&records)) {
        perform(gateway, peer, peer, records_keep(&records));
    } else if (state == RECORDS_PART || state == RECORDS_WHOLE) {
        begin_to_collect(gateway, peer, piece);
    } else {
        turn_away(gateway, peer, &records);
    }
}

void gateway_receive(struct gateway *gateway, int peer)
{
    unsigned char piece[PIECE_SIZE];

    if (gateway->parcels[peer] != NULL) {
        collect(gateway, peer, piece);
    } else {
        look(gateway, peer, piece);
    }
}

/* ---- open, close ---- */

struct gateway *gateway_open(struct door *door, struct serve *serve, bool over_tcp)
{
    struct gateway *gateway = calloc(1, sizeof *gateway);

    if (gateway == NULL) {
        return NULL;
    }
    gateway->door = door;
    gateway->serve = serve;
    gateway->over_tcp = over_tcp;
    gateway->parcels = calloc((size_t)door_room(door), sizeof(struct parcel *));
    atomic_init(&gateway->collected, 0);
    pthread_mutex_init(&gateway->lock, NULL);
    if (gateway->parcels == NULL || FCGX_Init() != 0) {
        gateway_close(gateway);
        return NULL;
    }
    return gateway;
}

void gateway_close(struct gateway *gateway)
{
    if (gateway == NULL) {
        return;
    }
    for (int peer = 0; gateway->parcels != NULL && peer < door_room(gateway->door); peer++) {
        parcel_close(gateway, peer);
    }
    while (gateway->spare != NULL) {
        struct job *job = gateway->spare;

        gateway->spare = job->next;
        job_close(job);
    }
    pthread_mutex_destroy(&gateway->lock);
    free(gateway->parcels);
    free(gateway);
}
