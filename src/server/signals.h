/* SPDX-License-Identifier: ISC */
/* signals.h: the signals that ask a program to end. Does not know what ending takes. */
#ifndef RETOKEN_SERVER_SIGNALS_H
#define RETOKEN_SERVER_SIGNALS_H

#include <signal.h>

/* Fills *set with them: TERM, INT and HUP as usual, and USR1, by which a web server asks for a
 * graceful end. */
void signals_termination(sigset_t *set);

#endif
