#include "convolution.h"

#include "libraries/convolution_onednn.h"

/* Enough for 8 threads; each slot of a weight's gradient holds a whole weight, so there are fewer. */
enum { SLOTS = 8, WEIGHT_SLOTS = 4 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t wk_convolution_products(const wk_convolution_shape *s)
{
    return s->N * s->O * s->OH * s->OW * (s->C / s->groups) * s->KH * s->KW;
}

void wk_convolution_open(wk_convolution_work *work, wk_convolution_plan *plan, wk_dtype dtype,
                         wk_convolution_direction direction)
{
    const wk_convolution_shape *s = &work->shape;
    *plan = (wk_convolution_plan){.direction = direction, .dtype = dtype};
    work->plan = plan;
    work->slots = least(s->N, direction == WK_CONVOLUTION_WEIGHT ? WEIGHT_SLOTS : SLOTS);
    if (wk_convolution_onednn_open(work))
        return;
    /* one group's columns of one image; a slot's part of dweight */
    const int64_t size = (int64_t)wk_dtype_size(dtype), columns = s->C / s->groups * s->KH * s->KW * s->OH * s->OW;
    plan->part_bytes = direction == WK_CONVOLUTION_WEIGHT ? s->O * (s->C / s->groups) * s->KH * s->KW * size : 0;
    work->slot_bytes = (columns * size + 63) / 64 * 64;
    plan->shared_bytes = (size_t)((plan->part_bytes * work->slots + 63) / 64 * 64);
    plan->bytes = plan->shared_bytes + (size_t)(work->slot_bytes * work->slots);
}

bool wk_convolution_run(const wk_kernels *kernels, wk_convolution_work *work)
{
    const wk_convolution_plan *plan = work->plan;
    if (plan->by_onednn)
        return wk_convolution_onednn_run(kernels, work);
    wk_kernel *kernel = plan->direction == WK_CONVOLUTION_FORWARD ? kernels->convolution
                        : plan->direction == WK_CONVOLUTION_DATA  ? kernels->convolution_data
                                                                  : kernels->convolution_weight;
    const int64_t cost = wk_convolution_products(&work->shape) / work->slots / 16 + 1;
    wk_parallel(kernel, work, work->slots, cost);
    if (plan->direction == WK_CONVOLUTION_WEIGHT) {
        const int64_t count = plan->part_bytes / (int64_t)wk_dtype_size(plan->dtype);
        const wk_sum_work sum = {
            .x = work->scratch, .y = work->weight, .n = work->slots, .inner = count, .chunk = work->slots};
        wk_parallel(kernels->sum, &sum, count, work->slots);
    }
    return true;
}

void wk_convolution_close(wk_convolution_work *work)
{
    if (work->plan->by_onednn)
        wk_convolution_onednn_close(work);
}
