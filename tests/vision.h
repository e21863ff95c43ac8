/* What the tests of pictures share: nothing leaks, pictures of numbered bytes, files. */
#ifndef WICK_TESTS_VISION_H
#define WICK_TESTS_VISION_H

#ifdef WICK_HAVE_JPEG
#define SKIP_WITHOUT_JPEG()
#else
#define SKIP_WITHOUT_JPEG() skip()
#endif

static int64_t blocks_before;
static int remember_blocks(void **state)
{
    (void)state;
    blocks_before = wk_memory_get_stats().live_blocks;
    return 0;
}
static int nothing_leaked(void **state)
{
    (void)state;
    const int64_t now = wk_memory_get_stats().live_blocks;
    if (now != blocks_before)
        print_error("%lld blocks before, %lld after\n", (long long)blocks_before, (long long)now);
    return now != blocks_before;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, remember_blocks, nothing_leaked)

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
