/* How things fail.  An error prints a traceback as Python does and ends the program with status 1; inside wk_try, or in
   host mode, the op that failed returns NULL, ops pass NULL on, and the error waits to be read.

   Tracebacks name files, lines and source text where the program was compiled with -g, and functions where not.
   WICK_TRACEBACK=full in the environment shows the library's own frames too, WICK_TRACEBACK=off none.  What is no error
   but hardly meant is said on stderr, once: "wick warning in mse_loss: ..."; WICK_WARNINGS=off says nothing. */
#ifndef WICK_ERROR_H
#define WICK_ERROR_H
#pragma GCC system_header // see tensor.h

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_error {
    bool set;
    char op[64];          // "matmul"
    char message[1024];   // "matmul: a and b: expected ..., got ...\nhint: ..."
    char module[256];     // the module that ran, "blocks.0.attn.qkv (linear)", or ""
    char traceback[4096]; // functions, files, lines and source text, the call that failed last
} wk_error;

typedef struct wk_try_guard {
    wk_error *outer;
    bool open;
} wk_try_guard;

/* wk_error err; wk_try (&err) { ... } if (err.set) ...: the first error inside is put in err.  One may return, break
   and goto out of the block; a block inside another keeps its errors to itself.  The block goes on after an error: what
   failed is NULL, and so is all that follows from it.  Ops pass NULL on, and wk_size, wk_numel and wk_unpack take it; a
   field (y->ndim) is read after `if (y)`. */
#define wk_try(error)                                                                                                  \
    for (wk_try_guard wk_try_here __attribute__((cleanup(wk_try_close))) = wk_try_open(error); wk_try_here.open;       \
         wk_try_here.open = false)
wk_try_guard wk_try_open(wk_error *error); // error: cleared here, and written to until the block ends
void wk_try_close(wk_try_guard *guard);

void wk_host_mode(bool on);          // per process: errors never print and never end the program
const wk_error *wk_last_error(void); // of this thread: the first since wk_clear_error, or NULL; for host mode
void wk_clear_error(void);
void wk_error_print(const wk_error *error); // to stderr, as it had been printed if uncaught

/* The one funnel: every error of the library comes through here.  Break on it in gdb.  Records or prints the error and
   returns NULL, so that an op says: return wk_fail("softmax", "dim: expected ...").  A line of the message that starts
   with "hint: " is shown as the hint. */
void *wk_fail(const char *op, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* wk_assert(condition, "message, as of printf"): an error where the condition does not hold; whether it does */
#define wk_assert(condition, ...) ((condition) ? true : (wk_fail("assert", __VA_ARGS__), false))
bool wk_failing(void); // an error is pending: in this thread's innermost wk_try, or without one in host mode

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
