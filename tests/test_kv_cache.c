/* A decoder with a cache and rotary embeddings computes, one position at a time, what it computes of all at once. */
#include <string.h>

#include "answers.h"

enum { B = 2, H = 3, T = 6, D = 4 };

static void a_step_at_a_time(void **state)
{
    (void)state;
    for (int dtype = wk_float16; dtype <= wk_float64; dtype++)
        wk_no_grad wk_scope
    {
        wk_manual_seed(1);
        wk_tensor *q = wk_randn((B, H, T, D), .dtype = (wk_dtype)dtype);
        wk_tensor *k = wk_randn((B, H, T, D), .dtype = (wk_dtype)dtype);
        wk_tensor *v = wk_randn((B, H, T, D), .dtype = (wk_dtype)dtype);
        wk_tensor *freqs = wk_precompute_freqs_cis(D, T);
        wk_tensor *expected =
            wk_scaled_dot_product_attention(wk_apply_rotary_emb(q, freqs, .seq_dim = 2),
                                            wk_apply_rotary_emb(k, freqs, .seq_dim = 2), v, .is_causal = true);
        wk_module *cache = wk_kv_cache(B, H, T, D, .dtype = (wk_dtype)dtype);
        for (int64_t at = 0; at < T; at++) {
            wk_tensor *one = wk_apply_rotary_emb(wk_narrow(q, 2, at, 1), freqs, .offset = at, .seq_dim = 2);
            wk_tensor *keys = wk_apply_rotary_emb(wk_narrow(k, 2, at, 1), freqs, .offset = at, .seq_dim = 2);
            wk_tensor *values = wk_narrow(v, 2, at, 1);
            assert_true(wk_kv_cache_update(cache, &keys, &values));
            assert_int_equal(keys->shape[2], at + 1);
            const double near = dtype == wk_bfloat16 ? 2e-2 : dtype == wk_float16 ? 2e-3 : 1e-5;
            assert_true(wk_allclose(wk_scaled_dot_product_attention(one, keys, values), wk_narrow(expected, 2, at, 1),
                                    .rtol = near, .atol = near));
        }
        wk_module_free(cache);
    }
}

static void positions(void **state)
{
    (void)state;
    wk_scope
    {
        wk_module *cache = wk_kv_cache(2, 1, 4, 2, .value_dim = 3);
        wk_kv_cache *inside = (void *)cache;
        wk_tensor *k = wk_ones((2, 1, 3, 2)), *v = wk_ones((2, 1, 3, 3));
        assert_true(wk_kv_cache_update(cache, &k, &v));
        assert_int_equal(inside->filled, 3);
        wk_tensor *k2 = wk_full((1, 1, 1, 2), 5), *v2 = wk_full((1, 1, 1, 3), 6); // one sequence of the two, taken back
        assert_true(wk_kv_cache_update(cache, &k2, &v2, .position = 1));
        assert_int_equal(inside->filled, 2);
        assert_true(k2->shape[0] == 1 && k2->shape[2] == 2 && v2->shape[3] == 3);
        assert_true(wk_item(wk_sum(k2)) == 2 + 10 && wk_item(wk_sum(v2)) == 3 + 18);
        assert_ptr_equal(wk_data_ptr(k2), wk_data_ptr(inside->k_cache)); // a view

        const int64_t before = inside->filled;
        wk_tensor *many = wk_ones((2, 1, 3, 2)), *many_v = wk_ones((2, 1, 3, 3)), *wide = wk_ones((2, 1, 1, 3));
        wk_tensor *learns = wk_requires_grad_(wk_ones((2, 1, 1, 2)), true);
        assert_fails(wk_kv_cache_update(cache, &many, &many_v), "room for 4 positions, and 2 are filled; got 3 more");
        assert_fails(wk_kv_cache_update(cache, &many, &many_v, .position = 3), "expected 0 to 2");
        wk_module *other = wk_nn_identity();
        assert_fails(wk_kv_cache_update(other, &many, &many_v), "expected a wk_kv_cache, got a identity");
        wk_module_free(other);
        assert_fails(wk_kv_cache_update(cache, &wide, &wide), "k: expected up to 2 sequences (b, 1, n, 2)");
        assert_fails(wk_kv_cache_update(cache, &learns, &wide), "requires grad");
        assert_fails(wk_kv_cache_update(cache, &many, NULL), "v: expected the address");
        assert_int_equal(inside->filled, before);
        wk_dict *values = wk_module_state_dict(cache);
        assert_int_equal(wk_dict_count(values), 0);
        wk_dict_free(values);
        wk_module_free(cache);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_step_at_a_time), cmocka_unit_test(positions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
