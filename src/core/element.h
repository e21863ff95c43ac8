/* One floating element of a plain array, as a double: for loops too short or too rare to be kernels. */
#ifndef WICK_ELEMENT_H
#define WICK_ELEMENT_H

#include <wick/tensor.h>

#include "kernels/half.h"

/* value as the dtype holds it */
static inline double wk_round_floating(wk_dtype dtype, double value)
{
    double room;
    wk_store_floating(dtype, &room, 0, value);
    return wk_load_floating(dtype, &room, 0);
}

/* a number as the bytes of one element of any dtype */
void wk_store_number(wk_dtype dtype, void *y, wk_number number);
/* whether the dtype has room for a number, as PyTorch sees it: fractions may go, and uint8 takes -255 and up */
bool wk_number_fits(wk_dtype dtype, wk_number number);
double wk_largest(wk_dtype dtype); // that it has room for; for int64 the first that it has not

#endif
