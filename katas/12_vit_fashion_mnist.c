/* A vision transformer learns real images: Fashion-MNIST, 60,000 pictures of clothes in ten classes.

   Prints the model, trains it with AdamW (warm-up, cosine schedule, clipping), tests it after each epoch, and leaves in
   the output folder: predictions.png, confusion.png, curves.png and vit.safetensors, from which --resume goes on.  A
   run is the same from start to end for one seed, on any number of threads, whether it was interrupted or not. */
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <wick.h>

#include "vit.h"

typedef struct options {
    wk_device device;
    int64_t epochs, batch_size, seed;
    double lr;
    const char *data, *out, *resume;
} options;

static const vit_config MODEL = {
    .image = 28, .channels = 1, .patch = 7, .dim = 96, .depth = 3, .heads = 4, .classes = 10};

/* ---------------------------------------------------------------- options */

static void help(FILE *file)
{
    fprintf(file, "Trains a vision transformer on Fashion-MNIST.\n"
                  "  --device NAME      cpu or cuda (cpu)\n"
                  "  --epochs N         times through the 60,000 training images (8)\n"
                  "  --batch-size N     images in a step (128)\n"
                  "  --lr X             highest learning rate (0.0015)\n"
                  "  --seed N           of weights, order and flips (0)\n"
                  "  --data FOLDER      where the four *-ubyte.gz files are (/usr/share/datasets/fashion-mnist)\n"
                  "  --out FOLDER       where pictures and the checkpoint go (out)\n"
                  "  --resume FILE      goes on from a checkpoint\n"
                  "  --help             this\n");
}

static void bad(const char *option, const char *text, const char *expected)
{
    fprintf(stderr, "--%s: expected %s, got \"%s\"\n", option, expected, text);
    exit(2);
}

static int64_t whole(const char *option, const char *text, int64_t least, const char *expected)
{
    char *end;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || value < least || value > 1000000000)
        bad(option, text, expected);
    return value;
}

static wk_device device_named(const char *text)
{
    if (strcmp(text, "cpu") != 0 && strncmp(text, "cuda", 4) != 0)
        bad("device", text, "cpu or cuda");
    if (text[1] == 'u' && !wk_cuda_is_available())
        bad("device", text, "a device that is there (this one is not)");
    return wk_device(text);
}

static options read_options(int argc, char **argv)
{
    options o = {.device = wk_cpu, .epochs = 8, .batch_size = 128, .lr = 1.5e-3, .out = "out"};
    static const struct option NAMES[] = {{"device", required_argument, NULL, 'd'},
                                          {"epochs", required_argument, NULL, 'e'},
                                          {"batch-size", required_argument, NULL, 'b'},
                                          {"lr", required_argument, NULL, 'l'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"data", required_argument, NULL, 'a'},
                                          {"out", required_argument, NULL, 'o'},
                                          {"resume", required_argument, NULL, 'r'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    char *end;
    for (int which; (which = getopt_long(argc, argv, "", NAMES, NULL)) != -1;)
        switch (which) {
        case 'd': o.device = device_named(optarg); break;
        case 'e': o.epochs = whole("epochs", optarg, 0, "a whole number from 0"); break;
        case 'b': o.batch_size = whole("batch-size", optarg, 1, "a whole number from 1"); break;
        case 's': o.seed = whole("seed", optarg, 0, "a whole number from 0"); break;
        case 'l':
            o.lr = strtod(optarg, &end);
            if (end == optarg || *end != '\0' || !(o.lr > 0) || !isfinite(o.lr))
                bad("lr", optarg, "a number above 0");
            break;
        case 'a': o.data = optarg; break;
        case 'o': o.out = optarg; break;
        case 'r': o.resume = optarg; break;
        case 'h': help(stdout); exit(0);
        default: fprintf(stderr, "--help tells the options\n"); exit(2);
        }
    if (optind < argc)
        bad("help", argv[optind], "options only");
    if (mkdir(o.out, 0777) != 0) {
        struct stat is;
        if (stat(o.out, &is) != 0 || !S_ISDIR(is.st_mode))
            bad("out", o.out, "a folder that is there or can be made");
    }
    return o;
}

/* a file that is missing or broken is the user's to mend: no traceback, just what is wrong */
static void stop_on(wk_error error, const char *option)
{
    if (!error.set)
        return;
    fflush(stdout);
    fprintf(stderr, "--%s: %s\n", option, error.message);
    exit(1);
}

/* ---------------------------------------------------------------- the run: everything that lives from start to end */

typedef struct run {
    options o;
    vit *model;
    wk_optimizer *optimizer;
    wk_lr_scheduler *schedule;
    wk_vision_dataset train, test;
    wk_data_loader *train_loader, *test_loader;
    wk_module *flip;
    int64_t steps_per_epoch, step; // step: done so far, over all epochs
    wk_tensor *losses, *accuracies; // (steps,), (epochs,) float64: what the curves show
    wk_tensor *predictions;         // (test images,) int64
} run;

static volatile sig_atomic_t interrupted;
static void interrupt(int signal) { interrupted = signal; }

/* (B, 1, 28, 28) uint8 -> float32 of mean 0 and deviation 1, over the training set */
static wk_tensor *normalized(wk_tensor *x)
{
    const double mean = 0.2860, deviation = 0.3530;
    return wk_div(wk_sub(wk_div(x, 255), mean), deviation); // (B, 1, 28, 28)
}

/* clothes look the same in a mirror */
static void augment(void *flip, wk_sample *batch, wk_generator *generator)
{
    (void)generator;
    batch->x = wk_forward(flip, batch->x); // (B, 1, 28, 28)
}

/* a warm-up in a line over half an epoch, then half a cosine down to 0: times the highest learning rate */
static double learning_rate(int64_t step, void *context)
{
    const run *r = context;
    const double warm_up = (double)r->steps_per_epoch / 2, steps = (double)(r->steps_per_epoch * r->o.epochs);
    if ((double)step < warm_up)
        return ((double)step + 1) / warm_up;
    return (double)step < steps ? 0.5 * (1 + cos(wk_pi * ((double)step - warm_up) / (steps - warm_up))) : 0;
}

static run run_new(options o)
{
    run r = {.o = o};
    wk_error missing;
    wk_try (&missing) {
        r.train = wk_vision_fashion_mnist(o.data, .train = true);
        r.test = wk_vision_fashion_mnist(o.data, .train = false);
    }
    stop_on(missing, "data");
    r.flip = wk_vision_each(wk_vision_random_horizontal_flip());
    r.train_loader = wk_data_loader(r.train.dataset, .batch_size = o.batch_size, .shuffle = true, .seed = o.seed,
                                    .drop_last = true, .transform = augment, .context = r.flip, .unit = "images");
    r.test_loader = wk_data_loader(r.test.dataset, .batch_size = 500, .unit = "images");
    r.steps_per_epoch = wk_data_loader_length(r.train_loader);

    wk_manual_seed(o.seed);
    r.model = vit_new(MODEL);
    wk_module_to(r.model, o.device);
    r.optimizer = wk_optim_adamw(wk_module_parameters(r.model), .lr = o.lr, .weight_decay = 0.05);
    r.losses = wk_full((r.steps_per_epoch * o.epochs), NAN, .dtype = wk_float64);
    r.accuracies = wk_full((o.epochs), NAN, .dtype = wk_float64);
    r.predictions = wk_zeros((wk_size(r.test.targets, 0)), .dtype = wk_int64);
    return r;
}

static void run_free(run *r)
{
    wk_lr_scheduler_free(r->schedule);
    wk_optim_free(r->optimizer);
    wk_module_free(r->model);
    wk_data_loader_free(r->train_loader);
    wk_data_loader_free(r->test_loader);
    wk_module_free(r->flip);
    wk_dataset_free(r->train.dataset);
    wk_dataset_free(r->test.dataset);
}

/* ---------------------------------------------------------------- the checkpoint */

static void put(wk_dict *all, const char *prefix, wk_dict *part)
{
    wk_dict_update(all, part, prefix);
    wk_dict_free(part);
}

static void save(run *r)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/vit.safetensors", r->o.out);
    wk_dict *all = wk_dict_new();
    put(all, "model.", wk_module_state_dict(r->model));
    put(all, "optimizer.", wk_optim_state_dict(r->optimizer));
    put(all, "schedule.", wk_lr_scheduler_state_dict(r->schedule));
    wk_dict_set(all, "losses", r->losses);
    wk_dict_set(all, "accuracies", r->accuracies);
    wk_dict_set_number(all, "step", (double)r->step);
    wk_dict_set_number(all, "seed", (double)r->o.seed);
    wk_dict_set_number(all, "batch_size", (double)r->o.batch_size);
    wk_safetensors_save_file(all, path);
    wk_dict_free(all);
    printf("saved %s\n", path);
}

/* the part of `to` that both have becomes from's: a run may be resumed for more epochs */
static void copy_history(wk_tensor *to, wk_tensor *from)
{
    const int64_t both = from && from->shape[0] < to->shape[0] ? from->shape[0] : to->shape[0];
    if (from && both > 0)
        wk_copy_(wk_narrow(to, 0, 0, both), wk_narrow(from, 0, 0, both));
}

/* order and flips must go on as they began */
static void check_same(const wk_dict *from, const char *name, int64_t now)
{
    const int64_t then = (int64_t)wk_dict_number(from, name, (double)now);
    if (then != now) {
        fprintf(stderr, "--resume: the checkpoint was made with a %s of %lld, not %lld\n", name, (long long)then,
                (long long)now);
        exit(2);
    }
}

static void resume(run *r)
{
    wk_error wrong;
    wk_try (&wrong) {
        wk_dict *all = wk_safetensors_load_file(r->o.resume);
        check_same(all, "seed", r->o.seed);
        check_same(all, "batch_size", r->o.batch_size);
        wk_dict *model = wk_dict_part(all, "model."), *optimizer = wk_dict_part(all, "optimizer.");
        wk_dict *schedule = wk_dict_part(all, "schedule.");
        wk_module_load_state_dict(r->model, model);
        wk_optim_load_state_dict(r->optimizer, optimizer);
        wk_lr_scheduler_load_state_dict(r->schedule, schedule);
        copy_history(r->losses, wk_dict_get(all, "losses"));
        copy_history(r->accuracies, wk_dict_get(all, "accuracies"));
        r->step = (int64_t)wk_dict_number(all, "step", 0);
        wk_dict_free(model);
        wk_dict_free(optimizer);
        wk_dict_free(schedule);
        wk_dict_free(all);
    }
    stop_on(wrong, "resume");
    printf("resumed from %s at step %lld\n", r->o.resume, (long long)r->step);
}

/* ---------------------------------------------------------------- training and testing */

static double evaluate(run *r)
{
    int64_t right = 0, seen = 0;
    wk_module_eval(r->model);
    wk_no_grad wk_for_each_batch (batch, r->test_loader) {
        wk_tensor *logits = wk_forward(r->model, normalized(wk_to(batch.x, r->o.device))); // (B, 10)
        wk_tensor *prediction = wk_to(wk_argmax(logits, -1), wk_cpu);                      // (B,)
        right += wk_item_int64(wk_sum(wk_eq(prediction, batch.y)));
        wk_copy_(wk_narrow(r->predictions, 0, seen, batch.size), prediction);
        seen += batch.size;
    }
    wk_module_train(r->model);
    return (double)right / (double)seen;
}

static void train_step(run *r, wk_batch batch)
{
    wk_tensor *logits = wk_forward(r->model, normalized(wk_to(batch.x, r->o.device))); // (B, 10)
    wk_tensor *loss = wk_cross_entropy(logits, wk_to(batch.y, r->o.device));           // ()
    wk_optim_zero_grad(r->optimizer);
    wk_backward(loss);
    wk_nn_utils_clip_grad_norm_(wk_module_parameters(r->model), 1.0);
    wk_optim_step(r->optimizer);
    wk_lr_scheduler_step(r->schedule);
    wk_fill_(wk_select(r->losses, 0, r->step), wk_item(loss));
    wk_batch_show(batch, "loss %.4f", wk_item(loss));
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* false where the user interrupted it; then the checkpoint is saved */
static bool train(run *r)
{
    double seconds = 0;
    for (int64_t epoch = r->step / r->steps_per_epoch; epoch < r->o.epochs; epoch++) {
        const double begin = now();
        const int64_t done = r->step - epoch * r->steps_per_epoch; // before an interruption
        wk_data_loader_set_epoch(r->train_loader, epoch);
        wk_for_each_batch (batch, r->train_loader, "epoch %lld/%lld", (long long)epoch + 1, (long long)r->o.epochs) {
            if (batch.index < done)
                continue;
            train_step(r, batch);
            r->step++;
            if (interrupted)
                break;
        }
        seconds += now() - begin;
        if (interrupted) {
            printf("\ninterrupted\n");
            save(r);
            return false;
        }
        const double accuracy = evaluate(r);
        wk_fill_(wk_select(r->accuracies, 0, epoch), accuracy);
        printf("epoch %lld: test accuracy %.4f after %.0f s of training\n", (long long)epoch + 1, accuracy, seconds);
    }
    return true;
}

/* ---------------------------------------------------------------- pictures */

static void write_picture(const run *r, const char *name, wk_tensor *picture)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", r->o.out, name);
    if (wk_vision_write_png(picture, path))
        printf("wrote %s\n", path);
}

static void draw(run *r)
{
    const char *const *classes = r->test.classes;
    const int64_t shown = 48;
    write_picture(r, "predictions.png",
                  wk_plot_predictions(wk_narrow(r->test.data, 0, 0, shown), wk_narrow(r->test.targets, 0, 0, shown),
                                      wk_narrow(r->predictions, 0, 0, shown), classes, r->test.class_count));
    write_picture(r, "confusion.png",
                  wk_plot_confusion_matrix(r->test.targets, r->predictions, classes, r->test.class_count));
    if (r->o.epochs == 0)
        return;
    const int64_t steps = r->losses->shape[0], epochs = r->o.epochs;
    const double first = 1.0 / (double)r->steps_per_epoch;
    double *at_step = wk_data_ptr(wk_linspace(first, (double)epochs, steps, .dtype = wk_float64));
    double *at_epoch = wk_data_ptr(wk_linspace(1, (double)epochs, epochs, .dtype = wk_float64));
    const wk_plot_panel loss = {.title = "training loss", .x_label = "epoch",
                                .curves = {{"loss", at_step, wk_data_ptr(r->losses), steps, .smooth = true}}};
    const wk_plot_panel accuracy = {
        .title = "test accuracy",
        .x_label = "epoch",
        .percent = true,
        .curves = {{"accuracy", at_epoch, wk_data_ptr(r->accuracies), epochs, .markers = true}}};
    write_picture(r, "curves.png", wk_plot_curves(loss, accuracy));
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    sigaction(SIGINT, &(struct sigaction){.sa_handler = interrupt, .sa_flags = SA_RESETHAND}, NULL);
    bool finished = true;
    wk_scope
    {
        run r = run_new(o);
        wk_summary(r.model, (1, MODEL.channels, MODEL.image, MODEL.image));
        r.schedule = wk_optim_lambda_lr(r.optimizer, learning_rate, &r);
        if (o.resume)
            resume(&r);
        finished = train(&r);
        if (finished) {
            save(&r);
            const double accuracy = evaluate(&r);
            draw(&r);
            printf("test accuracy %.4f\n", accuracy);
        }
        run_free(&r);
    }
    return finished ? 0 : 130;
}
