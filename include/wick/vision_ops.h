/* Boxes in pictures: torchvision.ops, and torchvision.utils.draw_bounding_boxes.

   Boxes are (N, 4): xmin, ymin, xmax, ymax, in pixels, unless said otherwise. */
#ifndef WICK_VISION_OPS_H
#define WICK_VISION_OPS_H
#pragma GCC system_header // see tensor.h

#include <wick/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* box_convert(boxes, in_fmt, out_fmt): (..., 4) of "xyxy" (two corners), "xywh" (a corner, width, height), "cxcywh"
   (the center, width, height) */
wk_tensor *wk_vision_box_convert(wk_tensor *boxes, const char *in_fmt, const char *out_fmt);
#ifndef __cplusplus
#define wk_vision_box_convert(x_, ...)                                                                                 \
    WK_NAMED(const char *in_fmt; const char *out_fmt;                                                                  \
             , wk_vision_box_convert(wk_given.x, wk_given.in_fmt, wk_given.out_fmt), x_, __VA_ARGS__)
#endif
/* box_area(boxes): (N, 4) -> (N,).  box_iou(a, b): (N, 4), (M, 4) -> (N, M), intersection over union. */
wk_tensor *wk_vision_box_area(wk_tensor *boxes);
wk_tensor *wk_vision_box_iou(wk_tensor *a, wk_tensor *b);

/* nms(boxes, scores, iou_threshold): int64 (K,): which of the boxes (N, 4) stay, by falling score (N,); one goes whose
   overlap (intersection over union) with one that stays, of a higher score, is more than iou_threshold */
wk_tensor *wk_vision_nms(wk_tensor *boxes, wk_tensor *scores, double iou_threshold);
/* batched_nms(boxes, scores, idxs, iou_threshold): the same within each class, idxs (N,) int64 */
wk_tensor *wk_vision_batched_nms(wk_tensor *boxes, wk_tensor *scores, wk_tensor *idxs, double iou_threshold);

/* utils.draw_bounding_boxes(image, boxes, labels, colors, fill, width = 1): a copy of image, uint8 or floating 0 .. 1,
   (3, H, W) or (1, H, W), with boxes drawn: always (3, H, W).
       wk_vision_draw_bounding_boxes(image, boxes, .color = "red", .width = 3)
   labels, colors: one for each box; a color is "#ff8000" or one of CSS's sixteen names ("red") or "orange"; without
   any, torchvision's palette, which begins with black.  fill: also inside, see-through.  The letters are wick's own. */
typedef struct wk_vision_draw_bounding_boxes_args {
    wk_tensor *image, *boxes;
    const char *const *labels, *const *colors;
    const char *color; // of all
    bool fill;
    int64_t width;
    double font_size; // pixels; 12
} wk_vision_draw_bounding_boxes_args;
#define wk_vision_draw_bounding_boxes(image_, ...)                                                                     \
    wk_vision_draw_bounding_boxes_with(                                                                                \
        (wk_vision_draw_bounding_boxes_args){.width = 1, .font_size = 12, .image = image_, .boxes = __VA_ARGS__})
wk_tensor *wk_vision_draw_bounding_boxes_with(wk_vision_draw_bounding_boxes_args args);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
