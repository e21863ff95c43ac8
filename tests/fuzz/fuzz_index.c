/* Text as the string of wk_index, on tensors of 0 to 4 dims (the first byte says).  What shows a part
   has no more elements than the tensor, and, as a view, lies in its memory. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

#pragma GCC diagnostic ignored "-Wformat-security" // the text is the format, and has no conversions

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 1 || size > 200 || memchr(bytes, '%', size))
        return 0;
    static const int64_t sizes[] = {3, 4, 1, 5};
    const int ndim = bytes[0] % 5;
    char text[256] = "";
    memcpy(text, bytes + 1, size - 1);
    wk_error error;
    wk_scope
    {
        wk_tensor *x = wk_full_with((wk_factory_args){.fill = WK_NUMBER(0.0), .size = wk_shape_of(ndim, sizes)});
        wk_tensor *y = NULL;
        wk_try(&error) y = wk_index(x, text);
        MUST(error.set == !y, error);
        MUST(!y || wk_numel(y) <= wk_numel(x), error);
        if (y)
            wk_try(&error) wk_fill_(y, 1);
        MUST(!error.set || !y, error);
        const int64_t written = (int64_t)wk_item(wk_sum(x)); // none: True and False make a copy
        MUST(!y || written == wk_numel(y) || written == 0, error);
    }
    return 0;
}
