/* cgi.h: one request in the environment and on standard input (RFC 3875), its answer on standard
 * output. */
#ifndef RETOKEN_RESPONDER_CGI_H
#define RETOKEN_RESPONDER_CGI_H

#include "responder/serve.h"

/* Gives the exit status. The signals of an orderly end are blocked meanwhile, so that an answer
 * whose rotation is committed still leaves. */
int cgi_run(struct serve *serve);

#endif
