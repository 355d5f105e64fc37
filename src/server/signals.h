/* SPDX-License-Identifier: ISC */
/* signals.h: the signals that ask a program to end. Knows which they are; does not know what ending
 * takes. */
#ifndef RETOKEN_SERVER_SIGNALS_H
#define RETOKEN_SERVER_SIGNALS_H

#include <signal.h>

/* *set becomes the termination signals: TERM, INT and HUP as usual, and USR1, by which a web server
 * asks for a graceful end. */
void signals_termination(sigset_t *set);

#endif
