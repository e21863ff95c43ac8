/* Drawing on a picture, uint8 (3, H, W): smooth lines and text, filled rectangles.  x counts pixels to the right, y
   down, from the picture's corner; whole numbers lie between pixels.  What falls outside is left out. */
#ifndef WICK_CANVAS_H
#define WICK_CANVAS_H

#include <wick/tensor.h>

typedef struct wk_colour {
    uint8_t red, green, blue;
} wk_colour;

typedef struct wk_canvas {
    wk_tensor *picture; // (3, height, width), of the innermost scope
    uint8_t *pixels;
    int64_t width, height;
} wk_canvas;

typedef enum wk_align { WK_LEFT, WK_CENTRE, WK_RIGHT } wk_align;

typedef struct wk_text_style {
    double size; // of the font, in pixels; capitals are 0.7 of it
    wk_colour colour;
    wk_align align;
    bool bold;
    bool upwards; // turned by a quarter, read from below
} wk_text_style;

bool wk_canvas_new(wk_canvas *canvas, const char *op, int64_t width, int64_t height, wk_colour background);
wk_colour wk_mix(wk_colour a, wk_colour b, double part_of_b);
void wk_canvas_blend(wk_canvas *canvas, int64_t x, int64_t y, wk_colour colour, double alpha);
void wk_canvas_rectangle(wk_canvas *canvas, int64_t x, int64_t y, int64_t width, int64_t height, wk_colour colour);
void wk_canvas_frame(wk_canvas *canvas, int64_t x, int64_t y, int64_t width, int64_t height, int64_t line,
                     wk_colour colour);

/* lines through count points x[0], y[0], x[1], y[1], ... with round ends; one point is a dot; NaN lifts the pen */
void wk_canvas_lines(wk_canvas *canvas, const double *points, int64_t count, double width, wk_colour colour);

/* one line of UTF-8 text; y is its baseline (upwards: x is).  What the font lacks is drawn as a box. */
void wk_canvas_text(wk_canvas *canvas, double x, double y, const char *text, wk_text_style style);
double wk_text_width(const char *text, double size);

/* A character's strokes: how wide it is, and a path (see font.c); NULL where the font has none. */
const char *wk_font_path(unsigned code, double *width);
#define WK_FONT_CAPITAL 14.0 // units that a capital is high
#define WK_FONT_GAP 3.4      // units between characters

#endif
