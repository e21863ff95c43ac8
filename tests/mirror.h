/* A second device that needs no hardware, to hold the library to what a device may do.

   Its memory is closed to the host (mprotect) but while its own thread works; that thread empties its queue, in order,
   a short while later; its kernels are the CPU's baseline.  So a host access that skips wk_host is a crash, and a
   missing wait a wrong number. */
#ifndef WICK_TESTS_MIRROR_H
#define WICK_TESTS_MIRROR_H

#include <wick.h>

#define mirror ((wk_device){WK_PRIVATE, 0})

void mirror_start(void); // from here on the device is there: wk_device("mirror")
void mirror_pause(bool paused); // while it is paused it does nothing; a wait goes on for ever
int64_t mirror_kernels_run(void);

#endif
