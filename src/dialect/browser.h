/* SPDX-License-Identifier: ISC */
/* browser.h: which page asks, and what it may read (the Fetch standard's CORS protocol and request
 * metadata). A browser says where a page comes from; nothing that is not a browser is kept out
 * here, and no page can make its browser say anything else. Knows those headers and allow-origins;
 * does not know what is asked. */
#ifndef RETOKEN_DIALECT_BROWSER_H
#define RETOKEN_DIALECT_BROWSER_H

#include "operation/request.h"

/* Sets request->page and request->origin. A page is foreign when its browser says that it is of
 * another origin, unless allow-origins names it, or leaves that to the session's client: it could
 * not read the answer, so it must not spend a token or set a cookie. Where Sec-Fetch-Site is not
 * sent, by old browsers and over plain http, an Origin whose host is neither this request's Host
 * nor that of the issuer is foreign. */
void browser_look(struct request *request);

/* Does a page of our own origin send this, or no page at all? For endpoints to which pages of other
 * origins may send the browser, where that is not enough. */
bool browser_page_is_own(const struct request *request);

/* Does a browser ask what an allowed page may send (a CORS preflight)? */
bool browser_is_preflight(const struct request *request);
/* Tells it: these methods, and the headers it asks for. `methods`: ENDPOINT_…, or-ed. */
void browser_answer_preflight(struct request *request, unsigned methods);

/* Adds to any answer what lets an allowed page read it. */
void browser_add_headers(struct request *request);

/* Is this from a browser, as far as can be told? It would show a dialog for a Basic challenge. */
bool browser_asks(const struct request *request);

#endif
