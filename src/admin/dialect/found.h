/* SPDX-License-Identifier: ISC */
/* found.h: what an operation would have found, taken from a recording: where the template
 * of an answer, or of a payload, has a place, the recording has its value. Knows the names of
 * templates; compares nothing. */
#ifndef RETOKEN_ADMIN_DIALECT_FOUND_H
#define RETOKEN_ADMIN_DIALECT_FOUND_H

#include "dialect/described.h"
#include "http/recording.h"

/* A number of a recording beyond it is no time, whether in ms or in s; what is made of those within
 * it fits in 64 bits. */
#define DIALECT_TIME_MAX INT64_C(1000000000000000)

/* Fills request->answer for what the request asks. True: a refresh token was among it. */
bool dialect_found_answer(const struct http_recording *recorded, struct request *request);
/* Fills *claims from the payload of a JWT. */
void dialect_found_payload(const struct template *template, const json_t *payload,
                           struct arena *arena, struct layout_claims *claims);

#endif
