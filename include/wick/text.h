/* Language: tokenizers, padded batches of ids, data sets of text.  Hugging Face: tokenizers
   (https://huggingface.co/docs/tokenizers), tiktoken, SentencePiece.

       wk_text_tokenizer *tokenizer = wk_text_tokenizer_from_file("tokenizer.json");
       wk_tensor *ids = wk_text_encode(tokenizer, "Hello, world");                  // (P,) int64
       wk_text_batch batch = wk_text_encode_batch(tokenizer, ("One.", "And two.")); // (B, P) ids and mask
       char *text = wk_text_decode(tokenizer, ids);
       ...
       free(text);
       wk_text_tokenizer_free(tokenizer);

   The ids are those of Hugging Face's tokenizers.  Text is UTF-8; bytes that are none become U+FFFD, as in Python's
   open(..., errors="replace").  A tokenizer may be used by several threads at once. */
#ifndef WICK_TEXT_H
#define WICK_TEXT_H
#pragma GCC system_header // see tensor.h

#include <wick/data.h>
#include <wick/random.h>
#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_text_tokenizer wk_text_tokenizer;

/* ---------------------------------------------------------------- tokenizers from files; NULL after an error */

/* Tokenizer.from_file(path): a tokenizer.json with a model of BPE, WordPiece, Unigram or WordLevel */
wk_text_tokenizer *wk_text_tokenizer_from_file(const char *path);
/* ByteLevelBPETokenizer(vocab, merges): GPT-2's vocab.json (encoder.json) and merges.txt (vocab.bpe); a token
   "<|endoftext|>" is special */
wk_text_tokenizer *wk_text_byte_level_bpe_tokenizer(const char *vocab, const char *merges);
/* BertWordPieceTokenizer(vocab): a vocab.txt, a token a line; .lowercase = false for cased models */
typedef struct wk_text_bert_args {
    const char *vocab;
    bool lowercase; // also strips accents
} wk_text_bert_args;
#define wk_text_bert_wordpiece_tokenizer(...)                                                                          \
    wk_text_bert_wordpiece_tokenizer_with((wk_text_bert_args){.lowercase = true, .vocab = __VA_ARGS__})
wk_text_tokenizer *wk_text_bert_wordpiece_tokenizer_with(wk_text_bert_args args);
/* tiktoken.get_encoding(name): gpt2, r50k_base, p50k_base, p50k_edit, cl100k_base or o200k_base, from the file of its
   ranks (r50k_base.tiktoken), which tiktoken downloads; special tokens in a text are taken as such */
wk_text_tokenizer *wk_text_get_encoding(const char *name, const char *path);
/* SentencePieceProcessor(model_file=path): a .model of unigram or bpe; no <s> and </s> around texts, as there */
wk_text_tokenizer *wk_text_sentencepiece_processor(const char *path);
/* The characters of a text, sorted, as nanoGPT's shakespeare_char has them; another character is an error */
wk_text_tokenizer *wk_text_character_tokenizer(const char *text);
void wk_text_tokenizer_free(wk_text_tokenizer *tokenizer); // NULL is fine

/* ---------------------------------------------------------------- its vocabulary */

int64_t wk_text_vocab_size(const wk_text_tokenizer *tokenizer); // get_vocab_size(): with added tokens
int64_t wk_text_token_to_id(const wk_text_tokenizer *tokenizer, const char *token); // -1: None
const char *wk_text_id_to_token(const wk_text_tokenizer *tokenizer, int64_t id);    // NULL: None; the tokenizer's

/* ---------------------------------------------------------------- truncation and padding */

/* enable_truncation(max_length, strategy="longest_first", direction="right").  max_length counts special tokens, too.
   A tokenizer.json may have it, and padding, already.  False after an error. */
typedef struct wk_text_truncation {
    int64_t max_length;
    const char *strategy;  // "longest_first", "only_first", "only_second"
    const char *direction; // the end that is cut: "right", "left"
} wk_text_truncation;
#define wk_text_enable_truncation(tokenizer, ...)                                                                      \
    wk_text_enable_truncation_with(tokenizer, (wk_text_truncation){.max_length = __VA_ARGS__})
bool wk_text_enable_truncation_with(wk_text_tokenizer *tokenizer, wk_text_truncation truncation);
void wk_text_no_truncation(wk_text_tokenizer *tokenizer);

/* enable_padding(tokenizer, .length = 128): texts are padded to length, or without it batches to their longest, as
   they are without this, too. */
typedef struct wk_text_padding_args {
    wk_text_tokenizer *tokenizer;
    int64_t length, pad_to_multiple_of; // 0: none
    int64_t pad_id, pad_type_id;
    const char *direction; // the end that is filled: "right", "left"
} wk_text_padding_args;
#define wk_text_enable_padding(...) wk_text_enable_padding_with((wk_text_padding_args){.tokenizer = __VA_ARGS__})
bool wk_text_enable_padding_with(wk_text_padding_args args);
void wk_text_no_padding(wk_text_tokenizer *tokenizer);

/* ---------------------------------------------------------------- encoding */

/* encode(text, pair, add_special_tokens=True).ids: (P,) int64 */
typedef struct wk_text_encode_args {
    const wk_text_tokenizer *tokenizer;
    const char *text;
    const char *pair;        // a second text, for models of two
    bool add_special_tokens; // [CLS] and [SEP], <s>: as the tokenizer's template has them
    int64_t size;            // of text in bytes; 0: to its NUL
} wk_text_encode_args;
#define wk_text_encode(tokenizer_, ...)                                                                                \
    wk_text_encode_with((wk_text_encode_args){.add_special_tokens = true, .tokenizer = tokenizer_, .text = __VA_ARGS__})
wk_tensor *wk_text_encode_with(wk_text_encode_args args);

/* encode_batch(texts): all (B, P) int64, P the longest of the texts, or what the padding says */
typedef struct wk_text_batch {
    wk_tensor *input_ids, *attention_mask, *token_type_ids; // all NULL after an error
} wk_text_batch;
typedef struct wk_text_texts {
    int64_t count;
    const char *const *items;
} wk_text_texts;
typedef struct wk_text_encode_batch_args {
    const wk_text_tokenizer *tokenizer;
    wk_text_texts texts;
    const char *const *pairs; // as many
    bool add_special_tokens;
} wk_text_encode_batch_args;
#define WK_TEXTS(...) ((wk_text_texts){WK_COUNT(const char *, __VA_ARGS__), (const char *[]){__VA_ARGS__}})
/* wk_text_encode_batch(tokenizer, ("a", "b")), or of an array: wk_text_encode_batch(tokenizer, .texts = {n, array}) */
#define wk_text_encode_batch(tokenizer_, ...)                                                                          \
    wk_text_encode_batch_with((wk_text_encode_batch_args){                                                             \
        .add_special_tokens = true, .tokenizer = tokenizer_, WK_TEXTS_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define WK_TEXTS_BEFORE(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), .texts = WK_TEXTS, )
wk_text_batch wk_text_encode_batch_with(wk_text_encode_batch_args args);

/* ---------------------------------------------------------------- decoding */

/* decode(ids, skip_special_tokens=True): ids (P,) int64, in memory that the caller gives to free().  Ids that are no
   tokens are passed over. */
typedef struct wk_text_decode_args {
    const wk_text_tokenizer *tokenizer;
    wk_tensor *ids;
    bool skip_special_tokens;
} wk_text_decode_args;
#define wk_text_decode(tokenizer_, ...)                                                                                \
    wk_text_decode_with((wk_text_decode_args){.skip_special_tokens = true, .tokenizer = tokenizer_, .ids = __VA_ARGS__})
char *wk_text_decode_with(wk_text_decode_args args);

/* DecodeStream(skip_special_tokens=True): a text as it is generated, id after id.  A step gives what is new, "" while
   the bytes of a character are not all there; it is the stream's, until the next step.  NULL after an error. */
typedef struct wk_text_decode_stream wk_text_decode_stream;
typedef struct wk_text_decode_stream_args {
    const wk_text_tokenizer *tokenizer; // has to live as long
    bool skip_special_tokens;
} wk_text_decode_stream_args;
#define wk_text_decode_stream_new(...)                                                                                 \
    wk_text_decode_stream_new_with((wk_text_decode_stream_args){.skip_special_tokens = true, .tokenizer = __VA_ARGS__})
wk_text_decode_stream *wk_text_decode_stream_new_with(wk_text_decode_stream_args args);
const char *wk_text_decode_stream_step(wk_text_decode_stream *stream, int64_t id);
void wk_text_decode_stream_free(wk_text_decode_stream *stream); // NULL is fine

/* ---------------------------------------------------------------- data for language models */

/* The bytes of a file, with a NUL behind them, in memory that the caller gives to free(); NULL after an error.  size
   may be NULL: then a file with a NUL inside is an error. */
char *wk_text_read_file(const char *path, int64_t *size);

/* get_batch(data, batch_size, block_size), as nanoGPT has it: x (B, P) are windows of data, int64 (N,), that begin at
   torch.randint(len(data) - block_size, (batch_size,)), and y (B, P) what follows each id; on data's device. */
typedef struct wk_text_get_batch_args {
    wk_tensor *data;
    int64_t batch_size, block_size;
    wk_generator *generator;
} wk_text_get_batch_args;
#define wk_text_get_batch(data_, batch_size_, ...)                                                                     \
    wk_text_get_batch_with(                                                                                            \
        (wk_text_get_batch_args){.data = data_, .batch_size = batch_size_, .block_size = __VA_ARGS__})
wk_sample wk_text_get_batch_with(wk_text_get_batch_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
