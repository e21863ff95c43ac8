/* The walk of walk.h, and the conversions it needs. */
// compiled for: float integer complex
#include "walk.h"

/* Where element `index` (row-major) lies in each operand; steps from row to row like an odometer. */
typedef struct position {
    int64_t coordinate[WK_KERNEL_MAX_DIMS];
    int64_t offset[4]; // a, b, c, y
} position;

/* a number lies in the work itself */
static const void *data_of(const wk_pointwise_operand *operand)
{
    return operand->data ? operand->data : &operand->number;
}

static const wk_pointwise_operand *operand_of(const wk_pointwise_work *work, int i)
{
    return i < 3 ? &work->in[i] : &work->out;
}

static void position_at(const wk_pointwise_work *work, int64_t index, position *at)
{
    memset(at, 0, sizeof *at);
    for (int dim = work->ndim - 1; dim >= 0; dim--) {
        at->coordinate[dim] = index % work->shape[dim];
        index /= work->shape[dim];
        for (int i = 0; i < 4; i++)
            if (i == 3 || i < work->inputs)
                at->offset[i] += at->coordinate[dim] * operand_of(work, i)->strides[dim];
    }
}

/* moves n elements along the last dim; at its end, on to the next row */
static void position_advance(const wk_pointwise_work *work, int64_t n, position *at)
{
    for (int dim = work->ndim - 1; dim >= 0; dim--, n = 1) {
        at->coordinate[dim] += n;
        for (int i = 0; i < 4; i++)
            if (i == 3 || i < work->inputs)
                at->offset[i] += n * operand_of(work, i)->strides[dim];
        if (at->coordinate[dim] < work->shape[dim])
            return;
        for (int i = 0; i < 4; i++)
            if (i == 3 || i < work->inputs)
                at->offset[i] -= at->coordinate[dim] * operand_of(work, i)->strides[dim];
        at->coordinate[dim] = 0;
    }
}

/* floats reach integers narrower than 64 bits by way of int64, as in PyTorch: -1.0 to uint8 is 255 */
#if WK_IS_INTEGER
#define OF_FLOAT(value) (WK_DTYPE_ID == wk_bool ? (int64_t)((value) != 0) : (int64_t)(value))
#else
#define OF_FLOAT(value) (value)
#endif

#define FROM(ctype, value)                                                                                             \
    {                                                                                                                  \
        const ctype *source = (const ctype *)x + offset;                                                              \
        for (int64_t i = 0; i < n; i++) {                                                                             \
            const ctype element = source[i * stride];                                                                 \
            buffer[i] = (real)(value);                                                                                \
        }                                                                                                              \
        break;                                                                                                         \
    }
static void load(const void *x, wk_dtype dtype, int64_t offset, int64_t stride, real *buffer, int64_t n)
{
    switch (dtype) {
    case wk_bool: FROM(uint8_t, element) // gcc does not vectorize what becomes of a bool
    case wk_uint8: FROM(uint8_t, element)
    case wk_int8: FROM(int8_t, element)
    case wk_int16: FROM(int16_t, element)
    case wk_int32: FROM(int32_t, element)
    case wk_int64: FROM(int64_t, element)
    case wk_float16: FROM(uint16_t, OF_FLOAT(wk_float_of_float16(element)))
    case wk_bfloat16: FROM(uint16_t, OF_FLOAT(wk_float_of_bfloat16(element)))
    case wk_float32: FROM(float, OF_FLOAT(element))
    case wk_float64: FROM(double, OF_FLOAT(element))
    case wk_complex64: FROM(float _Complex, OF_FLOAT(element))
    case wk_complex128: FROM(double _Complex, OF_FLOAT(element))
    default: break;
    }
}

#define TO(ctype, value)                                                                                            \
    {                                                                                                                  \
        ctype *target = (ctype *)y + offset;                                                                          \
        for (int64_t i = 0; i < n; i++) {                                                                             \
            const real element = buffer[i];                                                                           \
            target[i * stride] = (ctype)(value);                                                                      \
        }                                                                                                              \
        break;                                                                                                         \
    }
static void store(const real *buffer, void *y, wk_dtype dtype, int64_t offset, int64_t stride, int64_t n)
{
    switch (dtype) {
    case wk_bool: TO(bool, element != 0)
    case wk_uint8: TO(uint8_t, (int64_t)element)
    case wk_int8: TO(int8_t, (int64_t)element)
    case wk_int16: TO(int16_t, (int64_t)element)
    case wk_int32: TO(int32_t, (int64_t)element)
    case wk_int64: TO(int64_t, element)
    case wk_float16: TO(uint16_t, wk_float16_of_float((float)element))
    case wk_bfloat16: TO(uint16_t, wk_bfloat16_of_float((float)element))
    case wk_float32: TO(float, element)
    case wk_float64: TO(double, element)
    case wk_complex64: TO(float _Complex, element)
    case wk_complex128: TO(double _Complex, element)
    default: break;
    }
}

/* one number everywhere: its buffer is filled once */
static bool is_constant(const wk_pointwise_operand *operand, int ndim)
{
    for (int dim = 0; dim < ndim; dim++)
        if (operand->strides[dim] != 0)
            return false;
    return true;
}

static real *element_at(const wk_pointwise_operand *operand, int64_t offset)
{
    return (real *)(uintptr_t)data_of(operand) + offset;
}

void KERNEL_NAME(walk)(const wk_pointwise_work *work, wk_loop *loop, int64_t begin, int64_t end)
{
    const int last = work->ndim - 1;
    const int64_t row = work->ndim > 0 ? work->shape[last] : 1;
    const real p = (real)OF_FLOAT(work->numbers[0]), q = (real)OF_FLOAT(work->numbers[1]);
    bool direct[4], constant[3] = {false}, simple = work->ndim == 1;
    int64_t stride[4];
    for (int i = 0; i < 4; i++) {
        stride[i] = work->ndim > 0 ? operand_of(work, i)->strides[last] : 1;
        direct[i] = operand_of(work, i)->dtype == WK_DTYPE_ID && stride[i] == 1;
    }

    real buffers[4][WK_PIECE] __attribute__((aligned(64)));
    const real *in[3] = {0};
    for (int k = 0; k < work->inputs; k++) {
        constant[k] = !direct[k] && is_constant(&work->in[k], work->ndim);
        if (constant[k])
            load(data_of(&work->in[k]), work->in[k].dtype, 0, 0, buffers[k],
                 end - begin < WK_PIECE ? end - begin : WK_PIECE);
        in[k] = direct[k] ? element_at(&work->in[k], begin) : buffers[k];
        simple &= direct[k] || (constant[k] && end - begin <= WK_PIECE);
    }
    if (simple && direct[3]) { // most of the time; what follows would be a third of the time of a small tensor
        loop(in[0], in[1], in[2], element_at(&work->out, begin), p, q, end - begin);
        return;
    }
    position at;
    position_at(work, begin, &at);
    for (int64_t i = begin; i < end;) {
        int64_t n = work->ndim > 0 ? row - at.coordinate[last] : 1;
        n = n < end - i ? n : end - i;
        bool buffered = !direct[3];
        for (int k = 0; k < work->inputs; k++)
            buffered |= !direct[k];
        if (buffered && n > WK_PIECE)
            n = WK_PIECE;

        for (int k = 0; k < work->inputs; k++) {
            if (direct[k]) {
                in[k] = element_at(&work->in[k], at.offset[k]);
                continue;
            }
            if (!constant[k])
                load(data_of(&work->in[k]), work->in[k].dtype, at.offset[k], stride[k], buffers[k], n);
            in[k] = buffers[k];
        }
        real *out = direct[3] ? element_at(&work->out, at.offset[3]) : buffers[3];
        loop(in[0], in[1], in[2], out, p, q, n);
        if (!direct[3])
            store(out, work->out.data, work->out.dtype, at.offset[3], stride[3], n);
        i += n;
        position_advance(work, n, &at);
    }
}
