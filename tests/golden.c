/* Reads golden/<family>.golden; the container is described in golden/golden.py. */
#include "golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/element.h"
#include "core/host.h"

/* ---------------------------------------------------------------- reading */

static wk_dtype dtype_named(const char *name)
{
    for (wk_dtype dtype = wk_bool; dtype < WK_DTYPES; dtype++)
        if (strcmp(name, wk_dtype_name(dtype)) == 0)
            return dtype;
    fprintf(stderr, "golden: unknown dtype %s\n", name);
    exit(1);
}

/* " float32 2 3 4 shares -1 strides 4 1\n" and the bytes on the next line; moves past them */
static golden_tensor read_tensor(char **at, char *line)
{
    golden_tensor x = {.shares = -1, .numel = 1};
    char name[32];
    int used = 0;
    sscanf(line, "%31s %d%n", name, &x.ndim, &used);
    x.dtype = dtype_named(name);
    line += used;
    for (int dim = 0; dim < x.ndim; dim++) {
        x.shape[dim] = strtoll(line, &line, 10);
        x.numel *= x.shape[dim];
    }
    if (sscanf(line, " shares %d strides%n", &x.shares, &used) == 1) {
        line += used;
        for (int dim = 0; dim < x.ndim; dim++)
            x.strides[dim] = strtoll(line, &line, 10);
    }
    x.bytes = *at;
    *at += x.numel * (int64_t)wk_dtype_size(x.dtype) + 1;
    return x;
}

static wk_number read_number(const char *kind, const char *value)
{
    if (strcmp(kind, "float") == 0)
        return wk_number_float(strtod(value, NULL));
    return strcmp(kind, "bool") == 0 ? wk_number_bool(atoi(value)) : wk_number_int(strtoll(value, NULL, 10));
}

static void read_keyword(golden_case *c, const char *kind, char *line)
{
    golden_keyword *keyword = &c->keyword[c->keywords++];
    int used = 0;
    sscanf(line, "%31s%n", keyword->name, &used);
    line += used;
    if (strcmp(kind, "text") == 0)
        snprintf(keyword->text, sizeof keyword->text, "%s", line + 1);
    else if (strcmp(kind, "ints") == 0) {
        keyword->sizes.ndim = (int)strtoll(line, &line, 10);
        for (int i = 0; i < keyword->sizes.ndim && i < WK_MAX_DIMS; i++)
            keyword->sizes.sizes[i] = strtoll(line, &line, 10);
    } else
        keyword->number = read_number(kind, line + 1);
}

static void read_line(golden_case *c, char *line, char **at)
{
    char word[32], kind[16], value[64];
    int i = 0, used = 0;
    sscanf(line, "%31s%n", word, &used);
    line += used;
    if (strcmp(word, "smooth") == 0)
        c->smooth = true;
    else if (strcmp(word, "fails") == 0)
        c->fails = true;
    else if (strcmp(word, "number") == 0) {
        sscanf(line, "%d %15s %63s", &i, kind, value);
        c->input[i].number = read_number(kind, value);
        c->inputs = i + 1;
    } else if (strcmp(word, "int") == 0 || strcmp(word, "float") == 0 || strcmp(word, "text") == 0 ||
               strcmp(word, "ints") == 0)
        read_keyword(c, word, line);
    else {
        sscanf(line, "%d%n", &i, &used);
        line += used;
        if (strcmp(word, "input") == 0) {
            c->input[i].tensor = read_tensor(at, line);
            c->inputs = i + 1;
        } else if (strcmp(word, "result") == 0) {
            c->result[i] = read_tensor(at, line);
            c->results_count = i + 1;
        } else if (strcmp(word, "dy") == 0)
            c->dy[i] = read_tensor(at, line);
        else if (strcmp(line, " none") == 0)
            c->no_gradient[i] = true;
        else
            c->gradient[i] = read_tensor(at, line);
    }
}

static char *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *bytes = malloc(*size + 1);
    const bool fine = bytes && fread(bytes, 1, *size, file) == *size;
    fclose(file);
    if (!fine) {
        free(bytes);
        return NULL;
    }
    bytes[*size] = '\0';
    return bytes;
}

bool golden_read(const char *path, golden_file *file)
{
    size_t size = 0;
    *file = (golden_file){.bytes = read_whole(path, &size)};
    if (!file->bytes)
        return false;
    int capacity = 0;
    for (char *at = file->bytes; at < file->bytes + size;) {
        char *line = at, *end = strchr(line, '\n');
        *end = '\0';
        at = end + 1;
        if (strncmp(line, "wick golden", 11) == 0)
            continue;
        if (strncmp(line, "case ", 5) == 0) {
            if (file->count == capacity) {
                capacity = capacity ? 2 * capacity : 64;
                file->cases = realloc(file->cases, (size_t)capacity * sizeof *file->cases);
            }
            golden_case *c = &file->cases[file->count];
            memset(c, 0, sizeof *c);
            c->number = ++file->count;
            snprintf(c->op, sizeof c->op, "%s", line + 5);
        } else
            read_line(&file->cases[file->count - 1], line, &at);
    }
    return true;
}

void golden_free(golden_file *file)
{
    free(file->cases);
    free(file->bytes);
}

/* ---------------------------------------------------------------- values */

double golden_element(const golden_tensor *x, int64_t i, int part)
{
    switch (x->dtype) {
    case wk_bool: return ((const unsigned char *)x->bytes)[i];
    case wk_uint8: return ((const uint8_t *)x->bytes)[i];
    case wk_int8: return ((const int8_t *)x->bytes)[i];
    default: break;
    }
    /* bytes need not be aligned */
    char element[16];
    const size_t size = wk_dtype_size(x->dtype);
    memcpy(element, (const char *)x->bytes + (size_t)i * size, size);
    switch (x->dtype) {
    case wk_int16: return *(int16_t *)(void *)element;
    case wk_int32: return *(int32_t *)(void *)element;
    case wk_int64: return (double)*(int64_t *)(void *)element;
    case wk_float16: return wk_float_of_float16(*(uint16_t *)(void *)element);
    case wk_bfloat16: return wk_float_of_bfloat16(*(uint16_t *)(void *)element);
    case wk_float32: return *(float *)(void *)element;
    case wk_float64: return *(double *)(void *)element;
    case wk_complex128: return ((double *)(void *)element)[part];
    default: return ((float *)(void *)element)[part];
    }
}

bool golden_contiguous(const golden_tensor *x)
{
    int64_t stride = 1;
    for (int dim = x->ndim - 1; dim >= 0; dim--) {
        if (x->shape[dim] > 1 && x->strides[dim] != stride)
            return false;
        stride *= x->shape[dim];
    }
    return true;
}

golden_tensor golden_of_tensor(const wk_tensor *x, void *bytes)
{
    const char *from = wk_host("test", wk_on_host("test", x));
    golden_tensor copy = {.dtype = x->dtype, .ndim = x->ndim, .numel = x->numel, .shares = -1, .bytes = bytes};
    memcpy(copy.shape, x->shape, sizeof copy.shape);
    memcpy(copy.strides, x->strides, sizeof copy.strides);
    const size_t size = wk_dtype_size(x->dtype);
    int64_t coordinate[WK_MAX_DIMS] = {0};
    for (int64_t i = 0; i < x->numel; i++) {
        int64_t offset = 0;
        for (int dim = 0; dim < x->ndim; dim++)
            offset += coordinate[dim] * x->strides[dim];
        memcpy((char *)bytes + (size_t)i * size, from + offset * (int64_t)size, size);
        for (int dim = x->ndim - 1; dim >= 0 && ++coordinate[dim] == x->shape[dim]; dim--)
            coordinate[dim] = 0;
    }
    return copy;
}

static int put(char *text, size_t size, int used, const char *format, const char *a, double value)
{
    if ((size_t)used >= size)
        return used;
    return used + snprintf(text + used, size - (size_t)used, format, a, value);
}

static int put_sizes(char *text, size_t size, int used, const wk_shape *sizes)
{
    used = put(text, size, used, "(%s", "", 0);
    for (int dim = 0; dim < sizes->ndim; dim++)
        used = put(text, size, used, dim ? "%s, %g" : "%s%g", "", (double)sizes->sizes[dim]);
    return put(text, size, used, "%s)", "", 0);
}

void golden_describe(const golden_case *c, char *text, size_t size)
{
    int used = snprintf(text, size, "%s, case %d (", c->op, c->number);
    for (int i = 0; i < c->inputs; i++) {
        used = put(text, size, used, "%s", i ? ", " : "", 0);
        const golden_input *in = &c->input[i];
        if (in->tensor.dtype) {
            const wk_shape shape = wk_shape_of(in->tensor.ndim, in->tensor.shape);
            used = put(text, size, used, "%s ", wk_dtype_name(in->tensor.dtype), 0);
            used = put_sizes(text, size, used, &shape);
        } else
            used = put(text, size, used, in->number.kind ? "%s%g" : "%sNone", "", in->number.value);
    }
    for (int i = 0; i < c->keywords; i++) {
        const golden_keyword *keyword = &c->keyword[i];
        used = put(text, size, used, ", %s=", keyword->name, 0);
        if (keyword->number.kind)
            used = put(text, size, used, "%s%g", "", keyword->number.value);
        else if (keyword->text[0])
            used = put(text, size, used, "%s", keyword->text, 0);
        else
            used = put_sizes(text, size, used, &keyword->sizes);
    }
    put(text, size, used, "%s)", "", 0);
}

bool golden_differentiable(const golden_case *c)
{
    bool any = false;
    for (int i = 0; i < c->inputs; i++)
        any |= c->gradient[i].dtype || c->no_gradient[i];
    return any;
}

/* ---------------------------------------------------------------- for adapters */

wk_tensor *input(golden_case *c, int i) { return c->given[i]; }
wk_operand operand(golden_case *c, int i)
{
    return c->input[i].number.kind ? (wk_operand){.number = c->input[i].number} : wk_operand_tensor(c->given[i]);
}
wk_tensor *optional(golden_case *c, int i)
{
    c->optional[i] = true;
    return c->given[i];
}

static const golden_keyword *find(const golden_case *c, const char *name)
{
    for (int i = 0; i < c->keywords; i++)
        if (strcmp(c->keyword[i].name, name) == 0)
            return &c->keyword[i];
    return NULL;
}

static const golden_keyword *find_or_stop(const golden_case *c, const char *name)
{
    const golden_keyword *keyword = find(c, name);
    if (!keyword) {
        fprintf(stderr, "golden: %s, case %d has no keyword %s\n", c->op, c->number, name);
        exit(1);
    }
    return keyword;
}

bool has(const golden_case *c, const char *keyword) { return find(c, keyword); }
int64_t integer(const golden_case *c, const char *keyword) { return find_or_stop(c, keyword)->number.integer; }
int64_t integer_or(const golden_case *c, const char *keyword, int64_t otherwise)
{
    return has(c, keyword) ? integer(c, keyword) : otherwise;
}
double real(const golden_case *c, const char *keyword) { return find_or_stop(c, keyword)->number.value; }
double real_or(const golden_case *c, const char *keyword, double otherwise)
{
    return has(c, keyword) ? real(c, keyword) : otherwise;
}
wk_number number(const golden_case *c, const char *keyword)
{
    return has(c, keyword) ? find(c, keyword)->number : (wk_number){0};
}
wk_shape sizes(const golden_case *c, const char *keyword)
{
    return has(c, keyword) ? find(c, keyword)->sizes : (wk_shape){0};
}
const char *text(const golden_case *c, const char *keyword) { return has(c, keyword) ? find(c, keyword)->text : NULL; }
wk_dtype dtype(const golden_case *c, const char *keyword)
{
    return has(c, keyword) ? dtype_named(find(c, keyword)->text) : wk_dtype_default;
}
wk_tensor *truth(bool value) { return wk_full((), value); }

wk_tensor *results_of(golden_case *c, wk_tensors made)
{
    c->made_count = made.count < GOLDEN_MAX ? (int)made.count : GOLDEN_MAX; // of inputs that are not PyTorch's, more
    for (int i = 0; i < c->made_count; i++)
        c->made[i] = made.items[i];
    return c->made[0];
}
