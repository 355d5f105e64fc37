/* SPDX-License-Identifier: ISC */
/* hand_over.h: a CGI script that goes on as another program. retoken.cgi starts faster and can load
 * no libraries; retoken.fcgi beside it can. Knows where that is; does not know what needs them. */
#ifndef RETOKEN_RESPONDER_HAND_OVER_H
#define RETOKEN_RESPONDER_HAND_OVER_H

/* Becomes the retoken.fcgi in this program's folder, with the same environment and descriptors and
 * without arguments. Call before the request's body is read and before the process is confined.
 * Returns only when it cannot: there is none, or it is this program itself. */
void hand_over(void);

#endif
