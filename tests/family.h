/* The golden answers of one family of ops at a time, for programs that walk the rows of all. */
#ifndef WICK_TESTS_FAMILY_H
#define WICK_TESTS_FAMILY_H

#include <stdio.h>
#include <string.h>

#include "golden.h"

static golden_file golden;
static char golden_family[64];

static void read_family(const char *family)
{
    if (strcmp(golden_family, family) == 0)
        return;
    char path[512];
    snprintf(path, sizeof path, "%s/%s.golden", WICK_GOLDEN, family);
    golden_free(&golden);
    assert_true(golden_read(path, &golden));
    snprintf(golden_family, sizeof golden_family, "%s", family);
}

#endif
