/* A save is whole or not at all.  Every call in it that can fail does, one by one, by tests/injector.c: malloc, open,
   write, fsync, rename, close and what else; once alone, and once with all that follow.  The file is then the old one
   or the new one, byte for byte, and the answer says which; false comes with an error, true without; and the next save
   works.  Each turn is a child, which starts with the same memory. */
#include <dirent.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

static void (*arm)(long number, bool all);
static long (*disarm)(void);
static char folder[64], path[128];

typedef struct file_bytes {
    char bytes[1 << 16];
    size_t size;
} file_bytes;
static file_bytes old_file, new_file, now_file;

static void read_file(file_bytes *into)
{
    FILE *file = fopen(path, "rb");
    into->size = file ? fread(into->bytes, 1, sizeof into->bytes, file) : 0;
    if (file)
        fclose(file);
}

static bool same(const file_bytes *a, const file_bytes *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

static int files_in_folder(void)
{
    int count = 0;
    DIR *open = opendir(folder);
    for (struct dirent *entry; (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

/* ---------------------------------------------------------------- what is saved; turn: 0 the old, 1 the new */

static bool save_dict(int turn)
{
    wk_dict *dict = wk_dict_new();
    bool good = dict != NULL;
    wk_scope
    {
        char name[64];
        for (int i = 0; good && i < 12; i++) {
            snprintf(name, sizeof name, "layers.%d.\"weight\"", i);
            good = wk_dict_set(dict, name, wk_t(wk_full((i % 3 + 1, 5), turn + i)));
        }
        good = good && wk_dict_set_text(dict, "epoch", turn ? "7" : "6") && wk_safetensors_save_file(dict, path);
    }
    wk_dict_free(dict);
    return good;
}

static bool save_model(int turn)
{
    bool good = false;
    wk_scope
    {
        wk_manual_seed((uint64_t)turn);
        void *model = wk_nn_sequential(wk_nn_linear(4, 8), wk_nn_relu(), wk_nn_linear(8, 2));
        wk_dict *state = model ? wk_module_state_dict(model) : NULL;
        good = state && wk_safetensors_save_file(state, path);
        wk_dict_free(state);
        wk_module_free(model);
    }
    return good;
}

static bool save_optimizer(int turn)
{
    bool good = false;
    wk_scope
    {
        wk_manual_seed((uint64_t)turn);
        void *model = wk_nn_linear(4, 3);
        wk_optimizer *adam = model ? wk_optim_adam(wk_module_parameters(model), .lr = 0.5) : NULL;
        wk_tensor *loss = adam ? wk_sum(wk_forward(model, wk_randn((2, 4)))) : NULL;
        wk_dict *state = NULL;
        if (loss && (wk_backward(loss), wk_optim_step(adam)))
            state = wk_optim_state_dict(adam);
        good = state && wk_safetensors_save_file(state, path);
        wk_dict_free(state);
        wk_optim_free(adam);
        wk_module_free(model);
    }
    return good;
}

static bool save_numpy(int turn)
{
    bool good = false;
    wk_scope
    good = wk_numpy_save(path, wk_t(wk_full((3, 5), turn)));
    return good;
}

static bool save_png(int turn)
{
    bool good = false;
    wk_scope
    good = wk_vision_write_png(wk_full((3, 9, 7), turn, .dtype = wk_uint8), path);
    return good;
}

#ifdef WICK_HAVE_AUDIO
static bool save_audio(int turn)
{
    bool good = false;
    wk_scope
    good = wk_audio_save(path, wk_full((2, 300), turn * 0.5), 8000);
    return good;
}
#endif

/* ---------------------------------------------------------------- one turn in a child */

enum { FINE = 0, PAST_THE_END = 3, WRONG = 4 };

static int turn_in_child(bool (*save)(int turn), long number, bool all)
{
    wk_error error;
    bool good = false;
    wk_memory_empty_cache(); // what malloc is asked for, not the cache
    arm(number, all);
    wk_try(&error) good = save(1);
    const long calls = disarm();
    read_file(&now_file);
    const bool old = same(&now_file, &old_file), fresh = same(&now_file, &new_file);
    if (good ? !fresh : !old) {
        fprintf(stderr, "call %ld: said %s, and the file is %s\n", number, good ? "true" : "false",
                old     ? "the old one"
                : fresh ? "the new one"
                        : "damaged");
        return WRONG;
    }
    if (good == error.set) {
        fprintf(stderr, "call %ld: %s, and error \"%s\"\n", number, good ? "true" : "false",
                error.set ? error.message : "none");
        return WRONG;
    }
    wk_try(&error) good = save(1);
    read_file(&now_file);
    if (!good || !same(&now_file, &new_file) || files_in_folder() != 1) {
        fprintf(stderr, "call %ld: the next save failed, or %d files are left: %s\n", number, files_in_folder(),
                error.message);
        return WRONG;
    }
    return calls < number ? PAST_THE_END : FINE;
}

static void walk(bool (*save)(int turn), bool all)
{
    assert_true(save(1));
    read_file(&new_file);
    assert_true(save(0));
    read_file(&old_file);
    assert_false(same(&new_file, &old_file));
    long number = 1;
    for (int status = 0; status != PAST_THE_END; number++) {
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            alarm(60);
            _exit(turn_in_child(save, number, all));
        }
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        status = WIFEXITED(result) ? WEXITSTATUS(result) : WRONG;
        if (status == WRONG)
            fail_msg("call %ld of the save: status %d", number, result);
        assert_true(save(0)); // the old one again
    }
    print_message("  %ld calls failed, %s\n", number - 2, all ? "with all that follow" : "each alone");
    assert_true(number > 15);
}

#define WALK(name)                                                                                                     \
    static void test_##name(void **state)                                                                              \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        walk(save_##name, false);                                                                                      \
        walk(save_##name, true);                                                                                       \
    }
WALK(dict)
WALK(model)
WALK(optimizer)
WALK(numpy)
WALK(png)
#ifdef WICK_HAVE_AUDIO
WALK(audio)
#endif

int main(int count, char **arguments)
{
    (void)count;
#ifdef WICK_SANITIZED
    fprintf(stderr, "test_saves: SKIPPED: a sanitizer has malloc for itself\n");
    return 77;
#endif
    if (!getenv("LD_PRELOAD")) {
        setenv("LD_PRELOAD", WICK_INJECTOR, 1);
        execv("/proc/self/exe", arguments);
    }
    *(void **)&arm = dlsym(RTLD_DEFAULT, "injector_arm");
    *(void **)&disarm = dlsym(RTLD_DEFAULT, "injector_disarm");
    if (!arm || !disarm) {
        fprintf(stderr, "test_saves: the injector is not loaded\n");
        return 1;
    }
    strcpy(folder, "/tmp/wick_test_saves_XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/file.wav", folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dict),  cmocka_unit_test(test_model), cmocka_unit_test(test_optimizer),
        cmocka_unit_test(test_numpy), cmocka_unit_test(test_png),
#ifdef WICK_HAVE_AUDIO
        cmocka_unit_test(test_audio),
#endif
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    return failed;
}
