/* Functions with a backward of the user's own (torch.autograd.Function). */
#include <string.h>

#include "core/alloc.h"
#include "node.h"

typedef struct function_kept {
    const wk_autograd_function *function;
    void *context;
} function_kept;

/* one for the forward, one for each backward: they share what is kept, and the saved tensors */
struct wk_autograd_ctx {
    function_kept kept;
    wk_tensors to_save; // during forward
    wk_node *node;      // during backward
    wk_tensor **saved;  // what saved_tensors gave out
};

void *wk_ctx_context(wk_autograd_ctx *ctx) { return ctx->kept.context; }

void wk_ctx_save_for_backward(wk_autograd_ctx *ctx, wk_tensors saved)
{
    for (int64_t i = 0; i < ctx->to_save.count; i++)
        wk_release(ctx->to_save.items[i]);
    wk_free(ctx->to_save.items);
    ctx->to_save = (wk_tensors){0};
    wk_tensor **items = wk_alloc((size_t)saved.count * sizeof *items);
    if (!items) {
        wk_out_of_memory(ctx->kept.function->name, (size_t)saved.count * sizeof *items);
        return;
    }
    for (int64_t i = 0; i < saved.count; i++)
        items[i] = wk_retain(saved.items[i]);
    ctx->to_save = (wk_tensors){saved.count, items};
}

wk_tensor *wk_ctx_saved_tensor(wk_autograd_ctx *ctx, int i)
{
    if (!ctx->node || i < 0 || i >= ctx->node->saves)
        return wk_fail(ctx->kept.function->name, "saved tensor %d: %d were saved", i, ctx->node ? ctx->node->saves : 0);
    return wk_saved(ctx->node, i);
}

wk_tensors wk_ctx_saved_tensors(wk_autograd_ctx *ctx)
{
    const int count = ctx->node ? ctx->node->saves : 0;
    if (!ctx->node) {
        wk_fail(ctx->kept.function->name, "saved tensors: are there in backward, not in forward");
        return (wk_tensors){0};
    }
    if (!ctx->saved && !(ctx->saved = wk_alloc((size_t)(count + 1) * sizeof *ctx->saved))) {
        wk_out_of_memory(ctx->kept.function->name, (size_t)(count + 1) * sizeof *ctx->saved);
        return (wk_tensors){0};
    }
    for (int i = 0; i < count; i++)
        if (!(ctx->saved[i] = wk_saved(ctx->node, i)) && wk_failing())
            return (wk_tensors){0};
    return (wk_tensors){count, ctx->saved};
}

static void function_backward(wk_node *node, wk_tensor *dy)
{
    (void)dy;
    const function_kept *kept = node->kept;
    wk_autograd_ctx ctx = {.kept = *kept, .node = node};
    wk_tensor **gradients = wk_alloc_zeroed((size_t)(node->outputs + node->inputs) * sizeof *gradients);
    if (!gradients) {
        wk_out_of_memory(node->name, sizeof *gradients);
        return;
    }
    wk_tensor **of_inputs = gradients + node->outputs;
    for (int i = 0; i < node->outputs; i++)
        gradients[i] = wk_gradient(node, i);
    kept->function->backward(&ctx, (wk_tensors){node->outputs, gradients}, (wk_tensors){node->inputs, of_inputs});
    for (int i = 0; i < node->inputs; i++)
        wk_accumulate(node, i, of_inputs[i]);
    wk_free(gradients);
    wk_free(ctx.saved);
}

bool wk_autograd_function_apply_with(const wk_autograd_function *function, void *context, wk_tensors inputs,
                                     wk_places outputs)
{
    for (int64_t i = 0; i < outputs.count; i++)
        *outputs.items[i] = NULL;
    for (int64_t i = 0; i < inputs.count; i++)
        if (!wk_is_tensor(inputs.items[i]))
            return wk_not_a_tensor(function->name, "inputs", inputs.items[i]);
    wk_tensor **results = wk_alloc_zeroed((size_t)(outputs.count + 1) * sizeof *results);
    if (!results)
        return wk_out_of_memory(function->name, (size_t)(outputs.count + 1) * sizeof *results);
    wk_autograd_ctx ctx = {.kept = {function, context}};
    wk_no_grad function->forward(&ctx, inputs, (wk_tensors){outputs.count, results});
    bool fine = !wk_failing();
    for (int64_t i = 0; fine && i < outputs.count; i++) {
        fine = results[i] != NULL;
        if (!fine)
            wk_fail(function->name, "forward gave no output %lld", (long long)i);
        /* an input handed through is a result of its own */
        for (int64_t k = 0; fine && k < inputs.count; k++)
            if (results[i] == inputs.items[k])
                fine = (results[i] = wk_detach(results[i])) != NULL;
    }
    const wk_tensors saved = ctx.to_save;
    fine = fine && wk_record_with(&(wk_record_args){.results = results, .results_count = (int)outputs.count,
                                                    .name = function->name, .backward = function_backward,
                                                    .inputs = inputs, .saved = saved,
                                                    WK_KEPT(function_kept, function, context)});
    for (int64_t i = 0; i < saved.count; i++)
        wk_release(saved.items[i]);
    wk_free(saved.items);
    for (int64_t i = 0; fine && i < outputs.count; i++)
        *outputs.items[i] = results[i];
    wk_free(results);
    return fine;
}
