/* PyTorch's answers, as golden/<family>.golden holds them (golden/golden.py describes the container), and what an
   adapter of op_table asks of a case. */
#ifndef WICK_TESTS_GOLDEN_H
#define WICK_TESTS_GOLDEN_H

#include <wick.h>

#define GOLDEN_MAX 8 // inputs, results

typedef struct golden_tensor {
    wk_dtype dtype; // 0: there is none
    int ndim;
    int64_t shape[WK_MAX_DIMS], strides[WK_MAX_DIMS], numel;
    int shares;        // which input's storage a result shares; -1: none
    const void *bytes; // row-major
} golden_tensor;

typedef struct golden_input {
    wk_number number; // where the input is a number
    golden_tensor tensor;
} golden_input;

typedef struct golden_keyword {
    char name[32], text[96];
    wk_number number;
    wk_shape sizes;
} golden_keyword;

typedef struct golden_case {
    char op[64];
    int number; // of the case in its file
    bool smooth, fails;
    int inputs, results_count, keywords;
    golden_input input[GOLDEN_MAX];
    golden_tensor result[GOLDEN_MAX], dy[GOLDEN_MAX], gradient[GOLDEN_MAX];
    bool no_gradient[GOLDEN_MAX]; // PyTorch gives the floating input none
    golden_keyword keyword[GOLDEN_MAX];

    /* of one run of the adapter */
    wk_tensor *given[GOLDEN_MAX];
    wk_tensor *made[GOLDEN_MAX];
    int made_count;
    bool optional[GOLDEN_MAX]; // the adapter may be given no tensor here
} golden_case;

typedef struct golden_file {
    char *bytes;
    golden_case *cases;
    int count;
} golden_file;
bool golden_read(const char *path, golden_file *file); // false, and a line on stderr, where it cannot be read
void golden_free(golden_file *file);
void golden_describe(const golden_case *c, char *text, size_t size); // "softmax #3 (float32 (3, 4, 5), dim=1)"
bool golden_differentiable(const golden_case *c);                    // gradients were written down
golden_tensor golden_of_tensor(const wk_tensor *x, void *bytes);     // x's values, row-major, in bytes
bool golden_contiguous(const golden_tensor *x);                      // as PyTorch laid it out
double golden_element(const golden_tensor *x, int64_t i, int part);  // part 1: the imaginary part

/* ---- for adapters */
wk_tensor *input(golden_case *c, int i);    // a tensor
wk_operand operand(golden_case *c, int i);  // a tensor or a number
wk_tensor *optional(golden_case *c, int i); // a tensor, or NULL where the case has none
bool has(const golden_case *c, const char *keyword);
int64_t integer(const golden_case *c, const char *keyword);
int64_t integer_or(const golden_case *c, const char *keyword, int64_t otherwise);
double real(const golden_case *c, const char *keyword);
double real_or(const golden_case *c, const char *keyword, double otherwise);
wk_number number(const golden_case *c, const char *keyword); // int or float; kind WK_NO_NUMBER where there is none
wk_shape sizes(const golden_case *c, const char *keyword);   // () where there is none
const char *text(const golden_case *c, const char *keyword); // NULL where there is none
wk_dtype dtype(const golden_case *c, const char *keyword);   // wk_dtype_default where there is none
wk_tensor *truth(bool value);                                // a result that is a bool, as a 0-d tensor
/* several results: return results(c, values, indices); */
#define results(c, ...) results_of(c, WK_TENSORS(__VA_ARGS__))
wk_tensor *results_of(golden_case *c, wk_tensors made);

#endif
