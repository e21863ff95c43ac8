/* LAPACK, loaded at its first use: as a library that is linked, it and the BLAS and the Fortran that it
   brings took 0.6 ms of every program's start. */
#ifndef WICK_KERNELS_LIBRARIES_LAPACK_H
#define WICK_KERNELS_LIBRARIES_LAPACK_H

#include <stdbool.h>

/* false where it is not to be found; the reason is dlerror's, or the linker's */
bool wk_lapack_load(const char **reason);

/* a function of the library, which is loaded */
void *wk_lapack(const char *name);

#endif
