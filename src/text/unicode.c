/* What Unicode says of characters, by utf8proc: categories, lower case, normal forms, graphemes. */
#include "tokenizer.h"

#include "core/alloc.h"
#include "core/library.h"

bool wk_text_is_space(uint32_t code)
{
    return (code >= 9 && code <= 13) || code == ' ' || code == 0x85 || code == 0xA0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F ||
           code == 0x3000;
}

#ifdef WICK_HAVE_TEXT

#include <utf8proc.h>

static utf8proc_category_t (*category)(utf8proc_int32_t);
static utf8proc_int32_t (*lower)(utf8proc_int32_t);
static utf8proc_ssize_t (*decompose)(const utf8proc_uint8_t *, utf8proc_ssize_t, utf8proc_int32_t *, utf8proc_ssize_t,
                                     utf8proc_option_t);
static utf8proc_ssize_t (*reencode)(utf8proc_int32_t *, utf8proc_ssize_t, utf8proc_option_t);
static utf8proc_bool (*grapheme_break)(utf8proc_int32_t, utf8proc_int32_t, utf8proc_int32_t *);

static wk_library library = {.file = "libutf8proc.so.2",
                             .package = "libutf8proc2",
                             .functions = {{"utf8proc_category", &category},
                                           {"utf8proc_tolower", &lower},
                                           {"utf8proc_decompose", &decompose},
                                           {"utf8proc_reencode", &reencode},
                                           {"utf8proc_grapheme_break_stateful", &grapheme_break}}};

bool wk_text_unicode_load(const char *op) { return wk_library_load(op, &library); }

static bool is_in(uint32_t code, const uint32_t (*ranges)[2], size_t count)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (code > ranges[middle][1])
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && code >= ranges[low][0];
}

/* What Hugging Face's BERT classes do not know yet: their tables are Unicode 8's.  Of other kinds than punctuation,
   marks and control, these ranges hold whatever they hold. */
static bool is_after_8(uint32_t code)
{
    static const uint32_t ranges[][2] = {
        {0x61D, 0x61D},     {0x7FD, 0x7FD},     {0x890, 0x8E2},     {0x9FD, 0x9FE},     {0xA76, 0xA76},
        {0xAFA, 0xAFF},     {0xB55, 0xB55},     {0xC04, 0xC3C},     {0xC77, 0xC77},     {0xC84, 0xC84},
        {0xD00, 0xD00},     {0xD3B, 0xD3C},     {0xD81, 0xD81},     {0xEBA, 0xEBA},     {0xECE, 0xECE},
        {0x180F, 0x1886},   {0x1ABF, 0x1ACE},   {0x1B7D, 0x1B7E},   {0x1DF6, 0x1DFB},   {0x2E43, 0x2E5D},
        {0xA82C, 0xA82C},   {0xA8C5, 0xA8C5},   {0xA8FF, 0xA8FF},   {0xA9BD, 0xA9BD},   {0x10D24, 0x10F89},
        {0x11070, 0x11074}, {0x110C2, 0x110CD}, {0x111C9, 0x111C9}, {0x111CF, 0x111CF}, {0x1123E, 0x11241},
        {0x1133B, 0x1133B}, {0x11438, 0x1145E}, {0x11660, 0x1166C}, {0x116B9, 0x116B9}, {0x1182F, 0x11FFF},
        {0x12FF1, 0x13455}, {0x16E97, 0x16F4F}, {0x16FE2, 0x16FE4}, {0x1CF00, 0x1CF46}, {0x1E000, 0x1E4EF},
        {0x1E944, 0x1E95F}};
    return is_in(code, ranges, sizeof ranges / sizeof *ranges);
}

bool wk_text_is_control(uint32_t code)
{
    const utf8proc_category_t is = category((utf8proc_int32_t)code);
    return (is == UTF8PROC_CATEGORY_CC || is == UTF8PROC_CATEGORY_CF || is == UTF8PROC_CATEGORY_CO) &&
           !is_after_8(code);
}

bool wk_text_is_mark(uint32_t code)
{
    return code == 0x1734 || (category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_MN && !is_after_8(code));
}

/* StripAccents has tables of its own, of Unicode 9 */
bool wk_text_is_any_mark(uint32_t code)
{
    static const uint32_t later[][2] = {
        {0x7FD, 0x7FD},     {0x898, 0x8D3},     {0x9FE, 0x9FE},     {0xAFA, 0xAFF},     {0xB55, 0xB55},
        {0xC04, 0xC3C},     {0xCF3, 0xD00},     {0xD3B, 0xD3C},     {0xD81, 0xD81},     {0xEBA, 0xEBA},
        {0xECE, 0xECE},     {0x1715, 0x1715},   {0x180F, 0x180F},   {0x1ABF, 0x1ACE},   {0x1CF7, 0x1CF7},
        {0x1DF6, 0x1DFA},   {0xA82C, 0xA82C},   {0xA8FF, 0xA8FF},   {0x10D24, 0x10F85}, {0x11070, 0x11074},
        {0x110C2, 0x110C2}, {0x11145, 0x11146}, {0x111C9, 0x111C9}, {0x111CE, 0x111CF}, {0x11241, 0x11241},
        {0x1133B, 0x1133B}, {0x1145E, 0x1145E}, {0x1182C, 0x11A99}, {0x11D31, 0x13455}, {0x16F4F, 0x16F4F},
        {0x16F7F, 0x16F87}, {0x16FE4, 0x16FF1}, {0x1CF00, 0x1CF46}, {0x1E08F, 0x1E4EF}};
    const utf8proc_category_t is = category((utf8proc_int32_t)code);
    return code == 0x1CF2 || code == 0x1CF3 ||
           (is >= UTF8PROC_CATEGORY_MN && is <= UTF8PROC_CATEGORY_ME &&
            !is_in(code, later, sizeof later / sizeof *later));
}

bool wk_text_is_punctuation(uint32_t code)
{
    const utf8proc_category_t is = category((utf8proc_int32_t)code);
    return code == 0x166D || code == 0x111C9 ||
           (is >= UTF8PROC_CATEGORY_PC && is <= UTF8PROC_CATEGORY_PO && !is_after_8(code));
}

bool wk_text_is_word(uint32_t code)
{
    const utf8proc_category_t is = category((utf8proc_int32_t)code);
    return (is >= UTF8PROC_CATEGORY_LU && is <= UTF8PROC_CATEGORY_ND) || is == UTF8PROC_CATEGORY_PC;
}

bool wk_text_is_number(uint32_t code)
{
    const utf8proc_category_t is = category((utf8proc_int32_t)code);
    return is >= UTF8PROC_CATEGORY_ND && is <= UTF8PROC_CATEGORY_NO;
}

int wk_text_lower(uint32_t code, uint32_t out[2])
{
    if (code < 0x80)
        return out[0] = code >= 'A' && code <= 'Z' ? code + 32 : code, 1;
    out[0] = (uint32_t)lower((utf8proc_int32_t)code);
    out[1] = 0x307;
    return code == 0x130 ? 2 : 1; // I with a dot is the only one that becomes two
}

static size_t ascii_run(const char *text, size_t size)
{
    size_t run = 0;
    for (uint64_t eight; size - run >= 8 && (memcpy(&eight, text + run, 8), (eight & 0x8080808080808080u) == 0);)
        run += 8;
    while (run < size && (unsigned char)text[run] < 0x80)
        run++;
    return run;
}

/* a run without ASCII; before it stands a letter of ASCII, if any: "e" and a combining accent become one */
static bool normalize_run(const char *op, utf8proc_option_t options, const char *text, size_t size,
                          wk_text_bytes *codes, wk_text_bytes *out)
{
    if (size > INT32_MAX / 100)
        return wk_fail(op, "text: %zu bytes without one of ASCII are too many to normalize", size);
    utf8proc_ssize_t count = (utf8proc_ssize_t)size + 32, room = 0;
    while (count > room) { // a few characters become more than they had bytes: then once more
        room = count;
        codes->used = 0;
        if (codes->room < 4 * (size_t)room + 4 && !wk_text_grow(op, codes, 4 * (size_t)room + 4))
            return false;
        count = decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)size, (utf8proc_int32_t *)codes->data, room,
                          options);
    }
    const utf8proc_ssize_t bytes = count < 0 ? count : reencode((utf8proc_int32_t *)codes->data, count, options);
    return bytes < 0 ? wk_fail(op, "text: could not be normalized") != NULL
                     : wk_text_put(op, out, codes->data, (size_t)bytes);
}

bool wk_text_normalize(const char *op, wk_text_form form, const char *text, size_t size, wk_text_bytes *out)
{
    static const utf8proc_option_t forms[] = {
        [WK_TEXT_NFC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE,
        [WK_TEXT_NFD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE,
        [WK_TEXT_NFKC] = UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT,
        [WK_TEXT_NFKD] = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT,
    };
    wk_text_bytes codes = {0};
    bool good = true;
    for (size_t at = 0; good && at < size;) {
        const size_t run = ascii_run(text + at, size - at);
        const size_t plain = at + run < size && run > 0 ? run - 1 : run;
        good = wk_text_put(op, out, text + at, plain);
        at += plain;
        size_t end = at + (run > plain);
        while (end < size && (unsigned char)text[end] >= 0x80)
            end++;
        if (!good || end == at)
            continue;
        good = normalize_run(op, forms[form], text + at, end - at, &codes, out);
        at = end;
    }
    wk_free(codes.data);
    return good;
}

size_t wk_text_grapheme(const char *text, size_t size)
{
    size_t length, at;
    uint32_t last = wk_text_char(text, &at);
    utf8proc_int32_t state = 0;
    for (; at < size; at += length) {
        const uint32_t next = wk_text_char(text + at, &length);
        if (grapheme_break((utf8proc_int32_t)last, (utf8proc_int32_t)next, &state))
            break;
        last = next;
    }
    return at;
}

#else

bool wk_text_unicode_load(const char *op)
{
    wk_library_missing(op, "Unicode's tables", "libpcre2-dev libutf8proc-dev");
    return false;
}
bool wk_text_is_control(uint32_t code) { return code < 32; }
bool wk_text_is_mark(uint32_t code) { return (void)code, false; }
bool wk_text_is_any_mark(uint32_t code) { return (void)code, false; }
bool wk_text_is_punctuation(uint32_t code) { return (void)code, false; }
bool wk_text_is_word(uint32_t code) { return (void)code, false; }
bool wk_text_is_number(uint32_t code) { return code >= '0' && code <= '9'; }
int wk_text_lower(uint32_t code, uint32_t out[2]) { return out[0] = code, 1; }
bool wk_text_normalize(const char *op, wk_text_form form, const char *text, size_t size, wk_text_bytes *out)
{
    (void)form;
    return wk_text_put(op, out, text, size);
}
size_t wk_text_grapheme(const char *text, size_t size) { return (void)text, size; }

#endif
