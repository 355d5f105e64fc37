/* SPDX-License-Identifier: ISC */
/* input.h: the files that the verbs of `retoken dialect` are given: a dialect's, and
 * recordings. Knows how they are opened and bounded; does not know what a verb makes of them. */
#ifndef RETOKEN_ADMIN_DIALECT_INPUT_H
#define RETOKEN_ADMIN_DIALECT_INPUT_H

#include "admin/call.h"
#include "http/recording.h"

/* The bytes of a file, or of standard input ("-"), in the call's arena; they may hold tokens.
 * CALL_DONE, or the end with its reason said. */
enum call_end dialect_input_read(struct call *call, const char *path, size_t most,
                                 struct text *bytes);
/* The dialect that a file describes, named as the file is without its ending; where there is no
 * such file, the program's own one of that name. CALL_REFUSED with the reader's complaint said. */
enum call_end dialect_input_dialect(struct call *call, const char *path,
                                    const struct dialect **dialect);
/* A recorded request, or a recorded answer. CALL_REFUSED, with the reason said: it is none. */
enum call_end dialect_input_request(struct call *call, const char *path,
                                    struct http_recording *recording);
enum call_end dialect_input_answer(struct call *call, const char *path,
                                   struct http_recording *recording);

#endif
