/* wk_detect_anomaly: looks at results and gradients for NaN and infinity.  The host reads them, element by element:
   nobody trains like this. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/element.h"
#include "core/host.h"
#include "ops.h"

typedef struct found {
    bool nan, infinite, failed;
    int64_t place; // the element that decided, in a row-major x
} found;

/* NaN anywhere, else infinity anywhere */
static found look(const char *op, wk_tensor *x)
{
    found found = {0};
    if (!x || x->numel == 0 || !(wk_dtype_is_floating(x->dtype) || wk_dtype_is_complex(x->dtype)))
        return found;
    wk_scope
    {
        const bool complex = wk_dtype_is_complex(x->dtype);
        const wk_tensor *here = wk_on_host(op, WK_UNWATCHED(wk_dense(x)));
        const void *data = here ? wk_host(op, here) : NULL;
        found.failed = !data;
        for (int64_t i = 0; data && !found.nan && i < x->numel * (complex ? 2 : 1); i++) {
            const double value = wk_load_floating(wk_dtype_to_real(x->dtype), data, i);
            if (!isnan(value) && (!isinf(value) || found.infinite))
                continue;
            found.nan = isnan(value);
            found.infinite = !found.nan;
            found.place = complex ? i / 2 : i;
        }
    }
    return found;
}

/* "(1, 2)" */
static char *place_text(const wk_tensor *x, int64_t place, char text[WK_SHAPE_TEXT])
{
    int64_t at[WK_MAX_DIMS];
    for (int dim = x->ndim - 1; dim >= 0; dim--) {
        at[dim] = place % x->shape[dim];
        place /= x->shape[dim];
    }
    return wk_shape_text(x->ndim, at, text);
}

/* "exp" of "exp_backward" */
static const char *op_of(const char *name, char *text, size_t size)
{
    name = name ? name : "";
    const size_t length = strlen(name), tail = strlen("_backward");
    const bool strips = length > tail && strcmp(name + length - tail, "_backward") == 0;
    snprintf(text, size, "%.*s", (int)(strips ? length - tail : length), name);
    return text;
}

static bool is_finite(const char *op, wk_tensor *x)
{
    const found in = look(op, x);
    return !in.nan && !in.infinite && !in.failed;
}

/* what only carries numbers makes no infinity, and some of it takes them from outside of its inputs */
static bool carries(const char *op)
{
    static const char *const carriers[] = {"constant_pad_nd", "scatter", "index_fill", "fill"};
    for (size_t i = 0; i < sizeof carriers / sizeof *carriers; i++)
        if (strcmp(op, carriers[i]) == 0)
            return true;
    return false;
}

static bool shares_memory(const wk_tensor *y, wk_tensors inputs)
{
    for (int64_t i = 0; i < inputs.count; i++)
        if (inputs.items[i] && inputs.items[i]->storage == y->storage)
            return true;
    return false;
}

static bool check_result(const char *op, wk_tensor *y, wk_tensors inputs, bool finite_numbers)
{
    const found out = look(op, y);
    if (!out.nan && !out.infinite)
        return !out.failed;
    bool finite = finite_numbers;
    int64_t nan_input = -1;
    for (int64_t i = 0; i < inputs.count; i++) {
        const found in = look(op, inputs.items[i]);
        finite = finite && !in.infinite;
        if (in.nan && nan_input < 0)
            nan_input = i;
    }
    char place[WK_SHAPE_TEXT];
    place_text(y, out.place, place);
    if (out.nan && nan_input >= 0)
        return wk_fail(op,
                       "the result of shape %s is NaN at %s: input %lld has NaN, which no op before made\n"
                       "hint: look at the data, and at parameters",
                       wk_shape_string(y), place, (long long)nan_input);
    if (out.nan)
        return wk_fail(op, "the result of shape %s is NaN at %s%s", wk_shape_string(y), place,
                       inputs.count ? ", and no input is" : ""); // in place there is no input any more
    return !finite || carries(op) ||
           wk_fail(op, "the result of shape %s is infinite at %s, and the input is finite", wk_shape_string(y), place);
}

/* what wk_pointwise has looked at is not looked at again by wk_record: it knew of numbers, too.  Retained, so that no
   other tensor has its address. */
static _Thread_local wk_tensor *looked_at;

void wk_anomaly_forget(void)
{
    wk_release(looked_at);
    looked_at = NULL;
}

bool wk_anomaly_check_pointwise(const wk_pointwise_call *call, wk_tensor *y)
{
    wk_tensor *inputs[3];
    bool finite = isfinite(call->p) && isfinite(call->q);
    for (int i = 0; i < call->inputs; i++) {
        inputs[i] = call->in[i].tensor;
        finite = finite && (inputs[i] || isfinite(call->in[i].number.value));
    }
    wk_anomaly_forget();
    looked_at = wk_retain(y);
    return check_result(call->op, y, (wk_tensors){call->into ? 0 : call->inputs, inputs}, finite && !call->into);
}

bool wk_anomaly_check_results(const char *name, wk_tensor *const *results, int count, wk_tensors inputs)
{
    char op[64];
    for (int i = 0; i < count; i++)
        if (results[i] != looked_at && !shares_memory(results[i], inputs) &&
            !check_result(op_of(name, op, sizeof op), results[i], inputs, true))
            return false;
    wk_anomaly_forget();
    return true;
}

bool wk_anomaly_check_gradient(const char *name, int input, wk_tensor *gradient, wk_tensor *const *dy, int count)
{
    const found out = look(name, gradient);
    if (!out.nan && !out.infinite)
        return !out.failed;
    bool finite = true;
    for (int i = 0; i < count; i++)
        finite = finite && is_finite(name, dy[i]);
    char place[WK_SHAPE_TEXT];
    return (out.infinite && !finite) ||
           wk_fail(name, "the gradient of input %d, of shape %s, is %s at %s%s", input, wk_shape_string(gradient),
                   out.nan ? "NaN" : "infinite", place_text(gradient, out.place, place),
                   finite ? ", and what came from above is finite" : "");
}
