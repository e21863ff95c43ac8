/* A module: a struct that begins with wk_module_base, a function that makes it, and a forward.  Its children and
   parameters have names, so that state_dict, the summary and error messages can speak of them.

   New here: wk_module_new, wk_add_module, wk_forward, wk_scaled_dot_product_attention, wk_unbind. */
#include <stdio.h>

#include <wick.h>

typedef struct attention {
    wk_module_base base;
    wk_module *qkv, *proj;
    int64_t heads;
} attention;

static wk_tensor *attention_forward(void *module, wk_tensor *x)
{
    attention *self = module;
    wk_unpack(x, B, L, D);
    const int64_t H = self->heads;

    wk_tensor *q, *k, *v;
    wk_tensor *qkv = wk_forward(self->qkv, x);                 // (B, L, 3*D)
    qkv = wk_reshape(qkv, (B, L, 3, H, D / H));                // (B, L, 3, H, D/H)
    wk_unbind(wk_permute(qkv, (2, 0, 3, 1, 4)), (&q, &k, &v)); // 3 x (B, H, L, D/H)
    x = wk_scaled_dot_product_attention(q, k, v);              // (B, H, L, D/H)
    x = wk_flatten(wk_transpose(x, 1, 2), 2);                  // (B, L, D)
    return wk_forward(self->proj, x);                          // (B, L, D)
}

static attention *attention_new(int64_t dim, int64_t heads)
{
    attention *self = wk_module_new(attention, attention_forward);
    wk_add_module(self, qkv, wk_nn_linear(dim, 3 * dim, .bias = false));
    wk_add_module(self, proj, wk_nn_linear(dim, dim));
    self->heads = heads;
    return self;
}

int main(void)
{
    wk_manual_seed(0);
    attention *model = attention_new(32, 4);
    wk_scope
    {
        wk_tensor *x = wk_rand((2, 10, 32));   // (B, L, D)
        wk_tensor *y = wk_forward(model, x);   // (B, L, D)
        wk_print("mean of each token", wk_mean(y, (2))); // (B, L)
    }
    wk_module_free(model);
}
