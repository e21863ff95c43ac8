/* numpy's arrays as bytes, for files of one (.npy) and of several (.npz). */
#ifndef WICK_NPY_H
#define WICK_NPY_H

#include <wick/tensor.h>

#include "file.h"

/* the array that map holds; file: its name in errors; NULL after an error */
wk_tensor *wk_npy_read(const char *op, const char *file, const wk_file_map *map);

/* what stands before x's numbers, and how many bytes that is; 0 after an error: numpy has no such dtype */
#define WK_NPY_HEAD 512
size_t wk_npy_head(const char *op, const wk_tensor *x, char head[WK_NPY_HEAD]);

#endif
