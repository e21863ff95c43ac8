/* The fault of a queue. */
#include <pthread.h>

#include "fork.h"
#include "queue.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void watch_forks(void) { wk_fork_takes(&lock); }

void wk_queue_fault(wk_queue *queue, const wk_fault *fault)
{
    pthread_mutex_lock(&lock);
    if (!queue->fault.kind) {
        queue->fault = *fault;
        queue->fault.op = queue->op;
    }
    pthread_mutex_unlock(&lock);
}
