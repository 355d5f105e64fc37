/* SPDX-License-Identifier: ISC */
/* signals.c: see signals.h. */
#include "server/signals.h"

void signals_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
}

bool signals_ends(int number)
{
    return number == SIGTERM || number == SIGINT;
}

bool signals_reopens(int number)
{
    return number == SIGHUP || number == SIGUSR1;
}

bool signals_reloads(int number)
{
    return number == SIGHUP;
}
