/* Checkpoints in several files, under an index: safetensors' and PyTorch's. */
#ifndef WICK_SHARDED_H
#define WICK_SHARDED_H

#include <wick/dict.h>

bool wk_sharded_is(const char *path); // by its name
/* what load gives of the files beside the index at path; NULL after an error */
wk_dict *wk_sharded_load(const char *op, const char *path, wk_dict *(*load)(const char *path, const void *context),
                         const void *context);

#endif
