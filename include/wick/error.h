/* How things fail.  An error prints a traceback and ends the program with status 1; inside wk_try, or in host mode, the
   op that failed returns NULL, ops pass NULL on, and the error waits to be read. */
#ifndef WICK_ERROR_H
#define WICK_ERROR_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wk_error {
    bool set;
    char op[64];         // "matmul"
    char message[1024];  // "matmul: expected ..., got ...\n  hint: ..."
    char module[256];    // path of the module that ran, "blocks.0.attn.qkv", or ""
    char traceback[4096]; // functions, files, lines and source text
} wk_error;

typedef struct wk_try_guard {
    wk_error *error;
    void *outer;
    bool open;
} wk_try_guard;

/* wk_error err; wk_try (&err) { ... } if (err.set) ...: the first error inside is put in err. */
#define wk_try(error)                                                                                                  \
    for (wk_try_guard wk_try_here __attribute__((cleanup(wk_try_close))) = wk_try_open(error); wk_try_here.open;       \
         wk_try_here.open = false)
wk_try_guard wk_try_open(wk_error *error);
void wk_try_close(wk_try_guard *guard);

void wk_host_mode(bool on);          // per process: errors never print and never end the program
const wk_error *wk_last_error(void); // of this thread, NULL if none since wk_clear_error; for host mode
void wk_clear_error(void);

/* The one funnel: every error of the library comes through here.  Break on it in gdb.  Records or prints the error and
   returns NULL, so that an op says: return wk_fail("softmax", "dim: expected ...").  A line of the message that starts
   with "hint: " is shown as the hint. */
void *wk_fail(const char *op, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool wk_failing(void); // an error is pending in this thread's innermost wk_try, or in host mode

#ifdef __cplusplus
}
#endif
#endif
