/* The last two dims are the matrix that we compute with; the dims before it are lists of such matrices.  Multi-head
   attention moves the heads into that list, so that one matmul does all heads of all images at once.

   New here: wk_transpose, wk_matmul over lists of matrices, wk_softmax, wk_index. */
#include <math.h>

#include <wick.h>

int main(void)
{
    wk_scope
    {
        wk_manual_seed(0);
        const int64_t B = 2, L = 5, H = 4, D = 32;

        wk_tensor *x = wk_randn((B, L, D));                 // (B, L, D)
        wk_tensor *heads = wk_reshape(x, (B, L, H, D / H)); // (B, L, H, D/H)
        heads = wk_transpose(heads, 1, 2);                  // (B, H, L, D/H): the head joins the batch

        wk_tensor *scores = wk_matmul(heads, wk_transpose(heads, -2, -1)); // (B, H, L, L)
        scores = wk_div(scores, sqrt((double)(D / H)));                    // (B, H, L, L)
        wk_tensor *weights = wk_softmax(scores, -1);                       // (B, H, L, L): each row sums to 1
        wk_print("weights of the first head", wk_index(weights, "0, 0"));  // (L, L)

        wk_tensor *mixed = wk_matmul(weights, heads);     // (B, H, L, D/H)
        mixed = wk_flatten(wk_transpose(mixed, 1, 2), 2); // (B, L, D)
        wk_print("mixed", wk_mean(mixed, (2)));           // (B, L)
    }
}
