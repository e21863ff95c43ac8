/* The table of this compilation's kernels, from the lists of kernels.def and pointwise.def; what its kind of number
   lacks is wk_kernel_absent. */
#include "cpu.h"

#define ABSENT(name) .name = wk_kernel_absent,
#define PRESENT(name) .name = KERNEL_NAME(name),
#define BYTES(name) .name = WK_PASTE(name, WK_ISA, bytes),
#define UNARY_PRESENT(name, saves, value, slope, curvature)                                                            \
    PRESENT(name) PRESENT(name##_slope) PRESENT(name##_curvature)
#define UNARY_VALUE(name, saves, value, slope, curvature)                                                              \
    PRESENT(name) ABSENT(name##_slope) ABSENT(name##_curvature)
#define UNARY_ABSENT(name, saves, value, slope, curvature)                                                             \
    ABSENT(name) ABSENT(name##_slope) ABSENT(name##_curvature)
#define VALUE_PRESENT(name, value) PRESENT(name)
#define VALUE_ABSENT(name, value) ABSENT(name)
#define LINE_PRESENT(name, ...) PRESENT(name)
#define LINE_ABSENT(name, ...) ABSENT(name)
#define LINE_BYTES(name, ...) BYTES(name)

#if WK_IS_FLOATING
#define FLOATING PRESENT
#define NUMBER PRESENT
#define INTEGER ABSENT
#define NUMBER_UNARY UNARY_PRESENT
#define ANY_UNARY UNARY_PRESENT
#elif WK_IS_INTEGER
#define FLOATING ABSENT
#define NUMBER PRESENT
#define INTEGER PRESENT
#define NUMBER_UNARY UNARY_VALUE
#define ANY_UNARY UNARY_VALUE
#else
#define FLOATING ABSENT
#define NUMBER ABSENT
#define INTEGER ABSENT
#define NUMBER_UNARY UNARY_ABSENT
#define ANY_UNARY UNARY_PRESENT
#endif
#define CHOOSE_(prefix, which) prefix##which
#define CHOOSE(prefix, which) CHOOSE_(prefix, which)

/* prototypes */
#define DECLARE(name) wk_kernel KERNEL_NAME(name);
#define LINE(name, ...) DECLARE(name)
#define LINE_BYTES_DECLARE(name, ...) wk_kernel WK_PASTE(name, WK_ISA, bytes);
WK_KERNEL_LIST(LINE, LINE, LINE_BYTES_DECLARE)
#define UNARY(name, saves, value, slope, curvature) DECLARE(name) DECLARE(name##_slope) DECLARE(name##_curvature)
#define UNARY_NUMBER UNARY
#define UNARY_ANY UNARY
#define BINARY LINE
#define BINARY_NUMBER LINE
#define BINARY_ANY LINE
#define BINARY_INTEGER LINE
#define TERNARY LINE
#define TERNARY_NUMBER LINE
#define TERNARY_ANY LINE
#include "../pointwise.def"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
extern const wk_kernels KERNEL_NAME(kernels);
const wk_kernels KERNEL_NAME(kernels) = {
    .name = TEXT(WK_ISA) " " TEXT(WK_DTYPE),
    WK_KERNEL_LIST(CHOOSE(LINE_, FLOATING), CHOOSE(LINE_, NUMBER), LINE_BYTES)
#define UNARY(...) CHOOSE(UNARY_, FLOATING)(__VA_ARGS__)
#define UNARY_NUMBER(...) NUMBER_UNARY(__VA_ARGS__)
#define UNARY_ANY(...) ANY_UNARY(__VA_ARGS__)
#define BINARY(...) CHOOSE(VALUE_, FLOATING)(__VA_ARGS__)
#define BINARY_NUMBER(...) CHOOSE(VALUE_, NUMBER)(__VA_ARGS__)
#define BINARY_ANY(...) VALUE_PRESENT(__VA_ARGS__)
#define BINARY_INTEGER(...) CHOOSE(VALUE_, INTEGER)(__VA_ARGS__)
#define TERNARY(...) CHOOSE(VALUE_, FLOATING)(__VA_ARGS__)
#define TERNARY_NUMBER(...) CHOOSE(VALUE_, NUMBER)(__VA_ARGS__)
#define TERNARY_ANY(...) VALUE_PRESENT(__VA_ARGS__)
#include "../pointwise.def"
};
