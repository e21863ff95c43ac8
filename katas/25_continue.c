/* GPT-2, Llama or a model of their shape goes on with a text: config.json, tokenizer.json and the weights are read as
   they were published, in one file or several.

       build/katas/25_continue --weights folder --prompt "The sea was"

   With --temperature 0 (unless told) it writes what is likeliest, which transformers writes too.

   New here: what config.json says of a model; a cache for each layer; wk_text_decode_stream_step. */
#include "gpt2.h"
#include "llama.h"
#include "loaded.h"

typedef struct options {
    const char *weights, *prompt;
    int64_t length, seed;
    double temperature;
} options;

/* ---------------------------------------------------------------- config.json: "key": 12 */

static double config_number(const char *config, const char *key, double otherwise)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\"", key);
    const char *at = strstr(config, quoted);
    if (!at)
        return otherwise;
    at += strlen(quoted);
    at += strspn(at, " \t\r\n:");
    char *end;
    const double value = strtod(at, &end);
    return end != at ? value : strncmp(at, "true", 4) == 0 ? 1 : strncmp(at, "false", 5) == 0 ? 0 : otherwise;
}

static bool config_says(const char *config, const char *text) { return strstr(config, text) != NULL; }

/* ---------------------------------------------------------------- a model of either kind */

typedef struct writer {
    void *model;
    bool is_llama;
    wk_module *caches; // one for each layer
    int64_t length;    // places it knows
} writer;

/* tokens (1, L), the first at `position` -> (vocabulary,): what comes after the last */
static wk_tensor *next_logits(writer *w, wk_tensor *tokens, int64_t position)
{
    wk_tensor *logits = w->is_llama
                            ? wk_call(llama_forward, w->model, tokens, position, w->caches)
                            : wk_call(gpt2_forward, w->model, tokens, position, w->caches); // (1, L, vocabulary)
    return wk_select(wk_select(logits, 0, 0), 0, -1);
}

static void add_caches(writer *w, int64_t layers, int64_t heads, int64_t dim)
{
    w->caches = wk_nn_module_list();
    for (int64_t i = 0; i < layers; i++)
        wk_nn_module_list_append(w->caches, wk_kv_cache(1, heads, w->length, dim));
}

static writer gpt2_writer(const char *config, int64_t length)
{
    const gpt2_config c = {.vocabulary = (int64_t)config_number(config, "vocab_size", GPT2.vocabulary),
                           .length = (int64_t)config_number(config, "n_positions", GPT2.length),
                           .dim = (int64_t)config_number(config, "n_embd", GPT2.dim),
                           .depth = (int64_t)config_number(config, "n_layer", GPT2.depth),
                           .heads = (int64_t)config_number(config, "n_head", GPT2.heads)};
    writer w = {.model = gpt2_new(c), .length = length < c.length ? length : c.length};
    add_caches(&w, c.depth, c.heads, c.dim / c.heads);
    return w;
}

static writer llama_writer(const char *config, int64_t length)
{
    llama_config c = {.vocabulary = (int64_t)config_number(config, "vocab_size", 0),
                      .length = (int64_t)config_number(config, "max_position_embeddings", 2048),
                      .dim = (int64_t)config_number(config, "hidden_size", 0),
                      .hidden = (int64_t)config_number(config, "intermediate_size", 0),
                      .depth = (int64_t)config_number(config, "num_hidden_layers", 0),
                      .heads = (int64_t)config_number(config, "num_attention_heads", 1),
                      .theta = config_number(config, "rope_theta", 10000),
                      .eps = config_number(config, "rms_norm_eps", 1e-6),
                      .tied = config_number(config, "tie_word_embeddings", 0) != 0,
                      .qkv_bias = config_says(config, "\"qwen2\"")};
    c.kv_heads = (int64_t)config_number(config, "num_key_value_heads", (double)c.heads);
    c.head_dim = (int64_t)config_number(config, "head_dim", 0);
    if (config_says(config, "\"llama3\"")) {
        c.rope_factor = config_number(config, "factor", 8);
        c.rope_low = config_number(config, "low_freq_factor", 1);
        c.rope_high = config_number(config, "high_freq_factor", 4);
        c.rope_length = config_number(config, "original_max_position_embeddings", 8192);
    }
    c.length = length < c.length ? length : c.length;
    writer w = {.model = llama_new(c), .is_llama = true, .length = c.length};
    add_caches(&w, c.depth, c.kv_heads, llama_head_dim(c));
    return w;
}

/* the one of these names that is in the folder */
static const char *weights_in(const char *folder)
{
    static const char *const NAMES[] = {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
                                        "pytorch_model.bin.index.json"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (access(kata_path(folder, NAMES[i]), R_OK) == 0)
            return kata_path(folder, NAMES[i]);
    kata_bad("weights", folder, "a folder with model.safetensors or pytorch_model.bin");
    return NULL;
}

static void load(writer *w, const char *folder)
{
    wk_dict *all = loaded_state("weights", weights_in(folder)), *state = wk_dict_new();
    const bool bare = !w->is_llama && wk_dict_get(all, "wte.weight"); // GPT-2 as it was first published
    for (int64_t i = 0; i < wk_dict_count(all); i++) {
        char name[300];
        const char *key = wk_dict_key_at(all, i);
        snprintf(name, sizeof name, "%s%s", bare ? "transformer." : "", key);
        const size_t length = strlen(key);
        const bool mask = length > 10 && (strcmp(key + length - 10, ".attn.bias") == 0 || strstr(key, "masked_bias") ||
                                          strstr(key, "inv_freq"));
        if (!mask) // what older versions saved, and is computed here
            wk_dict_set(state, name, wk_dict_value_at(all, i));
    }
    wk_dict_free(all);
    loaded_into(w->model, "weights", state);
}

/* ---------------------------------------------------------------- writing */

static void go_on(writer *w, const wk_text_tokenizer *tokenizer, const options *o)
{
    wk_tensor *tokens = wk_text_encode(tokenizer, o->prompt); // (P,)
    int64_t place = 0, end = wk_text_token_to_id(tokenizer, "<|endoftext|>");
    if (end < 0)
        end = wk_text_token_to_id(tokenizer, w->is_llama ? "</s>" : "<|endoftext|>");
    if (wk_numel(tokens) == 0 || wk_numel(tokens) >= w->length)
        kata_bad("prompt", o->prompt, "a text that the model has room for");
    wk_text_decode_stream *stream = wk_text_decode_stream_new(tokenizer);
    tokens = wk_unsqueeze(tokens, 0); // (1, P)
    printf("%s", o->prompt);
    wk_no_grad wk_for_each_step (i, 0, o->length)
    {
        if (place + wk_size(tokens, 1) > w->length)
            break;
        wk_tensor *logits = next_logits(w, tokens, place); // (vocabulary,)
        place += wk_size(tokens, 1);
        wk_tensor *next = o->temperature > 0 ? wk_multinomial(wk_softmax(wk_div(logits, o->temperature)), 1)
                                             : wk_argmax(logits, .dim = -1, .keepdim = true); // (1,)
        const int64_t id = wk_item_int64(next);
        if (id == end)
            break;
        const char *written = wk_text_decode_stream_step(stream, id);
        printf("%s", written ? written : "");
        fflush(stdout);
        tokens = wk_keep(wk_unsqueeze(next, 0)); // (1, 1)
    }
    printf("\n");
    wk_text_decode_stream_free(stream);
}

int main(int argc, char **argv)
{
    static options o = {.weights = "", .prompt = "Once upon a time", .length = 60};
    const kata_option names[] = {
        {"weights", "FOLDER", "with config.json, tokenizer.json and the weights", .text = &o.weights},
        {"prompt", "TEXT", "how it begins", .text = &o.prompt},
        {"length", "N", "tokens to write", .whole = &o.length, .least = 1},
        {"temperature", "X", "0: the likeliest; 1: as likely as it is", .number = &o.temperature},
        {"seed", "N", "of what is drawn", .whole = &o.seed},
        {0},
    };
    kata_read_options(argc, argv, "GPT-2, Llama or a model of their shape goes on with a text.", names);
    if (!*o.weights)
        kata_bad("weights", o.weights, "a folder");
    wk_manual_seed(o.seed);
    wk_text_tokenizer *tokenizer =
        wk_text_tokenizer_from_file(loaded_file("weights", kata_path(o.weights, "tokenizer.json")));
    char *config = wk_text_read_file(loaded_file("weights", kata_path(o.weights, "config.json")), NULL);
    const bool is_gpt2 = config_says(config, "\"gpt2\"");
    if (!is_gpt2 && !config_says(config, "\"llama\"") && !config_says(config, "\"mistral\"") &&
        !config_says(config, "\"qwen2\""))
        kata_bad("weights", o.weights, "a model_type of gpt2, llama, mistral or qwen2 in its config.json");
    wk_scope
    {
        const int64_t length = o.length + (int64_t)strlen(o.prompt) + 8; // a token is a byte at least
        writer w = is_gpt2 ? gpt2_writer(config, length) : llama_writer(config, length);
        load(&w, o.weights);
        go_on(&w, tokenizer, &o);
        wk_module_free(w.caches);
        wk_module_free(w.model);
    }
    free(config);
    wk_text_tokenizer_free(tokenizer);
    return 0;
}
