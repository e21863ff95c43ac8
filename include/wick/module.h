/* Modules: a struct of one's own with wk_module_base as its first member, and a forward.  PyTorch: torch.nn.Module,
   https://pytorch.org/docs/stable/generated/torch.nn.Module.html

       typedef struct {
           wk_module_base base;
           wk_module *fc1, *fc2;
           wk_tensor *scale;
       } mlp;

       static wk_tensor *mlp_forward(void *module, wk_tensor *x)
       {
           mlp *self = module;
           x = wk_gelu(wk_forward(self->fc1, x));                      // (B, 4*D)
           return wk_mul(wk_forward(self->fc2, x), self->scale);       // (B, D)
       }

       static mlp *mlp_new(int64_t dim)
       {
           mlp *self = wk_module_new(mlp, mlp_forward);
           wk_add_module(self, fc1, wk_nn_linear(dim, 4 * dim));
           wk_add_module(self, fc2, wk_nn_linear(4 * dim, dim));
           wk_add_parameter(self, scale, wk_ones((dim)));
           return self;
       }

   A module owns its children, parameters and buffers; wk_module_free(model) frees the tree.  Names, order and initial
   values are those of the same class in PyTorch.  Every `void *module` is a wk_module or a struct that begins with
   one. */
#ifndef WICK_MODULE_H
#define WICK_MODULE_H
#pragma GCC system_header // see tensor.h

#include <stdio.h>

#include <wick/cast.h>
#include <wick/dict.h>
#include <wick/memory.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_module {
    const char *type; // "mlp"
    bool training;    // set by wk_module_train and wk_module_eval

    /* the library's own */
    uint32_t magic;
    struct wk_module_inside *inside;
} wk_module;
typedef wk_module wk_module_base;

typedef wk_tensor *wk_module_forward(void *module, wk_tensor *x);

/* ---- making one */

/* wk_module_new(mlp, mlp_forward): a mlp, zeroed but for its base, in training mode; NULL after an error.  forward may
   be NULL where the module is called through wk_call only.  .free(module) runs before the module goes,
   .extra_repr(module, text, size) writes what stands in the parentheses of its printed form. */
typedef struct wk_module_args {
    size_t size;
    const char *type; // lives as long as the program
    wk_module_forward *forward;
    void (*free)(void *module);
    void (*extra_repr)(void *module, char *text, size_t size);
} wk_module_args;
#define wk_module_new(type_, ...)                                                                                      \
    ((type_ *)wk_module_new_with((wk_module_args){.size = sizeof(type_) + 0 * WK_ASSERT(offsetof(type_, base) == 0),   \
                                                  .type = #type_,                                                      \
                                                  .forward = __VA_ARGS__}))
void *wk_module_new_with(wk_module_args args);
void wk_module_free(void *module); // the whole tree; shared children once; NULL is fine

/* self->field = value, under the field's name.  The module owns child, parameter and buffer from then on.  A child of
   NULL leaves the field NULL; a parameter or buffer of NULL reserves its name (it is in no list and no state dict). */
#ifdef __cplusplus
#define wk_add_module(self, field, child) wk_module_add_at(self, #field, (self) ? (void *)&(self)->field : NULL, child)
#define wk_add_parameter(self, field, tensor) wk_parameter_add_at(self, #field, (self) ? &(self)->field : NULL, tensor)
#else
#define wk_add_module(self, field, child)                                                                              \
    __extension__({                                                                                                    \
        __auto_type wk_child = (child);                                                                                \
        (void)sizeof(_Generic((self)->field, WK_ANY_MODULE, default: (self)->field)->base); /* a module's field */     \
        (void)sizeof(_Generic(wk_child, WK_ANY_MODULE, default: wk_child)->base);           /* a module */             \
        _Static_assert(WK_MODULE_FITS(__typeof__((self)->field), __typeof__(wk_child)),                                \
                       "a child must be what its field points to, or either of them a wk_module *");                   \
        wk_module_add_at(self, #field, (self) ? (void *)&(self)->field : NULL, wk_child);                              \
    })
#define wk_add_parameter(self, field, tensor)                                                                          \
    wk_parameter_add_at(self, #field, (self) ? _Generic(&(self)->field, wk_tensor **: &(self)->field) : NULL, tensor)
/* wk_add_buffer(self, field, tensor, .persistent = true): a tensor without gradient that moves with the module */
#define wk_add_buffer(self, field, ...)                                                                                \
    wk_buffer_add_at(self, #field, (self) ? _Generic(&(self)->field, wk_tensor **: &(self)->field) : NULL,             \
                     (wk_buffer_args){.persistent = true, .tensor = __VA_ARGS__})
#endif

/* parameter(x, requires_grad = true): a leaf on x's memory */
typedef struct wk_parameter_args {
    wk_tensor *data;
    bool requires_grad;
} wk_parameter_args;
#define wk_parameter(...) wk_parameter_with((wk_parameter_args){.requires_grad = true, .data = __VA_ARGS__})
wk_tensor *wk_parameter_with(wk_parameter_args args);

/* the same by a name known at run time; a name that is there already is given the new value (and its field, if it has
   one: wk_module_register_parameter(head, "weight", embedding->weight) ties two weights).  False after an error. */
bool wk_module_add_module(void *module, const char *name, void *child);
bool wk_module_register_parameter(void *module, const char *name, wk_tensor *tensor);
typedef struct wk_buffer_args {
    wk_tensor *tensor;
    bool persistent; // in the state dict
} wk_buffer_args;
#define wk_module_register_buffer(module, name, ...)                                                                   \
    wk_module_register_buffer_with(module, name, (wk_buffer_args){.persistent = true, .tensor = __VA_ARGS__})
bool wk_module_register_buffer_with(void *module, const char *name, wk_buffer_args args);
/* nn.Buffer: the tensor and its keywords, for the two above: wk_add_buffer(self, mask, wk_buffer(x, .persistent =
   false)) */
#define wk_buffer(...) __VA_ARGS__

/* ---- calling one */

/* forward(module, x): runs pre-hooks, the module's forward, and hooks, in a scope that keeps the result */
wk_tensor *wk_forward(void *module, wk_tensor *x);
/* call(function, module, ...): function(module, ...), where a forward has several inputs or gives something other than
   one tensor (then its tensors belong to the scope outside; a function that gives nothing returns bool).  Where it
   gives one, in a scope that keeps it, and hooks on the result run. */
#define wk_call(function, module_, ...)                                                                                \
    __extension__({                                                                                                    \
        void *wk_call_module = (module_);                                                                              \
        __typeof__(function(wk_call_module, __VA_ARGS__)) wk_call_result = {0};                                        \
        wk_call_guard wk_call_here __attribute__((cleanup(wk_call_close))) =                                           \
            wk_call_open(wk_call_module, _Generic(wk_call_result, wk_tensor *: true, default: false));                 \
        if (wk_call_here.module)                                                                                       \
            wk_call_result = function(wk_call_module, __VA_ARGS__);                                                    \
        _Generic(wk_call_result, wk_tensor *: wk_call_keep, default: wk_call_no_keep)(&wk_call_here,                   \
                                                                                      (void *)&wk_call_result);        \
        wk_call_result;                                                                                                \
    })

/* hooks: what a pre-hook returns replaces the input, what a hook returns the output; NULL leaves it.  In order. */
typedef wk_tensor *wk_forward_pre_hook(wk_module *module, wk_tensor *x, void *context);
typedef wk_tensor *wk_forward_hook(wk_module *module, wk_tensor *x, wk_tensor *y,
                                   void *context); // x: NULL under wk_call
typedef struct wk_hook_handle {
    wk_module *module; // NULL after an error
    int id;
} wk_hook_handle;
wk_hook_handle wk_module_register_forward_pre_hook(void *module, wk_forward_pre_hook *hook, void *context);
wk_hook_handle wk_module_register_forward_hook(void *module, wk_forward_hook *hook, void *context);
void wk_hook_remove(wk_hook_handle handle);

/* checkpoint_wrapper(module, preserve_rng_state = true): from now on wk_forward of the module, hooks aside, is a
   wk_checkpoint, which computes activations again in the backward in place of keeping them; returns the module, whose
   names stay as they are */
typedef struct wk_checkpoint_wrapper_args {
    void *module;
    bool preserve_rng_state;
} wk_checkpoint_wrapper_args;
#define wk_checkpoint_wrapper(...)                                                                                     \
    wk_checkpoint_wrapper_with((wk_checkpoint_wrapper_args){.preserve_rng_state = true, .module = __VA_ARGS__})
void *wk_checkpoint_wrapper_with(wk_checkpoint_wrapper_args args);

/* ---- looking inside: in order of registration, the module's own before its children's, shared ones once.  Lists
   belong to the module: they are valid until the same list is asked for again, or the module is freed. */
wk_tensors wk_module_parameters(void *module);
wk_tensors wk_module_buffers(void *module);
const wk_dict *wk_module_named_parameters(void *module); // "blocks.0.attn.qkv.weight"
const wk_dict *wk_module_named_buffers(void *module);
/* .recurse = false: the module's own alone; .prefix = "net", of the named ones: "net.blocks.0.attn.qkv.weight" */
typedef struct wk_module_list_args {
    void *module;
    bool recurse;
    const char *prefix;
} wk_module_list_args;
wk_tensors wk_module_parameters_with(wk_module_list_args args);
wk_tensors wk_module_buffers_with(wk_module_list_args args);
const wk_dict *wk_module_named_parameters_with(wk_module_list_args args);
const wk_dict *wk_module_named_buffers_with(wk_module_list_args args);
#ifndef __cplusplus
#define WK_MODULE_LIST(...) ((wk_module_list_args){.recurse = true, .module = __VA_ARGS__})
#define wk_module_parameters(...) wk_module_parameters_with(WK_MODULE_LIST(__VA_ARGS__))
#define wk_module_buffers(...) wk_module_buffers_with(WK_MODULE_LIST(__VA_ARGS__))
#define wk_module_named_parameters(...) wk_module_named_parameters_with(WK_MODULE_LIST(__VA_ARGS__))
#define wk_module_named_buffers(...) wk_module_named_buffers_with(WK_MODULE_LIST(__VA_ARGS__))
#endif

/* parameters_where(module, which, context = NULL, except = false): those for which which(name, parameter, context) is
   true, or with .except false; for groups of an optimizer.  The list belongs to the innermost scope.
       bool decays(const char *name, wk_tensor *x, void *context) { return x->ndim >= 2; }
       wk_optimizer *opt = wk_optim_adamw(wk_module_parameters_where(model, decays), .weight_decay = 0.1);
       wk_optim_add_param_group(opt, wk_module_parameters_where(model, decays, .except = true), .weight_decay = 0); */
typedef bool wk_parameter_predicate(const char *name, wk_tensor *parameter, void *context);
typedef struct wk_parameters_where_args {
    void *module;
    wk_parameter_predicate *which;
    void *context;
    bool except;
} wk_parameters_where_args;
#define wk_module_parameters_where(module_, ...)                                                                       \
    wk_module_parameters_where_with((wk_parameters_where_args){.module = module_, .which = __VA_ARGS__})
wk_tensors wk_module_parameters_where_with(wk_parameters_where_args args);

typedef struct wk_modules {
    int64_t count;
    wk_module **items;
    const char **names; // "" for the module itself, "blocks.0"
} wk_modules;
wk_modules wk_module_modules(void *module);  // the module itself first
wk_modules wk_module_children(void *module); // its direct children
/* named_modules, named_children: the same lists, which have the names */
#define wk_module_named_modules(module) wk_module_modules(module)
#define wk_module_named_children(module) wk_module_children(module)

/* wk_for_each_module (block, self->blocks) x = wk_forward(block, x): direct children */
#define wk_for_each_module(child, module)                                                                              \
    for (wk_module *const *wk_at_##child = wk_module_first_child(module), *child; (child = *wk_at_##child) != NULL;    \
         wk_at_##child++)
wk_module *const *wk_module_first_child(void *module); // a list that ends with NULL

void *wk_module_get_submodule(void *module, const char *path);         // "blocks.0.attn"; "" is the module itself
wk_tensor *wk_module_get_parameter(void *module, const char *path);    // "head.weight"; NULL after an error
wk_tensor *wk_module_get_buffer(void *module, const char *path);
int64_t wk_module_parameter_count(void *module);                       // elements, shared ones once

/* ---- changing all of it; each returns the module */
typedef struct wk_module_train_args {
    void *module;
    bool mode;
} wk_module_train_args;
#define wk_module_train(...) wk_module_train_with((wk_module_train_args){.mode = true, .module = __VA_ARGS__})
void *wk_module_train_with(wk_module_train_args args);
void *wk_module_eval(void *module);
void *wk_module_apply(void *module, void (*function)(wk_module *module, void *context),
                      void *context); // children first
void *wk_module_requires_grad_(void *module, bool requires_grad); // true unless told
#ifndef __cplusplus
#define wk_module_requires_grad_(...)                                                                                  \
    __extension__({                                                                                                    \
        const struct {                                                                                                 \
            void *module;                                                                                              \
            bool requires_grad;                                                                                        \
        } wk_given = {.requires_grad = true, .module = __VA_ARGS__};                                                   \
        wk_module_requires_grad_(wk_given.module, wk_given.requires_grad);                                             \
    })
#endif
void *wk_module_zero_grad(void *module); // each parameter's grad becomes NULL
/* to(module, wk_float64), to(module, wk_cuda), to(module, tensor), to(module, wk_cuda, .dtype = wk_float16,
   .memory_format = wk_channels_last): floating parameters, their grads, and floating buffers (all of them to a device),
   in place: they stay the same tensors, so optimizers and fields keep working.  A memory format is for those of its
   number of dims.  .non_blocking is taken, and changes nothing. */
typedef struct wk_module_to_args {
    void *module;
    wk_to_target to;
    wk_dtype dtype; // beside a device
    bool non_blocking;
    wk_memory_format memory_format;
} wk_module_to_args;
#define wk_module_to(module_, to_, ...)                                                                                \
    wk_module_to_with((wk_module_to_args){.module = module_, .to = WK_TO_TARGET(to_), __VA_ARGS__})
void *wk_module_to_with(wk_module_to_args args);
void *wk_module_to_dtype(void *module, wk_dtype dtype);
void *wk_module_to_device(void *module, wk_device device);
void *wk_module_to_like(void *module, wk_tensor *like);
void *wk_module_to_memory_format(void *module, wk_memory_format format); // channels last: parameters of 4 (5) dims
/* to_empty(module, device): parameters and buffers there, in new memory that holds no values yet; grads are let go */
void *wk_module_to_empty(void *module, wk_device device);

/* deepcopy(module): the tree with copies of its parameters, their grads, and buffers, as copy.deepcopy makes it: what
   was shared inside is shared in the copy, and no random number is drawn.  A pointer in a struct to a module or a
   tensor of the tree becomes the copy's, other fields keep their values; so a module with a .free of its own is an
   error, as two would free one thing.  NULL after an error. */
void *wk_module_deepcopy(void *module);

/* ---- saving and loading */
wk_dict *
wk_module_state_dict(void *module); // parameters and persistent buffers by name, on the same memory; wk_dict_free it

/* load_state_dict(module, state, strict = true): copies values into the module's tensors, cast to their dtypes; nothing
   is copied after an error.  Shapes must match.  strict: every name of either side must be in the other; otherwise the
   others are added to .missing_keys (with the module's tensors) and .unexpected_keys (with the state's), where
   given.  Not missed are num_batches_tracked, and a name of a tensor that has another name in the state (tied weights,
   of which safetensors keeps one; here PyTorch is stricter).  docs/models.md: names from elsewhere. */
typedef struct wk_load_state_dict_args {
    void *module;
    const wk_dict *state;
    bool strict;
    wk_dict *missing_keys, *unexpected_keys;
} wk_load_state_dict_args;
#define wk_module_load_state_dict(module_, ...)                                                                        \
    wk_module_load_state_dict_with(                                                                                    \
        (wk_load_state_dict_args){.strict = true, .module = module_, .state = __VA_ARGS__})
bool wk_module_load_state_dict_with(wk_load_state_dict_args args);

/* print(module): the tree, a line each: "(fc1): linear(in_features=64, out_features=256, bias=True)" */
void wk_module_print(void *module, FILE *file);

/* ---- what the macros call */
typedef struct wk_call_guard {
    wk_scope_guard scope;
    wk_module *module; // NULL after an error
    int depth;         // of the modules that run in this thread
    bool scoped;
} wk_call_guard;
wk_call_guard wk_call_open(void *module, bool scope);
void wk_call_close(wk_call_guard *guard);
void wk_call_keep(wk_call_guard *guard, void *result);
void wk_call_no_keep(wk_call_guard *guard, void *result);
void *wk_module_add_at(void *self, const char *name, void *place, void *child);
wk_tensor *wk_parameter_add_at(void *self, const char *name, wk_tensor **place, wk_tensor *tensor);
wk_tensor *wk_buffer_add_at(void *self, const char *name, wk_tensor **place, wk_buffer_args args);

#define WK_ASSERT(condition)                                                                                           \
    ((int)sizeof(struct {                                                                                              \
        _Static_assert(condition, "wk_module_base must be the first member, and named base");                          \
        int checked;                                                                                                   \
    }))
/* in place of a pointer that has no member `base`, but may be a module */
#define WK_ANY_MODULE wk_module *: (struct wk_any_module *)0, void *: (struct wk_any_module *)0
struct wk_any_module {
    wk_module_base base;
};
#define WK_MODULE_FITS(field, child)                                                                                   \
    (__builtin_types_compatible_p(field, child) || __builtin_types_compatible_p(field, wk_module *) ||                 \
     __builtin_types_compatible_p(child, wk_module *) || __builtin_types_compatible_p(child, void *))

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
