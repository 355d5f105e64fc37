/* SPDX-License-Identifier: ISC */
/* signals.c: see signals.h. */
#include "server/signals.h"

void signals_termination(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1);
}
