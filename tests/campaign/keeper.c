/* SPDX-License-Identifier: ISC */
/* keeper.c: keeps N processes of a program running on the listening socket that is its standard
 * input, as spawn-fcgi or a supervisor does, and starts each again at once when it ends. In C,
 * because a kill storm is bounded by how fast that is. SIGTERM ends all of them. Knows nothing of
 * Retoken.
 *
 *   keeper N PROGRAM [ARGUMENT...] */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 64 };

static pid_t begin(char *const command[], const sigset_t *open)
{
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        sigprocmask(SIG_SETMASK, open, NULL);
        execv(command[0], command);
        _exit(127);
    }
    return child;
}

int main(int argc, char *argv[])
{
    int count = argc > 2 ? atoi(argv[1]) : 0;
    pid_t children[MOST];
    sigset_t waited, before;
    int which = 0;

    if (count < 1 || count > MOST) {
        return 2;
    }
    sigemptyset(&waited);
    sigaddset(&waited, SIGCHLD);
    sigaddset(&waited, SIGTERM);
    sigprocmask(SIG_BLOCK, &waited, &before);
    for (int i = 0; i < count; i++) {
        children[i] = begin(argv + 2, &before);
    }
    while (which != SIGTERM && sigwait(&waited, &which) == 0) {
        for (pid_t ended; (ended = waitpid(-1, NULL, WNOHANG)) > 0;) {
            for (int i = 0; i < count && which != SIGTERM; i++) {
                if (children[i] == ended) {
                    children[i] = begin(argv + 2, &before);
                }
            }
        }
    }
    for (int i = 0; i < count; i++) {
        if (children[i] > 0) {
            kill(children[i], SIGTERM);
        }
    }
    while (wait(NULL) > 0) {
    }
    return 0;
}
