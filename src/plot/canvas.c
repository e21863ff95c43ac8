/* Drawing.  A stroke is drawn by distance: a pixel whose middle lies d from the nearest line of it is covered by
   clamp(width/2 - d + 1/2, 0, 1), which is smooth at any angle and makes ends and corners round; the nearest line is
   taken over the whole stroke first, so that pieces that meet are not blended twice. */
#include "canvas.h"

#include <math.h>
#include <string.h>

#include "core/host.h"

bool wk_canvas_new(wk_canvas *canvas, const char *op, int64_t width, int64_t height, wk_colour background)
{
    *canvas = (wk_canvas){.width = width, .height = height};
    canvas->picture = wk_tensor_new(op, 3, (int64_t[]){3, height, width}, wk_uint8, wk_cpu);
    if (!canvas->picture)
        return false;
    canvas->pixels = wk_host("plot", canvas->picture);
    wk_canvas_rectangle(canvas, 0, 0, width, height, background);
    return true;
}

static uint8_t mix_bytes(uint8_t a, uint8_t b, double part_of_b) { return (uint8_t)(a + (b - a) * part_of_b + 0.5); }

wk_colour wk_mix(wk_colour a, wk_colour b, double part_of_b)
{
    return (wk_colour){mix_bytes(a.red, b.red, part_of_b), mix_bytes(a.green, b.green, part_of_b),
                       mix_bytes(a.blue, b.blue, part_of_b)};
}

void wk_canvas_blend(wk_canvas *canvas, int64_t x, int64_t y, wk_colour colour, double alpha)
{
    if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height || !(alpha > 0))
        return;
    const int64_t plane = canvas->width * canvas->height;
    uint8_t *pixel = canvas->pixels + y * canvas->width + x;
    pixel[0] = mix_bytes(pixel[0], colour.red, alpha);
    pixel[plane] = mix_bytes(pixel[plane], colour.green, alpha);
    pixel[2 * plane] = mix_bytes(pixel[2 * plane], colour.blue, alpha);
}

void wk_canvas_rectangle(wk_canvas *canvas, int64_t x, int64_t y, int64_t width, int64_t height, wk_colour colour)
{
    const uint8_t parts[3] = {colour.red, colour.green, colour.blue};
    const int64_t left = x > 0 ? x : 0, right = x + width < canvas->width ? x + width : canvas->width;
    const int64_t top = y > 0 ? y : 0, bottom = y + height < canvas->height ? y + height : canvas->height;
    for (int part = 0; part < 3; part++)
        for (int64_t row = top; row < bottom && left < right; row++)
            memset(canvas->pixels + (part * canvas->height + row) * canvas->width + left, parts[part],
                   (size_t)(right - left));
}

void wk_canvas_frame(wk_canvas *canvas, int64_t x, int64_t y, int64_t width, int64_t height, int64_t line,
                     wk_colour colour)
{
    wk_canvas_rectangle(canvas, x, y, width, line, colour);
    wk_canvas_rectangle(canvas, x, y + height - line, width, line, colour);
    wk_canvas_rectangle(canvas, x, y + line, line, height - 2 * line, colour);
    wk_canvas_rectangle(canvas, x + width - line, y + line, line, height - 2 * line, colour);
}

/* ---------------------------------------------------------------- strokes */

static double distance(double x, double y, const double *a, const double *b)
{
    const double along_x = b[0] - a[0], along_y = b[1] - a[1], square = along_x * along_x + along_y * along_y;
    double t = square > 0 ? ((x - a[0]) * along_x + (y - a[1]) * along_y) / square : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    return hypot(x - a[0] - t * along_x, y - a[1] - t * along_y);
}

/* one stroke of up to a few hundred points; long ones are drawn in pieces that share a point */
#define PIECE 24
static void draw_piece(wk_canvas *canvas, const double *points, int64_t count, double width, wk_colour colour)
{
    double left = INFINITY, right = -INFINITY, top = INFINITY, bottom = -INFINITY;
    const double reach = width / 2 + 0.5;
    for (int64_t i = 0; i < count; i++) {
        left = fmin(left, points[2 * i]), right = fmax(right, points[2 * i]);
        top = fmin(top, points[2 * i + 1]), bottom = fmax(bottom, points[2 * i + 1]);
    }
    const int64_t first_x = (int64_t)fmax(floor(left - reach), 0), first_y = (int64_t)fmax(floor(top - reach), 0);
    const int64_t last_x = (int64_t)fmin(ceil(right + reach), (double)canvas->width - 1);
    const int64_t last_y = (int64_t)fmin(ceil(bottom + reach), (double)canvas->height - 1);
    for (int64_t y = first_y; y <= last_y; y++)
        for (int64_t x = first_x; x <= last_x; x++) {
            double nearest = INFINITY;
            for (int64_t i = 0; i < (count > 1 ? count - 1 : 1); i++)
                nearest = fmin(nearest, distance((double)x + 0.5, (double)y + 0.5, points + 2 * i,
                                                 points + 2 * (count > 1 ? i + 1 : i)));
            const double alpha = width / 2 - nearest + 0.5;
            wk_canvas_blend(canvas, x, y, colour, alpha > 1 ? 1 : alpha);
        }
}

static bool is_point(const double *point) { return isfinite(point[0]) && isfinite(point[1]); }

void wk_canvas_lines(wk_canvas *canvas, const double *points, int64_t count, double width, wk_colour colour)
{
    for (int64_t begin = 0; begin < count;) {
        int64_t end = begin;
        while (end < count && end - begin < PIECE && is_point(points + 2 * end))
            end++;
        if (end > begin)
            draw_piece(canvas, points + 2 * begin, end - begin, width, colour);
        if (end == count)
            break;
        begin = is_point(points + 2 * end) ? end - 1 : end + 1;
    }
}

/* ---------------------------------------------------------------- text */

#define STROKE_POINTS 96
typedef struct pen {
    wk_canvas *canvas;
    double x, y, unit, width; // of the character's corner on its baseline; pixels in a unit; of the stroke
    wk_text_style style;
    double points[2 * STROKE_POINTS];
    int64_t count;
} pen;

static void put(pen *p, double x, double y)
{
    if (p->count == STROKE_POINTS)
        return;
    double *point = p->points + 2 * p->count++;
    point[0] = p->style.upwards ? p->x - y * p->unit : p->x + x * p->unit;
    point[1] = p->style.upwards ? p->y - x * p->unit : p->y - y * p->unit;
}

static void lift(pen *p, double width)
{
    if (p->count > 0)
        wk_canvas_lines(p->canvas, p->points, p->count, width, p->style.colour);
    p->count = 0;
}

/* Not strtod: it takes the decimal point of the program's locale. */
static void read_numbers(const char **path, double *numbers, int count)
{
    const char *at = *path;
    for (int i = 0; i < count; i++) {
        at += *at == ' ';
        const bool negative = *at == '-';
        double whole = 0, scale = 1;
        bool behind_point = false;
        for (at += negative; (*at >= '0' && *at <= '9') || *at == '.'; at++) {
            behind_point |= *at == '.';
            if (*at != '.') {
                whole = 10 * whole + (*at - '0');
                scale *= behind_point ? 10 : 1;
            }
        }
        numbers[i] = (negative ? -whole : whole) / scale;
    }
    *path = at;
}

static void draw_path(pen *p, const char *path)
{
    double n[6];
    while (*path) {
        const char command = *path++;
        switch (command) {
        case 'M':
        case 'D':
            lift(p, p->width);
            read_numbers(&path, n, 2);
            put(p, n[0], n[1]);
            if (command == 'D')
                lift(p, p->width * 1.35);
            break;
        case 'L':
            read_numbers(&path, n, 2);
            put(p, n[0], n[1]);
            break;
        case 'a':
        case 'A': {
            if (command == 'a')
                lift(p, p->width);
            read_numbers(&path, n, 6);
            const int steps = (int)(fabs(n[5] - n[4]) / 15) + 1;
            for (int i = 0; i <= steps; i++) {
                const double angle = (n[4] + (n[5] - n[4]) * i / steps) * (M_PI / 180);
                put(p, n[0] + n[2] * cos(angle), n[1] + n[3] * sin(angle));
            }
            break;
        }
        default:
            break;
        }
    }
    lift(p, p->width);
}

static unsigned next_code(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    unsigned code = *at++;
    for (; code >= 0xC0 && (*at & 0xC0) == 0x80; at++) // the font has nothing beyond ASCII: one box for each character
        ;
    *text = (const char *)at;
    return code;
}

static const char *glyph(unsigned code, double *width)
{
    const char *path = wk_font_path(code, width);
    if (path)
        return path;
    *width = 8;
    return "M0 0 L8 0 L8 14 L0 14 L0 0";
}

static double unit_of(double size) { return 0.7 * size / WK_FONT_CAPITAL; }

double wk_text_width(const char *text, double size)
{
    double sum = 0, width;
    while (*text) {
        glyph(next_code(&text), &width);
        sum += width + WK_FONT_GAP;
    }
    return sum > 0 ? (sum - WK_FONT_GAP) * unit_of(size) : 0;
}

void wk_canvas_text(wk_canvas *canvas, double x, double y, const char *text, wk_text_style style)
{
    pen p = {.canvas = canvas, .x = x, .y = y, .unit = unit_of(style.size), .style = style};
    p.width = style.size * (style.bold ? 0.115 : 0.082);
    double *along = style.upwards ? &p.y : &p.x;
    const double direction = style.upwards ? -1 : 1, whole = wk_text_width(text, style.size);
    *along -= direction * (style.align == WK_CENTRE ? whole / 2 : style.align == WK_RIGHT ? whole : 0);
    while (*text) {
        double width;
        const char *path = glyph(next_code(&text), &width);
        draw_path(&p, path);
        *along += direction * (width + WK_FONT_GAP) * p.unit;
    }
}
