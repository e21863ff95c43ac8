/* Copies between layouts: every element arrives, and nothing beside them is touched, whatever the sizes are to the
   tiles that copies are made in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <wick.h>

#define ROOM 200 // elements before and after, which nobody may write

static void check_copy(int64_t rows, int64_t columns, wk_dtype dtype)
{
    const int64_t numel = rows * columns;
    wk_tensor *from = wk_to(wk_remainder(wk_reshape(wk_arange(numel), (columns, rows)), 101), dtype);
    wk_tensor *all = wk_full((numel + 2 * ROOM), 7, .dtype = dtype);
    wk_tensor *middle = wk_view(wk_narrow(all, 0, ROOM, numel), (rows, columns));
    wk_copy_(middle, wk_transpose(from, 0, 1));
    assert_true(wk_equal(middle, wk_transpose(from, 0, 1)));
    for (int64_t i = 0; i < columns && numel > 0; i += 5) // read one by one
        assert_true(wk_item(wk_index(middle, "-1, %lld", (long long)i)) ==
                    wk_item(wk_index(from, "%lld, -1", (long long)i)));
    assert_true(wk_item(wk_all(wk_eq(wk_narrow(all, 0, 0, ROOM), 7))) == 1);
    assert_true(wk_item(wk_all(wk_eq(wk_narrow(all, 0, ROOM + numel, ROOM), 7))) == 1);
}

static void transposed(void **state)
{
    (void)state;
    static const wk_dtype dtypes[] = {wk_uint8, wk_int16, wk_bfloat16, wk_float32, wk_int64, wk_float64};
    static const int64_t sizes[] = {1, 4, 8, 15, 16, 17, 32, 64, 65, 128};
    for (int d = 0; d < 6; d++)
        for (int i = 0; i < 10; i++)
            for (int j = 0; j < 10; j++)
                wk_scope check_copy(sizes[i], sizes[j], dtypes[d]);
}

/* each element so many times, from rows, columns and every other of a row; threads begin in the midst of one */
static void repeated(void **state)
{
    (void)state;
    static const wk_dtype dtypes[] = {wk_uint8, wk_bfloat16, wk_float32, wk_int64, wk_complex128};
    static const int64_t times[] = {1, 2, 3, 4, 5, 16, 64, 65};
    for (int d = 0; d < 5; d++)
        for (int t = 0; t < 8; t++)
            wk_scope
            {
                wk_tensor *x = wk_to(wk_remainder(wk_reshape(wk_arange(70 * 90), (70, 90)), 101), dtypes[d]);
                wk_tensor *some[] = {x, wk_transpose(x, 0, 1), wk_index(x, ":, ::2"), wk_index(x, ":7, :1")};
                for (int i = 0; i < 4; i++) {
                    wk_tensor *y = wk_contiguous(wk_expand(wk_unsqueeze(some[i], 2), (-1, -1, times[t])));
                    for (int64_t k = 0; k < times[t]; k++)
                        assert_true(wk_equal(wk_select(y, 2, k), some[i]));
                }
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(transposed), cmocka_unit_test(repeated)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
