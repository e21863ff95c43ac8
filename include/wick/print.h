/* Tensors as text, equal to PyTorch's to the byte.  PyTorch: print(x), torch.set_printoptions. */
#ifndef WICK_PRINT_H
#define WICK_PRINT_H
#pragma GCC system_header // see tensor.h

#include <stdio.h>

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* print(x), print(name, x): "image_toks tensor([[...]])" and a line break; name may be NULL, as in
   gdb's call wk_print(0, x). */
void wk_print(const char *name, const wk_tensor *x);
#ifndef __cplusplus
#define wk_print(...) WK_PRINT_PICK(__VA_ARGS__, WK_PRINT_NAMED, WK_PRINT_ALONE, 0)(__VA_ARGS__)
#define WK_PRINT_PICK(a, b, which, ...) which
#define WK_PRINT_ALONE(x) wk_print(NULL, x)
#define WK_PRINT_NAMED(name, x) wk_print(name, x)
#endif

char *wk_to_string(const wk_tensor *x);         // repr(x), "tensor([1., 2.])"; the caller gives it to free()
void wk_fprint(FILE *file, const wk_tensor *x); // repr(x), without a line break

/* Of the whole program; an option that is not given stays as it is, but for sci_mode, which is then PyTorch's choice
   for each tensor.  Only by keyword: wk_set_printoptions(.precision = 2, .sci_mode = false). */
typedef struct wk_printoptions {
    int precision;       // digits behind the point; 4
    int64_t threshold;   // more elements than this are summarized; 1000, INT64_MAX: never
    int64_t edgeitems;   // of a summary, at each end of a dim; 3
    int64_t linewidth;   // characters; 80
    int sci_mode;        // 1: always, 0: never, -1: by the values
    const char *profile; // "default", "short" or "full": sets the first four
} wk_printoptions;
#define wk_set_printoptions(...)                                                                                       \
    wk_set_printoptions_with((wk_printoptions){.precision = -1,                                                        \
                                               .threshold = -1,                                                        \
                                               .edgeitems = -1,                                                        \
                                               .linewidth = -1,                                                        \
                                               .sci_mode = -1,                                                         \
                                               .profile = NULL,                                                        \
                                               __VA_ARGS__})
void wk_set_printoptions_with(wk_printoptions options);
wk_printoptions wk_get_printoptions(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
