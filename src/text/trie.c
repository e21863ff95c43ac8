/* A trie in one hash table of edges: a vocabulary of 250,000 pieces takes 20 MB, and a step one or two looks. */
#include "tokenizer.h"

#include "core/alloc.h"

static bool grow_edges(const char *op, wk_text_trie *trie)
{
    const size_t slots = trie->slots ? 2 * trie->slots : 256;
    wk_text_trie_edge *edges = wk_alloc_zeroed(slots * sizeof *edges), *old = trie->edges;
    if (!edges)
        return wk_out_of_memory(op, slots * sizeof *edges);
    for (size_t i = 0; i < trie->slots; i++)
        if (old[i].child) {
            uint64_t slot = wk_text_mix((uint64_t)old[i].node << 8 | old[i].byte, trie->key);
            while (edges[slot & (slots - 1)].child)
                slot++;
            edges[slot & (slots - 1)] = old[i];
        }
    wk_free(old);
    trie->edges = edges;
    trie->slots = slots;
    return true;
}

static bool grow_nodes(const char *op, wk_text_trie *trie)
{
    const size_t room = 2 * trie->room + 64;
    int32_t *values = wk_realloc(trie->values, room * sizeof *values);
    if (!values)
        return wk_out_of_memory(op, room * sizeof *values);
    trie->values = values;
    trie->room = room;
    return true;
}

/* a new node, 0 after an error */
static uint32_t new_node(const char *op, wk_text_trie *trie)
{
    if (trie->count == trie->room && !grow_nodes(op, trie))
        return 0;
    trie->values[trie->count] = -1;
    return (uint32_t)trie->count++;
}

bool wk_text_trie_add(const char *op, wk_text_trie *trie, const char *text, size_t size, int32_t value)
{
    if (!trie->count) {
        trie->key = wk_text_new_key();
        if (!grow_edges(op, trie) || !grow_nodes(op, trie))
            return false;
        trie->values[0] = trie->values[WK_TEXT_ROOT] = -1;
        trie->count = 2;
    }
    uint32_t node = WK_TEXT_ROOT;
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)text[i];
        uint32_t next = wk_text_trie_step(trie, node, byte);
        if (!next) {
            if ((2 * trie->count > trie->slots && !grow_edges(op, trie)) || !(next = new_node(op, trie)))
                return false;
            uint64_t slot = wk_text_mix((uint64_t)node << 8 | byte, trie->key);
            while (trie->edges[slot & (trie->slots - 1)].child)
                slot++;
            trie->edges[slot & (trie->slots - 1)] = (wk_text_trie_edge){node, next, byte};
            if (node == WK_TEXT_ROOT)
                trie->first[byte] = next;
        }
        node = next;
    }
    trie->values[node] = value;
    return true;
}

bool wk_text_trie_fill(const char *op, wk_text_trie *trie, const wk_text_vocabulary *vocabulary)
{
    for (size_t i = 0; i < vocabulary->count; i++) {
        const wk_text_token *token = &vocabulary->tokens[i];
        if (!wk_text_trie_add(op, trie, wk_text_of(vocabulary, token), token->size, (int32_t)i))
            return false;
    }
    return true;
}

void wk_text_trie_free(wk_text_trie *trie)
{
    wk_free(trie->edges);
    wk_free(trie->values);
}
