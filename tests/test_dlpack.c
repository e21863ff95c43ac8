/* DLPack: memory that other libraries take, and theirs that tensors take.  Python's own: exchange.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <wick.h>

#include "fails.h"

_Static_assert(sizeof(void *) != 8 || (sizeof(wk_dl_tensor) == 64 && offsetof(wk_dl_tensor, ndim) == 16 &&
                                       offsetof(wk_dl_tensor, code) == 20 && offsetof(wk_dl_tensor, shape) == 24 &&
                                       offsetof(wk_dl_tensor, deleter) == 56),
               "the standard's layout");

static void there_and_back(void **state)
{
    (void)state;
    static const wk_dtype dtypes[] = {wk_bool,    wk_uint8,    wk_int8,    wk_int16,   wk_int32,     wk_int64,
                                      wk_float16, wk_bfloat16, wk_float32, wk_float64, wk_complex64, wk_complex128};
    const int64_t before = wk_memory_get_stats().live_blocks;
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        wk_scope
    {
        wk_tensor *x = wk_to(wk_arange(24), dtypes[i]);
        wk_tensor *part = wk_index(wk_transpose(wk_reshape(x, (2, 3, 4)), 0, 2), "1:, :, 1"); // strided, offset
        wk_tensor *again = wk_from_dlpack(wk_to_dlpack(part));
        assert_int_equal(again->dtype, dtypes[i]);
        assert_true(wk_equal(again, part));
        assert_ptr_equal(wk_data_ptr(again), wk_data_ptr(part));
        wk_zero_(again);
        assert_true(wk_equal(part, again));
        wk_tensor *none = wk_from_dlpack(wk_to_dlpack(wk_empty((0, 3), .dtype = dtypes[i])));
        assert_true(none->ndim == 2 && none->shape[0] == 0 && none->shape[1] == 3);
        assert_int_equal(wk_from_dlpack(wk_to_dlpack(wk_zeros((), .dtype = dtypes[i])))->ndim, 0);
    }
    wk_dl_tensor *out = NULL;
    wk_scope
    {
        out = wk_to_dlpack(wk_full((2), 7.0));
    }
    assert_true(((float *)out->data)[1] == 7); // outlives its scope
    out->deleter(out);
    assert_int_equal(wk_memory_get_stats().live_blocks, before);
}

static int deleted;
static void count(wk_dl_tensor *self)
{
    assert_non_null(self);
    deleted++;
}

static void of_others(void **state)
{
    (void)state;
    float numbers[] = {0, 1, 2, 3, 4, 5, 6};
    int64_t shape[] = {2, 3}, strides[] = {1, 2};
    const wk_dl_tensor fine = {.data = numbers,
                               .device_type = 1,
                               .ndim = 2,
                               .code = 2,
                               .bits = 32,
                               .lanes = 1,
                               .shape = shape,
                               .byte_offset = 4,
                               .deleter = count};
    wk_dl_tensor taken = fine;
    wk_scope
    {
        wk_tensor *x = wk_from_dlpack(&taken);
        assert_true(wk_equal(x, wk_reshape(wk_arange(1., 7.), (2, 3))));
        wk_tensor *part = wk_retain(wk_select(x, 0, 1));
        wk_release(part);
    }
    assert_int_equal(deleted, 1);
    taken.strides = strides;
    taken.deleter = NULL;
    wk_scope
    {
        assert_true(wk_equal(wk_from_dlpack(&taken), wk_t(wk_reshape(wk_arange(1., 7.), (3, 2)))));
    }
    deleted = 0;
#define WRONG(words, ...)                                                                                              \
    do {                                                                                                               \
        wk_dl_tensor wrong = fine;                                                                                     \
        __VA_ARGS__;                                                                                                   \
        wk_scope                                                                                                       \
        {                                                                                                              \
            assert_fails(wk_from_dlpack(&wrong), words);                                                               \
        }                                                                                                              \
        assert_true(wrong.deleter == count);                                                                           \
    } while (0)
    WRONG("device type 1, the CPU, got 2", wrong.device_type = 2);
    WRONG("code 1 of 32 bits in 1 lanes", wrong.code = 1);
    WRONG("in 4 lanes", wrong.lanes = 4);
    WRONG("0 to 8 dims and their sizes, got 9", wrong.ndim = 9);
    WRONG("got -1", wrong.ndim = -1);
    WRONG("dims and their sizes, got 2", wrong.shape = NULL);
    WRONG("expected data, got NULL", wrong.data = NULL);
    WRONG("at a multiple of their size", wrong.byte_offset = 2);
    WRONG("got 2 and -2 in dim 0", wrong.strides = ((int64_t[]){-2, 1}));
    WRONG("got -2 and 1 in dim 0", wrong.shape = ((int64_t[]){-2, 1}));
    WRONG("farther than memory", wrong.strides = ((int64_t[]){INT64_MAX, INT64_MAX}), wrong.shape = (int64_t[]){3, 3});
    WRONG("more than memory", wrong.strides = ((int64_t[]){0, 0}), wrong.shape = ((int64_t[]){INT64_MAX, 3}));
    wk_memory_fail_after(0);
    WRONG("memory", (void)0);
    wk_memory_fail_after(-1);
    assert_int_equal(deleted, 0);
    assert_fails(wk_from_dlpack(NULL), "taken");
    wk_scope
    {
        assert_fails(wk_to_dlpack(wk_ones((2), .requires_grad = true)), "hint: wk_detach(x)");
        assert_fails(wk_to_dlpack(NULL), "to_dlpack: x");
    }
}

int main(void)
{
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(of_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
