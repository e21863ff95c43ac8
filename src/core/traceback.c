/* Tracebacks as a Python programmer reads them: the user's frames, oldest first, down to the call of the library that
   failed, with the source line and, where the call is but a part of it, the call underlined:

     Traceback (most recent call last):
       File "katas/12_vit.c", line 120, in main
         train(model, loader);
       File "katas/12_vit.c", line 31, in attention_forward
         x = wk_add(x, wk_forward(self->qkv, x));                      // (B, L, 3*D)
                       ^^^^^^^^^^^^^^^^^^^^^^^^
       in wick: linear_forward (nn/linear.c:40)

   The library's own frames are folded: the op that failed names itself in the error, and of what stands between only
   forwards of modules and backwards of ops are shown, a short line each.  The library is what was compiled from the
   directory tree that this file is in (programs in tools/ aside), or, without debug information, what is named wk_*.
   Frames of the C library, and what came before main, are hidden.

   The compiler's unwinder finds the frames, symbols.c their names; source text is read from the files.  Frames are
   written from the youngest backwards, from the end of the text, so that the oldest are those that may not fit.

   Rejected: all frames, as PyTorch's C++ has them (60 lines of dispatcher above the one that matters). */
#define _GNU_SOURCE
#include "traceback.h"

#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#include "error_internal.h"
#include "kernels/fork.h"
#include "source_line.h"
#include "symbols.h"

enum { YOUNGEST = 192, OLDEST = 32, FRAMES = 512, SHOWN_YOUNGEST = 36, SHOWN_OLDEST = 12, DEEPEST = 100000 };

/* Of a deep stack both ends are kept. */
struct stack {
    uintptr_t youngest[YOUNGEST];
    uintptr_t oldest[OLDEST]; // a ring
    size_t count;
};

enum kind { HIDDEN, SHOWN, INSIDE, BARE }; // INSIDE: the library's, on one line; BARE: without source among others with

struct entry {
    int frame, last; // of a run: the youngest and the oldest
    enum kind kind;
    int repeats;
};

struct view {
    const wk_frame *frames; // youngest first
    int gap;                // frames[gap] and the one before it are not neighbours; 0: all are
    bool source;            // some frame has its source line
    char root[PATH_MAX];    // where the library's source is, "/.../src/", or ""
    char given[PATH_MAX];   // the same as the compiler was told, maybe "../src/"
    char current[PATH_MAX]; // working directory with '/', or ""
    const char *bold, *blue, *red, *dim, *plain;
};

static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *argument)
{
    struct stack *stack = argument;
    int before = 0;
    const uintptr_t address = _Unwind_GetIPInfo(context, &before);
    if (!address || stack->count >= DEEPEST)
        return _URC_END_OF_STACK;
    /* a return address stands behind the call, maybe on the next line or in the next function */
    const uintptr_t call = before ? address : address - 1;
    if (stack->count < YOUNGEST)
        stack->youngest[stack->count] = call;
    else
        stack->oldest[(stack->count - YOUNGEST) % OLDEST] = call;
    stack->count++;
    return _URC_NO_REASON;
}

static int find_frames(wk_frame *frames, int *gap)
{
    struct stack stack = {.count = 0};
    _Unwind_Backtrace(take_frame, &stack);
    const size_t late = stack.count > YOUNGEST ? stack.count - YOUNGEST : 0;
    const size_t skipped = late > OLDEST ? late - OLDEST : 0;
    const size_t kept = stack.count - skipped;
    int count = 0;
    for (size_t i = 0; i < kept; i++) {
        const bool full = count >= FRAMES / 2 && i + OLDEST < kept; // of functions inlined many times over
        if (full)
            i = kept - OLDEST;
        if (full || (skipped && i == YOUNGEST))
            *gap = count;
        const uintptr_t address = i < YOUNGEST ? stack.youngest[i] : stack.oldest[(i - YOUNGEST + skipped) % OLDEST];
        const int left = (FRAMES - count) / (int)(kept - i);
        count += wk_symbols_find(address, frames + count, i + OLDEST < kept ? FRAMES / 4 : left);
    }
    return count;
}

static bool starts(const char *text, const char *with) { return text && strncmp(text, with, strlen(with)) == 0; }

static bool ends(const char *text, const char *with)
{
    const size_t length = text ? strlen(text) : 0, tail = strlen(with);
    return length >= tail && strcmp(text + length - tail, with) == 0;
}

static bool is_same(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static const char here[] = "core/traceback.c";

/* Cuts here off path, true where it ends so. */
static bool cut_here(char *path)
{
    const bool found = ends(path, here);
    path[found ? strlen(path) - strlen(here) : 0] = '\0';
    return found;
}

/* The tree that this very file was compiled from. */
static void find_root(struct view *view)
{
    wk_frame self;
    wk_symbols_find((uintptr_t)wk_traceback_write, &self, 1);
    wk_source_path(&self, view->root, sizeof view->root);
    snprintf(view->given, sizeof view->given, "%s", self.file ? self.file : "");
    if (!cut_here(view->root) || !cut_here(view->given))
        view->root[0] = view->given[0] = '\0';
}

/* The path of the frame's file within the library's tree, in path, or NULL where it is not the library's.  Relative
   names are the library's, too, where this file stands in the same tree: an object from a compiler cache names the
   directory of another checkout. */
static const char *library_path(const struct view *view, const wk_frame *frame, char path[PATH_MAX])
{
    wk_source_path(frame, path, PATH_MAX);
    if (!view->root[0])
        return NULL;
    if (starts(path, view->root))
        return path + strlen(view->root);
    if (view->given[0] == '/' || !starts(frame->file, view->given))
        return NULL;
    char file[PATH_MAX + sizeof here];
    const wk_frame other = {.file = file, .directory = frame->directory};
    snprintf(file, sizeof file, "%s%s", view->given, here);
    wk_source_path(&other, path, PATH_MAX);
    return access(path, F_OK) == 0 ? frame->file + strlen(view->given) : NULL;
}

static bool is_library(const struct view *view, const wk_frame *frame)
{
    if (!frame->file)
        return starts(frame->function, "wk_") || ends(frame->object, "/libwick.so") ||
               (frame->object && strstr(frame->object, "/libwick.so."));
    char buffer[PATH_MAX];
    const char *path = library_path(view, frame, buffer);
    return path && !starts(path, "tools/");
}

static bool is_system(const wk_frame *frame)
{
    static const char *const names[] = {"libc.so",    "libc-",      "ld-",        "libpthread",
                                        "linux-vdso", "[vdso",      "libgomp.so", "libomp.so",
                                        "libffi.so",  "vgpreload_", "libasan.so", "libtsan.so"};
    const char *slash = frame->object ? strrchr(frame->object, '/') : NULL;
    const char *name = slash ? slash + 1 : frame->object;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (starts(name, names[i]))
            return true;
    return !frame->function && !frame->object;
}

static enum kind kind_of_library(const wk_frame *frame)
{
    const bool public = starts(frame->function, "wk_");
    return !public && (ends(frame->function, "_forward") || ends(frame->function, "_backward")) ? INSIDE : HIDDEN;
}

static void choose_kinds(struct view *view, enum kind *kinds, int count, bool everything)
{
    int last = count - 1;
    while (last > 0 && !is_same(view->frames[last].function, "main"))
        last--;
    if (last == 0)
        last = count - 1; // a thread's stack has no main
    int funnel = 0;       // wk_fail and what it called
    while (funnel < count && !is_same(view->frames[funnel].function, "wk_fail"))
        funnel++;
    funnel = funnel < count ? funnel : -1;
    bool users = false;
    view->source = false;
    for (int i = 0; i < count; i++) {
        const wk_frame *frame = &view->frames[i];
        const bool library = is_library(view, frame);
        if (i <= funnel || i > last || is_system(frame))
            kinds[i] = HIDDEN;
        else
            kinds[i] = library && !everything ? kind_of_library(frame) : SHOWN;
        users |= kinds[i] == SHOWN;
        view->source |= kinds[i] == SHOWN && frame->file;
    }
    for (int i = 0; i < count; i++) {
        const wk_frame *frame = &view->frames[i];
        if (!users && i > funnel && i <= last && is_library(view, frame)) // the library's own thread
            kinds[i] = SHOWN;
        if (view->source && kinds[i] == SHOWN && !frame->file)
            kinds[i] = BARE;
    }
}

static bool is_repeat(const wk_frame *a, const wk_frame *b)
{
    const bool source = a->file && is_same(a->file, b->file); // copies of one line differ in address
    return a->line == b->line && (source ? is_same(a->function, b->function) : a->address == b->address);
}

/* Youngest first, as the frames; a run of equal frames, or of bare ones, is one entry. */
static int choose_entries(const struct view *view, const enum kind *kinds, int count, struct entry *entries)
{
    int used = 0;
    for (int i = 0; i < count; i++) {
        struct entry *previous = used ? &entries[used - 1] : NULL;
        if (kinds[i] == HIDDEN)
            continue;
        if (previous && previous->kind == kinds[i] &&
            (kinds[i] == BARE || is_repeat(&view->frames[previous->frame], &view->frames[i])))
            previous->repeats++, previous->last = i;
        else
            entries[used++] = (struct entry){i, i, kinds[i], 0};
    }
    return used;
}

struct line {
    char text[4 * WK_SOURCE_LINE + PATH_MAX];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void append(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t room = sizeof line->text - line->used;
    const int length = vsnprintf(line->text + line->used, room, format, arguments);
    va_end(arguments);
    if (length > 0)
        line->used += (size_t)length < room ? (size_t)length : room - 1;
}

/* The path as one would type it from here. */
static const char *shorten(const char *path, const char *directory)
{
    return directory[0] && starts(path, directory) ? path + strlen(directory) : path;
}

static void write_place(const struct view *view, const wk_frame *frame, const char *callee, struct line *line)
{
    char path[PATH_MAX];
    const char *function = frame->function ? frame->function : "?";
    if (!frame->file) {
        append(line, "  File %s\"%s\"%s, in %s%s%s (address 0x%lx)\n", view->bold,
               frame->object ? shorten(frame->object, view->current) : "?", view->plain, view->blue, function,
               view->plain, (unsigned long)frame->address);
        return;
    }
    wk_source_path(frame, path, sizeof path);
    append(line, "  File %s\"%s\"%s, line %d, in %s%s%s\n", view->bold, shorten(path, view->current), view->plain,
           frame->line, view->blue, function, view->plain);
    wk_source_line source;
    if (!wk_source_read(path, frame->line, frame->column, callee, &source))
        return;
    append(line, "    %s\n", source.text);
    if (source.marks[0])
        append(line, "    %s%s%s\n", view->red, source.marks, view->plain);
}

static bool is_gap_inside(const struct view *view, const struct entry *entry)
{
    return view->gap > entry->frame && view->gap <= entry->last;
}

static void write_entry(const struct view *view, const struct entry *entry, struct line *line)
{
    const wk_frame *frame = &view->frames[entry->frame];
    line->used = 0;
    if (entry->kind == SHOWN) {
        write_place(view, frame, entry->frame ? frame[-1].function : NULL, line);
    } else if (entry->kind == INSIDE) {
        char buffer[PATH_MAX];
        const char *path = frame->file ? library_path(view, frame, buffer) : NULL;
        append(line, "  %sin wick: %s", view->dim, frame->function);
        if (path)
            append(line, " (%s:%d)", path, frame->line);
        append(line, "%s\n", view->plain);
    } else {
        const char *slash = frame->object ? strrchr(frame->object, '/') : NULL;
        append(line, "  %s%d frame%s without source in %s%s\n", view->dim, entry->repeats + 1,
               entry->repeats ? "s" : "", slash ? slash + 1 : "?", view->plain);
        return;
    }
    if (entry->repeats)
        append(line, "  %s[the frame above %d%s more time%s]%s\n", view->dim, entry->repeats,
               is_gap_inside(view, entry) ? "+" : "", entry->repeats > 1 ? "s" : "", view->plain);
}

#if WICK_HAVE_LIBDW
static const char no_source[] = "compile with -g to see files, lines and source text";
#else
static const char no_source[] = "this wick was built without libdw, which finds files, lines and source text";
#endif

static void write_header(const struct view *view, struct line *line)
{
    char name[16] = "";
    line->used = 0;
    append(line, "Traceback (most recent call last)");
    if (syscall(SYS_gettid) != getpid() && pthread_getname_np(pthread_self(), name, sizeof name) == 0)
        append(line, ", in thread \"%s\"", name);
    append(line, ":\n");
    if (!view->source)
        append(line, "  %s(%s)%s\n", view->dim, no_source, view->plain);
}

/* Puts line before what text holds from *start on, and leaves room at its beginning. */
static bool prepend(char *text, size_t *start, size_t room, const struct line *line)
{
    if (line->used + room > *start)
        return false;
    *start -= line->used;
    memcpy(text + *start, line->text, line->used);
    return true;
}

static void write_entries(const struct view *view, const struct entry *entries, int count, char *text, size_t size)
{
    static const char gap[] = "  ...\n";
    struct line header, line;
    write_header(view, &header);
    if (size < header.used + sizeof gap)
        return;
    const size_t room = header.used + strlen(gap);
    size_t start = size - 1;
    text[start] = '\0';
    bool skipped = false;
    for (int i = 0; i < count; i++) {
        const bool many = count > SHOWN_YOUNGEST + SHOWN_OLDEST && i == SHOWN_YOUNGEST;
        if (many)
            i = count - SHOWN_OLDEST;
        if (many || (i && view->gap > entries[i - 1].last && view->gap <= entries[i].frame)) {
            line.used = 0;
            append(&line, "%s", gap);
            prepend(text, &start, room, &line);
        }
        write_entry(view, &entries[i], &line);
        if (!prepend(text, &start, room, &line)) {
            skipped = true;
            break;
        }
    }
    memcpy(text, header.text, header.used);
    size_t used = header.used;
    if (skipped) {
        memcpy(text + used, gap, strlen(gap));
        used += strlen(gap);
    }
    memmove(text + used, text + start, size - start);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // libdw serves one thread at a time
__attribute__((constructor)) static void watch_forks(void) { wk_fork_takes(&lock); }
static wk_frame all_frames[FRAMES];                      // not on the stack, which may not grow without memory
static enum kind all_kinds[FRAMES];

/* under the lock; how many frames there are */
static int look(struct view *view, const char *wish)
{
    *view = (struct view){all_frames, 0, false, "", "", "", "", "", "", "", ""};
    if (getcwd(view->current, sizeof view->current - 1))
        strcat(view->current, "/");
    else
        view->current[0] = '\0';
    find_root(view);
    const int count = find_frames(all_frames, &view->gap);
    choose_kinds(view, all_kinds, count, is_same(wish, "full"));
    return count;
}

void wk_traceback_write(char *text, size_t size, bool colour)
{
    static struct entry entries[FRAMES];
    text[0] = '\0';
    const char *wish = getenv("WICK_TRACEBACK");
    if (is_same(wish, "off"))
        return;
    pthread_mutex_lock(&lock);
    struct view view;
    const int count = look(&view, wish);
    if (colour) {
        view.bold = "\033[1m";
        view.blue = "\033[36m";
        view.red = "\033[1;31m";
        view.dim = "\033[2m";
        view.plain = "\033[0m";
    }
    write_entries(&view, entries, choose_entries(&view, all_kinds, count, entries), text, size);
    pthread_mutex_unlock(&lock);
}

bool wk_traceback_caller(char *text, size_t size)
{
    pthread_mutex_lock(&lock);
    struct view view;
    const int count = look(&view, NULL);
    int user = 0;
    while (user < count && all_kinds[user] != SHOWN)
        user++;
    const wk_frame *frame = user < count ? &all_frames[user] : NULL;
    const char *called = frame && user > 0 ? all_frames[user - 1].function : NULL;
    int length = -1;
    if (frame && frame->file) {
        char path[PATH_MAX];
        wk_source_path(frame, path, sizeof path);
        length = snprintf(text, size, "%s:%d", shorten(path, view.current), frame->line);
    } else if (frame && frame->function) {
        length = snprintf(text, size, "%s", frame->function);
    }
    if (length > 0 && (size_t)length < size && starts(called, "wk_"))
        snprintf(text + length, size - (size_t)length, " (%s)", called);
    pthread_mutex_unlock(&lock);
    return length > 0;
}
