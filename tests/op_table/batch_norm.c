/* batch_norm, instance_norm: the running statistics are inputs, and, moved, results. */
#include "op_table.h"

static wk_tensor *moved(golden_case *c, int i)
{
    wk_tensor *running = optional(c, i);
    return running ? wk_clone(wk_detach(running)) : NULL;
}

static wk_tensor *run_batch_norm(golden_case *c)
{
    wk_tensor *mean = moved(c, 1), *var = moved(c, 2);
    wk_tensor *y = wk_batch_norm(input(c, 0), mean, var, optional(c, 3), optional(c, 4), integer_or(c, "training", 0),
                                 real_or(c, "momentum", 0.1), real_or(c, "eps", 1e-5));
    return mean ? results(c, y, mean, var) : y;
}
OP(batch_norm, run_batch_norm)
BAD(batch_norm, wk_batch_norm(wk_zeros((2, 3)), NULL, NULL), "running_mean: expected a tensor, got NULL")
BAD(batch_norm, wk_batch_norm(wk_zeros((2, 3)), wk_zeros((3)), NULL), "expected both it and running_var, or neither")
BAD(batch_norm, wk_batch_norm(wk_zeros((1, 3)), .training = true), "more than one number a channel in training")
BAD(batch_norm, wk_batch_norm(wk_zeros((2, 3)), wk_zeros((2)), wk_zeros((3))), "running_mean: expected shape (3,)")
BAD(batch_norm, wk_batch_norm(wk_zeros((2, 3)), .weight = wk_zeros((2)), .training = true),
    "weight: expected shape (3,)")
BAD(batch_norm, wk_batch_norm(wk_zeros((2, 3), .dtype = wk_int64), .training = true), "expected a floating dtype")
BAD(batch_norm, wk_batch_norm(wk_zeros((2, 3)), wk_zeros((3), .dtype = wk_float64), wk_zeros((3))),
    "running_mean: expected x's dtype")

static wk_tensor *run_instance_norm(golden_case *c)
{
    wk_tensor *mean = moved(c, 1), *var = moved(c, 2);
    wk_tensor *y =
        wk_instance_norm(input(c, 0), mean, var, optional(c, 3), optional(c, 4), integer_or(c, "use_input_stats", 1),
                         real_or(c, "momentum", 0.1), real_or(c, "eps", 1e-5));
    return mean ? results(c, y, mean, var) : y;
}
OP(instance_norm, run_instance_norm)
BAD(instance_norm, wk_instance_norm(wk_zeros((2, 3, 1))), "more than one number a channel")
BAD(instance_norm, wk_instance_norm(wk_zeros((2, 3, 4)), .use_input_stats = false), "running_mean: expected a tensor")
