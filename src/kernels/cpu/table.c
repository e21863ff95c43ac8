/* The table of this compilation's kernels: what kernels.def gives its kind of number. */
// compiled for: float half integer complex
#include "../kernels.h"
#include "cpu.h"

#define PRESENT(name) .name = KERNEL_NAME(name),
#define ABSENT(name) .name = NULL,
#define OF_BYTES(name) .name = WK_PASTE(name, WK_ISA, bytes),

#define IF_BYTES OF_BYTES
#define IF_ALL PRESENT
#if WK_IS_FLOAT
#define IF_FLOAT PRESENT
#define IF_FLOATING PRESENT
#define IF_INEXACT PRESENT
#define IF_NUMBER PRESENT
#elif WK_IS_HALF
#define IF_FLOAT ABSENT
#define IF_FLOATING PRESENT
#define IF_INEXACT PRESENT
#define IF_NUMBER PRESENT
#elif WK_IS_INTEGER
#define IF_FLOAT ABSENT
#define IF_FLOATING ABSENT
#define IF_INEXACT ABSENT
#define IF_NUMBER PRESENT
#else
#define IF_FLOAT ABSENT
#define IF_FLOATING ABSENT
#define IF_INEXACT PRESENT
#define IF_NUMBER ABSENT
#endif

/* prototypes */
#define KERNEL(name, work, kinds)                                                                                      \
    void KERNEL_NAME(name)(wk_queue *, const struct wk_##work##_work *);                                               \
    void WK_PASTE(name, WK_ISA, bytes)(wk_queue *, const struct wk_##work##_work *);
#include "../kernels.def"

/* float16 and bfloat16 have float32's element-wise kernels, which convert on the way */
#if WK_IS_HALF
#define ROWS WK_PASTE(pointwise, WK_ISA, float32)
#else
#define ROWS KERNEL_NAME(pointwise)
#endif
extern wk_pointwise_kernel *const ROWS[WK_ROWS];

/* ranges.def, until its last line has gone */
#define RANGE_ABSENT(name, ...) .name = wk_kernel_absent,
#define RANGE_PRESENT(name, ...) .name = KERNEL_NAME(name),
#define RANGE_BYTES(name, ...) .name = WK_PASTE(name, WK_ISA, bytes),
#define RANGE_DECLARE(name, ...) wk_kernel KERNEL_NAME(name);
#define RANGE_BYTES_DECLARE(name, ...) wk_kernel WK_PASTE(name, WK_ISA, bytes);
WK_KERNEL_LIST(RANGE_DECLARE, RANGE_DECLARE, RANGE_BYTES_DECLARE)
#if WK_IS_FLOAT
#define RANGE_NUMBER RANGE_PRESENT
#define RANGE_FLOAT RANGE_PRESENT
#elif WK_IS_INTEGER
#define RANGE_NUMBER RANGE_PRESENT
#define RANGE_FLOAT RANGE_ABSENT
#else
#define RANGE_NUMBER RANGE_ABSENT
#define RANGE_FLOAT RANGE_ABSENT
#endif

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
extern const wk_kernels KERNEL_NAME(kernels);
const wk_kernels KERNEL_NAME(kernels) = {
    .name = "cpu " TEXT(WK_ISA) " " TEXT(WK_DTYPE),
    .pointwise = ROWS,
#define KERNEL(name, work, kinds) IF_##kinds(name)
#include "../kernels.def"
    WK_KERNEL_LIST(RANGE_FLOAT, RANGE_NUMBER, RANGE_BYTES)
};
