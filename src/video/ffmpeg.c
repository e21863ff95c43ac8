#ifdef WICK_HAVE_VIDEO

#include "ffmpeg.h"

#include "core/library.h"

struct wk_ffmpeg wk_av;

#define PLACE(name) {#name, &wk_av.name},
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
#define FORMAT_SIDE_DATA(F)
#define CODEC_SIDE_DATA(F) WK_AV_SIDE_DATA(F)
#else
#define FORMAT_SIDE_DATA(F) WK_AV_SIDE_DATA(F)
#define CODEC_SIDE_DATA(F)
#endif

/* what they were built with is what they bring themselves: the one that needs all others comes last */
static wk_library libraries[] = {
    {.file = "libavutil.so." AV_STRINGIFY(LIBAVUTIL_VERSION_MAJOR),
     .package = "libavutil" AV_STRINGIFY(LIBAVUTIL_VERSION_MAJOR),
     .functions = {WK_AVUTIL(PLACE)}},
    {.file = "libswscale.so." AV_STRINGIFY(LIBSWSCALE_VERSION_MAJOR),
     .package = "libswscale" AV_STRINGIFY(LIBSWSCALE_VERSION_MAJOR),
     .functions = {WK_SWSCALE(PLACE)}},
    {.file = "libavcodec.so." AV_STRINGIFY(LIBAVCODEC_VERSION_MAJOR),
     .package = "libavcodec" AV_STRINGIFY(LIBAVCODEC_VERSION_MAJOR),
     .functions = {WK_AVCODEC(PLACE) CODEC_SIDE_DATA(PLACE)}},
    {.file = "libavformat.so." AV_STRINGIFY(LIBAVFORMAT_VERSION_MAJOR),
     .package = "libavformat" AV_STRINGIFY(LIBAVFORMAT_VERSION_MAJOR),
     .functions = {WK_AVFORMAT(PLACE) FORMAT_SIDE_DATA(PLACE)}},
};

bool wk_ffmpeg_load(const char *op)
{
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (!wk_library_load(op, &libraries[i]))
            return false;
    /* errors are told by us, in one line; a program that has chosen a level of its own keeps it */
    if (wk_av.av_log_get_level() == AV_LOG_INFO)
        wk_av.av_log_set_level(AV_LOG_QUIET);
    return true;
}

const char *wk_av_message(int error, char *text)
{
    if (wk_av.av_strerror(error, text, sizeof(wk_av_text)) < 0)
        snprintf(text, sizeof(wk_av_text), "error %d", error);
    return text;
}

#endif
