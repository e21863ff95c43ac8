/* odeint: fixed steps along a grid. */
#include <wick/join.h>
#include <wick/ode.h>

#include <string.h>

#include "ops.h"

static const char OP[] = "odeint";

typedef struct step {
    const wk_odeint_args *args;
    wk_tensor *t, *next, *dt, *x; // dt in x's dtype
} step;

/* x + part dt k */
static wk_tensor *along(const step *s, wk_tensor *k, double part)
{
    return wk_add(s->x, wk_mul(part == 1 ? s->dt : wk_mul(s->dt, part), k));
}

/* the slope at t, or at the part of the step */
static wk_tensor *slope(const step *s, double part, wk_tensor *x)
{
    if (!x)
        return NULL;
    wk_tensor *t = part == 0 ? s->t : part == 1 ? s->next : wk_lerp(s->t, s->next, part);
    wk_tensor *k = t ? s->args->f(t, x, s->args->context) : NULL;
    if (!k)
        return wk_failing() ? NULL : wk_fail(OP, "f: expected a slope of shape %s, got NULL", wk_shape_string(x));
    if (!wk_is_tensor(k))
        return wk_not_a_tensor(OP, "f", k);
    return wk_same_shape(k, x)
               ? k
               : wk_fail(OP, "f: expected a slope of x's shape %s, got %s", wk_shape_string(x), wk_shape_string(k));
}

static wk_tensor *euler(const step *s) { return along(s, slope(s, 0, s->x), 1); }

static wk_tensor *midpoint(const step *s) { return along(s, slope(s, 0.5, along(s, slope(s, 0, s->x), 0.5)), 1); }

static wk_tensor *heun(const step *s)
{
    wk_tensor *k = slope(s, 0, s->x);
    return along(s, wk_add(k, slope(s, 1, along(s, k, 1))), 0.5);
}

static wk_tensor *rk4(const step *s)
{
    wk_tensor *k1 = slope(s, 0, s->x), *k2 = slope(s, 0.5, along(s, k1, 0.5));
    wk_tensor *k3 = slope(s, 0.5, along(s, k2, 0.5)), *k4 = slope(s, 1, along(s, k3, 1));
    return along(s, wk_add(wk_add(k1, wk_mul(wk_add(k2, k3), 2)), k4), 1.0 / 6);
}

static const struct {
    const char *name;
    wk_tensor *(*step)(const step *);
} METHODS[] = {{"euler", euler}, {"midpoint", midpoint}, {"heun", heun}, {"rk4", rk4}};
enum { METHOD_COUNT = sizeof METHODS / sizeof *METHODS };

static bool check(const wk_odeint_args *args, int *method)
{
    WK_REQUIRE(OP, args->x);
    WK_REQUIRE(OP, args->t);
    if (!args->f)
        return wk_fail(OP, "f: expected a function, got NULL");
    if (!wk_check_inexact(OP, args->x))
        return false;
    if (args->t->ndim != 1 || args->t->numel < 1 || !wk_is_floating_point(args->t))
        return wk_fail(OP, "t: expected floating times of shape (T), got %s of %s", wk_shape_string(args->t),
                       wk_dtype_name(args->t->dtype));
    for (; *method < METHOD_COUNT; ++*method)
        if (args->method && strcmp(args->method, METHODS[*method].name) == 0)
            return true;
    return wk_fail(OP, "method: expected \"euler\", \"midpoint\", \"heun\" or \"rk4\", got \"%s\"",
                   args->method ? args->method : "(null)");
}

wk_tensor *wk_odeint_with(wk_odeint_args args)
{
    int method = 0;
    if (!check(&args, &method))
        return NULL;
    const int64_t count = args.t->numel;
    const wk_dtype dtype = wk_dtype_to_real(args.x->dtype);
    wk_tensor **states = wk_alloc((size_t)count * sizeof *states);
    if (!states)
        return wk_out_of_memory(OP, (size_t)count * sizeof *states);
    int64_t made = 1;
    wk_tensor *t = wk_select(args.t, 0, 0);
    states[0] = args.x;
    for (bool fine = t != NULL; fine && made < count; made += fine) {
        wk_tensor *next = wk_select(args.t, 0, made), *y = NULL;
        wk_scope
        {
            const step s = {&args, t, next, wk_to(wk_sub(next, t), dtype), states[made - 1]};
            y = wk_scope_hand_out(METHODS[method].step(&s));
        }
        if (y && y->dtype != args.x->dtype)
            y = wk_to(y, args.x->dtype);
        states[made] = y;
        t = next;
        fine = y != NULL;
    }
    wk_tensor *all = made == count ? wk_stack_with((wk_join_args){.tensors = {count, states}}) : NULL;
    for (int64_t i = 1; i < made; i++)
        wk_scope_release(states[i]);
    wk_free(states);
    return all;
}
