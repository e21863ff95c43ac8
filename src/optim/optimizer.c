/* A step over all parameters, and their grads to nothing.

   A step first makes everything that takes memory (missing states, dense copies) and moves parameters after, so that
   one without memory leaves all where they were.  Parameters go to the kernel in lists; a list ends where the group,
   the dtype, the device or the number of steps so far changes, and where it is full. */
#include "optimizer.h"

#include <wick/cast.h>
#include <wick/creation.h>

#include "autograd/node.h"
#include "ops/copy.h"
#include "ops/ops.h"

static bool is_as(const wk_tensor *x, const wk_tensor *param)
{
    return wk_same_shape(x, param) && x->dtype == param->dtype && wk_device_equal(x->device, param->device);
}

static bool check_as(const wk_optimizer *optimizer, const char *name, const wk_tensor *x, const wk_tensor *param)
{
    return is_as(x, param) ||
           wk_fail(optimizer->type,
                   "%s: expected %s of shape %s on %s, as the parameter, got %s of shape %s on %s",
                   name, wk_dtype_name(param->dtype), wk_shape_string(param), wk_device_name(param->device),
                   wk_dtype_name(x->dtype), wk_shape_string(x), wk_device_name(x->device));
}

/* the state tensors that these options ask for, new ones as they begin, and the dense values and gradient */
static bool prepare(const wk_optimizer *optimizer, const wk_param_group *group, wk_param_state *state, wk_tensor *param)
{
    if (!check_as(optimizer, "grad", param->grad, param) || !wk_check_writable(optimizer->type, param))
        return false;
    const wk_optimizer_class *class_ = optimizer->class_;
    for (int i = 0; i < WK_OPTIMIZER_TENSORS; i++) {
        if (!class_->tensors[i] || !class_->has_tensor(group, i))
            continue;
        if (!state->tensors[i])
            state->tensors[i] =
                wk_retain(wk_new_full_with(param, (wk_factory_args){
                    .size = wk_shape_of(param->ndim, param->shape), // contiguous, whatever param is
                    .fill = WK_NUMBER(class_->initial ? class_->initial(group, i) : 0.0)}));
        if (!state->tensors[i] || !check_as(optimizer, class_->tensors[i], state->tensors[i], param))
            return false;
    }
    state->values = wk_dense(param);
    state->grad = wk_dense(param->grad);
    return state->values && state->grad;
}

/* ---------------------------------------------------------------- lists */

static bool run(const wk_optimizer *optimizer, const wk_param_group *group, wk_optimizer_call *call)
{
    const bool fine = call->list.count == 0 || optimizer->class_->step(group, call);
    call->list.count = 0;
    return fine;
}

/* two leaves on the same memory move one after the other */
static bool shares_memory(const wk_optimizer_list *list, const char *data, int64_t numel, int64_t size)
{
    bool shares = false;
    for (int i = 0; i < list->count; i++) {
        const char *other = list->pieces[i].param;
        shares |= data < other + list->pieces[i].numel * size && other < data + numel * size;
    }
    return shares;
}

/* the parameter joins the list, which runs before where it cannot */
static bool append(const wk_optimizer *optimizer, const wk_param_group *group, wk_param_state *state,
                   wk_optimizer_call *call)
{
    const wk_optimizer_class *class_ = optimizer->class_;
    wk_tensor *values = state->values;
    state->step += class_->counts_steps || state->tensors[0];
    const bool joins =
        call->list.count > 0 && call->list.count < WK_OPTIMIZER_PIECES && call->step == state->step &&
        call->like->dtype == values->dtype && wk_device_equal(call->like->device, values->device) &&
        !shares_memory(&call->list, wk_data(values), values->numel, (int64_t)wk_dtype_size(values->dtype));
    if (!joins && !run(optimizer, group, call))
        return false;
    call->like = values;
    call->step = state->step;
    wk_optimizer_piece *piece = &call->list.pieces[call->list.count++];
    *piece = (wk_optimizer_piece){.param = wk_data(values), .grad = wk_data(state->grad), .numel = values->numel};
    for (int i = 0; i < WK_OPTIMIZER_TENSORS; i++)
        if (state->tensors[i] && class_->has_tensor(group, i))
            piece->tensors[i] = wk_data(state->tensors[i]);
    return true;
}

static bool step_group(const wk_optimizer *optimizer, const wk_param_group *group, wk_optimizer_call *call)
{
    bool fine = true, copies = false;
    for (int64_t i = 0; fine && i < group->params.count; i++) {
        wk_tensor *param = group->params.items[i];
        if (!group->state[i].grad)
            continue;
        fine = optimizer->class_->update ? optimizer->class_->update(group, &group->state[i])
                                         : append(optimizer, group, &group->state[i], call);
        copies |= group->state[i].values != param;
        wk_count_write(param);
    }
    fine = fine && run(optimizer, group, call);
    for (int64_t i = 0; fine && copies && i < group->params.count; i++)
        if (group->state[i].grad && group->state[i].values != group->params.items[i])
            fine = wk_copy_values(group->state[i].values, group->params.items[i]);
    return fine;
}

/* two threads in one optimizer would move its parameters by halves */
static bool enter(const char *op, wk_optimizer *optimizer)
{
    return !__atomic_exchange_n(&optimizer->busy, 1, __ATOMIC_ACQUIRE) ||
           wk_fail(op, "optimizer: is at work, called by another thread or from within itself\n"
                       "hint: one thread steps, after the others' backwards; or give each thread an optimizer");
}

static void leave(wk_optimizer *optimizer) { __atomic_store_n(&optimizer->busy, 0, __ATOMIC_RELEASE); }

bool wk_optim_step_with(wk_optim_step_args args)
{
    wk_optimizer *const optimizer = args.optimizer;
    if (!wk_optimizer_check("step", optimizer) || wk_failing())
        return false;
    wk_tensor *loss = NULL;
    if (args.closure)
        wk_enable_grad loss = args.closure(args.context);
    if (args.closure && !loss)
        return wk_failing() ? false : wk_fail("step", "closure: expected the loss, got NULL") != NULL;
    if (wk_failing() || !enter("step", optimizer))
        return false;
    bool fine = true;
    wk_optimizer_call call;
    call.op = optimizer->type;
    call.list.count = 0;
    wk_no_grad wk_scope
    {
        for (int64_t g = 0; fine && g < optimizer->param_group_count; g++) {
            const wk_param_group *group = &optimizer->param_groups[g];
            for (int64_t i = 0; fine && i < group->params.count; i++) {
                group->state[i].grad = NULL; // what another thread's backward brings later is for the next step
                fine = !group->params.items[i]->grad ||
                       prepare(optimizer, group, &group->state[i], group->params.items[i]);
            }
        }
        for (int64_t g = 0; fine && g < optimizer->param_group_count; g++)
            fine = step_group(optimizer, &optimizer->param_groups[g], &call);
    }
    leave(optimizer);
    return fine;
}

void wk_optim_zero_grad_with(wk_optim_zero_grad_args args)
{
    if (!wk_optimizer_check("zero_grad", args.optimizer) || !enter("zero_grad", args.optimizer))
        return;
    for (int64_t g = 0; g < args.optimizer->param_group_count; g++) {
        const wk_param_group *group = &args.optimizer->param_groups[g];
        for (int64_t i = 0; i < group->params.count; i++) {
            wk_tensor *param = group->params.items[i];
            if (!param->grad)
                continue;
            if (args.set_to_none) {
                wk_grad_clear(param);
            } else {
                wk_no_grad
                {
                    if (param->grad->grad_fn)
                        wk_detach_(param->grad);
                    wk_zero_(param->grad);
                }
            }
        }
    }
    leave(args.optimizer);
}
