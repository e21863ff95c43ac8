/* Devices by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor.h"

wk_device wk_device_from_name(const char *name)
{
    static const struct {
        const char *name;
        wk_device_type type;
    } KNOWN[] = {{"cpu", WK_CPU}, {"cuda", WK_CUDA}};
    for (size_t i = 0; name && i < sizeof KNOWN / sizeof *KNOWN; i++) {
        const size_t length = strlen(KNOWN[i].name);
        if (strncmp(name, KNOWN[i].name, length) != 0)
            continue;
        if (name[length] == '\0')
            return (wk_device){KNOWN[i].type, 0};
        char *end;
        const long index = name[length] == ':' ? strtol(name + length + 1, &end, 10) : -1;
        if (index >= 0 && index < 1024 && end != name + length + 1 && *end == '\0')
            return (wk_device){KNOWN[i].type, (int)index};
    }
    wk_fail("device", "name: expected \"cpu\", \"cuda\" or \"cuda:1\", got \"%s\"", name ? name : "(null)");
    return wk_cpu;
}

const char *wk_device_name(wk_device device)
{
    static _Thread_local char text[24];
    if (device.type == WK_CUDA) {
        snprintf(text, sizeof text, "cuda:%d", device.index);
        return text;
    }
    return "cpu";
}

bool wk_device_equal(wk_device a, wk_device b) { return a.type == b.type && a.index == b.index; }

bool wk_cuda_is_available(void) { return false; }
