/* SPDX-License-Identifier: ISC */
/* fcgi_buffer.h: a copy of a request in memory, as libfcgi can read it. Knows how records are
 * framed; fcgi_scan.c decides what may come and what of it is copied. */
#ifndef RETOKEN_SERVER_FCGI_BUFFER_H
#define RETOKEN_SERVER_FCGI_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct fcgi_scan;

/* Records without padding, as few as can be, with one byte more than limits.body of an over-long
 * body. Grows with what has arrived, never with what was announced, and never beyond the two limits
 * and the headers. Starts zeroed: {0}. */
struct fcgi_buffer {
    unsigned char *bytes;
    size_t size;
    size_t room;
    size_t open; /* where the record begins that content is added to; 0: none */
};

/* Wipes (there are tokens in it) and frees; zeroed again afterwards. */
void fcgi_buffer_free(struct fcgi_buffer *buffer);

/* ---- for scan.c ----
 * Under the header of the record that is open. False: out of memory. */

/* BEGIN_REQUEST, once its content is there. */
bool fcgi_buffer_begin(const struct fcgi_scan *scan, struct fcgi_buffer *buffer);
/* Content of a stream. */
bool fcgi_buffer_content(const struct fcgi_scan *scan, struct fcgi_buffer *buffer,
                         const unsigned char *bytes, size_t size);
/* The end of the stream. */
bool fcgi_buffer_end(const struct fcgi_scan *scan, struct fcgi_buffer *buffer);

#endif
