/* kill -9 in the middle of saves: whenever it comes, and with two processes that save to one path at once, the file is
   a whole one; and what the killed ones left does not pile up. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#define ROUNDS 60
#define SIZE 30000
static char folder[64], path[128];

static bool save(double value)
{
    bool good = false;
    wk_dict *dict = wk_dict_new();
    wk_scope
    {
        good = wk_dict_set(dict, "x", wk_full((SIZE), value)) && wk_dict_set_number(dict, "value", value) &&
               wk_safetensors_save_file(dict, path);
    }
    wk_dict_free(dict);
    return good;
}

static pid_t start_saving(int first)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        for (int value = first;; value += 2)
            if (!save(value))
                _exit(1);
    }
    return child;
}

static void end(pid_t child)
{
    int status;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL); // it had saved without an error until then
}

/* files beside the one that is saved */
static int left_over(void)
{
    int count = -1;
    DIR *open = opendir(folder);
    for (struct dirent *entry; (entry = readdir(open));)
        count += entry->d_name[0] != '.';
    closedir(open);
    return count;
}

static void assert_whole(void)
{
    wk_dict *dict = wk_safetensors_load_file(path);
    const float *x = wk_data_ptr(wk_dict_get(dict, "x"));
    for (int i = 0; i < SIZE; i++)
        assert_true(x[i] == (float)wk_dict_number(dict, "value", -1));
    wk_dict_free(dict);
}

static void kill_rounds(int writers)
{
    unsigned random = 12345;
    int most = 0, killed_while_writing = 0;
    assert_true(save(0));
    for (int round = 0; round < ROUNDS; round++) {
        pid_t children[2];
        for (int i = 0; i < writers; i++)
            children[i] = start_saving(i);
        random = random * 1103515245 + 12345;
        usleep(500 + (random >> 8) % 8000);
        for (int i = 0; i < writers; i++)
            end(children[i]);
        assert_whole();
        const int left = left_over();
        most = left > most ? left : most;
        killed_while_writing += left > 0;
    }
    print_message("  %d of %d kills left a part of a file, at most %d at a time\n", killed_while_writing, ROUNDS, most);
    assert_true(most <= writers);
    assert_true(save(1));
    assert_int_equal(left_over(), 0);
    assert_whole();
}

static void test_one_that_saves(void **state)
{
    (void)state;
    kill_rounds(1);
}

static void test_two_that_save(void **state)
{
    (void)state;
    kill_rounds(2);
}

/* a name that others chose is left alone, and what is in use, too */
static void test_other_files(void **state)
{
    (void)state;
    char other[160];
    snprintf(other, sizeof other, "%s.part", path);
    FILE *file = fopen(other, "w");
    fputs("a download", file);
    fclose(file);
    assert_true(save(2));
    struct stat status;
    assert_int_equal(stat(other, &status), 0);
    assert_int_equal(status.st_size, 10);
    unlink(other);
    snprintf(other, sizeof other, "%s.wick.part", path);
    assert_int_equal(symlink("/dev/null", other), 0); // nobody's: a trap for those who follow
    assert_true(save(3));
    assert_whole();
    assert_int_equal(lstat(other, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    unlink(other);
}

int main(void)
{
    strcpy(folder, "/tmp/wick_test_kill_XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/file", folder);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_saves),
        cmocka_unit_test(test_two_that_save),
        cmocka_unit_test(test_other_files),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    return failed;
}
