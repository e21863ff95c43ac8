/* One step of sgd, adam and adamw over a flat parameter: each operation in PyTorch's order, each rounded as there. */
// compiled for: float
#include "cpu.h"

/* no decay leaves the gradient alone, also where the parameter is infinite */
static inline real decayed(real grad, real weight_decay, real param)
{
    return weight_decay != 0 ? grad + weight_decay * param : grad;
}

/* grad += weight_decay param; buffer = momentum buffer + (1 - dampening) grad (the first time: grad);
   grad = nesterov ? grad + momentum buffer : buffer; param -= lr grad */
void KERNEL_NAME(sgd)(const void *work, int64_t begin, int64_t end)
{
    const wk_sgd_work *w = work;
    real *param = w->param, *buffer = w->buffer;
    const real *grad = w->grad;
    const real lr = (real)w->lr, momentum = (real)w->momentum, fresh = (real)(1 - w->dampening);
    const real weight_decay = (real)w->weight_decay, sign = w->maximize ? -1 : 1;
    const bool first = w->first, nesterov = w->nesterov;
    if (!buffer) {
#pragma omp simd
        for (int64_t i = begin; i < end; i++)
            param[i] -= lr * decayed(sign * grad[i], weight_decay, param[i]);
        return;
    }
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
        const real g = decayed(sign * grad[i], weight_decay, param[i]);
        const real b = first ? g : momentum * buffer[i] + fresh * g;
        buffer[i] = b;
        param[i] -= lr * (nesterov ? g + momentum * b : b);
    }
}

/* param *= 1 - lr weight_decay (adamw), or grad += weight_decay param (adam);
   exp_avg += (1 - beta1) (grad - exp_avg); exp_avg_sq = beta2 exp_avg_sq + (1 - beta2) grad^2;
   param -= lr / (1 - beta1^step) * exp_avg / (sqrt(exp_avg_sq) / sqrt(1 - beta2^step) + eps)
   amsgrad divides by the largest exp_avg_sq so far, which is kept in max_exp_avg_sq (NULL without). */
void KERNEL_NAME(adam)(const void *work, int64_t begin, int64_t end)
{
    const wk_adam_work *w = work;
    real *param = w->param, *exp_avg = w->exp_avg, *exp_avg_sq = w->exp_avg_sq, *largest = w->max_exp_avg_sq;
    const real *grad = w->grad;
    const real shrink = w->decoupled ? (real)(1 - w->lr * w->weight_decay) : 1;
    const real weight_decay = w->decoupled ? 0 : (real)w->weight_decay, sign = w->maximize ? -1 : 1;
    const real fresh1 = (real)(1 - w->beta1), beta2 = (real)w->beta2, fresh2 = (real)(1 - w->beta2);
    const real step_size = (real)(w->lr / (1 - pow(w->beta1, (double)w->step)));
    const real correction = (real)sqrt(1 - pow(w->beta2, (double)w->step)), eps = (real)w->eps;
#pragma omp simd
    for (int64_t i = begin; i < end; i++) {
        const real p = param[i] * shrink, g = decayed(sign * grad[i], weight_decay, p);
        const real average = exp_avg[i] + fresh1 * (g - exp_avg[i]);
        const real square = exp_avg_sq[i] * beta2 + fresh2 * g * g;
        real divisor = square;
        if (largest) {
            divisor = square > largest[i] ? square : largest[i];
            largest[i] = divisor;
        }
        exp_avg[i] = average;
        exp_avg_sq[i] = square;
        param[i] = p - step_size * average / (SQRT(divisor) / correction + eps);
    }
}
