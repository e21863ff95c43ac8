/* What a kernel finds wrong with values: on the CPU an error right after the op; on a device whose kernels run later
   (the mirror) one at the next wait, whoever waits.  Either way the op is named, nothing outside its tensors is
   touched, and what comes after is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wick.h>

#include "mirror.h"

#define ROOM 7 // elements around a tensor, which nobody may write
#define MARK 77.0f

typedef struct call {
    wk_device device;
    int64_t bad; // the index, class or divisor that is wrong
    wk_tensor *guarded;
} call;

/* (4, 3) in the middle of a larger tensor of MARK */
static wk_tensor *x_of(call *c)
{
    c->guarded = wk_full((12 + 2 * ROOM), MARK, .device = c->device);
    wk_tensor *x = wk_view(wk_narrow(c->guarded, 0, ROOM, 12), (4, 3));
    return wk_copy_(x, wk_view(wk_to(wk_arange(12.0), c->device), (4, 3)));
}

static wk_tensor *on(const call *c, wk_tensor *x) { return wk_to(x, c->device); }
/* {0, bad}, as one dim and as rows for gather */
static wk_tensor *indices(const call *c) { return on(c, wk_tensor((2), ((int64_t[]){0, c->bad}))); }
static wk_tensor *matrix(const call *c) { return on(c, wk_tensor((2, 3), ((int64_t[]){0, 1, 2, 3, c->bad, 0}))); }
static wk_tensor *two_rows(const call *c) { return wk_ones((2, 3), .device = c->device); }
static wk_tensor *logits(const call *c) { return wk_zeros((2, 3), .device = c->device); }
static wk_tensor *put(call *c, bool accumulate)
{
    wk_tensor *x = x_of(c);
    return wk_index_put_(x, ("%p", indices(c)), two_rows(c), .accumulate = accumulate);
}

/* CALL(name, expression of call *c, the op of the message): indices of dim 0 of (4, 3) */
#define INDEXED(CALL)                                                                                                  \
    CALL(index_select, wk_index_select(x_of(c), 0, indices(c)), "index_select")                                        \
    CALL(embedding, wk_embedding(indices(c), x_of(c)), "embedding")                                                    \
    CALL(gather, wk_gather(x_of(c), 0, matrix(c)), "gather")                                                           \
    CALL(index, wk_index(x_of(c), "%p", indices(c)), "index")                                                          \
    CALL(index_of_two, wk_index(x_of(c), "%p, %p", indices(c), wk_zeros_like(indices(c))), "index")                    \
    CALL(index_add, wk_index_add(x_of(c), 0, indices(c), two_rows(c)), "index_add")                                    \
    CALL(index_add_, wk_index_add_(x_of(c), 0, indices(c), two_rows(c)), "index_add_")                                 \
    CALL(index_copy, wk_index_copy(x_of(c), 0, indices(c), two_rows(c)), "index_copy")                                 \
    CALL(index_copy_, wk_index_copy_(x_of(c), 0, indices(c), two_rows(c)), "index_copy_")                              \
    CALL(index_fill, wk_index_fill(x_of(c), 0, indices(c), 5), "index_fill")                                           \
    CALL(index_fill_, wk_index_fill_(x_of(c), 0, indices(c), 5), "index_fill_")                                        \
    CALL(index_put_, put(c, false), "index_put_")                                                                      \
    CALL(index_put_added, put(c, true), "index_put_")                                                                  \
    CALL(scatter, wk_scatter(x_of(c), 0, matrix(c), two_rows(c)), "scatter")                                           \
    CALL(scatter_, wk_scatter_(x_of(c), 0, matrix(c), two_rows(c)), "scatter_")                                        \
    CALL(scatter_of_number, wk_scatter(x_of(c), 0, matrix(c), 5), "scatter")                                           \
    CALL(scatter_add, wk_scatter_add(x_of(c), 0, matrix(c), two_rows(c)), "scatter_add")                               \
    CALL(scatter_add_, wk_scatter_add_(x_of(c), 0, matrix(c), two_rows(c)), "scatter_add_")
/* classes of 3 */
#define CLASSES(CALL)                                                                                                  \
    CALL(cross_entropy, wk_cross_entropy(logits(c), indices(c)), "cross_entropy")                                      \
    CALL(cross_entropy_each, wk_cross_entropy(logits(c), indices(c), .reduction = "none"), "cross_entropy")            \
    CALL(cross_entropy_smoothed, wk_cross_entropy(logits(c), indices(c), .label_smoothing = 0.1), "cross_entropy")     \
    CALL(cross_entropy_weighted, wk_cross_entropy(logits(c), indices(c), wk_ones((3), .device = c->device)),           \
         "cross_entropy")                                                                                              \
    CALL(nll_loss, wk_nll_loss(logits(c), indices(c)), "nll_loss")                                                     \
    CALL(nll_loss_weighted, wk_nll_loss(logits(c), indices(c), wk_ones((3), .device = c->device)), "nll_loss")         \
    CALL(one_hot, wk_one_hot(indices(c), 3), "one_hot")

#define FUNCTION(name, expression, op)                                                                                 \
    static wk_tensor *call_##name(call *c) { return expression; }
INDEXED(FUNCTION)
CLASSES(FUNCTION)

typedef struct entry {
    const char *name, *op;
    wk_tensor *(*function)(call *c);
    bool classes;
} entry;
#define INDEX_ENTRY(name_, expression, op_) {#name_, op_, call_##name_, false},
#define CLASS_ENTRY(name_, expression, op_) {#name_, op_, call_##name_, true},
static const entry ENTRIES[] = {INDEXED(INDEX_ENTRY) CLASSES(CLASS_ENTRY)};
#define COUNT (sizeof ENTRIES / sizeof *ENTRIES)

static const int64_t BAD[] = {4, -5, 1 << 20, INT64_MAX, INT64_MIN};

/* op first, then the value */
static void check_message(const entry *e, const wk_error *error, int64_t bad)
{
    char start[64], value[32];
    snprintf(start, sizeof start, "%s: ", e->op);
    snprintf(value, sizeof value, "%lld", (long long)bad);
    if (!error->set || strncmp(error->message, start, strlen(start)) != 0 || !strstr(error->message, value))
        fail_msg("%s of %lld: expected an error of %s, got \"%s\"", e->name, (long long)bad, e->op, error->message);
}

static void check_room(const entry *e, const call *c)
{
    if (!c->guarded)
        return;
    float values[12 + 2 * ROOM];
    assert_true(wk_tolist(c->guarded, values));
    for (int i = 0; i < ROOM; i++)
        if (values[i] != MARK || values[12 + ROOM + i] != MARK)
            fail_msg("%s of %lld: memory around x was written", e->name, (long long)c->bad);
}

static void at_once_on_the_cpu(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < sizeof BAD / sizeof *BAD; k++)
            wk_scope
    {
        call c = {.device = wk_cpu, .bad = BAD[k]};
        wk_error error;
        wk_tensor *y = NULL;
        wk_try(&error) y = ENTRIES[i].function(&c);
        check_message(&ENTRIES[i], &error, c.bad);
        assert_null(y);
        check_room(&ENTRIES[i], &c);
    }
}

/* the ways of waiting */
static void by_synchronize(wk_tensor *x)
{
    (void)x;
    assert_false(wk_synchronize(mirror));
}
static void by_item(wk_tensor *x) { wk_item(x); }
static void by_equal(wk_tensor *x) { assert_false(wk_equal(x, x)); }
static void by_text(wk_tensor *x) { free(wk_to_string(x)); }
static void by_transfer(wk_tensor *x) { assert_null(wk_to(x, wk_cpu)); }
static void (*const WAYS[])(wk_tensor *x) = {by_synchronize, by_item, by_equal, by_text, by_transfer};
#define WAY_COUNT (sizeof WAYS / sizeof *WAYS)

static void at_the_next_wait_on_the_mirror(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < sizeof BAD / sizeof *BAD; k++)
            wk_scope
    {
        call c = {.device = mirror, .bad = BAD[k]};
        wk_tensor *other = wk_ones((1), .device = mirror), *y = NULL;
        wk_error error;
        mirror_pause(true);
        wk_try(&error) y = ENTRIES[i].function(&c);
        if (error.set || !y)
            fail_msg("%s of %lld: not later: \"%s\"", ENTRIES[i].name, (long long)BAD[k], error.message);
        mirror_pause(false);
        wk_try(&error) WAYS[(i + k) % WAY_COUNT](other);
        check_message(&ENTRIES[i], &error, c.bad);
        check_room(&ENTRIES[i], &c);
        assert_true(wk_item(wk_add(other, 1)) == 2); // and goes on
    }
}

/* the last that an op is asked, far behind */
static void among_many(void **state)
{
    (void)state;
    enum { MANY = 100000 };
    const wk_device devices[] = {wk_cpu, mirror};
    for (int d = 0; d < 2; d++)
        wk_scope
    {
        const wk_device device = devices[d];
        wk_tensor *x = wk_zeros((10, 2), .device = device), *index = wk_randint(0, 10, (MANY));
        wk_index_put_(index, ("%ld", (long)MANY - 1), 10);
        index = wk_to(index, device);
        wk_tensor *tall = wk_expand(wk_unsqueeze(index, 1), (MANY, 2));
        const entry faulty[] = {{"index_select", "index_select", NULL, false},
                                {"index_add", "index_add", NULL, false},
                                {"gather", "gather", NULL, false},
                                {"scatter_add", "scatter_add", NULL, false},
                                {"one_hot", "one_hot", NULL, true},
                                {"cross_entropy", "cross_entropy", NULL, true}};
        for (int i = 0; i < 6; i++) {
            wk_error error;
            wk_try(&error)
            {
                if (i == 0)
                    wk_index_select(x, 0, index);
                else if (i == 1)
                    wk_index_add(x, 0, index, wk_ones((MANY, 2), .device = device));
                else if (i == 2)
                    wk_gather(x, 0, tall);
                else if (i == 3)
                    wk_scatter_add(x, 0, tall, wk_ones((MANY, 2), .device = device));
                else if (i == 4)
                    wk_one_hot(index, 10);
                else
                    wk_cross_entropy(wk_zeros((MANY, 10), .device = device), index);
                wk_synchronize(device);
            }
            check_message(&faulty[i], &error, 10);
        }
    }
}

static void the_first_of_two_is_told(void **state)
{
    (void)state;
    wk_scope
    {
        call first = {.device = mirror, .bad = 11}, second = {.device = mirror, .bad = 22};
        wk_error error;
        wk_try(&error)
        {
            assert_non_null(call_index_select(&first));
            assert_non_null(call_gather(&second));
            assert_false(wk_synchronize(mirror));
        }
        check_message(&ENTRIES[0], &error, 11);
        assert_true(wk_synchronize(mirror)); // the second was the first's
        wk_try(&error)
        {
            call_gather(&second);
            assert_false(wk_synchronize(mirror));
        }
        check_message(&ENTRIES[2], &error, 22); // and is told when it is alone
    }
}

/* values that are wrong without being indices; what looks at them may wait */
static void other_values(void **state)
{
    (void)state;
    const wk_device devices[] = {wk_cpu, mirror};
    for (int d = 0; d < 2; d++)
        wk_scope
    {
        const wk_device device = devices[d];
        wk_tensor *six = wk_full((3), 6, .device = device);
        wk_tensor *divisor = wk_to(wk_tensor((3), ((int64_t[]){2, 0, 3})), device);
        wk_tensor *negative = wk_to(wk_tensor((3), ((int64_t[]){1, -2, 1})), device);
        wk_tensor *chances = wk_to(wk_tensor((3), ((float[]){0.5f, 1.5f, 0})), device);
        wk_tensor *weights = wk_to(wk_tensor((3), ((float[]){1, -1, 1})), device);
        const char *const words[] = {"floor_divide: b: integer division by zero",
                                     "remainder: b: integer division by zero",
                                     "fmod: b: integer division by zero",
                                     "div: b: integer division by zero",
                                     "repeat_interleave: repeats: ",
                                     "bernoulli: p: expected probabilities in [0, 1], got 1.5",
                                     "multinomial: weights: expected finite numbers, 0 or more, got -1",
                                     "one_hot: x: "};
        for (int i = 0; i < 8; i++) {
            wk_error error;
            wk_try(&error)
            {
                switch (i) {
                case 0:
                    wk_floor_divide(six, divisor);
                    break;
                case 1:
                    wk_remainder(six, divisor);
                    break;
                case 2:
                    wk_fmod(six, divisor);
                    break;
                case 3:
                    wk_div(six, divisor, .rounding_mode = "trunc");
                    break;
                case 4:
                    wk_repeat_interleave(six, negative, 0);
                    break;
                case 5:
                    wk_bernoulli(chances);
                    break;
                case 6:
                    wk_multinomial(weights, 2);
                    break;
                default:
                    wk_one_hot(negative);
                    break;
                }
                wk_synchronize(device);
            }
            if (!error.set || strncmp(error.message, words[i], strlen(words[i])) != 0)
                fail_msg("on %s: expected \"%s\", got \"%s\"", wk_device_name(device), words[i], error.message);
        }
        assert_true(wk_item(wk_sum(six)) == 18);
    }
}

/* a class that is ignored is no fault, whatever it is */
static void ignored_classes(void **state)
{
    (void)state;
    const wk_device devices[] = {wk_cpu, mirror};
    const int64_t ignored[] = {-100, 3, INT64_MAX};
    for (int d = 0; d < 2; d++)
        for (int i = 0; i < 3; i++)
            wk_scope
    {
        call c = {.device = devices[d], .bad = ignored[i]};
        wk_tensor *loss = wk_cross_entropy(logits(&c), indices(&c), .ignore_index = ignored[i]);
        assert_true(wk_item(wk_nll_loss(logits(&c), indices(&c), .ignore_index = ignored[i])) == 0);
        assert_float_equal(wk_item(loss), 1.0986123, 1e-5); // log 3, of the first row alone
    }
}

int main(void)
{
    setenv("WICK_TRACEBACK", "off", 0);
    mirror_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_once_on_the_cpu), cmocka_unit_test(at_the_next_wait_on_the_mirror),
        cmocka_unit_test(among_many),         cmocka_unit_test(the_first_of_two_is_told),
        cmocka_unit_test(other_values),       cmocka_unit_test(ignored_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
