/* Where the time goes.  PyTorch: torch.profiler, https://pytorch.org/docs/stable/profiler.html */
#ifndef WICK_PROFILER_H
#define WICK_PROFILER_H
#pragma GCC system_header // see tensor.h

#include <stdbool.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* wk_profiler_profile (table = stdout, trace = NULL, row_limit = 100) { ... }: notes, of this thread, when each kernel
   began and ended (under the name of the op that was called), each module's forward, each node of a backward, and each
   wk_profiler_record_function.  At the end of the block the table says how often each ran and how long, in all and
   itself, without what ran inside, the longest first; NULL: none.  trace: a file that chrome://tracing and Perfetto
   open.  One at a time in a thread; slows small ops down. */
typedef struct wk_profiler_profile_args {
    FILE *table;
    const char *trace;
    int row_limit;
} wk_profiler_profile_args;
typedef struct wk_profiler_guard {
    wk_profiler_profile_args args;
    bool open, started;
} wk_profiler_guard;
#define wk_profiler_profile(...)                                                                                       \
    for (wk_profiler_guard wk_profiler_here __attribute__((cleanup(wk_profiler_close))) = wk_profiler_open(            \
             (wk_profiler_profile_args){.table = stdout, .row_limit = 100, __VA_ARGS__});                              \
         wk_profiler_here.open; wk_profiler_here.open = false)
wk_profiler_guard wk_profiler_open(wk_profiler_profile_args args);
void wk_profiler_close(wk_profiler_guard *guard);

/* wk_profiler_record_function ("name") { ... }: a line of its own in table and trace; without a profile, nothing */
typedef struct wk_record_guard {
    bool open, noted;
} wk_record_guard;
#define wk_profiler_record_function(name)                                                                              \
    for (wk_record_guard wk_record_here __attribute__((cleanup(wk_record_close))) = wk_record_open(name);              \
         wk_record_here.open; wk_record_here.open = false)
wk_record_guard wk_record_open(const char *name);
void wk_record_close(wk_record_guard *guard);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
