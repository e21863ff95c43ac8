/* One step of an optimizer over a list of parameters: the small tensors of a model are one call.

   The list is in the work, and the work is copied into the device's queue, so it stays under 4 KB (CUDA's for a
   kernel's parameters); longer lists are several calls.  How it is cut among threads depends on the elements alone, not
   on where one piece ends and the next begins.  Pieces of a list share no memory but that of grads. */
#ifndef WICK_KERNELS_OPTIMIZERS_H
#define WICK_KERNELS_OPTIMIZERS_H

#include <stdbool.h>
#include <stdint.h>

#define WK_OPTIMIZER_PIECES 64
#define WK_OPTIMIZER_TENSORS 3 // the most that an optimizer keeps of a parameter

typedef struct wk_optimizer_piece {
    void *param;                         // (numel), in place
    const void *grad;                    // (numel)
    void *tensors[WK_OPTIMIZER_TENSORS]; // (numel), in place: what is kept; NULL: not there
    int64_t numel;
} wk_optimizer_piece;

typedef struct wk_optimizer_list {
    int count;
    wk_optimizer_piece pieces[WK_OPTIMIZER_PIECES];
} wk_optimizer_list;

/* grad += weight_decay param; buffer = momentum buffer + (1 - dampening) grad (the first time: grad);
   grad = nesterov ? grad + momentum buffer : buffer; param -= lr grad */
typedef struct wk_sgd_work {
    wk_optimizer_list list; // of each: buffer, NULL without momentum
    double lr, momentum, dampening, weight_decay;
    bool nesterov, maximize, first;
} wk_sgd_work;

/* param *= shrink; grad += weight_decay param;
   exp_avg += (1 - beta1) (grad - exp_avg); exp_avg_sq = beta2 exp_avg_sq + (1 - beta2) grad^2;
   param -= step_size * exp_avg / (sqrt(exp_avg_sq) / correction + eps)
   amsgrad divides by the largest exp_avg_sq so far, which is kept in max_exp_avg_sq. */
typedef struct wk_adam_work {
    wk_optimizer_list list; // of each: exp_avg, exp_avg_sq, max_exp_avg_sq or NULL
    double shrink, weight_decay, beta1, beta2, eps;
    double step_size;  // lr / (1 - beta1^step)
    double correction; // sqrt(1 - beta2^step)
    bool maximize;
} wk_adam_work;

/* grad += weight_decay param; square_avg = alpha square_avg + (1 - alpha) grad^2;
   centered: grad_avg += (1 - alpha) (grad - grad_avg), root = sqrt(square_avg - grad_avg^2), else sqrt(square_avg);
   buffer = momentum buffer + grad / (root + eps), param -= lr buffer; without momentum, param -= lr grad / (root + eps)
 */
typedef struct wk_rmsprop_work {
    wk_optimizer_list list; // of each: square_avg, buffer or NULL, grad_avg or NULL
    double lr, alpha, eps, weight_decay, momentum;
    bool maximize;
} wk_rmsprop_work;

/* grad += weight_decay param; sum += grad^2; param -= lr grad / (sqrt(sum) + eps) */
typedef struct wk_adagrad_work {
    wk_optimizer_list list; // of each: sum
    double lr;              // of this step: lr / (1 + (step - 1) lr_decay)
    double eps, weight_decay;
    bool maximize;
} wk_adagrad_work;

/* param *= shrink; param -= lr sign(beta1 exp_avg + (1 - beta1) grad); exp_avg = beta2 exp_avg + (1 - beta2) grad */
typedef struct wk_lion_work {
    wk_optimizer_list list; // of each: exp_avg
    double shrink, lr, beta1, beta2;
} wk_lion_work;

#endif
