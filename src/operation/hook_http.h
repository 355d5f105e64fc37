/* SPDX-License-Identifier: ISC */
/* hook_http.h: asks a hook by HTTP, with a client that is opened when the first is asked. */
#ifndef RETOKEN_OPERATION_HOOK_HTTP_H
#define RETOKEN_OPERATION_HOOK_HTTP_H

#include "operation/hook.h"

struct hook_http;
struct hook_http *hook_http_open(void);         /* NULL: no memory */
void hook_http_close(struct hook_http *hooked); /* NULL is harmless */

/* Opens the client now, as a process must that will be confined. False with *fault. */
bool hook_http_prepare(struct hook_http *hooked, struct fault *fault);

/* A hook_post whose `self` is a struct hook_http. Only a status of 200 is an answer. */
hook_post hook_http_post;

#endif
