/* Addresses to functions, files and lines, by elfutils' libdw: it reads the debug information of every object that is
   mapped into this process, once, when the first traceback wants it (some 10 ms), and keeps it until the program ends.
   Without libdw (or without debug information) the dynamic linker names functions, and nothing more.

   Rejected: backtrace_symbols (no lines, no static functions), addr2line as a child process (a second per traceback,
   and no program may be started on a host), libbacktrace (not in Debian). */
#define _GNU_SOURCE
#include "symbols.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

static int find_by_linker(uintptr_t address, wk_frame *frame)
{
    Dl_info info;
    *frame = (wk_frame){.address = address};
    if (dladdr((void *)address, &info)) {
        frame->function = info.dli_sname;
        frame->object = info.dli_fname;
        frame->address = address - (uintptr_t)info.dli_fbase;
    }
    return 1;
}

#if WICK_HAVE_LIBDW

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <setjmp.h>
#include <unistd.h>

static Dwfl *dwfl;
static bool broken; // libdw ran out of memory, or cannot read this process: asked no more
static jmp_buf out_of_memory;

/* libdw's own answer to a lack of memory is to end the program. */
__attribute__((noreturn)) static void leave_libdw(void) { longjmp(out_of_memory, 1); }

void wk_symbols_forget(void)
{
    if (dwfl && !broken)
        dwfl_end(dwfl);
    dwfl = NULL;
    broken = true;
}

/* All objects of this process; again when one was loaded since.  Debug information is looked for in the object itself
   and by its build id below /usr/lib/debug; never on the network, as dwfl_standard_find_debuginfo would. */
static bool read_objects(void)
{
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_linux_proc_find_elf,
        .find_debuginfo = dwfl_build_id_find_debuginfo,
    };
    if (!dwfl)
        dwfl = dwfl_begin(&callbacks);
    else
        dwfl_report_begin(dwfl);
    return dwfl && dwfl_linux_proc_report(dwfl, getpid()) == 0 && dwfl_report_end(dwfl, NULL, NULL) == 0;
}

/* The compilation unit with address.  clang writes no table of address ranges, so that units are then asked in turn. */
static Dwarf_Die *find_unit(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Addr *bias)
{
    Dwarf *dwarf = dwfl_module_getdwarf(module, bias);
    if (!dwarf)
        return NULL;
    dwarf_new_oom_handler(dwarf, leave_libdw);
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, bias);
    if (unit)
        return unit;
    while ((unit = dwfl_module_nextcu(module, unit, bias)))
        if (dwarf_haspc(unit, address - *bias) > 0)
            return unit;
    return NULL;
}

static const char *directory_of(Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    return dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
}

static int number_of(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value;
    return dwarf_formudata(dwarf_attr(die, name, &attribute), &value) == 0 ? (int)value : 0;
}

/* Walks from the innermost function outwards: where one was inlined, the debug information has the file and line of the
   call that it replaced. */
static int find_functions(Dwarf_Die *unit, Dwarf_Addr address, const wk_frame *place, wk_frame *frames, int room)
{
    Dwarf_Die *inner = NULL, *scopes = NULL;
    Dwarf_Files *files = NULL;
    int count = 0;
    const int inner_count = dwarf_getscopes(unit, address, &inner);
    const int scope_count = inner_count > 0 ? dwarf_getscopes_die(&inner[0], &scopes) : 0;
    wk_frame frame = *place;
    for (int i = 0; i < scope_count && count < room; i++) {
        const int tag = dwarf_tag(&scopes[i]);
        if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
            continue;
        frame.function = dwarf_diename(&scopes[i]);
        frames[count++] = frame;
        if (tag == DW_TAG_subprogram)
            break;
        if (!files && dwarf_getsrcfiles(unit, &files, NULL) != 0)
            files = NULL;
        frame.file = files ? dwarf_filesrc(files, (size_t)number_of(&scopes[i], DW_AT_call_file), NULL, NULL) : NULL;
        frame.line = number_of(&scopes[i], DW_AT_call_line);
        frame.column = number_of(&scopes[i], DW_AT_call_column);
    }
    free(scopes);
    free(inner);
    return count;
}

/* libdw takes 100 KB of stack where it reads lines, and a stack that cannot grow ends the program. */
static bool memory_is_left(void)
{
    void *volatile probe = malloc(1 << 20);
    const bool left = probe != NULL;
    free(probe);
    return left;
}

static int find_by_debug_information(uintptr_t address, wk_frame *frames, int room)
{
    Dwfl_Module *module = dwfl ? dwfl_addrmodule(dwfl, address) : NULL;
    if (!module && read_objects())
        module = dwfl_addrmodule(dwfl, address);
    if (!module)
        return 0;

    wk_frame place = {0};
    Dwarf_Addr start = 0, bias = 0;
    place.object = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL);
    Dwarf_Die *unit = find_unit(module, address, &bias);
    Dwarf_Line *line = unit ? dwarf_getsrc_die(unit, address - bias) : NULL;
    place.address = address - (unit ? bias : start);
    if (line) {
        place.file = dwarf_linesrc(line, NULL, NULL);
        place.directory = directory_of(unit);
        dwarf_lineno(line, &place.line);
        dwarf_linecol(line, &place.column);
    }
    const int count = unit ? find_functions(unit, address - bias, &place, frames, room) : 0;
    if (count)
        return count;
    place.function = dwfl_module_addrname(module, address);
    frames[0] = place;
    return 1;
}

int wk_symbols_find(uintptr_t address, wk_frame *frames, int room)
{
    if (!broken && memory_is_left()) {
        if (setjmp(out_of_memory) == 0) {
            const int count = find_by_debug_information(address, frames, room);
            if (count)
                return count;
        } else {
            broken = true;
        }
    }
    return find_by_linker(address, frames);
}

#else

int wk_symbols_find(uintptr_t address, wk_frame *frames, int room)
{
    (void)room;
    return find_by_linker(address, frames);
}

void wk_symbols_forget(void) {}

#endif
