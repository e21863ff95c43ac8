/* Devices: those of this build, by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

const wk_backend *wk_backends[WK_DEVICE_TYPES] = {[WK_CPU] = &wk_cpu_backend};

/* "cuda" is a device's name also where none is in this build */
static const char *name_of(wk_device_type type)
{
    return wk_backends[type] ? wk_backends[type]->name : type == WK_CUDA ? "cuda" : NULL;
}

wk_device wk_device_from_name(const char *name)
{
    for (int type = WK_CPU; name && type < WK_DEVICE_TYPES; type++) {
        const char *known = name_of(type);
        const size_t length = known ? strlen(known) : 0;
        if (!known || strncmp(name, known, length) != 0)
            continue;
        if (name[length] == '\0')
            return (wk_device){type, 0};
        char *end;
        const long index = name[length] == ':' ? strtol(name + length + 1, &end, 10) : -1;
        if (index >= 0 && index < 1024 && end != name + length + 1 && *end == '\0')
            return (wk_device){type, (int)index};
    }
    wk_fail("device", "name: expected \"cpu\", \"cuda\" or \"cuda:1\", got \"%s\"", name ? name : "(null)");
    return wk_cpu;
}

const char *wk_device_name(wk_device device)
{
    static _Thread_local char text[32];
    const char *name = device.type > 0 && device.type < WK_DEVICE_TYPES ? name_of(device.type) : NULL;
    if (device.type == WK_CPU && device.index == 0)
        return "cpu";
    snprintf(text, sizeof text, "%.20s:%d", name ? name : "unknown", device.index);
    return text;
}

bool wk_device_equal(wk_device a, wk_device b) { return a.type == b.type && a.index == b.index; }

bool wk_check_device(const char *op, wk_device device)
{
    if (device.type == WK_CPU && device.index == 0)
        return true;
    const wk_backend *backend =
        device.type > 0 && device.type < WK_DEVICE_TYPES ? wk_backends[device.type] : NULL;
    if (!backend)
        return wk_fail(op, "device: %s is not in this build\nhint: use wk_cpu", wk_device_name(device));
    const int count = backend->count();
    if (device.index < 0 || device.index >= count)
        return wk_fail(op, "device: %s is not there; there %s %d of them", wk_device_name(device),
                       count == 1 ? "is" : "are", count);
    return true;
}

bool wk_cuda_is_available(void) { return wk_backends[WK_CUDA] && wk_backends[WK_CUDA]->count() > 0; }
bool wk_synchronize(wk_device device) { return wk_check_device("synchronize", device) && wk_wait(device); }
