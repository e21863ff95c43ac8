/* A film that is read: its frames, one after another, as they are shown.  Knows nothing of tensors. */
#ifndef WICK_VIDEO_FILM_H
#define WICK_VIDEO_FILM_H

#include <stdbool.h>
#include <stdint.h>

typedef struct wk_film {
    const char *op;
    char *shown;           // its path, as errors show it
    int64_t width, height; // of its frames; before the first of them, what the file says
    double fps;            // on average; 0: unknown
    double ticks[2];       // so many seconds ([0]) are so many units of time ([1])
    double duration;       // in seconds; 0: unknown
    double rotation;       // 0 to 360 degrees, clockwise, by which it is to be turned before it is shown
    bool broken;           // wk_film_next ended because of what the file holds
    bool vague;            // there was a packet that does not say when it is shown
    struct wk_film_inside *inside;
} wk_film;

static inline double wk_film_seconds(const wk_film *film, int64_t time)
{
    return (double)time * film->ticks[0] / film->ticks[1];
}

/* NULL after an error; frames of more pixels than `most` are one, 0: than 8K film has */
wk_film *wk_film_open(const char *op, const char *path, int64_t most);
void wk_film_close(wk_film *film);                       // NULL is fine

/* The next frame, and when it is shown, in ticks; false at the end, and where the file is broken. */
bool wk_film_next(wk_film *film, int64_t *time);
/* what wk_film_next gave last is wk_film_kept from now on */
bool wk_film_keep(wk_film *film);
/* The last frame, or the kept one, as (height, width, 3) bytes; false after an error. */
typedef enum wk_film_frame { WK_FILM_LAST, WK_FILM_KEPT } wk_film_frame;
bool wk_film_pixels(wk_film *film, wk_film_frame which, uint8_t *pixels);

/* goes on before or at this time; false where the file cannot do that: then it goes on from wherever it is */
bool wk_film_seek(wk_film *film, int64_t time);
/* When its frames are shown, rising: as its packets say, which is quick, or (film->vague) as all of it, decoded, does.
   The film is at its end then.  The list is the caller's (wk_free); false after an error. */
typedef enum wk_film_by { WK_FILM_BY_PACKETS, WK_FILM_BY_DECODING } wk_film_by;
bool wk_film_times(wk_film *film, wk_film_by by, int64_t **times, int64_t *count);

#endif
