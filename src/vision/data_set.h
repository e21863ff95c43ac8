/* What data sets that lie in memory share. */
#ifndef WICK_VISION_DATA_SET_H
#define WICK_VISION_DATA_SET_H

#include <wick/vision.h>

#include "core/tensor.h"
#include "nn/module.h"

/* set: items of pictures (N, C, H, W) and targets (N,), the pictures through transform, which may be NULL; data and
   targets are kept outward.  False after an error. */
bool wk_vision_dataset_of(wk_vision_dataset *set, wk_tensor *data, wk_tensor *pictures, wk_tensor *targets,
                          const char *const *classes, int64_t class_count, void *transform);

#endif
