/* One dtype's table of the mirror's; included by mirror_kernels.c with TABLE its name. */
#define LATER_IN(table, name, member, work) LATER(table, name, member, work)
#define NAME_IN_(table, name) later_##table##_##name
#define NAME_IN(table, name) NAME_IN_(table, name)
#define BASE_IN_(table) wk_kernels_baseline_##table
#define BASE_IN(table) BASE_IN_(table)
#define GLUED_(a, b) a##b
#define GLUED(a, b) GLUED_(a, b)

#define KERNEL(name, work, kinds) LATER_IN(TABLE, name, name, struct wk_##work##_work)
#include "kernels/kernels.def"
#define UNARY(name, ...) BINARY(name, ) BINARY(name##_slope, ) BINARY(name##_curvature, )
#define UNARY_NUMBER UNARY
#define UNARY_ANY UNARY
#define BINARY(name, value) LATER_IN(TABLE, row_##name, pointwise[WK_ROW(name)], wk_pointwise_work)
#define BINARY_NUMBER BINARY
#define BINARY_ANY BINARY
#define BINARY_INTEGER BINARY
#define TERNARY BINARY
#define TERNARY_NUMBER BINARY
#define TERNARY_ANY BINARY
#include "kernels/pointwise.def"

static const wk_kernels *GLUED(fill_, TABLE)(void)
{
    static wk_pointwise_kernel *rows[WK_ROWS];
    static wk_kernels table;
    const wk_kernels *base = &BASE_IN(TABLE);
    table.name = base->name;
    table.pointwise = rows;
#define KERNEL(name, work, kinds)                                                                                      \
    if (base->name)                                                                                                    \
        table.name = NAME_IN(TABLE, name);
#include "kernels/kernels.def"
#define UNARY(name, ...) BINARY(name, ) BINARY(name##_slope, ) BINARY(name##_curvature, )
#define UNARY_NUMBER UNARY
#define UNARY_ANY UNARY
#define BINARY(name, value)                                                                                            \
    if (base->pointwise[WK_ROW(name)])                                                                                 \
        rows[WK_ROW(name)] = NAME_IN(TABLE, row_##name);
#define BINARY_NUMBER BINARY
#define BINARY_ANY BINARY
#define BINARY_INTEGER BINARY
#define TERNARY BINARY
#define TERNARY_NUMBER BINARY
#define TERNARY_ANY BINARY
#include "kernels/pointwise.def"
    return &table;
}

#undef LATER_IN
#undef NAME_IN_
#undef NAME_IN
#undef BASE_IN_
#undef BASE_IN
#undef GLUED_
#undef GLUED
#undef TABLE
