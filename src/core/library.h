/* Libraries that most programs never need (film, sound, photographs), loaded at their first use: linked, they and what
   they bring would add tens of milliseconds to the start of every program.

       static int (*decompress)(...);
       static wk_library turbojpeg = {.file = "libturbojpeg.so.0", .package = "libturbojpeg0",
                                      .functions = {{"tjDecompress2", &decompress}}};
       if (!wk_library_load("read_image", &turbojpeg))
           return NULL;
*/
#ifndef WICK_CORE_LIBRARY_H
#define WICK_CORE_LIBRARY_H

#include <stdbool.h>

enum { WK_LIBRARY_FUNCTIONS = 40 };

typedef struct wk_library {
    const char *file;    // as the loader looks for it, with its version
    const char *package; // Debian's, for the hint
    struct {
        const char *name;
        void *place; // of a pointer to the function
    } functions[WK_LIBRARY_FUNCTIONS];
    bool loaded; // atomic
} wk_library;

/* Fills the places; true at once where that was done.  False after an error: the library or a function of it is not
   there.  What was loaded stays to the program's end. */
bool wk_library_load(const char *op, wk_library *library);

/* An error of op: the library was built without `what`, which is in `package`. */
void wk_library_missing(const char *op, const char *what, const char *package);

#endif
