#include "tokenizer.h"

#include "core/alloc.h"
#include "charsmap.h"

bool wk_text_string_set(const char *op, wk_text_string *string, const char *data, size_t size)
{
    char *copy = wk_alloc(size + 1);
    if (!copy)
        return wk_out_of_memory(op, size + 1);
    memcpy(copy, data, size);
    copy[size] = '\0';
    wk_free(string->data);
    *string = (wk_text_string){copy, size};
    return true;
}

static bool needs_unicode(wk_text_run *run)
{
    static wk_text_run *const runs[] = {wk_text_bert_normalizer, wk_text_strip_accents, wk_text_lowercase,
                                        wk_text_unicode_form,    wk_text_precompiled,   wk_text_bert_pre_tokenizer,
                                        wk_text_punctuation,     wk_text_digits};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (run == runs[i])
            return true;
    return false;
}

wk_text_step *wk_text_step_add(const char *op, wk_text_steps *steps, wk_text_run *run)
{
    if (needs_unicode(run) && !wk_text_unicode_load(op))
        return NULL;
    if (steps->count == steps->room) {
        wk_text_step *items = wk_text_grown(op, steps->items, &steps->room, sizeof *items, 0);
        if (!items)
            return NULL;
        steps->items = items;
    }
    wk_text_step *step = &steps->items[steps->count++];
    *step = (wk_text_step){.run = run};
    return step;
}

void wk_text_steps_free(wk_text_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        wk_free(steps->items[i].pattern.data);
        wk_free(steps->items[i].content.data);
        wk_text_regex_free(steps->items[i].regex);
        wk_text_charsmap_free(steps->items[i].charsmap);
    }
    wk_free(steps->items);
}

bool wk_text_steps_run(const char *op, const wk_text_steps *steps, wk_text_words *words, wk_text_words *spare)
{
    if ((!words->text.data && !wk_text_grow(op, &words->text, 1)) || // empty texts are text, too
        (!spare->text.data && !wk_text_grow(op, &spare->text, 1)))
        return false;
    for (size_t i = 0; i < steps->count; i++) {
        wk_text_words_clear(spare);
        spare->first = words->first;
        spare->last = words->last;
        if (!steps->items[i].run(op, &steps->items[i], words, spare))
            return false;
        const wk_text_words done = *spare;
        *spare = *words;
        *words = done;
    }
    return true;
}

bool wk_text_words_copy(const char *op, const wk_text_words *in, wk_text_words *out)
{
    return wk_text_put(op, &out->text, in->text.data, in->text.used);
}
