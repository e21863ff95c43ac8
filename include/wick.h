/* wick: essential PyTorch, in C.  One include for all of it; each family's header is its manual. */
#ifndef WICK_H
#define WICK_H

#include <wick/dtype.h>
#include <wick/tensor.h>
#include <wick/memory.h>
#include <wick/dict.h>
#include <wick/module.h>
#include <wick/nn.h>
#include <wick/optim.h>
#include <wick/dropout.h>
#include <wick/embedding.h>
#include <wick/summary.h>
#include <wick/error.h>
#include <wick/autograd.h>
#include <wick/creation.h>
#include <wick/cast.h>
#include <wick/random.h>
#include <wick/view.h>
#include <wick/print.h>
#include <wick/random.h>
#include <wick/join.h>
#include <wick/index.h>
#include <wick/rearrange.h>
#include <wick/einops.h>
#include <wick/pointwise.h>
#include <wick/complex.h>
#include <wick/reduction.h>
#include <wick/sorting.h>
#include <wick/activation.h>
#include <wick/normalization.h>
#include <wick/init.h>
#include <wick/loss.h>
#include <wick/matmul.h>
#include <wick/einsum.h>
#include <wick/attention.h>
#include <wick/spatial.h>
#include <wick/convolution.h>
#include <wick/pooling.h>
#include <wick/resize.h>
#include <wick/data.h>
#include <wick/io.h>
#include <wick/progress.h>
#include <wick/vision.h>
#include <wick/plot.h>

#endif
