/* A variational autoencoder learns clothes (Fashion-MNIST), and then draws some that never were.

   Leaves vae_rebuilt.png (pictures that it has not learned from, and under each what it rebuilds from a few numbers),
   vae_samples.png (from numbers drawn from the prior), vae_walk.gif (a walk from picture to picture), and
   vae.safetensors. */
#include "kata.h"
#include "vae.h"

typedef struct options {
    int64_t epochs, batch_size, width, latent, seed;
    double lr;
    const char *data, *load, *out;
} options;

static options read_options(int argc, char **argv)
{
    static options o = {.epochs = 8, .batch_size = 128, .width = 32, .latent = 10, .lr = 2e-3};
    o.data = o.load = "", o.out = "out";
    const kata_option names[] = {
        {"epochs", "N", "times through the 60,000 training pictures", .whole = &o.epochs},
        {"batch-size", "N", "pictures in a step", .whole = &o.batch_size, .least = 1},
        {"width", "N", "channels of the first convolution", .whole = &o.width, .least = 1},
        {"latent", "N", "numbers that a picture becomes", .whole = &o.latent, .least = 1},
        {"lr", "X", "highest learning rate", .number = &o.lr},
        {"load", "FILE", "begin with these weights", .text = &o.load},
        {"seed", "N", "of weights, order and noise", .whole = &o.seed},
        {"data", "FOLDER", "where the four *-ubyte.gz files are; else where Debian puts them", .text = &o.data},
        {"out", "FOLDER", "where pictures and weights go", .text = &o.out},
        {.name = NULL},
    };
    kata_read_options(argc, argv, "Trains a variational autoencoder on Fashion-MNIST.", names);
    kata_make_folder(o.out);
    return o;
}

/* uint8 -> float32 from 0 to 1 */
static wk_tensor *unit(wk_tensor *x) { return wk_div(x, 255); }

static void train(vae *model, wk_dataset *dataset, options o)
{
    wk_data_loader *loader = wk_data_loader(dataset, .batch_size = o.batch_size, .shuffle = true, .seed = o.seed,
                                            .drop_last = true, .unit = "pictures");
    wk_optimizer *optimizer = wk_optim_adam(wk_module_parameters(model), .lr = o.lr);
    wk_lr_scheduler *schedule =
        wk_optim_one_cycle_lr(optimizer, o.lr, .total_steps = o.epochs * wk_data_loader_length(loader));
    for (int64_t epoch = 1; epoch <= o.epochs; epoch++)
        wk_for_each_batch (batch, loader, "epoch %lld/%lld", (long long)epoch, (long long)o.epochs) {
            wk_tensor *loss = vae_loss(model, unit(batch.x)); // ()
            wk_optim_zero_grad(optimizer);
            wk_backward(loss);
            wk_optim_step(optimizer);
            wk_lr_scheduler_step(schedule);
            wk_batch_show(batch, "loss %.2f", wk_item(loss));
        }
    wk_lr_scheduler_free(schedule);
    wk_optim_free(optimizer);
    wk_data_loader_free(loader);
}

/* z: (B, Z) -> pictures (B, 1, H, W) from 0 to 1 */
static wk_tensor *drawn(vae *model, wk_tensor *z) { return wk_sigmoid(wk_call(vae_decode, model, z)); }

/* test: (N, H, W) uint8 */
static void show(vae *model, wk_tensor *test, options o)
{
    wk_tensor *x = unit(wk_unsqueeze(wk_narrow(test, 0, 0, 64), 1));                  // (64, 1, H, W)
    wk_tensor *variance = NULL, *z = wk_call(vae_encode, model, x, &variance);        // (64, Z)
    wk_tensor *rebuilt = drawn(model, z);                                             // (64, 1, H, W)
    wk_tensor *rows = wk_cat((wk_narrow(x, 0, 0, 12), wk_narrow(rebuilt, 0, 0, 12))); // (24, 1, H, W)
    kata_save_grid(rows, o.out, "vae_rebuilt.png", 12, 2);
    kata_save_grid(drawn(model, wk_randn((64, o.latent))), o.out, "vae_samples.png", 16, 2);

    // sixteen walk at once, each past four pictures and back: (4, 16, Z), and the first again
    const int64_t steps = 8, stops = 4, pictures = 16;
    z = wk_view(z, (stops, pictures, o.latent)); // (4, 16, Z)
    wk_tensor *frames[32];
    for (int64_t i = 0; i < stops * steps; i++) {
        wk_tensor *from = wk_select(z, 0, i / steps), *to = wk_select(z, 0, (i / steps + 1) % stops); // (16, Z)
        frames[i] = drawn(model, wk_lerp(from, to, (double)(i % steps) / (double)steps));             // (16, 1, H, W)
    }
    kata_save_animation(frames, stops * steps, o.out, "vae_walk.gif", 8, 3);
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    wk_scope
    {
        wk_vision_dataset learned = kata_fashion_mnist(o.data, true), test = kata_fashion_mnist(o.data, false);
        wk_manual_seed(o.seed);
        vae *model = vae_new(28, o.width, o.latent);
        printf("a VAE of %lld weights\n", (long long)wk_module_parameter_count(model));
        if (*o.load)
            kata_load(model, o.load);
        if (o.epochs > 0) {
            train(model, learned.dataset, o);
            kata_save(model, o.out, "vae.safetensors");
        }
        wk_no_grad
        {
            wk_tensor *x = unit(wk_unsqueeze(wk_narrow(test.data, 0, 0, 2000), 1)); // (2000, 1, H, W)
            printf("loss on 2,000 test pictures %.2f\n", wk_item(vae_loss(model, x)));
            show(model, test.data, o);
        }
        wk_module_free(model);
        wk_dataset_free(learned.dataset);
        wk_dataset_free(test.dataset);
    }
    return 0;
}
