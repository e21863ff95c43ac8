/* A module's printed form, as Python's print(model): the tree, each layer with its arguments. */
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "module.h"

enum { INDENT = 2 };

/* what a parameter_list holds, a line each */
static void print_parameters(const wk_members *of, int indent, FILE *file)
{
    fprintf(file, of->count ? "\n" : ")\n");
    for (int64_t i = 0; i < of->count; i++) {
        const wk_tensor *x = of->items[i].tensor;
        fprintf(file, "%*s(%s): Parameter containing: [%s of size ", indent + 2 * INDENT, "", of->items[i].name,
                wk_dtype_name(x->dtype));
        for (int dim = 0; dim < x->ndim; dim++)
            fprintf(file, "%s%lld", dim ? "x" : "", (long long)x->shape[dim]);
        fprintf(file, "]\n");
    }
    if (of->count)
        fprintf(file, "%*s)\n", indent, "");
}

/* "linear(in_features=4, out_features=2, bias=True)" of a leaf; children on lines of their own */
static void print(const wk_module *module, int indent, FILE *file)
{
    char arguments[256] = "";
    if (module->inside->extra_repr)
        module->inside->extra_repr((void *)(uintptr_t)module, arguments, sizeof arguments);
    fprintf(file, "%s(", module->type);
    if (wk_module_is_of(module, "parameter_list")) {
        print_parameters(&module->inside->parameters, indent, file);
        return;
    }
    if (module->inside->children_count == 0) {
        fprintf(file, "%s)\n", arguments);
        return;
    }
    fprintf(file, "\n");
    if (arguments[0])
        fprintf(file, "%*s%s\n", indent + INDENT, "", arguments);
    for (int64_t i = 0; i < module->inside->children_count; i++) {
        fprintf(file, "%*s(%s): ", indent + INDENT, "", module->inside->child_names[i]);
        print(module->inside->children[i], indent + INDENT, file);
    }
    fprintf(file, "%*s)\n", indent, "");
}

void wk_module_print(void *module_, FILE *file)
{
    WK_PLAIN_NUMBERS;
    const wk_module *module = wk_module_check("module_print", module_);
    if (module && !file)
        wk_fail("module_print", "file: expected a FILE, got NULL\nhint: wk_module_print(module, stdout)");
    else if (module)
        print(module, 0, file);
}
