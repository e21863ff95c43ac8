/* Speech to learn from: espeak-ng, a program that speaks, is run once for each line, into a file that wick reads. */
#ifndef KATAS_SPEECH_H
#define KATAS_SPEECH_H

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kata.h"

typedef struct speech_voice {
    const char *name;     // "en-us+f2": an accent and a speaker of `espeak-ng --voices=en` and `--voices=variant`
    int64_t pitch, speed; // 0 to 99; words a minute
} speech_voice;

static inline void speech_stop(const char *path, const char *what)
{
    unlink(path);
    fflush(stdout);
    fprintf(stderr, "espeak-ng: %s\nhint: sudo apt-get install espeak-ng libsndfile1-dev, then build again\n", what);
    exit(1);
}

/* text, as `voice` says it, (1, T) at `rate` samples a second */
static inline wk_tensor *speech_say(const char *text, speech_voice voice, int64_t rate)
{
    extern char **environ;
    char path[] = "/tmp/wick_speech_XXXXXX", pitch[24], speed[24];
    const int file = mkstemp(path);
    if (file < 0)
        speech_stop(path, "no file can be made in /tmp");
    close(file);
    snprintf(pitch, sizeof pitch, "%lld", (long long)voice.pitch);
    snprintf(speed, sizeof speed, "%lld", (long long)voice.speed);
    char *const arguments[] = {"espeak-ng", "-z", "-v", (char *)voice.name, "-p", pitch, "-s",
                               speed,       "-w", path, (char *)text,       NULL};
    pid_t child;
    int status = 1;
    if (posix_spawnp(&child, "espeak-ng", NULL, NULL, arguments, environ) != 0)
        speech_stop(path, "cannot be run");
    if (waitpid(child, &status, 0) != child || status != 0)
        speech_stop(path, "failed");
    int64_t spoken_at = 0;
    wk_error wrong;
    wk_tensor *x = NULL;
    wk_try(&wrong) x = wk_audio_load(path, &spoken_at); // (1, T) at 22,050 samples a second
    if (!x)
        speech_stop(path, wrong.message);
    unlink(path);
    return wk_audio_functional_resample(x, spoken_at, rate); // (1, T')
}

#endif
