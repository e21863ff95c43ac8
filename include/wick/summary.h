/* What a model is made of, on one page.

       wk_summary(model, (1, 1, 28, 28));

       layer               type          output shape     parameters  multiply-adds
       vit                 vit           (1, 10)               2,976              -
       patch_embed         conv2d        (1, 96, 4, 4)         4,800         75,264
       blocks              sequential    (1, 16, 96)               -              -
       ...

   A row for each module that has parameters or was called, in the order of the tree; parameters and multiply-adds are
   its own, without its children's, so that columns add up to their totals.  A module that is called more than once, or
   is in several places, has one row, which says how often; one that runs and is no registered child is named as such.
   The memory of forward and backward is torchinfo's: twice the results of layers that have parameters.  The model runs
   once on the input, without gradients and in evaluation mode; random state, modes and gradients are afterwards what
   they were before. */
#ifndef WICK_SUMMARY_H
#define WICK_SUMMARY_H
#pragma GCC system_header // see tensor.h

#include <stdio.h>

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* summary(model, (B, C, H, W), .dtype = wk_float32, .file = stdout): of an input of that shape, random, or zeros where
   the dtype is an integer's.  .input = x: of this input; wk_summary(model, (), .input = x).  .depth = 1: only so many
   levels of the tree, whose rows have the numbers of what is below.  .call(module, context) runs a model of several
   inputs or results and is false after an error: wk_summary(model, (), .call = run, .context = &inputs).  False after
   an error. */
typedef struct wk_summary_args {
    void *module;
    wk_shape size;
    wk_dtype dtype;
    wk_tensor *input;
    FILE *file;
    int64_t depth;
    bool (*call)(void *module, void *context);
    void *context;
} wk_summary_args;
#define wk_summary(module_, ...)                                                                                       \
    wk_summary_with((wk_summary_args){.module = module_, .size = WK_TUPLE(WK_SHAPE, __VA_ARGS__) __VA_ARGS__})
bool wk_summary_with(wk_summary_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
