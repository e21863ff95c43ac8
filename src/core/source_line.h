/* The source text that a frame of a traceback stands on. */
#ifndef WICK_CORE_SOURCE_LINE_H
#define WICK_CORE_SOURCE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "symbols.h"

#define WK_SOURCE_LINE 512

typedef struct wk_source_line {
    char text[WK_SOURCE_LINE];  // the line, without the blanks around it
    char marks[WK_SOURCE_LINE]; // blanks and ^ to stand below it, "" where there is nothing to point out
} wk_source_line;

/* The frame's file as an absolute path where it can be known, without "." and "..". */
void wk_source_path(const wk_frame *frame, char *path, size_t size);

/* Reads a line of the file, and marks the call of callee in it (NULL: unknown; column: where the compiler says that the
   call is, 0: unknown).  False where the file or the line is not there. */
bool wk_source_read(const char *path, int number, int column, const char *callee, wk_source_line *source);

#endif
