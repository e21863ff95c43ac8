/* Boxes: torchvision.ops. */
#include <wick/vision.h>

#include <math.h>
#include <string.h>

#include <wick/activation.h>
#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/join.h>
#include <wick/pointwise.h>
#include <wick/reduction.h>
#include <wick/sorting.h>
#include <wick/view.h>

#include "core/error_internal.h"
#include "core/host.h"

static bool check_boxes(const char *op, const char *name, const wk_tensor *boxes)
{
    if (!wk_is_tensor(boxes))
        return wk_not_a_tensor(op, name, boxes);
    if (boxes->ndim != 2 || boxes->shape[1] != 4 || wk_is_complex(boxes))
        return wk_fail(op, "%s: expected boxes (N, 4), got %s %s", name, wk_dtype_name(boxes->dtype),
                       wk_shape_string(boxes));
    return true;
}

/* ---------------------------------------------------------------- formats */

enum { CORNERS, SIZES, CENTER };

static int find_format(const char *op, const char *argument, const char *name)
{
    static const char *const formats[] = {"xyxy", "xywh", "cxcywh"};
    for (int i = 0; name && i < 3; i++)
        if (strcmp(name, formats[i]) == 0)
            return i;
    wk_fail(op, "%s: expected \"xyxy\", \"xywh\" or \"cxcywh\", got \"%s\"", argument, name ? name : "NULL");
    return -1;
}

static wk_tensor *convert(wk_tensor *boxes, int from, int to)
{
    wk_tensor *a = NULL, *b = NULL, *c = NULL, *d = NULL;
    wk_unbind(boxes, (&a, &b, &c, &d), .dim = -1);
    if (from == CENTER) { // as torchvision, all by way of corners
        wk_tensor *x = wk_sub(a, wk_mul(c, 0.5)), *y = wk_sub(b, wk_mul(d, 0.5));
        c = wk_add(a, wk_mul(c, 0.5)), d = wk_add(b, wk_mul(d, 0.5));
        a = x, b = y;
    } else if (from == SIZES)
        c = wk_add(a, c), d = wk_add(b, d);
    if (to == CENTER) {
        wk_tensor *x = wk_div(wk_add(a, c), 2), *y = wk_div(wk_add(b, d), 2);
        c = wk_sub(c, a), d = wk_sub(d, b);
        a = x, b = y;
    } else if (to == SIZES)
        c = wk_sub(c, a), d = wk_sub(d, b);
    return wk_stack((a, b, c, d), .dim = -1);
}

wk_tensor *(wk_vision_box_convert)(wk_tensor *boxes, const char *in_fmt, const char *out_fmt)
{
    const char *const op = "box_convert";
    WK_NAMES_ERRORS("box_convert");
    const int from = find_format(op, "in_fmt", in_fmt), to = from >= 0 ? find_format(op, "out_fmt", out_fmt) : -1;
    if (to < 0)
        return NULL;
    if (!wk_is_tensor(boxes))
        return wk_not_a_tensor(op, "boxes", boxes);
    if (boxes->ndim < 1 || boxes->shape[boxes->ndim - 1] != 4)
        return wk_fail(op, "boxes: expected (..., 4), got %s", wk_shape_string(boxes));
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(from == to ? wk_clone(boxes) : convert(boxes, from, to));
    }
    return y;
}

/* ---------------------------------------------------------------- areas */

/* halves would overflow, and so would small integers */
static wk_tensor *wide(wk_tensor *x)
{
    if (!x || x->dtype == wk_float32 || x->dtype == wk_float64 || x->dtype == wk_int32 || x->dtype == wk_int64)
        return x;
    return wk_to(x, wk_dtype_is_floating(x->dtype) ? wk_float32 : wk_int32);
}

static wk_tensor *area(wk_tensor *boxes)
{
    boxes = wide(boxes);
    wk_tensor *sides = wk_sub(wk_narrow(boxes, 1, 2, 2), wk_narrow(boxes, 1, 0, 2)); // (N, 2)
    return wk_mul(wk_select(sides, 1, 0), wk_select(sides, 1, 1));
}

wk_tensor *wk_vision_box_area(wk_tensor *boxes)
{
    WK_NAMES_ERRORS("box_area");
    if (!check_boxes("box_area", "boxes", boxes))
        return NULL;
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(area(boxes));
    }
    return y;
}

wk_tensor *wk_vision_box_iou(wk_tensor *a, wk_tensor *b)
{
    WK_NAMES_ERRORS("box_iou");
    if (!check_boxes("box_iou", "a", a) || !check_boxes("box_iou", "b", b))
        return NULL;
    wk_tensor *y = NULL;
    wk_scope
    {
        wk_tensor *rows = wk_unsqueeze(a, 1); // (N, 1, 4)
        wk_tensor *low = wk_maximum(wk_narrow(rows, 2, 0, 2), wk_narrow(b, 1, 0, 2));
        wk_tensor *high = wk_minimum(wk_narrow(rows, 2, 2, 2), wk_narrow(b, 1, 2, 2));
        wk_tensor *sides = wk_relu(wide(wk_sub(high, low))); // (N, M, 2)
        wk_tensor *both = wk_mul(wk_select(sides, 2, 0), wk_select(sides, 2, 1));
        y = wk_keep(wk_div(both, wk_sub(wk_add(wk_unsqueeze(area(a), 1), area(b)), both)));
    }
    return y;
}

/* ---------------------------------------------------------------- nms */

/* in the precision of the boxes, as torchvision computes: what one operation of doubles gives, rounded, is what floats
   give */
static double rounded(bool floats, double x) { return floats ? (double)(float)x : x; }

static double area_of(const double *box, bool floats)
{
    return rounded(floats, rounded(floats, box[2] - box[0]) * rounded(floats, box[3] - box[1]));
}

static double overlap(const double *a, double a_area, const double *b, bool floats)
{
    const double width = fmin(a[2], b[2]) - fmax(a[0], b[0]), height = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    const double both = rounded(floats, fmax(rounded(floats, width), 0) * fmax(rounded(floats, height), 0));
    return rounded(floats, both / rounded(floats, rounded(floats, a_area + area_of(b, floats)) - both));
}

/* what stays, in order, into kept; classes may be NULL; how many.  torchvision moves the boxes of each class apart
   instead, where there are few: then negative coordinates meet those of another class, and far ones are rounded. */
static int64_t suppress(const double *boxes, const int64_t *classes, int64_t *order, int64_t n, double threshold,
                        bool floats, int64_t *kept)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) {
        if (order[i] < 0)
            continue;
        const int64_t stays = kept[count++] = order[i];
        const double *box = boxes + 4 * stays, box_area = area_of(box, floats);
        for (int64_t j = i + 1; j < n; j++)
            if (order[j] >= 0 && (!classes || classes[order[j]] == classes[stays]) &&
                overlap(box, box_area, boxes + 4 * order[j], floats) > threshold)
                order[j] = -1;
    }
    return count;
}

static wk_tensor *nms(const char *op, wk_tensor *boxes, wk_tensor *scores, wk_tensor *idxs, double threshold)
{
    const int64_t n = boxes->shape[0];
    const bool floats = boxes->dtype != wk_float64;
    wk_tensor *corners = wk_contiguous(wk_to(wk_to(wk_detach(boxes), wk_cpu), wk_float64));
    wk_tensor *order = wk_to(wk_argsort(wk_detach(scores), .descending = true, .stable = true), wk_cpu);
    wk_tensor *classes = idxs ? wk_contiguous(wk_to(wk_to(idxs, wk_cpu), wk_int64)) : NULL;
    wk_tensor *kept = wk_tensor_new(op, 1, &n, wk_int64, wk_cpu);
    order = order ? wk_clone(order) : NULL;
    if (!corners || !order || !kept || (idxs && !classes))
        return NULL;
    const int64_t count = suppress(wk_host(op, corners), classes ? wk_host(op, classes) : NULL, wk_host(op, order), n,
                                   threshold, floats, wk_host(op, kept));
    return wk_to(wk_clone(wk_narrow(kept, 0, 0, count)), boxes->device);
}

static bool check_nms(const char *op, const wk_tensor *boxes, const wk_tensor *scores)
{
    if (!check_boxes(op, "boxes", boxes))
        return false;
    if (!wk_is_tensor(scores))
        return wk_not_a_tensor(op, "scores", scores);
    if (!wk_dtype_is_floating(boxes->dtype))
        return wk_fail(op, "boxes: expected floating, got %s", wk_dtype_name(boxes->dtype));
    if (scores->ndim != 1 || scores->shape[0] != boxes->shape[0] || wk_is_complex(scores))
        return wk_fail(op, "scores: expected (%lld,), got %s", (long long)boxes->shape[0], wk_shape_string(scores));
    return true;
}

wk_tensor *wk_vision_nms(wk_tensor *boxes, wk_tensor *scores, double iou_threshold)
{
    WK_NAMES_ERRORS("nms");
    if (!check_nms("nms", boxes, scores))
        return NULL;
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(nms("nms", boxes, scores, NULL, iou_threshold));
    }
    return y;
}

wk_tensor *wk_vision_batched_nms(wk_tensor *boxes, wk_tensor *scores, wk_tensor *idxs, double iou_threshold)
{
    const char *const op = "batched_nms";
    WK_NAMES_ERRORS("batched_nms");
    if (!check_nms(op, boxes, scores))
        return NULL;
    if (!wk_is_tensor(idxs))
        return wk_not_a_tensor(op, "idxs", idxs);
    if (idxs->ndim != 1 || idxs->shape[0] != boxes->shape[0] || wk_dtype_is_floating(idxs->dtype) ||
        wk_is_complex(idxs))
        return wk_fail(op, "idxs: expected whole numbers (%lld,), got %s %s", (long long)boxes->shape[0],
                       wk_dtype_name(idxs->dtype), wk_shape_string(idxs));
    wk_tensor *y = NULL;
    wk_scope
    {
        y = wk_keep(nms(op, boxes, scores, idxs, iou_threshold));
    }
    return y;
}
