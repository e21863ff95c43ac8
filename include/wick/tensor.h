/* What a tensor is, and the ways C spells Python's tuples, numbers and keywords. */
#ifndef WICK_TENSOR_H
#define WICK_TENSOR_H

#include <wick/dtype.h>

#ifndef __cplusplus
/* a keyword given twice is a default that the caller overrides: wk_softmax(x, .dim = 0) */
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
/* A pointer of a wrong type (a forward of three inputs, a place without its &, a hook's arguments) and an unknown name
   are errors in every program that includes this, as they are to compilers since gcc 14 and clang 16; older ones warn,
   and what they make of it crashes. */
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#pragma GCC diagnostic error "-Wint-conversion"
#pragma GCC diagnostic error "-Wimplicit-function-declaration"
#endif

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define WK_MAX_DIMS 8

typedef struct wk_tensor wk_tensor;

/* A strided array of numbers: shape and strides count elements, the last dim is innermost.  Read the fields; change
   tensors through functions. */
struct wk_tensor {
    uint32_t magic; // the library's own: how an op knows a tensor from other memory, and one of a scope that has closed
    int ndim;
    int64_t shape[WK_MAX_DIMS];
    int64_t strides[WK_MAX_DIMS];
    wk_dtype dtype;
    wk_device device;
    bool requires_grad;
    wk_tensor *grad; // of a leaf, after backward; NULL before

    /* the library's own */
    struct wk_storage *storage;
    int64_t offset; // of the first element, in elements
    int64_t numel;
    struct wk_node *grad_fn; // what backward runs; NULL for a leaf
    int output_nr;           // which of grad_fn's results this is
    struct wk_view *view;    // of which tensor this is a view, where gradients care
    void *hooks;
    int references;  // atomic
    int scope_entry; // where on its thread's stack of scopes it was put last
    bool is_parameter;
};

/* A tuple of sizes: wk_zeros((B, C, -1)). */
typedef struct wk_shape {
    int ndim;
    int64_t sizes[WK_MAX_DIMS];
} wk_shape;

/* A tuple of tensors: wk_cat((a, b)); a list known at run time is {.count = n, .items = array}. */
typedef struct wk_tensors {
    int64_t count;
    wk_tensor **items;
} wk_tensors;

/* A tuple of places to put results in: wk_unbind(x, (&q, &k, &v)). */
typedef struct wk_places {
    int64_t count;
    wk_tensor ***items;
} wk_places;

/* A list of numbers of any length: wk_split(x, (2, 3)). */
typedef struct wk_sizes {
    int64_t count;
    const int64_t *items;
} wk_sizes;

/* A number that remembers what kind it was, since promotion asks. */
typedef enum wk_number_kind { WK_NO_NUMBER = 0, WK_BOOL_NUMBER, WK_INT_NUMBER, WK_FLOAT_NUMBER } wk_number_kind;
typedef struct wk_number {
    wk_number_kind kind;
    int64_t integer;
    double value;
} wk_number;

/* A tensor or a number. */
typedef struct wk_operand {
    wk_tensor *tensor;
    wk_number number;
} wk_operand;

/* for macros only; sizes_list etc. are pasted before a parenthesised tuple: WK_SHAPE (2, 3) */
#define WK_COUNT(type, ...) ((int)(sizeof((type[]){__VA_ARGS__}) / sizeof(type)))
#define WK_SHAPE(...) wk_shape_of(WK_COUNT(int64_t, __VA_ARGS__), (const int64_t[WK_MAX_DIMS + 1]){__VA_ARGS__})
#define WK_TENSORS(...) ((wk_tensors){WK_COUNT(wk_tensor *, __VA_ARGS__), (wk_tensor *[]){__VA_ARGS__}})
#define WK_PLACES(...) ((wk_places){WK_COUNT(wk_tensor **, __VA_ARGS__), (wk_tensor **[]){__VA_ARGS__}})
#define WK_SIZES(...) ((wk_sizes){WK_COUNT(int64_t, __VA_ARGS__), (const int64_t[]){__VA_ARGS__}})
/* 1 where an argument of a macro is a parenthesised tuple, else 0; a cast, (int)x, is none */
#define WK_IS_TUPLE(x) WK_TUPLE_GLUE(WK_IS_TUPLE_, WK_OPENS(x))(x)
#define WK_IS_TUPLE_0(x) 0
#define WK_IS_TUPLE_1(x) WK_TUPLE_GLUE(WK_IS_NOTHING_, WK_OPENS(WK_TUPLE_DROP x))(WK_TUPLE_DROP x)
#define WK_IS_NOTHING_0(rest) WK_OPENS(rest())
#define WK_IS_NOTHING_1(rest) 0
#define WK_OPENS(x) WK_OPENS_(WK_TUPLE_PROBE x, 0, 0)
#define WK_OPENS_(...) WK_SECOND(__VA_ARGS__)
#define WK_TUPLE_PROBE(...) 0, 1,
#define WK_TUPLE_DROP(...)
#define WK_TUPLE_GLUE(a, b) WK_TUPLE_GLUE_(a, b)
#define WK_TUPLE_GLUE_(a, b) a##b
#define WK_SECOND(a, b, ...) b
#define WK_CALL(macro, tuple) macro tuple
#define WK_GLUE(a, b) WK_GLUE_(a, b)
#define WK_GLUE_(a, b) a##b
#define WK_HEAD(...) WK_HEAD_(__VA_ARGS__, 0)
#define WK_HEAD_(head, ...) head
#define WK_NUMBER(x)                                                                                                   \
    _Generic((x), bool: wk_number_bool, float: wk_number_float, double: wk_number_float, default: wk_number_int)(x)
#define WK_OPERAND(x)                                                                                                  \
    _Generic((x), wk_tensor *: wk_operand_tensor, bool: wk_operand_bool, float: wk_operand_float,                      \
             double: wk_operand_float, wk_operand: wk_operand_itself, default: wk_operand_int)(x)
#define wk_none (wk_operand_tensor(NULL)) // neither a tensor nor a number, where an operand may be left out

static inline wk_shape wk_shape_of(int ndim, const int64_t *sizes)
{
    wk_shape shape = {ndim, {0}};
    for (int dim = 0; dim < ndim && dim < WK_MAX_DIMS; dim++)
        shape.sizes[dim] = sizes[dim];
    return shape;
}
static inline wk_number wk_number_of(wk_number_kind kind, int64_t integer, double value)
{
    const wk_number number = {kind, integer, value};
    return number;
}
static inline wk_number wk_number_bool(bool x) { return wk_number_of(WK_BOOL_NUMBER, x, x); }
static inline wk_number wk_number_int(int64_t x) { return wk_number_of(WK_INT_NUMBER, x, (double)x); }
static inline wk_number wk_number_float(double x) { return wk_number_of(WK_FLOAT_NUMBER, 0, x); }
static inline wk_operand wk_operand_itself(wk_operand x) { return x; }
static inline wk_operand wk_operand_of(wk_tensor *x, wk_number number)
{
    const wk_operand operand = {x, number};
    return operand;
}
static inline wk_operand wk_operand_tensor(wk_tensor *x) { return wk_operand_of(x, wk_number_of(WK_NO_NUMBER, 0, 0)); }
static inline wk_operand wk_operand_bool(bool x) { return wk_operand_of(NULL, wk_number_bool(x)); }
static inline wk_operand wk_operand_int(int64_t x) { return wk_operand_of(NULL, wk_number_int(x)); }
static inline wk_operand wk_operand_float(double x) { return wk_operand_of(NULL, wk_number_float(x)); }

/* wk_unpack(x, B, L, D): declares int64_t B, L, D and gives them x's sizes; another number of dims is an error.
   Where x is NULL after an error they are 1. */
#define wk_unpack(x, ...)                                                                                              \
    int64_t __VA_ARGS__;                                                                                               \
    wk_unpack_sizes((x), WK_COUNT(int64_t *, WK_ADDRESSES(__VA_ARGS__)), (int64_t *[]){WK_ADDRESSES(__VA_ARGS__)})
#define WK_ADDRESSES(...)                                                                                              \
    WK_ADDRESSES_(__VA_ARGS__, WK_A8, WK_A7, WK_A6, WK_A5, WK_A4, WK_A3, WK_A2, WK_A1, 0)(__VA_ARGS__)
#define WK_ADDRESSES_(a, b, c, d, e, f, g, h, which, ...) which
#define WK_A1(a) &a
#define WK_A2(a, ...) &a, WK_A1(__VA_ARGS__)
#define WK_A3(a, ...) &a, WK_A2(__VA_ARGS__)
#define WK_A4(a, ...) &a, WK_A3(__VA_ARGS__)
#define WK_A5(a, ...) &a, WK_A4(__VA_ARGS__)
#define WK_A6(a, ...) &a, WK_A5(__VA_ARGS__)
#define WK_A7(a, ...) &a, WK_A6(__VA_ARGS__)
#define WK_A8(a, ...) &a, WK_A7(__VA_ARGS__)
void wk_unpack_sizes(const wk_tensor *x, int count, int64_t **sizes);

int64_t wk_size(const wk_tensor *x, int dim);   // size of a dim, -1 the last
int64_t wk_stride(const wk_tensor *x, int dim); // in elements
int64_t wk_numel(const wk_tensor *x);
int64_t wk_element_size(const wk_tensor *x); // bytes
bool wk_is_contiguous(const wk_tensor *x);   // row-major without gaps; dims of size 1 do not matter
bool wk_is_floating_point(const wk_tensor *x);
bool wk_is_complex(const wk_tensor *x);
void *wk_data_ptr(const wk_tensor *x); // address of the first element

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
