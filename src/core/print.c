/* Tensors as PyTorch prints them, byte for byte: tensor([[0.5000, -1.0000], ...], dtype=torch.float64).

   All numbers of a tensor have one form, that a first walk over the elements chooses: integral values get a bare point
   ("3."), values spread over more than 1000 to 1 (or above 1e8, or below 1e-4) a decimal exponent, all else `precision`
   digits; zeros, infinities and NaN have no say, nor in the column's width, so they may stick out.  Real and imaginary
   parts have a form each.  Above `threshold` elements only `edgeitems` at each end of each dim are looked at and shown.
   As PyTorch's own printer is the specification, some of what follows is its accidents: " ..." counts as an element of
   a line, and without edge items a vector is measured by all of its elements.

   A scalar prints as tensor(1.5000), as print(x) has it, and not as the bare number that an f-string makes of it. */
#define _GNU_SOURCE // open_memstream
#include <wick/print.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/fork.h"
#include "kernels/half.h"
#include "print_internal.h"
#include "host.h"
#include "tensor.h"
#include "text.h"

#define LONGEST_PRECISION 500
enum { NUMBER_TEXT = LONGEST_PRECISION + 330 }; // 1e308 in full has 309 digits

static const wk_printoptions DEFAULT_OPTIONS = {4, 1000, 3, 80, -1, NULL};

static pthread_mutex_t options_lock = PTHREAD_MUTEX_INITIALIZER;
__attribute__((constructor)) static void watch_forks(void) { wk_fork_takes(&options_lock); }
static wk_printoptions options_now = {4, 1000, 3, 80, -1, NULL};
static _Atomic(wk_grad_fn_name_hook *) grad_fn_name_hook;

/* How the numbers of a tensor, or their real or imaginary parts, are written. */
typedef struct format {
    bool floating, integral, scientific;
    bool any; // a number that is finite and not zero
    double smallest, largest;
    int precision, width;
} format;

typedef struct printer {
    FILE *out;
    const wk_tensor *x;
    wk_printoptions options;
    bool summarize;
    format real, imaginary;
} printer;

typedef struct element {
    double real, imaginary;
    int64_t integer;
} element;

void wk_print_set_grad_fn_name_hook(wk_grad_fn_name_hook *hook) { atomic_store(&grad_fn_name_hook, hook); }

wk_printoptions wk_get_printoptions(void)
{
    pthread_mutex_lock(&options_lock);
    const wk_printoptions options = options_now;
    pthread_mutex_unlock(&options_lock);
    return options;
}

void wk_set_printoptions_with(wk_printoptions given)
{
    wk_printoptions options = wk_get_printoptions();
    if (given.profile) {
        options = DEFAULT_OPTIONS;
        if (strcmp(given.profile, "short") == 0) {
            options.precision = 2;
            options.edgeitems = 2;
        } else if (strcmp(given.profile, "full") == 0) {
            options.threshold = INT64_MAX;
        } else if (strcmp(given.profile, "default") != 0) {
            wk_fail("set_printoptions", "profile: expected \"default\", \"short\" or \"full\", got \"%s\"",
                    given.profile);
            return;
        }
    }
    if (given.precision > LONGEST_PRECISION) {
        wk_fail("set_printoptions", "precision: expected at most %d, got %d", LONGEST_PRECISION, given.precision);
        return;
    }
    options.precision = given.precision >= 0 ? given.precision : options.precision;
    options.threshold = given.threshold >= 0 ? given.threshold : options.threshold;
    options.edgeitems = given.edgeitems >= 0 ? given.edgeitems : options.edgeitems;
    options.linewidth = given.linewidth >= 0 ? given.linewidth : options.linewidth;
    options.sci_mode = given.sci_mode < 0 ? -1 : given.sci_mode != 0;
    pthread_mutex_lock(&options_lock);
    options_now = options;
    pthread_mutex_unlock(&options_lock);
}

static element read_element(const wk_tensor *x, const void *data)
{
    switch (x->dtype) {
    case wk_bool:
        return (element){.integer = *(const uint8_t *)data != 0};
    case wk_uint8:
        return (element){.integer = *(const uint8_t *)data};
    case wk_int8:
        return (element){.integer = *(const int8_t *)data};
    case wk_int16:
        return (element){.integer = *(const int16_t *)data};
    case wk_int32:
        return (element){.integer = *(const int32_t *)data};
    case wk_int64:
        return (element){.integer = *(const int64_t *)data};
    case wk_float16:
        return (element){.real = wk_float_of_float16(*(const uint16_t *)data)};
    case wk_bfloat16:
        return (element){.real = wk_float_of_bfloat16(*(const uint16_t *)data)};
    case wk_float32:
        return (element){.real = *(const float *)data};
    case wk_float64:
        return (element){.real = *(const double *)data};
    case wk_complex64:
        return (element){.real = ((const float *)data)[0], .imaginary = ((const float *)data)[1]};
    case wk_complex128:
        return (element){.real = ((const double *)data)[0], .imaginary = ((const double *)data)[1]};
    case wk_dtype_default:
    case WK_DTYPES:
        break;
    }
    return (element){0};
}

static const char *step(const printer *print, const char *data, int dim, int64_t index)
{
    return data + index * print->x->strides[dim] * (int64_t)wk_dtype_size(print->x->dtype);
}

/* Calls visit for the elements that a summary shows. */
static void walk(printer *print, const char *data, int dim, void (*visit)(printer *, element))
{
    if (dim == print->x->ndim) {
        visit(print, read_element(print->x, data));
        return;
    }
    const int64_t size = print->x->shape[dim], edge = print->options.edgeitems;
    const bool vector = print->x->ndim == 1;
    if (print->summarize && edge == 0 && !vector)
        return;
    const bool skips = print->summarize && size / 2 >= edge && size > 2 * edge && edge > 0;
    for (int64_t i = 0; i < size; i++) {
        if (skips && i == edge)
            i = size - edge;
        walk(print, step(print, data, dim, i), dim + 1, visit);
    }
}

static void measure_value(format *form, double value)
{
    if (!isfinite(value) || value == 0)
        return;
    const double magnitude = fabs(value);
    if (!form->any || magnitude < form->smallest)
        form->smallest = magnitude;
    if (!form->any || magnitude > form->largest)
        form->largest = magnitude;
    form->integral &= value == ceil(value);
    form->any = true;
}

static void measure(printer *print, element value)
{
    measure_value(&print->real, value.real);
    measure_value(&print->imaginary, value.imaginary);
}

static int write_real(const format *form, double value, char *text)
{
    if (isnan(value)) // C writes the sign of a NaN
        return snprintf(text, NUMBER_TEXT, "nan");
    if (form->scientific)
        return snprintf(text, NUMBER_TEXT, "%.*e", form->precision, value);
    if (form->integral)
        return snprintf(text, NUMBER_TEXT, isinf(value) ? "%.0f" : "%.0f.", value);
    return snprintf(text, NUMBER_TEXT, "%.*f", form->precision, value);
}

static int write_number(const printer *print, element value, char *text)
{
    if (print->real.floating)
        return write_real(&print->real, value.real, text);
    if (print->x->dtype == wk_bool)
        return snprintf(text, NUMBER_TEXT, value.integer ? "True" : "False");
    return snprintf(text, NUMBER_TEXT, "%lld", (long long)value.integer);
}

static void widen(format *form, int width) { form->width = width > form->width ? width : form->width; }

static void measure_width(printer *print, element value)
{
    char text[NUMBER_TEXT];
    if (!print->real.floating || (isfinite(value.real) && value.real != 0))
        widen(&print->real, write_number(print, value, text));
    if (isfinite(value.imaginary) && value.imaginary != 0)
        widen(&print->imaginary, write_real(&print->imaginary, value.imaginary, text));
}

static void choose_form(const printer *print, format *form)
{
    form->integral |= !form->any;
    if (!form->any)
        form->scientific = false;
    else if (print->options.sci_mode >= 0)
        form->scientific = print->options.sci_mode;
    else
        form->scientific = form->largest / form->smallest > 1000.0 || form->largest > 1.0e8 || form->smallest < 1.0e-4;
}

static void choose_forms(printer *print, const char *data)
{
    const bool floating = wk_dtype_is_floating(print->x->dtype) || wk_dtype_is_complex(print->x->dtype);
    print->real = (format){.floating = floating, .integral = true, .precision = print->options.precision, .width = 1};
    print->imaginary = print->real;
    if (floating) {
        walk(print, data, 0, measure);
        choose_form(print, &print->real);
        choose_form(print, &print->imaginary);
    }
    walk(print, data, 0, measure_width);
}

static void put_element(const printer *print, const char *data)
{
    char text[NUMBER_TEXT];
    const element value = read_element(print->x, data);
    write_number(print, value, text);
    fprintf(print->out, "%*s", print->real.width, text);
    if (wk_dtype_is_complex(print->x->dtype)) { // not padded; "+" where there is no sign
        write_real(&print->imaginary, value.imaginary, text);
        fprintf(print->out, "%s%sj", text[0] == '-' ? "" : "+", text);
    }
}

/* Before an element of a line: a comma and, where the line is full, a line break. */
static void separate(const printer *print, int64_t placed, int64_t per_line, int indent)
{
    if (placed > 0 && placed % per_line == 0)
        fprintf(print->out, ",\n%*s", indent + 1, "");
    else if (placed > 0)
        fputs(", ", print->out);
}

static void put_vector(const printer *print, const char *data, int indent)
{
    const int dim = print->x->ndim - 1;
    const int64_t size = print->x->shape[dim], edge = print->options.edgeitems;
    const bool complex = wk_dtype_is_complex(print->x->dtype);
    const int64_t width = print->real.width + 2 + (complex ? print->imaginary.width + 1 : 0);
    const int64_t room = print->options.linewidth - indent;
    const int64_t per_line = room >= width ? room / width : 1;
    if (print->summarize && edge == 0) {
        fputs("[...]", print->out);
        return;
    }
    const bool skips = print->summarize && size / 2 >= edge && size > 2 * edge;
    int64_t placed = 0;
    fputc('[', print->out);
    for (int64_t i = 0; i < size; i++) {
        separate(print, placed++, per_line, indent);
        if (skips && i == edge) {
            fputs(" ...", print->out);
            i = size - edge;
            separate(print, placed++, per_line, indent);
        }
        put_element(print, step(print, data, dim, i));
    }
    fputc(']', print->out);
}

static void put_tensor(const printer *print, const char *data, int dim, int indent)
{
    const int below = print->x->ndim - dim;
    if (below == 0) {
        put_element(print, data);
        return;
    }
    if (below == 1) {
        put_vector(print, data, indent);
        return;
    }
    const int64_t size = print->x->shape[dim], edge = print->options.edgeitems;
    const bool skips = print->summarize && size / 2 >= edge && size > 2 * edge;
    fputc('[', print->out);
    for (int64_t i = 0, shown = 0; i < size; shown++) {
        const bool gap = skips && shown == edge;
        if (shown > 0) {
            fputc(',', print->out);
            for (int line = 1; line < below; line++)
                fputc('\n', print->out);
            fprintf(print->out, "%*s", indent + 1, "");
        }
        if (gap)
            fputs("...", print->out);
        else
            put_tensor(print, step(print, data, dim, i), dim + 1, indent + 1);
        i = gap ? size - edge : i + 1;
    }
    fputc(']', print->out);
}

/* What stands behind the elements: device='cuda:0', dtype=torch.float64, grad_fn=<AddBackward0>. */
enum { SUFFIXES = 4, SUFFIX_TEXT = 256 };

static int find_suffixes(const printer *print, char suffixes[SUFFIXES][SUFFIX_TEXT])
{
    const wk_tensor *x = print->x;
    int count = 0;
    if (x->device.type != WK_CPU)
        snprintf(suffixes[count++], SUFFIX_TEXT, "device='%s'", wk_device_name(x->device));
    if (x->numel == 0 ? x->ndim != 1 : print->options.edgeitems == 0) {
        char *text = suffixes[count++];
        int used = snprintf(text, SUFFIX_TEXT, "size=(");
        for (int dim = 0; dim < x->ndim; dim++)
            used +=
                snprintf(text + used, SUFFIX_TEXT - (size_t)used, "%s%lld", dim ? ", " : "", (long long)x->shape[dim]);
        snprintf(text + used, SUFFIX_TEXT - (size_t)used, x->ndim == 1 ? ",)" : ")");
    }
    const bool shown = x->dtype == wk_int64 || x->dtype == wk_bool || // by the elements, where there are any
                       x->dtype == (wk_get_default_dtype() == wk_float64 ? wk_complex128 : wk_complex64);
    if (x->dtype != wk_get_default_dtype() && (x->numel == 0 || !shown))
        snprintf(suffixes[count++], SUFFIX_TEXT, "dtype=torch.%s", wk_dtype_name(x->dtype));

    char name[SUFFIX_TEXT / 2] = "";
    wk_grad_fn_name_hook *hook = atomic_load(&grad_fn_name_hook);
    if (hook)
        hook(x, name, sizeof name);
    if (name[0])
        snprintf(suffixes[count++], SUFFIX_TEXT, "grad_fn=<%s>", name);
    else if (x->requires_grad)
        snprintf(suffixes[count++], SUFFIX_TEXT, "requires_grad=True");
    return count;
}

static void put_suffixes(const printer *print, int64_t last_line, int indent)
{
    char suffixes[SUFFIXES][SUFFIX_TEXT];
    const int count = find_suffixes(print, suffixes);
    for (int i = 0; i < count; i++) {
        const int64_t length = (int64_t)strlen(suffixes[i]);
        if (last_line + length + 2 > print->options.linewidth) {
            fprintf(print->out, ",\n%*s%s", indent, "", suffixes[i]);
            last_line = indent + length;
        } else {
            fprintf(print->out, ", %s", suffixes[i]);
            last_line += length + 2;
        }
    }
    fputc(')', print->out);
}

char *wk_to_string(const wk_tensor *x)
{
    static const char prefix[] = "tensor(";
    WK_REQUIRE("print", x);
    WK_PLAIN_NUMBERS;
    wk_scope_guard guard __attribute__((cleanup(wk_scope_close))) = wk_scope_open(__FILE__, __LINE__);
    (void)guard;
    const wk_tensor *here = wk_on_host("print", x);
    if (!here)
        return NULL;
    char *text = NULL;
    size_t length = 0;
    printer print = {.out = open_memstream(&text, &length), .x = x, .options = wk_get_printoptions()};
    if (!print.out)
        return wk_fail("print", "out of memory");
    const int indent = (int)strlen(prefix);
    size_t start = 0; // of the tensor itself
    if (x->is_parameter) {
        fputs("Parameter containing:\n", print.out);
        fflush(print.out);
        start = length;
    }
    fputs(prefix, print.out);
    if (x->numel == 0) {
        fputs("[]", print.out);
    } else {
        const char *data = wk_host("print", here);
        print.summarize = x->numel > print.options.threshold;
        choose_forms(&print, data);
        put_tensor(&print, data, 0, indent);
    }
    bool whole = fflush(print.out) == 0;
    if (whole) {
        const char *newline = memrchr(text + start, '\n', length - start);
        put_suffixes(&print, newline ? text + length - newline + 1 : (int64_t)(length - start) + 2, indent);
    }
    whole &= !ferror(print.out);
    if (fclose(print.out) == 0 && whole)
        return text;
    free(text);
    return wk_fail("print", "out of memory");
}

void wk_fprint(FILE *file, const wk_tensor *x)
{
    char *text = wk_to_string(x);
    if (text)
        fputs(text, file);
    free(text);
}

void(wk_print)(const char *name, const wk_tensor *x)
{
    char *text = wk_to_string(x);
    if (text)
        printf("%s%s%s\n", name ? name : "", name ? " " : "", text);
    free(text);
}
