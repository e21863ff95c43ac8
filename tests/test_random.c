/* Random numbers against PyTorch's, bit for bit: tests/golden/random_draws.inc holds the hash of every draw that
   tests/golden/random_draws.py made; here they are made again, in its order, without a new seed in between. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <string.h>

#include <wick.h>

#include "kernels/cpu/parallel.h"

typedef struct golden_row {
    const char *what;
    wk_dtype dtype;
    int64_t n;
    double a, b;
    uint64_t hash; // of a row "seed": the seed
} golden_row;

#define DRAW(what, dtype, n, a, b, hash) {what, wk_##dtype, n, a, b, UINT64_C(hash)},
static const golden_row ROWS[] = {
#include "golden/random_draws.inc"
};

/* FNV-1a, 64 bits, of x's elements row by row */
static uint64_t hash_of(wk_tensor *x)
{
    const wk_tensor *dense = wk_contiguous(x);
    const unsigned char *bytes = wk_data_ptr(dense);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int64_t i = 0; i < wk_numel(dense) * wk_element_size(dense); i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static wk_tensor *draw_init(const char *what, wk_tensor *x, double a, double b)
{
    if (strcmp(what, "xavier_uniform_") == 0)
        return wk_nn_init_xavier_uniform_(x, .gain = a);
    if (strcmp(what, "xavier_normal_") == 0)
        return wk_nn_init_xavier_normal_(x, .gain = a);
    if (strcmp(what, "kaiming_uniform_") == 0)
        return wk_nn_init_kaiming_uniform_(x, .a = a);
    if (strcmp(what, "kaiming_normal_") == 0)
        return wk_nn_init_kaiming_normal_(x, .mode = "fan_out", .nonlinearity = "relu");
    return wk_nn_init_trunc_normal_(x, .mean = 0.5, .std = a, .a = b, .b = 3);
}

static wk_tensor *ramp(int64_t n) // 0, 1/n, 2/n, ...
{
    return wk_div(wk_to(wk_arange(n), wk_float64), (double)n);
}

static wk_tensor *draw(const golden_row *row)
{
    const int64_t n = row->n;
    const wk_dtype dtype = row->dtype;
    const double a = row->a, b = row->b;
#define IS(name) (strcmp(row->what, name) == 0)
    if (IS("rand"))
        return wk_rand((n), .dtype = dtype);
    if (IS("randn"))
        return wk_randn((n), .dtype = dtype);
    if (IS("randn_like"))
        return wk_randn_like(wk_transpose(wk_empty((n, 3), .dtype = dtype), 0, 1));
    if (IS("randint"))
        return wk_randint((int64_t)a, (int64_t)b, (n), .dtype = dtype);
    if (IS("randperm"))
        return wk_randperm(n, .dtype = dtype);
    if (IS("normal"))
        return wk_normal(a, b, (n), .dtype = dtype);
    if (IS("uniform_"))
        return wk_uniform_(wk_empty((n), .dtype = dtype), a, b);
    if (IS("normal_"))
        return wk_normal_(wk_empty((n), .dtype = dtype), a, b);
    if (IS("normal_ strided")) // every other column of (n, 4)
        return wk_normal_(wk_select(wk_reshape(wk_empty((n, 4), .dtype = dtype), (n, 2, 2)), 2, 0), a, b);
    if (IS("uniform_ permuted"))
        return wk_uniform_(wk_permute(wk_empty((2, n, 3), .dtype = dtype), (2, 0, 1)), a, b);
    if (IS("random_"))
        return wk_random_(wk_empty((n), .dtype = dtype));
    if (IS("bernoulli"))
        return wk_bernoulli(wk_to(ramp(n), dtype));
    if (IS("bernoulli_"))
        return wk_bernoulli_(wk_empty((n), .dtype = dtype), a);
    if (IS("bernoulli_ tensor"))
        return wk_bernoulli_(wk_empty((n, 3), .dtype = dtype), wk_tensor((3), ((float[]){0.25f, 0.5f, 0.75f})));
    if (IS("exponential_"))
        return wk_exponential_(wk_empty((n), .dtype = dtype), a);
    if (IS("multinomial"))
        return wk_multinomial(wk_expand(wk_to(wk_arange(10), dtype), (3, 10)), n, .replacement = b != 0);
    if (IS("state"))
        return wk_get_rng_state();
    if (strncmp(row->what, "init.", 5) == 0)
        return draw_init(row->what + 5, wk_empty((n, 7, 3), .dtype = dtype), a, b);
#undef IS
    fail_msg("no such draw: %s", row->what);
    return NULL;
}

static int differing_rows(void)
{
    int differing = 0;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        const golden_row *row = &ROWS[i];
        if (strcmp(row->what, "seed") == 0) {
            wk_manual_seed(row->hash);
            assert_int_equal(wk_initial_seed(), row->hash);
            continue;
        }
        wk_scope
        {
            wk_tensor *y = draw(row);
            assert_non_null(y);
            if (hash_of(y) != row->hash) {
                print_error("%s %s n %lld (%g, %g) differs from PyTorch\n", row->what, wk_dtype_name(row->dtype),
                            (long long)row->n, row->a, row->b);
                differing++;
            }
        }
    }
    return differing;
}

static void equals_pytorch(void **state)
{
    (void)state;
    assert_int_equal(differing_rows(), 0);
}

static void same_on_any_number_of_threads(void **state)
{
    (void)state;
    const int threads = wk_get_num_threads();
    uint64_t hashes[3];
    for (int i = 0; i < 3; i++)
        wk_scope
    {
        wk_set_num_threads(i + 1);
        wk_manual_seed(3);
        hashes[i] = hash_of(wk_randn((300007)));
    }
    wk_set_num_threads(threads);
    assert_true(hashes[0] == hashes[1] && hashes[1] == hashes[2]);
}

static void generators_are_streams_of_their_own(void **state)
{
    (void)state;
    wk_scope
    {
        wk_generator *generator = wk_generator_new();
        assert_int_equal(wk_generator_initial_seed(generator), 67280421310721);
        wk_generator_manual_seed(generator, 7);
        wk_manual_seed(7);
        const uint64_t expected = hash_of(wk_randn((5)));
        wk_manual_seed(8);
        wk_tensor *before = wk_get_rng_state();
        assert_true(hash_of(wk_randn((5), .generator = generator)) == expected);
        assert_true(hash_of(wk_get_rng_state()) == hash_of(before));

        /* a state also keeps the half of a pair that waits: 5 normals are two pairs and a half */
        wk_tensor *saved = wk_generator_get_state(generator);
        const uint64_t next = hash_of(wk_randn((3), .generator = generator));
        assert_true(wk_generator_set_state(generator, saved));
        assert_true(hash_of(wk_randn((3), .generator = generator)) == next);
        wk_generator_free(generator);
    }
}

static void *draw_many(void *generator)
{
    wk_scope
    {
        for (int i = 0; i < 50; i++)
            wk_rand((1000), .generator = generator);
    }
    return NULL;
}

/* Two threads take all their words from one generator: none is lost, none is given twice. */
static void threads_share_a_generator(void **state)
{
    (void)state;
    wk_generator *generator = wk_generator_manual_seed(wk_generator_new(), 1);
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw_many, generator), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    wk_scope
    {
        const uint64_t after = hash_of(wk_rand((5), .generator = generator));
        wk_generator_manual_seed(generator, 1);
        wk_rand((100000), .generator = generator);
        assert_true(hash_of(wk_rand((5), .generator = generator)) == after);
    }
    wk_generator_free(generator);
}

/* noise is real: the same draws as for real numbers, as in PyTorch */
static void complex_numbers_drop_as_real_ones(void **state)
{
    (void)state;
    wk_scope
    {
        wk_manual_seed(3);
        wk_tensor *real = wk_dropout(wk_ones((20)), 0.5);
        wk_manual_seed(3);
        wk_tensor *complex = wk_dropout(wk_ones((20), .dtype = wk_complex64), 0.5);
        assert_true(wk_equal(complex, wk_to(real, wk_complex64)));
    }
}

/* torch.manual_seed(1); torch.zeros(3, dtype=torch.complex64).normal_(3, 2): both parts have the mean */
static void complex_normals_have_a_complex_mean(void **state)
{
    (void)state;
    static const float expected[6] = {3.9352932f, 3.37748766f, 3.08722472f, 3.87867546f, 2.36090851f, 2.76505637f};
    wk_scope
    {
        wk_manual_seed(1);
        wk_tensor *x = wk_normal_(wk_empty((3), .dtype = wk_complex64), 3, 2);
        wk_manual_seed(1);
        assert_true(wk_equal(x, wk_normal(3, 2, (3), .dtype = wk_complex64)));
        for (int i = 0; i < 6; i++)
            assert_true(fabsf(((const float *)wk_data_ptr(x))[i] - expected[i]) < 1e-5f);
    }
}

static void orthogonal_rows(void **state)
{
    (void)state;
    wk_scope
    {
        wk_manual_seed(0);
        wk_tensor *x = wk_nn_init_orthogonal_(wk_empty((2, 3)), .gain = 2);
        /* torch.manual_seed(0); torch.nn.init.orthogonal_(torch.empty(2, 3), 2) */
        const double expected[6] = {1.14796185, -0.21858922, -1.62308431, -0.69083023, -1.86176538, -0.23787108};
        double values[6];
        assert_true(wk_tolist(x, values));
        for (int i = 0; i < 6; i++)
            assert_true(fabs(values[i] - expected[i]) < 1e-5);

        double columns[5][4]; // more rows than columns: the columns are orthonormal
        assert_true(wk_tolist(wk_nn_init_orthogonal_(wk_empty((5, 2, 2))), &columns[0][0]));
        for (int a = 0; a < 4; a++)
            for (int b = 0; b < 4; b++) {
                double product = 0;
                for (int row = 0; row < 5; row++)
                    product += columns[row][a] * columns[row][b];
                assert_true(fabs(product - (a == b)) < 1e-6);
            }
    }
}

static void parameters_are_filled_outside_gradients(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *weight = wk_rand((3, 4), .requires_grad = true);
        wk_error error;
        wk_try(&error) assert_null(wk_normal_(weight));
        assert_true(error.set);
        assert_ptr_equal(wk_nn_init_kaiming_uniform_(weight, .a = sqrt(5.0)), weight);
        assert_ptr_equal(wk_nn_init_ones_(weight), weight);
        assert_true(weight->requires_grad && wk_is_leaf(weight));
        assert_true(wk_item(wk_sum(weight)) == 12);
        assert_true(wk_is_grad_enabled());
    }
}

/* every one an error that tells what was wrong, and no number drawn */
/* both ways of drawing reach close to both bounds, and never beyond */
static void truncated_normals_stay_within(void **state)
{
    (void)state;
    static const double bounds[][4] = {{0, 1, -0.5, 0.75}, {0.5, 2, -1, 4}, {0, 1, 2, 3}, {0, 1, -3, -2}};
    wk_manual_seed(3);
    for (int i = 0; i < 4; i++)
        for (int dtype = wk_float16; dtype <= wk_float64; dtype++)
            wk_scope
        {
            const double *c = bounds[i], near = (c[3] - c[2]) / 20;
            wk_tensor *x = wk_nn_init_trunc_normal_(wk_empty((4000), .dtype = (wk_dtype)dtype), .mean = c[0],
                                                    .std = c[1], .a = c[2], .b = c[3]);
            const double least = wk_item(wk_min(x)), greatest = wk_item(wk_max(x));
            assert_true(least >= c[2] && least < c[2] + near);
            assert_true(greatest <= c[3] && greatest > c[3] - near);
        }
}

static void wrong_arguments(void **state)
{
    (void)state;
    wk_scope
    {
        wk_tensor *x = wk_zeros((2, 3)), *whole = wk_zeros((2), .dtype = wk_int64);
        wk_manual_seed(0);
        const uint64_t before = hash_of(wk_get_rng_state());
        int errors = 0, wrong = 0;
#define WRONG(call)                                                                                                    \
    do {                                                                                                               \
        wk_error error;                                                                                                \
        wk_try(&error) assert_null(call);                                                                              \
        errors += error.set;                                                                                           \
        wrong++;                                                                                                       \
    } while (0)
        WRONG(wk_rand((2), .dtype = wk_int64));
        WRONG(wk_randn((2), .dtype = wk_bool));
        WRONG(wk_rand((-1)));
        WRONG(wk_randint(5, 5, (2)));
        WRONG(wk_randint(0, 257, (2), .dtype = wk_uint8));
        WRONG(wk_randint(0, 2, (2), .dtype = wk_complex64));
        WRONG(wk_randperm(-1));
        WRONG(wk_randperm(257, .dtype = wk_uint8));
        WRONG(wk_randperm(3, .dtype = wk_bool));
        WRONG(wk_normal(0, -1, (2)));
        WRONG(wk_uniform_(x, 2, 1));
        WRONG(wk_uniform_(x, 0, INFINITY));
        WRONG(wk_uniform_(x, NAN, 1));
        WRONG(wk_uniform_(whole));
        WRONG(wk_normal_(x, 0, -1));
        WRONG(wk_normal_(whole));
        WRONG(wk_bernoulli(whole));
        WRONG(wk_bernoulli(wk_full((2), 1.5)));
        WRONG(wk_bernoulli(wk_full((2), NAN)));
        WRONG(wk_bernoulli_(x, -0.1));
        WRONG(wk_bernoulli_(x, wk_full((4), 0.5)));
        WRONG(wk_random_(x, 3, 3));
        WRONG(wk_exponential_(x, 0));
        WRONG(wk_uniform_(wk_expand(wk_zeros((2, 1)), (2, 3))));
        WRONG(wk_multinomial(x, 1));
        WRONG(wk_multinomial(wk_ones((2)), 3));
        WRONG(wk_multinomial(wk_ones((2)), 0));
        WRONG(wk_multinomial(wk_ones((2, 2, 2)), 1));
        WRONG(wk_multinomial(wk_full((2), -1.0), 1));
        WRONG(wk_multinomial(whole, 1));
        WRONG(wk_nn_init_xavier_uniform_(wk_zeros((3))));
        WRONG(wk_nn_init_kaiming_normal_(x, .mode = "fan_up"));
        WRONG(wk_nn_init_kaiming_normal_(x, .nonlinearity = "wave"));
        WRONG(wk_nn_init_orthogonal_(wk_zeros((3))));
        WRONG(wk_nn_init_trunc_normal_(x, .a = 2, .b = 1));
        WRONG(wk_rand_like(NULL));
#undef WRONG
        assert_int_equal(errors, wrong);
        assert_true(hash_of(wk_get_rng_state()) == before);

        wk_error error;
        wk_try(&error) assert_false(wk_set_rng_state(wk_zeros((5056), .dtype = wk_uint8)));
        assert_true(error.set);
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    wk_error error = {.set = true};
    int failures = 0;
    for (int64_t nth = 0; error.set; nth++) {
        const int64_t blocks = wk_memory_get_stats().live_blocks;
        wk_memory_fail_after(nth);
        wk_try(&error) wk_scope
        {
            wk_generator *generator = wk_generator_new();
            wk_tensor *x = wk_transpose(wk_randn((3, 4)), 0, 1);
            x = wk_uniform_(wk_randn_like(x));
            x = wk_bernoulli_(wk_rand((2, 3)), wk_bernoulli(wk_rand((3))));
            wk_multinomial(wk_rand((2, 3)), 2, .generator = generator);
            wk_nn_init_trunc_normal_(x);
            wk_nn_init_orthogonal_(x);
            wk_nn_init_eye_(x);
            wk_set_rng_state(wk_get_rng_state());
            wk_generator_free(generator);
        }
        wk_memory_fail_after(-1);
        failures += error.set;
        assert_int_equal(wk_memory_get_stats().live_blocks, blocks);
    }
    assert_true(failures > 10);
}

/* torch.manual_seed(5); then torch.normal of these */
static void normals_of_tensors(void **state)
{
    (void)state;
    static const float expected[11] = {-0.24339038f, 0.69808924f, 1.72095191f, 1.33504856f, 0.60516977f, 5.88556671f,
                                       -2.80340409f, -0.5251143f, 3.26242685f, 1.05043244f, 0.38441312f};
    wk_scope
    {
        wk_manual_seed(5);
        wk_tensor *mean = wk_arange((3), .dtype = wk_float32), *std = wk_tensor((2, 1), ((float[]){0.5f, 2}));
        wk_tensor *both = wk_normal(mean, std), *of_mean = wk_normal(mean, 2), *of_std = wk_normal(1.5, std);
        assert_true(both->ndim == 2 && both->shape[0] == 2 && both->shape[1] == 3);
        wk_tensor *flat = wk_flatten_dense_tensors((both, of_mean, of_std));
        for (int i = 0; i < 11; i++)
            assert_true(fabsf(((const float *)wk_data_ptr(flat))[i] - expected[i]) < 1e-5f);
        assert_false(wk_normal(wk_zeros((2), .requires_grad = true), 1)->requires_grad);
        wk_error error;
        wk_try(&error) assert_null(wk_normal(mean, 1, (3)));
        assert_non_null(strstr(error.message, "normal: size: is that of mean and std where they are tensors"));
        wk_try(&error) assert_null(wk_normal(mean, -1));
        assert_non_null(strstr(error.message, "std: expected 0 or more, got -1"));
        wk_try(&error) assert_null(wk_normal(mean, wk_ones((2))));
        assert_non_null(strstr(error.message, "normal: "));
    }
}

/* seeds of the operating system: each another one, and what is drawn is what that seed draws */
static void seeds_from_the_system(void **state)
{
    (void)state;
    wk_scope
    {
        const uint64_t first = wk_seed();
        assert_int_equal(wk_initial_seed(), first);
        wk_tensor *x = wk_rand((3));
        wk_manual_seed(first);
        assert_true(wk_equal(x, wk_rand((3))));
        wk_generator *generator = wk_generator_new();
        const uint64_t second = wk_generator_seed(generator);
        assert_int_equal(wk_generator_initial_seed(generator), second);
        assert_true(first != second);
        x = wk_rand((3), .generator = generator);
        wk_generator_manual_seed(generator, second);
        assert_true(wk_equal(x, wk_rand((3), .generator = generator)));
        wk_generator_free(generator);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_pytorch),
        cmocka_unit_test(same_on_any_number_of_threads),
        cmocka_unit_test(generators_are_streams_of_their_own),
        cmocka_unit_test(threads_share_a_generator),
        cmocka_unit_test(complex_numbers_drop_as_real_ones),
        cmocka_unit_test(complex_normals_have_a_complex_mean),
        cmocka_unit_test(normals_of_tensors),
        cmocka_unit_test(orthogonal_rows),
        cmocka_unit_test(parameters_are_filled_outside_gradients),
        cmocka_unit_test(truncated_normals_stay_within),
        cmocka_unit_test(wrong_arguments),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(seeds_from_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
