/* The tables of one instruction set, a dtype each: what kernels.def gives its kind of number (table_of.h).  Integers
   and complex numbers have the baseline's only. */
// compiled for: bytes
#include "../pointwise.h"
#include "../kernels.h"
#include "cpu.h"

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
#define PRESENT(name) .name = WK_PASTE(name, WK_ISA, OF_DTYPE),
#define ABSENT(name) .name = NULL,
#define FROM_BYTES(name) .name = WK_PASTE(name, WK_ISA, bytes),
#define IF_BYTES FROM_BYTES
#define IF_ALL PRESENT

/* prototypes of the kernels for all dtypes */
#define KERNEL(name, work, kinds) void WK_PASTE(name, WK_ISA, bytes)(wk_queue *, const struct wk_##work##_work *);
#include "../kernels.def"

#define IF_FLOAT PRESENT
#define IF_FLOATING PRESENT
#define IF_INEXACT PRESENT
#define IF_NUMBER PRESENT
#define OF_DTYPE float32
#include "table_of.h"
#define OF_DTYPE float64
#include "table_of.h"

#undef IF_FLOAT
#define IF_FLOAT ABSENT
#define OF_HALF
#define OF_DTYPE float16
#include "table_of.h"
#define OF_DTYPE bfloat16
#include "table_of.h"
#undef OF_HALF

#if WK_IS_BASELINE
#undef IF_FLOATING
#undef IF_INEXACT
#define IF_FLOATING ABSENT
#define IF_INEXACT ABSENT
#define OF_DTYPE boolean
#include "table_of.h"
#define OF_DTYPE uint8
#include "table_of.h"
#define OF_DTYPE int8
#include "table_of.h"
#define OF_DTYPE int16
#include "table_of.h"
#define OF_DTYPE int32
#include "table_of.h"
#define OF_DTYPE int64
#include "table_of.h"

#undef IF_NUMBER
#undef IF_INEXACT
#define IF_NUMBER ABSENT
#define IF_INEXACT PRESENT
#define OF_DTYPE complex64
#include "table_of.h"
#define OF_DTYPE complex128
#include "table_of.h"
#endif
