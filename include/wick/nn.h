/* Layers, with PyTorch's names, arguments and defaults.  PyTorch: https://pytorch.org/docs/stable/nn.html

       wk_module *net = wk_nn_sequential(wk_nn_linear(784, 128), wk_nn_gelu(), wk_nn_linear(128, 10));

   Each makes a module; seeded alike, its parameters have the values that PyTorch draws, bit for bit.  All take
   .dtype and .device where they have parameters.  The structs may be read: ((wk_nn_linear *)self->fc)->weight, or
   wk_module_get_parameter(self->fc, "weight").  What a layer computes stands with the function of its name. */
#ifndef WICK_NN_H
#define WICK_NN_H
#pragma GCC system_header // see tensor.h

#include <wick/convolution.h>
#include <wick/embedding.h>
#include <wick/module.h>
#include <wick/nn_activation.h>
#include <wick/nn_blocks.h>
#include <wick/nn_normalization.h>
#include <wick/nn_recurrent.h>
#include <wick/normalization.h>
#include <wick/nn_spatial.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* ---- containers: children are named "0", "1", ... */

/* sequential(a, b, c), or ((a, b, c)): forward is c(b(a(x))).  Owns its modules; a NULL among them, after an error,
   frees the others.  gcc and clang make them in the order written (C leaves it open), so that they draw their values in
   PyTorch's. */
#define wk_nn_sequential(...) wk_nn_sequential_with(WK_MODULES(__VA_ARGS__))
/* module_list(a, b, c): no forward of its own; wk_for_each_module (block, self->blocks) x = wk_forward(block, x) */
#define wk_nn_module_list(...) wk_nn_module_list_with(WK_MODULES(__VA_ARGS__))
typedef struct wk_module_tuple {
    int64_t count;
    void *const *items;
} wk_module_tuple;
#define WK_MODULES(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_MODULES_1, WK_MODULES_0)(__VA_ARGS__)
#define WK_MODULES_0(...)                                                                                              \
    ((wk_module_tuple){(int64_t)(sizeof((void *[]){__VA_ARGS__}) / sizeof(void *)), (void *[]){__VA_ARGS__}})
#define WK_MODULES_1(...) WK_MODULES_ALONE(__VA_ARGS__, )
#define WK_MODULES_ALONE(tuple, ...)                                                                                   \
    ((void)sizeof(struct {                                                                                             \
         _Static_assert(sizeof(#__VA_ARGS__) == 1, "modules: ((a, b)) or (a, b), not ((a, b), c)");                    \
         int checked;                                                                                                  \
     }),                                                                                                               \
     WK_MODULES_0 tuple)
wk_module *wk_nn_sequential_with(wk_module_tuple modules);
wk_module *wk_nn_module_list_with(wk_module_tuple modules);
/* list, sequential: append returns the list; index may be negative; NULL after an error */
wk_module *wk_nn_sequential_append(void *list, void *module);
wk_module *wk_nn_module_list_append(void *list, void *module);
wk_module *wk_nn_sequential_index(void *list, int64_t index);
wk_module *wk_nn_module_list_index(void *list, int64_t index);
/* extend(list, (a, b)): appends each; insert(list, index, module): before that index, which may be negative; the later
   ones' names move on by one.  Both return the list. */
#define wk_nn_module_list_extend(list, ...) wk_nn_module_list_extend_with(list, WK_MODULES(__VA_ARGS__))
wk_module *wk_nn_module_list_extend_with(void *list, wk_module_tuple modules);
wk_module *wk_nn_module_list_insert(void *list, int64_t index, void *module);
/* slice(sequential, start = 0, stop = its end): a sequential of the same modules, start .. stop - 1, under their names;
   negative ones count from the end.  Free both: a shared module goes with the last. */
typedef struct wk_nn_sequential_slice_args {
    void *list;
    int64_t start, stop;
} wk_nn_sequential_slice_args;
#define wk_nn_sequential_slice(...)                                                                                    \
    wk_nn_sequential_slice_with((wk_nn_sequential_slice_args){.stop = INT64_MAX, .list = __VA_ARGS__})
wk_module *wk_nn_sequential_slice_with(wk_nn_sequential_slice_args args);

/* parameter_list(a, b), or ((a, b)): each becomes a parameter, named "0", "1", ...; index gives one (negative: from the
   end), wk_module_parameters(list) all, append returns the list */
#define wk_nn_parameter_list(...)                                                                                      \
    wk_nn_parameter_list_with(WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_TENSORS_OF, WK_TENSORS)(__VA_ARGS__))
#define WK_TENSORS_OF(tuple) WK_TENSORS tuple
wk_module *wk_nn_parameter_list_with(wk_tensors tensors);
wk_module *wk_nn_parameter_list_append(void *list, wk_tensor *tensor);
wk_tensor *wk_nn_parameter_list_index(void *list, int64_t index);

/* module_dict(): children by any name; wk_module_add_module(dict, "image", wk_nn_linear(3, 8)) adds one,
   wk_module_get_submodule(dict, "image") gives it */
wk_module *wk_nn_module_dict(void);
bool wk_nn_module_dict_contains(void *dict, const char *name); // the names in order: wk_module_children(dict).names

wk_module *wk_nn_identity(void); // ignores what it is given: wk_nn_identity(64)
#ifndef __cplusplus
#define wk_nn_identity(...) (wk_nn_identity)()
#endif

/* flatten(start_dim = 1, end_dim = -1) */
typedef struct wk_nn_flatten_args {
    int first; // so that all arguments may be left out: defaults, .first = 0, and then what was given
    int64_t start_dim, end_dim;
} wk_nn_flatten_args;
#define wk_nn_flatten(...)                                                                                             \
    wk_nn_flatten_with((wk_nn_flatten_args){.start_dim = 1, .end_dim = -1, .first = 0, __VA_ARGS__})
wk_module *wk_nn_flatten_with(wk_nn_flatten_args args);

/* ---- linear(in_features, out_features, bias = true): weight (out, in), bias (out).  (..., in) -> (..., out) */
typedef struct wk_nn_linear {
    wk_module_base base;
    int64_t in_features, out_features;
    wk_tensor *weight, *bias; // bias: NULL without
} wk_nn_linear;
typedef struct wk_nn_linear_args {
    int64_t in_features, out_features;
    bool bias;
    wk_device device;
    wk_dtype dtype;
} wk_nn_linear_args;
#define wk_nn_linear(...)                                                                                              \
    wk_nn_linear_with((wk_nn_linear_args){.bias = true, .out_features = -1, .in_features = __VA_ARGS__})
wk_module *wk_nn_linear_with(wk_nn_linear_args args);

/* ---- conv2d(in_channels, out_channels, kernel_size, stride = 1, padding = 0, dilation = 1, groups = 1, bias = true,
   padding_mode = "zeros"): weight (out, in / groups, kH, kW), bias (out).  (N, in, H, W) -> (N, out, H', W'); conv1d
   and conv3d the same with 1 and 3 dims.  One number for all dims, or wk_per_dim(3, 5); padding also WK_SAME, WK_VALID;
   padding_mode also "reflect", "replicate", "circular".
   conv_transpose2d(in_channels, out_channels, kernel_size, stride = 1, padding = 0, output_padding = 0, groups = 1,
   bias = true, dilation = 1): weight (in, out / groups, kH, kW), bias (out); also with 1 and 3 dims. */
typedef struct wk_nn_convolution {
    wk_module_base base;
    int64_t in_channels, out_channels;
    wk_per_dim kernel_size, stride, padding, dilation, output_padding;
    int64_t groups;
    const char *padding_mode; // constant
    wk_tensor *weight, *bias; // bias: NULL without
    int dims;
    bool transposed;
} wk_nn_convolution;
typedef wk_nn_convolution wk_nn_conv1d, wk_nn_conv2d, wk_nn_conv3d;
typedef wk_nn_convolution wk_nn_conv_transpose1d, wk_nn_conv_transpose2d, wk_nn_conv_transpose3d;
typedef struct wk_nn_convolution_args {
    int64_t in_channels, out_channels;
    wk_per_dim kernel_size, stride, padding, dilation;
    int64_t groups;
    bool bias;
    const char *padding_mode;
    wk_device device;
    wk_dtype dtype;
} wk_nn_convolution_args;
#define WK_NN_CONVOLUTION(...)                                                                                         \
    ((wk_nn_convolution_args){.stride = 1,                                                                             \
                              .dilation = 1,                                                                           \
                              .groups = 1,                                                                             \
                              .bias = true,                                                                            \
                              .padding_mode = "zeros",                                                                 \
                              .in_channels = __VA_ARGS__})
#define wk_nn_conv1d(...) wk_nn_conv1d_with(WK_NN_CONVOLUTION(__VA_ARGS__))
#define wk_nn_conv2d(...) wk_nn_conv2d_with(WK_NN_CONVOLUTION(__VA_ARGS__))
#define wk_nn_conv3d(...) wk_nn_conv3d_with(WK_NN_CONVOLUTION(__VA_ARGS__))
wk_module *wk_nn_conv1d_with(wk_nn_convolution_args args);
wk_module *wk_nn_conv2d_with(wk_nn_convolution_args args);
wk_module *wk_nn_conv3d_with(wk_nn_convolution_args args);
typedef struct wk_nn_conv_transpose_args {
    int64_t in_channels, out_channels;
    wk_per_dim kernel_size, stride, padding, output_padding;
    int64_t groups;
    bool bias;
    wk_per_dim dilation;
    wk_device device;
    wk_dtype dtype;
} wk_nn_conv_transpose_args;
#define WK_NN_CONV_TRANSPOSE(...)                                                                                      \
    ((wk_nn_conv_transpose_args){                                                                                      \
        .stride = 1, .groups = 1, .bias = true, .dilation = 1, .in_channels = __VA_ARGS__})
#define wk_nn_conv_transpose1d(...) wk_nn_conv_transpose1d_with(WK_NN_CONV_TRANSPOSE(__VA_ARGS__))
#define wk_nn_conv_transpose2d(...) wk_nn_conv_transpose2d_with(WK_NN_CONV_TRANSPOSE(__VA_ARGS__))
#define wk_nn_conv_transpose3d(...) wk_nn_conv_transpose3d_with(WK_NN_CONV_TRANSPOSE(__VA_ARGS__))
wk_module *wk_nn_conv_transpose1d_with(wk_nn_conv_transpose_args args);
wk_module *wk_nn_conv_transpose2d_with(wk_nn_conv_transpose_args args);
wk_module *wk_nn_conv_transpose3d_with(wk_nn_conv_transpose_args args);

/* ---- layer_norm((normalized_shape) or one number, eps = 1e-5, elementwise_affine = true, bias = true): over the last
   dims */
typedef struct wk_nn_layer_norm {
    wk_module_base base;
    wk_shape normalized_shape;
    double eps;
    wk_tensor *weight, *bias;
} wk_nn_layer_norm;
typedef struct wk_nn_layer_norm_args {
    wk_shape normalized_shape;
    double eps;
    bool elementwise_affine, bias;
    wk_device device;
    wk_dtype dtype;
} wk_nn_layer_norm_args;
#define wk_nn_layer_norm(...)                                                                                          \
    wk_nn_layer_norm_with((wk_nn_layer_norm_args){                                                                     \
        .eps = 1e-5, .elementwise_affine = true, .bias = true, WK_NORMALIZED_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_module *wk_nn_layer_norm_with(wk_nn_layer_norm_args args);

/* rms_norm((normalized_shape), eps = that of the dtype, elementwise_affine = true): no mean, no bias */
typedef struct wk_nn_rms_norm {
    wk_module_base base;
    wk_shape normalized_shape;
    double eps; // -1: the dtype's
    wk_tensor *weight;
} wk_nn_rms_norm;
typedef struct wk_nn_rms_norm_args {
    wk_shape normalized_shape;
    double eps;
    bool elementwise_affine;
    wk_device device;
    wk_dtype dtype;
} wk_nn_rms_norm_args;
#define wk_nn_rms_norm(...)                                                                                            \
    wk_nn_rms_norm_with(                                                                                               \
        (wk_nn_rms_norm_args){.eps = -1, .elementwise_affine = true, WK_NORMALIZED_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_module *wk_nn_rms_norm_with(wk_nn_rms_norm_args args);

/* group_norm(num_groups, num_channels, eps = 1e-5, affine = true): (N, C, ...), each C / num_groups channels as one */
typedef struct wk_nn_group_norm {
    wk_module_base base;
    int64_t num_groups, num_channels;
    double eps;
    wk_tensor *weight, *bias;
} wk_nn_group_norm;
typedef struct wk_nn_group_norm_args {
    int64_t num_groups, num_channels;
    double eps;
    bool affine;
    wk_device device;
    wk_dtype dtype;
} wk_nn_group_norm_args;
#define wk_nn_group_norm(...)                                                                                          \
    wk_nn_group_norm_with((wk_nn_group_norm_args){.eps = 1e-5, .affine = true, .num_groups = __VA_ARGS__})
wk_module *wk_nn_group_norm_with(wk_nn_group_norm_args args);

/* ---- embedding(num_embeddings, embedding_dim, padding_idx): weight (num, dim).  Indices (*) -> (*, dim); row
   padding_idx (negative: from the end) starts at zero and gets no gradient; .max_norm: rows asked for that are longer,
   by .norm_type = 2, are scaled down to it */
typedef struct wk_nn_embedding {
    wk_module_base base;
    int64_t num_embeddings, embedding_dim, padding_idx; // padding_idx: WK_NO_PADDING without
    double max_norm, norm_type;                         // max_norm: 0 without
    wk_tensor *weight;
} wk_nn_embedding;
typedef struct wk_nn_embedding_args {
    int64_t num_embeddings, embedding_dim, padding_idx;
    double max_norm, norm_type;
    wk_device device;
    wk_dtype dtype;
} wk_nn_embedding_args;
#define wk_nn_embedding(...)                                                                                           \
    wk_nn_embedding_with((wk_nn_embedding_args){                                                                       \
        .padding_idx = WK_NO_PADDING, .norm_type = 2, .embedding_dim = -1, .num_embeddings = __VA_ARGS__})
wk_module *wk_nn_embedding_with(wk_nn_embedding_args args);

/* ---- dropout(p = 0.5, inplace = false): in training, each element is 0 with probability p, else x / (1 - p); in eval,
   x */
typedef struct wk_nn_dropout {
    wk_module_base base;
    double p;
    bool inplace;
} wk_nn_dropout;
typedef struct wk_nn_dropout_args {
    int first;
    double p;
    bool inplace;
} wk_nn_dropout_args;
#define wk_nn_dropout(...) wk_nn_dropout_with((wk_nn_dropout_args){.p = 0.5, .first = 0, __VA_ARGS__})
wk_module *wk_nn_dropout_with(wk_nn_dropout_args args);

/* ---- activations, element by element; softmax along a dim.  .inplace = true, where PyTorch has it: y is x, whose
   values are gone */
typedef struct wk_nn_gelu_args {
    int first;
    const char *approximate; // "none", "tanh"
} wk_nn_gelu_args;
#define wk_nn_gelu(...) wk_nn_gelu_with((wk_nn_gelu_args){.approximate = "none", .first = 0, __VA_ARGS__})
wk_module *wk_nn_gelu_with(wk_nn_gelu_args args);
typedef struct wk_nn_relu_args {
    int first;
    bool inplace;
} wk_nn_relu_args;
wk_module *wk_nn_relu_with(wk_nn_relu_args args);
wk_module *wk_nn_silu_with(wk_nn_relu_args args);
wk_module *wk_nn_relu(void);
wk_module *wk_nn_silu(void);
#ifndef __cplusplus
#define wk_nn_relu(...) wk_nn_relu_with((wk_nn_relu_args){.first = 0, __VA_ARGS__})
#define wk_nn_silu(...) wk_nn_silu_with((wk_nn_relu_args){.first = 0, __VA_ARGS__})
#endif
wk_module *wk_nn_tanh(void);
wk_module *wk_nn_sigmoid(void);
wk_module *wk_nn_softsign(void);
typedef struct wk_nn_softmax_args {
    int first;
    int64_t dim;
} wk_nn_softmax_args;
#define wk_nn_softmax(...) wk_nn_softmax_with((wk_nn_softmax_args){.dim = -1, .first = 0, __VA_ARGS__})
wk_module *wk_nn_softmax_with(wk_nn_softmax_args args);

/* ---- multihead_attention(embed_dim, num_heads, dropout = 0, bias = true, .kdim, .vdim, batch_first = false):
   in_proj_weight (3 E, E), in_proj_bias (3 E), out_proj; with kdim or vdim of their own, q_, k_ and v_proj_weight.
   Vaswani et al., "Attention is all you need", 2017.

       y = wk_nn_multihead_attention_forward(self->attn, query, key, value);
       y = wk_nn_multihead_attention_forward(self->attn, x, x, x, .attn_mask = mask, .weights = &w);

   query (L, N, E), key (S, N, kdim), value (S, N, vdim) -> (L, N, E); (N, L, E) etc. with batch_first; without N for
   one sequence.  key_padding_mask (N, S), attn_mask (L, S) or (N heads, L, S): true leaves a key out (the opposite of
   scaled_dot_product_attention), or floats that are added.  weights: the place for attention weights (N, L, S), or
   (N, heads, L, S) without average_attn_weights; without a place they are not made. */
typedef struct wk_nn_multihead_attention {
    wk_module_base base;
    int64_t embed_dim, num_heads, kdim, vdim;
    double dropout;
    bool batch_first;
    wk_tensor *in_proj_weight, *q_proj_weight, *k_proj_weight, *v_proj_weight, *in_proj_bias;
    wk_module *out_proj;
} wk_nn_multihead_attention;
typedef struct wk_nn_multihead_attention_args {
    int64_t embed_dim, num_heads;
    double dropout;
    bool bias;
    int64_t kdim, vdim; // 0: embed_dim
    bool batch_first;
    wk_device device;
    wk_dtype dtype;
} wk_nn_multihead_attention_args;
#define wk_nn_multihead_attention(...)                                                                                 \
    wk_nn_multihead_attention_with((wk_nn_multihead_attention_args){.bias = true, .embed_dim = __VA_ARGS__})
wk_module *wk_nn_multihead_attention_with(wk_nn_multihead_attention_args args);
typedef struct wk_nn_multihead_attention_forward_args {
    void *module;
    wk_tensor *query, *key, *value, *key_padding_mask, *attn_mask;
    bool average_attn_weights;
    bool is_causal; // a query sees no later key; with attn_mask, what that says already
    wk_tensor **weights;
} wk_nn_multihead_attention_forward_args;
#define wk_nn_multihead_attention_forward(module_, ...)                                                                \
    wk_nn_multihead_attention_forward_with((wk_nn_multihead_attention_forward_args){                                   \
        .average_attn_weights = true, .module = module_, .query = __VA_ARGS__})
wk_tensor *wk_nn_multihead_attention_forward_with(wk_nn_multihead_attention_forward_args args);

/* ---- transformer_encoder_layer(d_model, nhead, dim_feedforward = 2048, dropout = 0.1, activation = "relu",
   layer_norm_eps = 1e-5, batch_first = false, norm_first = false, bias = true): self_attn, linear1, dropout, linear2,
   norm1, norm2, dropout1, dropout2.  (L, N, E), or (N, L, E) with batch_first, -> the same.
   Forward with masks: wk_nn_transformer_encoder_layer_forward(layer, x, .src_mask, .src_key_padding_mask,
   .is_causal). */
typedef struct wk_nn_transformer_encoder_layer {
    wk_module_base base;
    wk_module *self_attn, *linear1, *dropout, *linear2, *norm1, *norm2, *dropout1, *dropout2;
    bool norm_first, gelu;
} wk_nn_transformer_encoder_layer;
typedef struct wk_nn_transformer_encoder_layer_args {
    int64_t d_model, nhead, dim_feedforward;
    double dropout;
    const char *activation; // "relu", "gelu"
    double layer_norm_eps;
    bool batch_first, norm_first, bias;
    wk_device device;
    wk_dtype dtype;
} wk_nn_transformer_encoder_layer_args;
#define WK_TRANSFORMER_ENCODER_LAYER(...)                                                                              \
    ((wk_nn_transformer_encoder_layer_args){.dim_feedforward = 2048,                                                   \
                                            .dropout = 0.1,                                                            \
                                            .activation = "relu",                                                      \
                                            .layer_norm_eps = 1e-5,                                                    \
                                            .bias = true,                                                              \
                                            .d_model = __VA_ARGS__})
#define wk_nn_transformer_encoder_layer(...)                                                                           \
    wk_nn_transformer_encoder_layer_with(WK_TRANSFORMER_ENCODER_LAYER(__VA_ARGS__))
wk_module *wk_nn_transformer_encoder_layer_with(wk_nn_transformer_encoder_layer_args args);
typedef struct wk_nn_transformer_encoder_forward_args {
    void *module;
    wk_tensor *x, *src_mask, *src_key_padding_mask;
    bool is_causal;
} wk_nn_transformer_encoder_forward_args;
#define wk_nn_transformer_encoder_layer_forward(module_, ...)                                                          \
    wk_nn_transformer_encoder_layer_forward_with(                                                                      \
        (wk_nn_transformer_encoder_forward_args){.module = module_, .x = __VA_ARGS__})
wk_tensor *wk_nn_transformer_encoder_layer_forward_with(wk_nn_transformer_encoder_forward_args args);

/* transformer_encoder(layer, num_layers, norm = NULL): layers.0 ..., norm.  Owns layer, whose copies they are: each
   starts from the same values, as in PyTorch. */
typedef struct wk_nn_transformer_encoder {
    wk_module_base base;
    wk_module *layers, *norm;
} wk_nn_transformer_encoder;
wk_module *wk_nn_transformer_encoder_with(wk_module *layer, int64_t num_layers, wk_module *norm);
#define wk_nn_transformer_encoder(layer, ...) wk_nn_transformer_encoder_with(layer, WK_LAYERS_NORM(__VA_ARGS__, NULL, ))
#define WK_LAYERS_NORM(num_layers, norm, ...) num_layers, norm
#define wk_nn_transformer_encoder_forward(module_, ...)                                                                \
    wk_nn_transformer_encoder_forward_with(                                                                            \
        (wk_nn_transformer_encoder_forward_args){.module = module_, .x = __VA_ARGS__})
wk_tensor *wk_nn_transformer_encoder_forward_with(wk_nn_transformer_encoder_forward_args args);

/* ---- transformer_decoder_layer, made as transformer_encoder_layer: self_attn, multihead_attn, linear1, dropout,
   linear2, norm1, norm2, norm3, dropout1, dropout2, dropout3.
       y = wk_nn_transformer_decoder_layer_forward(layer, tgt, memory, .tgt_mask = mask);
   tgt (L, N, E), memory (S, N, E), what the encoder gave; or (N, L, E), (N, S, E) with batch_first; -> as tgt.
   tgt_mask (L, L) or (N heads, L, L), memory_mask (L, S) or (N heads, L, S), tgt_key_padding_mask (N, L),
   memory_key_padding_mask (N, S): true leaves a key out, floats are added.  .tgt_is_causal and .memory_is_causal: no
   later key is seen; with a mask of their own, what that says already.
   https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html */
typedef struct wk_nn_transformer_decoder_layer {
    wk_module_base base;
    wk_module *self_attn, *multihead_attn, *linear1, *dropout, *linear2, *norm1, *norm2, *norm3;
    wk_module *dropout1, *dropout2, *dropout3;
    bool norm_first, gelu;
} wk_nn_transformer_decoder_layer;
#define wk_nn_transformer_decoder_layer(...)                                                                           \
    wk_nn_transformer_decoder_layer_with(WK_TRANSFORMER_ENCODER_LAYER(__VA_ARGS__))
wk_module *wk_nn_transformer_decoder_layer_with(wk_nn_transformer_encoder_layer_args args);
typedef struct wk_nn_transformer_decoder_forward_args {
    void *module;
    wk_tensor *tgt, *memory, *tgt_mask, *memory_mask, *tgt_key_padding_mask, *memory_key_padding_mask;
    bool tgt_is_causal, memory_is_causal;
} wk_nn_transformer_decoder_forward_args;
#define wk_nn_transformer_decoder_layer_forward(module_, ...)                                                          \
    wk_nn_transformer_decoder_layer_forward_with(                                                                      \
        (wk_nn_transformer_decoder_forward_args){.module = module_, .tgt = __VA_ARGS__})
wk_tensor *wk_nn_transformer_decoder_layer_forward_with(wk_nn_transformer_decoder_forward_args args);

/* transformer_decoder(layer, num_layers, norm = NULL): as transformer_encoder, of decoder layers, called as they are */
typedef wk_nn_transformer_encoder wk_nn_transformer_decoder;
wk_module *wk_nn_transformer_decoder_with(wk_module *layer, int64_t num_layers, wk_module *norm);
#define wk_nn_transformer_decoder(layer, ...) wk_nn_transformer_decoder_with(layer, WK_LAYERS_NORM(__VA_ARGS__, NULL, ))
#define wk_nn_transformer_decoder_forward(module_, ...)                                                                \
    wk_nn_transformer_decoder_forward_with(                                                                            \
        (wk_nn_transformer_decoder_forward_args){.module = module_, .tgt = __VA_ARGS__})
wk_tensor *wk_nn_transformer_decoder_forward_with(wk_nn_transformer_decoder_forward_args args);

/* ---- losses: wk_nn_loss(criterion, input, target) */
typedef struct wk_nn_cross_entropy_loss_args {
    int first;
    wk_tensor *weight; // (classes): a buffer
    int64_t ignore_index;
    const char *reduction; // "mean", "sum", "none"
    double label_smoothing;
} wk_nn_cross_entropy_loss_args;
#define wk_nn_cross_entropy_loss(...)                                                                                  \
    wk_nn_cross_entropy_loss_with(                                                                                     \
        (wk_nn_cross_entropy_loss_args){.ignore_index = -100, .reduction = "mean", .first = 0, __VA_ARGS__})
wk_module *wk_nn_cross_entropy_loss_with(wk_nn_cross_entropy_loss_args args);
typedef struct wk_nn_mse_loss_args {
    int first;
    const char *reduction;
} wk_nn_mse_loss_args;
#define wk_nn_mse_loss(...) wk_nn_mse_loss_with((wk_nn_mse_loss_args){.reduction = "mean", .first = 0, __VA_ARGS__})
wk_module *wk_nn_mse_loss_with(wk_nn_mse_loss_args args);
wk_tensor *wk_nn_loss(void *criterion, wk_tensor *input, wk_tensor *target);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
