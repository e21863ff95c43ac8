/* One block of memory, many shapes.  flatten merges neighbouring dims; view and reshape give any shape with as many
   elements; none of them moves a number.  view says no where the memory does not allow it; reshape copies then.

   New here: wk_flatten, wk_view, wk_reshape, wk_unflatten, wk_try. */
#include <stdio.h>

#include <wick.h>

int main(void)
{
    wk_scope
    {
        wk_tensor *x = wk_reshape(wk_arange(24), (2, 3, 4)); // (2, 3, 4)
        wk_tensor *rows = wk_flatten(x, 1);                  // (2, 12)
        wk_tensor *all = wk_view(x, (-1));                   // (24,): one -1 is worked out
        wk_print("rows", rows);

        wk_fill_(wk_select(all, 0, 0), 100); // a view shares memory: x changes too
        wk_print("x", x);

        wk_tensor *back = wk_unflatten(rows, 1, (3, 4)); // (2, 3, 4)
        printf("back is x again: %s\n", wk_equal(back, x) ? "yes" : "no");

        wk_tensor *turned = wk_transpose(x, 1, 2); // (2, 4, 3), the same memory in another order
        wk_error err;
        wk_try (&err) { wk_view(turned, (2, 12)); }
        printf("view of a transposed tensor: %s\n", err.message);
        wk_print("reshape copies", wk_reshape(turned, (2, 12))); // (2, 12)
    }
}
