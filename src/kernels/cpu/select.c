/* Which table of kernels runs: the widest instruction set that the processor and this build have, or the one that the
   environment variable WICK_ISA names.  Integers and complex numbers have baseline kernels only. */
#include <stdlib.h>
#include <string.h>

#include "../kernels.h"

#define TABLE(isa, dtype) extern const wk_kernels wk_kernels_##isa##_##dtype;
TABLE(baseline, float32) TABLE(baseline, float64)
#ifdef WICK_X86
TABLE(avx2, float32) TABLE(avx2, float64) TABLE(avx512, float32) TABLE(avx512, float64)
#endif
TABLE(baseline, boolean) TABLE(baseline, uint8) TABLE(baseline, int8) TABLE(baseline, int16) TABLE(baseline, int32)
TABLE(baseline, int64) TABLE(baseline, complex64)

typedef struct instruction_set {
    const char *name;
    const wk_kernels *float32, *float64;
} instruction_set;

static const instruction_set SETS[] = {
    {"baseline", &wk_kernels_baseline_float32, &wk_kernels_baseline_float64},
#ifdef WICK_X86
    {"avx2", &wk_kernels_avx2_float32, &wk_kernels_avx2_float64},
    {"avx512", &wk_kernels_avx512_float32, &wk_kernels_avx512_float64},
#endif
};

static int widest(void)
{
#ifdef WICK_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return 1;
#endif
    return 0;
}

static const instruction_set *chosen = &SETS[0];

/* before main: the choice is made once and read without locks */
__attribute__((constructor(150))) static void choose(void) // before core/tensor.c reads the tables
{
    int best = widest();
    const char *wanted = getenv("WICK_ISA");
    for (int i = 0; wanted && i < best; i++)
        if (strcmp(wanted, SETS[i].name) == 0)
            best = i;
    chosen = &SETS[best];
}

const char *wk_cpu_isa(void) { return chosen->name; }

const wk_kernels *wk_cpu_kernels(wk_dtype dtype)
{
    switch (dtype) {
    case wk_bool: return &wk_kernels_baseline_boolean;
    case wk_uint8: return &wk_kernels_baseline_uint8;
    case wk_int8: return &wk_kernels_baseline_int8;
    case wk_int16: return &wk_kernels_baseline_int16;
    case wk_int32: return &wk_kernels_baseline_int32;
    case wk_int64: return &wk_kernels_baseline_int64;
    case wk_complex64: return &wk_kernels_baseline_complex64;
    case wk_float64: return chosen->float64;
    default: return chosen->float32;
    }
}

void wk_kernel_absent(const void *work, int64_t begin, int64_t end) { (void)work, (void)begin, (void)end; }
