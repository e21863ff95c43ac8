/* What an op of autocast's lists says at its top, once its operands are in variables:
       WK_AUTOCAST(LOW, &x, &weight, &bias);
   Inside a wk_autocast block it casts them in place (NULL where that fails), and the ops that this one calls do not
   cast again. */
#ifndef WICK_OPS_AUTOCAST_H
#define WICK_OPS_AUTOCAST_H

#include <wick/amp.h>

#include "core/tensor.h"

typedef enum wk_autocast_policy { WK_AUTOCAST_LOW, WK_AUTOCAST_FLOAT32 } wk_autocast_policy;

extern _Thread_local unsigned wk_autocast_types; // a bit for each device type that ops cast on now

#define WK_AUTOCAST(policy, ...)                                                                                       \
    __attribute__((cleanup(wk_autocast_leave), unused)) const unsigned wk_autocast_before =                            \
        wk_autocast_enter(WK_AUTOCAST_##policy, WK_COUNT(wk_tensor **, __VA_ARGS__), (wk_tensor **[]){__VA_ARGS__})
void wk_autocast_operands(wk_autocast_policy policy, int count, wk_tensor **const *operands);
static inline unsigned wk_autocast_enter(wk_autocast_policy policy, int count, wk_tensor **const *operands)
{
    const unsigned before = wk_autocast_types;
    if (__builtin_expect(before != 0, 0))
        wk_autocast_operands(policy, count, operands);
    return before;
}
static inline void wk_autocast_leave(const unsigned *before) { wk_autocast_types = *before; }

/* the settings of this thread, to have them again later */
typedef struct wk_autocast_settings {
    struct {
        wk_dtype dtype; // 0: the type's own
        bool enabled;
    } types[WK_DEVICE_TYPES];
    bool cache_enabled;
} wk_autocast_settings;
wk_autocast_settings wk_autocast_get(void);
/* opens a block with these settings; wk_autocast_end ends it, with those of before */
void wk_autocast_begin(const wk_autocast_settings *settings);
void wk_autocast_end(const wk_autocast_settings *before);

#endif
