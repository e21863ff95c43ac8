/* Pre-tokenizers: pieces of text into smaller pieces, which the model never looks across. */
#define _GNU_SOURCE // memmem
#include "tokenizer.h"

/* ---------------------------------------------------------------- letters for bytes */

uint32_t wk_text_letter_of_byte(unsigned char byte)
{
    if ((byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE)
        return byte;
    return 0x100u + (byte <= ' ' ? byte : byte < 0xAD ? byte - 0x7Fu + 33 : 67);
}

int wk_text_byte_of_letter(uint32_t letter)
{
    if (letter < 0x100)
        return wk_text_letter_of_byte((unsigned char)letter) == letter ? (int)letter : -1;
    if (letter > 0x143)
        return -1;
    const int number = (int)letter - 0x100;
    return number <= 32 ? number : number < 67 ? number - 33 + 0x7F : 0xAD;
}

bool wk_text_put_letters(const char *op, const char *text, size_t size, wk_text_bytes *out)
{
    if (size == 0)
        return true;
    if (2 * size > out->room - out->used && !wk_text_grow(op, out, 2 * size))
        return false;
    char *to = out->data + out->used;
    for (size_t i = 0; i < size; i++) {
        const uint32_t letter = wk_text_letter_of_byte((unsigned char)text[i]);
        if (letter < 0x80) {
            *to++ = (char)letter;
        } else {
            *to++ = (char)(0xC0 | letter >> 6);
            *to++ = (char)(0x80 | (letter & 0x3F));
        }
    }
    out->used = (size_t)(to - out->data);
    return true;
}

bool wk_text_byte_letters(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    (void)step;
    return wk_text_put_letters(op, in->text.data, in->text.used, &out->text);
}

/* ---------------------------------------------------------------- splitting */

/* parts of a piece in order, matches of a pattern and what is between them, put together as the behavior says */
typedef struct splitter {
    const char *op;
    wk_text_words *out;
    wk_text_behavior behavior;
    bool invert, waits, waits_match, last_match; // a part waits for the next
    wk_text_span waiting;
} splitter;

static bool flush(splitter *to)
{
    const bool waits = to->waits;
    to->waits = false;
    return !waits || wk_text_put_span(to->op, to->out, to->waiting.begin, to->waiting.end);
}

static bool take_part(splitter *to, size_t begin, size_t end, bool match)
{
    if (begin == end)
        return true;
    match ^= to->invert;
    bool join = false;
    switch (to->behavior) {
    case WK_TEXT_REMOVED:
        return match || wk_text_put_span(to->op, to->out, begin, end);
    case WK_TEXT_ISOLATED:
        return wk_text_put_span(to->op, to->out, begin, end);
    case WK_TEXT_CONTIGUOUS:
        join = to->waits && to->waits_match == match;
        break;
    case WK_TEXT_MERGED_WITH_PREVIOUS:
        join = to->waits && match && !to->last_match;
        break;
    case WK_TEXT_MERGED_WITH_NEXT:
        join = to->waits && to->waits_match && !match;
        break;
    }
    to->last_match = match;
    if (join) {
        to->waiting.end = end;
        to->waits_match = match;
        return true;
    }
    if (!flush(to))
        return false;
    to->waits = true;
    to->waits_match = match;
    to->waiting = (wk_text_span){begin, end};
    return true;
}

static splitter split_into(const char *op, wk_text_words *out, wk_text_behavior behavior)
{
    return (splitter){.op = op, .out = out, .behavior = behavior};
}

/* at each piece, its characters: what kind is is 1, what is not is 0 */
static bool split_by_kind(const char *op, const wk_text_words *in, wk_text_words *out, wk_text_behavior behavior,
                          bool (*kind)(const wk_text_step *, uint32_t), const wk_text_step *step)
{
    if (!wk_text_words_copy(op, in, out))
        return false;
    for (size_t i = 0; i < in->count; i++) {
        splitter to = split_into(op, out, behavior);
        size_t from = in->spans[i].begin, length;
        for (size_t at = from; at < in->spans[i].end; at += length)
            if (kind(step, wk_text_char(in->text.data + at, &length))) {
                if (!take_part(&to, from, at, false) || !take_part(&to, at, at + length, true))
                    return false;
                from = at + length;
            }
        if (!take_part(&to, from, in->spans[i].end, false) || !flush(&to))
            return false;
    }
    return true;
}

/* pieces of `in` by the matches of a pattern */
static bool split_by_regex(const char *op, const wk_text_words *in, wk_text_words *out, const wk_text_step *step)
{
    wk_text_search search;
    if (!wk_text_search_begin(op, &search, step->regex))
        return false;
    bool good = true;
    for (size_t i = 0; good && i < in->count; i++) {
        splitter to = split_into(op, out, step->behavior);
        to.invert = step->invert;
        const size_t begin = in->spans[i].begin, size = in->spans[i].end - begin;
        wk_text_search_text(&search, in->text.data + begin, size);
        size_t from = 0;
        wk_text_span found;
        int more;
        while (good && (more = wk_text_search_next(op, &search, &found)) > 0) {
            good = take_part(&to, begin + from, begin + found.begin, false) &&
                   take_part(&to, begin + found.begin, begin + found.end, true);
            from = found.end;
        }
        good = good && more == 0 && take_part(&to, begin + from, begin + size, false) && flush(&to);
    }
    wk_text_search_end(&search);
    return good;
}

static bool split_by_text(const char *op, const wk_text_words *in, wk_text_words *out, const wk_text_step *step)
{
    const wk_text_string *pattern = &step->pattern;
    for (size_t i = 0; i < in->count; i++) {
        splitter to = split_into(op, out, step->behavior);
        to.invert = step->invert;
        size_t at = in->spans[i].begin;
        const size_t end = in->spans[i].end;
        for (const char *found; pattern->size > 0 && at < end &&
                                (found = memmem(in->text.data + at, end - at, pattern->data, pattern->size));) {
            const size_t begin = (size_t)(found - in->text.data);
            if (!take_part(&to, at, begin, false) || !take_part(&to, begin, begin + pattern->size, true))
                return false;
            at = begin + pattern->size;
        }
        if (!take_part(&to, at, end, false) || !flush(&to))
            return false;
    }
    return true;
}

bool wk_text_split(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    return wk_text_words_copy(op, in, out) &&
           (step->regex ? split_by_regex(op, in, out, step) : split_by_text(op, in, out, step));
}

static bool kind_space(const wk_text_step *step, uint32_t code) { return (void)step, wk_text_is_space(code); }
static bool kind_punctuation(const wk_text_step *step, uint32_t code)
{
    (void)step;
    if (code < 0x80)
        return (code >= '!' && code <= '/') || (code >= ':' && code <= '@') || (code >= '[' && code <= '`') ||
               (code >= '{' && code <= '~');
    return wk_text_is_punctuation(code);
}
static bool kind_number(const wk_text_step *step, uint32_t code) { return (void)step, wk_text_is_number(code); }

bool wk_text_whitespace_split(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    return split_by_kind(op, in, out, WK_TEXT_REMOVED, kind_space, step);
}

bool wk_text_punctuation(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    return split_by_kind(op, in, out, step->behavior, kind_punctuation, step);
}

bool wk_text_digits(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    return split_by_kind(op, in, out, step->individual ? WK_TEXT_ISOLATED : WK_TEXT_CONTIGUOUS, kind_number, step);
}

/* blanks go, punctuation stands alone: in one walk */
bool wk_text_bert_pre_tokenizer(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    if (!wk_text_words_copy(op, in, out))
        return false;
    for (size_t i = 0; i < in->count; i++) {
        size_t from = in->spans[i].begin, length;
        const size_t end = in->spans[i].end;
        for (size_t at = from; at < end; at += length) {
            const uint32_t code = wk_text_char(in->text.data + at, &length);
            const bool space = wk_text_is_space(code);
            if (!space && !kind_punctuation(step, code))
                continue;
            if (!wk_text_put_span(op, out, from, at) || (!space && !wk_text_put_span(op, out, at, at + length)))
                return false;
            from = at + length;
        }
        if (!wk_text_put_span(op, out, from, end))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- those that change the text, too */

/* each piece, with a space before it where it has none; step->regex cuts it; then letters for its bytes */
bool wk_text_byte_level(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    wk_text_words spaced = {0}, cut = {0};
    bool good = true;
    const wk_text_words *from = in;
    if (step->prefix_space) {
        for (size_t i = 0; good && i < in->count; i++) {
            const size_t begin = spaced.text.used, size = in->spans[i].end - in->spans[i].begin;
            const char *text = in->text.data + in->spans[i].begin;
            good = (text[0] == ' ' || wk_text_put(op, &spaced.text, " ", 1)) &&
                   wk_text_put(op, &spaced.text, text, size) && wk_text_put_span(op, &spaced, begin, spaced.text.used);
        }
        from = &spaced;
    }
    const char *text = from->text.data;
    if (good && step->regex) {
        good = split_by_regex(op, from, &cut, step); // pieces of from's text
        from = &cut;
    }
    for (size_t i = 0; good && i < from->count; i++) {
        const size_t begin = out->text.used;
        good = wk_text_put_letters(op, text + from->spans[i].begin, from->spans[i].end - from->spans[i].begin,
                                   &out->text) &&
               wk_text_put_span(op, out, begin, out->text.used);
    }
    wk_text_words_free(&spaced);
    wk_text_words_free(&cut);
    return good;
}

/* spaces become U+2581 (step->content), one more stands before the piece, and words begin with theirs */
bool wk_text_metaspace(const char *op, const wk_text_step *step, const wk_text_words *in, wk_text_words *out)
{
    const wk_text_string *mark = &step->content;
    for (size_t i = 0; i < in->count; i++) {
        const char *text = in->text.data + in->spans[i].begin;
        const size_t size = in->spans[i].end - in->spans[i].begin;
        size_t begin = out->text.used;
        const bool marked = text[0] == ' ' || (size >= mark->size && memcmp(text, mark->data, mark->size) == 0);
        const bool first = in->first && in->spans[i].begin == 0;
        const bool prepend = step->prepend == WK_TEXT_ALWAYS || (step->prepend == WK_TEXT_FIRST && first);
        if (!marked && prepend && !wk_text_put(op, &out->text, mark->data, mark->size))
            return false;
        for (size_t at = 0, length; at < size; at += length) {
            wk_text_char(text + at, &length);
            const bool space = text[at] == ' ';
            const bool cuts = space || (length == mark->size && memcmp(text + at, mark->data, length) == 0);
            if (cuts && step->split) {
                if (!wk_text_put_span(op, out, begin, out->text.used))
                    return false;
                begin = out->text.used;
            }
            if (!wk_text_put(op, &out->text, space ? mark->data : text + at, space ? mark->size : length))
                return false;
        }
        if (!wk_text_put_span(op, out, begin, out->text.used))
            return false;
    }
    return true;
}
