/* Which functions, files and lines an address of the running program belongs to. */
#ifndef WICK_CORE_SYMBOLS_H
#define WICK_CORE_SYMBOLS_H

#include <stdint.h>

typedef struct wk_frame {
    const char *function;  // NULL where nothing is known
    const char *file;      // as the debug information has it; NULL without
    const char *directory; // that file is relative to, or NULL
    const char *object;    // path of the program or shared library, or NULL
    uintptr_t address;     // within object, as addr2line wants it
    int line, column;      // of the call; column 0: unknown
} wk_frame;

/* Fills frames with what stands at address, functions that the compiler inlined there included, innermost first, and
   returns how many: from 1 to room.  One thread at a time; the strings last until the next object is loaded. */
int wk_symbols_find(uintptr_t address, wk_frame *frames, int room);
void wk_symbols_forget(void); // at the end of the process

#endif
