/* A video transformer learns what moves, and where to: films of two pieces of clothing (Fashion-MNIST), one of which
   lies still while the other goes in one of eight directions.

   The films (B, C, T, H, W) are made on the way, so that no two are the same; which one moves no single frame tells.
   Films of garments that it has not learned from test it.  Leaves vivit.gif, films with the answers beside them, and
   vivit.safetensors, from which --load goes on.  --read FILE shows how a film of yours becomes tokens. */
#include "kata.h"
#include "vivit.h"

typedef struct options {
    int64_t steps, batch_size, seed;
    double lr;
    const char *data, *load, *read, *out;
} options;

/* frames of a film, pixels of a frame and of a garment each way, and how far one moves from frame to frame */
enum { T = 8, SIDE = 32, GARMENT = 14, SPEED = 2 };

/* clang-format off */
static const vivit_config MODEL = {.frames = T, .image = SIDE, .channels = 1, .tube = 4, .patch = 8,
                                   .dim = 96, .depth = 4, .heads = 4, .classes = 10, .directions = 8};
/* clang-format on */
enum { N = 2 * 4 * 4 }; // tubelets of a film

static const char *const DIRECTIONS[] = {"right", "down right", "down", "down left",
                                         "left",  "up left",    "up",   "up right"};
static const int ACROSS[] = {1, 1, 0, -1, -1, -1, 0, 1}, DOWN[] = {0, 1, 1, 1, 0, -1, -1, -1};

static options read_options(int argc, char **argv)
{
    static options o = {.steps = 5000, .batch_size = 32, .lr = 2e-3};
    o.data = o.load = o.read = "", o.out = "out";
    const kata_option names[] = {
        {"steps", "N", "steps of training", .whole = &o.steps},
        {"batch-size", "N", "films in a step", .whole = &o.batch_size, .least = 1},
        {"lr", "X", "highest learning rate", .number = &o.lr},
        {"load", "FILE", "begin with these weights", .text = &o.load},
        {"read", "FILE", "no training: a film of yours, as tokens", .text = &o.read},
        {"seed", "N", "of weights and films", .whole = &o.seed},
        {"data", "FOLDER", "where the four *-ubyte.gz files are; else where Debian puts them", .text = &o.data},
        {"out", "FOLDER", "where the animation and the weights go", .text = &o.out},
        {.name = NULL},
    };
    kata_read_options(argc, argv, "Trains a video transformer on clothes that move.", names);
    kata_make_folder(o.out);
    return o;
}

/* ---------------------------------------------------------------- films */

/* garments to choose from, made smaller */
typedef struct wardrobe {
    wk_tensor *pictures; // (N, GARMENT, GARMENT) float32, from 0 to 1
    wk_tensor *classes;  // (N,) int64
} wardrobe;

static wardrobe wardrobe_of(wk_vision_dataset set)
{
    wk_tensor *x = wk_div(wk_unsqueeze(set.data, 1), 255);  // (N, 1, 28, 28)
    x = wk_interpolate(x, .size = GARMENT, .mode = "area"); // (N, 1, 14, 14)
    return (wardrobe){wk_squeeze(x, 1), set.targets};
}

typedef struct films {
    wk_tensor *x;         // (B, 1, T, SIDE, SIDE) float32, from 0 to 1
    wk_tensor *class;     // (B,) int64: of what moves
    wk_tensor *direction; // (B,) int64
} films;

/* where a garment begins that moves by `step` pixels a frame, so that it stays inside */
static int64_t draw_start(int64_t step)
{
    const int64_t way = step * SPEED * (T - 1); // from the first frame to the last
    const int64_t least = way < 0 ? -way : 0, most = SIDE - GARMENT - (way > 0 ? way : 0);
    return wk_item_int64(wk_randint(least, most + 1, ()));
}

/* the brighter of what is there and what comes stays */
static void paint(float *frame, const float *garment, int64_t left, int64_t top)
{
    for (int64_t y = 0; y < GARMENT; y++)
        for (int64_t x = 0; x < GARMENT; x++) {
            float *pixel = &frame[(top + y) * SIDE + left + x];
            *pixel = fmaxf(*pixel, garment[y * GARMENT + x]);
        }
}

static films draw_films(wardrobe w, int64_t B)
{
    films f = {.x = wk_zeros((B, 1, T, SIDE, SIDE)), .direction = wk_randint(0, 8, (B))};
    wk_tensor *chosen = wk_randint(0, wk_size(w.classes, 0), (2, B)); // (2, B): what moves, what lies still
    f.class = wk_index_select(w.classes, 0, wk_select(chosen, 0, 0)); // (B,)
    const float *pictures = wk_data_ptr(w.pictures);
    const int64_t *direction = wk_data_ptr(f.direction), *index = wk_data_ptr(chosen), size = GARMENT * GARMENT;
    float *frame = wk_data_ptr(f.x);
    wk_for_each_step (film, 0, B) {
        const int64_t across = ACROSS[direction[film]], down = DOWN[direction[film]];
        const int64_t left = draw_start(across), top = draw_start(down), still_left = draw_start(0),
                      still_top = draw_start(0);
        for (int64_t t = 0; t < T; t++, frame += SIDE * SIDE) {
            paint(frame, pictures + index[B + film] * size, still_left, still_top);
            paint(frame, pictures + index[film] * size, left + across * SPEED * t, top + down * SPEED * t);
        }
    }
    return f;
}

/* ---------------------------------------------------------------- training and testing */

/* mean 0 and deviation 1, of most films */
static wk_tensor *normalized(wk_tensor *x) { return wk_div(wk_sub(x, 0.12), 0.27); }

static void train(vivit *model, wardrobe w, options o)
{
    wk_optimizer *optimizer = wk_optim_adamw(wk_module_parameters(model), .lr = o.lr, .weight_decay = 0.05);
    wk_lr_scheduler *schedule = wk_optim_one_cycle_lr(optimizer, o.lr, .total_steps = o.steps, .pct_start = 0.1);
    wk_progress progress;
    wk_progress_start(&progress, o.steps, "training");
    progress.unit = "films";
    wk_for_each_step (step, 0, o.steps) {
        const films f = draw_films(w, o.batch_size);
        wk_tensor *where = NULL, *what = wk_call(vivit_forward, model, normalized(f.x), &where); // (B, 10), (B, 8)
        wk_tensor *loss = wk_add(wk_cross_entropy(what, f.class), wk_cross_entropy(where, f.direction)); // ()
        wk_optim_zero_grad(optimizer);
        wk_backward(loss);
        wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
        wk_optim_step(optimizer);
        wk_lr_scheduler_step(schedule);
        wk_progress_show(&progress, "loss %.3f", wk_item(loss));
        wk_progress_step(&progress, o.batch_size);
    }
    wk_progress_end(&progress);
    wk_lr_scheduler_free(schedule);
    wk_optim_free(optimizer);
}

static void test(vivit *model, wardrobe w)
{
    int64_t classes = 0, directions = 0, both = 0, seen = 0;
    wk_for_each_step (batch, 0, 16) {
        const films f = draw_films(w, 125);
        wk_tensor *where = NULL, *what = wk_call(vivit_forward, model, normalized(f.x), &where); // (B, 10), (B, 8)
        wk_tensor *right_class = wk_eq(wk_argmax(what, -1), f.class);                            // (B,)
        wk_tensor *right_direction = wk_eq(wk_argmax(where, -1), f.direction);                   // (B,)
        classes += wk_item_int64(wk_sum(right_class));
        directions += wk_item_int64(wk_sum(right_direction));
        both += wk_item_int64(wk_sum(wk_logical_and(right_class, right_direction)));
        seen += 125;
    }
    const double n = (double)seen;
    printf("of %lld test films: what moves %.4f, where to %.4f, both %.4f\n", (long long)seen, (double)classes / n,
           (double)directions / n, (double)both / n);
}

/* ---------------------------------------------------------------- a film of films */

/* frame by frame, the films with what the model says of them: green where both answers are right */
static void show(vivit *model, wardrobe w, const char *const *classes, const char *folder)
{
    enum { SHOWN = 8, NAMES = 80 };
    const films f = draw_films(w, SHOWN);
    wk_tensor *where = NULL, *what = wk_call(vivit_forward, model, normalized(f.x), &where); // (8, 10), (8, 8)
    /* "Sneaker, up left": the pairs of both are the classes of these pictures */
    static char texts[NAMES][40];
    const char *names[NAMES];
    for (int i = 0; i < NAMES; i++) {
        snprintf(texts[i], sizeof texts[i], "%s %s", classes[i / 8], DIRECTIONS[i % 8]);
        names[i] = texts[i];
    }
    wk_tensor *truth = wk_add(wk_mul(f.class, 8), f.direction);                       // (8,)
    wk_tensor *answer = wk_add(wk_mul(wk_argmax(what, -1), 8), wk_argmax(where, -1)); // (8,)
    wk_tensor *frames[T + 3];
    for (int64_t t = 0; t < T + 3; t++) {                           // the last one stays a while
        wk_tensor *pictures = wk_select(f.x, 2, t < T ? t : T - 1); // (8, 1, H, W)
        frames[t] = wk_plot_predictions(pictures, truth, answer, names, NAMES, .nrow = 4, .scale = 5,
                                        .title = "Which one moves, and where to?");
    }
    const char *path = kata_path(folder, "vivit.gif");
    if (wk_vision_save_animation(wk_stack((wk_tensors){T + 3, frames}), path, .fps = 6)) // (T, 3, H', W')
        printf("wrote %s\n", path);
}

/* ---------------------------------------------------------------- a film of yours */

static void read_film(const char *path)
{
    wk_vision_video_info info;
    wk_error wrong;
    wk_tensor *clip = NULL;
    wk_try(&wrong)
    {
        wk_vision_read_video(path, .end_pts = 0, .pts_unit = "sec", .info = &info);  // its first frame
        clip = wk_vision_read_clip(path, .frames = 16, .height = 112, .width = 112); // (C, T, H, W)
    }
    kata_stop_on(wrong, "read");
    printf("%s: %lld x %lld pixels, %.2f frames a second, %.2f s\n", path, (long long)info.width,
           (long long)info.height, info.video_fps, info.duration);
    wk_tensor *x = wk_unsqueeze(clip, 0); // (1, C, T, H, W)
    wk_module *tubelets = wk_nn_conv3d(3, 192, wk_per_dim(2, 16, 16), .stride = wk_per_dim(2, 16, 16));
    wk_tensor *tokens = wk_transpose(wk_flatten(wk_forward(tubelets, x), 2), 1, 2); // (1, N, D)
    printf("16 frames, evenly: (B, C, T, H, W) = (%lld, %lld, %lld, %lld, %lld)\n", (long long)x->shape[0],
           (long long)x->shape[1], (long long)x->shape[2], (long long)x->shape[3], (long long)x->shape[4]);
    printf("tubelets of 2 frames and 16 x 16 pixels: (B, N, D) = (%lld, %lld, %lld)\n", (long long)tokens->shape[0],
           (long long)tokens->shape[1], (long long)tokens->shape[2]);
    wk_module_free(tubelets);
}

/* ---------------------------------------------------------------- the whole */

static void run(options o)
{
    wk_vision_dataset learned = kata_fashion_mnist(o.data, true), unseen = kata_fashion_mnist(o.data, false);
    wk_manual_seed(o.seed);
    vivit *model = vivit_new(MODEL);
    printf("a video transformer of %lld weights, %d tokens a film\n", (long long)wk_module_parameter_count(model), N);
    if (*o.load)
        kata_load(model, o.load);
    if (o.steps > 0) {
        train(model, wardrobe_of(learned), o);
        kata_save(model, o.out, "vivit.safetensors");
    }
    wk_no_grad
    {
        const wardrobe w = wardrobe_of(unseen);
        test(model, w);
        show(model, w, unseen.classes, o.out);
    }
    wk_module_free(model);
    wk_dataset_free(learned.dataset);
    wk_dataset_free(unseen.dataset);
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    wk_scope
    {
        if (*o.read)
            read_film(o.read);
        else
            run(o);
    }
    return 0;
}
