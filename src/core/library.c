#include "core/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include <wick/error.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static bool load(const char *op, wk_library *library)
{
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        wk_fail(op, "%s cannot be loaded: %s\nhint: apt-get install %s", library->file, dlerror(), library->package);
        return false;
    }
    for (int i = 0; i < WK_LIBRARY_FUNCTIONS && library->functions[i].name; i++) {
        void *function = dlsym(handle, library->functions[i].name);
        if (!function) {
            wk_fail(op, "%s has no %s: it is of another version than the one that wick was built with", library->file,
                    library->functions[i].name);
            dlclose(handle);
            return false;
        }
        memcpy(library->functions[i].place, &function, sizeof function);
    }
    return true;
}

bool wk_library_load(const char *op, wk_library *library)
{
    if (__atomic_load_n(&library->loaded, __ATOMIC_ACQUIRE))
        return true;
    pthread_mutex_lock(&mutex);
    const bool loaded = library->loaded || load(op, library);
    __atomic_store_n(&library->loaded, loaded, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&mutex);
    return loaded;
}

void wk_library_missing(const char *op, const char *what, const char *package)
{
    wk_fail(op, "this wick was built without %s\nhint: apt-get install %s, then build wick again", what, package);
}
