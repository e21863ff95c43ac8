/* A progress bar: how far a loop is, how fast, and how long it will still take.

       wk_progress progress;
       wk_progress_start(&progress, batches, "epoch %d/%d", epoch, epochs);
       for (...) {
           wk_progress_show(&progress, "loss %.4f", loss);
           wk_progress_step(&progress, batch_size);
       }
       wk_progress_end(&progress);

   On a terminal it is one line, drawn again and again, as wide as the terminal:
       epoch 2/6  41% |########............| 192/469  loss 0.4123  2345 items/s  0:14 left
   Elsewhere it is a plain line now and then (every 10 seconds, and at the end).  wk_for_each_batch has one built in. */
#ifndef WICK_PROGRESS_H
#define WICK_PROGRESS_H
#pragma GCC system_header // see tensor.h

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_progress {
    char title[64], text[160];
    const char *unit; // "items": what is counted per second; another may be put here
    FILE *file;
    int64_t steps, done, items;
    double started, drawn; // seconds of a steady clock
    bool terminal, shown;
    int width; // of what stands on the terminal's line
} wk_progress;

/* To stdout; steps: how many there will be, or -1 where nobody knows; an empty title shows nothing at all. */
void wk_progress_start(wk_progress *progress, int64_t steps, const char *title, ...)
    __attribute__((format(printf, 3, 4)));
void wk_progress_show(wk_progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
void wk_progress_step(wk_progress *progress, int64_t items); // one step done, of so many items
void wk_progress_end(wk_progress *progress);                 // leaves the last line standing

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
