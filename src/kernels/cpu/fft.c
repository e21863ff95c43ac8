/* Fourier transforms by Stockham's way: each pass takes a factor of n, and the last leaves the numbers in order.

   LANES rows go together, their numbers side by side, real and imaginary parts apart, so that the innermost loop is as
   long as the rows are many from the first pass on; later passes are longer still.  Factors are 4, 2, 3 and 5, and any
   other prime by its definition, which for a large prime is n times that prime.  A real row of even length is a complex
   one of half the length; the inverse is the transform with real and imaginary parts exchanged. */
// compiled for: float
#include "../fft.h"
#include "cpu.h"

#define LANES 16
#define FACTORS 64

typedef struct transform {
    const wk_fft_work *w;
    int64_t length;    // of the complex rows that are transformed: n, or n / 2
    int64_t lanes;     // rows together
    int64_t step;      // w_length = w_n^step
    const real *c, *s; // cos and -sin of 2 pi t / n, n of each
    int factors[FACTORS], count;
    real *memory; // of each thread: 4 lanes * length
} transform;

typedef struct parts {
    real *re, *im;
} parts;

/* ---------------------------------------------------------------- passes */

/* x (r, m, S) -> y (m, r, S): y[p][k] = sum over j of x[j][p] w_r^(j k), times w_(r m)^(p k).  tw is what of the table
   is one step of w_(r m).  S: the columns, lanes among them.  The first p has no factor to multiply with: so the last
   pass has none at all, and an infinity stays in its own part. */
typedef struct rotation {
    real c, s;
} rotation;

/* y[to] = (re, im) times r */
#define PUT(to, re, im, r)                                                                                             \
    do {                                                                                                               \
        yr[to] = turns ? (re) * (r).c - (im) * (r).s : (re);                                                           \
        yi[to] = turns ? (re) * (r).s + (im) * (r).c : (im);                                                           \
    } while (0)

#define BUTTERFLY(name)                                                                                                \
    WK_INLINE void name(const real *restrict xr, const real *restrict xi, real *restrict yr, real *restrict yi,        \
                        int64_t apart, int64_t S, bool turns, rotation w1, rotation w2, rotation w3)

BUTTERFLY(butterfly2)
{
    (void)w2, (void)w3;
#pragma omp simd
    for (int64_t q = 0; q < S; q++) {
        const real ar = xr[q], ai = xi[q], br = xr[apart + q], bi = xi[apart + q];
        yr[q] = ar + br;
        yi[q] = ai + bi;
        PUT(S + q, ar - br, ai - bi, w1);
    }
}

BUTTERFLY(butterfly3)
{
    const real half_root = (real)0.86602540378443864676;
    (void)w3;
#pragma omp simd
    for (int64_t q = 0; q < S; q++) {
        const real ar = xr[q], ai = xi[q], br = xr[apart + q], bi = xi[apart + q];
        const real dr = xr[2 * apart + q], di = xi[2 * apart + q];
        const real sr = br + dr, si = bi + di, er = half_root * (br - dr), ei = half_root * (bi - di);
        const real mr = ar - (real)0.5 * sr, mi = ai - (real)0.5 * si;
        yr[q] = ar + sr;
        yi[q] = ai + si;
        PUT(S + q, mr + ei, mi - er, w1);
        PUT(2 * S + q, mr - ei, mi + er, w2);
    }
}

BUTTERFLY(butterfly4)
{
#pragma omp simd
    for (int64_t q = 0; q < S; q++) {
        const real ar = xr[q], ai = xi[q], br = xr[apart + q], bi = xi[apart + q];
        const real dr = xr[2 * apart + q], di = xi[2 * apart + q], er = xr[3 * apart + q], ei = xi[3 * apart + q];
        const real pr = ar + dr, pi = ai + di, nr = ar - dr, ni = ai - di;
        const real fr = br + er, fi = bi + ei, gr = br - er, gi = bi - ei;
        yr[q] = pr + fr;
        yi[q] = pi + fi;
        PUT(S + q, nr + gi, ni - gr, w1);
        PUT(2 * S + q, pr - fr, pi - fi, w2);
        PUT(3 * S + q, nr - gi, ni + gr, w3);
    }
}

#define PASS(name, butterfly, r)                                                                                       \
    static void name(const transform *t, parts x, parts y, int64_t m, int64_t S, int64_t tw)                           \
    {                                                                                                                  \
        const rotation one = {1, 0};                                                                                   \
        butterfly(x.re, x.im, y.re, y.im, m *S, S, false, one, one, one);                                              \
        for (int64_t p = 1; p < m; p++) {                                                                              \
            const int64_t a = p * tw, b = 2 * a, c = r > 3 ? 3 * a : 0;                                                \
            const rotation w1 = {t->c[a], t->s[a]}, w2 = {t->c[r > 2 ? b : 0], t->s[r > 2 ? b : 0]},                   \
                           w3 = {t->c[c], t->s[c]};                                                                    \
            butterfly(x.re + p * S, x.im + p * S, y.re + r * p * S, y.im + r * p * S, m * S, S, true, w1, w2, w3);     \
        }                                                                                                              \
    }
PASS(pass2, butterfly2, 2)
PASS(pass3, butterfly3, 3)
PASS(pass4, butterfly4, 4)

/* any factor, by the definition; the factor 5 with its loops unrolled */
WK_INLINE void pass_any(const transform *t, const real *restrict xr, const real *restrict xi, real *restrict yr,
                        real *restrict yi, int64_t m, int64_t S, int64_t tw, int r)
{
    const int64_t whole = r * m; // the angle j k m + p k goes on from j to j + 1
    for (int64_t p = 0; p < m; p++)
        for (int64_t k = 0; k < r; k++) {
            const int64_t to = (r * p + k) * S;
            int64_t angle = p * k;
            for (int64_t j = 0; j < r; j++) {
                const real c = t->c[angle * tw], s = t->s[angle * tw];
                const int64_t from = (p + m * j) * S;
                if (j == 0) {
#pragma omp simd
                    for (int64_t q = 0; q < S; q++) {
                        yr[to + q] = xr[from + q] * c - xi[from + q] * s;
                        yi[to + q] = xr[from + q] * s + xi[from + q] * c;
                    }
                } else {
#pragma omp simd
                    for (int64_t q = 0; q < S; q++) {
                        yr[to + q] += xr[from + q] * c - xi[from + q] * s;
                        yi[to + q] += xr[from + q] * s + xi[from + q] * c;
                    }
                }
                angle += k * m;
                angle -= angle >= whole ? whole : 0;
            }
        }
}

/* the transform of x (length, lanes); the result is in what is returned, x or y */
static parts passes(const transform *t, parts x, parts y)
{
    int64_t S = t->lanes, left = t->length, tw = t->step;
    for (int i = 0; i < t->count; i++) {
        const int r = t->factors[i];
        const int64_t m = left / r;
        if (r == 4)
            pass4(t, x, y, m, S, tw);
        else if (r == 2)
            pass2(t, x, y, m, S, tw);
        else if (r == 3)
            pass3(t, x, y, m, S, tw);
        else if (r == 5)
            pass_any(t, x.re, x.im, y.re, y.im, m, S, tw, 5);
        else
            pass_any(t, x.re, x.im, y.re, y.im, m, S, tw, r);
        const parts made = y;
        y = x;
        x = made;
        left = m;
        S *= r;
        tw *= r;
    }
    return x;
}

/* ---------------------------------------------------------------- between rows and lanes */

/* Of each lane z[t] = (x[2t], x[2t + 1]), pairs of a complex row or of a real one of even length. */
static void gather_pairs(const real *x, int64_t stride, int64_t length, int64_t lanes, int64_t rows, real *restrict re,
                         real *restrict im)
{
    for (int64_t k = 0; k < length; k++, re += lanes, im += lanes)
        for (int64_t l = 0; l < lanes; l++) {
            re[l] = l < rows ? x[l * stride + 2 * k] : 0;
            im[l] = l < rows ? x[l * stride + 2 * k + 1] : 0;
        }
}

static void scatter_pairs(real *y, int64_t stride, int64_t length, int64_t lanes, int64_t rows, const real *re,
                          const real *im, real scale)
{
    for (int64_t k = 0; k < length; k++, re += lanes, im += lanes)
        for (int64_t l = 0; l < rows; l++) {
            y[l * stride + 2 * k] = scale * re[l];
            y[l * stride + 2 * k + 1] = scale * im[l];
        }
}

/* Z, the transform of z, x's pairs -> X[k] = (Z[k] + conj Z[-k]) / 2 - i w^k (Z[k] - conj Z[-k]) / 2, k = 0..n / 2 */
static void split_halves(const transform *t, parts z, real *y, int64_t stride, int64_t rows, real scale)
{
    const int64_t N = t->length, L = t->lanes;
    scale /= 2;
    for (int64_t k = 0; k <= N; k++) {
        const real *ar = z.re + (k % N) * L, *ai = z.im + (k % N) * L;
        const real *br = z.re + ((N - k) % N) * L, *bi = z.im + ((N - k) % N) * L;
        const real c = t->c[k], s = t->s[k];
        for (int64_t l = 0; l < rows; l++) {
            const real er = ar[l] + br[l], ei = ai[l] - bi[l], dr = ar[l] - br[l], di = ai[l] + bi[l];
            y[l * stride + 2 * k] = scale * (er + (dr * s + di * c));
            y[l * stride + 2 * k + 1] = k == 0 || k == N ? 0 : scale * (ei - (dr * c - di * s));
        }
    }
}

/* the way back: Z[k] = (X[k] + conj X[n / 2 - k]) + i w^-k (X[k] - conj X[n / 2 - k]), whose inverse are x's pairs */
static void join_halves(const transform *t, const real *x, int64_t stride, int64_t rows, real *re, real *im)
{
    const int64_t N = t->length, L = t->lanes;
    for (int64_t k = 0; k < N; k++) {
        const real c = t->c[k], s = t->s[k];
        for (int64_t l = 0; l < L; l++) {
            if (l >= rows) {
                re[k * L + l] = im[k * L + l] = 0;
                continue;
            }
            const real *a = x + l * stride + 2 * k, *b = x + l * stride + 2 * (N - k);
            const real ai = k == 0 ? 0 : a[1], bi = k == 0 ? 0 : b[1];
            const real er = a[0] + b[0], ei = ai - bi, dr = a[0] - b[0], di = ai + bi;
            re[k * L + l] = er - (di * c - dr * s);
            im[k * L + l] = ei + (dr * c + di * s);
        }
    }
}

/* a real row of odd length, as a complex one */
static void gather_real(const real *x, int64_t n, int64_t lanes, int64_t rows, real *re, real *im)
{
    for (int64_t l = 0; l < lanes; l++)
        for (int64_t k = 0; k < n; k++) {
            re[k * lanes + l] = l < rows ? x[l * n + k] : 0;
            im[k * lanes + l] = 0;
        }
}

/* x[0..n / 2] and their conjugates, of odd n */
static void gather_hermitian(const real *x, int64_t n, int64_t lanes, int64_t rows, real *re, real *im)
{
    for (int64_t l = 0; l < lanes; l++)
        for (int64_t k = 0; k < n; k++) {
            const real *from = x + 2 * (l * (n / 2 + 1) + (k <= n / 2 ? k : n - k));
            re[k * lanes + l] = l < rows ? from[0] : 0;
            im[k * lanes + l] = l >= rows || k == 0 ? 0 : k <= n / 2 ? from[1] : -from[1];
        }
}

/* an item is `lanes` rows */
static void fft_blocks(const void *work, int64_t begin, int64_t end)
{
    const transform *t = work;
    const wk_fft_work *w = t->w;
    const int64_t L = t->lanes, N = t->length, n = w->n, half = 2 * (n / 2 + 1), size = L * N;
    real *const memory = t->memory + wk_parallel_thread() * 4 * size;
    const bool halved = N < n;
    for (int64_t block = begin; block < end; block++) {
        const int64_t row = block * L, rows = w->rows - row < L ? w->rows - row : L;
        const real *x = w->x;
        real *y = w->y;
        parts a = {memory, memory + size}, b = {memory + 2 * size, memory + 3 * size};
        if (w->inverse)
            a = (parts){a.im, a.re}, b = (parts){b.im, b.re};
        real *re = w->inverse ? a.im : a.re, *im = w->inverse ? a.re : a.im;
        if (w->real_x && halved)
            gather_pairs(x + row * n, n, N, L, rows, re, im);
        else if (w->real_x)
            gather_real(x + row * n, n, L, rows, re, im);
        else if (w->real_y && halved)
            join_halves(t, x + row * half, half, rows, re, im);
        else if (w->real_y)
            gather_hermitian(x + row * half, n, L, rows, re, im);
        else
            gather_pairs(x + row * 2 * n, 2 * n, N, L, rows, re, im);
        const parts z = passes(t, a, b);
        re = w->inverse ? z.im : z.re, im = w->inverse ? z.re : z.im;
        const real scale = (real)w->scale;
        if (w->real_x && halved)
            split_halves(t, z, y + row * half, half, rows, scale);
        else if (w->real_x)
            scatter_pairs(y + row * half, half, n / 2 + 1, L, rows, re, im, scale);
        else if (w->real_y && halved)
            scatter_pairs(y + row * n, n, N, L, rows, re, im, scale);
        else if (!w->real_y)
            scatter_pairs(y + row * 2 * n, 2 * n, N, L, rows, re, im, scale);
        for (int64_t l = 0; w->real_y && !halved && l < rows; l++)
            for (int64_t k = 0; k < n; k++)
                y[(row + l) * n + k] = scale * re[k * L + l];
    }
}

/* ---------------------------------------------------------------- the table, and the factors */

/* cos and -sin of 2 pi t / n: products of those of the multiples of 64 and of what is left, in double */
static void fill_table(int64_t n, double *coarse, real *c, real *s)
{
    enum { FINE = 64 };
    const double turn = 6.283185307179586476925286766559 / (double)n;
    double fine[FINE][2];
    for (int i = 0; i < FINE; i++)
        fine[i][0] = cos(turn * i), fine[i][1] = -sin(turn * i);
    for (int64_t i = 0; i <= (n - 1) / FINE; i++)
        coarse[2 * i] = cos(turn * (double)(FINE * i)), coarse[2 * i + 1] = -sin(turn * (double)(FINE * i));
    for (int64_t i = 0; i < n; i++) {
        const double *a = coarse + 2 * (i / FINE), *b = fine[i % FINE];
        c[i] = (real)(a[0] * b[0] - a[1] * b[1]);
        s[i] = (real)(a[0] * b[1] + a[1] * b[0]);
    }
    for (int quarter = 0; quarter < 4; quarter++) // exact where it can be
        if (quarter * n % 4 == 0) {
            c[quarter * n / 4] = (real)(quarter == 0) - (real)(quarter == 2);
            s[quarter * n / 4] = (real)(quarter == 3) - (real)(quarter == 1);
        }
}

WK_KERNEL(fft, wk_fft_work)
{
    if (w->rows == 0)
        return;
    const bool halved = (w->real_x || w->real_y) && w->n % 2 == 0;
    transform t = {.w = w, .length = halved ? w->n / 2 : w->n, .step = halved ? 2 : 1};
    int64_t left = t.length;
    for (int factor = 4; left > 1; factor = factor == 4 ? 2 : factor == 2 ? 3 : factor + 2) {
        if (factor > 5 && (int64_t)factor * factor > left)
            factor = (int)left;
        for (; left % factor == 0; left /= factor)
            t.factors[t.count++] = factor;
    }
    /* so many lanes that two buffers stay in a core's cache */
    t.lanes = 1;
    while (t.lanes < LANES && t.lanes < w->rows && t.lanes * t.length < 8192)
        t.lanes *= 2;
    const int64_t blocks = (w->rows + t.lanes - 1) / t.lanes, size = 4 * t.lanes * t.length;
    double *coarse = queue->scratch(queue, (size_t)(2 * (w->n / 64 + 1)) * sizeof *coarse);
    real *table = queue->scratch(queue, (size_t)(2 * w->n + 1) * sizeof *table);
    t.memory = queue->scratch(queue, (size_t)(wk_parallel_threads() * size) * sizeof *t.memory);
    if (!coarse || !table || !t.memory)
        return;
    fill_table(w->n, coarse, table, table + w->n);
    t.c = table;
    t.s = table + w->n;
    wk_parallel(fft_blocks, &t, blocks, t.lanes * t.length * (2 + 2 * t.count));
}
