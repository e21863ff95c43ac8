/* A pattern of einops, read: what the files of the family share, and the modules made of it. */
#ifndef WICK_OPS_EINOPS_H
#define WICK_OPS_EINOPS_H

#include <stdarg.h>

#include <wick/einops.h>

#include "ops.h"

#define WK_EINOPS_AXES 24     // names and numbers of a pattern
#define WK_EINOPS_TEXT 256    // of a pattern, with its numbers put in
#define WK_EINOPS_ELLIPSIS -1 // among axes

typedef struct wk_einops_axis {
    int16_t column, width; // its name in the text
    bool number;           // it has none, but a size
    bool left, right;      // on which sides it stands
    bool given;            // its size stands behind the pattern
    int64_t size;          // -1: x's shape will tell
} wk_einops_axis;

/* "b (h w) ...": groups b, (h w), ...; group i is axes[begin[i]] up to axes[begin[i + 1]] */
typedef struct wk_einops_side {
    int groups, count, ellipses;
    int8_t begin[WK_EINOPS_AXES + 2], axes[WK_EINOPS_AXES + 1];
    int16_t column[WK_EINOPS_AXES + 1]; // of a group, in the text
} wk_einops_side;

typedef struct wk_einops_pattern {
    const char *op;        // whose errors these are
    const char *reduction; // "mean", ...; NULL: none
    bool failed, repeats;
    int axes;
    wk_einops_axis axis[WK_EINOPS_AXES];
    wk_einops_side left, right;
    char text[WK_EINOPS_TEXT];
} wk_einops_pattern;

/* Reads a pattern and checks all that does not depend on x; pattern->failed after an error.  op: einops_rearrange, with
   a reduction einops_reduce, or einops_repeat. */
void wk_einops_read(wk_einops_pattern *pattern, const char *op, const char *reduction, const char *format,
                    va_list *values);
bool wk_einops_check_reduction(const char *op, const char *name); // false after an error: there is none of that name
wk_tensor *wk_einops_apply(const wk_einops_pattern *pattern, wk_tensor *x);
/* an error that shows the text and points at a column of it; returns NULL */
void *wk_einops_complain(const char *op, const char *text, int column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* how long the name at text is; 0: there is none.  *fine: einops takes it */
int wk_einops_name(const char *text, bool *fine);

#endif
