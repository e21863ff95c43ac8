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

extern const wk_kernels WK_PASTE(kernels, WK_ISA, OF_DTYPE);
const wk_kernels WK_PASTE(kernels, WK_ISA, OF_DTYPE) = {
    .name = "cpu " TEXT(WK_ISA) " " TEXT(OF_DTYPE),
    .pointwise = ROWS,
#define KERNEL(name, work, kinds) IF_##kinds(name)
#include "../kernels.def"
};

#undef ROWS
#undef OF_DTYPE
