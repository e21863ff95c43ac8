/* One step of each optimizer over a list of pieces, rounded as by PyTorch's ops one by one: `stored` is where an op has
   stored its result in the dtype (the numbers that add takes, alpha and a scalar, are rounded to it too), multiply_add
   where an op adds a product to something.  No other product may join a sum: the file is compiled without contraction
   (CMakeLists.txt).  PyTorch's own sqrt, which is not always the nearest number, leaves a last bit here and there. */
// compiled for: float half
#include "../optimizers.h"
#include "cpu.h"

static inline real stored(real v) { return LOAD(STORE(v)); }

/* a + b * c, rounded once where the processor can */
static inline real multiply_add(real a, real b, real c)
{
#if defined(__FMA__)
    return _Generic(a, float: __builtin_fmaf, double: __builtin_fma)(b, c, a);
#else
    return a + b * c;
#endif
}

/* ---------------------------------------------------------------- lists */

typedef void piece_loop(const void *work, const wk_optimizer_piece *piece, int64_t begin, int64_t end);

/* the elements begin..end of the list, which may begin and end within a piece */
static inline void each_piece(piece_loop *loop, const void *work, const wk_optimizer_list *list, int64_t begin,
                              int64_t end)
{
    int64_t start = 0; // of the piece
    for (int i = 0; i < list->count && start < end; i++) {
        const wk_optimizer_piece *piece = &list->pieces[i];
        const int64_t from = begin > start ? begin - start : 0, to = end - start;
        if (from < piece->numel)
            loop(work, piece, from, to < piece->numel ? to : piece->numel);
        start += piece->numel;
    }
}

static int64_t numel_of(const wk_optimizer_list *list)
{
    int64_t numel = 0;
    for (int i = 0; i < list->count; i++)
        numel += list->pieces[i].numel;
    return numel;
}

/* ---------------------------------------------------------------- what they share

   What a step may be without (a buffer, a mean) chooses among loops, inlined once for each: inside of one it keeps half
   kinds from vectorizing, and a load masked away from NULL takes hundreds of cycles. */

/* the gradient with decay; no decay leaves it alone, also where the parameter is infinite */
static inline real decayed(real grad, real weight_decay, real param)
{
    return weight_decay != 0 ? stored(multiply_add(grad, weight_decay, param)) : grad;
}

static inline real lerp(real a, real b, real weight)
{
    const bool small = weight < REAL(0.5);
    return multiply_add(small ? a : b, small ? weight : weight - 1, b - a);
}

/* ---------------------------------------------------------------- sgd */

WK_INLINE void sgd_loop(const wk_sgd_work *w, const wk_optimizer_piece *piece, int64_t begin, int64_t end,
                        bool has_momentum, bool first, bool nesterov)
{
    elem *param = piece->param, *buffer = piece->tensors[0];
    const elem *grad = piece->grad;
    const real lr = stored((real)w->lr), fresh = stored((real)(1 - w->dampening));
    const real momentum = (real)w->momentum, momentum_of_add = stored(momentum);
    const real weight_decay = stored((real)w->weight_decay), sign = w->maximize ? -1 : 1;
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
        const real p = LOAD(param[i]);
        real g = decayed(sign * LOAD(grad[i]), weight_decay, p);
        if (has_momentum) {
            const elem b = STORE(first ? g : multiply_add(stored(momentum * LOAD(buffer[i])), fresh, g));
            buffer[i] = b;
            g = nesterov ? stored(multiply_add(g, momentum_of_add, LOAD(b))) : LOAD(b);
        }
        param[i] = STORE(multiply_add(p, -lr, g));
    }
}

static void sgd_piece(const void *work, const wk_optimizer_piece *piece, int64_t begin, int64_t end)
{
    const wk_sgd_work *w = work;
    if (!piece->tensors[0])
        sgd_loop(w, piece, begin, end, false, false, false);
    else if (w->first && w->nesterov)
        sgd_loop(w, piece, begin, end, true, true, true);
    else if (w->first)
        sgd_loop(w, piece, begin, end, true, true, false);
    else if (w->nesterov)
        sgd_loop(w, piece, begin, end, true, false, true);
    else
        sgd_loop(w, piece, begin, end, true, false, false);
}

static void sgd_range(const void *work, int64_t begin, int64_t end)
{
    each_piece(sgd_piece, work, &((const wk_sgd_work *)work)->list, begin, end);
}

WK_KERNEL(sgd, wk_sgd_work) { wk_parallel(sgd_range, w, numel_of(&w->list), 2); }

/* ---------------------------------------------------------------- adam, adamw */

/* with and without the largest squares */
WK_INLINE void adam_loop(const wk_adam_work *w, const wk_optimizer_piece *piece, int64_t begin, int64_t end,
                         bool amsgrad)
{
    elem *param = piece->param, *exp_avg = piece->tensors[0], *exp_avg_sq = piece->tensors[1];
    elem *max_exp_avg_sq = piece->tensors[2];
    const elem *grad = piece->grad;
    const real shrink = (real)w->shrink, weight_decay = stored((real)w->weight_decay), sign = w->maximize ? -1 : 1;
    const real fresh1 = (real)(1 - w->beta1), beta2 = (real)w->beta2, fresh2 = (real)(1 - w->beta2);
    const real step_size = (real)w->step_size, correction = (real)w->correction, eps = stored((real)w->eps);
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
        const real p = stored(LOAD(param[i]) * shrink), g = decayed(sign * LOAD(grad[i]), weight_decay, p);
        const elem average = STORE(lerp(LOAD(exp_avg[i]), g, fresh1));
        const elem square = STORE(multiply_add(stored(LOAD(exp_avg_sq[i]) * beta2), fresh2 * g, g));
        elem largest = square;
        if (amsgrad) {
            largest = LOAD(square) <= LOAD(max_exp_avg_sq[i]) ? max_exp_avg_sq[i] : square; // NaN stays
            max_exp_avg_sq[i] = largest;
        }
        exp_avg[i] = average;
        exp_avg_sq[i] = square;
        const real divisor = stored(stored(stored(SQRT(LOAD(largest))) / correction) + eps);
        param[i] = STORE(p - step_size * LOAD(average) / divisor);
    }
}

static void adam_piece(const void *work, const wk_optimizer_piece *piece, int64_t begin, int64_t end)
{
    if (piece->tensors[2])
        adam_loop(work, piece, begin, end, true);
    else
        adam_loop(work, piece, begin, end, false);
}

static void adam_range(const void *work, int64_t begin, int64_t end)
{
    each_piece(adam_piece, work, &((const wk_adam_work *)work)->list, begin, end);
}

WK_KERNEL(adam, wk_adam_work) { wk_parallel(adam_range, w, numel_of(&w->list), 8); }

/* ---------------------------------------------------------------- rmsprop */

WK_INLINE void rmsprop_loop(const wk_rmsprop_work *w, const wk_optimizer_piece *piece, int64_t begin, int64_t end,
                            bool has_momentum, bool centered)
{
    elem *param = piece->param, *square_avg = piece->tensors[0], *buffer = piece->tensors[1];
    elem *grad_avg = piece->tensors[2];
    const elem *grad = piece->grad;
    const real lr = (real)w->lr, lr_of_add = stored(lr), momentum = (real)w->momentum, eps = stored((real)w->eps);
    const real weight_decay = stored((real)w->weight_decay), sign = w->maximize ? -1 : 1;
    const real alpha = (real)w->alpha, fresh = (real)(1 - w->alpha);
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
        const real p = LOAD(param[i]), g = decayed(sign * LOAD(grad[i]), weight_decay, p);
        const elem square = STORE(multiply_add(stored(LOAD(square_avg[i]) * alpha), fresh * g, g));
        real variance = LOAD(square);
        if (centered) {
            const elem mean = STORE(lerp(LOAD(grad_avg[i]), g, fresh));
            grad_avg[i] = mean;
            variance = stored(multiply_add(variance, -LOAD(mean), LOAD(mean)));
        }
        const real divisor = stored(stored(SQRT(variance)) + eps);
        square_avg[i] = square;
        if (has_momentum) {
            const elem b = STORE(stored(LOAD(buffer[i]) * momentum) + g / divisor);
            buffer[i] = b;
            param[i] = STORE(multiply_add(p, -lr_of_add, LOAD(b)));
        } else {
            param[i] = STORE(p - lr * g / divisor);
        }
    }
}

static void rmsprop_piece(const void *work, const wk_optimizer_piece *piece, int64_t begin, int64_t end)
{
    if (piece->tensors[1] && piece->tensors[2])
        rmsprop_loop(work, piece, begin, end, true, true);
    else if (piece->tensors[1])
        rmsprop_loop(work, piece, begin, end, true, false);
    else if (piece->tensors[2])
        rmsprop_loop(work, piece, begin, end, false, true);
    else
        rmsprop_loop(work, piece, begin, end, false, false);
}

static void rmsprop_range(const void *work, int64_t begin, int64_t end)
{
    each_piece(rmsprop_piece, work, &((const wk_rmsprop_work *)work)->list, begin, end);
}

WK_KERNEL(rmsprop, wk_rmsprop_work) { wk_parallel(rmsprop_range, w, numel_of(&w->list), 8); }

/* ---------------------------------------------------------------- adagrad */

static void adagrad_piece(const void *work, const wk_optimizer_piece *piece, int64_t begin, int64_t end)
{
    const wk_adagrad_work *w = work;
    elem *param = piece->param, *sum = piece->tensors[0];
    const elem *grad = piece->grad;
    const real lr = (real)w->lr, eps = stored((real)w->eps);
    const real weight_decay = stored((real)w->weight_decay), sign = w->maximize ? -1 : 1;
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
        const real p = LOAD(param[i]), g = decayed(sign * LOAD(grad[i]), weight_decay, p);
        const elem squares = STORE(multiply_add(LOAD(sum[i]), g, g));
        sum[i] = squares;
        param[i] = STORE(p - lr * g / stored(stored(SQRT(LOAD(squares))) + eps));
    }
}

static void adagrad_range(const void *work, int64_t begin, int64_t end)
{
    each_piece(adagrad_piece, work, &((const wk_adagrad_work *)work)->list, begin, end);
}

WK_KERNEL(adagrad, wk_adagrad_work) { wk_parallel(adagrad_range, w, numel_of(&w->list), 8); }

/* ---------------------------------------------------------------- lion */

static void lion_piece(const void *work, const wk_optimizer_piece *piece, int64_t begin, int64_t end)
{
    const wk_lion_work *w = work;
    elem *param = piece->param, *exp_avg = piece->tensors[0];
    const elem *grad = piece->grad;
    const real shrink = (real)w->shrink, lr = stored((real)w->lr), beta1 = (real)w->beta1, beta2 = (real)w->beta2;
    const real fresh1 = (real)(1 - w->beta1), fresh2 = stored((real)(1 - w->beta2));
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
        const real p = stored(LOAD(param[i]) * shrink), g = LOAD(grad[i]), m = LOAD(exp_avg[i]);
        const real u = stored(stored(m * beta1) + stored(g * fresh1));
        const real sign = (real)((u > 0) - (u < 0)); // of NaN 0, as PyTorch's
        param[i] = STORE(multiply_add(p, -lr, sign));
        exp_avg[i] = STORE(multiply_add(stored(m * beta2), fresh2, g));
    }
}

static void lion_range(const void *work, int64_t begin, int64_t end)
{
    each_piece(lion_piece, work, &((const wk_lion_work *)work)->list, begin, end);
}

WK_KERNEL(lion, wk_lion_work) { wk_parallel(lion_range, w, numel_of(&w->list), 3); }
