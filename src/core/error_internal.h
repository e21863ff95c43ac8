/* What the library's own floors need of errors, beside wk_fail. */
#ifndef WICK_CORE_ERROR_INTERNAL_H
#define WICK_CORE_ERROR_INTERNAL_H

#include <stddef.h>

#include <stdatomic.h>

#include <wick/error.h>

/* For an op that got NULL: returns NULL.  While an error is pending that is all; without one it is an error of its own,
   "argument: expected a tensor, got NULL". */
void *wk_null_input(const char *op, const char *argument);

/* An op made of other ops names itself in their errors: WK_NAMES_ERRORS("mse_loss"); at its top, until it returns.  The
   outermost one is what the user wrote. */
extern _Thread_local const char *wk_error_name;
static inline const char *wk_error_name_open(const char *op)
{
    const char *before = wk_error_name;
    if (!before)
        wk_error_name = op;
    return before;
}
static inline void wk_error_name_close(const char *const *before) { wk_error_name = *before; }
#define WK_NAMES_ERRORS(op)                                                                                            \
    __attribute__((cleanup(wk_error_name_close), unused)) const char *const wk_named_before = wk_error_name_open(op)

/* Core cannot call up to nn, so nn leaves this here: it writes which module runs in this thread,
   "blocks.0.attn.qkv (linear)", into text, or nothing; it may truncate. */
typedef void wk_module_path_hook(char *text, size_t size);
void wk_error_set_module_path_hook(wk_module_path_hook *hook);

void wk_error_module_path(char *text, size_t size); // what it writes, or ""

/* A text that errors of this thread show under their traceback until it is taken away (NULL): where in the forward pass
   the node was recorded whose backward runs.  It is not copied.  Returns the one before. */
const char *wk_error_set_note(const char *text);

/* Says on stderr what is no error but hardly meant: "wick warning in mse_loss: ...", with the traceback.  Nothing in
   host mode, and with WICK_WARNINGS=off in the environment. */
void wk_warn(const char *op, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* a place in the library says it once */
#define WK_WARN_ONCE(...)                                                                                              \
    do {                                                                                                               \
        static atomic_flag said_ = ATOMIC_FLAG_INIT;                                                                   \
        if (!atomic_flag_test_and_set(&said_))                                                                         \
            wk_warn(__VA_ARGS__);                                                                                      \
    } while (0)

#endif
