/* Random numbers.  PyTorch: https://pytorch.org/docs/stable/torch.html#random-sampling

   On the CPU a seed gives the numbers that PyTorch 2.15 draws for it, bit for bit, in the same order of calls, whatever
   the instruction set and the number of threads: rand, randn, randint, randperm, uniform_, normal_, bernoulli, random_,
   and nn.init.  As in PyTorch, 16 and more normals are drawn another way than fewer, and a tensor that is not
   contiguous another way than one that is.  Where PyTorch itself differs between machines, wick has one answer:
     - bernoulli_ with a number p (and dropout), exponential_ and multinomial: PyTorch built with MKL takes these from
       another generator on Intel processors; wick takes PyTorch's own, as it does on all others;
     - float32 normals from 16 up: those of AVX2 and AVX-512, not those of PyTorch on older processors;
     - float64 normals are the C library's log, sin and cos: equal where PyTorch runs on the same C library.

   .generator is a stream of its own; without it, the one of the process. */
#ifndef WICK_RANDOM_H
#define WICK_RANDOM_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct wk_generator wk_generator;

/* the process's generator: torch.manual_seed, seed, initial_seed, get_rng_state, set_rng_state */
void wk_manual_seed(uint64_t seed); // a negative seed is the one that PyTorch makes of it
uint64_t wk_seed(void);             // seeds from the operating system; returns the seed
uint64_t wk_initial_seed(void);
wk_tensor *wk_get_rng_state(void);             // (5056,) uint8, PyTorch's bytes: each continues from the other's
bool wk_set_rng_state(const wk_tensor *state); // false after an error

/* torch.Generator: a stream of its own.  Free it when the last draw from it is done. */
wk_generator *wk_generator_new(void); // NULL after an error
void wk_generator_free(wk_generator *generator);
wk_generator *wk_generator_manual_seed(wk_generator *generator, uint64_t seed); // returns generator
uint64_t wk_generator_seed(wk_generator *generator);
uint64_t wk_generator_initial_seed(wk_generator *generator);
wk_tensor *wk_generator_get_state(wk_generator *generator);
bool wk_generator_set_state(wk_generator *generator, const wk_tensor *state);

/* rand((B, C)): uniform in [0, 1).  randn((B, C)): normal, mean 0 and standard deviation 1.  Floating and complex
   dtypes. */
typedef struct wk_rand_args {
    wk_shape size;
    wk_dtype dtype;
    wk_device device;
    wk_generator *generator;
    bool requires_grad;
} wk_rand_args;
#define wk_rand(...) wk_rand_with((wk_rand_args){WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
#define wk_randn(...) wk_randn_with((wk_rand_args){WK_SIZE_BEFORE(__VA_ARGS__) __VA_ARGS__})
wk_tensor *wk_rand_with(wk_rand_args args);
wk_tensor *wk_randn_with(wk_rand_args args);

/* rand_like(x), randn_like(x): x's shape, and its dtype and device unless others are given */
typedef struct wk_rand_like_args {
    wk_tensor *x;
    wk_dtype dtype;
    wk_device device;
    wk_generator *generator;
    bool requires_grad;
} wk_rand_like_args;
#define wk_rand_like(...) wk_rand_like_with((wk_rand_like_args){.x = __VA_ARGS__})
#define wk_randn_like(...) wk_randn_like_with((wk_rand_like_args){.x = __VA_ARGS__})
wk_tensor *wk_rand_like_with(wk_rand_like_args args);
wk_tensor *wk_randn_like_with(wk_rand_like_args args);

/* randint(low, high, (B, C)): whole numbers in low .. high - 1, int64 or .dtype; randint(high, (B, C)): from 0 */
typedef struct wk_randint_args {
    int64_t low, high;
    wk_shape size;
    wk_dtype dtype;
    wk_device device;
    wk_generator *generator;
    bool requires_grad;
} wk_randint_args;
#define wk_randint(low_, ...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), WK_RANDINT_BELOW, WK_RANDINT)(low_, __VA_ARGS__)
#define WK_RANDINT(low_, high_, ...)                                                                                   \
    wk_randint_with((wk_randint_args){.low = low_, .high = high_, .size = WK_TUPLE(WK_SHAPE, __VA_ARGS__) __VA_ARGS__})
#define WK_RANDINT_BELOW(high_, ...) wk_randint_with((wk_randint_args){.high = high_, .size = WK_SHAPE __VA_ARGS__})
wk_tensor *wk_randint_with(wk_randint_args args);

/* randint_like(x, low, high), randint_like(x, high): x's shape, and its dtype unless another is given */
typedef struct wk_randint_like_args {
    wk_tensor *x;
    int64_t low, high; // high WK_NO_DIM: low is the high one
    wk_dtype dtype;
    wk_device device;
    wk_generator *generator;
    bool requires_grad;
} wk_randint_like_args;
#define wk_randint_like(...) wk_randint_like_with((wk_randint_like_args){.high = WK_NO_DIM, .x = __VA_ARGS__})
wk_tensor *wk_randint_like_with(wk_randint_like_args args);

/* randperm(n): (n,) the numbers 0 .. n - 1, shuffled; int64 or .dtype */
typedef struct wk_randperm_args {
    int64_t n;
    wk_dtype dtype;
    wk_device device;
    wk_generator *generator;
    bool requires_grad;
} wk_randperm_args;
#define wk_randperm(...) wk_randperm_with((wk_randperm_args){.n = __VA_ARGS__})
wk_tensor *wk_randperm_with(wk_randperm_args args);

/* normal(mean, std, (B, C)): of numbers; normal(mean, std) where one or both are tensors, each element with its own:
   they broadcast, and the result has the shape and dtype of mean, or of std; no gradient */
typedef struct wk_normal_args {
    wk_operand mean, std;
    wk_shape size;
    wk_dtype dtype;
    wk_device device;
    wk_generator *generator;
    bool requires_grad;
} wk_normal_args;
#define wk_normal(mean_, std_, ...)                                                                                    \
    wk_normal_with(                                                                                                    \
        (wk_normal_args){.mean = WK_OPERAND(mean_), .std = WK_OPERAND(std_), WK_NORMAL_SIZE(__VA_ARGS__) __VA_ARGS__})
#define WK_NORMAL_SIZE(...) WK_IF_TUPLE(WK_HEAD(__VA_ARGS__), .size = WK_SHAPE, )
wk_tensor *wk_normal_with(wk_normal_args args);

/* bernoulli(p): 1 with probability p, else 0; shape and dtype of p, floating, each in [0, 1] */
typedef struct wk_bernoulli_args {
    wk_tensor *p;
    wk_generator *generator;
} wk_bernoulli_args;
#define wk_bernoulli(...) wk_bernoulli_with((wk_bernoulli_args){.p = __VA_ARGS__})
wk_tensor *wk_bernoulli_with(wk_bernoulli_args args);

/* multinomial(weights, num_samples): indices (num_samples,) or (rows, num_samples) int64, each drawn with probability
   weights / sum along the last dim.  weights: (categories,) or (rows, categories), floating, 0 or more, not all 0. */
typedef struct wk_multinomial_args {
    wk_tensor *weights;
    int64_t num_samples;
    bool replacement;
    wk_generator *generator;
} wk_multinomial_args;
#define wk_multinomial(...) wk_multinomial_with((wk_multinomial_args){.weights = __VA_ARGS__})
wk_tensor *wk_multinomial_with(wk_multinomial_args args);

/* In place; each returns x, whose gradient history ends there.  A leaf that requires grad is an error outside
   wk_no_grad. */

/* uniform_(x, from, to): in [from, to) */
typedef struct wk_uniform_in_place_args {
    wk_tensor *x;
    double from, to;
    wk_generator *generator;
} wk_uniform_in_place_args;
#define wk_uniform_(...) wk_uniform_in_place_with((wk_uniform_in_place_args){.to = 1, .x = __VA_ARGS__})
wk_tensor *wk_uniform_in_place_with(wk_uniform_in_place_args args);

/* normal_(x, mean, std) */
typedef struct wk_normal_in_place_args {
    wk_tensor *x;
    double mean, std;
    wk_generator *generator;
} wk_normal_in_place_args;
#define wk_normal_(...) wk_normal_in_place_with((wk_normal_in_place_args){.std = 1, .x = __VA_ARGS__})
wk_tensor *wk_normal_in_place_with(wk_normal_in_place_args args);

/* bernoulli_(x, p): p a number, or a tensor that broadcasts to x */
typedef struct wk_bernoulli_in_place_args {
    wk_tensor *x;
    wk_operand p;
    wk_generator *generator;
} wk_bernoulli_in_place_args;
#define wk_bernoulli_(x_, p_, ...)                                                                                     \
    wk_bernoulli_in_place_with((wk_bernoulli_in_place_args){.x = x_, .p = WK_OPERAND(p_), __VA_ARGS__})
wk_tensor *wk_bernoulli_in_place_with(wk_bernoulli_in_place_args args);

/* random_(x, low, high): whole numbers in low .. high - 1; random_(x): 0 .. the greatest of an integer dtype, 0 .. 2^24
   of float32 (2^53, 2^11, 2^8 of float64, float16, bfloat16) */
typedef struct wk_random_in_place_args {
    wk_tensor *x;
    int64_t low, high; // both 0: the full range
    wk_generator *generator;
} wk_random_in_place_args;
#define wk_random_(...) wk_random_in_place_with((wk_random_in_place_args){.x = __VA_ARGS__})
wk_tensor *wk_random_in_place_with(wk_random_in_place_args args);

/* exponential_(x, lambd): density lambd exp(-lambd x) */
typedef struct wk_exponential_in_place_args {
    wk_tensor *x;
    double lambd;
    wk_generator *generator;
} wk_exponential_in_place_args;
#define wk_exponential_(...) wk_exponential_in_place_with((wk_exponential_in_place_args){.lambd = 1, .x = __VA_ARGS__})
wk_tensor *wk_exponential_in_place_with(wk_exponential_in_place_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
