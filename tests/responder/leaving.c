/* SPDX-License-Identifier: ISC */
/* leaving.c: preloaded into a program, ends it with SIGABRT when it closes LMDB's environment or
 * leaves by exit() or the end of main(), which runs the destructors of all libraries. */
#include <stdlib.h>

void mdb_env_close(void *env);

void mdb_env_close(void *env)
{
    (void)env;
    abort();
}

__attribute__((destructor)) static void left_by_exit(void)
{
    abort();
}
