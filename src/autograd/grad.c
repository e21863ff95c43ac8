/* backward and autograd.grad: what a user asks of the walk back (backward.c). */
#include "backward.h"

#include "core/alloc.h"

bool wk_backward_with(wk_backward_args args)
{
    WK_REQUIRE("backward", args.x);
    WK_OPTIONAL("backward", args.gradient);
    return wk_walk_back(&(wk_walk_back_args){.op = "backward",
                                             .roots = {1, &args.x},
                                             .gradients = {1, &args.gradient},
                                             .keep_graph = args.retain_graph || args.create_graph,
                                             .create_graph = args.create_graph});
}

static bool check_inputs(const char *op, const wk_autograd_grad_args *args)
{
    if (args->results.count != args->inputs.count)
        return wk_fail(op, "results: expected %lld places, one for each input, got %lld",
                       (long long)args->inputs.count, (long long)args->results.count);
    for (int64_t i = 0; i < args->outputs.count; i++)
        if (!wk_is_tensor(args->outputs.items[i]))
            return wk_not_a_tensor(op, "outputs", args->outputs.items[i]);
    for (int64_t i = 0; i < args->grad_outputs.count; i++)
        if (args->grad_outputs.items[i] && !wk_is_tensor(args->grad_outputs.items[i]))
            return wk_not_a_tensor(op, "grad_outputs", args->grad_outputs.items[i]);
    for (int64_t i = 0; i < args->inputs.count; i++) {
        wk_tensor *x = args->inputs.items[i];
        if (!wk_is_tensor(x))
            return wk_not_a_tensor(op, "inputs", x);
        if (!wk_grad_fn(x) && !x->requires_grad)
            return wk_fail(op, "inputs: number %lld does not require grad", (long long)i);
    }
    return true;
}

static bool all_used(const char *op, const wk_autograd_grad_args *args, wk_tensor *const *gradients)
{
    for (int64_t i = 0; !args->allow_unused && i < args->inputs.count; i++)
        if (!gradients[i])
            return wk_fail(op, "inputs: number %lld, of shape %s, was not used in computing outputs\n"
                               "hint: pass .allow_unused = true to get NULL for it",
                           (long long)i, wk_shape_string(args->inputs.items[i]));
    return true;
}

bool wk_autograd_grad_with(wk_autograd_grad_args args)
{
    const char *op = "autograd_grad";
    if (!check_inputs(op, &args))
        return false;
    const size_t count = (size_t)args.inputs.count;
    wk_tensor **gradients = wk_alloc_zeroed((count + 1) * sizeof *gradients);
    if (!gradients)
        return wk_out_of_memory(op, count * sizeof *gradients);
    const bool fine = wk_walk_back(&(wk_walk_back_args){.op = op,
                                              .roots = args.outputs,
                                              .gradients = args.grad_outputs,
                                              .keep_graph = args.retain_graph || args.create_graph,
                                              .create_graph = args.create_graph,
                                              .wanted = args.inputs,
                                              .captured = gradients}) &&
                      all_used(op, &args, gradients);
    for (size_t i = 0; i < count; i++) {
        *args.results.items[i] = fine ? wk_adopt(gradients[i]) : NULL;
        if (!fine)
            wk_release(gradients[i]);
    }
    wk_free(gradients);
    return fine;
}
