/* SPDX-License-Identifier: ISC */
/* loadgen.c: many clients, each refreshing its own chain of tokens, over HTTP (kept connections) or
 * straight over FastCGI (a connection per request, or with --keep one per client, as web servers
 * can be told to). Checks every answer and reports rate, latencies and CPU time as one JSON object.
 * Knows RFC 6749 answers; knows nothing of Retoken's code, so peers are measured with the same
 * generator.
 *
 * One thread, epoll. Sessions are dealt out to the clients; a client picks one of its own at random
 * for each request, so that with many sessions the store is touched in random order. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

enum { TOKEN_MAX = 512, REQUEST_MAX = 4096, ANSWER_MAX = 16384, CLIENTS_MAX = 1024, PIDS_MAX = 64 };

/* What is done with the answer's token. */
enum work {
    WORK_ROTATE, /* the chain goes on with it; an answer without a new one is an error */
    WORK_RENEW,  /* no rotation: the same token again, and an access token with each answer */
    WORK_REPLAY, /* the same token again and again: 200 and always the same successor */
    WORK_REFUSE  /* a token that is none: 400 */
};

/* Processes whose CPU time is summed up. */
struct processes {
    int pids[PIDS_MAX];
    int count;
};

struct options {
    const char *address; /* unix:PATH or HOST:PORT */
    bool http;
    bool keep; /* FastCGI: FCGI_KEEP_CONN */
    const char *path;
    const char *authorization; /* value of an Authorization header, or NULL */
    const char *body_extra;    /* more form fields, "&a=b", or "" */
    enum work work;
    int clients;
    double seconds;
    double warmup;
    double patience; /* seconds after the end until clients without an answer are given up */
    const char *tokens_file; /* one token per line; rewritten at the end with the last ones */
    struct processes servers, fronts;
};

struct client {
    int fd;
    bool busy;
    size_t first, count; /* its sessions in tokens[] */
    size_t current;
    uint64_t started_ns;
    size_t sent, request_size, answer_size;
    char request[REQUEST_MAX];
    char answer[ANSWER_MAX + 1];
};

struct totals {
    uint64_t done, errors, reconnects;
    uint32_t *latencies_us;
    size_t latency_room;
    char first_error[400];
};

/* All in one block: ten million of them must fit beside the server. */
static char *tokens;
static size_t token_count, token_room;
static bool *expected; /* WORK_REPLAY: is the successor known and kept behind the token? */
static uint64_t random_state = 88172645463325252u;

static void die(const char *what)
{
    fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
    exit(3);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static char *token_at(size_t i)
{
    return tokens + i * token_room;
}

/* ---- requests ---- */

static size_t form_body(const struct options *options, const char *token, char *out, size_t room)
{
    int size = snprintf(out, room, "grant_type=refresh_token&refresh_token=%s%s", token,
                        options->body_extra);

    if (size < 0 || (size_t)size >= room) {
        errno = E2BIG;
        die("a request's body");
    }
    return (size_t)size;
}

static size_t http_request(const struct options *options, const char *token, char *out)
{
    char body[TOKEN_MAX + 512];
    size_t size = form_body(options, token, body, sizeof body);
    int made =
        snprintf(out, REQUEST_MAX,
                 "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s%s%s"
                 "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
                 options->path, options->authorization ? "Authorization: " : "",
                 options->authorization ? options->authorization : "",
                 options->authorization ? "\r\n" : "", size, body);

    return (size_t)made;
}

static size_t fcgi_record(char *out, int type, const void *content, size_t size)
{
    unsigned char head[8] = {
        1, (unsigned char)type, 0, 1, (unsigned char)(size >> 8), (unsigned char)size, 0, 0};

    memcpy(out, head, sizeof head);
    if (size > 0) {
        memcpy(out + sizeof head, content, size);
    }
    return sizeof head + size;
}

static size_t fcgi_param(char *out, const char *name, const char *value)
{
    size_t n = strlen(name), v = strlen(value), at = 0;

    out[at++] = (char)n;
    if (v < 128) {
        out[at++] = (char)v;
    } else {
        out[at++] = (char)(0x80 | (v >> 24));
        out[at++] = (char)(v >> 16);
        out[at++] = (char)(v >> 8);
        out[at++] = (char)v;
    }
    memcpy(out + at, name, n);
    memcpy(out + at + n, value, v);
    return at + n + v;
}

static size_t fcgi_request(const struct options *options, const char *token, char *out)
{
    unsigned char begin[8] = {0, 1, options->keep ? 1 : 0}; /* responder; close after, or not */
    char params[1024], body[TOKEN_MAX + 512], length[24];
    size_t body_size = form_body(options, token, body, sizeof body);
    size_t size = 0, at = 0;

    snprintf(length, sizeof length, "%zu", body_size);
    size += fcgi_param(params + size, "REQUEST_METHOD", "POST");
    size += fcgi_param(params + size, "SCRIPT_NAME", options->path);
    size += fcgi_param(params + size, "CONTENT_TYPE", "application/x-www-form-urlencoded");
    size += fcgi_param(params + size, "CONTENT_LENGTH", length);
    size += fcgi_param(params + size, "REMOTE_ADDR", "127.0.0.1");
    if (options->authorization != NULL) {
        size += fcgi_param(params + size, "HTTP_AUTHORIZATION", options->authorization);
    }
    at += fcgi_record(out + at, 1, begin, sizeof begin);
    at += fcgi_record(out + at, 4, params, size);
    at += fcgi_record(out + at, 4, NULL, 0);
    at += fcgi_record(out + at, 5, body, body_size);
    at += fcgi_record(out + at, 5, NULL, 0);
    return at;
}

/* ---- answers ---- */

/* HTTP: is the whole answer here? Content-Length or chunked; 0 = not yet. */
static bool http_complete(const char *answer, size_t size)
{
    const char *end = strstr(answer, "\r\n\r\n");
    const char *length;

    if (end == NULL) {
        return false;
    }
    length = strcasestr(answer, "\r\nContent-Length:");
    if (length != NULL && length < end) {
        return size >= (size_t)(end + 4 - answer) + strtoul(length + 17, NULL, 10);
    }
    return strstr(end, "\r\n0\r\n\r\n") != NULL;
}

/* FastCGI: joins the STDOUT records in place; true when END_REQUEST is there. */
static bool fcgi_complete(char *answer, size_t size, size_t *text_size)
{
    size_t at = 0, out = 0;

    while (at + 8 <= size) {
        const unsigned char *head = (const unsigned char *)answer + at;
        size_t content = (size_t)head[4] << 8 | head[5];
        size_t whole = 8 + content + head[6];
        int type = head[1];

        if (at + whole > size) {
            return false;
        }
        if (type == 3) {
            *text_size = out;
            return true;
        }
        at += whole;
        out += type == 6 ? content : 0;
    }
    return false;
}

static void fcgi_join(char *answer, size_t size)
{
    size_t at = 0, out = 0;

    while (at + 8 <= size && answer[at + 1] != 3) {
        size_t content = (size_t)(unsigned char)answer[at + 4] << 8 | (unsigned char)answer[at + 5];
        size_t whole = 8 + content + (unsigned char)answer[at + 6];

        if (answer[at + 1] == 6) {
            memmove(answer + out, answer + at + 8, content);
            out += content;
        }
        at += whole;
    }
    answer[out] = '\0';
}

static int status_of(const struct options *options, const char *answer)
{
    const char *status = strstr(answer, options->http ? "HTTP/1.1 " : "Status: ");

    return status == NULL ? 0 : atoi(status + (options->http ? 9 : 8));
}

static bool token_of(const char *answer, char token[TOKEN_MAX])
{
    const char *at = strstr(answer, "\"refresh_token\"");
    size_t size;

    if (at == NULL || (at = strchr(at + 15, '"')) == NULL) {
        return false;
    }
    size = strcspn(++at, "\"");
    if (size == 0 || size >= TOKEN_MAX) {
        return false;
    }
    memcpy(token, at, size);
    token[size] = '\0';
    return true;
}

/* A spent token is answered with the same successor every time. */
static bool is_same_successor(size_t i, const char *token)
{
    char *known = token_at(i) + token_room / 2;

    if (strlen(token) >= token_room / 2) {
        return false;
    } else if (!expected[i]) {
        expected[i] = true;
        strcpy(known, token);
    }
    return strcmp(known, token) == 0;
}

static bool answer_is_right(const struct options *options, struct client *client)
{
    char *mine = token_at(client->first + client->current);
    char token[TOKEN_MAX];
    int status = status_of(options, client->answer);

    switch (options->work) {
    case WORK_REFUSE:
        return status == 400;
    case WORK_RENEW:
        return status == 200 && strstr(client->answer, "\"access_token\"") != NULL;
    case WORK_REPLAY:
        return status == 200 && token_of(client->answer, token) &&
               is_same_successor(client->first + client->current, token);
    case WORK_ROTATE:
        if (status != 200 || !token_of(client->answer, token) || strcmp(token, mine) == 0 ||
            strstr(client->answer, "\"access_token\"") == NULL || strlen(token) >= token_room) {
            return false;
        }
        strcpy(mine, token);
        return true;
    }
    return false;
}

/* ---- connections ---- */

static int connect_to(const char *address)
{
    int fd;

    if (strncmp(address, "unix:", 5) == 0) {
        struct sockaddr_un to = {.sun_family = AF_UNIX};

        snprintf(to.sun_path, sizeof to.sun_path, "%s", address + 5);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
            die(address);
        }
    } else {
        struct sockaddr_in to = {.sin_family = AF_INET};
        const char *colon = strrchr(address, ':');
        int one = 1;

        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons((uint16_t)atoi(colon ? colon + 1 : address));
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
            die(address);
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void watch(int epoll, struct client *client, int op)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    if (epoll_ctl(epoll, op, client->fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static void send_more(struct client *client)
{
    while (client->sent < client->request_size) {
        ssize_t n =
            write(client->fd, client->request + client->sent, client->request_size - client->sent);

        if (n < 0) {
            if (errno != EAGAIN) { /* seen again as a failed read */
                return;
            }
            usleep(50);
            continue;
        }
        client->sent += (size_t)n;
    }
}

static void begin(const struct options *options, int epoll, struct client *client)
{
    if (client->fd < 0) {
        client->fd = connect_to(options->address);
        watch(epoll, client, EPOLL_CTL_ADD);
    }
    client->current = client->count > 1 ? (size_t)(next_random() % client->count) : 0;
    client->request_size = (options->http ? http_request : fcgi_request)(
        options, token_at(client->first + client->current), client->request);
    client->sent = 0;
    client->answer_size = 0;
    client->busy = true;
    client->started_ns = now_ns();
    send_more(client);
}

static void drop_connection(struct client *client)
{
    close(client->fd);
    client->fd = -1;
}

/* Reads what came. True when the request is over, well or ill; *closed when the peer hung up. */
static bool receive(const struct options *options, struct client *client, bool *closed)
{
    size_t unused;

    *closed = false;
    for (;;) {
        ssize_t n = read(client->fd, client->answer + client->answer_size,
                         ANSWER_MAX - client->answer_size);

        if (n > 0) {
            client->answer_size += (size_t)n;
            client->answer[client->answer_size] = '\0';
            continue;
        }
        *closed = n == 0 || errno != EAGAIN;
        break;
    }
    return *closed || (options->http ? http_complete(client->answer, client->answer_size)
                                     : fcgi_complete(client->answer, client->answer_size, &unused));
}

static void finish(const struct options *options, struct client *client, bool counted,
                   struct totals *totals)
{
    uint64_t took = (now_ns() - client->started_ns) / 1000;

    client->busy = false;
    if (!options->http) {
        fcgi_join(client->answer, client->answer_size);
    }
    if (!answer_is_right(options, client)) {
        if (totals->errors++ == 0) {
            snprintf(totals->first_error, sizeof totals->first_error, "%.*s", 399, client->answer);
        }
    } else if (counted) {
        if (totals->done == totals->latency_room) {
            totals->latency_room = totals->latency_room ? totals->latency_room * 2 : 1 << 16;
            totals->latencies_us =
                realloc(totals->latencies_us, totals->latency_room * sizeof *totals->latencies_us);
            if (totals->latencies_us == NULL) {
                die("latencies");
            }
        }
        totals->latencies_us[totals->done++] = (uint32_t)took;
    }
}

/* ---- figures ---- */

static double process_cpu_s(int pid)
{
    char path[64], line[1024];
    unsigned long user = 0, system = 0;
    FILE *file;
    char *at;

    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    if (fgets(line, sizeof line, file) != NULL && (at = strrchr(line, ')')) != NULL) {
        sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    }
    fclose(file);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double processes_cpu_s(const struct processes *processes)
{
    double sum = 0;

    for (int i = 0; i < processes->count; i++) {
        sum += process_cpu_s(processes->pids[i]);
    }
    return sum;
}

static double own_cpu_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Seconds of CPU, in all until now. */
struct cpu {
    double own, servers, fronts;
};

static struct cpu cpu_now(const struct options *options)
{
    return (struct cpu){own_cpu_s(), processes_cpu_s(&options->servers),
                        processes_cpu_s(&options->fronts)};
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double quantile_ms(const struct totals *totals, double q)
{
    size_t i = (size_t)(q * (double)totals->done);

    if (totals->done == 0) {
        return 0;
    }
    return (double)totals->latencies_us[i < totals->done ? i : totals->done - 1] / 1000.0;
}

static void json_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            printf("\\%c", *text);
        } else if ((unsigned char)*text < 0x20) {
            printf("\\u%04x", (unsigned)*text);
        } else {
            putchar(*text);
        }
    }
    putchar('"');
}

static void print_figures(struct totals *totals, double seconds, const struct cpu *from,
                          const struct cpu *to)
{
    double us_each = 1e6 / (totals->done > 0 ? (double)totals->done : 1);

    if (totals->done > 0) {
        qsort(totals->latencies_us, totals->done, sizeof *totals->latencies_us, compare_u32);
    }
    printf("{\"done\":%llu,\"errors\":%llu,\"reconnects\":%llu,\"seconds\":%.3f,\"rate\":%.1f,"
           "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f,"
           "\"generator_cpu_us\":%.1f,\"server_cpu_us\":%.1f,\"front_cpu_us\":%.1f",
           (unsigned long long)totals->done, (unsigned long long)totals->errors,
           (unsigned long long)totals->reconnects, seconds, (double)totals->done / seconds,
           quantile_ms(totals, 0.5), quantile_ms(totals, 0.99), quantile_ms(totals, 0.999),
           quantile_ms(totals, 1), (to->own - from->own) * us_each,
           (to->servers - from->servers) * us_each, (to->fronts - from->fronts) * us_each);
    if (totals->errors > 0) {
        printf(",\"first_error\":");
        json_text(totals->first_error);
    }
    printf("}\n");
}

/* ---- tokens ---- */

static FILE *open_or_die(const char *path, const char *mode)
{
    FILE *file = fopen(path, mode);

    if (file == NULL) {
        die(path);
    }
    return file;
}

static size_t next_line(FILE *file, char line[TOKEN_MAX])
{
    if (fgets(line, TOKEN_MAX, file) == NULL) {
        return 0;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return strlen(line);
}

/* Twice over the file: how many and how long, then the tokens. A chain's later tokens may be a
 * little longer, and a replayed one has its successor behind it. */
static void read_tokens(const struct options *options)
{
    FILE *file = open_or_die(options->tokens_file, "r");
    char line[TOKEN_MAX];
    size_t size, longest = 0;

    while ((size = next_line(file, line)) > 0) {
        token_count++;
        longest = size > longest ? size : longest;
    }
    token_room = options->work == WORK_REPLAY ? 2 * (longest + 32) : longest + 32;
    tokens = calloc(token_count + 1, token_room);
    expected = calloc(token_count + 1, sizeof *expected);
    if (tokens == NULL || expected == NULL) {
        die("tokens");
    }
    rewind(file);
    for (size_t i = 0; i < token_count && next_line(file, line) > 0; i++) {
        strcpy(token_at(i), line);
    }
    fclose(file);
}

/* The next round goes on where this one stopped. */
static void write_tokens(const char *path)
{
    char fresh[4096];
    FILE *file;

    snprintf(fresh, sizeof fresh, "%s.new", path);
    file = open_or_die(fresh, "w");
    for (size_t i = 0; i < token_count; i++) {
        fprintf(file, "%s\n", token_at(i));
    }
    if (fclose(file) != 0 || rename(fresh, path) != 0) {
        die(path);
    }
}

/* ---- the run ---- */

static void run(const struct options *options, struct client *clients, struct totals *totals)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    uint64_t begun = now_ns();
    uint64_t measure_from = begun + (uint64_t)(options->warmup * 1e9);
    uint64_t stop_at = measure_from + (uint64_t)(options->seconds * 1e9);
    struct cpu from = {0}, to;
    bool kept = options->http || options->keep, measuring = false;
    int busy = options->clients;

    for (int i = 0; i < options->clients; i++) {
        begin(options, epoll, &clients[i]);
    }
    while (busy > 0) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll, events, 256, 200);
        uint64_t now = now_ns();

        if (!measuring && now >= measure_from) {
            measuring = true;
            measure_from = now;
            from = cpu_now(options);
        }
        if (now > stop_at + (uint64_t)(options->patience * 1e9)) {
            fprintf(stderr, "loadgen: %d clients got no answer for %g s\n", busy,
                    options->patience);
            totals->errors += (uint64_t)busy;
            break;
        }
        for (int i = 0; i < n; i++) {
            struct client *client = events[i].data.ptr;
            bool closed;

            if (!client->busy) { /* an idle kept connection was closed */
                drop_connection(client);
                continue;
            }
            if (!receive(options, client, &closed)) {
                continue;
            }
            if (closed && kept && client->answer_size == 0) { /* the server keeps none for ever */
                drop_connection(client);
                totals->reconnects++;
                begin(options, epoll, client);
                continue;
            }
            finish(options, client, measuring && now < stop_at, totals);
            if (closed || !kept || strcasestr(client->answer, "\r\nConnection: close") != NULL) {
                drop_connection(client);
            }
            if (now < stop_at) {
                begin(options, epoll, client);
            } else {
                busy--;
            }
        }
    }
    to = cpu_now(options);
    print_figures(totals, (double)(stop_at - measure_from) / 1e9, &from, &to);
    close(epoll);
}

static void usage(void)
{
    fputs(
        "usage: loadgen --tokens FILE [--http | --keep] [--clients N] [--seconds S] [--warmup S]\n"
        "               [--patience S] [--path PATH] [--authorization VALUE] [--extra '&a=b']\n"
        "               [--work rotate|renew|replay|refuse] [--pid PID]... [--front-pid PID]...\n"
        "               ADDRESS\n"
        "ADDRESS: unix:PATH or 127.0.0.1:PORT; without --http it speaks FastCGI.\n",
        stderr);
    exit(2);
}

static enum work work_of(const char *word)
{
    static const char *const words[] = {
        [WORK_ROTATE] = "rotate",
        [WORK_RENEW] = "renew",
        [WORK_REPLAY] = "replay",
        [WORK_REFUSE] = "refuse",
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) == 0) {
            return (enum work)i;
        }
    }
    usage();
    return WORK_ROTATE;
}

static void add_process(struct processes *processes, const char *pid)
{
    if (processes->count < PIDS_MAX) {
        processes->pids[processes->count++] = atoi(pid);
    }
}

static void parse(int argc, char **argv, struct options *options)
{
    static const struct option table[] = {
        {"tokens", required_argument, NULL, 't'},  {"http", no_argument, NULL, 'h'},
        {"clients", required_argument, NULL, 'c'}, {"seconds", required_argument, NULL, 's'},
        {"warmup", required_argument, NULL, 'w'},  {"patience", required_argument, NULL, 'q'},
        {"path", required_argument, NULL, 'p'},    {"authorization", required_argument, NULL, 'a'},
        {"extra", required_argument, NULL, 'x'},   {"work", required_argument, NULL, 'k'},
        {"pid", required_argument, NULL, 'P'},     {"front-pid", required_argument, NULL, 'F'},
        {"keep", no_argument, NULL, 'K'},          {NULL, 0, NULL, 0}};
    int option;

    *options = (struct options){.path = "/oauth/token",
                                .body_extra = "",
                                .clients = 1,
                                .seconds = 5,
                                .warmup = 0.5,
                                .patience = 30};
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (option) {
        case 't':
            options->tokens_file = optarg;
            break;
        case 'h':
            options->http = true;
            break;
        case 'c':
            options->clients = atoi(optarg);
            break;
        case 's':
            options->seconds = atof(optarg);
            break;
        case 'w':
            options->warmup = atof(optarg);
            break;
        case 'q':
            options->patience = atof(optarg);
            break;
        case 'p':
            options->path = optarg;
            break;
        case 'a':
            options->authorization = optarg;
            break;
        case 'x':
            options->body_extra = optarg;
            break;
        case 'k':
            options->work = work_of(optarg);
            break;
        case 'P':
            add_process(&options->servers, optarg);
            break;
        case 'F':
            add_process(&options->fronts, optarg);
            break;
        case 'K':
            options->keep = true;
            break;
        default:
            usage();
        }
    }
    if (optind + 1 != argc || options->tokens_file == NULL || options->clients < 1 ||
        options->clients > CLIENTS_MAX) {
        usage();
    }
    options->address = argv[optind];
}

int main(int argc, char **argv)
{
    static struct client clients[CLIENTS_MAX];
    struct options options;
    struct totals totals = {0};

    parse(argc, argv, &options);
    signal(SIGPIPE, SIG_IGN); /* a kept connection may be closed any time */
    read_tokens(&options);
    if (token_count < (size_t)options.clients) {
        fprintf(stderr, "loadgen: %zu tokens for %d clients\n", token_count, options.clients);
        return 2;
    }
    for (int i = 0; i < options.clients; i++) {
        clients[i].fd = -1;
        clients[i].count = token_count / (size_t)options.clients;
        clients[i].first = (size_t)i * clients[i].count;
    }
    run(&options, clients, &totals);
    if (options.work == WORK_ROTATE) {
        write_tokens(options.tokens_file);
    }
    return totals.errors == 0 ? 0 : 1;
}
