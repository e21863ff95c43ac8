/* A GPT learns a text and then writes on: by default the licences that lie on every Debian system, else a text of
   yours.

   Text comes as characters, each a number (B, L); the model guesses, at each place, which one comes next.  The last
   tenth of the text is held back to see how well it does on what it has not read.  Leaves gpt.txt, what it wrote, and
   gpt.safetensors, from which --load writes again without training. */
#include <dirent.h>

#include "gpt.h"
#include "kata.h"

typedef struct options {
    int64_t steps, batch_size, context, dim, depth, heads, length, top_k, seed;
    double lr, temperature, top_p;
    const char *text, *prompt, *load, *out;
} options;

static options read_options(int argc, char **argv)
{
    static options o = {.steps = 700, .batch_size = 32, .context = 128, .dim = 128, .depth = 4, .heads = 4, .lr = 3e-3};
    o.length = 1000, o.temperature = 0.7, o.top_k = 40, o.top_p = 0.95;
    o.text = "/usr/share/common-licenses", o.prompt = "", o.load = "", o.out = "out";
    const kata_option names[] = {
        {"text", "PATH", "the text to learn: a file, or a folder of files", .text = &o.text},
        {"prompt", "TEXT", "what the model goes on from; else the first character of the text", .text = &o.prompt},
        {"length", "N", "characters to write", .whole = &o.length},
        {"temperature", "X", "0: always the likeliest; above 1: bolder", .number = &o.temperature},
        {"top-k", "N", "choose among so many likeliest; 0: among all", .whole = &o.top_k},
        {"top-p", "X", "choose among the likeliest that have this probability together", .number = &o.top_p},
        {"steps", "N", "steps of training", .whole = &o.steps},
        {"batch-size", "N", "pieces of text in a step", .whole = &o.batch_size, .least = 1},
        {"context", "N", "characters that it looks back at", .whole = &o.context, .least = 8},
        {"dim", "N", "features of a character", .whole = &o.dim, .least = 8},
        {"depth", "N", "blocks", .whole = &o.depth, .least = 1},
        {"heads", "N", "heads of attention, of an even number of features each", .whole = &o.heads, .least = 1},
        {"lr", "X", "highest learning rate", .number = &o.lr},
        {"load", "FILE", "begin with these weights", .text = &o.load},
        {"seed", "N", "of weights, order and what is drawn", .whole = &o.seed},
        {"out", "FOLDER", "where text and weights go", .text = &o.out},
        {.name = NULL},
    };
    kata_read_options(argc, argv, "Trains a GPT on a text, then lets it write.", names);
    if (o.dim % (2 * o.heads) != 0)
        kata_bad("dim", "another", "a multiple of twice --heads");
    kata_make_folder(o.out);
    return o;
}

/* ---------------------------------------------------------------- the text */

/* false where it cannot be read */
static bool copy_file(const char *path, FILE *to)
{
    FILE *from = fopen(path, "rb");
    char piece[65536];
    for (size_t got; from && (got = fread(piece, 1, sizeof piece, from)) > 0;)
        fwrite(piece, 1, got, to);
    const bool fine = from && !ferror(from);
    if (from)
        fclose(from);
    return fine;
}

static int is_visible(const struct dirent *entry) { return entry->d_name[0] != '.' && entry->d_type != DT_LNK; }

/* a file, or the files of a folder in the order of their names; to be freed */
static char *read_text(const char *path)
{
    char *text = NULL;
    size_t size;
    FILE *all = open_memstream(&text, &size);
    struct dirent **entries = NULL;
    const int count = scandir(path, &entries, is_visible, alphasort);
    if (count < 0 && !copy_file(path, all))
        kata_bad("text", path, "a file or a folder of files");
    for (int i = 0; i < count; i++) {
        copy_file(kata_path(path, entries[i]->d_name), all); // what is no file is passed over
        free(entries[i]);
    }
    free(entries);
    fclose(all);
    return text;
}

/* ---------------------------------------------------------------- training */

/* (P,) -> pieces (B, L) from anywhere in it */
static wk_tensor *draw_pieces(wk_tensor *ids, int64_t B, int64_t L)
{
    wk_tensor *begins = wk_randint(0, wk_size(ids, 0) - L + 1, (B, 1)); // (B, 1)
    return wk_index(ids, "%p", wk_add(begins, wk_arange((L))));         // (B, L)
}

/* how surprised the model is, on average, by each character after the first: pieces (B, L + 1) -> () */
static wk_tensor *loss_of(gpt *model, wk_tensor *pieces)
{
    wk_tensor *logits = wk_call(gpt_forward, model, wk_index(pieces, ":, :-1"), 0, NULL);     // (B, L, tokens)
    return wk_cross_entropy(wk_flatten(logits, 0, 1), wk_flatten(wk_index(pieces, ":, 1:"))); // ()
}

static void train(gpt *model, wk_tensor *ids, options o)
{
    wk_optimizer *optimizer =
        wk_optim_adamw(wk_module_parameters(model), .lr = o.lr, .betas = {0.9, 0.99}, .weight_decay = 0.1);
    wk_lr_scheduler *schedule = wk_optim_one_cycle_lr(optimizer, o.lr, .total_steps = o.steps, .pct_start = 0.1);
    wk_progress progress;
    wk_progress_start(&progress, o.steps, "training");
    progress.unit = "characters";
    wk_for_each_step (step, 0, o.steps) {
        wk_tensor *loss = loss_of(model, draw_pieces(ids, o.batch_size, o.context + 1)); // ()
        wk_optim_zero_grad(optimizer);
        wk_backward(loss);
        wk_nn_utils_clip_grad_norm_(wk_module_parameters(model), 1.0);
        wk_optim_step(optimizer);
        wk_lr_scheduler_step(schedule);
        wk_progress_show(&progress, "loss %.3f", wk_item(loss));
        wk_progress_step(&progress, o.batch_size * o.context);
    }
    wk_progress_end(&progress);
    wk_lr_scheduler_free(schedule);
    wk_optim_free(optimizer);
}

static double test(gpt *model, wk_tensor *ids, options o)
{
    double sum = 0;
    wk_no_grad wk_for_each_step (i, 0, 10)
        sum += wk_item(loss_of(model, draw_pieces(ids, o.batch_size, o.context + 1)));
    return sum / 10;
}

/* ---------------------------------------------------------------- writing */

/* logits (1, tokens) -> the token that comes next, drawn: (1, 1) */
static wk_tensor *draw_next(wk_tensor *logits, const options *o)
{
    if (o->temperature == 0)
        return wk_argmax(logits, .dim = -1, .keepdim = true); // (1, 1)
    logits = wk_div(logits, o->temperature);                  // (1, tokens)
    wk_tensor *likeliest, *order;
    if (o->top_k > 0 && o->top_k < wk_size(logits, -1)) {
        wk_topk(logits, o->top_k, (&likeliest, &order));                   // (1, k), best first
        wk_tensor *too_low = wk_lt(logits, wk_index(likeliest, ":, -1:")); // (1, tokens)
        logits = wk_masked_fill(logits, too_low, -INFINITY);               // (1, tokens)
    }
    if (o->top_p < 1) {
        wk_sort(logits, (&likeliest, &order), .descending = true); // (1, tokens)
        wk_tensor *p = wk_softmax(likeliest, -1);                  // (1, tokens)
        wk_tensor *before = wk_sub(wk_cumsum(p, -1), p);           // (1, tokens): what the likelier ones have together
        likeliest = wk_masked_fill(likeliest, wk_gt(before, o->top_p), -INFINITY); // (1, tokens)
        logits = wk_scatter(logits, -1, order, likeliest);                         // (1, tokens)
    }
    return wk_multinomial(wk_softmax(logits, -1), 1); // (1, 1)
}

/* the prompt's tokens (P,), or else the first of those that are learned */
static wk_tensor *prompt_of(const wk_text_tokenizer *tokenizer, wk_tensor *learned, options o)
{
    if (!*o.prompt)
        return wk_narrow(learned, 0, 0, 1);
    wk_error unknown;
    wk_tensor *given = NULL;
    wk_try (&unknown)
        given = wk_text_encode(tokenizer, o.prompt);
    kata_stop_on(unknown, "prompt");
    return given;
}

/* a token at a time; the caches hold what has been seen of text[begin:count], and are emptied when they are full */
static void write_on(gpt *model, const wk_text_tokenizer *tokenizer, wk_tensor *given, options o)
{
    int64_t begin = 0, seen = 0, count = wk_numel(given);
    wk_tensor *text = wk_zeros((1, count + o.length), .dtype = wk_int64); // (1, P + length)
    wk_copy_(wk_narrow(text, 1, 0, count), given);

    printf("\n%s", o.prompt);
    wk_module *caches = gpt_caches_new(model);
    wk_no_grad wk_for_each_step (i, 0, o.length) {
        if (count - begin > o.context)
            seen = begin = count - o.context / 2;
        wk_tensor *fresh = wk_narrow(text, 1, seen, count - seen);                    // (1, n)
        wk_tensor *logits = wk_call(gpt_forward, model, fresh, seen - begin, caches); // (1, n, tokens)
        wk_tensor *next = draw_next(wk_index(logits, ":, -1"), &o);                   // (1, 1)
        wk_copy_(wk_narrow(text, 1, count, 1), next);
        seen = count++;
        printf("%s", wk_text_id_to_token(tokenizer, wk_item_int64(next)));
        fflush(stdout);
    }
    wk_module_free(caches);

    char *written = wk_text_decode(tokenizer, wk_flatten(text));
    const char *path = kata_path(o.out, "gpt.txt");
    FILE *file = fopen(path, "w");
    if (file && fputs(written, file) >= 0 && fclose(file) == 0)
        printf("\n\nwrote %s\n", path);
    free(written);
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    char *text = read_text(o.text);
    wk_text_tokenizer *tokenizer = wk_text_character_tokenizer(text);
    wk_manual_seed(o.seed);
    wk_scope
    {
        wk_tensor *ids = wk_text_encode(tokenizer, text); // (P,)
        const int64_t P = wk_numel(ids), tokens = wk_text_vocab_size(tokenizer), held_back = P / 10;
        if (held_back <= o.context)
            kata_bad("text", o.text, "a text of ten times the context at least");
        wk_tensor *given = prompt_of(tokenizer, ids, o); // (P,); refused before the training, if at all
        printf("%s: %lld characters, %lld different ones\n", o.text, (long long)P, (long long)tokens);

        gpt *model = gpt_new((gpt_config){tokens, o.context, o.dim, o.depth, o.heads});
        printf("a GPT of %lld weights\n", (long long)wk_module_parameter_count(model));
        if (*o.load)
            kata_load(model, o.load);
        if (o.steps > 0) {
            train(model, wk_narrow(ids, 0, 0, P - held_back), o);
            printf("loss on the held back text %.3f\n", test(model, wk_narrow(ids, 0, P - held_back, held_back), o));
            kata_save(model, o.out, "gpt.safetensors");
        }
        write_on(model, tokenizer, given, o);
        wk_module_free(model);
    }
    wk_text_tokenizer_free(tokenizer);
    free(text);
    return 0;
}
