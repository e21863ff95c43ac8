/* Texts through a tokenizer, for tokenizers_twin.py:  tokenizers_copy KIND FILE [FILE]
   KIND is json, gpt2, bert, sentencepiece or an encoding of tiktoken's.  Read are texts, 4 bytes of length before each;
   written, for each, a line of ids and a line of the decoded text in hexadecimal; at the end, to stderr, the seconds
   that encoding took. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wick.h>

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static wk_text_tokenizer *load(const char *kind, char **files)
{
    if (strcmp(kind, "json") == 0)
        return wk_text_tokenizer_from_file(files[0]);
    if (strcmp(kind, "gpt2") == 0)
        return wk_text_byte_level_bpe_tokenizer(files[0], files[1]);
    if (strcmp(kind, "bert") == 0)
        return wk_text_bert_wordpiece_tokenizer(files[0]);
    return strcmp(kind, "sentencepiece") == 0 ? wk_text_sentencepiece_processor(files[0])
                                              : wk_text_get_encoding(kind, files[0]);
}

int main(int count, char **arguments)
{
    wk_text_tokenizer *tokenizer = count > 2 ? load(arguments[1], arguments + 2) : NULL;
    if (!tokenizer)
        return 1;
    double taken = 0;
    for (uint32_t size; fread(&size, sizeof size, 1, stdin) == 1;)
        wk_scope
    {
        char *text = calloc(size + 1, 1);
        if (!text || fread(text, 1, size, stdin) != size)
            return 1;
        const double before = seconds();
        wk_tensor *ids = wk_text_encode(tokenizer, text, .size = size);
        taken += seconds() - before;
        for (int64_t i = 0; i < wk_numel(ids); i++)
            printf("%lld ", (long long)((int64_t *)wk_data_ptr(ids))[i]);
        char *back = wk_text_decode(tokenizer, ids);
        printf("\n");
        for (const char *at = back; *at; at++)
            printf("%02x", (unsigned char)*at);
        printf("\n");
        free(back);
        free(text);
    }
    fprintf(stderr, "%.3f", taken);
    wk_text_tokenizer_free(tokenizer);
    return 0;
}
