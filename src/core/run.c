/* Queues, what kernels found wrong, and the address that the host may touch. */
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "profile.h"

typedef struct scratch_block {
    struct scratch_block *next;
    char padding[56]; // what follows is aligned to 64 bytes
} scratch_block;

static void *scratch(wk_queue *queue, size_t bytes)
{
    scratch_block *block = wk_alloc(sizeof *block + bytes);
    if (!block) {
        wk_queue_fault(queue, &(wk_fault){.kind = WK_FAULT_MEMORY, .value = (int64_t)bytes});
        return NULL;
    }
    block->next = queue->scratch_blocks;
    queue->scratch_blocks = block;
    return block + 1;
}

static void free_scratch(wk_queue *queue)
{
    for (scratch_block *block = queue->scratch_blocks, *next; block; block = next) {
        next = block->next;
        wk_free(block);
    }
    queue->scratch_blocks = NULL;
}

static _Thread_local wk_queue cpu_queue = {.device = {WK_CPU, 0}, .scratch = scratch};

wk_queue *wk_host_queue(void) { return &cpu_queue; }
void wk_host_queue_ends(void) { free_scratch(&cpu_queue); }

wk_queue *wk_queue_of(wk_device device)
{
    return device.type == WK_CPU ? &cpu_queue : wk_backends[device.type]->queue(device.index);
}

static bool always_waits(void)
{
    static int known = -1; // atomic: every thread finds the same
    int waits = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (waits < 0) {
        const char *text = getenv("WICK_SYNC");
        waits = text && *text && *text != '0';
        __atomic_store_n(&known, waits, __ATOMIC_RELAXED);
    }
    return waits;
}

/* notes that a kernel begins; it ends in wk_run_ends.  Apart, so that ops without a profile make no frame. */
__attribute__((cold, noinline)) static wk_queue *noted(wk_queue *queue)
{
    wk_profile_begin(queue->op);
    return queue;
}

__attribute__((cold, noinline)) static void end_of_kernel(wk_queue *queue)
{
    wk_profile_end();
    free_scratch(queue);
}

wk_queue *wk_queue_for(const char *op, wk_device device, wk_dtype dtype, bool has_kernel)
{
    if (__builtin_expect(!has_kernel, 0)) {
        wk_fail(op, "is not defined for %s on %s", wk_dtype_name(dtype), wk_device_name(device));
        return NULL;
    }
    wk_queue *queue = wk_queue_of(device);
    if (queue)
        queue->op = wk_error_name ? wk_error_name : op;
    return __builtin_expect(queue && wk_profiling, 0) ? noted(queue) : queue;
}

/* ---------------------------------------------------------------- faults */

static void *fail_of(const wk_fault *fault)
{
    const long long value = (long long)fault->value;
    switch (fault->kind) {
    case WK_FAULT_MEMORY:
        return wk_out_of_memory(fault->op, (size_t)fault->value);
    case WK_FAULT_INDEX:
        return wk_fail(fault->op, "%s: %lld is out of range for dim %d of %s, which has size %lld", fault->name, value,
                       fault->dim, wk_shape_text(fault->ndim, fault->shape, (char[WK_SHAPE_TEXT]){0}),
                       (long long)fault->high);
    case WK_FAULT_CLASS:
        if (fault->ignore >= fault->low && fault->ignore < fault->high) // no class more than those
            return wk_fail(fault->op, "%s: expected classes from %lld to %lld, got %lld", fault->name,
                           (long long)fault->low, (long long)fault->high - 1, value);
        return wk_fail(fault->op, "%s: expected classes from %lld to %lld (or ignore_index %lld), got %lld",
                       fault->name, (long long)fault->low, (long long)fault->high - 1, (long long)fault->ignore, value);
    case WK_FAULT_NUMBER:
        return wk_fail(fault->op, "%s, got %g", fault->name, fault->number);
    default:
        return NULL;
    }
}

/* the queue can go on afterwards */
static bool raise_fault(wk_queue *queue)
{
    if (!queue->fault.kind)
        return true;
    const wk_fault fault = queue->fault;
    queue->fault = (wk_fault){0};
    return fail_of(&fault);
}

bool wk_run_ends(wk_queue *queue)
{
    if (queue == &cpu_queue) {
        if (__builtin_expect(queue->scratch_blocks || wk_profiling, 0))
            end_of_kernel(queue);
        return __builtin_expect(!queue->fault.kind, 1) || raise_fault(queue);
    }
    wk_profile_end();
    return !always_waits() || wk_wait(queue->device);
}

bool wk_run_row(const char *op, wk_device device, wk_dtype dtype, int row, const struct wk_pointwise_work *work)
{
    const wk_kernels *kernels = wk_kernels_of(device, dtype);
    wk_pointwise_kernel *kernel = kernels ? kernels->pointwise[row] : NULL;
    wk_queue *queue = wk_queue_for(op, device, dtype, kernel != NULL);
    if (!queue)
        return false;
    if (work)
        kernel(queue, work);
    return wk_run_ends(queue);
}

bool wk_wait(wk_device device)
{
    if (device.type == WK_CPU)
        return raise_fault(&cpu_queue);
    wk_queue *queue = wk_queue_of(device);
    wk_backends[device.type]->wait(queue);
    return raise_fault(queue);
}

void *wk_host(const char *op, const wk_tensor *x)
{
    WK_REQUIRE(op, x);
    if (x->device.type != WK_CPU)
        return wk_fail(op, "x: expected a tensor on the CPU, got one on %s\nhint: wk_to(x, wk_cpu)",
                       wk_device_name(x->device));
    return wk_data(x);
}

bool wk_check_same_device(const char *op, const char *a_name, const wk_tensor *a, const char *b_name,
                          const wk_tensor *b)
{
    if ((a && !wk_is_tensor(a)) || (b && !wk_is_tensor(b)))
        return wk_not_a_tensor(op, a && !wk_is_tensor(a) ? a_name : b_name, a && !wk_is_tensor(a) ? a : b);
    if (!a || !b || wk_device_equal(a->device, b->device))
        return true;
    char a_device[24];
    snprintf(a_device, sizeof a_device, "%s", wk_device_name(a->device));
    return wk_fail(op, "expected all tensors on one device, got %s on %s and %s on %s\nhint: wk_to(%s, %s->device)",
                   a_name, a_device, b_name, wk_device_name(b->device), b_name, a_name);
}
