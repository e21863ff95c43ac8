/* Normalizers: the whole text becomes another. */
#define _GNU_SOURCE // memmem
#include "tokenizer.h"

#include "core/alloc.h"

static bool is_chinese(uint32_t code)
{
    return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
           (code >= 0x20000 && code <= 0x2A6DF) || (code >= 0x2A700 && code <= 0x2B73F) ||
           (code >= 0x2B740 && code <= 0x2B81F) || (code >= 0x2B920 && code <= 0x2CEAF) ||
           (code >= 0xF900 && code <= 0xFAFF) || (code >= 0x2F800 && code <= 0x2FA1F);
}

/* BertNormalizer, first part: control characters go, blanks become spaces, Chinese characters stand alone */
static bool clean(const char *op, const wk_text_step *step, const wk_text_bytes *in, wk_text_bytes *out)
{
    for (size_t at = 0, length; at < in->used; at += length) {
        uint32_t code = wk_text_char(in->data + at, &length);
        const bool blank = code == '\t' || code == '\n' || code == '\r';
        if (step->clean) {
            if (code == 0 || code == 0xFFFD || (!blank && wk_text_is_control(code)))
                continue;
            if (blank || wk_text_is_space(code))
                code = ' ';
        }
        const bool apart = step->chinese && is_chinese(code);
        if ((apart && !wk_text_put(op, out, " ", 1)) || !wk_text_put_char(op, out, code) ||
            (apart && !wk_text_put(op, out, " ", 1)))
            return false;
    }
    return true;
}

/* second part: marks go, letters become lower case */
static bool lower(const char *op, const wk_text_step *step, const wk_text_bytes *in, wk_text_bytes *out)
{
    for (size_t at = 0, length; at < in->used; at += length) {
        uint32_t code = wk_text_char(in->data + at, &length), lowered[2] = {code};
        if (code >= 0x80 && step->accents && wk_text_is_mark(code))
            continue;
        const int count = step->lowercase ? wk_text_lower(code, lowered) : 1;
        for (int i = 0; i < count; i++)
            if (!wk_text_put_char(op, out, lowered[i]))
                return false;
    }
    return true;
}

bool wk_text_bert_normalizer(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    wk_text_bytes cleaned = {0}, apart = {0};
    bool good = clean(op, step, &in->text, &cleaned);
    const wk_text_bytes *last = &cleaned;
    if (good && step->accents) {
        good = wk_text_normalize(op, WK_TEXT_NFD, cleaned.data, cleaned.used, &apart);
        last = &apart;
    }
    good = good && lower(op, step, last, &out->text);
    wk_free(cleaned.data);
    wk_free(apart.data);
    return good;
}

bool wk_text_lowercase(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    return lower(op, step, &in->text, &out->text); // step->lowercase is set, and nothing else
}

bool wk_text_strip_accents(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    (void)step;
    for (size_t at = 0, length; at < in->text.used; at += length) {
        const uint32_t code = wk_text_char(in->text.data + at, &length);
        if ((code < 0x80 || !wk_text_is_any_mark(code)) && !wk_text_put(op, &out->text, in->text.data + at, length))
            return false;
    }
    return true;
}

bool wk_text_strip(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    const char *text = in->text.data;
    size_t begin = 0, end = 0, length;
    while (step->left && begin < in->text.used && wk_text_is_space(wk_text_char(text + begin, &length)))
        begin += length;
    for (size_t at = begin; at < in->text.used; at += length)
        if (!wk_text_is_space(wk_text_char(text + at, &length)) || !step->right)
            end = at + length;
    return end <= begin || wk_text_put(op, &out->text, text + begin, end - begin);
}

bool wk_text_unicode_form(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    return wk_text_normalize(op, step->form, in->text.data, in->text.used, &out->text);
}

bool wk_text_prepend_text(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    return in->text.used == 0 ||
           (wk_text_put(op, &out->text, step->content.data, step->content.size) && wk_text_words_copy(op, in, out));
}

bool wk_text_replace_all(const char *op, const wk_text_step *step, const char *text, size_t size, wk_text_bytes *out)
{
    size_t at = 0;
    if (step->regex) {
        wk_text_search search;
        wk_text_span found;
        if (!wk_text_search_begin(op, &search, step->regex))
            return false;
        wk_text_search_text(&search, text, size);
        int more;
        while ((more = wk_text_search_next(op, &search, &found)) > 0) {
            if (!wk_text_put(op, out, text + at, found.begin - at) ||
                !wk_text_put(op, out, step->content.data, step->content.size))
                break;
            at = found.end;
        }
        wk_text_search_end(&search);
        if (more != 0)
            return false;
    } else {
        const wk_text_string *pattern = &step->pattern;
        for (const char *found;
             pattern->size > 0 && size > at && (found = memmem(text + at, size - at, pattern->data, pattern->size));) {
            const size_t begin = (size_t)(found - text);
            if (!wk_text_put(op, out, text + at, begin - at) ||
                !wk_text_put(op, out, step->content.data, step->content.size))
                return false;
            at = begin + pattern->size;
        }
    }
    return wk_text_put(op, out, text + at, size - at);
}

bool wk_text_replace(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    return wk_text_replace_all(op, step, in->text.data, in->text.used, &out->text);
}

/* Nmt: SentencePiece's rules for control characters and blanks */
bool wk_text_nmt(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    (void)step;
    for (size_t at = 0, length; at < in->text.used; at += length) {
        const uint32_t code = wk_text_char(in->text.data + at, &length);
        if ((code >= 1 && code <= 8) || code == 0x0B || (code >= 0x0E && code <= 0x1F) || code == 0x7F ||
            code == 0x8F || code == 0x9F)
            continue;
        const bool blank = code == 9 || code == 10 || code == 12 || code == 13 || code == 0x1680 ||
                           (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581 ||
                           code == 0xFEFF || code == 0xFFFD;
        if (!wk_text_put_char(op, &out->text, blank ? ' ' : code))
            return false;
    }
    return true;
}
