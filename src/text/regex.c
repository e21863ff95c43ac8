/* The patterns that tokenizers split by, matched by PCRE2, compiled to machine code where the system lets it.  They are
   written for Oniguruma or for Rust's regex; where these mean another thing by the same letters, the pattern is
   rewritten: \s \S \w \W by Unicode's properties, \h hexadecimal digits, \uXXXX. */
#include "tokenizer.h"

#include "core/alloc.h"
#include "core/library.h"
#include "core/text.h"

#ifdef WICK_HAVE_TEXT

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct wk_text_regex {
    pcre2_code *code;
    pcre2_general_context *memory;
};

static pcre2_general_context *(*general_context_create)(void *(*)(PCRE2_SIZE, void *), void (*)(void *, void *),
                                                        void *);
static void (*general_context_free)(pcre2_general_context *);
static pcre2_compile_context *(*compile_context_create)(pcre2_general_context *);
static void (*compile_context_free)(pcre2_compile_context *);
static pcre2_code *(*compile)(PCRE2_SPTR, PCRE2_SIZE, uint32_t, int *, PCRE2_SIZE *, pcre2_compile_context *);
static int (*jit_compile)(pcre2_code *, uint32_t);
static void (*code_free)(pcre2_code *);
static pcre2_match_data *(*match_data_create)(uint32_t, pcre2_general_context *);
static void (*match_data_free)(pcre2_match_data *);
static PCRE2_SIZE *(*get_ovector_pointer)(pcre2_match_data *);
static int (*match)(const pcre2_code *, PCRE2_SPTR, PCRE2_SIZE, PCRE2_SIZE, uint32_t, pcre2_match_data *,
                    pcre2_match_context *);
static int (*get_error_message)(int, PCRE2_UCHAR *, PCRE2_SIZE);

static wk_library library = {.file = "libpcre2-8.so.0",
                             .package = "libpcre2-8-0",
                             .functions = {{"pcre2_general_context_create_8", &general_context_create},
                                           {"pcre2_general_context_free_8", &general_context_free},
                                           {"pcre2_compile_context_create_8", &compile_context_create},
                                           {"pcre2_compile_context_free_8", &compile_context_free},
                                           {"pcre2_compile_8", &compile},
                                           {"pcre2_jit_compile_8", &jit_compile},
                                           {"pcre2_code_free_8", &code_free},
                                           {"pcre2_match_data_create_8", &match_data_create},
                                           {"pcre2_match_data_free_8", &match_data_free},
                                           {"pcre2_get_ovector_pointer_8", &get_ovector_pointer},
                                           {"pcre2_match_8", &match},
                                           {"pcre2_get_error_message_8", &get_error_message}}};

static void *allocate(PCRE2_SIZE size, void *context)
{
    (void)context;
    return wk_alloc(size);
}
static void release(void *block, void *context) { (void)context, wk_free(block); }

/* ---------------------------------------------------------------- rewriting */

#define SPACE "\\p{White_Space}"
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"
#define WORD_ONIGURUMA WORD "\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}" // as in ISO 8859-1
#define WORD_RUST WORD "\\x{200c}\\x{200d}"

/* what stands for \letter outside of [] and inside; NULL: itself */
static const char *meaning(char letter, bool inside, bool oniguruma)
{
    switch (letter) {
    case 's':
        return SPACE;
    case 'S':
        return "\\P{White_Space}";
    case 'w':
        return oniguruma ? inside ? WORD_ONIGURUMA : "[" WORD_ONIGURUMA "]" : inside ? WORD_RUST : "[" WORD_RUST "]";
    case 'W':
        return inside ? NULL : oniguruma ? "[^" WORD_ONIGURUMA "]" : "[^" WORD_RUST "]";
    case 'h':
        return inside ? "0-9a-fA-F" : "[0-9a-fA-F]";
    default:
        return NULL;
    }
}

static bool put_text(const char *op, wk_text_bytes *out, const char *text)
{
    return wk_text_put(op, out, text, strlen(text));
}

/* what is written \letter, at a backslash; how many bytes of the pattern that was, 0 after an error */
static size_t rewrite_escape(const char *op, wk_text_bytes *out, const char *at, size_t left, bool inside,
                             bool oniguruma)
{
    if (left < 2)
        return wk_text_put(op, out, at, 1) ? 1 : 0;
    if (at[1] == 'u' && left >= 6)
        return put_text(op, out, "\\x{") && wk_text_put(op, out, at + 2, 4) && put_text(op, out, "}") ? 6 : 0;
    if (at[1] == 'W' && inside)
        return wk_fail(op, "a pattern has \\W inside of [], which is not supported"), 0;
    const char *other = meaning(at[1], inside, oniguruma);
    if (other)
        return put_text(op, out, other) ? 2 : 0;
    size_t length; // of a character, whole
    wk_text_char(at + 1, &length);
    return wk_text_put(op, out, at, 1 + length) ? 1 + length : 0;
}

static bool rewrite(const char *op, const char *pattern, size_t size, bool oniguruma, wk_text_bytes *out)
{
    bool inside = false;
    for (size_t i = 0, taken; i < size; i += taken) {
        const char c = pattern[i];
        taken = 1;
        if (c == '\\') {
            taken = rewrite_escape(op, out, pattern + i, size - i, inside, oniguruma);
            if (!taken)
                return false;
            continue;
        }
        if (inside && (c == '[' || (c == '&' && i + 1 < size && pattern[i + 1] == '&')))
            return wk_fail(op, "a pattern has a set inside of [], or &&, which is not supported");
        if (!wk_text_put(op, out, &c, 1))
            return false;
        if (c == '[' && !inside) {
            inside = true;
            if (i + 1 < size && pattern[i + 1] == '^') {
                taken = 2;
                if (!put_text(op, out, "^"))
                    return false;
            }
        } else if (c == ']') {
            inside = false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- compiling and matching */

static bool compile_pattern(const char *op, wk_text_regex *regex, const wk_text_bytes *pattern, bool oniguruma)
{
    int error = 0;
    PCRE2_SIZE at = 0;
    regex->memory = general_context_create(allocate, release, NULL);
    pcre2_compile_context *context = regex->memory ? compile_context_create(regex->memory) : NULL;
    if (!context)
        return wk_out_of_memory(op, 0);
    const uint32_t options =
        PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | (oniguruma ? PCRE2_MULTILINE : PCRE2_DOLLAR_ENDONLY);
    regex->code =
        compile((PCRE2_SPTR)(pattern->data ? pattern->data : ""), pattern->used, options, &error, &at, context);
    compile_context_free(context);
    if (!regex->code) {
        char message[160];
        get_error_message(error, (PCRE2_UCHAR *)message, sizeof message);
        return wk_fail(op, "a pattern that PCRE2 does not take: %s (at byte %zu)", message, at);
    }
    jit_compile(regex->code, PCRE2_JIT_COMPLETE); // where it fails, the pattern is interpreted
    return true;
}

wk_text_regex *wk_text_regex_new(const char *op, const char *pattern, size_t size, bool oniguruma)
{
    if (!wk_library_load(op, &library))
        return NULL;
    wk_text_bytes text = {0};
    wk_text_regex *regex = wk_alloc_zeroed(sizeof *regex);
    if (!regex)
        return wk_out_of_memory(op, sizeof *regex);
    const bool good = rewrite(op, pattern, size, oniguruma, &text) && compile_pattern(op, regex, &text, oniguruma);
    wk_free(text.data);
    if (!good) {
        wk_text_regex_free(regex);
        return NULL;
    }
    return regex;
}

void wk_text_regex_free(wk_text_regex *regex)
{
    if (!regex)
        return;
    if (regex->code)
        code_free(regex->code);
    if (regex->memory)
        general_context_free(regex->memory);
    wk_free(regex);
}

bool wk_text_search_begin(const char *op, wk_text_search *search, const wk_text_regex *regex)
{
    *search = (wk_text_search){.regex = regex, .data = match_data_create(1, regex->memory)};
    return search->data || wk_out_of_memory(op, 0);
}

void wk_text_search_text(wk_text_search *search, const char *text, size_t size)
{
    search->text = text;
    search->size = size;
    search->from = 0;
    search->last_end = SIZE_MAX;
}

int wk_text_search_next(const char *op, wk_text_search *search, wk_text_span *found)
{
    while (search->from <= search->size) {
        const PCRE2_SPTR text = (PCRE2_SPTR)search->text;
        int count =
            match(search->regex->code, text, search->size, search->from, PCRE2_NO_UTF_CHECK, search->data, NULL);
        if (count == PCRE2_ERROR_JIT_STACKLIMIT)
            count = match(search->regex->code, text, search->size, search->from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT,
                          search->data, NULL);
        if (count == PCRE2_ERROR_NOMATCH)
            return 0;
        if (count < 0) {
            char message[160];
            get_error_message(count, (PCRE2_UCHAR *)message, sizeof message);
            wk_fail(op, "text: the tokenizer's pattern fails at byte %zu: %s", search->from, message);
            return -1;
        }
        const PCRE2_SIZE *ends = get_ovector_pointer(search->data);
        *found = (wk_text_span){ends[0], ends[1]};
        const bool nothing = ends[0] >= ends[1];
        search->from = ends[1];
        if (nothing) { // one character on
            size_t length = 1;
            if (ends[1] < search->size)
                wk_text_char(search->text + ends[1], &length);
            search->from = ends[1] + length;
        }
        if (nothing && (ends[0] > ends[1] || ends[0] == search->last_end))
            continue;
        search->last_end = ends[1];
        return 1;
    }
    return 0;
}

void wk_text_search_end(wk_text_search *search)
{
    if (search->data)
        match_data_free(search->data);
    search->data = NULL;
}

#else

wk_text_regex *wk_text_regex_new(const char *op, const char *pattern, size_t size, bool oniguruma)
{
    (void)pattern, (void)size, (void)oniguruma;
    wk_library_missing(op, "the patterns of tokenizers", "libpcre2-dev libutf8proc-dev");
    return NULL;
}
void wk_text_regex_free(wk_text_regex *regex) { (void)regex; }
bool wk_text_search_begin(const char *op, wk_text_search *search, const wk_text_regex *regex)
{
    (void)op, (void)search, (void)regex;
    return false;
}
void wk_text_search_text(wk_text_search *search, const char *text, size_t size)
{
    (void)search, (void)text, (void)size;
}
int wk_text_search_next(const char *op, wk_text_search *search, wk_text_span *found)
{
    (void)op, (void)search, (void)found;
    return -1;
}
void wk_text_search_end(wk_text_search *search) { (void)search; }

#endif
