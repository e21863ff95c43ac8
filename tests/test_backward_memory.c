/* What a backward takes beside parameters and their grads: the gradients on the way, each let go as soon as its leaf
   has it.  A program of its own, since the peak is the process's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>

#include "check.h"

enum { LEAVES = 64 };

/* Grads are there after the first round.  Parameters and grads are 2 of the 2.5 times; a second set of gradients would
   be a third. */
TEST(accumulating_takes_no_second_set_of_gradients)
{
    const char *wanted = getenv("WICK_TEST_LEAF_KIB"); // 4096: 256 MiB of parameters
    const int64_t n = (wanted ? atoll(wanted) : 64) * 256;
    wk_tensor *leaves[LEAVES], *x = wk_ones((1));
    for (int i = 0; i < LEAVES; i++)
        leaves[i] = wk_ones((n), .requires_grad = true);
    for (int round = 0; round < 3; round++)
        wk_scope
        {
            wk_tensor *loss = wk_zeros(());
            for (int i = 0; i < LEAVES; i++)
                wk_scope loss = wk_keep(wk_add(loss, wk_sum(wk_mul(leaves[i], x))));
            assert_true(wk_backward(loss));
        }
    for (int i = 0; i < LEAVES; i++)
        assert_close(wk_item(wk_select(leaves[i]->grad, 0, n - 1)), 3);
    const double parameters = LEAVES * (double)n * sizeof(float);
    const double peak = (double)wk_memory_get_stats().peak_bytes;
    if (peak > 2.5 * parameters)
        fail_msg("%.1f MiB of parameters took %.1f MiB, %.2f times", parameters / 0x1p20, peak / 0x1p20,
                 peak / parameters);
    if (wanted)
        print_message("%.1f MiB of parameters: %.1f MiB\n", parameters / 0x1p20, peak / 0x1p20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {UNIT(accumulating_takes_no_second_set_of_gradients)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
