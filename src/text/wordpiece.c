/* WordPiece, as BERT has it: of each word the longest token that it begins with, then the longest "##" token that goes
   on, and so on; one unknown token where that fails.  And whole words as tokens. */
#include "tokenizer.h"

static bool put_unknown(const char *op, const wk_text_model *model, wk_text_scratch *scratch)
{
    if (model->unknown_id < 0)
        return wk_fail(op, "unk_token: %s is not in the vocabulary",
                       model->unknown.data ? model->unknown.data : "none");
    return wk_text_put_id(op, &scratch->ids, model->unknown_id);
}

bool wk_text_wordpiece(const char *op, const wk_text_tokenizer *tokenizer, const char *word, size_t size,
                       wk_text_scratch *scratch)
{
    const wk_text_model *model = &tokenizer->model;
    const size_t from = scratch->ids.count;
    int64_t characters = 0;
    for (size_t i = 0; i < size; i++)
        characters += ((unsigned char)word[i] & 0xC0) != 0x80;
    if (characters > model->longest || model->trie.count == 0)
        return put_unknown(op, model, scratch);
    uint32_t goes_on = WK_TEXT_ROOT;
    for (size_t i = 0; goes_on && i < model->prefix.size; i++)
        goes_on = wk_text_trie_step(&model->trie, goes_on, (unsigned char)model->prefix.data[i]);
    for (size_t at = 0, end; at < size; at = end) {
        uint32_t node = at == 0 ? WK_TEXT_ROOT : goes_on;
        int32_t token = -1;
        end = at;
        for (size_t to = at; node && to < size;) {
            node = wk_text_trie_step(&model->trie, node, (unsigned char)word[to++]);
            if (node && model->trie.values[node] >= 0) {
                token = model->trie.values[node];
                end = to;
            }
        }
        if (token < 0) {
            scratch->ids.count = from;
            return put_unknown(op, model, scratch);
        }
        if (!wk_text_put_id(op, &scratch->ids, tokenizer->vocabulary.tokens[token].id))
            return false;
    }
    return true;
}

bool wk_text_word_level(const char *op, const wk_text_tokenizer *tokenizer, const char *word, size_t size,
                        wk_text_scratch *scratch)
{
    const int64_t id = wk_text_id_of(&tokenizer->vocabulary, word, size);
    return id >= 0 ? wk_text_put_id(op, &scratch->ids, id) : put_unknown(op, &tokenizer->model, scratch);
}
