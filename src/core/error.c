/* The funnel that every error goes through.

   wk_fail either records the error (in the innermost wk_try of the thread, or, in host mode, as the thread's last
   error; the first error wins, since later ones follow from it) or prints it and ends the program through exit(1), so
   that atexit handlers run.  Nothing here allocates: the text lives in the caller's wk_error, in thread-local storage,
   or in the one static buffer of the thread that ends the program.

   Rejected: errors as return codes (nothing nests), setjmp/longjmp (skips cleanups of the host, and of C++ above). */
#define _GNU_SOURCE // flockfile
#include "error_internal.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/fork.h"
#include "kernels/libraries/onednn.h"
#include "text.h"
#include "traceback.h"

static _Thread_local wk_error *innermost; // the wk_error of the innermost wk_try
static _Thread_local wk_error last_error; // in host mode
_Thread_local const char *wk_error_name;
static _Thread_local const char *note;    // see wk_error_set_note
static _Thread_local bool reporting;      // inside wk_fail: what fails in a hook is dropped

static atomic_bool host_mode;
static _Atomic(wk_module_path_hook *) module_path_hook;

wk_try_guard wk_try_open(wk_error *error)
{
    if (!error) {
        wk_fail("try",
                "error: expected a place to put the error in, got NULL\nhint: wk_error err; wk_try (&err) { ... }");
        return (wk_try_guard){innermost, true};
    }
    error->set = false;
    error->op[0] = error->message[0] = error->module[0] = error->traceback[0] = '\0';
    wk_try_guard guard = {innermost, true};
    innermost = error;
    return guard;
}

void wk_try_close(wk_try_guard *guard) { innermost = guard->outer; }

void wk_host_mode(bool on) { atomic_store(&host_mode, on); }

const wk_error *wk_last_error(void) { return last_error.set ? &last_error : NULL; }

void wk_clear_error(void) { last_error.set = false; }

bool wk_failing(void)
{
    if (innermost)
        return innermost->set;
    return last_error.set && atomic_load(&host_mode);
}

void wk_error_set_module_path_hook(wk_module_path_hook *hook) { atomic_store(&module_path_hook, hook); }

void wk_error_module_path(char *text, size_t size)
{
    text[0] = '\0';
    wk_module_path_hook *hook = atomic_load(&module_path_hook);
    if (hook)
        hook(text, size);
}

const char *wk_error_set_note(const char *text)
{
    const char *before = note;
    note = text;
    return before;
}

static void write_text(char *text, size_t size, const char *format, va_list arguments)
{
    WK_PLAIN_NUMBERS;
    const int length = vsnprintf(text, size, format, arguments);
    if (length < 0)
        snprintf(text, size, "%s", format); // a broken %ls: the format alone still tells something
    else if ((size_t)length >= size)
        wk_text_end(text, size);
}

__attribute__((format(printf, 3, 4))) static void write_line(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_text(text, size, format, arguments);
    va_end(arguments);
}

static void write_message(wk_error *error, const char *op, const char *format, va_list arguments)
{
    write_line(error->op, sizeof error->op, "%s", wk_error_name ? wk_error_name : op ? op : "");
    size_t used = 0;
    if (error->op[0]) {
        write_line(error->message, sizeof error->message, "%s: ", error->op);
        used = strlen(error->message);
    }
    write_text(error->message + used, sizeof error->message - used, format, arguments);
    wk_text_clean(error->message);
    wk_error_module_path(error->module, sizeof error->module);
}

static void write_traceback(char *text, size_t size, bool colour)
{
    const size_t room = note ? strlen(note) + 1 : 0;
    wk_traceback_write(text, room < size ? size - room : size, colour);
    if (room && room < size)
        strcat(text, note);
}

/* The message after its "op: ", and its hints each on a line of their own. */
static void print_error(const char *what, const wk_error *error, const char *traceback, bool colour)
{
    const char *red = colour ? "\033[1;31m" : "", *green = colour ? "\033[1;32m" : "";
    const char *bold = colour ? "\033[1m" : "", *plain = colour ? "\033[0m" : "";
    fflush(stdout); // what the program said before
    flockfile(stderr);
    fputs(traceback, stderr);
    if (error->module[0])
        fprintf(stderr, "  in module %s%s%s\n", bold, error->module, plain);
    const size_t op = strlen(error->op);
    const bool named = op && strncmp(error->message, error->op, op) == 0 && strncmp(error->message + op, ": ", 2) == 0;
    fprintf(stderr, "%swick %s%s%s%s: ", red, what, named ? " in " : "", named ? error->op : "", plain);
    for (const char *line = error->message + (named ? op + 2 : 0); *line;) {
        const int length = (int)strcspn(line, "\n");
        const bool hint = strncmp(line, "hint: ", 6) == 0;
        fprintf(stderr, "%s%.*s%s\n", hint ? green : "", length, line, hint ? plain : "");
        line += length + (line[length] == '\n');
    }
    funlockfile(stderr);
}

static bool stderr_has_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");
    return !(no_colour && *no_colour) && isatty(STDERR_FILENO);
}

void wk_error_print(const wk_error *error)
{
    if (error && error->set)
        print_error("error", error, error->traceback, stderr_has_colour());
}

static atomic_flag taken = ATOMIC_FLAG_INIT; // by the thread that ends the program
static void forget_taken(void) { atomic_flag_clear(&taken); } // it is not in the child
__attribute__((constructor)) static void watch_forks(void) { wk_fork_tells(forget_taken); }

/* Only one thread ends the program, others that fail meanwhile wait for the end; what fails in an atexit handler is
   printed and passed over, since exit must not be called twice. */
static void end_program(const char *op, const char *format, va_list arguments)
{
    static _Thread_local bool ending;
    static wk_error error;
    static char traceback[1 << 15];

    if (!ending && atomic_flag_test_and_set(&taken))
        for (;;)
            pause();
    const bool exiting = ending;
    ending = true;
    write_message(&error, op, format, arguments);
    const bool colour = stderr_has_colour();
    write_traceback(traceback, sizeof traceback, colour);
    print_error("error", &error, traceback, colour);
    reporting = false;
    if (!exiting) {
        wk_onednn_ends();
        exit(1);
    }
}

void *wk_fail(const char *op, const char *format, ...)
{
    const bool host = atomic_load(&host_mode);
    wk_error *error = innermost ? innermost : host ? &last_error : NULL;
    if (reporting || (error && error->set))
        return NULL;
    reporting = true;
    va_list arguments;
    va_start(arguments, format);
    if (error) {
        write_message(error, op, format, arguments);
        write_traceback(error->traceback, sizeof error->traceback, false);
        error->set = true;
    } else {
        end_program(op, format, arguments);
    }
    va_end(arguments);
    reporting = false;
    return NULL;
}

void wk_warn(const char *op, const char *format, ...)
{
    const char *wish = getenv("WICK_WARNINGS");
    if (reporting || atomic_load(&host_mode) || (wish && strcmp(wish, "off") == 0))
        return;
    reporting = true;
    wk_error warning;
    va_list arguments;
    va_start(arguments, format);
    write_message(&warning, op, format, arguments);
    va_end(arguments);
    const bool colour = stderr_has_colour();
    write_traceback(warning.traceback, sizeof warning.traceback, colour);
    print_error("warning", &warning, warning.traceback, colour);
    reporting = false;
}

void *wk_null_input(const char *op, const char *argument)
{
    if (wk_failing())
        return NULL;
    if (strncmp(argument, "args.", 5) == 0) // as the caller wrote it
        argument += 5;
    return wk_fail(op, "%s: expected a tensor, got NULL", argument);
}
