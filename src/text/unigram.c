/* Unigram, as SentencePiece has it: of all ways to cut a word into tokens, the one whose scores (logarithms of
   probabilities) sum to the most, by Viterbi.  A character that no token holds costs 10 more than the rarest token. */
#include "tokenizer.h"

#include "core/alloc.h"

struct wk_text_node { // how text best ends here
    double score;
    size_t from;
    int64_t token; // an index; -1: an unknown character; -2: it does not end here
};

static void offer(const wk_text_model *model, struct wk_text_node *node, size_t from, int64_t token, double score)
{
    if (model->single)
        score = (float)score;
    if (node->token == -2 || score > node->score)
        *node = (struct wk_text_node){score, from, token};
}

/* SentencePiece sums in float32, and begins at 0 again before that grows coarse: the same ties break the same way */
#define FAR 100000.0

static void begin_again(struct wk_text_node *nodes, size_t at, size_t reached)
{
    const double offset = nodes[at].score;
    for (size_t i = at; i <= reached; i++)
        nodes[i].score = (float)(nodes[i].score - offset);
}

static void find_best(const wk_text_model *model, const char *word, size_t size, struct wk_text_node *nodes)
{
    for (size_t i = 0; i <= size; i++)
        nodes[i] = (struct wk_text_node){0, 0, -2};
    for (size_t at = 0, length, reached = 0; at < size; at += length) {
        wk_text_char(word + at, &length);
        if (model->single && (nodes[at].score < -FAR || nodes[at].score > FAR))
            begin_again(nodes, at, reached);
        const double score = nodes[at].score;
        bool alone = false; // a token of just this character is there
        uint32_t node = WK_TEXT_ROOT;
        for (size_t to = at; model->trie.count && to < size;) {
            node = wk_text_trie_step(&model->trie, node, (unsigned char)word[to++]);
            if (!node)
                break;
            const int32_t token = model->trie.values[node];
            if (token < 0)
                continue;
            reached = to > reached ? to : reached;
            offer(model, &nodes[to], at, token, score + model->scores[token]);
            alone |= to - at == length;
        }
        if (!alone) {
            reached = at + length > reached ? at + length : reached;
            offer(model, &nodes[at + length], at, -1, score + model->unknown_score);
        }
    }
}

static bool put_piece(const char *op, const wk_text_tokenizer *tokenizer, const char *text, size_t size,
                      wk_text_ids *ids)
{
    const wk_text_model *model = &tokenizer->model;
    const int64_t id = wk_text_id_of(&tokenizer->vocabulary, text, size);
    if (id >= 0)
        return wk_text_put_id(op, ids, id);
    bool bytes = model->byte_fallback;
    for (size_t i = 0; bytes && i < size; i++)
        bytes = model->byte_ids[(unsigned char)text[i]] >= 0;
    if (!bytes && model->unknown_id < 0)
        return wk_fail(op, "unk_id: the model has none, and a character of the text is no token");
    if (!bytes)
        return wk_text_put_id(op, ids, model->unknown_id);
    for (size_t i = size; i > 0; i--) // backwards: the whole is turned round
        if (!wk_text_put_id(op, ids, model->byte_ids[(unsigned char)text[i - 1]]))
            return false;
    return true;
}

bool wk_text_unigram(const char *op, const wk_text_tokenizer *tokenizer, const char *word, size_t size,
                     wk_text_scratch *scratch)
{
    const wk_text_model *model = &tokenizer->model;
    if (size + 1 > scratch->node_room) {
        wk_free(scratch->nodes);
        scratch->node_room = 0;
        scratch->nodes = wk_alloc((size + 1) * sizeof *scratch->nodes);
        if (!scratch->nodes)
            return wk_out_of_memory(op, (size + 1) * sizeof *scratch->nodes);
        scratch->node_room = size + 1;
    }
    struct wk_text_node *nodes = scratch->nodes;
    find_best(model, word, size, nodes);
    const size_t first = scratch->ids.count;
    size_t end = size;
    while (end > 0) {
        size_t from = nodes[end].from;
        const int64_t token = nodes[end].token;
        const bool unknown = token == -1 || (token >= 0 && tokenizer->vocabulary.tokens[token].id == model->unknown_id);
        while (unknown && from > 0 &&
               (nodes[from].token == -1 ||
                (nodes[from].token >= 0 && tokenizer->vocabulary.tokens[nodes[from].token].id == model->unknown_id)))
            from = nodes[from].from; // unknown ones in a row are one
        if (!(token >= 0 && !unknown ? wk_text_put_id(op, &scratch->ids, tokenizer->vocabulary.tokens[token].id)
                                     : put_piece(op, tokenizer, word + from, end - from, &scratch->ids)))
            return false;
        end = from;
    }
    for (size_t low = first, high = scratch->ids.count; low + 1 < high; low++) {
        const int64_t id = scratch->ids.ids[--high];
        scratch->ids.ids[high] = scratch->ids.ids[low];
        scratch->ids.ids[low] = id;
    }
    return true;
}

bool wk_text_unigram_ready(const char *op, wk_text_tokenizer *tokenizer)
{
    wk_text_model *model = &tokenizer->model;
    double least = 0;
    for (size_t i = 0; i < tokenizer->vocabulary.count; i++)
        least = i == 0 || model->scores[i] < least ? model->scores[i] : least;
    model->unknown_score = least - 10;
    wk_text_byte_ids(tokenizer);
    return wk_text_trie_fill(op, &model->trie, &tokenizer->vocabulary);
}
