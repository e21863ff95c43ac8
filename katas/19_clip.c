/* Pictures and captions find each other: two towers learn, from pairs of them, to put both on one sphere (clip.h).

   The pictures are Fashion-MNIST's, made small or left large, moved, turned upside down, on black or on white; the
   captions say so in words (captions.h).  Prints how often a caption finds its picture among 500, and a picture its
   caption; leaves clip.png, the pictures that fit your captions best among 2,000, and clip.safetensors. */
#include "captions.h"
#include "clip.h"
#include "kata.h"

enum { SIZE = 28, SHOWN = 8, MOST_CAPTIONS = 8 };

typedef struct options {
    int64_t epochs, batch_size, seed;
    double lr;
    const char *caption, *data, *load, *out;
} options;

static options read_options(int argc, char **argv)
{
    static options o = {.epochs = 3, .batch_size = 128, .lr = 2e-3};
    o.caption =
        "a small bag at the top left; an ankle boot, upside down; a big dress on white; a tiny pair of trousers";
    o.data = o.load = "", o.out = "out";
    const kata_option names[] = {
        {"caption", "TEXT", "what to look for; several with ; between", .text = &o.caption},
        {"epochs", "N", "times through the 60,000 training pictures", .whole = &o.epochs},
        {"batch-size", "N", "pairs in a step, of which each is to find its own", .whole = &o.batch_size, .least = 2},
        {"lr", "X", "highest learning rate", .number = &o.lr},
        {"load", "FILE", "begin with these weights", .text = &o.load},
        {"seed", "N", "of weights, order and scenes", .whole = &o.seed},
        {"data", "FOLDER", "where the four *-ubyte.gz files are; else where Debian puts them", .text = &o.data},
        {"out", "FOLDER", "where picture and weights go", .text = &o.out},
        {.name = NULL},
    };
    kata_read_options(argc, argv, "Learns which captions fit which pictures, from Fashion-MNIST.", names);
    kata_make_folder(o.out);
    return o;
}

/* ---------------------------------------------------------------- pairs */

typedef struct pairs {
    wk_tensor *pictures, *tokens; // (B, 1, 28, 28), (B, L)
    scene *scenes;                // B, to be freed
} pairs;

/* x: (B, 1, 28, 28) uint8, y: (B,) -> each changed in a way of its own, and its caption; `all`: it tells everything */
static pairs make_pairs(wk_tensor *x, wk_tensor *y, bool all)
{
    const int64_t B = wk_size(x, 0);
    pairs p = {.tokens = wk_zeros((B, CAPTION_LENGTH), .dtype = wk_int64)};
    p.scenes = calloc((size_t)B, sizeof *p.scenes);
    x = wk_div(x, 255);                                                                     // (B, 1, 28, 28)
    const int64_t *dice = wk_data_ptr(wk_randint(0, 1000, (B, 8))), *noun = wk_data_ptr(y); // B times 8; B
    int64_t *tokens = wk_data_ptr(p.tokens);
    wk_tensor **pictures = calloc((size_t)B, sizeof(wk_tensor *));
    for (int64_t i = 0; i < B; i++) {
        char caption[CAPTION_TEXT];
        p.scenes[i] = scene_of((int)noun[i], dice + 8 * i);
        pictures[i] = scene_picture(p.scenes[i], wk_select(x, 0, i)); // (1, 28, 28)
        scene_caption(p.scenes[i], dice + 8 * i, all, caption);
        caption_tokens(caption, false, tokens + CAPTION_LENGTH * i);
    }
    p.pictures = wk_stack((wk_tensors){B, pictures}); // (B, 1, 28, 28)
    free(pictures);
    return p;
}

/* the first count of a data set */
static pairs make_test_pairs(wk_vision_dataset set, int64_t count)
{
    wk_tensor *x = wk_unsqueeze(wk_narrow(set.data, 0, 0, count), 1); // (N, 1, 28, 28)
    return make_pairs(x, wk_narrow(set.targets, 0, 0, count), true);
}

/* ---------------------------------------------------------------- learning, and how well it did */

static void train(clip *model, wk_dataset *dataset, options o)
{
    wk_data_loader *loader = wk_data_loader(dataset, .batch_size = o.batch_size, .shuffle = true, .seed = o.seed,
                                            .drop_last = true, .unit = "pairs");
    wk_optimizer *optimizer = wk_optim_adamw(wk_module_parameters(model), .lr = o.lr, .weight_decay = 0.01);
    wk_lr_scheduler *schedule =
        wk_optim_one_cycle_lr(optimizer, o.lr, .total_steps = o.epochs * wk_data_loader_length(loader));
    for (int64_t epoch = 1; epoch <= o.epochs; epoch++)
        wk_for_each_batch (batch, loader, "epoch %lld/%lld", (long long)epoch, (long long)o.epochs) {
            pairs p = make_pairs(batch.x, batch.y, false);
            wk_tensor *loss = clip_loss(model, p.pictures, p.tokens); // ()
            wk_optim_zero_grad(optimizer);
            wk_backward(loss);
            wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
            wk_optim_step(optimizer);
            wk_lr_scheduler_step(schedule);
            free(p.scenes);
            wk_batch_show(batch, "loss %.3f", wk_item(loss));
        }
    wk_lr_scheduler_free(schedule);
    wk_optim_free(optimizer);
    wk_data_loader_free(loader);
}

/* found: (N,) which scene each of N found; how many found one that shows the same */
static double right_ones(const scene *scenes, wk_tensor *found, bool only_noun)
{
    const int64_t N = wk_size(found, 0), *which = wk_data_ptr(found);
    int64_t right = 0;
    for (int64_t i = 0; i < N; i++)
        right += only_noun ? scenes[i].noun == scenes[which[i]].noun : scene_same(scenes[i], scenes[which[i]]);
    return 100 * (double)right / (double)N;
}

static void retrieve(clip *model, wk_vision_dataset test)
{
    pairs p = make_test_pairs(test, 500);
    wk_tensor *images = wk_call(clip_image, model, p.pictures);               // (N, E)
    wk_tensor *texts = wk_call(clip_text, model, p.tokens);                   // (N, E)
    wk_tensor *alike = wk_matmul(images, wk_t(texts));                        // (N, N)
    wk_tensor *caption = wk_argmax(alike, 1), *picture = wk_argmax(alike, 0); // (N,) each
    printf("of 500 unseen pictures, a caption that says what it shows found: %.1f%% (the right garment: %.1f%%)\n",
           right_ones(p.scenes, caption, false), right_ones(p.scenes, caption, true));
    printf("of 500 captions, a picture that shows what it says found: %.1f%% (the right garment: %.1f%%)\n",
           right_ones(p.scenes, picture, false), right_ones(p.scenes, picture, true));
    free(p.scenes);
}

/* ---------------------------------------------------------------- what the user asks for */

/* the garment that a caption speaks of, by its longest name in it; -1: none */
static int64_t noun_in(const char *caption)
{
    int64_t which = -1;
    size_t longest = 0;
    for (int64_t noun = 0; noun < 10; noun++)
        for (int i = 0; i < 3; i++)
            if (strstr(caption, NOUNS[noun][i]) && strlen(NOUNS[noun][i]) >= longest) {
                longest = strlen(NOUNS[noun][i]);
                which = noun;
            }
    return which;
}

/* the SHOWN pictures that fit best, (3, H', W'); under each what it is, marked wrong where the caption says another */
static wk_tensor *best_of(clip *model, wk_tensor *images, pairs all, wk_vision_dataset test, const char *caption)
{
    int64_t tokens[CAPTION_LENGTH];
    caption_tokens(caption, true, tokens);
    wk_tensor *ids = wk_from_blob(tokens, (1, CAPTION_LENGTH), .dtype = wk_int64); // (1, L)
    wk_tensor *alike = wk_matmul(images, wk_t(wk_call(clip_text, model, ids)));    // (N, 1)
    wk_tensor *values, *order;
    wk_topk(wk_squeeze(alike), SHOWN, (&values, &order));       // (SHOWN,) each
    wk_tensor *nouns = wk_index_select(test.targets, 0, order); // (SHOWN,)
    const int64_t said = noun_in(caption);
    return wk_plot_predictions(wk_index_select(all.pictures, 0, order), nouns,
                               said < 0 ? nouns : wk_full_like(nouns, said), test.classes, test.class_count,
                               .nrow = SHOWN, .title = caption);
}

static void answer(clip *model, wk_vision_dataset test, options o)
{
    pairs all = make_test_pairs(test, 2000);
    wk_tensor *images = wk_call(clip_image, model, all.pictures); // (N, E)
    wk_tensor *rows[MOST_CAPTIONS];
    int64_t count = 0;
    char *captions = strdup(o.caption), *rest = captions;
    for (char *caption; count < MOST_CAPTIONS && (caption = strsep(&rest, ";"));) {
        caption += strspn(caption, " ");
        if (*caption)
            rows[count++] = best_of(model, images, all, test, caption); // (3, H', W')
    }
    if (count > 0 && wk_vision_write_png(wk_cat((wk_tensors){count, rows}, 1), kata_path(o.out, "clip.png")))
        printf("wrote %s\n", kata_path(o.out, "clip.png"));
    free(captions);
    free(all.scenes);
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    wk_scope
    {
        wk_vision_dataset learned = kata_fashion_mnist(o.data, true), test = kata_fashion_mnist(o.data, false);
        wk_manual_seed(o.seed);
        clip *model = clip_new((clip_config){.image = SIZE,
                                             .width = 32,
                                             .words = WORD_COUNT,
                                             .length = CAPTION_LENGTH,
                                             .dim = 64,
                                             .depth = 2,
                                             .heads = 4,
                                             .shared = 64});
        printf("two towers of %lld weights\n", (long long)wk_module_parameter_count(model));
        if (*o.load)
            kata_load(model, o.load);
        if (o.epochs > 0) {
            train(model, learned.dataset, o);
            kata_save(model, o.out, "clip.safetensors");
        }
        wk_manual_seed(o.seed);
        wk_module_eval(model);
        wk_no_grad
        {
            retrieve(model, test);
            answer(model, test, o);
        }
        wk_module_free(model);
        wk_dataset_free(learned.dataset);
        wk_dataset_free(test.dataset);
    }
    return 0;
}
