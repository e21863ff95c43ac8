/* What reads a tokenizer.json, section by section. */
#ifndef WICK_TEXT_READER_H
#define WICK_TEXT_READER_H

#include "core/text.h"
#include "io/file.h"
#include "io/json.h"
#include "tokenizer.h"

typedef struct wk_text_reader {
    const char *op;
    wk_shown_text path;
    wk_json_tree tree;
    wk_text_tokenizer *tokenizer;
} wk_text_reader;

/* the value of a key, of that kind; NULL where it is not there or null; *good false after an error: of another kind */
const wk_json_value *wk_text_read(const wk_text_reader *reader, const wk_json_value *object, const char *key,
                                  wk_json_kind kind, bool *good);
bool wk_text_read_bool(const wk_text_reader *reader, const wk_json_value *object, const char *key, bool otherwise,
                       bool *good);
/* a whole number from 0 */
int64_t wk_text_read_size(const wk_text_reader *reader, const wk_json_value *object, const char *key, int64_t otherwise,
                          bool *good);
bool wk_text_is(const wk_json_value *value, const char *text); // a string, and this one
bool wk_text_wrong(const wk_text_reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* false after an error */
bool wk_text_read_vocabulary(const wk_text_reader *reader, const wk_json_value *object); // {"token": id, ...}
bool wk_text_read_model(const wk_text_reader *reader, const wk_json_value *model);
bool wk_text_read_normalizer(const wk_text_reader *reader, const wk_json_value *value, int depth);
bool wk_text_read_pre_tokenizer(const wk_text_reader *reader, const wk_json_value *value, int depth);
bool wk_text_read_decoder(const wk_text_reader *reader, const wk_json_value *value, int depth);
bool wk_text_read_post_processor(const wk_text_reader *reader, const wk_json_value *value, int depth);

/* tokenizer where it is good; else NULL, and it is freed */
wk_text_tokenizer *wk_text_done(wk_text_tokenizer *tokenizer, bool good);
wk_json wk_text_json(const wk_file_map *map); // at its begin
/* the next line of a file, without its end; false: there is none */
bool wk_text_next_line(const wk_file_map *map, size_t *at, wk_text_span *line);

extern const char wk_text_gpt2_pattern[];
bool wk_text_base64(const char *op, const char *text, size_t size, wk_text_bytes *out);

#endif
