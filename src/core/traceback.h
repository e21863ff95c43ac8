/* The calling thread's stack as text. */
#ifndef WICK_CORE_TRACEBACK_H
#define WICK_CORE_TRACEBACK_H

#include <stdbool.h>
#include <stddef.h>

/* Writes "Traceback (most recent call last):" and the frames, oldest first, a line break after each; colour: with the
   terminal's escape codes.  What does not fit is left out whole, oldest frames first.  text always ends in '\0'. */
void wk_traceback_write(char *text, size_t size, bool colour);

/* The user's line that called the library, and what it called: "train.c:41 (wk_mul)", or as much of it as is known;
   false where nothing is. */
bool wk_traceback_caller(char *text, size_t size);

#endif
