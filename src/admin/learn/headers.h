/* SPDX-License-Identifier: ISC */
/* headers.h: which headers of recorded answers are the backend's own, by their names. Knows those
 * of web servers, proxies and browsers; does not know what the backend's mean. */
#ifndef RETOKEN_ADMIN_LEARN_HEADERS_H
#define RETOKEN_ADMIN_LEARN_HEADERS_H

#include "base/text.h"

/* Is it one that no web server, proxy or framework adds by itself, and no browser obeys? `name` is
 * in lower case, as recordings have it. */
bool learn_header_is_backends(struct text name);

#endif
