/* Bytes as tokenizer.json, SentencePiece model, file of ranks and vocab.txt; what loads encodes the bytes, too. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

static void use(wk_text_tokenizer *tokenizer, const wk_error *error, const uint8_t *bytes, size_t size)
{
    MUST(error->set == !tokenizer, *error);
    if (!tokenizer)
        return;
    wk_error encoding = {.set = false}, decoding = {.set = false};
    wk_scope
    {
        wk_tensor *ids = NULL;
        char *text = NULL;
        wk_try(&encoding) ids = wk_text_encode(tokenizer, size ? (const char *)bytes : "", .size = (int64_t)size);
        MUST(encoding.set == !ids, encoding);
        if (ids) {
            wk_try(&decoding) text = wk_text_decode(tokenizer, ids, .skip_special_tokens = false);
            MUST(decoding.set == !text, decoding);
        }
        free(text);
        wk_try(&encoding) wk_text_encode_batch(tokenizer, ("Hello, w\xC3\xB6rld 12\n", "<s>"), .pairs = NULL);
    }
    wk_text_tokenizer_free(tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = fuzz_open(bytes, size, path);
    wk_error error;
    wk_text_tokenizer *tokenizer = NULL;
    wk_try(&error) tokenizer = wk_text_tokenizer_from_file(path);
    use(tokenizer, &error, bytes, size);
    wk_try(&error) tokenizer = wk_text_sentencepiece_processor(path);
    use(tokenizer, &error, bytes, size);
    wk_try(&error) tokenizer = wk_text_get_encoding("o200k_base", path);
    use(tokenizer, &error, bytes, size);
    wk_try(&error) tokenizer = wk_text_bert_wordpiece_tokenizer(path);
    use(tokenizer, &error, bytes, size);
    close(file);
    return 0;
}
