/* SPDX-License-Identifier: ISC */
/* fcgi_buffer.h: a copy of a request in memory, as libfcgi can read it. Knows how records are
 * framed; fcgi_scan.c decides what may come and what of it is copied. */
#ifndef RETOKEN_SERVER_FCGI_BUFFER_H
#define RETOKEN_SERVER_FCGI_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct fcgi_scan;

/* Records without padding, as few as possible, with up to one byte more of the body than
 * limits.body. Grows with what has arrived, never with what was announced, up to the two limits and
 * the headers. Starts zeroed: {0}. */
struct fcgi_buffer {
    unsigned char *bytes;
    size_t size;
    size_t room;
    size_t open; /* offset of the record that content is added to; 0: none */
};

/* The next three are for fcgi_scan.c, with the current record in scan->header. False: out of
 * memory. BEGIN_REQUEST, once its content is in scan->begin; */
bool fcgi_buffer_begin(const struct fcgi_scan *scan, struct fcgi_buffer *buffer);
/* content of a stream; */
bool fcgi_buffer_content(const struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                         const unsigned char *bytes, size_t size);
/* the end of a stream. */
bool fcgi_buffer_end(const struct fcgi_scan *scan, struct fcgi_buffer *buffer);

/* Wipes it, because there are tokens in it, and frees it: {0} again. */
void fcgi_buffer_free(struct fcgi_buffer *buffer);

#endif
