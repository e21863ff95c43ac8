/* The fault of a queue. */
#include "queue.h"

void wk_queue_fault(wk_queue *queue, const wk_fault *fault)
{
    static int lock;
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        ;
    if (!queue->fault.kind) {
        queue->fault = *fault;
        queue->fault.op = queue->op;
    }
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}
