/* Sound files: what others wrote (golden/audio_files.py), what is written and read back, and what is no sound. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "fails.h"
#include "leaks.h"

/* libsndfile lets go of an ogg that breaks off, but not of what libvorbis had made for it */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:vorbis_info_init\n"; }

static char folder[] = "/tmp/wick_audio_XXXXXX";
static const char *in_folder(const char *name)
{
    static char path[2][128];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}
static const char *golden(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, WICK_GOLDEN "/%s", name);
    return path;
}

static const struct {
    const char *name, *encoding;
    int64_t channels, frames, bits;
    double tolerance; // of what is not kept exactly: decoders differ in their last bits
} files[] = {
    {"audio_u8.wav", "PCM_U", 2, 301, 8, 0},      {"audio_s16.wav", "PCM_S", 2, 301, 16, 0},
    {"audio_s24.wav", "PCM_S", 2, 301, 24, 0},    {"audio_s32.wav", "PCM_S", 2, 301, 32, 0},
    {"audio_f32.wav", "PCM_F", 2, 301, 32, 0},    {"audio_f64.wav", "PCM_F", 2, 301, 64, 0},
    {"audio_ulaw.wav", "ULAW", 2, 301, 8, 0},     {"audio_alaw.wav", "ALAW", 2, 301, 8, 0},
    {"audio_s16.flac", "FLAC", 2, 301, 16, 0},    {"audio_s24.flac", "FLAC", 2, 301, 24, 0},
    {"audio_s16.aiff", "PCM_S", 2, 301, 16, 0},   {"audio_mono.ogg", "VORBIS", 1, 301, 0, 1e-5},
    {"audio_ffmpeg.wav", "PCM_S", 2, 301, 24, 0}, {"audio_ffmpeg.flac", "FLAC", 2, 301, 16, 0},
    {"audio_ffmpeg.mp3", "MP3", 2, 301, 0, 1e-4},
};
#define FILES (sizeof files / sizeof *files)

static bool is_within(wk_tensor *x, wk_tensor *expected, double tolerance)
{
    return wk_allclose(x, expected, .rtol = 0, .atol = tolerance) && wk_size(x, 1) == wk_size(expected, 1);
}

static void test_load(void **state)
{
    (void)state;
    wk_dict *samples = wk_safetensors_load_file(golden("audio_files.safetensors"));
    for (size_t i = 0; i < FILES; i++)
        wk_scope
    {
        char key[64];
        snprintf(key, sizeof key, "%s.rate", files[i].name);
        int64_t rate = 0;
        wk_tensor *expected = wk_dict_get(samples, files[i].name);
        wk_tensor *x = wk_audio_load(golden(files[i].name), &rate);
        assert_int_equal(rate, wk_item_int64(wk_dict_get(samples, key)));
        assert_true(x->dtype == wk_float32 && x->ndim == 2 && x->shape[0] == files[i].channels);
        if (!is_within(x, expected, files[i].tolerance))
            fail_msg("%s: %lld frames, off by %g", files[i].name, (long long)x->shape[1],
                     x->shape[1] == expected->shape[1] ? wk_item(wk_max(wk_abs(wk_sub(x, expected)))) : 0);
        /* a part of it */
        wk_tensor *part = wk_audio_load(golden(files[i].name), .frame_offset = 57, .num_frames = 100);
        assert_true(is_within(part, wk_narrow(expected, 1, 57, 100), files[i].tolerance));
        part = wk_audio_load(golden(files[i].name), NULL, 250, 1000);
        assert_true(is_within(part, wk_narrow(expected, 1, 250, expected->shape[1] - 250), files[i].tolerance));
        assert_int_equal(wk_audio_load(golden(files[i].name), NULL, 5000)->shape[1], 0);
        assert_int_equal(wk_audio_load(golden(files[i].name), NULL, 0, 0)->shape[1], 0);

        const wk_audio_metadata info = wk_audio_info(golden(files[i].name));
        assert_int_equal(info.sample_rate, rate);
        assert_int_equal(info.num_frames, expected->shape[1]);
        assert_int_equal(info.num_channels, files[i].channels);
        assert_int_equal(info.bits_per_sample, files[i].bits);
        assert_string_equal(info.encoding, files[i].encoding);
    }
    wk_dict_free(samples);
    assert_fails(wk_audio_load(golden("audio_s16.wav"), NULL, -1), "audio_load: frame_offset, num_frames: expected 0");
}

/* rounded to the nearest of 2^(bits - 1) steps, and cut off at both ends */
static double kept(double v, int bits)
{
    const double scale = ldexp(1, bits - 1);
    return isnan(v) ? 0 : fmax(-scale, fmin(scale - 1, nearbyint(v * scale))) / scale;
}

static void test_save_whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *name, *encoding;
        int bits;
    } kinds[] = {{"a.wav", NULL, 16},   {"a.wav", "PCM_S", 16}, {"a.wav", "PCM_S", 24}, {"a.wav", "PCM_S", 32},
                 {"a.wav", "PCM_U", 8}, {"a.WAV", NULL, 24},    {"a.flac", NULL, 16},   {"a.flac", "FLAC", 24}};
    wk_manual_seed(3);
    wk_scope
    {
        wk_tensor *x = wk_mul(wk_sub(wk_rand((3, 5000), .dtype = wk_float64), 0.5), 2.2); // some beyond -1 and 1
        double *v = wk_data_ptr(x);
        const double corners[] = {1,   -1, 1.5,         -1.5,        INFINITY,    -INFINITY,
                                  NAN, 0,  0.5 / 32768, 1.5 / 32768, -0.5 / 32768};
        memcpy(v, corners, sizeof corners);
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            wk_scope
        {
            const bool default_bits = i == 0 || i == 6;
            assert_true(wk_audio_save(in_folder(kinds[i].name), x, 12345, .encoding = kinds[i].encoding,
                                      .bits_per_sample = default_bits ? 0 : kinds[i].bits));
            int64_t rate = 0;
            wk_tensor *y = wk_audio_load(in_folder(kinds[i].name), &rate);
            assert_int_equal(rate, 12345);
            assert_true(y->shape[0] == 3 && y->shape[1] == 5000);
            for (int64_t k = 0; k < 15000; k++)
                if (((float *)wk_data_ptr(y))[k] != (float)kept(v[k], kinds[i].bits))
                    fail_msg("%s of %d bits, %lld: %.9g became %.9g", kinds[i].name, kinds[i].bits, (long long)k, v[k],
                             (double)((float *)wk_data_ptr(y))[k]);
            assert_int_equal(wk_audio_info(in_folder(kinds[i].name)).bits_per_sample, kinds[i].bits);
        }
    }
}

static void test_save_the_rest(void **state)
{
    (void)state;
    wk_manual_seed(4);
    wk_scope
    {
        wk_tensor *x = wk_randn((9000, 2), .dtype = wk_float64), *y; // time first: given transposed
        assert_true(wk_audio_save(in_folder("a.wav"), wk_t(x), 8000, "PCM_F", 64));
        y = wk_audio_load(in_folder("a.wav"), NULL);
        assert_true(wk_equal(y, wk_to(wk_t(x), wk_float32))); // beyond 1, and not cut off
        assert_true(wk_audio_save(in_folder("a.wav"), wk_t(x), 8000, .encoding = "PCM_F"));
        assert_true(wk_equal(wk_audio_load(in_folder("a.wav"), NULL), y));
        assert_int_equal(wk_audio_info(in_folder("a.wav")).bits_per_sample, 32);
        wk_tensor *one = wk_mul(wk_sin(wk_mul(wk_arange((16000), .dtype = wk_float32), 0.1)), 0.5);
        wk_requires_grad_(one, true);
        static const char *const lossy[] = {"a.ogg", "a.mp3", "b.wav", "c.wav"};
        for (int i = 0; i < 4; i++) {
            const char *encoding = i == 2 ? "ULAW" : i == 3 ? "ALAW" : NULL;
            assert_true(wk_audio_save(in_folder(lossy[i]), one, 16000, encoding)); // (T) is one channel
            y = wk_audio_load(in_folder(lossy[i]), NULL);
            assert_true(y->shape[0] == 1 && y->shape[1] >= 16000);
            /* louder than what was lost by 20 decibels; mp3 begins later */
            double best = INFINITY;
            for (int64_t late = 0; late < (i == 1 ? 2000 : 1); late++)
                wk_scope
            {
                const int64_t length = 16000 - late < 14000 ? 14000 : 16000 - late;
                if (late + 14000 <= y->shape[1] && length > 0)
                    best = fmin(best, wk_item(wk_mean(wk_square(wk_sub(wk_narrow(y, 1, late, 14000),
                                                                       wk_narrow(wk_detach(one), 0, 0, 14000))))));
            }
            if (!(best < 0.125 / 100))
                fail_msg("%s: %g", lossy[i], best);
        }
        assert_true(wk_audio_save(in_folder("a.wav"), wk_zeros((2, 0)), 8000));
        assert_int_equal(wk_audio_load(in_folder("a.wav"), NULL)->shape[1], 0);
        assert_true(wk_audio_save(in_folder("a.wav"), wk_ones((1, 3), .dtype = wk_bfloat16), 8000));
    }
}

static void test_save_is_refused(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_zeros((2, 9));
        assert_true(wk_audio_save(in_folder("old.wav"), x, 8000));
        assert_fails(wk_audio_save(in_folder("old.wav"), x, 0),
                     "audio_save: sample_rate, x: expected 1 to 2147483647 Hz");
        assert_fails(wk_audio_save(in_folder("old.wav"), wk_zeros((2, 9), .dtype = wk_int16), 8000),
                     "x: expected a floating (C, T) or (T), got int16 (2, 9)");
        assert_fails(wk_audio_save(in_folder("old.wav"), wk_zeros((1, 2, 9)), 8000), "got float32 (1, 2, 9)");
        assert_fails(wk_audio_save(in_folder("old.wav"), wk_zeros((0, 9)), 8000), "got float32 (0, 9)");
        assert_fails(wk_audio_save(in_folder("old.wav"), wk_zeros((1025, 1)), 8000), "at most 1024 channels");
        assert_fails(wk_audio_save(in_folder("old.wav"), x, 8000, .encoding = "GSM"), ".wav has no GSM of 0 bits");
        assert_fails(wk_audio_save(in_folder("old.wav"), x, 8000, .bits_per_sample = 12),
                     ".wav has no samples of 12 bits");
        assert_fails(wk_audio_save(in_folder("old"), x, 8000),
                     "path: expected a name that ends in .wav, .flac, .ogg or");
        assert_fails(wk_audio_save(NULL, x, 8000), "path: expected a name that ends in");
        assert_fails(wk_audio_save(in_folder("c.flac"), wk_zeros((9, 9)), 8000),
                     "flac cannot hold 9 channels at 8000 Hz");
        assert_fails(wk_audio_save(in_folder("a.mp3"), x, 12345), "mp3 cannot hold 2 channels at 12345 Hz");
        assert_fails(wk_audio_save("/nowhere/a.wav", x, 8000), "/nowhere/a.wav: could not be created");
        assert_fails(wk_audio_save(in_folder("a.wav"), NULL, 8000), "x: expected a tensor, got NULL");
        assert_int_equal(wk_audio_info(in_folder("old.wav")).num_frames, 9);
        assert_int_equal(access(in_folder("c.flac"), F_OK), -1);
    }
}

static void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}
static size_t read_bytes(const char *path, unsigned char *bytes, size_t most)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, most, file);
    fclose(file);
    return size;
}

static void test_no_sound(void **state)
{
    (void)state;
    assert_fails(wk_audio_load("/nowhere/a.wav", NULL), "/nowhere/a.wav: No such file");
    assert_fails(wk_audio_load(NULL, NULL), "path: expected a path, got NULL");
    assert_fails(wk_audio_load(folder, NULL), "is not a file");
    write_bytes(in_folder("empty.wav"), "", 0);
    assert_fails(wk_audio_load(in_folder("empty.wav"), NULL), "is no sound file: it has 0 bytes");
    write_bytes(in_folder("text.wav"), "some words, no sound", 20);
    assert_fails(wk_audio_load(in_folder("text.wav"), NULL), "is no sound file: it has 20 bytes");
    write_bytes(in_folder("riff.wav"), "RIFF\20\0\0\0AVI LIST", 16);
    assert_fails(wk_audio_load(in_folder("riff.wav"), NULL), "riff.wav: ");
    assert_fails(wk_audio_info(in_folder("text.wav")).sample_rate, "audio_info: ");
}

/* what a header tells is not believed: memory stays within what the bytes hold */
static void test_headers_that_lie(void **state)
{
    (void)state;
    static unsigned char bytes[16384];
    wk_memory_empty_cache();
    /* a wav whose data would be 4 GB */
    size_t size = read_bytes(golden("audio_s16.wav"), bytes, sizeof bytes);
    memset(bytes + 4, 0xF0, 4);
    memset(bytes + 40, 0xF0, 4);
    write_bytes(in_folder("long.wav"), bytes, size);
    wk_scope
    assert_int_equal(wk_audio_load(in_folder("long.wav"), NULL)->shape[1], 301);
    /* a flac of 2^36 - 1 samples: in the last 36 bits of 8 bytes at 18 */
    size = read_bytes(golden("audio_s16.flac"), bytes, sizeof bytes);
    bytes[21] |= 0x0F;
    memset(bytes + 22, 0xFF, 4);
    write_bytes(in_folder("long.flac"), bytes, size);
    const int64_t before = wk_memory_get_stats().live_bytes;
    wk_error error;
    wk_scope
    {
        wk_tensor *x = NULL;
        wk_try(&error) x = wk_audio_load(in_folder("long.flac"), NULL);
        assert_true(error.set || x->shape[1] == 301);
        assert_true(wk_memory_get_stats().peak_bytes - before < 100 << 20);
    }
}

static void test_broken(void **state)
{
    (void)state;
    static unsigned char good[16384], bytes[16384];
    uint64_t random = 5;
    for (size_t i = 0; i < FILES; i++) {
        const size_t size = read_bytes(golden(files[i].name), good, sizeof good);
        for (int turn = 0; turn < 60; turn++) {
            memcpy(bytes, good, size);
            random = random * 6364136223846793005u + 1442695040888963407u;
            const size_t at = (size_t)(random >> 33) % size;
            if (turn % 3 > 0)
                bytes[turn % 3 == 1 ? at : at % 60] ^= (unsigned char)(1 << (random >> 60) % 8);
            write_bytes(in_folder("broken"), bytes, turn % 3 == 0 ? at : size);
            wk_error error;
            wk_scope
            {
                wk_tensor *x = NULL;
                wk_try(&error) x = wk_audio_load(in_folder("broken"), NULL);
                assert_true(error.set == !x);
            }
        }
    }
}

/* one allocation after another fails: an error, and nothing is left over or half there */
static void test_short_memory(void **state)
{
    (void)state;
    bool fine = false;
    for (int64_t n = 0; n < 200 && !fine; n++)
        wk_scope
    {
        wk_error error;
        wk_tensor *x = NULL;
        wk_memory_fail_after(n);
        wk_try(&error) x = wk_audio_load(golden("audio_ffmpeg.mp3"), NULL, 10, 50);
        wk_memory_fail_after(-1);
        assert_true(error.set == !x);
        fine = x != NULL;
    }
    assert_true(fine);
    fine = false;
    for (int64_t n = 0; n < 200 && !fine; n++)
        wk_scope
    {
        wk_error error;
        wk_tensor *x = wk_t(wk_zeros((300, 2), .dtype = wk_float64));
        unlink(in_folder("short.flac"));
        wk_memory_fail_after(n);
        wk_try(&error) fine = wk_audio_save(in_folder("short.flac"), x, 8000);
        wk_memory_fail_after(-1);
        assert_true(error.set == !fine);
        assert_true((access(in_folder("short.flac"), F_OK) == 0) == fine);
    }
    assert_true(fine);
    wk_error error; // an error that waits: what would be saved may be a part
    wk_scope
    wk_try(&error)
    {
        wk_tensor *x = wk_zeros((2, 9));
        wk_fail("here", "something");
        assert_false(wk_audio_save(in_folder("pending.wav"), x, 8000));
    }
    assert_string_equal(error.message, "here: something");
    assert_int_equal(access(in_folder("pending.wav"), F_OK), -1);
}

/* the module's own tests are rows of op_table/audio.c; here, what they are called in state dicts */
static void test_names(void **state)
{
    (void)state;
    wk_module *mfcc = wk_audio_mfcc(), *resample = wk_audio_resample(44100, 16000), *same = wk_audio_resample();
    wk_dict *names = wk_module_state_dict(mfcc);
    assert_int_equal(wk_dict_count(names), 3);
    assert_non_null(wk_dict_get(names, "dct_mat"));
    assert_non_null(wk_dict_get(names, "MelSpectrogram.spectrogram.window"));
    assert_non_null(wk_dict_get(names, "MelSpectrogram.mel_scale.fb"));
    wk_dict_free(names);
    names = wk_module_state_dict(resample);
    assert_int_equal(wk_dict_count(names), 1);
    assert_int_equal(wk_size(wk_dict_get(names, "kernel"), 0), 160);
    wk_dict_free(names);
    names = wk_module_state_dict(same);
    assert_int_equal(wk_dict_count(names), 0);
    wk_dict_free(names);
    wk_module_free(mfcc);
    wk_module_free(resample);
    wk_module_free(same);
}

int main(void)
{
    wk_error error;
    wk_tensor *x = NULL;
    wk_scope
    wk_try(&error) x = wk_audio_load(golden("audio_s16.wav"), NULL);
    if (!x && strstr(error.message, "hint: apt-get install")) {
        printf("SKIPPED: %s\n", error.message);
        return 77;
    }
    if (!mkdtemp(folder))
        return 1;
    static const struct CMUnitTest tests[] = {
        TEST(test_load),
        TEST(test_save_whole_numbers),
        TEST(test_no_sound),
        TEST(test_save_the_rest),
        TEST(test_broken),
        TEST(test_save_is_refused),
        TEST(test_short_memory),
        TEST(test_names),
        TEST(test_headers_that_lie),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) != 0 || failed;
}
