/* SPDX-License-Identifier: ISC */
/* client.h: requests that Retoken itself makes: a body is posted to a URL that the configuration
 * names, or its administrator looks at the site from outside. The one room of libcurl, which is
 * loaded at the first use: a process that asks nothing of others starts as quickly as if there were
 * no such library. Knows which URLs and addresses may be asked, and bounds on time and bytes; does
 * not know what is asked or who tries again.
 *
 * Never: a redirect is followed, a proxy or ~/.netrc is used, a cookie is kept, a body is
 * decompressed. */
#ifndef RETOKEN_HTTP_CLIENT_H
#define RETOKEN_HTTP_CLIENT_H

#include <stdint.h>

#include "base/fault.h"
#include "base/text.h"

struct http_client;

enum {
    HTTP_CLIENT_URL_MAX = 1024,
    HTTP_CLIENT_HEADERS_MAX = 8,
    HTTP_CLIENT_HEAD_LIMIT = 64 * 1024 /* bytes of status line and headers of an answer */
};

enum http_client_use {
    HTTP_CLIENT_ANYWHERE, /* https:// any host; http:// this machine */
    HTTP_CLIENT_HERE,     /* http:// and unix: of this machine */
    HTTP_CLIENT_SITE      /* http:// and https:// any host: nothing secret is sent */
};

/* May this URL be asked? One of
 *   https://HOST[:PORT][/PATH]    not HTTP_CLIENT_HERE; its certificate is verified
 *   http://LOOPBACK[:PORT][/PATH] where LOOPBACK is 127.0.0.1, [::1] or localhost
 *   http://HOST[:PORT][/PATH]     only HTTP_CLIENT_SITE
 *   unix:/SOCKET[:/PATH]          only HTTP_CLIENT_HERE; HTTP over a Unix socket
 * in visible ASCII, without user name and fragment. False: *wrong says what would be right. Looks
 * nothing up: an address is looked at when it is connected to. */
bool http_client_is_url(struct text url, enum http_client_use use, const char **wrong);

/* Loads the library. `kept`: how many connections are kept open between requests,
 * at most. NULL with *fault, which says what to install. One client is for any number of threads
 * with http_client_post, or for one thread with http_client_start and http_client_next.
 *
 * A process that confines itself opens it before; a post then takes socket, socketpair and connect,
 * the files of certificates, and for names of hosts other than localhost a thread and what the
 * resolver reads. */
struct http_client *http_client_open(unsigned kept, struct fault *fault);
/* Ends what is under way; those calls are not handed back. NULL is harmless. */
void http_client_close(struct http_client *client);

/* One request and its answer. The caller keeps all of it, and what it points to, until the call has
 * been answered or has failed. */
struct http_call {
    const char *url; /* http_client_is_url was true */
    enum http_client_use use;
    const char *method; /* "GET", without a body; NULL = POST */
    struct text body;
    /* "Name: value", NULL ends them. Content-Type is among them; Host, Content-Length and
     * User-Agent come by themselves. */
    const char *headers[HTTP_CLIENT_HEADERS_MAX + 1];
    const char *ca_file; /* PEM certificates that vouch for the server; NULL = the system's */
    int64_t timeout_ms;  /* for all of it: looking up, connecting, sending, the whole answer */
    char *room;          /* of the body of the answer; NULL = it is not kept */
    size_t room_size;    /* bytes; the answer is not read any further */
    char *head;          /* of its header lines; NULL = they are not kept */
    size_t head_room;    /* bytes; more lines are left out */
    void *owner;         /* of the caller */

    /* What came back. */
    bool answered;          /* false: `fault` says why not */
    int status;             /* 200, 503, … */
    size_t size;            /* bytes in `room` */
    size_t head_size;       /* bytes in `head` */
    bool cut;               /* the body was longer */
    int64_t retry_after_ms; /* what a Retry-After in seconds asks for; 0 = nothing */
    struct fault fault;     /* holds nothing of URL, body or headers, but perhaps the host */
};

/* Asks and waits for the answer. Returns call->answered. */
bool http_client_post(struct http_client *client, struct http_call *call);

/* Begins, and returns at once. False: it failed at once, and is not among those that follow. */
bool http_client_start(struct http_client *client, struct http_call *call);
/* The next call that has come to its end, or NULL when there is none within wait_ms, or when `fd`
 * (-1 = none) can be read before that. */
struct http_call *http_client_next(struct http_client *client, int64_t wait_ms, int fd);

/* May a host of that address be connected to? Not link-local ones, broadcast, multicast or "this
 * host", nor where clouds answer questions about a machine and its credentials; also when such an
 * IPv4 address is wrapped into an IPv6 one. With `here` only those of loopback. `address` is a
 * struct sockaddr. For tests. */
bool http_client_is_address(const void *address, bool here);

#endif
