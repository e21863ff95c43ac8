/* The gradient scaler of mixed precision (torch.amp.GradScaler).

   Between two updates an optimizer is ready, unscaled, then stepped.  Whether its grads are finite is asked with one
   number: the sum over all of them of grad * 0, which is 0, or NaN where one is not finite. */
#include <math.h>
#include <string.h>

#include <wick/amp.h>
#include <wick/cast.h>
#include <wick/creation.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>

#include "core/alloc.h"
#include "optimizer.h"

typedef struct scaled_optimizer {
    const wk_optimizer *optimizer;
    bool unscaled, stepped, found_inf;
} scaled_optimizer;

struct wk_grad_scaler {
    double scale, growth_factor, backoff_factor; // scale: of float32's
    int64_t growth_interval, growth_tracker;
    bool enabled;
    scaled_optimizer *optimizers; // since the last update
    int64_t count;
};

wk_grad_scaler *wk_amp_grad_scaler_with(wk_amp_grad_scaler_args args)
{
    static const char OP[] = "amp_grad_scaler";
    if (!(args.growth_factor > 1))
        return wk_fail(OP, "growth_factor: expected more than 1, got %g", args.growth_factor);
    if (!(args.backoff_factor < 1))
        return wk_fail(OP, "backoff_factor: expected less than 1, got %g", args.backoff_factor);
    if (!(args.init_scale > 0) || isinf((float)args.init_scale))
        return wk_fail(OP, "init_scale: expected a positive float32, got %g", args.init_scale);
    if (args.growth_interval < 1)
        return wk_fail(OP, "growth_interval: expected 1 or more, got %lld", (long long)args.growth_interval);
    wk_grad_scaler *scaler = wk_alloc_zeroed(sizeof *scaler);
    if (!scaler)
        return wk_out_of_memory(OP, sizeof *scaler);
    scaler->scale = (float)args.init_scale;
    scaler->growth_factor = args.growth_factor;
    scaler->backoff_factor = args.backoff_factor;
    scaler->growth_interval = args.growth_interval;
    scaler->enabled = args.enabled;
    return scaler;
}

void wk_grad_scaler_free(wk_grad_scaler *scaler)
{
    if (!scaler)
        return;
    wk_free(scaler->optimizers);
    wk_free(scaler);
}

static bool check(const char *op, const wk_grad_scaler *scaler)
{
    return scaler || (wk_failing() ? false : wk_fail(op, "scaler: expected a gradient scaler, got NULL") != NULL);
}

wk_tensor *wk_grad_scaler_scale(wk_grad_scaler *scaler, wk_tensor *loss)
{
    if (!check("grad_scaler_scale", scaler))
        return NULL;
    WK_REQUIRE("grad_scaler_scale", loss);
    if (!scaler->enabled)
        return loss;
    wk_tensor *scale = wk_full((), scaler->scale, .dtype = wk_float32, .device = loss->device);
    return wk_mul(loss, scale); // a half loss without dims becomes float32
}

double wk_grad_scaler_get_scale(const wk_grad_scaler *scaler)
{
    return !check("grad_scaler_get_scale", scaler) ? NAN : scaler->enabled ? scaler->scale : 1;
}

/* ---------------------------------------------------------------- unscale_, step, update */

static scaled_optimizer *find(wk_grad_scaler *scaler, const wk_optimizer *optimizer, const char *op)
{
    for (int64_t i = 0; i < scaler->count; i++)
        if (scaler->optimizers[i].optimizer == optimizer)
            return &scaler->optimizers[i];
    const size_t bytes = (size_t)(scaler->count + 1) * sizeof *scaler->optimizers;
    scaled_optimizer *more = wk_realloc(scaler->optimizers, bytes);
    if (!more)
        return wk_out_of_memory(op, bytes);
    scaler->optimizers = more;
    more[scaler->count] = (scaled_optimizer){.optimizer = optimizer};
    return &more[scaler->count++];
}

/* adds what grad * 0 comes to */
static bool look_at(const char *op, wk_tensor *grad, wk_tensor **sum)
{
    if (grad->dtype == wk_float16)
        return wk_fail(op, "grad: is float16, which cannot be unscaled without loss\n"
                           "hint: keep the parameters in float32, and cast by wk_autocast (device, wk_float16)");
    wk_tensor *zero = wk_to(wk_sum(wk_mul(grad, 0.0), .dtype = wk_float32), wk_cpu);
    *sum = *sum ? wk_add(*sum, zero) : zero;
    return *sum;
}

static bool unscale(const char *op, wk_grad_scaler *scaler, wk_optimizer *optimizer, scaled_optimizer *of)
{
    const double inverse = (float)(1 / scaler->scale);
    bool fine = true;
    wk_no_grad wk_scope
    {
        wk_tensor *sum = NULL;
        for (int64_t g = 0; fine && g < optimizer->param_group_count; g++) {
            const wk_tensors params = optimizer->param_groups[g].params;
            for (int64_t i = 0; fine && i < params.count; i++)
                if (params.items[i]->grad)
                    fine = look_at(op, params.items[i]->grad, &sum);
        }
        if (fine && !sum)
            fine = wk_fail(op, "optimizer: no parameter has a grad\nhint: wk_backward(wk_grad_scaler_scale(scaler, "
                               "loss)) comes first");
        if (fine)
            of->found_inf = isnan(wk_item(sum));
        for (int64_t g = 0; fine && g < optimizer->param_group_count; g++) {
            const wk_tensors params = optimizer->param_groups[g].params;
            for (int64_t i = 0; fine && i < params.count; i++)
                if (params.items[i]->grad)
                    fine = wk_mul_(params.items[i]->grad, inverse);
        }
    }
    of->unscaled = fine;
    return fine && !wk_failing();
}

bool wk_grad_scaler_unscale_(wk_grad_scaler *scaler, wk_optimizer *optimizer)
{
    static const char OP[] = "grad_scaler_unscale_";
    if (!check(OP, scaler) || !wk_optimizer_check(OP, optimizer) || wk_failing())
        return false;
    if (!scaler->enabled)
        return true;
    scaled_optimizer *of = find(scaler, optimizer, OP);
    if (!of)
        return false;
    if (of->stepped || of->unscaled)
        return wk_fail(OP, "optimizer: its grads are unscaled already: %s came before, since the last update\n"
                           "hint: wk_grad_scaler_update(scaler) ends a step",
                       of->stepped ? "wk_grad_scaler_step" : "wk_grad_scaler_unscale_");
    return unscale(OP, scaler, optimizer, of);
}

bool wk_grad_scaler_step(wk_grad_scaler *scaler, wk_optimizer *optimizer)
{
    static const char OP[] = "grad_scaler_step";
    if (!check(OP, scaler) || !wk_optimizer_check(OP, optimizer) || wk_failing())
        return false;
    if (!scaler->enabled)
        return wk_optim_step(optimizer);
    scaled_optimizer *of = find(scaler, optimizer, OP);
    if (!of)
        return false;
    if (of->stepped)
        return wk_fail(OP, "optimizer: has stepped already, since the last update\n"
                           "hint: wk_grad_scaler_update(scaler) ends a step");
    if (!of->unscaled && !unscale(OP, scaler, optimizer, of))
        return false;
    of->stepped = true;
    return of->found_inf || wk_optim_step(optimizer);
}

bool wk_grad_scaler_update(wk_grad_scaler *scaler)
{
    static const char OP[] = "grad_scaler_update";
    if (!check(OP, scaler) || wk_failing())
        return false;
    if (!scaler->enabled)
        return true;
    bool looked = false, found_inf = false;
    for (int64_t i = 0; i < scaler->count; i++) {
        looked |= scaler->optimizers[i].unscaled;
        found_inf |= scaler->optimizers[i].found_inf;
    }
    if (!looked)
        return wk_fail(OP, "scaler: no optimizer was stepped or unscaled since the last update");
    if (found_inf) {
        scaler->scale = (float)(scaler->scale * scaler->backoff_factor);
        scaler->growth_tracker = 0;
    } else if (++scaler->growth_tracker == scaler->growth_interval) {
        const float grown = (float)(scaler->scale * scaler->growth_factor);
        if (isfinite(grown))
            scaler->scale = grown;
        scaler->growth_tracker = 0;
    }
    scaler->count = 0;
    return true;
}

/* ---------------------------------------------------------------- state dict */

wk_dict *wk_grad_scaler_state_dict(const wk_grad_scaler *scaler)
{
    wk_dict *state = check("grad_scaler_state_dict", scaler) ? wk_dict_new() : NULL;
    if (!state || !scaler->enabled) // as PyTorch: nothing of a scaler that does nothing
        return state;
    if (wk_dict_set_number(state, "scale", scaler->scale) &&
        wk_dict_set_number(state, "growth_factor", scaler->growth_factor) &&
        wk_dict_set_number(state, "backoff_factor", scaler->backoff_factor) &&
        wk_dict_set_number(state, "growth_interval", (double)scaler->growth_interval) &&
        wk_dict_set_number(state, "_growth_tracker", (double)scaler->growth_tracker))
        return state;
    wk_dict_free(state);
    return NULL;
}

bool wk_grad_scaler_load_state_dict(wk_grad_scaler *scaler, const wk_dict *state)
{
    static const char OP[] = "grad_scaler_load_state_dict";
    if (!check(OP, scaler) || wk_failing())
        return false;
    if (!scaler->enabled)
        return true;
    const double scale = state ? wk_dict_number(state, "scale", NAN) : NAN;
    if (!(scale > 0))
        return wk_fail(OP, "state: has no scale: the scaler that it is of was disabled, or it is of something else");
    const double growth = wk_dict_number(state, "growth_factor", NAN);
    const double backoff = wk_dict_number(state, "backoff_factor", NAN);
    const double interval = wk_dict_number(state, "growth_interval", NAN);
    const double tracker = wk_dict_number(state, "_growth_tracker", NAN);
    if (!(growth > 1) || !(backoff < 1) || !(interval >= 1 && interval < 1e15) || !(tracker >= 0 && tracker < 1e15))
        return wk_fail(OP, "state: is not that of a gradient scaler");
    scaler->scale = (float)scale;
    scaler->growth_factor = growth;
    scaler->backoff_factor = backoff;
    scaler->growth_interval = (int64_t)interval;
    scaler->growth_tracker = (int64_t)tracker;
    return true;
}
