/* CUDA by PyTorch's names, of a build without it: each does what PyTorch's does there, or asks for the device and fails
   with the error that says that there is none. */
#include <wick/device.h>

#include <math.h>
#include <string.h>

#include "error_internal.h"
#include "host.h"

static _Thread_local int current;

static bool at_hand(const char *op, int device) { return wk_check_device(op, (wk_device){WK_CUDA, device}); }

int wk_cuda_device_count(void) { return wk_cuda_is_available() ? wk_backends[WK_CUDA]->count() : 0; }

int wk_cuda_current_device(void) { return at_hand("cuda_current_device", current) ? current : -1; }

bool wk_cuda_set_device(int device)
{
    if (device < 0)
        return true;
    if (!at_hand("cuda_set_device", device))
        return false;
    current = device;
    return true;
}

bool wk_cuda_synchronize(void)
{
    WK_NAMES_ERRORS("cuda_synchronize");
    return wk_synchronize((wk_device){WK_CUDA, current});
}

void wk_cuda_empty_cache(void)
{
    if (wk_cuda_is_available())
        wk_memory_empty_cache();
}

int64_t wk_cuda_max_memory_allocated(void) { return 0; }
int64_t wk_cuda_max_memory_reserved(void) { return 0; }
bool wk_cuda_reset_peak_memory_stats(void) { return at_hand("cuda_reset_peak_memory_stats", current); }

wk_cuda_device_properties wk_cuda_get_device_properties(int device)
{
    at_hand("cuda_get_device_properties", device);
    return (wk_cuda_device_properties){.name = ""};
}

void wk_cuda_manual_seed(uint64_t seed) { (void)seed; }
void wk_cuda_manual_seed_all(uint64_t seed) { (void)seed; }

wk_cuda_event *wk_cuda_event_with(wk_cuda_event_args args)
{
    (void)args;
    at_hand("cuda_event", current);
    return NULL;
}

bool wk_cuda_event_record(wk_cuda_event *event)
{
    (void)event;
    return at_hand("cuda_event_record", current);
}

double wk_cuda_event_elapsed_time(wk_cuda_event *start, wk_cuda_event *end)
{
    (void)start, (void)end;
    at_hand("cuda_event_elapsed_time", current);
    return NAN;
}

wk_tensor *wk_pin_memory(wk_tensor *x)
{
    WK_REQUIRE("pin_memory", x);
    return at_hand("pin_memory", current) ? x : NULL;
}

bool wk_cuda_set_sync_debug_mode(const char *mode)
{
    (void)mode;
    return at_hand("cuda_set_sync_debug_mode", current);
}

bool wk_set_float32_matmul_precision(const char *precision)
{
    static const char *const known[] = {"highest", "high", "medium"};
    for (int i = 0; precision && i < 3; i++)
        if (strcmp(precision, known[i]) == 0)
            return true;
    return wk_fail("set_float32_matmul_precision",
                   "precision: expected \"highest\", \"high\" or \"medium\", got \"%s\"",
                   precision ? precision : "(null)");
}

void wk_backends_cudnn_benchmark(bool enabled) { (void)enabled; }
void wk_backends_cudnn_deterministic(bool enabled) { (void)enabled; }
void wk_backends_cudnn_allow_tf32(bool enabled) { (void)enabled; }
void wk_backends_cuda_matmul_allow_tf32(bool enabled) { (void)enabled; }

bool wk_backends_mps_is_available(void) { return false; }
bool wk_xpu_is_available(void) { return false; }
bool wk_compiler_is_compiling(void) { return false; }
