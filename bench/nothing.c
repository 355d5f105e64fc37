/* SPDX-License-Identifier: ISC */
/* nothing.c: a FastCGI responder that does nothing, threads and all: what the web server and
 * libfcgi cost by themselves. Listens on fd 0, or on the Unix socket that its last argument names.
 */
#include <pthread.h>

#include <fcgiapp.h>

/* As many as requests come at once, for each kept connection takes one: none waits for another.
 */
enum { THREADS = 64 };

static int listener;

static void *answer(void *unused)
{
    FCGX_Request request;

    (void)unused;
    FCGX_InitRequest(&request, listener, 0);
    for (;;) {
        char body[4096];

        if (FCGX_Accept_r(&request) < 0) {
            return NULL;
        }
        while (FCGX_GetStr(body, sizeof body, request.in) == (int)sizeof body) {
        }
        FCGX_PutS("Status: 400 Bad Request\r\nContent-Type: application/json\r\n\r\n{}",
                  request.out);
        FCGX_Finish_r(&request);
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];

    FCGX_Init();
    listener = argc > 1 ? FCGX_OpenSocket(argv[argc - 1], 511) : 0;
    for (int i = 0; i < THREADS; i++) {
        pthread_create(&threads[i], NULL, answer, NULL);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    return 0;
}
