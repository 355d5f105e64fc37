/* SPDX-License-Identifier: ISC */
/* client.c: see client.h. Every address is judged at the moment when a socket for it is made, after
 * names have been looked up, so that a name that leads elsewhere the second time gains nothing. */
#include "http/client.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/library.h"
#include "http/redirect.h"

enum { IDLE_MAX = 16 };

/* What is used of the library. The calls with `...` have no checks of types by macro here. */
struct library {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*perform)(CURL *easy);
    CURLcode (*getinfo)(CURL *easy, CURLINFO info, ...);
    void (*reset)(CURL *easy);
    void (*cleanup)(CURL *easy);
    const char *(*strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *line);
    void (*slist_free)(struct curl_slist *list);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_perform)(CURLM *multi, int *running);
    CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd *fds, unsigned count, int timeout_ms,
                            int *ready);
    CURLMsg *(*multi_read)(CURLM *multi, int *left);
    CURLMcode (*multi_cleanup)(CURLM *multi);
};

static const struct library_symbol symbols[] = {
    {"curl_global_init", offsetof(struct library, global_init)},
    {"curl_easy_init", offsetof(struct library, easy_init)},
    {"curl_easy_setopt", offsetof(struct library, setopt)},
    {"curl_easy_perform", offsetof(struct library, perform)},
    {"curl_easy_getinfo", offsetof(struct library, getinfo)},
    {"curl_easy_reset", offsetof(struct library, reset)},
    {"curl_easy_cleanup", offsetof(struct library, cleanup)},
    {"curl_easy_strerror", offsetof(struct library, strerror)},
    {"curl_slist_append", offsetof(struct library, slist_append)},
    {"curl_slist_free_all", offsetof(struct library, slist_free)},
    {"curl_multi_init", offsetof(struct library, multi_init)},
    {"curl_multi_setopt", offsetof(struct library, multi_setopt)},
    {"curl_multi_add_handle", offsetof(struct library, multi_add)},
    {"curl_multi_remove_handle", offsetof(struct library, multi_remove)},
    {"curl_multi_perform", offsetof(struct library, multi_perform)},
    {"curl_multi_poll", offsetof(struct library, multi_poll)},
    {"curl_multi_info_read", offsetof(struct library, multi_read)},
    {"curl_multi_cleanup", offsetof(struct library, multi_cleanup)},
};

static const struct library_file file = {"libcurl.so.4", "libcurl4", symbols,
                                         sizeof symbols / sizeof symbols[0]};

struct http_client {
    struct library library;
    unsigned kept;
    CURLM *multi; /* of http_client_start */
    struct transfer *started;
    pthread_mutex_t lock; /* of `idle`, for http_client_post */
    CURL *idle[IDLE_MAX]; /* with the connections they keep */
    size_t idle_count;
};

/* What one call has while it is under way. */
struct transfer {
    struct http_client *client;
    struct http_call *call;
    struct transfer *next;
    CURL *easy;
    struct curl_slist *headers;
    size_t head; /* bytes of headers so far */
    bool here;   /* only this machine may be connected to */
    bool whole_head;
    bool in_multi;
    const char *refused; /* why this client itself gave up */
    char url[HTTP_CLIENT_URL_MAX + 32];
    char why[CURL_ERROR_SIZE];
};

static bool load(struct library *library, struct fault *fault);
static bool is_plain_site(struct text url);
static bool split_socket(struct text url, struct text *socket, struct text *path);
static struct transfer *prepare(struct http_client *client, struct http_call *call);
static bool set_options(struct transfer *transfer);
static bool set_method(struct transfer *transfer);
static bool add_headers(struct transfer *transfer);
static bool add_header(struct transfer *transfer, const char *line);
static bool set_target(struct transfer *transfer);
static void finish(struct transfer *transfer, CURLcode code);
static void release(struct transfer *transfer, bool keep);
static CURL *take_idle(struct http_client *client);
static curl_socket_t open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address);
static size_t take_header(char *line, size_t one, size_t size, void *self);
static void keep_header(struct http_call *call, struct text line);
static size_t take_body(char *bytes, size_t one, size_t size, void *self);
static struct http_call *next_ended(struct http_client *client);
static void unlink_started(struct http_client *client, const struct transfer *transfer);

/* ---- URLs and addresses ---- */

bool http_client_is_url(struct text url, enum http_client_use use, const char **wrong)
{
    struct text socket, path;
    const char *unheard;

    *wrong = use == HTTP_CLIENT_HERE
                 ? "not a URL of this machine; write for example unix:/run/app/claims or "
                   "http://127.0.0.1:8000/claims"
                 : "not a URL to post to; write https://HOST/PATH; http:// is for 127.0.0.1, [::1] "
                   "and localhost";
    if (url.size > HTTP_CLIENT_URL_MAX) {
        *wrong = "a URL has at most 1024 bytes";
        return false;
    } else if (text_starts(url, TEXT("unix:"))) {
        return use == HTTP_CLIENT_HERE && split_socket(url, &socket, &path);
    }
    if (use == HTTP_CLIENT_SITE) {
        *wrong = "not the URL of a site; write for example https://login.example.org";
        return is_plain_site(url) || http_client_is_url(url, HTTP_CLIENT_ANYWHERE, &unheard);
    }
    return (text_starts(url, TEXT("http://")) ||
            (use == HTTP_CLIENT_ANYWHERE && text_starts(url, TEXT("https://")))) &&
           http_redirect_is_registrable(url);
}

/* What is right with https: in its place. */
static bool is_plain_site(struct text url)
{
    char secure[HTTP_CLIENT_URL_MAX + 2];
    const struct text scheme = TEXT("http://");

    return text_starts(url, scheme) &&
           snprintf(secure, sizeof secure, "https://%.*s", TEXT_ARGS(text_from(url, scheme.size))) <
               (int)sizeof secure &&
           http_redirect_is_registrable(text_of(secure));
}

/* "unix:/run/app/claims:/v1" -> "/run/app/claims", "/v1". False: neither fits. */
static bool split_socket(struct text url, struct text *socket, struct text *path)
{
    struct text rest = text_from(url, strlen("unix:"));

    *socket = text_split(&rest, ':');
    *path = rest.size > 0 ? rest : TEXT("/");
    return text_starts(url, TEXT("unix:")) && text_is_visible_ascii(url) &&
           text_starts(*socket, TEXT("/")) &&
           socket->size < sizeof((struct sockaddr_un *)NULL)->sun_path && path->data[0] == '/' &&
           text_find(*path, '#') == path->size;
}

struct block {
    uint8_t prefix[16];
    unsigned bits;
};

static bool is_in(const uint8_t address[16], const struct block *block)
{
    unsigned whole = block->bits / 8;
    unsigned mask = 0xff00U >> block->bits % 8;

    return memcmp(address, block->prefix, whole) == 0 &&
           (block->bits % 8 == 0 || ((address[whole] ^ block->prefix[whole]) & mask & 0xff) == 0);
}

/* IPv4 addresses as IPv6 has them mapped (RFC 4291 section 2.5.5.2). */
#define V4(a, b, c, d, bits)                                                                       \
    {                                                                                              \
        {[10] = 0xff, [11] = 0xff, [12] = (a), [13] = (b), [14] = (c), [15] = (d)}, 96 + (bits)    \
    }

bool http_client_is_address(const void *address, bool here)
{
    static const struct block own[] = {V4(127, 0, 0, 0, 8), {{[15] = 1}, 128}};
    static const struct block refused[] = {
        V4(0, 0, 0, 0, 8),           /* this host (RFC 1122) */
        V4(169, 254, 0, 0, 16),      /* link-local (RFC 3927); metadata of most clouds */
        V4(100, 100, 100, 200, 32),  /* metadata of Alibaba */
        V4(168, 63, 129, 16, 32),    /* the platform of Azure */
        V4(192, 0, 0, 192, 32),      /* metadata of Oracle */
        V4(224, 0, 0, 0, 3),         /* multicast, reserved, broadcast */
        {{0}, 128},                  /* no address */
        {{0xfe, 0x80}, 10},          /* link-local */
        {{0xff}, 8},                 /* multicast */
        {{0xfd, 0, 0x0e, 0xc2}, 32}, /* metadata of Amazon: fd00:ec2::/32 */
        {{0xfd, 0x20, 0, 0xce}, 32}, /* metadata of Google: fd20:ce::/32 */
    };
    static const struct block wrapped = {{0, 0x64, 0xff, 0x9b}, 96}; /* RFC 6052 */
    const struct sockaddr *any = address;
    uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};

    if (any->sa_family == AF_INET) {
        memcpy(bytes + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
    } else if (any->sa_family == AF_INET6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof bytes);
    } else {
        return false;
    }
    if (is_in(bytes, &wrapped)) {
        memcpy(bytes, (uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12);
    }
    if (is_in(bytes, &own[0]) || is_in(bytes, &own[1])) {
        return true;
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (is_in(bytes, &refused[i])) {
            return false;
        }
    }
    return !here;
}

/* ---- the library ---- */

static bool load(struct library *library, struct fault *fault)
{
    if (!library_load(&file, library, fault)) {
        return false;
    }
    if (!crypto_start_tls() || library->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        fault_set(fault, "libcurl: cannot be set up");
        return false;
    }
    return true;
}

struct http_client *http_client_open(unsigned kept, struct fault *fault)
{
    struct http_client *client = calloc(1, sizeof *client);

    if (client == NULL) {
        fault_set(fault, "out of memory");
        return NULL;
    } else if (!load(&client->library, fault)) {
        free(client);
        return NULL;
    }
    client->kept = kept < IDLE_MAX ? kept : IDLE_MAX;
    client->multi = client->library.multi_init();
    pthread_mutex_init(&client->lock, NULL);
    if (client->multi == NULL) {
        fault_set(fault, "out of memory");
        http_client_close(client);
        return NULL;
    }
    client->library.multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)client->kept);
    return client;
}

void http_client_close(struct http_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->started != NULL) {
        struct transfer *transfer = client->started;

        client->started = transfer->next;
        release(transfer, false);
    }
    if (client->multi != NULL) {
        client->library.multi_cleanup(client->multi);
    }
    for (size_t i = 0; i < client->idle_count; i++) {
        client->library.cleanup(client->idle[i]);
    }
    pthread_mutex_destroy(&client->lock);
    free(client);
}

/* ---- one call ---- */

bool http_client_post(struct http_client *client, struct http_call *call)
{
    struct transfer *transfer = prepare(client, call);

    if (transfer != NULL) {
        finish(transfer, client->library.perform(transfer->easy));
        release(transfer, true);
    }
    return call->answered;
}

/* NULL with the fault in the call. */
static struct transfer *prepare(struct http_client *client, struct http_call *call)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);

    call->answered = call->cut = false;
    call->status = 0;
    call->size = call->head_size = 0;
    call->retry_after_ms = 0;
    call->fault.text[0] = '\0';
    if (transfer != NULL) {
        transfer->client = client;
        transfer->call = call;
        transfer->easy = take_idle(client);
        if (transfer->easy != NULL && set_options(transfer)) {
            return transfer;
        }
        release(transfer, false);
    }
    fault_set(&call->fault, "libcurl: cannot prepare a request");
    return NULL;
}

static CURL *take_idle(struct http_client *client)
{
    CURL *easy = NULL;

    pthread_mutex_lock(&client->lock);
    if (client->idle_count > 0) {
        easy = client->idle[--client->idle_count];
    }
    pthread_mutex_unlock(&client->lock);
    return easy != NULL ? easy : client->library.easy_init();
}

#define SET(transfer, option, value)                                                               \
    ((transfer)->client->library.setopt((transfer)->easy, option, value) == CURLE_OK)

static bool set_options(struct transfer *transfer)
{
    const struct http_call *call = transfer->call;
    const char *ca_file = call->ca_file;

    return add_headers(transfer) && set_target(transfer) &&
           SET(transfer, CURLOPT_PROTOCOLS_STR, "http,https") &&
           SET(transfer, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) &&
           SET(transfer, CURLOPT_PATH_AS_IS, 1L) && SET(transfer, CURLOPT_FOLLOWLOCATION, 0L) &&
           SET(transfer, CURLOPT_PROXY, "") &&
           SET(transfer, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
           SET(transfer, CURLOPT_NOSIGNAL, 1L) &&
           SET(transfer, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(transfer, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           (ca_file == NULL || (SET(transfer, CURLOPT_CAINFO, ca_file) &&
                                SET(transfer, CURLOPT_CAPATH, (char *)NULL))) &&
           SET(transfer, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms) &&
           SET(transfer, CURLOPT_CONNECTTIMEOUT_MS, (long)call->timeout_ms) &&
           SET(transfer, CURLOPT_MAXCONNECTS, 1L) && SET(transfer, CURLOPT_USERAGENT, "retoken") &&
           set_method(transfer) && SET(transfer, CURLOPT_HEADERFUNCTION, take_header) &&
           SET(transfer, CURLOPT_HEADERDATA, transfer) &&
           SET(transfer, CURLOPT_WRITEFUNCTION, take_body) &&
           SET(transfer, CURLOPT_WRITEDATA, transfer) &&
           SET(transfer, CURLOPT_ERRORBUFFER, transfer->why) &&
           SET(transfer, CURLOPT_PRIVATE, transfer);
}

static bool set_method(struct transfer *transfer)
{
    const struct http_call *call = transfer->call;

    if (call->method != NULL) {
        return SET(transfer, CURLOPT_HTTPGET, 1L) &&
               SET(transfer, CURLOPT_CUSTOMREQUEST, call->method);
    }
    return SET(transfer, CURLOPT_POST, 1L) &&
           SET(transfer, CURLOPT_POSTFIELDS, call->body.data != NULL ? call->body.data : "") &&
           SET(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.size);
}

static bool add_headers(struct transfer *transfer)
{
    /* no waiting for "100 Continue" */
    bool added = add_header(transfer, "Expect:");

    for (const char *const *header = transfer->call->headers; *header != NULL; header++) {
        added = added && add_header(transfer, *header);
    }
    return added && SET(transfer, CURLOPT_HTTPHEADER, transfer->headers);
}

static bool add_header(struct transfer *transfer, const char *line)
{
    struct curl_slist *longer = transfer->client->library.slist_append(transfer->headers, line);

    transfer->headers = longer != NULL ? longer : transfer->headers;
    return longer != NULL;
}

static bool set_target(struct transfer *transfer)
{
    struct text url = text_of(transfer->call->url);
    char name[sizeof((struct sockaddr_un *)NULL)->sun_path];
    struct text socket, path;

    if (split_socket(url, &socket, &path)) {
        (void)snprintf(transfer->url, sizeof transfer->url, "http://localhost%.*s",
                       TEXT_ARGS(path));
        return text_copy(socket, name, sizeof name) &&
               SET(transfer, CURLOPT_UNIX_SOCKET_PATH, name) &&
               SET(transfer, CURLOPT_URL, transfer->url);
    }
    transfer->here = transfer->call->use != HTTP_CLIENT_SITE && text_starts(url, TEXT("http://"));
    return text_copy(url, transfer->url, sizeof transfer->url) &&
           SET(transfer, CURLOPT_OPENSOCKETFUNCTION, open_socket) &&
           SET(transfer, CURLOPT_OPENSOCKETDATA, transfer) &&
           SET(transfer, CURLOPT_URL, transfer->url);
}

/* A body that was cut has been answered all the same. */
static void finish(struct transfer *transfer, CURLcode code)
{
    const struct library *library = &transfer->client->library;
    struct http_call *call = transfer->call;
    curl_off_t retry_after = 0;
    long status = 0;

    (void)library->getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    call->answered = (code == CURLE_OK || (code == CURLE_WRITE_ERROR && call->cut)) && status > 0 &&
                     transfer->whole_head;
    if (call->answered) {
        call->status = (int)status;
        if (library->getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK &&
            retry_after > 0 && retry_after < INT32_MAX) {
            call->retry_after_ms = (int64_t)retry_after * 1000;
        }
        return;
    }
    fault_set(&call->fault, "%s",
              code == CURLE_OK            ? "the answer was cut off"
              : transfer->refused != NULL ? transfer->refused
              : transfer->why[0] != '\0'  ? transfer->why
                                          : library->strerror(code));
}

/* `keep`: the handle, with its connection, is for another call. */
static void release(struct transfer *transfer, bool keep)
{
    struct http_client *client = transfer->client;

    if (transfer->easy != NULL) {
        if (transfer->in_multi) {
            client->library.multi_remove(client->multi, transfer->easy);
        }
        client->library.reset(transfer->easy);
        pthread_mutex_lock(&client->lock);
        keep = keep && client->idle_count < client->kept;
        if (keep) {
            client->idle[client->idle_count++] = transfer->easy;
        }
        pthread_mutex_unlock(&client->lock);
        if (!keep) {
            client->library.cleanup(transfer->easy);
        }
    }
    client->library.slist_free(transfer->headers);
    free(transfer);
}

/* ---- what the library asks ---- */

static curl_socket_t open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = self;

    (void)purpose;
    if (!http_client_is_address(&address->addr, transfer->here)) {
        transfer->refused = transfer->here ? "its host is not this machine"
                                           : "its address is link-local, of a metadata service or "
                                             "of no host at all, and is never asked";
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_header(char *line, size_t one, size_t size, void *self)
{
    struct transfer *transfer = self;

    /* the empty line: without it, what libcurl takes for an answer was cut off */
    transfer->whole_head = line[0] == '\r' || line[0] == '\n';
    transfer->head += one * size;
    if (transfer->head > HTTP_CLIENT_HEAD_LIMIT) {
        transfer->refused = "its answer has more than 64 KiB of headers";
        return 0;
    }
    keep_header(transfer->call, (struct text){line, one * size});
    return one * size;
}

static void keep_header(struct http_call *call, struct text line)
{
    if (call->head != NULL && line.size <= call->head_room - call->head_size) {
        memcpy(call->head + call->head_size, line.data, line.size);
        call->head_size += line.size;
    }
}

static size_t take_body(char *bytes, size_t one, size_t size, void *self)
{
    struct http_call *call = ((struct transfer *)self)->call;
    size_t left = call->room_size - call->size;
    size_t taken = one * size < left ? one * size : left;

    if (call->room != NULL) {
        memcpy(call->room + call->size, bytes, taken);
    }
    call->size += taken;
    call->cut = taken < one * size;
    return taken;
}

/* ---- many at a time ---- */

bool http_client_start(struct http_client *client, struct http_call *call)
{
    struct transfer *transfer = prepare(client, call);

    if (transfer == NULL) {
        return false;
    }
    transfer->in_multi = client->library.multi_add(client->multi, transfer->easy) == CURLM_OK;
    if (!transfer->in_multi) {
        fault_set(&call->fault, "libcurl: out of memory");
        release(transfer, false);
        return false;
    }
    transfer->next = client->started;
    client->started = transfer;
    return true;
}

struct http_call *http_client_next(struct http_client *client, int64_t wait_ms, int fd)
{
    const struct library *library = &client->library;
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int64_t until_us = clock_stopwatch_us() + wait_ms * 1000;
    int count;

    for (;;) {
        library->multi_perform(client->multi, &count);
        struct http_call *call = next_ended(client);
        int64_t left_us = until_us - clock_stopwatch_us();

        if (call != NULL || left_us <= 0 || extra.revents != 0) {
            return call;
        }
        library->multi_poll(client->multi, &extra, fd >= 0, (int)(left_us / 1000) + 1, &count);
    }
}

/* NULL: none has come to its end. */
static struct http_call *next_ended(struct http_client *client)
{
    CURLMsg *message;
    int left;

    while ((message = client->library.multi_read(client->multi, &left)) != NULL) {
        struct transfer *transfer = NULL;

        if (message->msg != CURLMSG_DONE ||
            client->library.getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) !=
                CURLE_OK) {
            continue;
        }
        struct http_call *call = transfer->call;
        finish(transfer, message->data.result);
        unlink_started(client, transfer);
        release(transfer, false);
        return call;
    }
    return NULL;
}

static void unlink_started(struct http_client *client, const struct transfer *transfer)
{
    struct transfer **link = &client->started;

    while (*link != transfer) {
        link = &(*link)->next;
    }
    *link = transfer->next;
}
