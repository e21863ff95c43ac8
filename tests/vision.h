/* What the tests of pictures share: nothing leaks, pictures of numbered bytes, files. */
#ifndef WICK_TESTS_VISION_H
#define WICK_TESTS_VISION_H

#include <stdio.h>

#include "leaks.h"

#ifdef WICK_HAVE_JPEG
#define SKIP_WITHOUT_JPEG()
#else
#define SKIP_WITHOUT_JPEG() skip()
#endif

static wk_tensor *numbered_bytes(int64_t channels, int64_t height, int64_t width)
{
    wk_tensor *x = wk_empty((channels, height, width), .dtype = wk_uint8);
    for (int64_t i = 0; i < wk_numel(x); i++)
        ((uint8_t *)wk_data_ptr(x))[i] = (uint8_t)(i * 7);
    return x;
}

static void write_bytes(const char *name, const char *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    fwrite(bytes, 1, size, file);
    fclose(file);
}

#endif
