#define _GNU_SOURCE // getrandom
#include "vocabulary.h"

#include <sys/random.h>
#include <time.h>

#include <wick/error.h>

#include "core/alloc.h"

uint64_t wk_text_new_key(void)
{
    uint64_t key;
    if (getrandom(&key, sizeof key, GRND_NONBLOCK) != sizeof key) {
        struct timespec time;
        clock_gettime(CLOCK_MONOTONIC, &time);
        key = (uint64_t)time.tv_nsec * 0x9E3779B97F4A7C15u;
    }
    return key | 1;
}

/* the slot where a token of this text is, or would be */
static uint32_t *slot_of_text(const wk_text_vocabulary *of, const char *text, size_t size)
{
    for (uint64_t slot = wk_text_hash(of->key, text, size);; slot++) {
        uint32_t *found = &of->by_text[slot & (of->slots - 1)];
        const wk_text_token *token = *found ? &of->tokens[*found - 1] : NULL;
        if (!token || (token->size == size && memcmp(wk_text_of(of, token), text, size) == 0))
            return found;
    }
}

static uint32_t *slot_of_id(const wk_text_vocabulary *of, uint32_t id)
{
    for (uint64_t slot = wk_text_mix(id ^ of->key, of->key);; slot++) {
        uint32_t *found = &of->by_id[slot & (of->slots - 1)];
        if (!*found || of->tokens[*found - 1].id == id)
            return found;
    }
}

static bool grow(const char *op, wk_text_vocabulary *of)
{
    const size_t slots = of->slots ? 2 * of->slots : 128, room = slots / 2; // half of the slots stay free
    if (!of->key)
        of->key = wk_text_new_key();
    wk_text_token *tokens = wk_realloc(of->tokens, room * sizeof *tokens);
    if (!tokens)
        return wk_out_of_memory(op, room * sizeof *tokens);
    of->tokens = tokens;
    of->room = room;
    uint32_t *by_text = wk_alloc_zeroed(slots * sizeof *by_text), *by_id = wk_alloc_zeroed(slots * sizeof *by_id);
    if (!by_text || !by_id) {
        wk_free(by_text);
        wk_free(by_id);
        return wk_out_of_memory(op, slots * sizeof *by_text);
    }
    wk_free(of->by_text);
    wk_free(of->by_id);
    of->by_text = by_text;
    of->by_id = by_id;
    of->slots = slots;
    for (size_t i = 0; i < of->count; i++) {
        const wk_text_token *token = &of->tokens[i];
        *slot_of_text(of, wk_text_of(of, token), token->size) = (uint32_t)i + 1;
        *slot_of_id(of, token->id) = (uint32_t)i + 1;
    }
    return true;
}

bool wk_text_vocabulary_add(const char *op, wk_text_vocabulary *of, const char *text, size_t size, int64_t id)
{
    if (id < 0 || id > UINT32_MAX || size > INT32_MAX || of->count >= UINT32_MAX / 4)
        return wk_fail(op, "a token's id: expected 0 to %u, got %lld", UINT32_MAX, (long long)id);
    if (2 * (of->count + 1) > of->slots && !grow(op, of))
        return false;
    const size_t offset = of->text.used;
    if (!wk_text_put(op, &of->text, text, size) || !wk_text_put(op, &of->text, "", 1))
        return false;
    of->tokens[of->count] = (wk_text_token){.offset = offset, .size = (uint32_t)size & 0x7FFFFFFF, .id = (uint32_t)id};
    uint32_t *const by_text = slot_of_text(of, text, size), *const by_id = slot_of_id(of, (uint32_t)id);
    *by_text = *by_id = (uint32_t)++of->count;
    of->longest = size > of->longest ? size : of->longest;
    return true;
}

const wk_text_token *wk_text_vocabulary_find(const wk_text_vocabulary *of, const char *text, size_t size)
{
    if (of->count == 0 || size > of->longest)
        return NULL;
    const uint32_t found = *slot_of_text(of, text, size);
    return found ? &of->tokens[found - 1] : NULL;
}

const wk_text_token *wk_text_vocabulary_get(const wk_text_vocabulary *of, int64_t id)
{
    if (of->count == 0 || id < 0 || id > UINT32_MAX)
        return NULL;
    const uint32_t found = *slot_of_id(of, (uint32_t)id);
    return found ? &of->tokens[found - 1] : NULL;
}

void wk_text_vocabulary_free(wk_text_vocabulary *of)
{
    wk_free(of->text.data);
    wk_free(of->tokens);
    wk_free(of->by_text);
    wk_free(of->by_id);
    *of = (wk_text_vocabulary){0};
}
