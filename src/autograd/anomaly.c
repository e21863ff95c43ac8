/* wk_detect_anomaly: its mode, and where an op was recorded.  What is looked at, and how: ops/anomaly.c. */
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/traceback.h"
#include "node.h"

_Thread_local wk_anomaly_mode wk_anomaly;

bool wk_is_anomaly_enabled(void) { return wk_anomaly.on; }
void wk_set_detect_anomaly(bool mode)
{
    wk_anomaly.on = mode;
    wk_anomaly_forget();
}

wk_grad_guard wk_anomaly_mode_open(void)
{
    const wk_grad_guard guard = {.before = wk_anomaly.on, .open = true};
    wk_anomaly.on = true;
    return guard;
}

void wk_anomaly_mode_close(wk_grad_guard *guard) { wk_set_detect_anomaly(guard->before); }

char *wk_anomaly_place(const char *name)
{
    enum { ROOM = 2048 };
    char traceback[ROOM - 512], module[256];
    wk_traceback_write(traceback, sizeof traceback, false);
    const char *frames = strchr(traceback, '\n'); // after "Traceback (most recent call last):"
    wk_error_module_path(module, sizeof module);
    char *text = wk_alloc(ROOM);
    if (!text)
        return wk_out_of_memory(name, ROOM);
    snprintf(text, ROOM, "The forward call that recorded %s:\n%s%s%s%s", name, frames ? frames + 1 : "",
             module[0] ? "  in module " : "", module, module[0] ? "\n" : "");
    return text;
}
