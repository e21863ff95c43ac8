/* Loaded before libc by LD_PRELOAD (tests/test_saves.c): makes the Nth call fail of what a save asks the system for,
   whoever calls, the library, libc or another library.  Outside the library, so that nothing can be forgotten inside.

   Calls of the thread that armed it are counted, alone. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static _Thread_local long calls, failing_call; // 0: not armed
static _Thread_local bool all_after;

/* from the next call on, the one of this number fails; all: those after it, too */
void injector_arm(long number, bool all)
{
    calls = 0;
    failing_call = number;
    all_after = all;
}

/* how many calls there were */
long injector_disarm(void)
{
    failing_call = 0;
    return calls;
}

static bool fails(int error)
{
    if (failing_call == 0)
        return false;
    calls++;
    if (calls != failing_call && !(all_after && calls > failing_call))
        return false;
    errno = error;
    return true;
}

void *malloc(size_t bytes) { return fails(ENOMEM) ? NULL : __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { return fails(ENOMEM) ? NULL : __libc_calloc(count, bytes); }
void *realloc(void *block, size_t bytes) { return fails(ENOMEM) ? NULL : __libc_realloc(block, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { return fails(ENOMEM) ? NULL : __libc_memalign(alignment, bytes); }
int posix_memalign(void **block, size_t alignment, size_t bytes)
{
    const int before = errno;
    if (!fails(ENOMEM))
        *block = __libc_memalign(alignment, bytes);
    else
        *block = NULL;
    errno = before;
    return *block ? 0 : ENOMEM;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
    va_end(arguments);
    return fails(EMFILE) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* half of the bytes, then none: the disk is full */
ssize_t write(int descriptor, const void *bytes, size_t count)
{
    static _Thread_local bool half;
    if (half || fails(ENOSPC)) {
        half = !half && count > 1;
        if (!half) {
            errno = ENOSPC;
            return -1;
        }
        count /= 2;
    }
    return syscall(SYS_write, descriptor, bytes, count);
}

int close(int descriptor)
{
    const bool failed = fails(EIO); // and is closed all the same, as Linux does
    const int result = (int)syscall(SYS_close, descriptor);
    if (failed)
        errno = EIO;
    return failed ? -1 : result;
}

int fsync(int descriptor) { return fails(EIO) ? -1 : (int)syscall(SYS_fsync, descriptor); }
int rename(const char *from, const char *to) { return fails(EXDEV) ? -1 : (int)syscall(SYS_rename, from, to); }
int flock(int descriptor, int how) { return fails(ENOLCK) ? -1 : (int)syscall(SYS_flock, descriptor, how); }
int unlink(const char *path) { return fails(EACCES) ? -1 : (int)syscall(SYS_unlink, path); }
int fchmod(int descriptor, mode_t mode) { return fails(EPERM) ? -1 : (int)syscall(SYS_fchmod, descriptor, mode); }
