/* Every test program draws the same numbers each time it runs.  The default generator starts from the system's
   randomness, as PyTorch's does; a test that fails one run in forty is nobody's friend. */
#include <wick.h>

__attribute__((constructor)) static void seed(void) { wk_manual_seed(0); }
