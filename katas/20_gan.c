/* A generative adversarial network learns to draw clothes (Fashion-MNIST).

   Leaves gan_samples.png, gan_walk.gif (noise that goes in circles: pictures that turn into others and back), and
   gan.safetensors, the generator's weights. */
#include "gan.h"
#include "kata.h"

typedef struct options {
    int64_t epochs, batch_size, width, latent, seed;
    double lr;
    const char *data, *load, *out;
} options;

static options read_options(int argc, char **argv)
{
    static options o = {.epochs = 3, .batch_size = 64, .width = 32, .latent = 64, .lr = 5e-4};
    o.data = o.load = "", o.out = "out";
    const kata_option names[] = {
        {"epochs", "N", "times through the 60,000 training pictures", .whole = &o.epochs},
        {"batch-size", "N", "pictures in a step", .whole = &o.batch_size, .least = 2},
        {"width", "N", "channels of the largest maps", .whole = &o.width, .least = 1},
        {"latent", "N", "numbers of noise that a picture is made of", .whole = &o.latent, .least = 1},
        {"lr", "X", "learning rate", .number = &o.lr},
        {"load", "FILE", "the generator begins with these weights", .text = &o.load},
        {"seed", "N", "of weights, order and noise", .whole = &o.seed},
        {"data", "FOLDER", "where the four *-ubyte.gz files are; else where Debian puts them", .text = &o.data},
        {"out", "FOLDER", "where pictures and weights go", .text = &o.out},
        {.name = NULL},
    };
    kata_read_options(argc, argv, "Trains a generative adversarial network on Fashion-MNIST.", names);
    kata_make_folder(o.out);
    return o;
}

/* uint8 -> float32 from -1 to 1, as the generator's */
static wk_tensor *signed_unit(wk_tensor *x) { return wk_sub(wk_div(x, 127.5), 1); }

static void train(gan *g, wk_dataset *dataset, options o)
{
    wk_data_loader *loader = wk_data_loader(dataset, .batch_size = o.batch_size, .shuffle = true, .seed = o.seed,
                                            .drop_last = true, .unit = "pictures");
    for (int64_t epoch = 1; epoch <= o.epochs; epoch++)
        wk_for_each_batch (batch, loader, "epoch %lld/%lld", (long long)epoch, (long long)o.epochs) {
            double losses[2];
            wk_tensor *noise = wk_randn((batch.size, o.latent, 1, 1)); // (B, Z, 1, 1)
            gan_step(g, signed_unit(batch.x), noise, losses);
            wk_batch_show(batch, "loss of the critic %.2f, of the generator %.2f", losses[0], losses[1]);
        }
    wk_data_loader_free(loader);
}

/* noise (B, Z) -> pictures (B, 1, H, W) from 0 to 1 */
static wk_tensor *drawn(gan *g, wk_tensor *z)
{
    wk_tensor *x = wk_forward(g->generator, wk_view(z, (wk_size(z, 0), -1, 1, 1))); // (B, 1, H, W)
    return wk_mul(wk_add(x, 1), 0.5);                                               // (B, 1, H, W)
}

static void show(gan *g, options o)
{
    kata_save_grid(drawn(g, wk_randn((64, o.latent))), o.out, "gan_samples.png", 16, 2);

    // cos(a) z0 + sin(a) z1 is drawn from the same normal as z0 and z1, for any a
    wk_tensor *z0 = wk_randn((16, o.latent)), *z1 = wk_randn((16, o.latent)), *frames[40]; // (16, Z)
    for (int i = 0; i < 40; i++) {
        const double angle = 2 * wk_pi * i / 40;
        frames[i] = drawn(g, wk_add(wk_mul(z0, cos(angle)), wk_mul(z1, sin(angle)))); // (16, 1, H, W)
    }
    kata_save_animation(frames, 40, o.out, "gan_walk.gif", 8, 3);
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    wk_scope
    {
        wk_vision_dataset learned = kata_fashion_mnist(o.data, true);
        wk_manual_seed(o.seed);
        gan g = gan_new(28, o.width, o.latent, o.lr);
        printf("a generator of %lld weights, a critic of %lld\n", (long long)wk_module_parameter_count(g.generator),
               (long long)wk_module_parameter_count(g.critic));
        if (*o.load)
            kata_load(g.generator, o.load);
        if (o.epochs > 0) {
            train(&g, learned.dataset, o);
            kata_save(g.generator, o.out, "gan.safetensors");
        }
        wk_module_eval(g.generator);
        wk_no_grad show(&g, o);
        gan_free(&g);
        wk_dataset_free(learned.dataset);
    }
    return 0;
}
