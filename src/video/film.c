/* Films by FFmpeg's libraries, out of a mapped file: what they read is what the map holds.

   A file is not believed.  Playlists and the like would have FFmpeg open other files and addresses: only containers
   that hold their own film are known here, no protocol is, and what a container asks to have opened is refused. */
#include "film.h"

#ifdef WICK_HAVE_VIDEO

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/text.h"
#include "ffmpeg.h"
#include "io/file.h"

#define CONTAINERS                                                                                                     \
    "mov,mp4,matroska,webm,avi,gif,apng,mpegts,mpeg,mpegvideo,ogg,flv,asf,mxf,dv,nut,ivf,yuv4mpegpipe,h264,hevc,m4v,"  \
    "mjpeg"
#define MOST_PIXELS (1 << 25) // of a frame: 8192 x 4096
#define CHUNK (1 << 15)

struct wk_film_inside {
    wk_file_map *map;
    int64_t at;
    AVIOContext *io;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    AVPacket *packet;
    AVFrame *last, *kept, *rgb;
    struct SwsContext *scaler;
    int64_t most; // pixels of a frame
    bool drained; // the file's end has been told to the decoder
    bool seen;    // a frame
    int64_t next; // when the next frame would be shown, of one that does not say
};

/* ---------------------------------------------------------------- the file, and nothing else */

static int read_bytes(void *film, uint8_t *bytes, int count)
{
    struct wk_film_inside *in = film;
    const int64_t left = (int64_t)in->map->size - in->at;
    if (left <= 0)
        return AVERROR_EOF;
    count = count < left ? count : (int)left;
    memcpy(bytes, in->map->bytes + in->at, (size_t)count);
    in->at += count;
    return count;
}

static int64_t seek_bytes(void *film, int64_t offset, int whence)
{
    struct wk_film_inside *in = film;
    const int64_t size = (int64_t)in->map->size;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE)
        return size;
    const int64_t from = whence == SEEK_CUR ? in->at : whence == SEEK_END ? size : 0;
    if (offset < -from || offset > size - from)
        return AVERROR(EINVAL);
    return in->at = from + offset;
}

static int refuse_to_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags, AVDictionary **options)
{
    (void)format, (void)url, (void)flags, (void)options;
    *io = NULL;
    return AVERROR(EACCES);
}

/* ---------------------------------------------------------------- opening */

static bool no_memory(const wk_film *film) { return wk_out_of_memory(film->op, CHUNK) != NULL; }

static bool fails(const wk_film *film, const char *what, int error)
{
    if (error == AVERROR(ENOMEM))
        return no_memory(film);
    return wk_fail(film->op, "%s: %s: %s", film->shown, what, wk_av_message(error, (wk_av_text){0})) != NULL;
}

/* looks into the streams; their decoders, which it asks, make no larger frames than ours */
static int find_streams(struct wk_film_inside *in)
{
    const unsigned count = in->format->nb_streams;
    AVDictionary **options = wk_alloc_zeroed((count + 1) * sizeof *options);
    if (!options)
        return AVERROR(ENOMEM);
    char most[24];
    snprintf(most, sizeof most, "%lld", (long long)in->most);
    for (unsigned i = 0; i < count; i++)
        wk_av.av_dict_set(&options[i], "max_pixels", most, 0);
    const int error = wk_av.avformat_find_stream_info(in->format, options);
    for (unsigned i = 0; i < count; i++)
        wk_av.av_dict_free(&options[i]);
    wk_free(options);
    return error;
}

static bool open_container(wk_film *film, const char *path)
{
    struct wk_film_inside *in = film->inside;
    unsigned char *buffer = wk_av.av_malloc(CHUNK);
    in->io = buffer ? wk_av.avio_alloc_context(buffer, CHUNK, 0, in, read_bytes, NULL, seek_bytes) : NULL;
    if (!in->io)
        wk_av.av_free(buffer);
    in->format = in->io ? wk_av.avformat_alloc_context() : NULL;
    if (!in->format)
        return no_memory(film);
    in->format->pb = in->io;
    in->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    in->format->io_open = refuse_to_open;
    AVDictionary *options = NULL;
    wk_av.av_dict_set(&options, "format_whitelist", CONTAINERS, 0);
    wk_av.av_dict_set(&options, "protocol_whitelist", "none", 0);
    int error = wk_av.avformat_open_input(&in->format, NULL, NULL, &options); // it frees the format where it fails
    wk_av.av_dict_free(&options);
    if (error == AVERROR_INVALIDDATA)
        return wk_file_is_no(film->op, path, "film", in->map) != NULL;
    if (error < 0)
        return fails(film, "could not be opened", error);
    error = find_streams(in);
    return error >= 0 || fails(film, "its streams could not be read", error);
}

static double seconds(AVRational r) { return r.den != 0 ? (double)r.num / (double)r.den : 0; }

static double rotation(const AVStream *stream)
{
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    const AVPacketSideData *side = wk_av.av_packet_side_data_get(
        stream->codecpar->coded_side_data, stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    const uint8_t *data = side ? side->data : NULL;
    const size_t size = side ? side->size : 0;
#else
    size_t size = 0;
    const uint8_t *data = wk_av.av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
#endif
    const double turn = data && size >= 9 * sizeof(int32_t) ? wk_av.av_display_rotation_get((const int32_t *)data) : 0;
    return turn != turn || turn == 0 ? 0 : turn < 0 ? -turn : 360 - turn; // no number: a matrix that no turn makes
}

/* the first stream of pictures, as read_video takes it; the others are not read */
static bool open_stream(wk_film *film)
{
    struct wk_film_inside *in = film->inside;
    for (unsigned i = 0; i < in->format->nb_streams; i++)
        if (!in->stream && in->format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO)
            in->stream = in->format->streams[i];
        else
            in->format->streams[i]->discard = AVDISCARD_ALL;
    if (!in->stream)
        return wk_fail(film->op, "%s: has no pictures", film->shown) != NULL;
    const AVStream *stream = in->stream;
    film->width = stream->codecpar->width;
    film->height = stream->codecpar->height;
    film->fps = seconds(stream->avg_frame_rate.num > 0 ? stream->avg_frame_rate : stream->r_frame_rate);
    film->ticks[0] = stream->time_base.num;
    film->ticks[1] = stream->time_base.den;
    film->rotation = rotation(stream);
    if (stream->duration != AV_NOPTS_VALUE)
        film->duration = (double)stream->duration * seconds(stream->time_base);
    else if (in->format->duration != AV_NOPTS_VALUE)
        film->duration = (double)in->format->duration / AV_TIME_BASE;
    if (!(seconds(stream->time_base) > 0))
        return wk_fail(film->op, "%s: does not say how long a frame is shown", film->shown) != NULL;
    if (film->width * film->height > in->most)
        return wk_fail(film->op, "%s: expected frames of at most %lld pixels, got %lld x %lld", film->shown,
                       (long long)in->most, (long long)film->width, (long long)film->height) != NULL;
    const AVCodec *decoder = wk_av.avcodec_find_decoder(stream->codecpar->codec_id);
    if (!decoder)
        return wk_fail(film->op, "%s: FFmpeg has no decoder for its pictures", film->shown) != NULL;
    in->codec = wk_av.avcodec_alloc_context3(decoder);
    if (!in->codec)
        return no_memory(film);
    int error = wk_av.avcodec_parameters_to_context(in->codec, stream->codecpar);
    in->codec->pkt_timebase = stream->time_base;
    in->codec->thread_count = 1; // loaders have workers
    in->codec->max_pixels = in->most;
    if (error >= 0)
        error = wk_av.avcodec_open2(in->codec, decoder, NULL);
    return error >= 0 || fails(film, "its decoder could not be opened", error);
}

wk_film *wk_film_open(const char *op, const char *path, int64_t most)
{
    if (!wk_ffmpeg_load(op))
        return NULL;
    wk_file_map *map = wk_file_map_open(op, path);
    if (!map)
        return NULL;
    wk_film *film = wk_alloc_zeroed(sizeof *film + sizeof(struct wk_film_inside) + WK_SHOWN);
    if (!film) {
        wk_file_map_release(map);
        return wk_out_of_memory(op, sizeof *film);
    }
    struct wk_film_inside *in = (struct wk_film_inside *)(film + 1);
    *film = (wk_film){.op = op, .shown = (char *)(in + 1), .inside = in};
    in->map = map;
    in->most = most > 0 && most < MOST_PIXELS ? most : MOST_PIXELS;
    wk_shown(path, film->shown);
    bool opened = open_container(film, path) && open_stream(film);
    if (opened) {
        in->packet = wk_av.av_packet_alloc();
        in->last = wk_av.av_frame_alloc();
        in->kept = wk_av.av_frame_alloc();
        in->rgb = wk_av.av_frame_alloc();
        opened = (in->packet && in->last && in->kept && in->rgb) || no_memory(film);
    }
    if (!opened) {
        wk_film_close(film);
        return NULL;
    }
    return film;
}

void wk_film_close(wk_film *film)
{
    if (!film)
        return;
    struct wk_film_inside *in = film->inside;
    wk_av.av_packet_free(&in->packet);
    wk_av.av_frame_free(&in->last);
    wk_av.av_frame_free(&in->kept);
    wk_av.av_frame_free(&in->rgb);
    wk_av.sws_freeContext(in->scaler);
    wk_av.avcodec_free_context(&in->codec);
    wk_av.avformat_close_input(&in->format);
    if (in->io)
        wk_av.av_free(in->io->buffer);
    wk_av.avio_context_free(&in->io);
    wk_file_map_release(in->map);
    wk_free(film);
}

/* ---------------------------------------------------------------- frames */

/* the next packet of the pictures; 0, or an error, AVERROR_EOF at the end */
static int next_packet(struct wk_film_inside *in)
{
    for (;;) {
        const int error = wk_av.av_read_frame(in->format, in->packet);
        if (error < 0 || in->packet->stream_index == in->stream->index)
            return error;
        wk_av.av_packet_unref(in->packet);
    }
}

/* something more for the decoder, the end for one; false where it cannot go on */
static bool feed(wk_film *film)
{
    struct wk_film_inside *in = film->inside;
    int error = next_packet(in);
    in->drained = error < 0;
    film->broken = in->drained && error != AVERROR_EOF;
    if (film->broken)
        return false;
    error = wk_av.avcodec_send_packet(in->codec, in->drained ? NULL : in->packet);
    wk_av.av_packet_unref(in->packet);
    film->broken = error < 0 && error != AVERROR(EAGAIN) && error != AVERROR_EOF;
    return !film->broken;
}

bool wk_film_next(wk_film *film, int64_t *time)
{
    struct wk_film_inside *in = film->inside;
    int error;
    while ((error = wk_av.avcodec_receive_frame(in->codec, in->last)) == AVERROR(EAGAIN))
        if (in->drained || !feed(film))
            return false;
    if (error < 0) {
        film->broken = error != AVERROR_EOF;
        return false;
    }
    if (!in->seen) {
        film->width = in->last->width;
        film->height = in->last->height;
        in->seen = true;
    }
    *time = in->last->pts != AV_NOPTS_VALUE ? in->last->pts : in->last->pkt_dts; // as PyAV has it
    if (*time == AV_NOPTS_VALUE)
        *time = in->next;
    const double frame = film->fps > 0 ? film->ticks[1] / (film->fps * film->ticks[0]) : 1;
    in->next = *time + (frame > 1 && frame < 1e9 ? (int64_t)(frame + 0.5) : 1);
    return true;
}

bool wk_film_keep(wk_film *film)
{
    struct wk_film_inside *in = film->inside;
    wk_av.av_frame_unref(in->kept);
    return wk_av.av_frame_ref(in->kept, in->last) >= 0 || no_memory(film);
}

/* the scaler of frames like this one: no scaling, its colours to full red, green and blue */
static bool prepare(wk_film *film, const AVFrame *frame)
{
    struct wk_film_inside *in = film->inside;
    if (frame->width != film->width || frame->height != film->height)
        return wk_fail(film->op, "%s: expected frames of one size, got %lld x %lld and %d x %d", film->shown,
                       (long long)film->width, (long long)film->height, frame->width, frame->height) != NULL;
    if (!in->rgb->data[0]) {
        in->rgb->format = AV_PIX_FMT_RGB24;
        in->rgb->width = frame->width;
        in->rgb->height = frame->height;
        if (wk_av.av_frame_get_buffer(in->rgb, 0) < 0) // its rows begin where swscale's fast loops want them
            return no_memory(film);
    }
    if (!wk_av.sws_isSupportedInput(frame->format))
        return wk_fail(film->op, "%s: FFmpeg knows no conversion of its colours", film->shown) != NULL;
    in->scaler =
        wk_av.sws_getCachedContext(in->scaler, frame->width, frame->height, frame->format, frame->width, frame->height,
                                   AV_PIX_FMT_RGB24, SWS_BILINEAR, NULL, NULL, NULL); // PyAV's flags
    if (!in->scaler)
        return no_memory(film);
    wk_av.sws_setColorspaceDetails(in->scaler, wk_av.sws_getCoefficients(frame->colorspace),
                                   frame->color_range == AVCOL_RANGE_JPEG, wk_av.sws_getCoefficients(SWS_CS_DEFAULT), 1,
                                   0, 1 << 16, 1 << 16);
    return true;
}

bool wk_film_pixels(wk_film *film, wk_film_frame which, uint8_t *pixels)
{
    struct wk_film_inside *in = film->inside;
    const AVFrame *frame = which == WK_FILM_KEPT ? in->kept : in->last;
    if (!prepare(film, frame))
        return false;
    if (wk_av.sws_scale(in->scaler, (const uint8_t *const *)frame->data, frame->linesize, 0, frame->height,
                        in->rgb->data, in->rgb->linesize) != frame->height)
        return wk_fail(film->op, "%s: the colours of a frame could not be converted", film->shown) != NULL;
    const size_t row = 3 * (size_t)frame->width;
    for (int y = 0; y < frame->height; y++)
        memcpy(pixels + (size_t)y * row, in->rgb->data[0] + (ptrdiff_t)y * in->rgb->linesize[0], row);
    return true;
}

/* ---------------------------------------------------------------- times */

bool wk_film_seek(wk_film *film, int64_t time)
{
    struct wk_film_inside *in = film->inside;
    const bool found = wk_av.av_seek_frame(in->format, in->stream->index, time, AVSEEK_FLAG_BACKWARD) >= 0;
    wk_av.avcodec_flush_buffers(in->codec);
    in->drained = film->broken = false;
    in->next = 0;
    return found;
}

static int rising(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* false at the end */
static bool next_time(wk_film *film, wk_film_by by, int64_t *time)
{
    struct wk_film_inside *in = film->inside;
    if (by == WK_FILM_BY_DECODING)
        return wk_film_next(film, time);
    while (next_packet(in) >= 0) {
        const AVPacket *packet = in->packet;
        const bool shown = !(packet->flags & AV_PKT_FLAG_DISCARD);
        *time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
        film->vague = film->vague || packet->pts == AV_NOPTS_VALUE;
        wk_av.av_packet_unref(in->packet);
        if (shown && *time != AV_NOPTS_VALUE)
            return true;
    }
    return false;
}

bool wk_film_times(wk_film *film, wk_film_by by, int64_t **times, int64_t *count)
{
    int64_t *list = NULL, room = 0, time;
    *count = 0;
    while (next_time(film, by, &time)) {
        if (*count == room) {
            room = room > 0 ? 2 * room : 256;
            int64_t *larger = wk_realloc(list, (size_t)room * sizeof *list);
            if (!larger) {
                wk_free(list);
                return no_memory(film);
            }
            list = larger;
        }
        list[(*count)++] = time;
    }
    if (*count > 0)
        qsort(list, (size_t)*count, sizeof *list, rising);
    int64_t kept = 0;
    for (int64_t i = 0; i < *count; i++)
        if (i == 0 || list[i] != list[kept - 1])
            list[kept++] = list[i];
    *count = kept;
    *times = list;
    return true;
}

#else

#include <stddef.h>

#include "core/library.h"

wk_film *wk_film_open(const char *op, const char *path, int64_t most)
{
    (void)path, (void)most;
    wk_library_missing(op, "film", "libavformat-dev libavcodec-dev libswscale-dev");
    return NULL;
}
void wk_film_close(wk_film *film) { (void)film; }
bool wk_film_next(wk_film *film, int64_t *time) { return (void)film, (void)time, false; }
bool wk_film_keep(wk_film *film) { return (void)film, false; }
bool wk_film_pixels(wk_film *film, wk_film_frame which, uint8_t *pixels)
{
    return (void)film, (void)which, (void)pixels, false;
}
bool wk_film_seek(wk_film *film, int64_t time) { return (void)film, (void)time, false; }
bool wk_film_times(wk_film *film, wk_film_by by, int64_t **times, int64_t *count)
{
    return (void)film, (void)by, (void)times, (void)count, false;
}

#endif
