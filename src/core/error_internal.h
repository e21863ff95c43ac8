/* What the library's own floors need of errors, beside wk_fail. */
#ifndef WICK_CORE_ERROR_INTERNAL_H
#define WICK_CORE_ERROR_INTERNAL_H

#include <stddef.h>

#include <wick/error.h>

/* For an op that got NULL: returns NULL.  While an error is pending that is all; without one it is an error of its own,
   "argument: expected a tensor, got NULL". */
void *wk_null_input(const char *op, const char *argument);

/* Core cannot call up to nn, so nn leaves this here: it writes which module runs in this thread,
   "blocks.0.attn.qkv (linear)", into text, or nothing; it may truncate. */
typedef void wk_module_path_hook(char *text, size_t size);
void wk_error_set_module_path_hook(wk_module_path_hook *hook);

#endif
