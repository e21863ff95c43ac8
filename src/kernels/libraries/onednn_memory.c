/* oneDNN writes to memory that it did not get: its operator new hands on malloc's NULL to a constructor, and what it
   compiles with writes where mmap failed.  That cannot be caught; std::bad_alloc can (catching.cpp).  So in
   oneDNN's own table of what it imports, malloc, posix_memalign and mmap become functions that throw where there is
   nothing, in calls of ours alone.  Where the table cannot be changed (another format, a static oneDNN) it stays. */
#ifdef WICK_HAVE_ONEDNN
#define _GNU_SOURCE // dl_iterate_phdr
#include "onednn.h"

#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if __ELF_NATIVE_CLASS == 64
/* the functions that stand in, by the name of what they stand for */
static const struct {
    const char *name;
    void (*function)(void);
} OURS[] = {{"malloc", (void (*)(void))wk_throwing_malloc},
            {"posix_memalign", (void (*)(void))wk_throwing_memalign},
            {"mmap", (void (*)(void))wk_throwing_mmap}};

static void replace(uintptr_t *place, uintptr_t with)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)place / page * page;
    if (mprotect((void *)begin, page, PROT_READ | PROT_WRITE) != 0)
        return;
    __atomic_store_n(place, with, __ATOMIC_RELEASE);
    mprotect((void *)begin, page, PROT_READ); // as the dynamic linker left it
}

static void replace_in(const struct dl_phdr_info *info, const ElfW(Rela) * table, size_t bytes,
                       const ElfW(Sym) * symbols, const char *names)
{
    for (size_t i = 0; table && i < bytes / sizeof *table; i++) {
        const uint32_t symbol = (uint32_t)ELF64_R_SYM(table[i].r_info);
        for (int k = 0; symbol && k < (int)(sizeof OURS / sizeof *OURS); k++)
            if (table[i].r_addend == 0 && strcmp(names + symbols[symbol].st_name, OURS[k].name) == 0)
                replace((uintptr_t *)(info->dlpi_addr + table[i].r_offset), (uintptr_t)OURS[k].function);
    }
}

static int look_at(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    if (!strstr(info->dlpi_name, "/libdnnl.so"))
        return 0;
    uintptr_t found[DT_NUM] = {0};
    const ElfW(Phdr) *header = info->dlpi_phdr;
    bool fixed = false; // whether what it imports was settled, and made read-only, when it was loaded
    for (int i = 0; i < info->dlpi_phnum; i++) {
        fixed |= header[i].p_type == PT_GNU_RELRO;
        if (header[i].p_type == PT_DYNAMIC)
            for (const ElfW(Dyn) *d = (const void *)(info->dlpi_addr + header[i].p_vaddr); d->d_tag != DT_NULL; d++)
                if (d->d_tag > 0 && d->d_tag < DT_NUM)
                    found[d->d_tag] = d->d_un.d_ptr;
    }
    const int addresses[] = {DT_SYMTAB, DT_STRTAB, DT_JMPREL, DT_RELA};
    for (int i = 0; i < 4; i++) // some dynamic linkers leave them relative
        if (found[addresses[i]] && found[addresses[i]] < info->dlpi_addr)
            found[addresses[i]] += info->dlpi_addr;
    const ElfW(Sym) *symbols = (const void *)found[DT_SYMTAB];
    const char *names = (const void *)found[DT_STRTAB];
    if (!fixed || !symbols || !names)
        return 0;
    replace_in(info, (const void *)found[DT_JMPREL], found[DT_PLTRELSZ], symbols, names);
    replace_in(info, (const void *)found[DT_RELA], found[DT_RELASZ], symbols, names);
    return 0;
}

void wk_onednn_throws(void) { dl_iterate_phdr(look_at, NULL); }
#else
void wk_onednn_throws(void) {}
#endif
#endif
