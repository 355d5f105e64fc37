/* SPDX-License-Identifier: ISC */
/* router.h: which mount a request is for. Web servers split the URL path between SCRIPT_NAME and
 * PATH_INFO in a dozen ways; the two together are the path in all of them. Knows paths; does not
 * know what a mount does. */
#ifndef RETOKEN_RESPONDER_ROUTER_H
#define RETOKEN_RESPONDER_ROUTER_H

#include "http/request.h"
#include "process/config.h"

/* The mount of this request, or NULL: there is none, or the path is not one that a web server makes
 * of an honest URL. The match is exact and case-sensitive, but
 * for a slash at the end (trailing-slash) where no mount fits exactly. */
const struct mount *router_find(const struct config *config, const struct http_request *request);

#endif
