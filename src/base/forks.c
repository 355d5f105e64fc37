/* forks.c: see forks.h. */
#include "base/forks.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_uint forks;
static pthread_once_t counting = PTHREAD_ONCE_INIT;

static void count(void)
{
    atomic_fetch_add(&forks, 1);
}

static void begin_to_count(void)
{
    pthread_atfork(NULL, NULL, count);
}

unsigned forks_count(void)
{
    pthread_once(&counting, begin_to_count);
    return atomic_load(&forks);
}
