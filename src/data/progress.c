/* The progress bar.  Its text is made by progress_line, which takes the time and the width as arguments, so that tests
   see exact lines; the rest decides when and where to show it.

   On a terminal: at most 10 times a second, a carriage return, the line cut to the width, and blanks over what stood
   there before.  Elsewhere: a whole line every 10 seconds, and the last.  The speed is that since the start: steady,
   and what a reader can check with a clock. */
#include "progress.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "core/text.h"

#define BAR 20
#define PLAIN_SECONDS 10.0
#define DRAW_SECONDS 0.1

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* columns that a text takes: characters, not bytes */
static int columns(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static void cut(char *text, int width)
{
    for (; *text; text++)
        if (((unsigned char)*text & 0xC0) != 0x80 && width-- == 0) {
            *text = '\0';
            return;
        }
}

static void clock_text(char text[32], double seconds)
{
    const long total = seconds < 0 ? 0 : seconds > 3.6e6 ? 3600000 : (long)(seconds + 0.5);
    if (total < 3600)
        snprintf(text, 32, "%ld:%02ld", total / 60, total % 60);
    else
        snprintf(text, 32, "%ld:%02ld:%02ld", total / 3600, total / 60 % 60, total % 60);
}

void wk_progress_line(const wk_progress *progress, double seconds, int width, char *line, size_t size)
{
    WK_PLAIN_NUMBERS;
    const int64_t steps = progress->steps, done = progress->done;
    const double part = steps > 0 ? (double)done / (double)steps : 1;
    const bool counted = steps >= 0, finished = !counted || done >= steps; // not counted: how many, nobody knows
    char bar[BAR + 4] = "", counts[64], speed[96] = "", time[32], text[sizeof progress->text + 4] = "";

    if (counted)
        snprintf(counts, sizeof counts, "%lld/%lld", (long long)done, (long long)steps);
    else
        snprintf(counts, sizeof counts, "%lld", (long long)done);
    char percent[8] = "";
    if (counted)
        snprintf(percent, sizeof percent, "%3d%% ", (int)(100 * part));
    if (seconds > 0 && progress->items > 0) {
        const double rate = (double)progress->items / seconds;
        snprintf(speed, sizeof speed, "  %.*f %.48s/s", rate < 10 ? 1 : 0, rate, progress->unit);
    }
    clock_text(time, finished ? seconds : done > 0 ? seconds * (1 - part) / part : 0);
    if (progress->text[0])
        snprintf(text, sizeof text, "  %s", progress->text);
    const int full = (int)(part * BAR);
    bar[0] = '|';
    for (int i = 0; i < BAR; i++)
        bar[1 + i] = i < full ? '#' : '.';
    memcpy(bar + 1 + BAR, "| ", 3);
    /* where the line is narrow, the bar goes first, then the speed */
    for (int cuts = width > 0 ? 0 : 1; cuts < 3; cuts++) {
        snprintf(line, size, "%s %s%s%s%s%s  %s%s", progress->title, percent, cuts < 1 && counted ? bar : "", counts,
                 text, cuts < 2 ? speed : "", done > 0 || finished ? time : "",
                 finished   ? ""
                 : done > 0 ? " left"
                            : "...");
        if (width <= 0 || columns(line) <= width)
            break;
    }
    if (width > 0)
        cut(line, width);
}

static int terminal_width(FILE *file)
{
    struct winsize size;
    if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return size.ws_col - 1; // the last column would wrap the line
    return 79;
}

static void draw(wk_progress *progress, bool last)
{
    char line[512];
    const double time = now();
    progress->drawn = time;
    progress->shown = true;
    if (!progress->terminal) {
        wk_progress_line(progress, time - progress->started, 0, line, sizeof line);
        fprintf(progress->file, "%s\n", line);
    } else {
        wk_progress_line(progress, time - progress->started, terminal_width(progress->file), line, sizeof line);
        const int width = columns(line), blanks = progress->width > width ? progress->width - width : 0;
        fprintf(progress->file, "\r%s%*s%s", line, blanks, "", last ? "\n" : "");
        progress->width = width;
    }
    fflush(progress->file);
}

void wk_progress_start_with(wk_progress *progress, FILE *file, int64_t steps, const char *title, va_list arguments)
{
    WK_PLAIN_NUMBERS;
    memset(progress, 0, sizeof *progress);
    if (!title || vsnprintf(progress->title, sizeof progress->title, title, arguments) < 0)
        progress->title[0] = '\0';
    progress->unit = "items";
    progress->file = file;
    progress->steps = steps;
    progress->started = progress->drawn = now();
    progress->terminal = isatty(fileno(file)) == 1;
    if (progress->terminal && progress->title[0])
        draw(progress, false);
}

void wk_progress_start(wk_progress *progress, int64_t steps, const char *title, ...)
{
    va_list arguments;
    va_start(arguments, title);
    wk_progress_start_with(progress, stdout, steps, title, arguments);
    va_end(arguments);
}

void wk_progress_show(wk_progress *progress, const char *format, ...)
{
    if (!progress)
        return;
    WK_PLAIN_NUMBERS;
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(progress->text, sizeof progress->text, format, arguments) < 0)
        progress->text[0] = '\0';
    va_end(arguments);
}

void wk_progress_step(wk_progress *progress, int64_t items)
{
    if (!progress)
        return;
    progress->done++;
    progress->items += items;
    if (progress->title[0] && (progress->steps < 0 || progress->done < progress->steps) &&
        now() - progress->drawn >= (progress->terminal ? DRAW_SECONDS : PLAIN_SECONDS))
        draw(progress, false);
}

void wk_progress_end(wk_progress *progress)
{
    if (!progress || !progress->file)
        return;
    if (progress->title[0])
        draw(progress, true);
    progress->file = NULL;
}
