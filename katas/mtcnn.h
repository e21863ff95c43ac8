/* MTCNN, the face detector of facenet-pytorch, name for name: its pnet.pt, rnet.pt and onet.pt load strictly.

   Three small nets, each asked about fewer places than the one before: P looks at every window of 12x12 of the picture
   in many sizes, R at those windows that are left, O at what R leaves; each says how likely a window is a face, and how
   its edges should move.  In between, windows that overlap a likelier one are dropped, and the rest made square.

   "Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks",
   https://arxiv.org/abs/1604.02878 */
#ifndef KATAS_MTCNN_H
#define KATAS_MTCNN_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <wick.h>

/* ---------------------------------------------------------------- the nets */

/* P ends in convolutions, so it answers for all windows of a picture at once; R and O in linear layers */
typedef struct mtcnn_net {
    wk_module_base base;
    wk_module *conv1, *prelu1, *pool1, *conv2, *prelu2, *pool2, *conv3, *prelu3, *pool3, *conv4, *prelu4;
    wk_module *dense, *prelu_dense;   // NULL in P
    wk_module *face, *edges, *points; // what is asked of the features; points: only in O
} mtcnn_net;

typedef struct mtcnn_answer {
    wk_tensor *face, *edges, *points; // P: (1, 2, H', W'), (1, 4, H', W'); R, O: (B, 2), (B, 4), (B, 10)
} mtcnn_answer;

/* x (B, 3, H, W), 0 to 255 */
static mtcnn_answer mtcnn_ask(void *module, wk_tensor *x)
{
    mtcnn_net *self = module;
    wk_module *const steps[] = {self->conv1, self->prelu1, self->pool1, self->conv2, self->prelu2, self->pool2,
                                self->conv3, self->prelu3, self->pool3, self->conv4, self->prelu4};
    x = wk_mul(wk_sub(x, 127.5), 0.0078125);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i])
            x = wk_forward(steps[i], x); // (B, C, H', W')
    if (self->dense) {
        x = wk_flatten(wk_permute(x, (0, 3, 2, 1)), 1); // (B, W' * H' * C): the order it was trained in
        x = wk_forward(self->prelu_dense, wk_forward(self->dense, x));
    }
    return (mtcnn_answer){.face = wk_softmax(wk_forward(self->face, x), .dim = 1),
                          .edges = wk_forward(self->edges, x),
                          .points = self->points ? wk_forward(self->points, x) : NULL};
}

static wk_module *mtcnn_pool(int64_t size) { return wk_nn_max_pool2d(size, .stride = 2, .ceil_mode = true); }

static mtcnn_net *mtcnn_pnet_new(void)
{
    mtcnn_net *self = wk_module_new(mtcnn_net, NULL);
    wk_add_module(self, conv1, wk_nn_conv2d(3, 10, 3));
    wk_add_module(self, prelu1, wk_nn_prelu(10));
    wk_add_module(self, pool1, mtcnn_pool(2));
    wk_add_module(self, conv2, wk_nn_conv2d(10, 16, 3));
    wk_add_module(self, prelu2, wk_nn_prelu(16));
    wk_add_module(self, conv3, wk_nn_conv2d(16, 32, 3));
    wk_add_module(self, prelu3, wk_nn_prelu(32));
    wk_module_add_module(self, "conv4_1", self->face = wk_nn_conv2d(32, 2, 1));
    wk_module_add_module(self, "conv4_2", self->edges = wk_nn_conv2d(32, 4, 1));
    return self;
}

static mtcnn_net *mtcnn_rnet_new(void)
{
    mtcnn_net *self = wk_module_new(mtcnn_net, NULL);
    wk_add_module(self, conv1, wk_nn_conv2d(3, 28, 3));
    wk_add_module(self, prelu1, wk_nn_prelu(28));
    wk_add_module(self, pool1, mtcnn_pool(3));
    wk_add_module(self, conv2, wk_nn_conv2d(28, 48, 3));
    wk_add_module(self, prelu2, wk_nn_prelu(48));
    wk_add_module(self, pool2, mtcnn_pool(3));
    wk_add_module(self, conv3, wk_nn_conv2d(48, 64, 2)); // (B, 64, 3, 3)
    wk_add_module(self, prelu3, wk_nn_prelu(64));
    wk_module_add_module(self, "dense4", self->dense = wk_nn_linear(576, 128));
    wk_module_add_module(self, "prelu4", self->prelu_dense = wk_nn_prelu(128));
    wk_module_add_module(self, "dense5_1", self->face = wk_nn_linear(128, 2));
    wk_module_add_module(self, "dense5_2", self->edges = wk_nn_linear(128, 4));
    return self;
}

static mtcnn_net *mtcnn_onet_new(void)
{
    mtcnn_net *self = wk_module_new(mtcnn_net, NULL);
    wk_add_module(self, conv1, wk_nn_conv2d(3, 32, 3));
    wk_add_module(self, prelu1, wk_nn_prelu(32));
    wk_add_module(self, pool1, mtcnn_pool(3));
    wk_add_module(self, conv2, wk_nn_conv2d(32, 64, 3));
    wk_add_module(self, prelu2, wk_nn_prelu(64));
    wk_add_module(self, pool2, mtcnn_pool(3));
    wk_add_module(self, conv3, wk_nn_conv2d(64, 64, 3));
    wk_add_module(self, prelu3, wk_nn_prelu(64));
    wk_add_module(self, pool3, mtcnn_pool(2));
    wk_add_module(self, conv4, wk_nn_conv2d(64, 128, 2)); // (B, 128, 3, 3)
    wk_add_module(self, prelu4, wk_nn_prelu(128));
    wk_module_add_module(self, "dense5", self->dense = wk_nn_linear(1152, 256));
    wk_module_add_module(self, "prelu5", self->prelu_dense = wk_nn_prelu(256));
    wk_module_add_module(self, "dense6_1", self->face = wk_nn_linear(256, 2));
    wk_module_add_module(self, "dense6_2", self->edges = wk_nn_linear(256, 4));
    wk_module_add_module(self, "dense6_3", self->points = wk_nn_linear(256, 10));
    return self;
}

/* ---------------------------------------------------------------- boxes */

typedef struct mtcnn_box {
    float x1, y1, x2, y2, score;
    float edges[4];   // how they should move
    float points[10]; // x of the eyes, the nose, the corners of the mouth; then y
    int64_t order;    // among equals
} mtcnn_box;

typedef struct mtcnn_boxes {
    mtcnn_box *items; // free them
    int64_t count, room;
} mtcnn_boxes;

static void mtcnn_add(mtcnn_boxes *boxes, mtcnn_box box)
{
    if (boxes->count == boxes->room) {
        boxes->room = 2 * boxes->room + 64;
        boxes->items = realloc(boxes->items, (size_t)boxes->room * sizeof *boxes->items);
        if (!boxes->items)
            fprintf(stderr, "no memory for boxes\n"), exit(1);
    }
    box.order = boxes->count;
    boxes->items[boxes->count++] = box;
}

static float mtcnn_least(float a, float b) { return a < b ? a : b; }
static float mtcnn_most(float a, float b) { return a > b ? a : b; }

/* how much two boxes overlap: the part of what both cover, or with `of_smaller`, where the edges' pixels count, too,
   the part of the smaller one */
static float mtcnn_overlap(const mtcnn_box *a, const mtcnn_box *b, bool of_smaller)
{
    const float edge = of_smaller ? 1 : 0;
    const float w = mtcnn_most(0, mtcnn_least(a->x2, b->x2) - mtcnn_most(a->x1, b->x1) + edge);
    const float h = mtcnn_most(0, mtcnn_least(a->y2, b->y2) - mtcnn_most(a->y1, b->y1) + edge);
    const float first = (a->x2 - a->x1 + edge) * (a->y2 - a->y1 + edge);
    const float second = (b->x2 - b->x1 + edge) * (b->y2 - b->y1 + edge);
    return w * h / (of_smaller ? mtcnn_least(first, second) : first + second - w * h);
}

static int mtcnn_by_score(const void *a_, const void *b_)
{
    const mtcnn_box *a = a_, *b = b_;
    return a->score != b->score ? (a->score < b->score ? 1 : -1) : a->order < b->order ? -1 : 1;
}

static int mtcnn_by_area(const void *a_, const void *b_)
{
    const mtcnn_box *a = a_, *b = b_;
    const float first = (a->x2 - a->x1) * (a->y2 - a->y1), second = (b->x2 - b->x1) * (b->y2 - b->y1);
    return first != second ? (first < second ? 1 : -1) : a->order < b->order ? 1 : -1;
}

/* non-maximum suppression of the boxes from `begin` on: the likeliest first, without those that overlap a likelier one
   by more than `most` */
static void mtcnn_nms(mtcnn_boxes *boxes, int64_t begin, double most, bool of_smaller)
{
    mtcnn_box *box = boxes->items + begin;
    const int64_t count = boxes->count - begin;
    int64_t kept = 0;
    if (count > 0)
        qsort(box, (size_t)count, sizeof *box, mtcnn_by_score);
    for (int64_t i = 0; i < count; i++) {
        bool stays = true;
        for (int64_t j = 0; j < kept && stays; j++)
            stays = (double)mtcnn_overlap(&box[j], &box[i], of_smaller) <= most;
        if (stays)
            box[kept++] = box[i];
    }
    boxes->count = begin + kept;
    for (int64_t i = begin; i < boxes->count; i++)
        boxes->items[i].order = i;
}

/* by parts of the box's width and height, to which `edge` is added */
static void mtcnn_move(mtcnn_box *box, float edge)
{
    const float w = box->x2 - box->x1 + edge, h = box->y2 - box->y1 + edge;
    box->x1 += box->edges[0] * w;
    box->y1 += box->edges[1] * h;
    box->x2 += box->edges[2] * w;
    box->y2 += box->edges[3] * h;
}

static void mtcnn_square(mtcnn_box *box)
{
    const float w = box->x2 - box->x1, h = box->y2 - box->y1, side = mtcnn_most(w, h);
    box->x1 = box->x1 + w * 0.5f - side * 0.5f;
    box->y1 = box->y1 + h * 0.5f - side * 0.5f;
    box->x2 = box->x1 + side;
    box->y2 = box->y1 + side;
}

/* ---------------------------------------------------------------- the three stages */

/* P, of one size of the picture (1, 3, H, W): adds the windows that may be faces */
static void mtcnn_propose(mtcnn_net *pnet, wk_tensor *picture, double scale, mtcnn_boxes *boxes)
{
    const int64_t h = (int64_t)((double)wk_size(picture, 2) * scale + 1);
    const int64_t w = (int64_t)((double)wk_size(picture, 3) * scale + 1);
    const mtcnn_answer answer =
        mtcnn_ask(pnet, wk_interpolate(picture, .size = wk_per_dim(h, w), .mode = "area")); // (1, 3, h, w)
    const int64_t W = wk_size(answer.face, 3), places = wk_size(answer.face, 2) * W, begin = boxes->count;
    const float *face = wk_data_ptr(wk_contiguous(answer.face));   // (1, 2, H', W'): not a face, a face
    const float *edges = wk_data_ptr(wk_contiguous(answer.edges)); // (1, 4, H', W')
    for (int64_t at = 0; face && edges && at < places; at++) {
        const float x = (float)(2 * (at % W)), y = (float)(2 * (at / W)); // from window to window 2, each of 12
        if (face[places + at] >= 0.6f)
            mtcnn_add(boxes, (mtcnn_box){.x1 = floorf((x + 1) / (float)scale),
                                         .y1 = floorf((y + 1) / (float)scale),
                                         .x2 = floorf((x + 12) / (float)scale),
                                         .y2 = floorf((y + 12) / (float)scale),
                                         .score = face[places + at],
                                         .edges = {edges[at], edges[places + at], edges[2 * places + at],
                                                   edges[3 * places + at]}});
    }
    mtcnn_nms(boxes, begin, 0.5, false);
}

/* R and O: each box cut out and made (size, size); those that are faces stay, with a new score, edges and points */
static void mtcnn_refine(mtcnn_net *net, wk_tensor *picture, int64_t size, mtcnn_boxes *boxes)
{
    const int64_t H = wk_size(picture, 2), W = wk_size(picture, 3);
    wk_tensor *cuts = wk_empty((boxes->count, 3, size, size));
    int64_t count = 0;
    for (int64_t i = 0; i < boxes->count; i++)
        wk_scope
    {
        mtcnn_box *box = &boxes->items[i];
        const int64_t x = box->x1 < 1 ? 0 : (int64_t)box->x1 - 1, x_end = box->x2 > (float)W ? W : (int64_t)box->x2;
        const int64_t y = box->y1 < 1 ? 0 : (int64_t)box->y1 - 1, y_end = box->y2 > (float)H ? H : (int64_t)box->y2;
        if (x < x_end && y < y_end) { // else the box is outside
            wk_tensor *cut = wk_narrow(wk_narrow(picture, 2, y, y_end - y), 3, x, x_end - x);
            wk_copy_(wk_narrow(cuts, 0, count, 1), wk_interpolate(cut, .size = size, .mode = "area"));
            boxes->items[count++] = *box;
        }
    }
    boxes->count = count;
    if (count == 0)
        return;
    const mtcnn_answer answer = mtcnn_ask(net, wk_narrow(cuts, 0, 0, count));
    const float *face = wk_data_ptr(answer.face), *edges = wk_data_ptr(answer.edges); // (B, 2), (B, 4)
    const float *points = answer.points ? wk_data_ptr(answer.points) : NULL;          // (B, 10)
    boxes->count = 0;
    for (int64_t i = 0; face && edges && i < count; i++) {
        if (!(face[2 * i + 1] > 0.7f))
            continue;
        mtcnn_box box = boxes->items[i];
        box.score = face[2 * i + 1];
        for (int k = 0; k < 4; k++)
            box.edges[k] = edges[4 * i + k];
        for (int k = 0; k < 5 && points; k++) {
            box.points[k] = (box.x2 - box.x1 + 1) * points[10 * i + k] + box.x1 - 1;
            box.points[5 + k] = (box.y2 - box.y1 + 1) * points[10 * i + 5 + k] + box.y1 - 1;
        }
        mtcnn_add(boxes, box);
    }
}

typedef struct mtcnn {
    mtcnn_net *pnet, *rnet, *onet;
} mtcnn;

/* the faces of a picture (3, H, W), 0 to 255, of any dtype, on the CPU: largest first.  min_face_size: 20 pixels */
static mtcnn_boxes mtcnn_detect(const mtcnn *nets, wk_tensor *picture, double min_face_size)
{
    mtcnn_boxes boxes = {0};
    wk_no_grad wk_scope
    {
        picture = wk_unsqueeze(wk_to(picture, wk_float32), 0); // (1, 3, H, W)
        const int64_t H = wk_size(picture, 2), W = wk_size(picture, 3);
        double scale = 12 / min_face_size, least = (double)(H < W ? H : W) * scale;
        for (; least >= 12; scale *= 0.709, least *= 0.709)
            wk_scope
        mtcnn_propose(nets->pnet, picture, scale, &boxes);
        mtcnn_nms(&boxes, 0, 0.7, false);
        for (int64_t i = 0; i < boxes.count; i++) {
            mtcnn_move(&boxes.items[i], 0);
            mtcnn_square(&boxes.items[i]);
        }
        mtcnn_refine(nets->rnet, picture, 24, &boxes);
        mtcnn_nms(&boxes, 0, 0.7, false);
        for (int64_t i = 0; i < boxes.count; i++) {
            mtcnn_move(&boxes.items[i], 1);
            mtcnn_square(&boxes.items[i]);
        }
        mtcnn_refine(nets->onet, picture, 48, &boxes);
        for (int64_t i = 0; i < boxes.count; i++)
            mtcnn_move(&boxes.items[i], 1);
        mtcnn_nms(&boxes, 0, 0.7f, true);
        if (boxes.count > 0)
            qsort(boxes.items, (size_t)boxes.count, sizeof *boxes.items, mtcnn_by_area);
    }
    return boxes;
}

#endif
