/* CUDA and its like by PyTorch's names, where there is none: what PyTorch does there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <wick.h>

#include "fails.h"

#define NONE "cuda:0 is not in this build"

static void answers_without_cuda(void **state)
{
    (void)state;
    assert_false(wk_cuda_is_available() || wk_backends_mps_is_available() || wk_xpu_is_available());
    assert_int_equal(wk_cuda_device_count(), 0);
    assert_int_equal(wk_cuda_max_memory_allocated(), 0);
    assert_int_equal(wk_cuda_max_memory_reserved(), 0);
    assert_false(wk_compiler_is_compiling());
    assert_true(wk_compiler_disable(wk_relu) == wk_relu);
    wk_manual_seed(3); // what has no effect takes nothing from the CPU's generator
    wk_cuda_manual_seed(1);
    wk_cuda_manual_seed_all(1);
    wk_cuda_empty_cache();
    wk_backends_cudnn_benchmark(true);
    wk_backends_cudnn_deterministic(true);
    wk_backends_cudnn_allow_tf32(false);
    wk_backends_cuda_matmul_allow_tf32(false);
    assert_int_equal(wk_initial_seed(), 3);
    assert_true(wk_cuda_set_device(-1));
    assert_true(wk_set_float32_matmul_precision("highest"));
    assert_true(wk_set_float32_matmul_precision("high"));
    assert_true(wk_set_float32_matmul_precision("medium"));
}

static void errors_without_cuda(void **state)
{
    (void)state;
    assert_fails(wk_cuda_current_device() + 1, "cuda_current_device: device: " NONE);
    assert_fails(wk_cuda_set_device(0), "cuda_set_device: device: " NONE);
    assert_fails(wk_cuda_set_device(1), "cuda:1 is not in this build");
    assert_fails(wk_cuda_synchronize(), "cuda_synchronize: device: " NONE);
    assert_fails(wk_cuda_reset_peak_memory_stats(), NONE);
    assert_fails(wk_cuda_get_device_properties(0).name[0], NONE);
    assert_fails(wk_cuda_event(), "cuda_event: device: " NONE);
    assert_fails(wk_cuda_event(.enable_timing = true), NONE);
    assert_fails(wk_cuda_event_record(NULL), NONE);
    assert_fails(!isnan(wk_cuda_event_elapsed_time(NULL, NULL)), NONE);
    assert_fails(wk_cuda_set_sync_debug_mode("warn"), NONE);
    assert_fails(wk_set_float32_matmul_precision("low"), "expected \"highest\", \"high\" or \"medium\", got \"low\"");
    assert_fails(wk_set_float32_matmul_precision(NULL), "got \"(null)\"");
    wk_scope
    {
        assert_fails(wk_pin_memory(wk_ones((2))), "pin_memory: device: " NONE);
        assert_fails(wk_pin_memory(NULL), "pin_memory: x");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_without_cuda), cmocka_unit_test(errors_without_cuda)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
