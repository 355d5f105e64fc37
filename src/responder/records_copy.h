/* records_copy.h: a request in memory, as libfcgi takes it. Knows how records are framed; leaves to
 * records.c what may come and what of it is kept. */
#ifndef RETOKEN_RESPONDER_RECORDS_COPY_H
#define RETOKEN_RESPONDER_RECORDS_COPY_H

#include <stdbool.h>
#include <stddef.h>

struct records;

/* Records without padding, as few as can be, with one byte more than limits.body of an over-long
 * body. Grows with what has arrived, never with what was announced, and never beyond the two limits
 * and the headers. Starts zeroed: {0}. */
struct records_copy {
    unsigned char *bytes;
    size_t size;
    size_t room;
    size_t open; /* where the record begins that content is added to; 0: none */
};

/* Wipes (there are tokens in it) and frees; zeroed again afterwards. */
void records_copy_free(struct records_copy *copy);

/* ---- for records.c ----
 * Under the header of the record that is open. False: out of memory. */

/* BEGIN_REQUEST, once its content is there. */
bool records_copy_begin(const struct records *records, struct records_copy *copy);
/* Content of a stream. */
bool records_copy_content(const struct records *records, struct records_copy *copy,
                          const unsigned char *bytes, size_t size);
/* The end of the stream. */
bool records_copy_end(const struct records *records, struct records_copy *copy);

#endif
