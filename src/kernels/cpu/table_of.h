/* One table: included by table.c with OF_DTYPE its dtype, and IF_FLOAT, IF_FLOATING, ... what that has of the kinds. */
#define KERNEL(name, work, kinds) void WK_PASTE(name, WK_ISA, OF_DTYPE)(wk_queue *, const struct wk_##work##_work *);
#include "../kernels.def"

/* float16 and bfloat16 have float32's element-wise kernels, which convert on the way */
#ifdef OF_HALF
#define ROWS WK_PASTE(pointwise, WK_ISA, float32)
#else
#define ROWS WK_PASTE(pointwise, WK_ISA, OF_DTYPE)
#endif
extern wk_pointwise_kernel *const ROWS[WK_ROWS];

/* ranges.def, until its last line has gone */
#define RANGE_FLOAT_ABSENT(name, ...) .name = wk_kernel_absent,
#define RANGE_FLOAT_PRESENT(name, ...) .name = WK_PASTE(name, WK_ISA, OF_DTYPE),
#define RANGE_BYTES(name, ...) .name = WK_PASTE(name, WK_ISA, bytes),
#define RANGE_DECLARE(name, ...) wk_kernel WK_PASTE(name, WK_ISA, OF_DTYPE);
#define RANGE_BYTES_DECLARE(name, ...) wk_kernel WK_PASTE(name, WK_ISA, bytes);
WK_KERNEL_LIST(RANGE_DECLARE, RANGE_DECLARE, RANGE_BYTES_DECLARE)
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define RANGE_OF_PRESENT RANGE_FLOAT_PRESENT
#define RANGE_OF_ABSENT RANGE_FLOAT_ABSENT
#ifdef OF_HALF
#define RANGE_F RANGE_FLOAT_ABSENT
#define RANGE_N RANGE_FLOAT_ABSENT
#else
#define RANGE_F JOIN(RANGE_OF_, IF_FLOATING)
#define RANGE_N JOIN(RANGE_OF_, IF_NUMBER)
#endif

extern const wk_kernels WK_PASTE(kernels, WK_ISA, OF_DTYPE);
const wk_kernels WK_PASTE(kernels, WK_ISA, OF_DTYPE) = {
    .name = "cpu " TEXT(WK_ISA) " " TEXT(OF_DTYPE),
    .pointwise = ROWS,
#define KERNEL(name, work, kinds) IF_##kinds(name)
#include "../kernels.def"
    WK_KERNEL_LIST(RANGE_F, RANGE_N, RANGE_BYTES)
};

#undef ROWS
#undef RANGE_FLOAT_ABSENT
#undef RANGE_FLOAT_PRESENT
#undef RANGE_BYTES
#undef RANGE_DECLARE
#undef RANGE_BYTES_DECLARE
#undef JOIN_
#undef JOIN
#undef RANGE_OF_PRESENT
#undef RANGE_OF_ABSENT
#undef RANGE_F
#undef RANGE_N
#undef OF_DTYPE
