/* wick's side of the race (rows.py is PyTorch's, race.py the referee).  Reads commands, a line each, from its input:
     setup NAME         makes the row's inputs from seed 0
     run NAME COUNT     does the row's work COUNT times; answers seconds per time
     result NAME PATH   does it once and writes its results, float32 after float32, to PATH; answers their number
   Rows stand in ROWS below, one block each, with their twins of the same name in rows.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wick.h>

#include "../katas/vit.h"

typedef struct row {
    const char *name;
    void (*setup)(void);
    void (*run)(void);               // the work, in a scope of its own
    void (*result)(wk_tensor **out); // up to 8 tensors, NULL after the last
} row;

/* tensors of the row that is set up, kept from one command to the next */
static wk_tensor *x, *w, *b, *q, *k, *v, *dy;

static void keep(wk_tensor **place, wk_tensor *tensor, bool requires_grad)
{
    wk_release(*place);
    *place = wk_retain(wk_requires_grad_(tensor, requires_grad));
}

static void clear_grads(void)
{
    wk_tensor *all[] = {x, w, b, q, k, v};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] && all[i]->grad) {
            wk_release(all[i]->grad);
            all[i]->grad = NULL;
        }
}

/* ---- add 4x4: what one op costs */
static void add_setup(void)
{
    keep(&x, wk_randn((4, 4)), false);
    keep(&w, wk_randn((4, 4)), false);
}
static void add_run(void) { wk_add(x, w); }
static void add_result(wk_tensor **out) { out[0] = wk_add(x, w); }

/* ---- mul, sum, backward of 4x4: what a graph costs */
static void graph_setup(void)
{
    keep(&x, wk_randn((4, 4)), true);
    keep(&w, wk_randn((4, 4)), true);
}
static void graph_run(void)
{
    clear_grads();
    wk_backward(wk_sum(wk_mul(x, w)));
}
static void graph_result(wk_tensor **out)
{
    graph_run();
    out[0] = x->grad;
    out[1] = w->grad;
}

/* ---- linear (2048, 96) -> (2048, 384), forward and backward */
static void linear_setup(void)
{
    keep(&x, wk_randn((2048, 96)), true);
    keep(&w, wk_randn((384, 96)), true);
    keep(&b, wk_randn((384)), true);
    keep(&dy, wk_randn((2048, 384)), false);
}
static void linear_run(void)
{
    clear_grads();
    wk_backward(wk_linear(x, w, b), .gradient = dy);
}
static void linear_result(wk_tensor **out)
{
    linear_run();
    out[0] = wk_linear(x, w, b);
    out[1] = x->grad;
    out[2] = w->grad;
    out[3] = b->grad;
}

/* ---- layer_norm (4096, 1024), forward and backward */
static void layer_norm_setup(void)
{
    keep(&x, wk_randn((4096, 1024)), true);
    keep(&w, wk_randn((1024)), true);
    keep(&b, wk_randn((1024)), true);
    keep(&dy, wk_randn((4096, 1024)), false);
}
static void layer_norm_run(void)
{
    clear_grads();
    wk_backward(wk_layer_norm(x, (1024), w, b), .gradient = dy);
}
static void layer_norm_result(wk_tensor **out)
{
    layer_norm_run();
    out[0] = wk_layer_norm(x, (1024), w, b);
    out[1] = x->grad;
    out[2] = w->grad;
    out[3] = b->grad;
}

/* ---- batch_norm (16, 64, 56, 56) in training, forward and backward */
static void batch_norm_setup(void)
{
    keep(&x, wk_randn((16, 64, 56, 56)), true);
    keep(&w, wk_randn((64)), true);
    keep(&b, wk_randn((64)), true);
    keep(&dy, wk_randn((16, 64, 56, 56)), false);
    keep(&q, wk_zeros((64)), false);
    keep(&k, wk_ones((64)), false);
}
static wk_tensor *batch_norm(void) { return wk_batch_norm(x, q, k, w, b, .training = true); }
static void batch_norm_run(void)
{
    clear_grads();
    wk_backward(batch_norm(), .gradient = dy);
}
static void batch_norm_result(wk_tensor **out)
{
    batch_norm_run();
    out[0] = batch_norm();
    out[1] = x->grad;
    out[2] = w->grad;
    out[3] = b->grad;
}

/* ---- lstm and gru of (64, 32, 128), 256 wide, forward and backward */
static wk_module *recurrent;
static void recurrent_setup(wk_module *module)
{
    wk_module_free(recurrent);
    recurrent = module;
    keep(&x, wk_randn((64, 32, 128)), true);
    keep(&dy, wk_randn((64, 32, 256)), false);
}
static void lstm_setup(void) { recurrent_setup(wk_nn_lstm(128, 256)); }
static void gru_setup(void) { recurrent_setup(wk_nn_gru(128, 256)); }
static void recurrent_run(void)
{
    clear_grads();
    wk_module_zero_grad(recurrent);
    wk_backward(wk_forward(recurrent, x), .gradient = dy);
}
static void recurrent_result(wk_tensor **out)
{
    recurrent_run();
    out[0] = wk_forward(recurrent, x);
    out[1] = x->grad;
    out[2] = wk_module_get_parameter(recurrent, "weight_hh_l0")->grad;
}

/* ---- softmax, gelu (4096, 1024), forward and backward */
static void rows_setup(void)
{
    keep(&x, wk_randn((4096, 1024)), true);
    keep(&dy, wk_randn((4096, 1024)), false);
}
static void softmax_run(void)
{
    clear_grads();
    wk_backward(wk_softmax(x), .gradient = dy);
}
static void softmax_result(wk_tensor **out)
{
    softmax_run();
    out[0] = wk_softmax(x);
    out[1] = x->grad;
}
static void gelu_run(void)
{
    clear_grads();
    wk_backward(wk_gelu(x), .gradient = dy);
}
static void gelu_result(wk_tensor **out)
{
    gelu_run();
    out[0] = wk_gelu(x);
    out[1] = x->grad;
}

/* ---- attention (16, 8, 256, 64), forward and backward */
static void attention_setup(void)
{
    keep(&q, wk_randn((16, 8, 256, 64)), true);
    keep(&k, wk_randn((16, 8, 256, 64)), true);
    keep(&v, wk_randn((16, 8, 256, 64)), true);
    keep(&dy, wk_randn((16, 8, 256, 64)), false);
}
static void attention_run(void)
{
    clear_grads();
    wk_backward(wk_scaled_dot_product_attention(q, k, v), .gradient = dy);
}
static void attention_result(wk_tensor **out)
{
    attention_run();
    out[0] = wk_scaled_dot_product_attention(q, k, v);
    out[1] = q->grad;
    out[2] = k->grad;
    out[3] = v->grad;
}

/* ---- attention of one query (4, 8, 1, 64) over 2048 keys, as a decoder has it */
static void one_query_setup(void)
{
    keep(&q, wk_randn((4, 8, 1, 64)), false);
    keep(&k, wk_randn((4, 8, 2048, 64)), false);
    keep(&v, wk_randn((4, 8, 2048, 64)), false);
}
static void one_query_run(void) { wk_scaled_dot_product_attention(q, k, v); }
static void one_query_result(wk_tensor **out) { out[0] = wk_scaled_dot_product_attention(q, k, v); }

/* ---- rotary embeddings (16, 256, 8, 64), forward and backward */
static void rotary_setup(void)
{
    keep(&x, wk_randn((16, 256, 8, 64)), true);
    keep(&dy, wk_randn((16, 256, 8, 64)), false);
    keep(&w, wk_precompute_freqs_cis(64, 256), false);
}
static void rotary_run(void)
{
    clear_grads();
    wk_backward(wk_apply_rotary_emb(x, w), .gradient = dy);
}
static void rotary_result(wk_tensor **out)
{
    rotary_run();
    out[0] = wk_apply_rotary_emb(x, w);
    out[1] = x->grad;
}

#include "spatial.h"

/* ---- logaddexp, nan_to_num, median along rows, of (1024, 1024) */
static void million_setup(void)
{
    keep(&x, wk_randn((1024, 1024)), false);
    keep(&w, wk_randn((1024, 1024)), false);
}
static void logaddexp_run(void) { wk_logaddexp(x, w); }
static void logaddexp_result(wk_tensor **out) { out[0] = wk_logaddexp(x, w); }
static void nan_to_num_run(void) { wk_nan_to_num(x); }
static void nan_to_num_result(wk_tensor **out) { out[0] = wk_nan_to_num(x); }
static void median_run(void) { wk_median(x, 1); }
static void median_result(wk_tensor **out) { out[0] = wk_median(x, 1); }

/* ---- searchsorted: 512 x 512 values among 4096 */
static void search_setup(void)
{
    keep(&x, wk_sort(wk_randn((4096))), false);
    keep(&w, wk_randn((512, 512)), false);
}
static void search_run(void) { wk_searchsorted(x, w); }
static void search_result(wk_tensor **out)
{
    out[0] = wk_to(wk_searchsorted(x, w), wk_float32);
}

/* ---- add of 64 MB: page faults, or none */
static void big_setup(void)
{
    keep(&x, wk_randn((16, 1024, 1024)), false);
    keep(&w, wk_randn((16, 1024, 1024)), false);
}
static void big_run(void) { wk_add(x, w); }
static void big_result(wk_tensor **out) { out[0] = wk_narrow(wk_add(x, w), 0, 0, 1); }

/* ---- the demo's training step: the ViT on 128 images, AdamW, clipping */
static vit *model;
static wk_optimizer *optimizer;
static wk_tensor *losses[8];
static int steps_done;

static void step_setup(void)
{
    model =
        vit_new((vit_config){.image = 28, .channels = 1, .patch = 7, .dim = 96, .depth = 3, .heads = 4, .classes = 10});
    optimizer = wk_optim_adamw(wk_module_parameters(model), .lr = 1.5e-3, .weight_decay = 0.05);
    keep(&x, wk_randn((128, 1, 28, 28)), false);
    keep(&dy, wk_randint(0, 10, (128)), false);
    steps_done = 0;
}
static void step_run(void)
{
    wk_tensor *loss = wk_cross_entropy(wk_forward(model, x), dy);
    wk_optim_zero_grad(optimizer);
    wk_backward(loss);
    wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
    wk_optim_step(optimizer);
    if (steps_done < 8) {
        wk_release(losses[steps_done]);
        losses[steps_done++] = wk_retain(wk_detach(loss));
    }
}
static void step_result(wk_tensor **out)
{
    while (steps_done < 5)
        wk_scope { step_run(); }
    for (int i = 0; i < 5; i++)
        out[i] = losses[i];
}

static const row ROWS[] = {
    {"add 4x4", add_setup, add_run, add_result},
    {"mul+sum+backward", graph_setup, graph_run, graph_result},
    {"linear", linear_setup, linear_run, linear_result},
    {"layer_norm", layer_norm_setup, layer_norm_run, layer_norm_result},
    {"batch_norm", batch_norm_setup, batch_norm_run, batch_norm_result},
    {"lstm", lstm_setup, recurrent_run, recurrent_result},
    {"gru", gru_setup, recurrent_run, recurrent_result},
    {"softmax", rows_setup, softmax_run, softmax_result},
    {"gelu", rows_setup, gelu_run, gelu_result},
    {"attention", attention_setup, attention_run, attention_result},
    {"one query", one_query_setup, one_query_run, one_query_result},
    {"rotary", rotary_setup, rotary_run, rotary_result},
    {"conv2d", conv2d_setup, conv2d_run, conv2d_result},
    {"max_pool2d", pool_setup, max_pool2d_run, max_pool2d_result},
    {"avg_pool2d", pool_setup, avg_pool2d_run, avg_pool2d_result},
    {"max_pool2d last", last_setup, max_pool2d_run, max_pool2d_result},
    {"avg_pool2d last", last_setup, avg_pool2d_run, avg_pool2d_result},
    {"im2col", im2col_setup, im2col_run, im2col_result},
    {"pixel_shuffle", shuffle_setup, pixel_shuffle_run, pixel_shuffle_result},
    {"nearest", interpolate_setup, nearest_run, nearest_result},
    {"bilinear", interpolate_setup, bilinear_run, bilinear_result},
    {"antialias", antialias_setup, antialias_run, antialias_result},
    {"rfft", names_setup, rfft_run, rfft_result},
    {"einsum", names_setup, einsum_run, einsum_result},
    {"rearrange", names_setup, rearrange_run, rearrange_result},
    {"resize bytes", bytes_setup, bytes_run, bytes_result},
    {"grid_sample", sample_setup, grid_sample_run, grid_sample_result},
    {"logaddexp", million_setup, logaddexp_run, logaddexp_result},
    {"nan_to_num", million_setup, nan_to_num_run, nan_to_num_result},
    {"median", million_setup, median_run, median_result},
    {"searchsorted", search_setup, search_run, search_result},
    {"add 64 MB", big_setup, big_run, big_result},
    {"training step", step_setup, step_run, step_result},
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* after one run that is not counted: caches and threads are awake */
static double seconds_per_run(const row *r, int64_t count)
{
    wk_scope { r->run(); }
    const double begin = now();
    for (int64_t i = 0; i < count; i++)
        wk_scope { r->run(); }
    return (now() - begin) / (double)count;
}

static int64_t write_result(const row *r, const char *path)
{
    FILE *file = fopen(path, "wb");
    int64_t written = 0;
    if (!file)
        return -1;
    wk_scope
    {
        wk_tensor *out[8] = {0};
        r->result(out);
        for (int i = 0; i < 8 && out[i]; i++) {
            wk_tensor *dense = wk_contiguous(wk_detach(wk_to(out[i], wk_float32)));
            written += (int64_t)fwrite(wk_data_ptr(dense), sizeof(float), (size_t)dense->numel, file);
        }
    }
    return fclose(file) == 0 ? written : -1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "start") == 0) { // start-up: the least a program can do
        wk_scope { wk_add(wk_ones((1)), 1); }
        return 0;
    }
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *verb = strtok(line, "\t"), *name = strtok(NULL, "\t"), *rest = strtok(NULL, "\t");
        const row *r = NULL;
        for (size_t i = 0; name && i < sizeof ROWS / sizeof *ROWS; i++)
            if (strcmp(ROWS[i].name, name) == 0)
                r = &ROWS[i];
        if (!verb || !r)
            printf("unknown\n");
        else if (strcmp(verb, "setup") == 0) {
            wk_manual_seed(0);
            wk_scope { r->setup(); }
            printf("ready\n");
        } else if (strcmp(verb, "run") == 0)
            printf("%.9f\n", seconds_per_run(r, rest ? atoll(rest) : 1));
        else if (strcmp(verb, "result") == 0)
            printf("%lld\n", (long long)write_result(r, rest ? rest : "result"));
        fflush(stdout);
    }
    return 0;
}
