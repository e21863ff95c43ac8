/* Which table of kernels runs: the widest instruction set that the processor and this build have, or the one that the
   environment variable WICK_ISA names.  Integers and complex numbers have baseline kernels only. */
#include <stdlib.h>
#include <string.h>

#include "../device.h"
#include "../kernels.h"

#define TABLE(isa, dtype) extern const wk_kernels wk_kernels_##isa##_##dtype;
#define TABLES(isa) TABLE(isa, float32) TABLE(isa, float64) TABLE(isa, float16) TABLE(isa, bfloat16)
TABLES(baseline)
#ifdef WICK_WITH_AVX2
TABLES(avx2)
#endif
#ifdef WICK_WITH_AVX512
TABLES(avx512)
#endif
TABLE(baseline, boolean) TABLE(baseline, uint8) TABLE(baseline, int8) TABLE(baseline, int16) TABLE(baseline, int32)
TABLE(baseline, int64) TABLE(baseline, complex64) TABLE(baseline, complex128)

static bool always(void) { return true; }

#ifdef WICK_WITH_AVX2
static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

#ifdef WICK_WITH_AVX512
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

typedef struct instruction_set {
    const char *name;
    bool (*runs)(void); // on this processor
    const wk_kernels *float32, *float64, *float16, *bfloat16;
} instruction_set;

#define SET(isa, runs)                                                                                                 \
    {#isa, runs, &wk_kernels_##isa##_float32, &wk_kernels_##isa##_float64, &wk_kernels_##isa##_float16,                \
     &wk_kernels_##isa##_bfloat16}
/* from narrow to wide; a build may leave some out (WICK_ISAS) */
static const instruction_set SETS[] = {
    SET(baseline, always),
#ifdef WICK_WITH_AVX2
    SET(avx2, has_avx2),
#endif
#ifdef WICK_WITH_AVX512
    SET(avx512, has_avx512),
#endif
};

static int widest(void)
{
    int best = (int)(sizeof(SETS) / sizeof(SETS[0])) - 1;
#ifdef WICK_X86
    __builtin_cpu_init();
#endif
    while (!SETS[best].runs())
        best--;
    return best;
}

static int count(void) { return 1; }

/* memory, copies and waiting are the host's own: core knows the CPU */
wk_backend wk_cpu_backend = {.name = "cpu",
                             .count = count,
                             .kernels = {[wk_bool] = &wk_kernels_baseline_boolean,
                                         [wk_uint8] = &wk_kernels_baseline_uint8,
                                         [wk_int8] = &wk_kernels_baseline_int8,
                                         [wk_int16] = &wk_kernels_baseline_int16,
                                         [wk_int32] = &wk_kernels_baseline_int32,
                                         [wk_int64] = &wk_kernels_baseline_int64,
                                         [wk_float16] = &wk_kernels_baseline_float16,
                                         [wk_bfloat16] = &wk_kernels_baseline_bfloat16,
                                         [wk_float32] = &wk_kernels_baseline_float32,
                                         [wk_float64] = &wk_kernels_baseline_float64,
                                         [wk_complex64] = &wk_kernels_baseline_complex64,
                                         [wk_complex128] = &wk_kernels_baseline_complex128}};

/* once, before threads; until then the baseline's tables stand, so that nobody depends on when this runs */
__attribute__((constructor)) static void choose(void)
{
    int best = widest();
    const char *wanted = getenv("WICK_ISA");
    for (int i = 0; wanted && i < best; i++)
        if (strcmp(wanted, SETS[i].name) == 0)
            best = i;
    wk_cpu_backend.kernels[wk_float16] = SETS[best].float16;
    wk_cpu_backend.kernels[wk_bfloat16] = SETS[best].bfloat16;
    wk_cpu_backend.kernels[wk_float32] = SETS[best].float32;
    wk_cpu_backend.kernels[wk_float64] = SETS[best].float64;
}
