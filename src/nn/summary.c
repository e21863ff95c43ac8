/* wk_summary: runs the model once and writes down, module by module, what came out and what it cost.

   An observer of calls (call.c) sees each module begin and end; the multiply-adds that ops counted meanwhile
   (ops/matmul.h), less those of the modules it called, are its own. */
#include <wick/summary.h>

#include <stdio.h>
#include <string.h>

#include <wick/autograd.h>
#include <wick/creation.h>
#include <wick/random.h>

#include "core/alloc.h"
#include "core/random.h"
#include "core/text.h"
#include "module.h"
#include "ops/matmul.h"

typedef struct row {
    wk_module *module;
    const char *path, *type;
    bool training; // before
    bool hidden;   // deeper than is asked for: an ancestor's row has its numbers
    int64_t calls;
    char shape[WK_SHAPE_TEXT]; // of its last result
    int64_t parameters, multiply_adds;
} row;

enum { DEEPEST = 256 };

typedef struct page {
    row *rows;
    int64_t count;
    int depth;
    int64_t begun[DEEPEST];  // the counter when a module began
    int64_t within[DEEPEST]; // multiply-adds of the modules it called
    int64_t parameters, trainable, bytes, multiply_adds;
    int64_t input_bytes, output_bytes; // output: of modules that have parameters and no children, at each call
    bool out_of_memory;
} page;

/* ---------------------------------------------------------------- while the model runs */

static row *row_of(page *of, const wk_module *module)
{
    for (int64_t i = 0; i < of->count; i++)
        if (of->rows[i].module == module)
            return &of->rows[i];
    return NULL;
}

/* a module that runs and is in no parent's list: NULL where there is no memory for its row */
static row *add_row(page *to, const wk_module *module)
{
    row *rows = wk_realloc(to->rows, (size_t)(to->count + 1) * sizeof *rows);
    if (!rows) {
        to->out_of_memory = true;
        return NULL;
    }
    to->rows = rows;
    rows[to->count] = (row){.path = "(not registered)", .type = module->type};
    rows[to->count].module = (wk_module *)(uintptr_t)module;
    return &rows[to->count++];
}

static void observe(wk_module *module, wk_tensor *y, bool before, void *context)
{
    page *to = context;
    if (before) {
        if (to->depth < DEEPEST) {
            to->begun[to->depth] = wk_multiply_adds();
            to->within[to->depth] = 0;
        }
        to->depth++;
        return;
    }
    if (--to->depth >= DEEPEST)
        return;
    const int64_t all = wk_multiply_adds() - to->begun[to->depth];
    row *of = row_of(to, module);
    if (!of)
        of = add_row(to, module);
    if (of) {
        of->calls++;
        if (y && module->inside->children_count == 0 && module->inside->parameters.count > 0)
            to->output_bytes += y->numel * (int64_t)wk_dtype_size(y->dtype);
        of->multiply_adds += all - to->within[to->depth];
        if (y)
            wk_shape_text(y->ndim, y->shape, of->shape);
    }
    if (to->depth > 0)
        to->within[to->depth - 1] += all;
}

/* ---------------------------------------------------------------- before and after */

/* tied parameters belong to the module that has them first */
static void count_parameters(page *to, wk_tensors parameters)
{
    for (int64_t i = 0; i < parameters.count; i++) {
        const wk_tensor *x = parameters.items[i];
        bool found = false;
        for (int64_t r = 0; r < to->count && !found; r++) {
            const wk_members *own = &to->rows[r].module->inside->parameters;
            for (int64_t k = 0; k < own->count && !found; k++)
                found = own->items[k].tensor == x;
            if (found)
                to->rows[r].parameters += x->numel;
        }
        to->parameters += x->numel;
        to->trainable += x->requires_grad ? x->numel : 0;
        to->bytes += x->numel * (int64_t)wk_dtype_size(x->dtype);
    }
}

static wk_tensor *make_input(const wk_summary_args *args)
{
    if (args->input) {
        WK_REQUIRE("summary", args->input);
        return args->input;
    }
    const wk_dtype dtype = args->dtype ? args->dtype : wk_get_default_dtype();
    if (wk_dtype_is_floating(dtype) || wk_dtype_is_complex(dtype))
        return wk_rand_with((wk_rand_args){.size = args->size, .dtype = dtype});
    return wk_full_with((wk_factory_args){.size = args->size, .fill = WK_NUMBER(0), .dtype = dtype});
}

static bool run(page *to, const wk_summary_args *args)
{
    bool fine = false;
    wk_generator *generator = wk_generator_or_default(NULL);
    unsigned char *drawn = wk_alloc(WK_GENERATOR_STATE_BYTES);
    if (!drawn)
        return wk_out_of_memory("summary", WK_GENERATOR_STATE_BYTES);
    wk_generator_save(generator, drawn);
    for (int64_t i = 0; i < to->count; i++) {
        to->rows[i].training = to->rows[i].module->training;
        to->rows[i].module->training = false;
    }
    const int64_t before = wk_multiply_adds(), of_tree = to->count;
    wk_no_grad wk_scope
    {
        wk_tensor *x = args->call ? NULL : make_input(args);
        to->input_bytes = x ? x->numel * (int64_t)wk_dtype_size(x->dtype) : 0;
        wk_call_observe(observe, to);
        fine = args->call ? args->call(args->module, args->context) : x && wk_forward(args->module, x);
        wk_call_observe(NULL, NULL);
    }
    if (to->out_of_memory)
        fine = wk_out_of_memory("summary", (size_t)(to->count + 1) * sizeof(row)) != NULL;
    to->multiply_adds = wk_multiply_adds() - before;
    for (int64_t i = 0; i < of_tree; i++)
        to->rows[i].module->training = to->rows[i].training;
    wk_generator_load(generator, drawn);
    wk_free(drawn);
    return fine;
}

/* ---------------------------------------------------------------- the page */

/* "1,234,567", "-" of nothing */
static const char *number_text(int64_t number, char text[32])
{
    char digits[24];
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)number);
    int used = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[used++] = ',';
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return number == 0 ? "-" : text;
}

static int depth_of(const char *path)
{
    int depth = *path != '\0';
    for (; *path; path++)
        depth += *path == '.';
    return depth;
}

/* the numbers of rows deeper than `depth` go to the last row before them that is not: rows are in the tree's order */
static void hide_deeper(page *of, int64_t depth)
{
    row *shown = of->rows;
    for (int64_t r = 0; depth > 0 && r < of->count; r++) {
        row *at = &of->rows[r];
        at->hidden = depth_of(at->path) > depth;
        if (!at->hidden) {
            shown = at;
            continue;
        }
        shown->parameters += at->parameters;
        shown->multiply_adds += at->multiply_adds;
    }
}

enum { COLUMNS = 5, CELL = 320 };

/* the text of a cell; row -1 is the head */
static const char *cell(const page *of, int64_t r, int column, char text[CELL])
{
    static const char *const HEAD[COLUMNS] = {"layer", "type", "output shape", "parameters", "multiply-adds"};
    const row *at = r >= 0 ? &of->rows[r] : NULL;
    if (!at)
        return HEAD[column];
    const char *path = at->path[0] ? at->path : "(the model)";
    if (column == 0 && at->calls < 2)
        return path;
    if (column == 0) {
        snprintf(text, CELL, "%s (%lld calls)", path, (long long)at->calls);
        return text;
    }
    if (column == 1)
        return at->type;
    if (column == 2)
        return at->shape[0] ? at->shape : "-";
    return number_text(column == 3 ? at->parameters : at->multiply_adds, text);
}

static void print_page(const page *of, FILE *file)
{
    WK_PLAIN_NUMBERS;
    int width[COLUMNS] = {0}, line = 2 * (COLUMNS - 1);
    char text[CELL];
    for (int64_t r = -1; r < of->count; r++)
        for (int column = 0; column < COLUMNS && (r < 0 || !of->rows[r].hidden); column++) {
            const int length = (int)strlen(cell(of, r, column, text));
            width[column] = length > width[column] ? length : width[column];
        }
    for (int column = 0; column < COLUMNS; column++)
        line += width[column];
    for (int64_t r = -1; r < of->count; r++) {
        if (r >= 0 && (of->rows[r].hidden || (of->rows[r].calls == 0 && of->rows[r].parameters == 0)))
            continue; // a list: its modules speak for it
        for (int column = 0; column < COLUMNS; column++)
            fprintf(file, "%s%*s", column ? "  " : "", column < 3 ? -width[column] : width[column],
                    cell(of, r, column, text));
        fprintf(file, "\n");
    }
    for (int i = 0; i < line; i++)
        fputc('-', file);
    char trainable[32], adds[32];
    fprintf(file, "\nparameters %s (%.2f MB), trainable %s; multiply-adds %s\n", number_text(of->parameters, text),
            (double)of->bytes / 1e6, number_text(of->trainable, trainable), number_text(of->multiply_adds, adds));
    fprintf(file, "memory: input %.2f MB, forward and backward %.2f MB, parameters %.2f MB\n",
            (double)of->input_bytes / 1e6, 2 * (double)of->output_bytes / 1e6, (double)of->bytes / 1e6);
}

bool wk_summary_with(wk_summary_args args)
{
    const wk_modules modules = wk_module_modules(args.module);
    const wk_tensors parameters = modules.count ? wk_module_parameters(args.module) : (wk_tensors){0};
    if (!parameters.items)
        return false;
    page *to = wk_alloc_zeroed(sizeof *to);
    row *rows = to ? wk_alloc_zeroed((size_t)modules.count * sizeof *rows) : NULL;
    if (!rows) {
        wk_free(to);
        return wk_out_of_memory("summary", (size_t)modules.count * sizeof *rows);
    }
    to->rows = rows;
    to->count = modules.count;
    for (int64_t i = 0; i < modules.count; i++) {
        rows[i].module = modules.items[i];
        rows[i].path = modules.names[i];
        rows[i].type = modules.items[i]->type;
    }
    count_parameters(to, parameters);
    const bool fine = run(to, &args);
    if (fine) {
        hide_deeper(to, args.depth);
        print_page(to, args.file ? args.file : stdout);
    }
    wk_free(to->rows);
    wk_free(to);
    return fine;
}
