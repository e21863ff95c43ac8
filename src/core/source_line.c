/* Source lines for tracebacks, and which call in them is the one.

   The debug information gives a line and a column, but the column of a macro's expansion is that of the outermost macro
   on the line; so the call is looked for by the name of the function that was called, wk_transpose_with as
   wk_transpose( in the text, within the call at that column.  In doubt nothing is marked. */
#include "source_line.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static bool is_name(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* "a/./b/../c" is "a/c"; links are not followed. */
static void simplify(char *path)
{
    char *end = path;
    for (const char *part = path; *part;) {
        const size_t length = strcspn(part, "/");
        const bool slash = part[length] == '/';
        const bool up = length == 2 && part[0] == '.' && part[1] == '.';
        if (up && end > path + 1 && !(end - path >= 3 && strncmp(end - 3, "../", 3) == 0)) {
            end--;
            while (end > path && end[-1] != '/')
                end--;
        } else if (!(length == 1 && part[0] == '.') && (length || part == path)) {
            memmove(end, part, length + slash);
            end += length + slash;
        }
        part += length + slash;
    }
    *end = '\0';
}

void wk_source_path(const wk_frame *frame, char *path, size_t size)
{
    const char *file = frame->file ? frame->file : "";
    const bool relative = file[0] && file[0] != '/' && frame->directory;
    const int length = snprintf(path, size, "%s%s%s", relative ? frame->directory : "", relative ? "/" : "", file);
    if (length < 0 || (size_t)length >= size)
        path[0] = '\0';
    simplify(path);
}

/* Behind the parenthesis that closes the one at open, or the line's end. */
static size_t find_close(const char *text, size_t open)
{
    int depth = 0;
    for (size_t i = open; text[i]; i++) {
        if (text[i] == '"' || text[i] == '\'') {
            const char quote = text[i++];
            while (text[i] && text[i] != quote)
                i += text[i] == '\\' && text[i + 1] ? 2 : 1;
            if (!text[i])
                return i;
        } else if (text[i] == '(') {
            depth++;
        } else if (text[i] == ')' && --depth == 0) {
            return i + 1;
        }
    }
    return strlen(text);
}

/* How often name is called in text[from..to), and the first place. */
static int find_calls(const char *text, size_t from, size_t to, const char *name, size_t length, size_t *begin)
{
    int found = 0;
    for (size_t i = from; i + length < to; i++) {
        if (strncmp(text + i, name, length) != 0 || (i && is_name(text[i - 1])))
            continue;
        size_t open = i + length;
        while (text[open] == ' ')
            open++;
        if (text[open] == '(' && !found++)
            *begin = i;
    }
    return found;
}

/* How often callee is called there, by the longest beginning of its name that is: wk_cat_tensors as wk_cat.  Once, too,
   where from is the column of a call of the function itself: a macro's could belong to a call in its arguments. */
static int find_callee(const char *text, size_t from, size_t to, const char *callee, size_t *begin)
{
    const size_t whole = callee ? strlen(callee) : 0;
    const bool public = whole > 3 && strncmp(callee, "wk_", 3) == 0;
    for (size_t length = whole; length > 3 || (length && !public);) {
        const int found = find_calls(text, from, to, callee, length, begin);
        if (found)
            return from && length == whole && *begin == from ? 1 : found;
        if (!public)
            return 0;
        while (length > 3 && callee[--length] != '_')
            ;
    }
    return 0;
}

/* Behind the call that starts at column, or 0 where none does. */
static size_t find_column(const char *text, size_t end, long column)
{
    if (column < 0 || (size_t)column >= end || (column && is_name(text[column - 1])))
        return 0;
    size_t open = (size_t)column;
    while (is_name(text[open]))
        open++;
    if (open == (size_t)column || text[open] != '(')
        return 0;
    const size_t close = find_close(text, open);
    return close < end ? close : end;
}

/* The call of callee that the compiler means by column: within the call there, or anywhere on the line; or, where
   callee has another name (it was called by pointer, or through wk_call), the call at column itself. */
static bool find_call(const char *text, size_t end, const char *callee, long column, size_t *begin)
{
    const size_t close = find_column(text, end, column);
    int found = close ? find_callee(text, (size_t)column, close, callee, begin) : 0;
    if (!found)
        found = find_callee(text, 0, end, callee, begin);
    if (found || !close)
        return found == 1;
    *begin = (size_t)column;
    return strncmp(text + column, "wk_", 3) != 0 || strncmp(text + column, "wk_call(", 8) == 0;
}

static void mark_call(wk_source_line *source, const char *callee, long column)
{
    const char *text = source->text, *comment = strstr(text, "//");
    size_t code = comment ? (size_t)(comment - text) : strlen(text);
    while (code && (text[code - 1] == ' ' || text[code - 1] == ';'))
        code--;
    size_t begin = 0;
    source->marks[0] = '\0';
    if (!find_call(text, code, callee, column, &begin))
        return;
    size_t end = find_close(text, begin);
    end = end < code ? end : code;
    if (begin == 0 && end == code)
        return; // all of it
    size_t used = 0;
    for (size_t i = 0; i < end; i++)
        if (((unsigned char)text[i] & 0xC0) != 0x80) // one mark below a character of several bytes
            source->marks[used++] = i < begin ? ' ' : '^';
    source->marks[used] = '\0';
}

bool wk_source_read(const char *path, int number, int column, const char *callee, wk_source_line *source)
{
    FILE *file = number > 0 && path[0] ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    char line[WK_SOURCE_LINE];
    bool found = false;
    for (int current = 1; current <= number && fgets(line, sizeof line, file); current++) {
        found = current == number;
        if (!strchr(line, '\n') && strlen(line) == sizeof line - 1) {
            wk_text_end(line, sizeof line);
            for (int c = getc(file); c != '\n' && c != EOF; c = getc(file))
                ;
        }
    }
    fclose(file);
    if (!found)
        return false;
    size_t length = strlen(line), blanks = 0;
    while (length && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
    while (isspace((unsigned char)line[blanks]))
        blanks++;
    for (size_t i = 0; i <= length - blanks; i++)
        source->text[i] = line[blanks + i] == '\t' ? ' ' : line[blanks + i];
    mark_call(source, callee, column > 0 ? (long)column - 1 - (long)blanks : -1);
    return source->text[0] != '\0';
}
