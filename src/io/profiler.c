/* Profiles: the block, its table, its trace. */
#include <wick/error.h>
#include <wick/profiler.h>

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/profile.h"
#include "file.h"

static const char OP[] = "profiler_profile";

wk_profiler_guard wk_profiler_open(wk_profiler_profile_args args)
{
    const wk_profiler_guard guard = {.args = args, .open = true, .started = true};
    if (wk_profiling) {
        wk_fail(OP, "a profile is running in this thread already");
        return (wk_profiler_guard){0};
    }
    wk_profile *profile = wk_alloc_zeroed(sizeof *profile);
    if (!profile) {
        wk_out_of_memory(OP, sizeof *profile);
        return (wk_profiler_guard){0};
    }
    profile->open = -1;
    wk_profiling = profile;
    return guard;
}

wk_record_guard wk_record_open(const char *name)
{
    const bool noted = wk_profiling && name;
    if (noted)
        wk_profile_start(name, true);
    return (wk_record_guard){.open = true, .noted = noted};
}

void wk_record_close(wk_record_guard *guard)
{
    if (guard->noted && wk_profiling)
        wk_profile_stop();
}

/* ---------------------------------------------------------------- the table */

typedef struct row {
    const char *name;
    int64_t calls, total, self; // ns
} row;

static int longest_first(const void *a, const void *b)
{
    const row *x = a, *y = b;
    return x->self < y->self ? 1 : x->self > y->self ? -1 : strcmp(x->name, y->name);
}

static row *row_of(row *rows, int64_t *count, const char *name)
{
    for (int64_t i = 0; i < *count; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    rows[*count] = (row){.name = name};
    return &rows[(*count)++];
}

static bool runs_inside_its_like(const wk_profile *p, const wk_profile_event *event)
{
    for (int64_t i = event->parent; i >= 0; i = p->events[i].parent)
        if (strcmp(p->events[i].name, event->name) == 0)
            return true;
    return false;
}

static bool print_table(const wk_profile *p, FILE *file, int row_limit)
{
    row *rows = wk_alloc((size_t)(p->count + 1) * sizeof *rows);
    if (!rows)
        return wk_out_of_memory(OP, (size_t)(p->count + 1) * sizeof *rows);
    int64_t count = 0, all = 0;
    for (int64_t i = 0; i < p->count; i++) {
        const wk_profile_event *event = &p->events[i];
        const int64_t took = event->end - event->start;
        row *r = row_of(rows, &count, event->name);
        r->calls++;
        r->self += took;
        r->total += runs_inside_its_like(p, event) ? 0 : took; // counted once
        if (event->parent >= 0)
            row_of(rows, &count, p->events[event->parent].name)->self -= took;
        else
            all += took;
    }
    qsort(rows, (size_t)count, sizeof *rows, longest_first);
    fprintf(file, "%-40s %8s %12s %12s %12s %8s\n", "name", "self %", "self ms", "total ms", "mean us", "calls");
    for (int64_t i = 0; i < count && i < row_limit; i++)
        fprintf(file, "%-40s %7.2f%% %12.3f %12.3f %12.3f %8lld\n", rows[i].name,
                all ? 100.0 * (double)rows[i].self / (double)all : 0, (double)rows[i].self / 1e6,
                (double)rows[i].total / 1e6, (double)rows[i].total / 1e3 / (double)rows[i].calls,
                (long long)rows[i].calls);
    fprintf(file, "in all %.3f ms%s\n", (double)all / 1e6, p->full ? "; there was no memory to note the rest" : "");
    wk_free(rows);
    return true;
}

/* ---------------------------------------------------------------- the trace */

static void put_name(const char *name, char *text, size_t size)
{
    size_t used = 0;
    for (; *name && used + 8 < size; name++)
        if ((unsigned char)*name < ' ')
            text[used++] = ' ';
        else {
            if (*name == '"' || *name == '\\')
                text[used++] = '\\';
            text[used++] = *name;
        }
    text[used] = '\0';
}

static bool write_trace(const wk_profile *p, const char *path)
{
    wk_new_file file;
    bool fine = wk_new_file_open(&file, OP, path);
    if (!fine)
        return false;
    static const char HEAD[] = "{\"traceEvents\": [", TAIL[] = "\n]}\n";
    fine = wk_new_file_write(&file, HEAD, sizeof HEAD - 1);
    for (int64_t i = 0; fine && i < p->count; i++) {
        char name[256], line[512];
        put_name(p->events[i].name, name, sizeof name);
        const int length =
            snprintf(line, sizeof line,
                     "%s\n{\"name\": \"%s\", \"ph\": \"X\", \"pid\": 0, \"tid\": 0, \"ts\": %.3f, \"dur\": %.3f}",
                     i ? "," : "", name, (double)(p->events[i].start - p->events[0].start) / 1e3,
                     (double)(p->events[i].end - p->events[i].start) / 1e3);
        fine = wk_new_file_write(&file, line, (size_t)length);
    }
    fine = fine && wk_new_file_write(&file, TAIL, sizeof TAIL - 1) && wk_new_file_commit(&file);
    wk_new_file_abandon(&file);
    return fine;
}

void wk_profiler_close(wk_profiler_guard *guard)
{
    wk_profile *profile = wk_profiling;
    if (!guard->started || !profile)
        return;
    while (!profile->full && profile->open >= 0) // blocks around which this one was opened
        wk_profile_stop();
    for (int64_t i = 0; i < profile->count; i++)
        if (!profile->events[i].end)
            profile->events[i].end = profile->events[i].start;
    wk_profiling = NULL;
    if (guard->args.table)
        print_table(profile, guard->args.table, guard->args.row_limit);
    if (guard->args.trace)
        write_trace(profile, guard->args.trace);
    wk_profile_clear(profile);
}
