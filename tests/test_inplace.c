/* Views and in-place writes: 600 random programs of both (golden/programs.py describes them), each run as PyTorch ran
   it: the same calls refused, the same loss, the same gradients and gradients of gradients, and nothing left over.

   Where PyTorch refuses backward, since an in-place op's saved result was written into again, wick may answer: it saves
   results of in-place ops in memory of their own.  Never the other way round. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wick.h>

/* ---------------------------------------------------------------- programs */

#define MAX_REGISTERS 24

typedef struct machine {
    wk_tensor *x[MAX_REGISTERS];
    int count;
    double loss;
    wk_tensor *second[2]; // of leaves 0 and 1
} machine;

static wk_tensor *read_tensor(char *words, bool leaf)
{
    wk_shape size = {0};
    size.ndim = (int)strtol(words, &words, 10);
    int64_t numel = 1;
    for (int dim = 0; dim < size.ndim; dim++)
        numel *= size.sizes[dim] = strtol(words, &words, 10);
    double values[64];
    for (int64_t i = 0; i < numel; i++)
        values[i] = strtod(words, &words);
    wk_tensor *x = wk_tensor_with((wk_tensor_args){.size = size, .data_dtype = wk_float64, .data = values});
    return leaf ? wk_requires_grad_(x, true) : x;
}

static wk_shape shape_at(const int64_t *n)
{
    return wk_shape_of((int)n[0], n + 1);
}

/* runs one line; a result that is no in-place op's goes into the next register */
static bool run_line(machine *m, const char *op, char *words)
{
    int64_t n[16] = {0};
    int count = 0;
    for (char *end = words; count < 16; count++, words = end) {
        n[count] = strtol(words, &end, 10);
        if (end == words)
            break;
    }
    wk_tensor *x = m->x[n[0]], *y = m->x[n[1] < MAX_REGISTERS ? n[1] : 0], *z = NULL;
#define CASE(name, call)                                                                                               \
    else if (strcmp(op, name) == 0) z = call
    if (!x)
        return false;
    CASE("exp", wk_exp(wk_mul(x, 0.3)));
    CASE("sin", wk_sin(x));
    CASE("tanh", wk_tanh(x));
    CASE("clone", wk_clone(x));
    CASE("relu", wk_relu(x));
    CASE("add", wk_add(x, y));
    CASE("mul", wk_mul(x, y));
    CASE("sub", wk_sub(x, y));
    CASE("transpose", wk_transpose(x, n[1], n[2]));
    CASE("select", wk_select(x, n[1], n[2]));
    CASE("narrow", wk_narrow(x, n[1], n[2], n[3]));
    CASE("reshape", wk_reshape_with(x, shape_at(n + 1)));
    CASE("view", wk_view_with(x, shape_at(n + 1)));
    CASE("unsqueeze", wk_unsqueeze(x, n[1]));
    CASE("expand", wk_expand_with(x, shape_at(n + 1), NULL));
    CASE("slice", wk_slice(x, n[1], n[2], INT64_MAX, n[3]));
    CASE("detach", wk_detach(x));
    CASE("sum", wk_sum(x, (n[1])));
    CASE("softmax", wk_softmax(x, n[1]));
    CASE("cat", wk_cat((x, y), n[2]));
    CASE("matmul", wk_matmul(x, y));
    CASE("where", wk_where(wk_gt(x, 0.1), x, y));
    CASE("clamp", wk_clamp(x, -0.7, 0.8));
    CASE("clamp_", wk_clamp_(x, -0.6, 0.9));
    CASE("masked_fill_", wk_masked_fill_(x, wk_gt(x, 0.2), 0.3));
    CASE("exp_", wk_exp_(wk_mul_(x, 0.2)));
    CASE("div_", wk_div_(x, wk_add(wk_mul(y, y), 1.5)));
    CASE("add_", wk_add_(x, y));
    CASE("mul_", wk_mul_(x, y));
    CASE("sub_", wk_sub_(x, y));
    CASE("copy_", wk_copy_(x, y));
    CASE("sin_", wk_sin_(x));
    CASE("tanh_", wk_tanh_(x));
    CASE("relu_", wk_relu_(x));
    CASE("zero_", wk_zero_(x));
    CASE("double_", wk_mul_(x, 2));
    CASE("fill_", wk_fill_(x, 0.5));
    else if (strcmp(op, "loss") == 0)
    {
        wk_tensor *loss = NULL;
        for (int i = 0; i < count; i++) {
            wk_tensor *part = wk_sum(wk_sin(m->x[n[i]]));
            loss = loss ? wk_add(loss, part) : part;
        }
        m->loss = wk_item(loss);
        wk_tensor *first[2], *squares = NULL;
        if (!wk_autograd_grad((loss), (m->x[0], m->x[1]), (&first[0], &first[1]), .create_graph = true,
                              .allow_unused = true))
            return false;
        for (int i = 0; i < 2; i++)
            if (first[i] && first[i]->requires_grad)
                squares =
                    squares ? wk_add(squares, wk_sum(wk_mul(first[i], first[i]))) : wk_sum(wk_mul(first[i], first[i]));
        if (squares && !wk_autograd_grad((squares), (m->x[0], m->x[1]), (&m->second[0], &m->second[1]),
                                         .retain_graph = true, .allow_unused = true))
            return false;
        return wk_backward(loss);
    }
    else fail_msg("no op %s", op);
    if (op[strlen(op) - 1] != '_')
        m->x[m->count++] = z;
    return z != NULL;
}

static bool same_gradient(const wk_tensor *x, const wk_tensor *grad, char *words, char *text, size_t size)
{
    char *word = words;
    if (strcmp(words, " none") == 0) {
        /* PyTorch leaves the grad out; zeros say the same */
        for (int64_t i = 0; grad && i < x->numel; i++)
            if (((double *)wk_data_ptr(grad))[i] != 0) {
                snprintf(text, size, "expected none");
                return false;
            }
        return true;
    }
    for (int64_t i = 0; i < x->numel; i++) {
        const double expected = strtod(word, &word), got = grad ? ((double *)wk_data_ptr(grad))[i] : NAN;
        if (!(fabs(got - expected) <= 1e-9 + 1e-9 * fabs(expected)) && !(isnan(got) && isnan(expected))) {
            snprintf(text, size, "element %lld: expected %.12g, got %.12g", (long long)i, expected, got);
            return false;
        }
    }
    return true;
}

/* the lines of one program, from its first; the line after its last is returned.  text: what went wrong, or "" */
static char *run_program(char *line, char *text, size_t size, int *answered)
{
    machine m = {.count = 0};
    bool fine = true;
    char last[128] = "";
    wk_error error;
    wk_try(&error)
    {
        while (*line) {
            char *next = strchr(line, '\n');
            *next = '\0';
            char op[16];
            int used = 0;
            sscanf(line, "%15s%n", op, &used);
            char *words = line + used;
            if (strcmp(op, "program") == 0 || strcmp(op, "end") == 0) {
                *next = '\n';
                break;
            }
            const bool refused = strcmp(op, "fails") == 0;
            if (text[0])
                ;
            else if (refused && fine && strncmp(last, "loss", 4) == 0)
                (*answered)++;
            else if (refused && fine)
                snprintf(text, size, "\"%s\": PyTorch refuses it", last);
            else if (!fine && !refused)
                snprintf(text, size, "\"%s\": %s", last, error.message);
            else if (strcmp(op, "leaf") == 0 || strcmp(op, "constant") == 0)
                m.x[m.count++] = read_tensor(words, op[0] == 'l');
            else if (strcmp(op, "value") == 0) {
                const double expected = strtod(words, NULL);
                if (!(fabs(m.loss - expected) <= 1e-9 + 1e-9 * fabs(expected)) && !(isnan(m.loss) && isnan(expected)))
                    snprintf(text, size, "loss: expected %.12g, got %.12g", expected, m.loss);
            } else if (strcmp(op, "gradient") == 0 || strcmp(op, "second") == 0) {
                const int which = (int)strtol(words, &words, 10);
                const wk_tensor *grad = op[0] == 's' ? wk_contiguous(m.second[which]) : m.x[which]->grad;
                char difference[160];
                if (!same_gradient(m.x[which], grad, words, difference, sizeof difference))
                    snprintf(text, size, "%s of %d: %s", op, which, difference);
            } else if (!refused)
                fine = run_line(&m, op, words);
            snprintf(last, sizeof last, "%s", line);
            *next = '\n';
            line = next + 1;
        }
    }
    return line;
}

static void test_programs(void **state)
{
    (void)state;
    FILE *file = fopen(WICK_GOLDEN "/programs.txt", "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    char *program = malloc(size + 1);
    assert_int_equal(fread(program, 1, size, file), size);
    program[size] = '\0';
    fclose(file);
    int failed = 0, count = 0, answered = 0;
    for (char *line = program; strncmp(line, "program", 7) == 0; count++) {
        char text[1400] = "";
        const wk_memory_stats before = wk_memory_get_stats();
        char *rest = NULL;
        wk_scope rest = run_program(strchr(line, '\n') + 1, text, sizeof text, &answered);
        if (!text[0] && wk_memory_get_stats().live_tensors != before.live_tensors)
            snprintf(text, sizeof text, "left over: %lld tensors",
                     (long long)(wk_memory_get_stats().live_tensors - before.live_tensors));
        if (text[0] && ++failed <= 10)
            fprintf(stderr, "  program %d: %s\n", atoi(line + 8), text);
        line = rest;
    }
    free(program);
    assert_int_equal(count, 600);
    assert_int_equal(failed, 0);
    assert_in_range(answered, 1, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
