/* Tests of what ends the program: a function runs in a child process, whose stderr is kept. */
#ifndef WICK_TESTS_CHILD_H
#define WICK_TESTS_CHILD_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Sanitizers have no children of several threads that start threads: their allocators' locks may stay taken, and the
   thread sanitizer ends them. */
#ifdef WICK_SANITIZED
#define SKIP_FORK_OF_THREADS skip()
#else
#define SKIP_FORK_OF_THREADS
#endif

static char output[1 << 16]; // what the last child wrote to stderr

static void read_output(int from)
{
    size_t used = 0;
    ssize_t got;
    while (used < sizeof output - 1 && (got = read(from, output + used, sizeof output - 1 - used)) > 0)
        used += (size_t)got;
    output[used] = '\0';
    close(from);
}

/* Runs function in a child and returns its exit status, -1 where a signal ended it. */
static inline int run(void (*function)(void))
{
    int ends[2], status = 0;
    fflush(NULL);
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        for (int i = 1; i < NSIG; i++) // cmocka's would go on with the next test
            signal(i, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        function();
        _exit(42); // it came back
    }
    close(ends[1]);
    read_output(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

__attribute__((unused)) static void assert_shows(const char *part)
{
    if (!strstr(output, part))
        fail_msg("expected to see:\n%s\nin:\n%s", part, output);
}

#endif
