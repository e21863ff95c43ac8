/* What a tensor is, and the ways C spells Python's tuples, numbers and keywords. */
#ifndef WICK_TENSOR_H
#define WICK_TENSOR_H
/* As an installed header is: gcc shows the user's line where a macro was called wrongly, and not each macro inside. */
#pragma GCC system_header

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
   and what they make of it crashes.  So are .dim = (0, 1), which means 1, and "%d" for an int64_t. */
#pragma GCC diagnostic error "-Wincompatible-pointer-types"
#pragma GCC diagnostic error "-Wint-conversion"
#pragma GCC diagnostic error "-Wimplicit-function-declaration"
#pragma GCC diagnostic error "-Wunused-value"
#pragma GCC diagnostic error "-Wformat"
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

/* ---- for macros only */

/* pasted before a parenthesised tuple: WK_SHAPE (2, 3) */
#define WK_COUNT(type, ...) ((int)(sizeof((type[]){__VA_ARGS__}) / sizeof(type)))
#define WK_SHAPE(...)                                                                                                  \
    wk_shape_of(WK_COUNT(int64_t, __VA_ARGS__) + WK_ALL_WHOLE(__VA_ARGS__),                                            \
                (const int64_t[WK_MAX_DIMS + 1]){__VA_ARGS__})
/* 0; sizes that C would cut, 2.5 to 2, are a compile error */
#define WK_ALL_WHOLE(...)                                                                                              \
    (0 * (int)sizeof(struct {                                                                                          \
         _Static_assert(WK_EACH_OF(WK_IS_WHOLE, __VA_ARGS__) 1, "sizes and dims are integers");                        \
         int checked;                                                                                                  \
     }))
#define WK_IS_WHOLE(size) _Generic(1 ? size : 0, float : 0, double : 0, long double : 0, default : 1)&&
#define WK_TENSORS(...) ((wk_tensors){WK_COUNT(wk_tensor *, __VA_ARGS__), (wk_tensor *[]){__VA_ARGS__}})
/* the first place has its type checked, the others that they are like it, or, where it is NULL, each by itself: one
   error for one mistake */
#define WK_PLACES(first_, ...)                                                                                         \
    ((wk_places){(int64_t)(sizeof((void *[]){first_, __VA_ARGS__}) / sizeof(void *) +                                  \
                           0 * _Generic(first_, wk_tensor * * : 0, void * : 0) +                                       \
                           0 * sizeof(struct {                                                                         \
                               _Static_assert(!__builtin_types_compatible_p(__typeof__(first_), void *) ||             \
                                                  (WK_EACH_OF(WK_IS_PLACE, first_, ##__VA_ARGS__) 1),                  \
                                              "places are addresses of wk_tensor *: (NULL, &y)");                      \
                               int checked;                                                                            \
                           })),                                                                                        \
                 (wk_tensor ***)(void *)(__typeof__(first_)[]){first_, __VA_ARGS__}})
#define WK_IS_PLACE(place)                                                                                             \
    (__builtin_types_compatible_p(__typeof__(place), wk_tensor **) ||                                                  \
     __builtin_types_compatible_p(__typeof__(place), void *)) &&
#define WK_SIZES(...)                                                                                                  \
    ((wk_sizes){WK_COUNT(int64_t, __VA_ARGS__) + WK_ALL_WHOLE(__VA_ARGS__), (const int64_t[]){__VA_ARGS__}})
/* yes where an argument is a parenthesised tuple and nothing else, or no: (2, 3) and (n), not (int)n, not -n */
#define WK_IF_TUPLE(x, yes, no) WK_IF_TUPLE_1(WK_TUPLE_ENDS WK_TUPLE_GOES x(), yes, no)
#define WK_IF_TUPLE_1(...) WK_IF_TUPLE_2(__VA_ARGS__, 0)
#define WK_IF_TUPLE_2(...) WK_THIRD(__VA_ARGS__)
#define WK_TUPLE_GOES(...)
#define WK_TUPLE_ENDS() 0, 0
#define WK_THIRD(a, b, c, ...) c
#define WK_GLUE(a, b) WK_GLUE_(a, b)
#define WK_GLUE_(a, b) a##b
#define WK_HEAD(...) WK_HEAD_(__VA_ARGS__, 0)
#define WK_HEAD_(head, ...) head
/* What stands before a size or places that the user may write in one of several ways, so that the user's words stand
   in one macro, and a compiler's error about them in few lines.
   WK_TUPLE(WK_SHAPE, ...): a tuple; else an error that says so */
#define WK_TUPLE(macro, ...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), macro, wk_this_stands_in_parentheses +)
/* a size (2, 3), or 2, 3, which wk_read_shape counts; then keywords */
#define WK_SIZE_BEFORE(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_SIZE_TUPLE, WK_SIZE_PLAIN)()
#define WK_SIZE_TUPLE() .size = WK_SHAPE
#define WK_SIZE_PLAIN() .size = {WK_PLAIN, WK_NO_SIZES}, .size.sizes[0] =
/* [places], which may be left out, and then the field behind .places */
#define WK_PLACES_BEFORE(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_PLACES_TUPLE, WK_PLACES_NONE)()
#define WK_PLACES_TUPLE() .places = WK_PLACES
#define WK_PLACES_NONE() .places.items = NULL,
#define WK_NO_DIM INT64_MIN
#define WK_PLAIN (-1)      // ndim of a size without parentheses: up to the first WK_NO_DIM
#define WK_PLAIN_LAST (-2) // of one number, which is the last of sizes
#define WK_NO_SIZES {WK_NO_DIM, WK_NO_DIM, WK_NO_DIM, WK_NO_DIM, WK_NO_DIM, WK_NO_DIM, WK_NO_DIM, WK_NO_DIM}
/* (2, 3) or 2, 3, and nothing behind */
#define WK_SHAPE_OR(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_SHAPE_TUPLE, WK_SHAPE)
#define WK_SHAPE_TUPLE(tuple) WK_SHAPE tuple
#define WK_SIZES_OR(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_SIZES_TUPLE, WK_SIZES)
#define WK_SIZES_TUPLE(tuple) WK_SIZES tuple

/* a call whose arguments behind x may also be given by name: wk_unsqueeze(x, 0), wk_unsqueeze(x, .dim = 0) */
#define WK_NAMED(fields, call, ...)                                                                                    \
    __extension__({                                                                                                    \
        const struct {                                                                                                 \
            wk_tensor *x;                                                                                              \
            fields                                                                                                     \
        } wk_given = {.x = __VA_ARGS__};                                                                               \
        call;                                                                                                          \
    })

/* macro(a) macro(b) ..., up to 16 */
#define WK_EACH_OF(macro, ...)                                                                                         \
    WK_EACH_PICK(__VA_ARGS__, WK_E16, WK_E15, WK_E14, WK_E13, WK_E12, WK_E11, WK_E10, WK_E9, WK_E8, WK_E7, WK_E6,      \
                 WK_E5, WK_E4, WK_E3, WK_E2, WK_E1, 0)                                                                 \
    (macro, __VA_ARGS__)
#define WK_EACH_PICK(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, which, ...) which
#define WK_E1(m, a) m(a)
#define WK_E2(m, a, ...) m(a) WK_E1(m, __VA_ARGS__)
#define WK_E3(m, a, ...) m(a) WK_E2(m, __VA_ARGS__)
#define WK_E4(m, a, ...) m(a) WK_E3(m, __VA_ARGS__)
#define WK_E5(m, a, ...) m(a) WK_E4(m, __VA_ARGS__)
#define WK_E6(m, a, ...) m(a) WK_E5(m, __VA_ARGS__)
#define WK_E7(m, a, ...) m(a) WK_E6(m, __VA_ARGS__)
#define WK_E8(m, a, ...) m(a) WK_E7(m, __VA_ARGS__)
#define WK_E9(m, a, ...) m(a) WK_E8(m, __VA_ARGS__)
#define WK_E10(m, a, ...) m(a) WK_E9(m, __VA_ARGS__)
#define WK_E11(m, a, ...) m(a) WK_E10(m, __VA_ARGS__)
#define WK_E12(m, a, ...) m(a) WK_E11(m, __VA_ARGS__)
#define WK_E13(m, a, ...) m(a) WK_E12(m, __VA_ARGS__)
#define WK_E14(m, a, ...) m(a) WK_E13(m, __VA_ARGS__)
#define WK_E15(m, a, ...) m(a) WK_E14(m, __VA_ARGS__)
#define WK_E16(m, a, ...) m(a) WK_E15(m, __VA_ARGS__)

/* What a number or an operand may be; anything else (a pointer, long double, const wk_tensor *) is a compile error. */
#define WK_INTEGERS(signed_, unsigned_)                                                                                \
    char : signed_, signed char : signed_, unsigned char : signed_, short : signed_, unsigned short : signed_,         \
        int : signed_, unsigned : signed_, long : signed_, long long : signed_, unsigned long : unsigned_,             \
        unsigned long long : unsigned_
#define WK_NUMBER(x)                                                                                                   \
    _Generic((x), bool : wk_number_bool, float : wk_number_float, double : wk_number_float,                            \
             WK_INTEGERS(wk_number_int, wk_number_unsigned))(x)
#define WK_OPERAND(x)                                                                                                  \
    _Generic((x), wk_tensor * : wk_operand_tensor, bool : wk_operand_bool, float : wk_operand_float,                   \
             double : wk_operand_float, wk_operand : wk_operand_itself,                                                \
             WK_INTEGERS(wk_operand_int, wk_operand_unsigned))(x)
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
wk_number wk_number_unsigned(uint64_t x); // beyond int64_t: an error
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
static inline wk_operand wk_operand_unsigned(uint64_t x) { return wk_operand_of(NULL, wk_number_unsigned(x)); }
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

/* In which order a tensor lies in memory.  Channels last: (N, H, W, C) of shape (N, C, H, W), 3d: (N, D, H, W, C).  As
   in PyTorch it is told from the strides, and what convolutions, pooling, interpolation, normalization and functions of
   each element make of a tensor that lies so, lies so too. */
typedef enum wk_memory_format {
    wk_preserve_format = 0, // as the input
    wk_contiguous_format,   // row-major
    wk_channels_last,
    wk_channels_last_3d
} wk_memory_format;
/* is_contiguous(x, memory_format = wk_contiguous_format): without gaps, in this order; dims of size 1 do not matter */
typedef struct wk_is_contiguous_args {
    const wk_tensor *x;
    wk_memory_format memory_format;
} wk_is_contiguous_args;
#define wk_is_contiguous(...)                                                                                          \
    wk_is_contiguous_with((wk_is_contiguous_args){.memory_format = wk_contiguous_format, .x = __VA_ARGS__})
bool wk_is_contiguous_with(wk_is_contiguous_args args);

int64_t wk_size(const wk_tensor *x, int dim);   // size of a dim, -1 the last; 1 after an error, of NULL too
int64_t wk_stride(const wk_tensor *x, int dim); // in elements
int64_t wk_numel(const wk_tensor *x);
int64_t wk_element_size(const wk_tensor *x); // bytes
bool wk_is_floating_point(const wk_tensor *x);
bool wk_is_complex(const wk_tensor *x);
void *wk_data_ptr(const wk_tensor *x); // address of the first element

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
