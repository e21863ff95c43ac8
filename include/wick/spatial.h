/* What convolutions and other ops that slide along 1 to 3 dims share: how their options are written.

       .stride = 2                          one number for all dims
       .stride = wk_per_dim(2, 1)           one for each: along height and width
       .stride = wk_per_dim(1, 2, 2)        along depth, height and width
       .padding = WK_SAME                   where an op says so */
#ifndef WICK_SPATIAL_H
#define WICK_SPATIAL_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* A number up to 2147483647, or 2 or 3 of at most 524286 each in one word, so that `.stride = 2` needs no macro.  The
   op that reads them checks them: one that is negative or does not fit is an error that names the option. */
typedef int64_t wk_per_dim;
#define wk_per_dim(...) wk_per_dim_of(WK_COUNT(int64_t, __VA_ARGS__), (const int64_t[]){__VA_ARGS__})
wk_per_dim wk_per_dim_of(int count, const int64_t *numbers);

#define WK_SAME ((wk_per_dim)1 << 62) // padding that keeps the sizes (stride 1)
#define WK_VALID ((wk_per_dim)0)      // no padding

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
