/* Films: frames equal to PyAV's to the bit, read by time as torchvision reads them; clips equal to torchvision's; files
   that are none, that break off, and that ask for other files.  tests/golden/video.py made films and answers. */
#define _GNU_SOURCE // mkdtemp, nftw
#include "answers.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char folder[64]; // of this run's own files

/* "folder/name", until it is called eight times more */
static const char *joined(const char *where, const char *name)
{
    static char paths[8][512];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s%s", where, name);
    return path;
}
static const char *golden(const char *name) { return joined(WICK_GOLDEN "/video_", name); }
static const char *own(const char *name) { return joined(folder, name); }

static void same_bytes(wk_tensor *x, wk_tensor *expected)
{
    assert_true(x && expected && wk_numel(x) == wk_numel(expected) && x->ndim == expected->ndim);
    for (int dim = 0; dim < x->ndim; dim++)
        assert_int_equal(x->shape[dim], expected->shape[dim]);
    assert_int_equal(x->dtype, wk_uint8);
    x = wk_contiguous(x);
    expected = wk_contiguous(expected);
    assert_memory_equal(wk_data_ptr(x), wk_data_ptr(expected), (size_t)wk_numel(x));
}

/* ---------------------------------------------------------------- read_video */

static const struct {
    const char *name, *file;
    double rotation;
} films[] = {{"turned", "turned.mp4", 90}, {"packed", "packed.avi", 0}, {"uneven", "uneven.mkv", 0}};
#define FILMS (int)(sizeof films / sizeof *films)

TEST(test_frames)
{
    for (int i = 0; i < FILMS; i++) {
        wk_vision_video_info info;
        wk_tensor *frames = wk_vision_read_video(golden(films[i].file), .info = &info);
        same_bytes(frames, answer("%s/frames", films[i].name));
        assert_true(wk_equal(info.times, answer("%s/times", films[i].name)));
        assert_true(info.video_fps == wk_item(answer("%s/fps", films[i].name)));
        assert_true(info.height == 16 && info.width == 28 && info.rotation == films[i].rotation);
        assert_true(info.duration > 1.1 && info.duration < 1.5);
        wk_tensor *first = wk_vision_read_video(golden(films[i].file), .output_format = "TCHW");
        same_bytes(first, wk_permute(frames, (0, 3, 1, 2)));
    }
}

TEST(test_frames_by_time)
{
    static const double ranges[][2] = {{0.3, 0.7}, {0.35, 0.75}, {0.61, 0.62}, {0.9, 9}, {0, 0}, {5, 6}};
    for (int i = 0; i < FILMS; i++)
        for (int k = 0; k < 6; k++) {
            wk_tensor *expected = answer("%s/%g-%g", films[i].name, ranges[k][0], ranges[k][1]);
            wk_tensor *frames = wk_vision_read_video(golden(films[i].file), .start_pts = ranges[k][0],
                                                     .end_pts = ranges[k][1], .pts_unit = "sec");
            if (wk_numel(expected) > 0)
                same_bytes(frames, wk_index_select(answer("%s/frames", films[i].name), 0, expected));
            else
                same_bytes(frames, wk_zeros((0, 1, 1, 3), .dtype = wk_uint8));
        }
    /* a tick of the first is a 10240th of a second */
    wk_tensor *frames = wk_vision_read_video(golden("turned.mp4"), .start_pts = 3072, .end_pts = 4096);
    same_bytes(frames, wk_narrow(answer("turned/frames"), 0, 3, 2));
}

#define REFUSED(call, text)                                                                                            \
    do {                                                                                                               \
        wk_error error_;                                                                                               \
        wk_try(&error_) assert_null(call);                                                                             \
        assert_message(error_, text);                                                                                  \
    } while (0)

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

TEST(test_refused)
{
    const char *film = golden("turned.mp4");
    REFUSED(wk_vision_read_video(film, .pts_unit = "s"),
            "read_video: pts_unit: expected \"pts\" or \"sec\", got \"s\"");
    REFUSED(wk_vision_read_video(film, .output_format = "CTHW"), "output_format: expected \"THWC\" or \"TCHW\"");
    REFUSED(wk_vision_read_video(film, .start_pts = 2, .end_pts = 1), "end_pts: expected more than start_pts");
    REFUSED(wk_vision_read_video(film, .start_pts = NAN), "end_pts");
    REFUSED(wk_vision_read_video(film, .max_bytes = 5000), "28 x 16, take more than 5000 bytes\nhint: end_pts");
    REFUSED(wk_vision_read_video(film, .max_bytes = 600), "expected frames of at most 200 pixels, got 28 x 16");
    REFUSED(wk_vision_read_video(NULL), "expected a path, got NULL");
    REFUSED(wk_vision_read_video("/nowhere/x.mp4"), "/nowhere/x.mp4: No such file");
    REFUSED(wk_vision_read_video("/tmp"), "is not a file");
    REFUSED(wk_vision_read_video(WICK_GOLDEN "/video.safetensors"), "a safetensors file");
    write_file(own("empty.mp4"), "", 0);
    REFUSED(wk_vision_read_video(own("empty.mp4")), "empty.mp4");
}

/* what a playlist names is not opened: neither files nor addresses */
TEST(test_playlists)
{
    char text[2048];
    const char *film = golden("turned.mp4");
    const int concat = snprintf(text, sizeof text, "ffconcat version 1.0\nfile '%s'\n", film);
    write_file(own("list.mp4"), text, (size_t)concat);
    REFUSED(wk_vision_read_video(own("list.mp4")), "list.mp4");
    const int playlist = snprintf(text, sizeof text,
                                  "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://%s\n#EXT-X-ENDLIST\n", film);
    write_file(own("list.mp4"), text, (size_t)playlist);
    REFUSED(wk_vision_read_video(own("list.mp4")), "list.mp4");
}

/* cut off anywhere: an error, or the frames so far, equal to the whole film's */
TEST(test_cut_off)
{
    for (int i = 0; i < FILMS; i++) {
        FILE *file = fopen(golden(films[i].file), "rb");
        char bytes[1 << 14];
        const size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        wk_tensor *all = answer("%s/frames", films[i].name);
        int64_t parts = 0;
        for (size_t left = 0; left < size; left += 97) {
            write_file(own("cut"), bytes, left);
            wk_error error;
            wk_tensor *frames = NULL;
            wk_host_mode(true); // without the warnings
            wk_try(&error) frames = wk_vision_read_video(own("cut"));
            wk_host_mode(false);
            wk_clear_error();
            assert_true(error.set == !frames);
            const int64_t count = frames ? frames->shape[0] : 0;
            parts += count > 0 && count < all->shape[0];
            if (count > 0 && strcmp(films[i].name, "uneven") == 0)
                same_bytes(frames, wk_narrow(all, 0, 0, count));
        }
        assert_true(parts > 0 || strcmp(films[i].name, "turned") == 0); // whose table stands at its end
    }
}

/* ---------------------------------------------------------------- clips */

static void close_clip(wk_tensor *clip, wk_tensor *expected)
{
    assert_true(clip && clip->ndim == 4 && wk_is_contiguous(clip));
    assert_near("clip", clip, expected, 1e-6);
}

TEST(test_clips)
{
    const char *film = golden("turned.mp4");
    static const double mean[3] = {0.485, 0.456, 0.406}, std[3] = {0.229, 0.224, 0.225};
    wk_tensor *clip = wk_vision_read_clip(film, .frames = 5, .height = 10, .width = 10, .mean = {0.485, 0.456, 0.406},
                                          .std = {0.229, 0.224, 0.225});
    close_clip(clip, answer("clip/even"));
    clip = wk_vision_read_clip(film, .frames = 6, .start = 0.5, .frame_rate = 5, .height = 20, .width = 20,
                               .mean = {mean[0], mean[1], mean[2]}, .std = {std[0], std[1], std[2]});
    close_clip(clip, answer("clip/larger"));
    wk_tensor *plain = wk_vision_read_clip(golden("uneven.mkv"), .frames = 3, .frame_rate = WK_FILM_RATE);
    wk_tensor *frames = wk_narrow(answer("uneven/frames"), 0, 0, 3);
    close_clip(plain, wk_permute(wk_div(frames, 255), (3, 0, 1, 2)));
    plain = wk_vision_read_clip(golden("uneven.mkv"), .frames = 2, .start = 0.15, .duration = 0.7);
    frames = wk_index_select(answer("uneven/frames"), 0, wk_tensor((2), ((int64_t[]){2, 4})));
    close_clip(plain, wk_permute(wk_div(frames, 255), (3, 0, 1, 2)));

    const char *other = golden("packed.avi");
    wk_tensor *batch = wk_vision_read_clips((film, other), .frames = 4, .height = 16, .width = 12);
    assert_true(batch->ndim == 5 && batch->shape[0] == 2 && batch->shape[1] == 3 && batch->shape[2] == 4);
    wk_tensor *second = wk_vision_read_clip(other, .frames = 4, .height = 16, .width = 12);
    assert_true(wk_equal(wk_select(batch, 0, 1), second));
    wk_tensor *middle = wk_narrow(wk_div(answer("packed/frames"), 255), 2, 8, 12); // (T, H, W, C)
    close_clip(wk_vision_read_clip(golden("packed.avi"), .frames = 14, .height = 16, .width = 12),
               wk_permute(middle, (3, 0, 1, 2)));
    REFUSED(wk_vision_read_clips((film, other), .frames = 4), "read_clips: paths: expected films of one size");
}

TEST(test_clips_refused)
{
    const char *film = golden("turned.mp4");
    REFUSED(wk_vision_read_clip(film, .frames = 0), "read_clip: frames: expected 1 to");
    REFUSED(wk_vision_read_clip(film, .start = -1), "start, duration");
    REFUSED(wk_vision_read_clip(film, .start = 2), "has no frame from 2 s on: its last begins at 1.3 s");
    REFUSED(wk_vision_read_clip(film, .frame_rate = -2), "frame_rate");
    REFUSED(wk_vision_read_clip(film, .height = 8), "height, width");
    REFUSED(wk_vision_read_clip(film, .std = {1, -1, 1}), "mean, std");
    REFUSED(wk_vision_read_clip("/nowhere/x.mp4"), "read_clip: /nowhere/x.mp4: No such file");
}

TEST(test_subsample)
{
    static const int64_t counts[] = {3, 4, 5, 7, 11};
    wk_tensor *x = wk_reshape(wk_arange(7), (7, 1, 1, 1));
    for (int i = 0; i < 5; i++) {
        wk_tensor *y = wk_vision_uniform_temporal_subsample(wk_expand(x, (2, 7, 1, 1, 1)), counts[i]);
        assert_true(y->ndim == 5 && y->shape[1] == counts[i]);
        wk_tensor *last = wk_narrow(wk_flatten(wk_select(y, 0, 1)), 0, counts[i] - 3, 3);
        assert_true(wk_equal(last, wk_select(answer("subsample"), 0, i)));
    }
    REFUSED(wk_vision_uniform_temporal_subsample(wk_zeros((3, 4, 4)), 2), "uniform_temporal_subsample: x: expected");
    REFUSED(wk_vision_uniform_temporal_subsample(x, -1), "num_samples");
}

/* ---------------------------------------------------------------- writing */

/* T frames of a ball that goes to the right, uint8 (T, H, W, 3) */
static wk_tensor *ball(int64_t count, int64_t height, int64_t width)
{
    wk_tensor *frames = wk_full((count, height, width, 3), 40, .dtype = wk_uint8);
    uint8_t *pixel = wk_data_ptr(frames);
    for (int64_t t = 0; t < count; t++)
        for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < width; x++, pixel += 3)
                if ((y - height / 2) * (y - height / 2) + (x - 2 * t) * (x - 2 * t) < 60)
                    pixel[0] = 220, pixel[1] = (uint8_t)(60 + 5 * t), pixel[2] = 90;
    return frames;
}

static double mean_distance(wk_tensor *a, wk_tensor *b)
{
    return wk_item(wk_mean(wk_abs(wk_sub(wk_to(a, wk_float32), wk_to(b, wk_float32)))));
}

TEST(test_written_and_read)
{
    static const char *const names[] = {"ball.mp4", "ball.MOV", "ball.mkv", "ball.avi"};
    wk_tensor *frames = ball(20, 32, 48);
    for (int i = 0; i < 4; i++)
        for (int codec = 0; codec < 2; codec++) {
            wk_vision_video_info info;
            const char *path = own(names[i]);
            assert_true(wk_vision_write_video(path, frames, 25, .video_codec = codec ? "mpeg4" : NULL));
            wk_tensor *back = wk_vision_read_video(path, .info = &info);
            assert_true(back->shape[0] == 20 && back->shape[1] == 32 && back->shape[2] == 48);
            assert_true(mean_distance(frames, back) < 6);
            assert_true(fabs(info.video_fps - 25) < 1e-6 && fabs(wk_item(wk_select(info.times, 0, 19)) -
                                                                 wk_item(wk_select(info.times, 0, 0)) - 0.76) < 1e-3);
            for (int64_t t = 0; t < 20; t++) // each in its place
                assert_true(mean_distance(wk_select(frames, 0, t), wk_select(back, 0, t)) < 8);
        }
    assert_true(wk_vision_write_video(own("small.mp4"), frames, 29.97, .crf = 45, .video_codec = "mpeg4"));
    wk_vision_video_info info;
    wk_vision_read_video(own("small.mp4"), .info = &info);
    assert_true(fabs(info.video_fps - 30000.0 / 1001) < 1e-6);

    wk_tensor *first = wk_permute(frames, (0, 3, 1, 2)); // (T, C, H, W)
    /* MPEG-4: the same frames to libx264 twice are not always the same bytes */
    assert_true(wk_vision_write_video(own("a.mp4"), frames, 10, .video_codec = "mpeg4") &&
                wk_vision_write_video(own("b.mp4"), first, 10, .video_codec = "mpeg4", .input_format = "TCHW"));
    same_bytes(wk_vision_read_video(own("a.mp4")), wk_vision_read_video(own("b.mp4")));
    assert_true(wk_vision_save_animation(first, own("c.mp4")));
    assert_true(mean_distance(frames, wk_vision_read_video(own("c.mp4"))) < 6);
    assert_true(wk_vision_write_video(own("grey.mp4"), wk_narrow(frames, 3, 0, 1), 10));
}

/* GIFs of ours are what FFmpeg reads */
TEST(test_gif)
{
    wk_tensor *frames = ball(12, 31, 47);
    assert_true(wk_vision_write_video(own("ball.gif"), frames, 20));
    wk_vision_video_info info;
    same_bytes(wk_vision_read_video(own("ball.gif"), .info = &info), frames);
    assert_true(fabs(info.video_fps - 20) < 1e-6);
}

#define NOT_WRITTEN(call, text)                                                                                        \
    do {                                                                                                               \
        wk_error error_;                                                                                               \
        wk_try(&error_) assert_false(call);                                                                            \
        assert_message(error_, text);                                                                                  \
    } while (0)

TEST(test_not_written)
{
    wk_tensor *frames = ball(2, 16, 16);
    NOT_WRITTEN(wk_vision_write_video(own("x.txt"), frames, 10),
                "write_video: path: expected a name that ends in .gif");
    NOT_WRITTEN(wk_vision_write_video(own("x.mp4"), wk_div(frames, 255), 10), "hint: wk_vision_save_animation");
    NOT_WRITTEN(wk_vision_write_video(own("x.mp4"), wk_narrow(frames, 2, 0, 15), 10), "expected an even height");
    NOT_WRITTEN(wk_vision_write_video(own("x.mp4"), wk_narrow(frames, 3, 0, 2), 10), "of 1 or 3 channels");
    NOT_WRITTEN(wk_vision_write_video(own("x.mp4"), wk_narrow(frames, 0, 0, 0), 10), "expected one or more");
    NOT_WRITTEN(wk_vision_write_video(own("x.mp4"), frames, 0), "fps: expected more than 0");
    NOT_WRITTEN(wk_vision_write_video(own("x.mp4"), frames, 10, .video_codec = "papyrus"), "no encoder \"papyrus\"");
    NOT_WRITTEN(wk_vision_write_video(own("x.mp4"), frames, 10, .video_codec = "aac"), "no encoder \"aac\"");
    NOT_WRITTEN(wk_vision_write_video(own("x.mp4"), frames, 10, .input_format = "THW"), "input_format: expected");
    NOT_WRITTEN(wk_vision_write_video(own("x.mp4"), frames, 10, .crf = NAN), "crf: expected a number");
    NOT_WRITTEN(wk_vision_write_video("/nowhere/x.mp4", frames, 10), "/nowhere/x.mp4: could not be created");
    assert_int_equal(access(own("x.mp4"), F_OK), -1);
}

/* ---------------------------------------------------------------- folders */

static const char *film_of_class(const char *class, const char *name)
{
    char path[100];
    snprintf(path, sizeof path, "films/%s", class);
    mkdir(own("films"), 0777);
    mkdir(own(path), 0777);
    snprintf(path, sizeof path, "films/%s/%s", class, name);
    return own(path);
}

TEST(test_folder)
{
    wk_tensor *frames = ball(20, 32, 48), *back = wk_flip(frames, 0);
    assert_true(wk_vision_write_video(film_of_class("right", "a.mp4"), frames, 25, .video_codec = "mpeg4"));
    assert_true(wk_vision_write_video(film_of_class("right", "b.gif"), frames, 25));
    assert_true(wk_vision_write_video(film_of_class("left", "c.gif"), back, 25));
    assert_true(wk_vision_write_video(film_of_class("left", "d.gif"), wk_narrow(back, 0, 0, 3), 25)); // short
    write_file(film_of_class("left", "notes.txt"), "no film", 7);
    const char *root = own("films");

    wk_vision_dataset set = wk_vision_video_folder(root, .clip.frames = 5, .clip.height = 16, .clip.width = 16);
    assert_true(wk_dataset_length(set.dataset) == 4 && set.class_count == 2 && !set.data);
    assert_string_equal(set.classes[0], "left");
    assert_string_equal(set.classes[1], "right");
    assert_true(wk_equal(set.targets, wk_tensor((4), ((int64_t[]){0, 0, 1, 1}))));
    assert_true(strstr(set.paths[3], "films/right/b.gif") != NULL);
    wk_data_loader *loader = wk_data_loader(set.dataset, .batch_size = 2, .num_workers = 2);
    wk_for_each_batch (batch, loader) {
        assert_true(batch.x->ndim == 5 && batch.x->shape[1] == 3 && batch.x->shape[2] == 5 && batch.x->shape[4] == 16);
        for (int64_t i = 0; i < 2; i++) {
            const char *path = set.paths[batch.indices[i]];
            wk_tensor *clip = wk_vision_read_clip(path, .frames = 5, .height = 16, .width = 16);
            assert_true(wk_equal(clip, wk_select(batch.x, 0, i)));
            assert_int_equal(wk_item_int64(wk_select(batch.y, 0, i)), batch.index);
        }
    }
    wk_data_loader_free(loader);
    wk_dataset_free(set.dataset);

    /* windows of four frames, side by side; half as many at half the rate; none of the short film */
    wk_tensor *all = wk_permute(wk_div(frames, 255), (3, 0, 1, 2)); // (C, T, H, W)
    for (int half = 0; half < 2; half++) {
        set = wk_vision_video_folder(root, .clip.frames = 4, .clip.frame_rate = half ? 12.5 : WK_FILM_RATE,
                                     .step_between_clips = 4);
        const int64_t each = half ? 2 : 5;
        assert_int_equal(wk_dataset_length(set.dataset), 3 * each);
        wk_sample item = wk_dataset_item(set.dataset, -1);
        assert_int_equal(wk_item_int64(item.y), 1);
        wk_tensor *expected = half ? wk_index(all, ":, 8:15:2") : wk_index(all, ":, 16:20");
        close_clip(item.x, expected);
        wk_dataset_free(set.dataset);
    }
    REFUSED(wk_vision_video_folder(root, .step_between_clips = 1).dataset, "video_folder: step_between_clips");
    REFUSED(wk_vision_video_folder(root, .clip.frames = 0).dataset, "video_folder: frames");
    REFUSED(wk_vision_video_folder(NULL).dataset, "root: expected a path, got NULL");
    REFUSED(wk_vision_video_folder("/nowhere").dataset, "video_folder: root: /nowhere: No such file");
    write_file(film_of_class("left", "z.mp4"), "no film", 7);
    REFUSED(wk_vision_video_folder(root).dataset, "z.mp4");
    assert_int_equal(remove(film_of_class("left", "z.mp4")), 0);
}

/* ---------------------------------------------------------------- the whole */

/* every allocation of ours fails in turn */
TEST(test_allocations_that_fail)
{
    for (int64_t n = 0, ended = 0; !ended; n++) {
        wk_error error;
        const int64_t live = wk_memory_get_stats().live_blocks;
        wk_memory_fail_after(n);
        wk_try(&error) wk_scope
        {
            wk_vision_video_info info;
            wk_vision_read_video(golden("packed.avi"), .end_pts = 3, .info = &info);
            wk_dataset_free(wk_vision_video_folder(own("films"), .clip.frames = 2).dataset);
            wk_vision_write_video(own("f.mp4"), wk_zeros((3, 16, 16, 3), .dtype = wk_uint8), 10);
            wk_vision_read_clips(("tests/golden/video_turned.mp4"), .frames = 2, .height = 8, .width = 8);
        }
        ended = !error.set;
        wk_memory_fail_after(-1);
        assert_true(n < 2000);
        assert_int_equal(wk_memory_get_stats().live_blocks, live);
    }
}

/* ---------------------------------------------------------------- the run */

static bool film_is_there(void)
{
    wk_error error;
    wk_try(&error) wk_scope
    wk_vision_read_video(golden("turned.mp4"));
    if (error.set && (strstr(error.message, "built without film") || strstr(error.message, "cannot be loaded"))) {
        print_message("SKIPPED: %s\n", error.message);
        return false;
    }
    return true;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status, (void)kind, (void)at;
    return remove(path);
}

int main(void)
{
    if (!film_is_there())
        return 77;
    strcpy(folder, "/tmp/wick_test_video_XXXXXX");
    if (!mkdtemp(folder) || read_answers("video") != 0)
        return 1;
    strcat(folder, "/");
    const struct CMUnitTest tests[] = {
        UNIT(test_frames),
        UNIT(test_frames_by_time),
        UNIT(test_refused),
        UNIT(test_playlists),
        UNIT(test_cut_off),
        UNIT(test_clips),
        UNIT(test_clips_refused),
        UNIT(test_subsample),
        UNIT(test_written_and_read),
        UNIT(test_gif),
        UNIT(test_not_written),
        UNIT(test_folder),
        UNIT(test_allocations_that_fail),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    wk_dict_free(answers);
    folder[strlen(folder) - 1] = '\0';
    nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
    return failed;
}
