/* What fork takes care of: a child has only the thread that forked, and memory as it was at that moment.  A lock that
   another thread held then would stay locked; a thread that somebody waits for is not there. */
#ifndef WICK_FORK_H
#define WICK_FORK_H

#include <pthread.h>

/* At load, for a lock of the process's: a fork takes it before, and lets it go on both sides.  Those under which ops
   run come first, the allocator's last; of the others none is taken while another one is held. */
void wk_fork_takes_first(pthread_mutex_t *locks, int count);
void wk_fork_takes(pthread_mutex_t *lock);
void wk_fork_takes_last(pthread_mutex_t *lock);
void wk_fork_tells(void (*function)(void)); // called in the child, with those locks still held

/* Changes in a child: whoever keeps it knows whether what it waits for is in another process. */
extern unsigned wk_forks;

#endif
