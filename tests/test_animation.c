/* Animated GIFs, read back by a small decoder that stands here: every pixel where 256 colours are enough, near ones
   where not; times that add up; what is no animation. */
#define _GNU_SOURCE // mkstemps
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "check.h"

static char path[64];

/* ---------------------------------------------------------------- the decoder */

typedef struct film {
    int count, width, height;
    int delays[64];  // hundredths of a second
    uint8_t *frames; // (count, height, width, 3)
} film;

static int word(const uint8_t *bytes) { return bytes[0] | bytes[1] << 8; }

/* the codes of one picture, from its blocks' bytes, into pixels */
static int unpack(const uint8_t *bytes, int size, int index_bits, uint8_t *pixels, int most)
{
    static uint16_t prefix[4096];
    static uint8_t last[4096], text[4097];
    const int clear = 1 << index_bits;
    int bits = index_bits + 1, next = clear + 2, before = -1, filled = 0;
    for (int64_t at = 0; at + bits <= 8 * (int64_t)size;) {
        int code = 0;
        for (int i = 0; i < bits; i++, at++)
            code |= (bytes[at / 8] >> at % 8 & 1) << i;
        if (code == clear) {
            bits = index_bits + 1, next = clear + 2, before = -1;
            continue;
        }
        if (code == clear + 1)
            return filled;
        assert_true(code < next || (code == next && before >= 0));
        int length = 0, walk = code == next ? before : code;
        if (code == next)
            length++; // its last byte is its first
        for (; walk > clear; walk = prefix[walk])
            text[length++] = last[walk];
        text[length++] = (uint8_t)walk;
        if (code == next)
            text[0] = (uint8_t)walk;
        if (before >= 0 && next < 4096) {
            prefix[next] = (uint16_t)before;
            last[next++] = (uint8_t)walk;
        }
        bits += next == 1 << bits && bits < 12;
        before = code;
        assert_true(filled + length <= most);
        while (length > 0)
            pixels[filled++] = text[--length];
    }
    fail_msg("no end of a picture");
    return 0;
}

static film read_gif(void)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    uint8_t *bytes = malloc((size_t)size), *blocks = malloc((size_t)size), *pixels = malloc(1 << 20);
    rewind(file);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    fclose(file);
    film f = {.width = word(bytes + 6), .height = word(bytes + 8), .frames = calloc(64, 3 << 16)};
    assert_memory_equal(bytes, "GIF89a", 6);
    const uint8_t *palette = bytes + 13, *at = palette + (6 << (bytes[10] & 7));
    assert_memory_equal(at, "\x21\xFF\x0BNETSCAPE2.0\x03\x01\x00\x00\x00", 19);
    const int plane = f.width * f.height * 3;
    assert_true(plane <= 3 << 16);
    for (at += 19; *at == 0x21; f.count++) {
        assert_memory_equal(at, "\x21\xF9\x04\x04", 4);
        f.delays[f.count] = word(at + 4);
        at += 8;
        assert_int_equal(*at, 0x2C);
        const int left = word(at + 1), top = word(at + 3), width = word(at + 5), height = word(at + 7);
        const int index_bits = at[10];
        int filled = 0;
        for (at += 11; *at > 0; at += 1 + *at) {
            memcpy(blocks + filled, at + 1, *at);
            filled += *at;
        }
        at++;
        assert_int_equal(unpack(blocks, filled, index_bits, pixels, 1 << 20), width * height);
        uint8_t *frame = f.frames + f.count * plane;
        if (f.count > 0)
            memcpy(frame, frame - plane, (size_t)plane);
        for (int i = 0; i < width * height; i++)
            memcpy(frame + 3 * ((top + i / width) * f.width + left + i % width), palette + 3 * pixels[i], 3);
    }
    assert_true(*at == 0x3B && at + 1 == bytes + size);
    free(bytes), free(blocks), free(pixels);
    return f;
}

/* how far the file's frames are from x (T, 3, H, W) of bytes, at most */
static int farthest(wk_tensor *x)
{
    film f = read_gif();
    wk_tensor *frames = wk_contiguous(wk_permute(x, (0, 2, 3, 1)));
    assert_true(f.count == wk_size(frames, 0) && f.height == wk_size(frames, 1) && f.width == wk_size(frames, 2));
    const uint8_t *expected = wk_data_ptr(frames);
    int most = 0;
    for (int64_t i = 0; i < wk_numel(frames); i++)
        most = abs(f.frames[i] - expected[i]) > most ? abs(f.frames[i] - expected[i]) : most;
    free(f.frames);
    return most;
}

/* ---------------------------------------------------------------- tests */

/* every length of the last string, every number of colours, and more strings than a table holds */
TEST(test_every_pixel)
{
    for (int colours = 1; colours <= 256; colours += colours < 9 ? 1 : 61)
        for (int64_t width = 1; width < 300; width += width < 40 ? 1 : 97) {
            wk_tensor *grey = wk_randint(0, colours, (3, 1, 1 + width % 5, width), .dtype = wk_uint8);
            assert_true(wk_vision_save_animation(grey, path));
            assert_int_equal(farthest(wk_expand(grey, (-1, 3, -1, -1))), 0);
        }
    wk_tensor *noise = wk_mul(wk_randint(0, 6, (2, 3, 150, 200), .dtype = wk_uint8), 51); // 216 colours
    assert_true(wk_vision_save_animation(noise, path));
    assert_int_equal(farthest(noise), 0);
    wk_tensor *still = wk_expand(wk_select(noise, 0, 0), (4, -1, -1, -1)); // frames that change nothing
    assert_true(wk_vision_save_animation(still, path));
    assert_int_equal(farthest(still), 0);
}

/* more colours than 256 */
TEST(test_near_colours)
{
    wk_tensor *along = wk_expand(wk_linspace(0, 1, 96), (2, 1, 64, 96)),
              *down = wk_expand(wk_linspace(0, 1, 64), (2, 1, 96, 64));
    wk_tensor *x =
        wk_cat((along, wk_transpose(down, 2, 3), wk_full((2, 1, 64, 96), 0.5)), 1); // a plane of 6144 colours
    assert_true(wk_vision_save_animation(x, path));
    wk_tensor *bytes = wk_to(wk_add(wk_mul(x, 255), 0.5), wk_uint8);
    const int most = farthest(bytes);
    assert_true(most > 0 && most <= 17); // 256 boxes of the plane: 16 wide
}

TEST(test_times)
{
    wk_tensor *x = wk_zeros((50, 4, 4), .dtype = wk_uint8);
    assert_true(wk_vision_save_animation(x, path, .fps = 30));
    film f = read_gif();
    int all = 0;
    for (int i = 0; i < f.count; i++) {
        assert_true(f.delays[i] == 3 || f.delays[i] == 4);
        all += f.delays[i];
    }
    assert_int_equal(all, 167);
    free(f.frames);
}

TEST(test_floats)
{
    wk_tensor *x = wk_full((1, 1, 2, 2), 0.5, .requires_grad = true);
    wk_tensor *outside = wk_tensor((1, 1, 2, 2), ((float[2][2]){{-1, 2}, {0.002f, 1}}));
    assert_true(wk_vision_save_animation(wk_cat((x, outside)), path));
    wk_tensor *bytes = wk_tensor((2, 1, 2, 2), ((uint8_t[]){128, 128, 128, 128, 0, 255, 1, 255}));
    assert_int_equal(farthest(wk_expand(bytes, (2, 3, 2, 2))), 0);
}

static void refused(wk_tensor *x, const char *to, double fps, const char *message)
{
    wk_error error;
    wk_try(&error) assert_false(wk_vision_save_animation(x, to, .fps = fps));
    assert_message(error, message);
}

TEST(test_refused)
{
    wk_tensor *x = wk_zeros((2, 3, 4, 4));
    refused(wk_zeros((2, 4, 4, 4)), path, 10, "save_animation: frames: expected uint8 or floats (T, C, H, W)");
    refused(wk_zeros((4, 4)), path, 10, "got float32 (4, 4)");
    refused(wk_zeros((2, 4, 4), .dtype = wk_int64), path, 10, "got int64");
    refused(wk_zeros((0, 3, 4, 4)), path, 10, "expected one or more");
    refused(wk_zeros((1, 1, 1, 65536), .dtype = wk_uint8), path, 10, "1 to 65535 pixels");
    refused(x, path, 0, "fps: expected more than 0");
    refused(x, path, 51, "got 51");
    refused(x, path, NAN, "fps");
    refused(x, NULL, 10, "path: expected a name that ends in .gif, .mp4, .mov, .mkv or .avi, got NULL");
    refused(x, "/tmp/walk", 10, "got /tmp/walk");
    refused(x, "/nowhere/x.gif", 10, "save_animation: /nowhere/x.gif: could not be created");
}

TEST(test_allocations_that_fail)
{
    for (int64_t n = 0, ended = 0; !ended; n++) {
        wk_error error;
        const int64_t live = wk_memory_get_stats().live_blocks;
        wk_memory_fail_after(n);
        wk_try(&error) wk_scope
        wk_vision_save_animation(wk_rand((2, 3, 20, 20)), path);
        ended = !error.set;
        wk_memory_fail_after(-1);
        assert_true(n < 1000);
        assert_int_equal(wk_memory_get_stats().live_blocks, live);
    }
}

int main(void)
{
    strcpy(path, "/tmp/wick_test_animation_XXXXXX.gif");
    close(mkstemps(path, 4));
    const struct CMUnitTest tests[] = {UNIT(test_every_pixel), UNIT(test_near_colours),
                                       UNIT(test_times),       UNIT(test_floats),
                                       UNIT(test_refused),     UNIT(test_allocations_that_fail)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
