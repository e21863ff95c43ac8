/* LAPACK's functions by name.  It stays loaded to the program's end. */
#include "lapack.h"

#ifdef WICK_HAVE_LAPACK
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *library;
static char failure[512];

/* the name that programs link by first: the file that the build found is there for those who build */
static void load(void)
{
    library = dlopen("liblapack.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        library = dlopen(WICK_LAPACK_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        snprintf(failure, sizeof failure, "%s", dlerror());
}

bool wk_lapack_load(const char **reason)
{
    pthread_once(&once, load);
    *reason = failure;
    return library != NULL;
}

void *wk_lapack(const char *name) { return dlsym(library, name); }
#endif
