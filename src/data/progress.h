#ifndef WICK_DATA_PROGRESS_H
#define WICK_DATA_PROGRESS_H

#include <stdarg.h>

#include <wick/progress.h>

/* as wk_progress_start, elsewhere than to stdout */
void wk_progress_start_with(wk_progress *progress, FILE *file, int64_t steps, const char *title, va_list arguments)
    __attribute__((format(printf, 4, 0)));
/* the line as it stands after so many seconds; width: columns it may take, 0: a plain line without a bar */
void wk_progress_line(const wk_progress *progress, double seconds, int width, char *line, size_t size);

#endif
