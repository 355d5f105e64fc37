/* SPDX-License-Identifier: ISC */
/* signals.h: the signals that ask a program for something. Does not know what that takes. */
#ifndef RETOKEN_SERVER_SIGNALS_H
#define RETOKEN_SERVER_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Fills *set with them: TERM and INT, which ask it to end, HUP and USR1, which do not. */
void signals_set(sigset_t *set);
/* Does it ask the program to end? */
bool signals_ends(int number);
/* Or to open its log again? */
bool signals_reopens(int number);
/* Or, besides, to read its settings again? */
bool signals_reloads(int number);

#endif
