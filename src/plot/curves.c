/* Curves over one or more panels: axes with round ticks, a faint grid, a legend.

   The running mean over a noisy curve is a mean of the points around each, over a thirtieth of the curve to either
   side, so it does not lag behind as an exponential one would. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <wick/plot.h>

#include "canvas.h"
#include "core/alloc.h"
#include "core/tensor.h"
#include "core/text.h"

static const wk_colour white = {255, 255, 255}, ink = {33, 37, 41}, grey = {134, 142, 150}, faint = {233, 236, 239};
static const wk_colour palette[WK_PLOT_CURVES] = {{28, 126, 214}, {230, 119, 0},  {47, 158, 68},
                                                  {194, 37, 92},  {112, 72, 232}, {16, 152, 173}};

#define PANEL_WIDTH 620
#define PANEL_HEIGHT 430
#define LEFT 84
#define RIGHT 28
#define TOP 56
#define BOTTOM 66

typedef struct axis {
    double low, high, step; // of ticks
    bool percent;
} axis;

/* the panel's place on the canvas, and what its edges stand for */
typedef struct plot {
    wk_canvas *canvas;
    const wk_plot_panel *panel;
    double left, top, width, height;
    axis x, y;
} plot;

/* 1, 2 or 5 times a power of ten, for about count steps */
static double round_step(double range, int count)
{
    const double raw = range / count, power = pow(10, floor(log10(raw)));
    const double digit = raw / power;
    return (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power;
}

static axis axis_of(const wk_plot_panel *panel, bool along_x, int ticks)
{
    axis a = {INFINITY, -INFINITY, 1, !along_x && panel->percent};
    for (int i = 0; i < WK_PLOT_CURVES; i++)
        for (int64_t j = 0; j < panel->curves[i].count; j++) {
            const double x = panel->curves[i].x[j], y = panel->curves[i].y[j];
            if (!isfinite(x) || !isfinite(y))
                continue;
            a.low = fmin(a.low, along_x ? x : y);
            a.high = fmax(a.high, along_x ? x : y);
        }
    if (!(a.low <= a.high))
        a.low = 0, a.high = 1;
    if (a.high - a.low < 1e-9 * fmax(fabs(a.high), 1e-300))
        a.low -= a.low == 0 ? 1 : 0.5 * fabs(a.low), a.high += a.high == 0 ? 1 : 0.5 * fabs(a.high);
    a.step = round_step(a.high - a.low, ticks);
    if (along_x)
        return a;
    a.low = floor(a.low / a.step + 1e-9) * a.step;
    a.high = ceil(a.high / a.step - 1e-9) * a.step;
    return a;
}

static void tick_text(double value, axis a, char text[32])
{
    WK_PLAIN_NUMBERS;
    const double unit = a.percent ? a.step * 100 : a.step;
    const int decimals = unit < 1 ? (int)ceil(-log10(unit) - 1e-9) : 0;
    if (fabs(value) < a.step * 1e-9)
        value = 0;
    if (!a.percent && (decimals > 6 || fabs(value) >= 1e6))
        snprintf(text, 32, "%.3g", value);
    else
        snprintf(text, 32, "%.*f%s", decimals, a.percent ? 100 * value : value, a.percent ? "%" : "");
}

static double place_x(const plot *p, double x) { return p->left + (x - p->x.low) / (p->x.high - p->x.low) * p->width; }
static double place_y(const plot *p, double y)
{
    return p->top + p->height - (y - p->y.low) / (p->y.high - p->y.low) * p->height;
}

static void draw_axes(const plot *p)
{
    char text[32];
    wk_text_style style = {.size = 14, .colour = grey, .align = WK_RIGHT};
    for (double tick = ceil(p->y.low / p->y.step - 1e-9); tick * p->y.step <= p->y.high + 1e-9 * p->y.step; tick++) {
        const double y = floor(place_y(p, tick * p->y.step)) + 0.5;
        wk_canvas_lines(p->canvas, (double[]){p->left, y, p->left + p->width, y}, 2, 1, faint);
        tick_text(tick * p->y.step, p->y, text);
        wk_canvas_text(p->canvas, p->left - 10, y + 5, text, style);
    }
    style.align = WK_CENTRE;
    const double bottom = p->top + p->height + 0.5;
    for (double tick = ceil(p->x.low / p->x.step - 1e-9); tick * p->x.step <= p->x.high + 1e-9 * p->x.step; tick++) {
        const double x = floor(place_x(p, tick * p->x.step)) + 0.5;
        wk_canvas_lines(p->canvas, (double[]){x, bottom, x, bottom + 5}, 2, 1, grey);
        tick_text(tick * p->x.step, p->x, text);
        wk_canvas_text(p->canvas, x, bottom + 22, text, style);
    }
    wk_canvas_lines(p->canvas, (double[]){p->left, bottom, p->left + p->width, bottom}, 2, 1.2, grey);
    style = (wk_text_style){.size = 15, .colour = grey, .align = WK_CENTRE};
    if (p->panel->x_label)
        wk_canvas_text(p->canvas, p->left + p->width / 2, bottom + 48, p->panel->x_label, style);
    style.upwards = true;
    if (p->panel->y_label)
        wk_canvas_text(p->canvas, p->left - 62, p->top + p->height / 2, p->panel->y_label, style);
    if (p->panel->title)
        wk_canvas_text(p->canvas, p->left, p->top - 24, p->panel->title,
                       (wk_text_style){.size = 19, .colour = ink, .bold = true});
}

/* the mean of the points around j */
static double smoothed(const wk_plot_curve *curve, int64_t j)
{
    const int64_t reach = curve->count / 30 + 1;
    double sum = 0;
    int64_t count = 0;
    /* as far to one side as to the other, so that the ends do not bend */
    int64_t around = reach < j ? reach : j;
    around = around < curve->count - 1 - j ? around : curve->count - 1 - j;
    for (int64_t i = j - around; i <= j + around; i++)
        if (isfinite(curve->y[i])) {
            sum += curve->y[i];
            count++;
        }
    return count > 0 ? sum / (double)count : NAN;
}

static bool draw_curve(const char *op, const plot *p, const wk_plot_curve *curve, wk_colour colour)
{
    const size_t bytes = (size_t)curve->count * 2 * sizeof(double);
    double *points = wk_alloc(bytes);
    if (!points)
        return wk_out_of_memory(op, bytes);
    for (int smooth = 0; smooth <= (curve->smooth ? 1 : 0); smooth++) {
        for (int64_t j = 0; j < curve->count; j++) {
            points[2 * j] = place_x(p, curve->x[j]);
            points[2 * j + 1] = place_y(p, smooth ? smoothed(curve, j) : curve->y[j]);
        }
        const bool is_background = curve->smooth && !smooth;
        wk_canvas_lines(p->canvas, points, curve->count, is_background ? 1.2 : 2.4,
                        is_background ? wk_mix(white, colour, 0.32) : colour);
    }
    for (int64_t j = 0; curve->markers && j < curve->count; j++) {
        wk_canvas_lines(p->canvas, points + 2 * j, 1, 8.5, colour);
        wk_canvas_lines(p->canvas, points + 2 * j, 1, 4, white);
    }
    wk_free(points);
    return true;
}

/* The legend goes into the corner where the fewest points lie. */
static void draw_legend(const plot *p)
{
    double widest = 0;
    int count = 0;
    for (int i = 0; i < WK_PLOT_CURVES; i++)
        if (p->panel->curves[i].count > 0 && p->panel->curves[i].name) {
            widest = fmax(widest, wk_text_width(p->panel->curves[i].name, 14));
            count++;
        }
    if (count == 0)
        return;
    const double width = widest + 58, height = 22 * count + 14;
    double best_x = 0, best_y = 0;
    int64_t fewest = INT64_MAX;
    for (int corner = 0; corner < 4; corner++) {
        const double x = corner % 2 == 0 ? p->left + p->width - width - 8 : p->left + 8;
        const double y = corner < 2 ? p->top + 8 : p->top + p->height - height - 8;
        int64_t inside = 0;
        for (int i = 0; i < WK_PLOT_CURVES; i++) {
            const wk_plot_curve *curve = &p->panel->curves[i];
            for (int64_t j = 0; j < curve->count; j++) {
                const double at_x = place_x(p, curve->x[j]), at_y = place_y(p, curve->y[j]);
                inside += at_x > x - 6 && at_x < x + width + 6 && at_y > y - 6 && at_y < y + height + 6;
            }
        }
        if (inside < fewest) {
            fewest = inside;
            best_x = floor(x);
            best_y = floor(y);
        }
    }
    wk_canvas_rectangle(p->canvas, (int64_t)best_x, (int64_t)best_y, (int64_t)width, (int64_t)height, white);
    wk_canvas_frame(p->canvas, (int64_t)best_x, (int64_t)best_y, (int64_t)width, (int64_t)height, 1, faint);
    double y = best_y + 18;
    for (int i = 0; i < WK_PLOT_CURVES; i++) {
        const wk_plot_curve *curve = &p->panel->curves[i];
        if (curve->count == 0 || !curve->name)
            continue;
        wk_canvas_lines(p->canvas, (double[]){best_x + 12, y, best_x + 36, y}, 2, 2.6, palette[i]);
        wk_canvas_text(p->canvas, best_x + 46, y + 5, curve->name, (wk_text_style){.size = 14, .colour = ink});
        y += 22;
    }
}

wk_tensor *wk_plot_curves_with(const wk_plot_panel *panels, int64_t count)
{
    const char *const op = "plot_curves";
    if (!panels || count < 1 || count > 16)
        return wk_fail(op, "panels: expected 1 to 16, got %lld", (long long)(panels ? count : 0));
    for (int64_t i = 0; i < count; i++)
        for (int j = 0; j < WK_PLOT_CURVES; j++)
            if (panels[i].curves[j].count < 0 ||
                (panels[i].curves[j].count > 0 && (!panels[i].curves[j].x || !panels[i].curves[j].y)))
                return wk_fail(op, "curves: expected x and y for each point of %s",
                               panels[i].curves[j].name ? panels[i].curves[j].name : "each");
    wk_tensor *picture = NULL;
    wk_scope
    {
        wk_canvas canvas;
        bool good = wk_canvas_new(&canvas, op, PANEL_WIDTH * count, PANEL_HEIGHT, white);
        for (int64_t i = 0; good && i < count; i++) {
            plot p = {.canvas = &canvas,
                      .panel = &panels[i],
                      .left = (double)(PANEL_WIDTH * i + LEFT),
                      .top = TOP,
                      .width = PANEL_WIDTH - LEFT - RIGHT,
                      .height = PANEL_HEIGHT - TOP - BOTTOM};
            p.x = axis_of(p.panel, true, 7);
            p.y = axis_of(p.panel, false, 6);
            draw_axes(&p);
            for (int j = 0; good && j < WK_PLOT_CURVES; j++)
                if (p.panel->curves[j].count > 0)
                    good = draw_curve(op, &p, &p.panel->curves[j], palette[j]);
            draw_legend(&p);
        }
        picture = good ? wk_keep(canvas.picture) : NULL;
    }
    return picture;
}
