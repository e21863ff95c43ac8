/* What every op is held to.  tests/op_table/<family>.c has a row and an adapter for each op of a family:

       static wk_tensor *run_softmax(golden_case *c) { return wk_softmax(input(c, 0), .dim = integer(c, "dim")); }
       OP(softmax, run_softmax)
       BAD(softmax, wk_softmax(wk_zeros((2, 3)), .dim = 2), "dim: expected -2 to 1")

   and golden/<family>.golden has PyTorch's answers for it.  README.md tells how to add one. */
#ifndef WICK_TESTS_OP_TABLE_H
#define WICK_TESTS_OP_TABLE_H

#include "golden.h"

enum op_gradient {
    OP_DEFAULT = 0, // SECOND where PyTorch gives gradients
    NONE,           // no result requires grad
    FIRST,          // a gradient, whose own gradient is not checked by finite differences
    SECOND          // a gradient and its gradient
};

typedef struct op_row {
    const char *family, *name; // the name says "in place" by its trailing _
    wk_tensor *(*run)(golden_case *c);
    enum op_gradient gradient;
    bool view;         // the result shares the first input's memory as in PyTorch, strides too
    bool plain;        // inputs are contiguous: the answer depends on their strides
    bool any_strides;  // the result need not be contiguous where PyTorch's is; a comment says why
    double rtol, atol; // instead of the dtype's (op_table.c); a comment beside the row says why
} op_row;

typedef struct bad_row {
    const char *family, *name, *call, *message; // the call fails with an error that contains message
    wk_tensor *(*run)(void);
} bad_row;

void op_table_add(const op_row *row);
void op_table_add_bad(const bad_row *row);

/* OP(name, adapter, .gradient = FIRST, .view = true, ...) */
#define OP(name_, ...)                                                                                                 \
    __attribute__((constructor)) static void add_row_##name_(void)                                                     \
    {                                                                                                                  \
        static const op_row row = {.family = OP_FAMILY, .name = #name_, .run = __VA_ARGS__};                           \
        op_table_add(&row);                                                                                            \
    }
/* BAD(name, call that must fail, "part of the message"); one to a line */
#define BAD(name_, call_, message_) OP_BAD_1(name_, __LINE__, call_, #call_, message_)
#define OP_BAD_1(name_, line, call_, text_, message_) OP_BAD_2(name_, line, call_, text_, message_)
#define OP_BAD_2(name_, line, call_, text_, message_)                                                                  \
    static wk_tensor *bad_call_##line(void) { return call_; }                                                          \
    __attribute__((constructor)) static void add_bad_##line(void)                                                      \
    {                                                                                                                  \
        static const bad_row row = {                                                                                   \
            .family = OP_FAMILY, .name = #name_, .call = text_, .message = message_, .run = bad_call_##line};          \
        op_table_add_bad(&row);                                                                                        \
    }

extern wk_device op_device; // where the ops run: op_table --device mirror FAMILY
/* how an input lies in memory */
typedef enum op_layout {
    PLAIN,      // contiguous
    TRANSPOSED, // the dims' order in memory is reversed
    STRIDED,    // every second element of a larger tensor
    EXPANDED,   // dims along which all values are equal have stride 0
    LAYOUTS
} op_layout;
extern const char *const OP_LAYOUT_NAMES[LAYOUTS];
/* x's values in this layout, in memory of their own; NULL where the layout is the same as PLAIN */
wk_tensor *op_lay_out(const golden_tensor *x, op_layout layout);
/* whether the elements between those of a STRIDED tensor are untouched */
bool op_gaps_untouched(const wk_tensor *x, op_layout layout);
/* whether x has g's dtype, shape and values; writes what differs to text */
bool op_same(const wk_tensor *x, const golden_tensor *g, double rtol, double atol, char *text, size_t size);

#endif
