/* One pool of threads for the process.  A piece of work is cut into ranges; each thread has a slice of them, which it
   meets again in its own cache the next time, and helps with the others' slices when its own is done.  The caller works
   too, and waits only for ranges that another thread has begun: on a busy machine, where a thread of the pool may not
   run for milliseconds, the caller does that thread's part itself.

   Rejected: an OpenMP region for each piece of work.  At its end every thread must arrive; with two busy cores and a
   third program on them a training step took 20 times as long as alone.  How many threads there are is still OpenMP's
   to say (OMP_NUM_THREADS, omp_set_num_threads): a host program and oneDNN ask it too. */
#include "parallel.h"
#include "pool.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define MAX_THREADS 64
#define SPINS 5000 // turns of looking for work before a thread sleeps: about 0.2 ms, longer than between two ops

typedef struct slice {
    int64_t next __attribute__((aligned(64))); // atomic: the first range not begun
    int64_t end;
} slice;

static struct {
    wk_kernel *kernel;
    const void *work;
    int64_t count, range;
    int threads; // that take part, the caller being number 0
    slice slices[MAX_THREADS];
} job; // written by the caller while no thread is inside

static int busy;            // atomic: a caller has the pool
static int open_, inside;   // atomic: whether threads may enter the job, and how many are in it
static unsigned generation; // atomic: of the job
static int sleepers;        // atomic
static int started;         // threads of the pool, without the caller
static bool stopping;
static pthread_t pool[MAX_THREADS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static _Thread_local int number; // of this thread in the pool; a caller is 0
static _Thread_local bool working; // this thread is in a kernel: what that kernel runs stays in it

static inline void pause_a_moment(int turns)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
    if (turns % 64 == 63)
        sched_yield();
}

/* the thread's own slice, then what is left of the others' */
static void do_ranges(int thread)
{
    for (int k = 0; k < job.threads; k++) {
        slice *part = &job.slices[(thread + k) % job.threads];
        for (int64_t i; (i = __atomic_fetch_add(&part->next, 1, __ATOMIC_RELAXED)) < part->end;) {
            const int64_t begin = i * job.range, end = begin + job.range;
            job.kernel(job.work, begin, end < job.count ? end : job.count);
        }
    }
}

static void enter(int thread)
{
    __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&open_, __ATOMIC_SEQ_CST) && thread < job.threads)
        do_ranges(thread);
    __atomic_sub_fetch(&inside, 1, __ATOMIC_RELEASE);
}

static void sleep_until_called(unsigned seen)
{
    pthread_mutex_lock(&mutex);
    __atomic_add_fetch(&sleepers, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&generation, __ATOMIC_SEQ_CST) == seen)
        pthread_cond_wait(&wake, &mutex);
    __atomic_sub_fetch(&sleepers, 1, __ATOMIC_SEQ_CST);
    pthread_mutex_unlock(&mutex);
}

static void *run_thread(void *own_number)
{
    const int thread = (int)(intptr_t)own_number;
    number = thread;
    unsigned seen = 0;
    working = true;
    while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
        int turns = 0;
        while (__atomic_load_n(&generation, __ATOMIC_ACQUIRE) == seen && turns < SPINS)
            pause_a_moment(turns++);
        if (turns == SPINS)
            sleep_until_called(seen);
        seen = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
        enter(thread);
    }
    return NULL;
}

static void call_threads(void)
{
    __atomic_add_fetch(&generation, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&sleepers, __ATOMIC_SEQ_CST) > 0) {
        pthread_mutex_lock(&mutex);
        pthread_cond_broadcast(&wake);
        pthread_mutex_unlock(&mutex);
    }
}

/* a child process has only the thread that forked */
static void forget_threads(void)
{
    started = busy = open_ = inside = sleepers = 0;
    pthread_mutex_init(&mutex, NULL);
    pthread_cond_init(&wake, NULL);
}

/* as many as there can be of the threads wanted, the caller included */
static int start_threads(int wanted)
{
    wanted = wanted < MAX_THREADS ? wanted : MAX_THREADS;
    if (started == 0 && wanted > 1) {
        static bool registered;
        if (!registered)
            pthread_atfork(NULL, NULL, forget_threads);
        registered = true;
    }
    while (started + 1 < wanted &&
           pthread_create(&pool[started], NULL, run_thread, (void *)(intptr_t)(started + 1)) == 0)
        started++;
    return started + 1 < wanted ? started + 1 : wanted;
}

bool wk_parallel_stop(void)
{
    if (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE))
        return false;
    __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
    call_threads();
    for (int i = 0; i < started; i++)
        pthread_join(pool[i], NULL);
    return true; // and busy for good: others work alone
}

void wk_parallel_ranges(wk_kernel *kernel, const void *work, int64_t count, int64_t cost)
{
    if (count <= 0)
        return;
    const int64_t range = cost >= WK_RANGE_COST ? 1 : WK_RANGE_COST / (cost > 0 ? cost : 1);
    const int64_t ranges = (count + range - 1) / range;
    int wanted = 1;
    if (ranges > 1 && !working && !omp_in_parallel())
        wanted = wk_get_num_threads();
    /* alone where another caller has the pool */
    if (wanted == 1 || __atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE)) {
        for (int64_t begin = 0; begin < count; begin += range)
            kernel(work, begin, begin + range < count ? begin + range : count);
        return;
    }
    int threads = start_threads(wanted);
    threads = threads < ranges ? threads : (int)ranges;
    job.kernel = kernel;
    job.work = work;
    job.count = count;
    job.range = range;
    job.threads = threads;
    for (int i = 0; i < threads; i++) {
        job.slices[i].next = ranges * i / threads;
        job.slices[i].end = ranges * (i + 1) / threads;
    }
    __atomic_store_n(&open_, 1, __ATOMIC_SEQ_CST);
    call_threads();
    working = true;
    do_ranges(0);
    working = false;
    /* every range has been begun: nobody new may enter, and who is inside finishes */
    __atomic_store_n(&open_, 0, __ATOMIC_SEQ_CST);
    for (int turns = 0; __atomic_load_n(&inside, __ATOMIC_ACQUIRE) > 0; turns++)
        pause_a_moment(turns);
    __atomic_store_n(&busy, 0, __ATOMIC_RELEASE);
}

int wk_parallel_thread(void) { return number; }
int wk_parallel_threads(void) { return number ? MAX_THREADS : wk_get_num_threads(); }

int wk_get_num_threads(void)
{
    const int threads = omp_get_max_threads(); // what OMP_NUM_THREADS says, however large
    return threads < MAX_THREADS ? threads : MAX_THREADS;
}

/* libgomp ends the program where it has no memory for what a thread sets for the first time, some hundred bytes: the
   first thread's are taken at load, others look before */
__attribute__((constructor)) static void set_first_thread(void) { omp_set_num_threads(omp_get_max_threads()); }

bool wk_set_own_threads(int threads)
{
    static _Thread_local bool has_room;
    if (!has_room) {
        void *volatile room = malloc(4096);
        has_room = room;
        free(room);
    }
    if (has_room)
        omp_set_num_threads(threads);
    return has_room;
}

void wk_set_num_threads(int threads) { wk_set_own_threads(threads > 0 ? threads : 1); }
