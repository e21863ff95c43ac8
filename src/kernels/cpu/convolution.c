/* 2-d convolution as a matrix product per image and group: the columns of an image are what the kernel sees at each
   place,

       columns (C / groups * KH * KW, OH * OW)     y = weight (O / groups, C / groups * KH * KW) columns + bias
       dcolumns = weight^T dy, added back to dx    dweight = dy columns^T, summed over images

   It stands in where oneDNN has no say (float64) or is slower (few channels, small images).  A slot does its share of
   the images one after another. */
// compiled for: float
#include "../kernels.h"
#include "../convolution.h"
#include "gemm.h"

typedef struct place {
    int64_t columns, rows, image_x, image_y; // sizes: of the matrix of columns, and of one group's part of an image
    real *matrix;
} place;

static place scratch_of(const wk_convolution_work *w, int64_t slot)
{
    const wk_convolution_shape *s = &w->shape;
    const int64_t channels = s->C / s->groups;
    return (place){.columns = s->OH * s->OW,
                   .rows = channels * s->KH * s->KW,
                   .image_x = channels * s->H * s->W,
                   .image_y = s->O / s->groups * s->OH * s->OW,
                   .matrix = (real *)(w->scratch + w->plan->shared_bytes + slot * w->slot_bytes)};
}

/* the first and one past the last place along a dim where the kernel's tap falls inside the image */
static void inside(const wk_convolution_shape *s, int dim, int64_t tap, int64_t size, int64_t places, int64_t *first,
                   int64_t *end)
{
    const int64_t from = tap * s->dilation[dim] - s->padding[dim], stride = s->stride[dim];
    *first = from >= 0 ? 0 : (-from + stride - 1) / stride;
    *end = size - from <= 0 ? 0 : (size - from + stride - 1) / stride;
    *first = *first < places ? *first : places;
    *end = *end < *first ? *first : *end < places ? *end : places;
}

/* columns from x, or (add_back) x += what columns hold */
static void visit_columns(const wk_convolution_shape *s, real *x, real *columns, bool add_back)
{
    const int64_t stride = s->stride[1];
    for (int64_t c = 0; c < s->C / s->groups; c++)
        for (int64_t kh = 0; kh < s->KH; kh++)
            for (int64_t kw = 0; kw < s->KW; kw++, columns += s->OH * s->OW) {
                int64_t top, bottom, left, right;
                inside(s, 0, kh, s->H, s->OH, &top, &bottom);
                inside(s, 1, kw, s->W, s->OW, &left, &right);
                const int64_t from = kw * s->dilation[1] - s->padding[1];
                if (!add_back && (top > 0 || bottom < s->OH || left > 0 || right < s->OW))
                    memset(columns, 0, (size_t)(s->OH * s->OW) * sizeof(real));
                for (int64_t oh = top; oh < bottom; oh++) {
                    real *line = columns + oh * s->OW;
                    real *pixels =
                        x + (c * s->H + oh * s->stride[0] + kh * s->dilation[0] - s->padding[0]) * s->W + from;
                    if (add_back)
                        for (int64_t ow = left; ow < right; ow++)
                            pixels[ow * stride] += line[ow];
                    else
                        for (int64_t ow = left; ow < right; ow++)
                            line[ow] = pixels[ow * stride];
                }
            }
}

/* a 1x1 kernel sees the image as it is */
static bool is_image(const wk_convolution_shape *s)
{
    return s->KH == 1 && s->KW == 1 && s->stride[0] == 1 && s->stride[1] == 1 && s->padding[0] == 0 &&
           s->padding[1] == 0 && s->padding_end[0] == 0 && s->padding_end[1] == 0;
}

static const real *columns_of(const wk_convolution_shape *s, real *x, real *matrix)
{
    if (is_image(s))
        return x;
    visit_columns(s, x, matrix, false);
    return matrix;
}

void KERNEL_NAME(convolution)(const void *work, int64_t begin, int64_t end)
{
    const wk_convolution_work *w = work;
    const wk_convolution_shape *s = &w->shape;
    const int64_t outputs = s->O / s->groups;
    for (int64_t slot = begin; slot < end; slot++) {
        const place at = scratch_of(w, slot);
        for (int64_t n = slot * s->N / w->slots; n < (slot + 1) * s->N / w->slots; n++)
            for (int64_t g = 0; g < s->groups; g++) {
                real *y = (real *)w->y + (n * s->groups + g) * at.image_y;
                const real *columns = columns_of(s, (real *)w->x + (n * s->groups + g) * at.image_x, at.matrix);
                const real *bias = w->bias ? (const real *)w->bias + g * outputs : NULL;
                for (int64_t o = 0; bias && o < outputs; o++)
                    for (int64_t i = 0; i < at.columns; i++)
                        y[o * at.columns + i] = bias[o];
                wk_gemm(outputs, at.columns, at.rows, 1, (const real *)w->weight + g * outputs * at.rows, at.rows, 1,
                        columns, at.columns, 1, bias ? 1 : 0, y, at.columns);
            }
    }
}

void KERNEL_NAME(convolution_data)(const void *work, int64_t begin, int64_t end)
{
    const wk_convolution_work *w = work;
    const wk_convolution_shape *s = &w->shape;
    const int64_t outputs = s->O / s->groups;
    for (int64_t slot = begin; slot < end; slot++) {
        const place at = scratch_of(w, slot);
        for (int64_t n = slot * s->N / w->slots; n < (slot + 1) * s->N / w->slots; n++)
            for (int64_t g = 0; g < s->groups; g++) {
                real *dx = (real *)w->x + (n * s->groups + g) * at.image_x;
                real *columns = is_image(s) ? dx : at.matrix;
                wk_gemm(at.rows, at.columns, outputs, 1, (const real *)w->weight + g * outputs * at.rows, 1, at.rows,
                        (const real *)w->y + (n * s->groups + g) * at.image_y, at.columns, 1, 0, columns, at.columns);
                if (columns == dx)
                    continue;
                memset(dx, 0, (size_t)at.image_x * sizeof(real));
                visit_columns(s, dx, columns, true);
            }
    }
}

void KERNEL_NAME(convolution_weight)(const void *work, int64_t begin, int64_t end)
{
    const wk_convolution_work *w = work;
    const wk_convolution_shape *s = &w->shape;
    const int64_t outputs = s->O / s->groups;
    for (int64_t slot = begin; slot < end; slot++) {
        const place at = scratch_of(w, slot);
        const int64_t first = slot * s->N / w->slots;
        real *part = (real *)w->scratch + slot * s->O * at.rows;
        for (int64_t n = first; n < (slot + 1) * s->N / w->slots; n++)
            for (int64_t g = 0; g < s->groups; g++) {
                const real *columns = columns_of(s, (real *)w->x + (n * s->groups + g) * at.image_x, at.matrix);
                wk_gemm(outputs, at.rows, at.columns, 1, (const real *)w->y + (n * s->groups + g) * at.image_y,
                        at.columns, 1, columns, 1, at.columns, n == first ? 0 : 1, part + g * outputs * at.rows,
                        at.rows);
            }
    }
}
