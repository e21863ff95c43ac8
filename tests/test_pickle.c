/* Pickles that no torch.save wrote: each opcode's bounds, bombs, and what would run code. */
#define _GNU_SOURCE // memfd_create
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include <wick.h>

#include "fails.h"

#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define VERSION "\x80\x02M\xe9\x03."
#define SIZES "\x80\x02}."
#define STORAGE "\x80\x02]X\1\0\0\0ka.\4\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40" // k: 1, 2, 3, 4

static char path[64];
static int descriptor;

/* a legacy file of this pickle, then `rest` */
static void write_file(const void *pickle, size_t size, const void *rest, size_t rest_size)
{
    assert_int_equal(ftruncate(descriptor, 0), 0);
    assert_int_equal(lseek(descriptor, 0, SEEK_SET), 0);
    static const char head[] = MAGIC VERSION SIZES;
    assert_int_equal(write(descriptor, head, sizeof head - 1), sizeof head - 1);
    assert_int_equal(write(descriptor, pickle, size), size);
    assert_int_equal(write(descriptor, rest, rest_size), rest_size);
}

#define BYTES(text) (text), sizeof(text) - 1
#define NO_STORAGE BYTES("\x80\x02].")

/* a tensor of k: offset, sizes and strides as opcodes */
#define TENSOR(offset, sizes, strides)                                                                                 \
    "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0kX\3\0\0\0cpuK\4NtQ" offset   \
    "(" sizes "t(" strides "t\x89Nt"                                                                                   \
    "R"

typedef struct refused {
    const char *pickle;
    size_t size;
    const char *words;
} refused;

static void all_fail(const refused *rows, size_t count, const char *rest, size_t rest_size)
{
    for (size_t i = 0; i < count; i++) {
        write_file(rows[i].pickle, rows[i].size, rest, rest_size);
        assert_fails(wk_load(path), rows[i].words);
    }
}

static void opcodes(void **state)
{
    (void)state;
    static const refused rows[] = {
        {BYTES("."), "more values than it has put"},
        {BYTES("R."), "more values than it has put"},
        {BYTES("K\1R."), "more values than it has put"},
        {BYTES("(K\1\x86."), "more values than it has put"},
        {BYTES("K\1K\2R."), "expected a tuple of arguments"},
        {BYTES("0."), "more values than it has put"},
        {BYTES("2."), "more values than it has put"},
        {BYTES("t."), "there is no mark"},
        {BYTES("]e."), "there is no mark"},
        {BYTES("(K\1e."), "puts items into nothing"},
        {BYTES("K\1K\2a."), "puts items into what takes none"},
        {BYTES("](K\1K\2u."), "puts items into what takes none"},
        {BYTES("}(K\1u."), "puts items into what takes none"},
        {BYTES("ca\nb\n)R(K\1e(K\1K\2u."), "puts items and pairs into one"},
        {BYTES("K\1K\2b."), "gives a state to what has none"},
        {BYTES("h\0."), "recalls what it has not remembered"},
        {BYTES("j\xff\xff\xff\xff."), "recalls what it has not remembered"},
        {BYTES("K\1r\xff\xff\xff\xff."), "remembers at a place too far"},
        {BYTES("q\0."), "more values than it has put"},
        {BYTES("X\xff\xff\xff\xff"
               "a."),
         "is cut off"},
        {BYTES("\x8d\0\0\0\0\0\0\0\x80"
               "a."),
         "is cut off"},
        {BYTES("\x8b\xff\xff\xff\xff."), "is cut off"},
        {BYTES("\x95\xff\xff."), "is cut off"},
        {BYTES("G\0\0."), "is cut off"},
        {BYTES("cos\nsystem"), "a name has no end"},
        {BYTES("K\1K\2\x93."), "a name is no text"},
        {BYTES("Q."), "more values than it has put"},
        {BYTES("(ios\nsystem\n."), "opcode 0x69"},
        {BYTES("\x82\1."), "opcode 0x82"},
        {BYTES("Pid\n."), "opcode 0x50"},
        {BYTES("I1\n."), "opcode 0x49"},
        {BYTES("\x97."), "opcode 0x97"},
        {BYTES("}X\3\0\0\0a\0bK\1s."), "a name that is no UTF-8, or has a NUL"},
        {BYTES("}X\1\0\0\0\xffK\1s."), "a name that is no UTF-8, or has a NUL"},
        {BYTES("}]K\1s."), "neither a text nor a number"},
        {BYTES("}(K\1K\2X\1\0\0\0001K\3u."), "1: there are two values of this name"},
        {BYTES("K\1Q."), "is no tensor as torch.save writes it"},
    };
    all_fail(rows, sizeof rows / sizeof *rows, NO_STORAGE);
    write_file(BYTES(""), BYTES("")); // it ends where the list of storages would
    assert_fails(wk_load(path), "is cut off");
}

/* nothing is run, and the error says what would have been */
static void code(void **state)
{
    (void)state;
    static const refused rows[] = {
        {BYTES("cos\nsystem\n(X\4\0\0\0truetR."), "would call os.system"},
        {BYTES("cposix\nsystem\n(X\4\0\0\0truetR0K\1."),
         "would call posix.system"}, // thrown away, refused all the same
        {BYTES("\x8c\2os\x8c\6system\x93\x8c\4true\x85R."), "would call os.system"},
        {BYTES("c__builtin__\neval\nX\1\0\0\0001\x85R."), "would call __builtin__.eval"},
        {BYTES("cbuiltins\ngetattr\n)R."), "would call builtins.getattr"},
        {BYTES("ctorch\nload\n)R."), "would call torch.load"},
        {BYTES("ctorch.hub\nload\n)R."), "would call torch.hub.load"},
        {BYTES("}X\1\0\0\0xcos\nsystem\ns."), "x: holds os.system"},
        {BYTES("}X\1\0\0\0xctorch\nload\ns."), "x: holds torch.load"},
        {BYTES("csubprocess\nPopen\n(]t\x81."), "holds an object of subprocess.Popen"},
        {BYTES("ccopy_reg\n_reconstructor\n(cevil\nClass\nc__builtin__\nobject\nNtR."), "an object of evil.Class"},
        {BYTES("]K\1R."), "expected a tuple of arguments"},
        {BYTES("]K\1\x85R."), "would call what is no class"},
    };
    all_fail(rows, sizeof rows / sizeof *rows, NO_STORAGE);
}

/* small files that ask for much */
static void bombs(void **state)
{
    (void)state;
    static char pickle[200000];
    size_t size = 0;
    for (int i = 0; i < 50000; i++) // lists inside lists
        pickle[size++] = ']';
    for (int i = 1; i < 50000; i++)
        pickle[size++] = 'a';
    pickle[size++] = '.';
    write_file(pickle, size, NO_STORAGE);
    assert_fails(wk_load(path), "is nested more than 100 deep");

    static const char itself[] = "]q\0h\0a.", itself_in_dict[] = "}q\0X\1\0\0\0ah\0s.";
    write_file(BYTES(itself), NO_STORAGE);
    assert_fails(wk_load(path), "0.0.0.0.0");
    write_file(BYTES(itself_in_dict), NO_STORAGE);
    assert_fails(wk_load(path), "a.a.a.a.a");

    size = 0; // each list holds the one before twice, ten times: 2^60 numbers
    size += (size_t)sprintf(pickle, "]K\1a");
    for (int i = 0; i < 60; i++) { // 2, dup: (list, list)
        memcpy(pickle + size, "2\x86", 2);
        size += 2;
    }
    pickle[size++] = '.';
    write_file(pickle, size, NO_STORAGE);
    assert_fails(wk_load(path), "more than 64 times as large");

    size = 0; // a long text, many times
    size += (size_t)sprintf(pickle, "](T");
    memcpy(pickle + size, "\x10\x27\0\0", 4);
    memset(pickle + size + 4, 'x', 10000);
    size += 10004;
    for (int i = 0; i < 5000; i++)
        pickle[size++] = '2';
    pickle[size++] = 'e';
    pickle[size++] = '.';
    write_file(pickle, size, NO_STORAGE);
    assert_fails(wk_load(path), "more than 64 times as large");

    size = 0; // names longer than any
    for (int i = 0; i < 60; i++) {
        size += (size_t)sprintf(pickle + size, "}T");
        memcpy(pickle + size, "\x64\0\0\0", 4);
        memset(pickle + size + 4, 'x', 100);
        size += 104;
    }
    pickle[size++] = 'N';
    for (int i = 0; i < 60; i++)
        pickle[size++] = 's';
    pickle[size++] = '.';
    write_file(pickle, size, NO_STORAGE);
    assert_fails(wk_load(path), "a name of more than 4095 bytes");
}

static void layouts(void **state)
{
    (void)state;
    static const char good[] = TENSOR("K\1", "K\1K\3", "K\x63K\1") ".";
    write_file(BYTES(good), BYTES(STORAGE));
    wk_dict *dict = wk_load(path);
    assert_non_null(dict);
    wk_scope
    {
        assert_true(wk_equal(wk_dict_get(dict, ""), wk_tensor((1, 3), ((float[]){2, 3, 4}))));
    }
    wk_dict_free(dict);
    static const refused rows[] = {
        {BYTES(TENSOR("K\1", "K\4", "K\1") "."), "(4,) reaches beyond its storage of 4 elements"},
        {BYTES(TENSOR("K\0", "K\2", "K\4") "."), "reaches beyond"},
        {BYTES(TENSOR("K\4", "", "") "."), "() reaches beyond"},
        {BYTES(TENSOR("J\xff\xff\xff\xff", "K\1", "K\1") "."), "is no tensor as torch.save"},
        {BYTES(TENSOR("K\0", "J\xff\xff\xff\xff", "K\1") "."), "is no tensor as torch.save"},
        {BYTES(TENSOR("K\0", "K\2", "J\xff\xff\xff\xff") "."), "is no tensor as torch.save"},
        {BYTES(TENSOR("K\0", "K\1K\1", "K\1") "."), "is no tensor as torch.save"},
        {BYTES(TENSOR("K\0", "X\1\0\0\0a", "K\1") "."), "is no tensor as torch.save"},
        {BYTES(TENSOR("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "K\2", "K\1") "."), "reaches beyond"},
        {BYTES(
             TENSOR("K\0", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f") "."),
         "reaches beyond"},
        {BYTES(TENSOR("K\0", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
                      "K\0K\0") "."),
         "more elements than can be counted"}, // expanded to more elements than a number counts
        {BYTES(TENSOR("K\0", "K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1",
                      "K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1K\1K"
                      "\1K\1K\1K\1K\1K\1") "."),
         "dims"},
    };
    all_fail(rows, sizeof rows / sizeof *rows, BYTES(STORAGE));

    /* storages that are not there, too short, of another type, without an end */
    write_file(BYTES(good), NO_STORAGE);
    assert_fails(wk_load(path), "its storage is not in the file");
    write_file(BYTES(good), BYTES("\x80\x02]X\1\0\0\0ka.\3\0\0\0\0\0\0\0abcdabcdabcd"));
    assert_fails(wk_load(path), "has 12 bytes, too few for 4 elements");
    write_file(BYTES(good), BYTES("\x80\x02]X\1\0\0\0ka.\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_fails(wk_load(path), "is cut off: a storage of 18446744073709551615 elements");
    write_file(BYTES(good), BYTES("\x80\x02]X\1\0\0\0ka.\3\0\0"));
    assert_fails(wk_load(path), "is cut off");
    write_file(BYTES(good), BYTES("\x80\x02](X\1\0\0\0kX\1\0\0\0ke."));
    assert_fails(wk_load(path), "two storages of one key");
    write_file(BYTES(good), BYTES("\x80\x02](X\1\0\0\0le.\3\0\0\0\0\0\0\0abcdabcdabcd"));
    assert_fails(wk_load(path), "whose kind of numbers wick has not");
    write_file(BYTES(good), BYTES("\x80\x02K\1."));
    assert_fails(wk_load(path), "no list of storages");
    write_file(BYTES(good), BYTES("\x80\x02]K\1a."));
    assert_fails(wk_load(path), "the key of a storage is no text");
}

/* opcodes that protocol 2 does not have, and old ways to say the same */
static void values(void **state)
{
    (void)state;
    static const struct {
        const char *pickle;
        size_t size;
        const char *name, *text;
    } rows[] = {
        {BYTES("\x80\x04\x95\0\0\0\0\0\0\0\0}\x94\x8c\1a\x94K\5s."), "a", "5"},
        {BYTES("\x80\x02}(\x8c\1a\x94h\0001h\0K\6s."), "a", "6"}, // POP_MARK
        {BYTES("\x80\x02}U\1aK\6s."), "a", "6"},                  // Python 2
        {BYTES("\x80\x02}\x8d\1\0\0\0\0\0\0\0aM\x39\x30s."), "a", "12345"},
        {BYTES("\x80\x02}(X\1\0\0\0aNX\1\0\0\0b\x8a\0u."), "b", "0"},
        {BYTES("\x80\x02}X\1\0\0\0a\x8a\2\0\xffs."), "a", "-256"},
        {BYTES("\x80\x02}X\1\0\0\0a\x8b\1\0\0\0\x80s."), "a", "-128"},
        {BYTES("\x80\x02}X\1\0\0\0aJ\xfe\xff\xff\xffs."), "a", "-2"},
        {BYTES("\x80\x04}X\1\0\0\0a\x8f(K\7\x90s."), "a.0", "7"}, // a set
        {BYTES("\x80\x04}X\1\0\0\0a(K\7\x91s."), "a.0", "7"},     // a frozen one
        {BYTES("\x80\x02}X\1\0\0\0ac__builtin__\nset\n]K\7a\x85Rs."), "a.0", "7"},
        {BYTES("\x80\x02"
               "ccollections\nOrderedDict\n]](X\1\0\0\0aK\5ea\x85R."),
         "a", "5"}, // Python 2
        {BYTES("\x80\x02"
               "ccollections\ndefaultdict\nc__builtin__\nlist\n\x85RX\1\0\0\0aK\5s."),
         "a", "5"},
        {BYTES("\x80\x02}X\1\0\0\0aca.b\nC\n)\x81}X\1\0\0\0bK\5sbs."), "a.b", "5"}, // an object with attributes
        {BYTES("\x80\x04}X\1\0\0\0aca.b\nC\n)}\x92}X\1\0\0\0bK\5sbs."), "a.b", "5"},
        {BYTES("\x80\x02}X\1\0\0\0actorch\nfloat16\ns."), "a", "torch.float16"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_file(rows[i].pickle, rows[i].size, NO_STORAGE);
        wk_dict *dict = wk_load(path);
        const char *text = wk_dict_text(dict, rows[i].name);
        if (!text || strcmp(text, rows[i].text) != 0)
            fail_msg("row %zu: expected %s = %s, got %s", i, rows[i].name, rows[i].text, text ? text : "none");
        wk_dict_free(dict);
    }
}

int main(void)
{
    setenv("WICK_TRACEBACK", "off", 0); // thousands of errors are expected
    descriptor = memfd_create("pickle", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    wk_scope
    {
        wk_zeros((1));
    } // the thread's scopes are there
    const struct CMUnitTest tests[] = {cmocka_unit_test(opcodes), cmocka_unit_test(code), cmocka_unit_test(bombs),
                                       cmocka_unit_test(layouts), cmocka_unit_test(values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
