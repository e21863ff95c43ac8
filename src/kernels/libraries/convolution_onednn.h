/* 2-d convolutions by oneDNN, float32: kernel-made layouts, several images a call.  open answers false where the build
   has no oneDNN of version 2, or where the plain way is faster: then nothing is held and close is not called. */
#ifndef WICK_CONVOLUTION_ONEDNN_H
#define WICK_CONVOLUTION_ONEDNN_H

#include "../convolution.h"

bool wk_convolution_onednn_open(wk_convolution_work *work);
bool wk_convolution_onednn_run(const wk_kernels *kernels, wk_convolution_work *work);
void wk_convolution_onednn_close(wk_convolution_work *work);

#endif
