/* Rejected: pthread_atfork at each lock.  glibc runs its handlers in an order that the linker chooses. */
#include "fork.h"

enum { MOST = 16 };

unsigned wk_forks;
static pthread_mutex_t *first, *locks[MOST], *last;
static int first_count;
static void (*told[MOST])(void);
static int lock_count, told_count;

static void before(void)
{
    for (int i = 0; i < first_count; i++)
        pthread_mutex_lock(&first[i]);
    for (int i = 0; i < lock_count; i++)
        pthread_mutex_lock(locks[i]);
    if (last)
        pthread_mutex_lock(last);
}

static void in_parent(void)
{
    if (last)
        pthread_mutex_unlock(last);
    for (int i = lock_count - 1; i >= 0; i--)
        pthread_mutex_unlock(locks[i]);
    for (int i = first_count - 1; i >= 0; i--)
        pthread_mutex_unlock(&first[i]);
}

static void in_child(void)
{
    wk_forks++;
    for (int i = 0; i < told_count; i++)
        told[i]();
    in_parent();
}

__attribute__((constructor)) static void watch(void) { pthread_atfork(before, in_parent, in_child); }

void wk_fork_takes_first(pthread_mutex_t *given, int count)
{
    first = given;
    first_count = count;
}

void wk_fork_takes(pthread_mutex_t *lock) { locks[lock_count++] = lock; }
void wk_fork_takes_last(pthread_mutex_t *lock) { last = lock; }
void wk_fork_tells(void (*function)(void)) { told[told_count++] = function; }
