/* Autocast: the settings of a thread, the casts of operands, and the casts of parameters, which are kept.

   A parameter's cast is made once in a block, with its history, so that its gradient is cast back once; it stands for
   the parameter as long as that has the same memory in the same version, and, where gradients are asked for, was made
   with them.  PyTorch uses stale ones in these cases. */
#include "autocast.h"

#include "core/alloc.h"
#include "core/error_internal.h"
#include "ops.h"

typedef struct kept_cast {
    wk_tensor *of, *cast; // retained
    const struct wk_storage *storage;
    uint32_t version;
} kept_cast;

_Thread_local unsigned wk_autocast_types;
static _Thread_local wk_autocast_settings now = {.cache_enabled = true};
static _Thread_local int blocks; // open ones
static _Thread_local kept_cast *casts;
static _Thread_local int64_t cast_count, cast_room, next_cast;

static wk_dtype dtype_of(wk_device_type type)
{
    return now.types[type].dtype ? now.types[type].dtype : type == WK_CPU ? wk_bfloat16 : wk_float16;
}

/* ---------------------------------------------------------------- the casts of parameters */

static void forget_casts(void)
{
    for (int64_t i = 0; i < cast_count; i++) {
        wk_release(casts[i].of);
        wk_release(casts[i].cast);
    }
    wk_free(casts);
    casts = NULL;
    cast_count = cast_room = next_cast = 0;
}

/* where x's cast is, or NULL.  Ops come in the same order, so the one after the last is looked at first. */
static kept_cast *find_cast(const wk_tensor *x)
{
    for (int64_t i = 0; i < cast_count; i++) {
        const int64_t at = (next_cast + i) % cast_count;
        if (casts[at].of == x) {
            next_cast = at + 1;
            return &casts[at];
        }
    }
    return NULL;
}

static bool grow_casts(void)
{
    const int64_t room = cast_room ? 2 * cast_room : 16;
    kept_cast *more = wk_realloc(casts, (size_t)room * sizeof *casts);
    if (!more)
        return wk_out_of_memory("autocast", (size_t)room * sizeof *casts);
    casts = more;
    cast_room = room;
    return true;
}

static wk_tensor *cast_parameter(wk_tensor *x, wk_dtype dtype)
{
    kept_cast *kept = find_cast(x);
    if (kept && kept->storage == x->storage && kept->version == x->storage->version && kept->cast->dtype == dtype &&
        (kept->cast->requires_grad || !wk_is_grad_enabled()))
        return kept->cast;
    wk_tensor *y = wk_to_dtype(x, dtype);
    if (!y || (!kept && cast_count == cast_room && !grow_casts()))
        return NULL;
    if (kept) {
        wk_release(kept->cast);
    } else {
        kept = &casts[cast_count++];
        kept->of = wk_retain(x);
    }
    kept->cast = wk_retain(y);
    kept->storage = x->storage;
    kept->version = x->storage->version;
    return y;
}

/* ---------------------------------------------------------------- operands */

static wk_tensor *cast_operand(wk_autocast_policy policy, wk_tensor *x)
{
    const wk_dtype dtype = policy == WK_AUTOCAST_LOW ? dtype_of(x->device.type) : wk_float32;
    if (x->dtype == dtype)
        return x;
    const bool keeps = now.cache_enabled && policy == WK_AUTOCAST_LOW && x->dtype == wk_float32 && x->requires_grad &&
                       !x->grad_fn && !x->view;
    return keeps ? cast_parameter(x, dtype) : wk_to_dtype(x, dtype);
}

void wk_autocast_operands(wk_autocast_policy policy, int count, wk_tensor **const *operands)
{
    const unsigned types = wk_autocast_types;
    wk_autocast_types = 0;
    bool fine = true;
    for (int i = 0; fine && i < count; i++) {
        wk_tensor *x = *operands[i];
        if (!x || !wk_is_tensor(x) || !(types >> x->device.type & 1) || !wk_dtype_is_floating(x->dtype) ||
            x->dtype == wk_float64)
            continue;
        *operands[i] = cast_operand(policy, x);
        fine = *operands[i] != NULL;
    }
    if (!fine)
        *operands[0] = NULL;
}

/* ---------------------------------------------------------------- blocks */

wk_autocast_settings wk_autocast_get(void) { return now; }

static void set(const wk_autocast_settings *settings)
{
    now = *settings;
    wk_autocast_types = 0;
    for (int type = 0; type < WK_DEVICE_TYPES; type++)
        wk_autocast_types |= (unsigned)now.types[type].enabled << type;
}

void wk_autocast_begin(const wk_autocast_settings *settings)
{
    blocks++;
    set(settings);
}

void wk_autocast_end(const wk_autocast_settings *before)
{
    set(before);
    if (--blocks == 0)
        forget_casts();
}

wk_autocast_guard wk_autocast_open(wk_autocast_args args)
{
    static const char OP[] = "autocast";
    const wk_device_type type = args.device.type;
    if (type <= WK_DEVICE_DEFAULT || type >= WK_DEVICE_TYPES) {
        wk_fail(OP, "device: expected wk_cpu, wk_cuda or such, got none");
        return (wk_autocast_guard){0};
    }
    if (args.enabled && args.dtype && !wk_is_half(args.dtype)) {
        WK_WARN_ONCE(OP, "dtype: expected bfloat16 or float16, got %s: nothing is cast", wk_dtype_name(args.dtype));
        args.enabled = false;
    }
    if (args.enabled && type == WK_CUDA && !wk_cuda_is_available()) {
        WK_WARN_ONCE(OP, "device: cuda is not available: nothing is cast\nhint: wk_autocast (wk_cpu)");
        args.enabled = false;
    }
    const wk_autocast_guard guard = {.type = type,
                                     .dtype = now.types[type].dtype,
                                     .enabled = now.types[type].enabled,
                                     .cache_enabled = now.cache_enabled,
                                     .open = true};
    wk_autocast_settings inside = now;
    inside.types[type].dtype = args.dtype;
    inside.types[type].enabled = args.enabled;
    inside.cache_enabled = args.cache_enabled;
    wk_autocast_begin(&inside);
    return guard;
}

void wk_autocast_close(wk_autocast_guard *guard)
{
    if (!guard->type)
        return;
    wk_autocast_settings before = now;
    before.types[guard->type].dtype = guard->dtype;
    before.types[guard->type].enabled = guard->enabled;
    before.cache_enabled = guard->cache_enabled;
    wk_autocast_end(&before);
}

bool wk_is_autocast_enabled(wk_device device)
{
    return device.type > 0 && device.type < WK_DEVICE_TYPES && now.types[device.type].enabled;
}

wk_dtype wk_get_autocast_gpu_dtype(void) { return dtype_of(WK_CUDA); }
