/* The mirror's kernels: each puts its work into the queue, and there, later, the CPU's baseline kernel runs on it.
   Made from kernels.def and pointwise.def, for each dtype: what the CPU lacks the mirror lacks. */
#include "mirror_kernels.h"

#include <stddef.h>

#include "works.h" // made by CMake: every header of src/kernels

#define EACH_DTYPE(DO)                                                                                                 \
    DO(bool, boolean)                                                                                                  \
    DO(uint8, uint8)                                                                                                   \
    DO(int8, int8)                                                                                                     \
    DO(int16, int16)                                                                                                   \
    DO(int32, int32)                                                                                                   \
    DO(int64, int64)                                                                                                   \
    DO(float16, float16)                                                                                               \
    DO(bfloat16, bfloat16)                                                                                             \
    DO(float32, float32)                                                                                               \
    DO(float64, float64)                                                                                               \
    DO(complex64, complex64)                                                                                           \
    DO(complex128, complex128)

#define DECLARE(dtype, name) extern const wk_kernels wk_kernels_baseline_##name;
EACH_DTYPE(DECLARE)

#define LATER(table, name, member, work_)                                                                              \
    static void now_##table##_##name(wk_queue *queue, const void *work)                                                \
    {                                                                                                                  \
        wk_kernels_baseline_##table.member(queue, work);                                                               \
    }                                                                                                                  \
    static void later_##table##_##name(wk_queue *queue, const work_ *work)                                             \
    {                                                                                                                  \
        mirror_push(queue, now_##table##_##name, work, sizeof *work);                                                  \
    }

#define TABLE boolean
#include "mirror_table.h"
#define TABLE uint8
#include "mirror_table.h"
#define TABLE int8
#include "mirror_table.h"
#define TABLE int16
#include "mirror_table.h"
#define TABLE int32
#include "mirror_table.h"
#define TABLE int64
#include "mirror_table.h"
#define TABLE float16
#include "mirror_table.h"
#define TABLE bfloat16
#include "mirror_table.h"
#define TABLE float32
#include "mirror_table.h"
#define TABLE float64
#include "mirror_table.h"
#define TABLE complex64
#include "mirror_table.h"
#define TABLE complex128
#include "mirror_table.h"

#define FILL(dtype, name) tables[wk_##dtype] = fill_##name();
void mirror_fill_tables(const wk_kernels *tables[WK_DTYPES]) { EACH_DTYPE(FILL) }
