/* Optimizers, schedules of their learning rates, and clipping.  PyTorch: https://pytorch.org/docs/stable/optim.html

       wk_optimizer *opt = wk_optim_adamw(wk_module_parameters(model), .lr = 3e-4, .weight_decay = 0.05);
       wk_lr_scheduler *schedule = wk_optim_cosine_annealing_lr(opt, steps);
       ...
       wk_optim_zero_grad(opt);
       wk_backward(loss);
       wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
       wk_optim_step(opt);
       wk_lr_scheduler_step(schedule);
       ...
       wk_lr_scheduler_free(schedule);
       wk_optim_free(opt);

   .foreach and .fused are taken where PyTorch takes them, and change nothing: a step is one pass over lists of
   parameters.  An optimizer keeps the parameters that it was given, whatever becomes of the list or the module. */
#ifndef WICK_OPTIM_H
#define WICK_OPTIM_H
#pragma GCC system_header // see tensor.h

#include <wick/dict.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* What an optimizer of each class can be told beside lr and weight_decay: its own struct, in each group. */
typedef struct wk_sgd_options {
    double momentum, dampening;
    bool nesterov, maximize;
} wk_sgd_options;
typedef struct wk_adam_options {
    double betas[2], eps;
    bool amsgrad, maximize;
} wk_adam_options;
typedef struct wk_rmsprop_options {
    double alpha, eps, momentum;
    bool centered, maximize;
} wk_rmsprop_options;
typedef struct wk_adagrad_options {
    double lr_decay, initial_accumulator_value, eps;
    bool maximize;
} wk_adagrad_options;

typedef struct wk_lion_options {
    double betas[2];
} wk_lion_options;
typedef struct wk_muon_options {
    double momentum, ns_coefficients[3], eps, ns_steps;
    bool nesterov;
    const char *adjust_lr_fn; // in no state dict
} wk_muon_options;

/* Parameters that share options.  Read and write these at any time:
       optimizer->param_groups[0].sgd->momentum = 0.95; */
typedef struct wk_param_group {
    double lr, weight_decay;
    double initial_lr;     // what schedules multiply; NaN before the first schedule
    wk_sgd_options *sgd;   // NULL but for the optimizer's own class
    wk_adam_options *adam; // adam, adamw
    wk_rmsprop_options *rmsprop;
    wk_adagrad_options *adagrad;
    wk_lion_options *lion;
    wk_muon_options *muon;
    wk_tensors params;

    /* the library's own */
    void *options;                // the one of the above that is there
    struct wk_param_state *state; // one for each parameter
} wk_param_group;

typedef struct wk_optimizer {
    const char *type; // "adamw"
    wk_param_group *param_groups;
    int64_t param_group_count;

    /* the library's own */
    const struct wk_optimizer_class *class_;
    wk_param_group defaults;
    int busy; // atomic: a thread is in wk_optim_step or wk_optim_zero_grad
} wk_optimizer;

/* sgd(params, lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0, nesterov = false, maximize = false):
   g = grad + weight_decay p;  b = momentum b + (1 - dampening) g, the first b is g;
   p -= lr (nesterov ? g + momentum b : b) */
typedef struct wk_optim_sgd_args {
    wk_tensors params;
    double lr, momentum, dampening, weight_decay;
    bool nesterov, maximize, foreach, fused;
} wk_optim_sgd_args;
#define wk_optim_sgd(...) wk_optim_sgd_with((wk_optim_sgd_args){.lr = 1e-3, .params = __VA_ARGS__})
wk_optimizer *wk_optim_sgd_with(wk_optim_sgd_args args);

/* adam(params, lr = 1e-3, betas = {0.9, 0.999}, eps = 1e-8, weight_decay = 0, amsgrad = false, maximize = false): decay
   is added to the gradient.  Kingma and Ba, "Adam: a method for stochastic optimization", 2014.
   adamw: decay shrinks the parameter, weight_decay = 1e-2.  Loshchilov and Hutter, "Decoupled weight decay
   regularization", 2017. */
typedef struct wk_optim_adam_args {
    wk_tensors params;
    double lr, betas[2], eps, weight_decay;
    bool amsgrad, maximize, foreach, fused;
} wk_optim_adam_args;
#define wk_optim_adam(...)                                                                                             \
    wk_optim_adam_with((wk_optim_adam_args){.lr = 1e-3, .betas = {0.9, 0.999}, .eps = 1e-8, .params = __VA_ARGS__})
#define wk_optim_adamw(...)                                                                                            \
    wk_optim_adamw_with((wk_optim_adam_args){                                                                          \
        .lr = 1e-3, .betas = {0.9, 0.999}, .eps = 1e-8, .weight_decay = 1e-2, .params = __VA_ARGS__})
wk_optimizer *wk_optim_adam_with(wk_optim_adam_args args);
wk_optimizer *wk_optim_adamw_with(wk_optim_adam_args args);

/* rmsprop(params, lr = 1e-2, alpha = 0.99, eps = 1e-8, weight_decay = 0, momentum = 0, centered = false,
   maximize = false):  g = grad + weight_decay p;  v = alpha v + (1 - alpha) g^2, and m a mean of g likewise;
   u = g / (sqrt(centered ? v - m^2 : v) + eps);  p -= lr u, or with momentum: b = momentum b + u, p -= lr b.
   Tieleman and Hinton, "Lecture 6.5", 2012; centered: Graves, "Generating sequences with recurrent neural networks",
   2013. */
typedef struct wk_optim_rmsprop_args {
    wk_tensors params;
    double lr, alpha, eps, weight_decay, momentum;
    bool centered, maximize;
} wk_optim_rmsprop_args;
#define wk_optim_rmsprop(...)                                                                                          \
    wk_optim_rmsprop_with(                                                                                             \
        (wk_optim_rmsprop_args){.lr = 1e-2, .alpha = 0.99, .eps = 1e-8, .params = __VA_ARGS__})
wk_optimizer *wk_optim_rmsprop_with(wk_optim_rmsprop_args args);

/* adagrad(params, lr = 1e-2, lr_decay = 0, weight_decay = 0, initial_accumulator_value = 0, eps = 1e-10,
   maximize = false):  g = grad + weight_decay p;  v += g^2, from initial_accumulator_value (a group's own, where it is
   told one);  p -= lr / (1 + (step - 1) lr_decay) * g / (sqrt(v) + eps).
   Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011. */
typedef struct wk_optim_adagrad_args {
    wk_tensors params;
    double lr, lr_decay, weight_decay, initial_accumulator_value, eps;
    bool maximize;
} wk_optim_adagrad_args;
#define wk_optim_adagrad(...)                                                                                          \
    wk_optim_adagrad_with((wk_optim_adagrad_args){.lr = 1e-2, .eps = 1e-10, .params = __VA_ARGS__})
wk_optimizer *wk_optim_adagrad_with(wk_optim_adagrad_args args);

/* lion(params, lr = 1e-4, betas = {0.9, 0.99}, weight_decay = 0):  p *= 1 - lr weight_decay;
   p -= lr sign(beta1 m + (1 - beta1) grad);  m = beta2 m + (1 - beta2) grad, from 0.
   Chen et al., "Symbolic discovery of optimization algorithms", 2023. */
typedef struct wk_optim_lion_args {
    wk_tensors params;
    double lr, betas[2], weight_decay;
} wk_optim_lion_args;
#define wk_optim_lion(...)                                                                                             \
    wk_optim_lion_with((wk_optim_lion_args){.lr = 1e-4, .betas = {0.9, 0.99}, .params = __VA_ARGS__})
wk_optimizer *wk_optim_lion_with(wk_optim_lion_args args);

/* muon(params, lr = 1e-3, weight_decay = 0.1, momentum = 0.95, nesterov = true, ns_coefficients = {3.4445, -4.775,
   2.0315}, eps = 1e-7, ns_steps = 5, adjust_lr_fn = "original"): of matrices alone; the rest of a model is another's.
   b = momentum b + (1 - momentum) grad, u = nesterov ? momentum b + (1 - momentum) grad : b, from which ns_steps of a
   Newton-Schulz iteration in bfloat16 make a matrix with singular values near 1, O;  p *= 1 - lr weight_decay;
   p -= lr r O, where of p (A, B) r is sqrt(max(1, A / B)), of "match_rms_adamw" 0.2 sqrt(max(A, B)), of
   "spectral_unclamped" sqrt(A / B).  https://kellerjordan.github.io/posts/muon/ */
typedef struct wk_optim_muon_args {
    wk_tensors params;
    double lr, weight_decay, momentum;
    bool nesterov;
    double ns_coefficients[3], eps;
    int64_t ns_steps;
    const char *adjust_lr_fn;
} wk_optim_muon_args;
#define wk_optim_muon(...)                                                                                             \
    wk_optim_muon_with((wk_optim_muon_args){.lr = 1e-3,                                                                \
                                            .weight_decay = 0.1,                                                       \
                                            .momentum = 0.95,                                                          \
                                            .nesterov = true,                                                          \
                                            .ns_coefficients = {3.4445, -4.775, 2.0315},                               \
                                            .eps = 1e-7,                                                               \
                                            .ns_steps = 5,                                                             \
                                            .adjust_lr_fn = "original",                                                \
                                            .params = __VA_ARGS__})
wk_optimizer *wk_optim_muon_with(wk_optim_muon_args args);

void wk_optim_free(wk_optimizer *optimizer); // NULL is fine; free its schedules first

/* add_param_group(optimizer, params, any option of its class): the options not given are the optimizer's.
       wk_optim_add_param_group(optimizer, wk_module_parameters(head), .lr = 1e-4, .nesterov = true)
   False after an error. */
typedef struct wk_param_group_args {
    wk_tensors params;
    /* numbers all, also true and false; NaN: not given */
    double lr, weight_decay, maximize, momentum, dampening, nesterov, betas[2], eps, amsgrad, alpha, centered,
        lr_decay, initial_accumulator_value, ns_coefficients[3], ns_steps;
} wk_param_group_args;
#define wk_optim_add_param_group(optimizer, ...)                                                                       \
    wk_optim_add_param_group_with(optimizer, (wk_param_group_args){WK_NOT_GIVEN, .params = __VA_ARGS__})
#define WK_UNSET __builtin_nan("")
#define WK_NOT_GIVEN                                                                                                   \
    .lr = WK_UNSET, .weight_decay = WK_UNSET, .maximize = WK_UNSET, .momentum = WK_UNSET, .dampening = WK_UNSET,       \
    .nesterov = WK_UNSET, .betas = {WK_UNSET, WK_UNSET}, .eps = WK_UNSET, .amsgrad = WK_UNSET, .alpha = WK_UNSET,      \
    .centered = WK_UNSET, .lr_decay = WK_UNSET, .initial_accumulator_value = WK_UNSET,                                 \
    .ns_coefficients = {WK_UNSET, WK_UNSET, WK_UNSET}, .ns_steps = WK_UNSET
bool wk_optim_add_param_group_with(wk_optimizer *optimizer, wk_param_group_args args);

/* step(optimizer, closure = NULL, context = NULL): each parameter that has a grad moves; false, and none has moved,
   after an error, or while one is pending.  A closure(context) runs before, with gradients on: it clears the grads,
   computes the loss and its backward, and gives the loss. */
typedef wk_tensor *wk_optim_closure(void *context);
typedef struct wk_optim_step_args {
    wk_optimizer *optimizer;
    wk_optim_closure *closure;
    void *context;
} wk_optim_step_args;
#define wk_optim_step(...) wk_optim_step_with((wk_optim_step_args){.optimizer = __VA_ARGS__})
bool wk_optim_step_with(wk_optim_step_args args);

/* zero_grad(optimizer, set_to_none = true): grads become NULL; with false, zeros in place */
typedef struct wk_optim_zero_grad_args {
    wk_optimizer *optimizer;
    bool set_to_none;
} wk_optim_zero_grad_args;
#define wk_optim_zero_grad(...)                                                                                        \
    wk_optim_zero_grad_with((wk_optim_zero_grad_args){.set_to_none = true, .optimizer = __VA_ARGS__})
void wk_optim_zero_grad_with(wk_optim_zero_grad_args args);

/* To resume: "state.0.exp_avg", "state.0.step" (PyTorch's indices and names), and the groups' options as texts
   "param_groups.0.lr".  Loading needs the same groups of the same shapes; nothing changes after an error. */
wk_dict *wk_optim_state_dict(wk_optimizer *optimizer); // wk_dict_free it
bool wk_optim_load_state_dict(wk_optimizer *optimizer, const wk_dict *state);

/* ---- schedules: each sets its first learning rate when it is made.  After the optimizer's step, one step of the
   schedule. */
typedef struct wk_lr_scheduler wk_lr_scheduler;
/* step(scheduler), of reduce_lr_on_plateau step(scheduler, metrics); false after an error */
typedef struct wk_lr_scheduler_step_args {
    wk_lr_scheduler *scheduler;
    double metrics;
} wk_lr_scheduler_step_args;
#define WK_NO_METRICS __builtin_nan("7759")
#define wk_lr_scheduler_step(...)                                                                                      \
    wk_lr_scheduler_step_with((wk_lr_scheduler_step_args){.metrics = WK_NO_METRICS, .scheduler = __VA_ARGS__})
bool wk_lr_scheduler_step_with(wk_lr_scheduler_step_args args);
const double *wk_lr_scheduler_get_last_lr(const wk_lr_scheduler *scheduler); // one for each group
int64_t wk_lr_scheduler_last_epoch(const wk_lr_scheduler *scheduler);        // steps so far
void wk_lr_scheduler_free(wk_lr_scheduler *scheduler);
wk_dict *wk_lr_scheduler_state_dict(const wk_lr_scheduler *scheduler); // numbers, as texts; wk_dict_free it
bool wk_lr_scheduler_load_state_dict(wk_lr_scheduler *scheduler,
                                     const wk_dict *state); // load the optimizer's state too

/* lambda_lr(optimizer, function, context): initial lr * function(epoch, context), from epoch 0 */
typedef double wk_lr_lambda(int64_t epoch, void *context);
typedef struct wk_optim_lambda_lr_args {
    wk_optimizer *optimizer;
    wk_lr_lambda *lr_lambda;
    void *context;
} wk_optim_lambda_lr_args;
#define wk_optim_lambda_lr(...) wk_optim_lambda_lr_with((wk_optim_lambda_lr_args){.optimizer = __VA_ARGS__})
wk_lr_scheduler *wk_optim_lambda_lr_with(wk_optim_lambda_lr_args args);

/* step_lr(optimizer, step_size, gamma = 0.1): lr *= gamma every step_size epochs */
typedef struct wk_optim_step_lr_args {
    wk_optimizer *optimizer;
    int64_t step_size;
    double gamma;
} wk_optim_step_lr_args;
#define wk_optim_step_lr(...) wk_optim_step_lr_with((wk_optim_step_lr_args){.gamma = 0.1, .optimizer = __VA_ARGS__})
wk_lr_scheduler *wk_optim_step_lr_with(wk_optim_step_lr_args args);

/* multi_step_lr(optimizer, (30, 80), gamma = 0.1): lr *= gamma at each milestone, of which there are at most 64 */
#define WK_MAX_MILESTONES 64
typedef struct wk_milestones {
    int count;
    int64_t epochs[WK_MAX_MILESTONES];
} wk_milestones;
typedef struct wk_optim_multi_step_lr_args {
    wk_optimizer *optimizer;
    wk_milestones milestones;
    double gamma;
} wk_optim_multi_step_lr_args;
#define wk_optim_multi_step_lr(optimizer_, ...)                                                                        \
    wk_optim_multi_step_lr_with((wk_optim_multi_step_lr_args){                                                         \
        .gamma = 0.1, .optimizer = optimizer_, .milestones = WK_TUPLE(WK_MILESTONES, __VA_ARGS__) __VA_ARGS__})
wk_lr_scheduler *wk_optim_multi_step_lr_with(wk_optim_multi_step_lr_args args);

/* exponential_lr(optimizer, gamma, last_epoch = -1): lr *= gamma every epoch; after last_epoch of an optimizer that was
   loaded, whose groups have their initial lr */
typedef struct wk_optim_exponential_lr_args {
    wk_optimizer *optimizer;
    double gamma;
    int64_t last_epoch;
} wk_optim_exponential_lr_args;
#define wk_optim_exponential_lr(...)                                                                                   \
    wk_optim_exponential_lr_with((wk_optim_exponential_lr_args){.last_epoch = -1, .optimizer = __VA_ARGS__})
wk_lr_scheduler *wk_optim_exponential_lr_with(wk_optim_exponential_lr_args args);

/* linear_lr(optimizer, start_factor = 1/3, end_factor = 1, total_iters = 5): the factor on the initial lr goes in equal
   steps from start to end: a warm-up */
typedef struct wk_optim_linear_lr_args {
    wk_optimizer *optimizer;
    double start_factor, end_factor;
    int64_t total_iters;
} wk_optim_linear_lr_args;
#define wk_optim_linear_lr(...)                                                                                        \
    wk_optim_linear_lr_with((wk_optim_linear_lr_args){                                                                 \
        .start_factor = 1.0 / 3, .end_factor = 1, .total_iters = 5, .optimizer = __VA_ARGS__})
wk_lr_scheduler *wk_optim_linear_lr_with(wk_optim_linear_lr_args args);

/* constant_lr(optimizer, factor = 1/3, total_iters = 5): factor times the initial lr, until total_iters */
typedef struct wk_optim_constant_lr_args {
    wk_optimizer *optimizer;
    double factor;
    int64_t total_iters;
} wk_optim_constant_lr_args;
#define wk_optim_constant_lr(...)                                                                                      \
    wk_optim_constant_lr_with(                                                                                         \
        (wk_optim_constant_lr_args){.factor = 1.0 / 3, .total_iters = 5, .optimizer = __VA_ARGS__})
wk_lr_scheduler *wk_optim_constant_lr_with(wk_optim_constant_lr_args args);

/* cosine_annealing_lr(optimizer, T_max, eta_min = 0): eta_min + (initial lr - eta_min) (1 + cos(pi epoch / T_max)) / 2,
   in PyTorch's recursive form; rises again after T_max.  Loshchilov and Hutter, "SGDR", 2016. */
typedef struct wk_optim_cosine_annealing_lr_args {
    wk_optimizer *optimizer;
    int64_t T_max;
    double eta_min;
} wk_optim_cosine_annealing_lr_args;
#define wk_optim_cosine_annealing_lr(...)                                                                              \
    wk_optim_cosine_annealing_lr_with((wk_optim_cosine_annealing_lr_args){.optimizer = __VA_ARGS__})
wk_lr_scheduler *wk_optim_cosine_annealing_lr_with(wk_optim_cosine_annealing_lr_args args);

/* one_cycle_lr(optimizer, max_lr, total_steps, pct_start = 0.3, anneal_strategy = "cos", cycle_momentum = true,
   base_momentum = 0.85, max_momentum = 0.95, div_factor = 25, final_div_factor = 1e4, three_phase = false): a step for
   each of the optimizer's; from max_lr / div_factor up to max_lr for pct_start of them, then down to that start /
   final_div_factor, while momentum, or the first beta, falls and rises.  "linear" goes in straight lines; three_phase
   comes back to the start in as many steps as it rose.  More steps than total_steps are an error.  Smith and Topin,
   "Super-convergence", 2017. */
typedef struct wk_optim_one_cycle_lr_args {
    wk_optimizer *optimizer;
    double max_lr;
    int64_t total_steps;
    double pct_start;
    const char *anneal_strategy;
    bool cycle_momentum;
    double base_momentum, max_momentum, div_factor, final_div_factor;
    bool three_phase;
} wk_optim_one_cycle_lr_args;
#define wk_optim_one_cycle_lr(...)                                                                                     \
    wk_optim_one_cycle_lr_with((wk_optim_one_cycle_lr_args){.pct_start = 0.3,                                          \
                                                            .anneal_strategy = "cos",                                  \
                                                            .cycle_momentum = true,                                    \
                                                            .base_momentum = 0.85,                                     \
                                                            .max_momentum = 0.95,                                      \
                                                            .div_factor = 25,                                          \
                                                            .final_div_factor = 1e4,                                   \
                                                            .optimizer = __VA_ARGS__})
wk_lr_scheduler *wk_optim_one_cycle_lr_with(wk_optim_one_cycle_lr_args args);

/* reduce_lr_on_plateau(optimizer, mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, threshold_mode = "rel",
   cooldown = 0, min_lr = 0, eps = 1e-8): wk_lr_scheduler_step(schedule, loss) multiplies the rates by factor when the
   loss ("max": a score) has not got better, by threshold of the best ("abs": by threshold), for more than patience
   steps; then cooldown steps do not count.  NaN is not better. */
typedef struct wk_optim_reduce_lr_on_plateau_args {
    wk_optimizer *optimizer;
    const char *mode;
    double factor;
    int64_t patience;
    double threshold;
    const char *threshold_mode;
    int64_t cooldown;
    double min_lr, eps;
} wk_optim_reduce_lr_on_plateau_args;
#define wk_optim_reduce_lr_on_plateau(...)                                                                             \
    wk_optim_reduce_lr_on_plateau_with((wk_optim_reduce_lr_on_plateau_args){.mode = "min",                             \
                                                                            .factor = 0.1,                             \
                                                                            .patience = 10,                            \
                                                                            .threshold = 1e-4,                         \
                                                                            .threshold_mode = "rel",                   \
                                                                            .eps = 1e-8,                               \
                                                                            .optimizer = __VA_ARGS__})
wk_lr_scheduler *wk_optim_reduce_lr_on_plateau_with(wk_optim_reduce_lr_on_plateau_args args);

/* sequential_lr(optimizer, (warmup, cosine), (100)): the first schedule until epoch 100, then the second from its
   start. Owns its schedules, also after an error. */
typedef struct wk_lr_schedulers {
    int64_t count;
    wk_lr_scheduler **items;
} wk_lr_schedulers;
#define wk_optim_sequential_lr(optimizer, schedulers, milestones)                                                      \
    wk_optim_sequential_lr_with(optimizer, WK_TUPLE(WK_LR_SCHEDULERS, schedulers) schedulers,                          \
                                WK_TUPLE(WK_MILESTONES, milestones) milestones)
wk_lr_scheduler *wk_optim_sequential_lr_with(wk_optimizer *optimizer, wk_lr_schedulers schedulers,
                                             wk_milestones milestones);

#define WK_LR_SCHEDULERS(...)                                                                                          \
    ((wk_lr_schedulers){WK_COUNT(wk_lr_scheduler *, __VA_ARGS__), (wk_lr_scheduler *[]){__VA_ARGS__}})
#define WK_MILESTONES(...) ((wk_milestones){WK_COUNT(int64_t, __VA_ARGS__), {__VA_ARGS__}})

/* ---- averages of weights over the steps, which sample and score better than the last ones

       wk_ema *ema = wk_ema(model, .decay = 0.999);
       ...
       wk_optim_step(opt);
       wk_ema_update(ema);
       ...
       wk_ema_scope (ema) {            the model has the averaged weights, and its own again at the end
           score(model);
       } */

/* ema(module, decay = 0.999, warm_up = false): average = decay average + (1 - decay) parameter at each update, from the
   parameters as they are now; buffers, and what is not floating, are copied.  warm_up: the decay of update n is at most
   (1 + n) / (10 + n), so that the first weights are soon forgotten.  Averages of halves are float32. */
typedef struct wk_ema wk_ema;
typedef struct wk_ema_args {
    void *module;
    double decay;
    bool warm_up;
} wk_ema_args;
#define wk_ema(...) wk_ema_with((wk_ema_args){.decay = 0.999, .module = __VA_ARGS__})
wk_ema *wk_ema_with(wk_ema_args args); // NULL after an error
void wk_ema_free(wk_ema *ema);         // NULL is fine
bool wk_ema_update(wk_ema *ema);       // after the optimizer's step; false after an error
typedef struct wk_ema_guard {
    wk_ema *ema;
    bool open;
} wk_ema_guard;
#define wk_ema_scope(ema)                                                                                              \
    for (wk_ema_guard wk_ema_here __attribute__((cleanup(wk_ema_scope_close))) = wk_ema_scope_open(ema);               \
         wk_ema_here.open; wk_ema_here.open = false)
wk_ema_guard wk_ema_scope_open(wk_ema *ema);
void wk_ema_scope_close(wk_ema_guard *guard);
wk_dict *wk_ema_state_dict(wk_ema *ema); // the averages by the parameters' names, and "num_updates"; wk_dict_free it
bool wk_ema_load_state_dict(wk_ema *ema, const wk_dict *state);

/* ---- clipping, between backward and step */

/* clip_grad_norm_(params, max_norm, norm_type = 2, error_if_nonfinite = false): the norm of all grads taken as one
   vector, which are scaled by max_norm / (norm + 1e-6) where that is less than 1.  Returns the norm before, ();
   norm_type may be INFINITY. */
typedef struct wk_clip_grad_norm_args {
    wk_tensors params;
    double max_norm, norm_type;
    bool error_if_nonfinite, foreach;
} wk_clip_grad_norm_args;
#define wk_nn_utils_clip_grad_norm_(...)                                                                               \
    wk_nn_utils_clip_grad_norm_with((wk_clip_grad_norm_args){.norm_type = 2, .params = __VA_ARGS__})
wk_tensor *wk_nn_utils_clip_grad_norm_with(wk_clip_grad_norm_args args);
bool wk_nn_utils_clip_grad_value_(wk_tensors params, double clip_value); // each element into [-clip_value, clip_value]

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
