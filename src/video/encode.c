/* Films by FFmpeg's libraries, written into memory and from there into a file: whole or not at all.  (An MP4's sizes
   are filled in at its end, and its writer goes back for that.) */
#include "encode.h"

#ifdef WICK_HAVE_VIDEO

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error_internal.h"
#include "core/text.h"
#include "ffmpeg.h"
#include "io/file.h"

#define CHUNK (1 << 15)

typedef struct encoding {
    const char *op, *shown;
    uint8_t *bytes; // of the file
    int64_t size, room, at;
    AVIOContext *io;
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    AVPacket *packet;
    AVFrame *rgb, *frame;
    struct SwsContext *scaler;
} encoding;

/* ---------------------------------------------------------------- the file's bytes */

#if LIBAVFORMAT_VERSION_MAJOR >= 61
static int write_bytes(void *context, const uint8_t *bytes, int count)
#else
static int write_bytes(void *context, uint8_t *bytes, int count)
#endif
{
    encoding *e = context;
    if (e->at + count > e->room) {
        const int64_t room = 2 * (e->at + count) + CHUNK;
        uint8_t *larger = wk_realloc(e->bytes, (size_t)room);
        if (!larger)
            return AVERROR(ENOMEM);
        e->bytes = larger;
        e->room = room;
    }
    memcpy(e->bytes + e->at, bytes, (size_t)count);
    e->at += count;
    e->size = e->at > e->size ? e->at : e->size;
    return count;
}

static int64_t seek_bytes(void *context, int64_t offset, int whence)
{
    encoding *e = context;
    whence &= ~AVSEEK_FORCE;
    if (whence == AVSEEK_SIZE)
        return e->size;
    const int64_t at = offset + (whence == SEEK_CUR ? e->at : whence == SEEK_END ? e->size : 0);
    if (at < 0 || at > e->size) // no holes
        return AVERROR(EINVAL);
    return e->at = at;
}

/* ---------------------------------------------------------------- the encoder */

static bool fails(const encoding *e, const char *what, int error)
{
    if (error == AVERROR(ENOMEM))
        return wk_out_of_memory(e->op, (size_t)e->room) != NULL;
    return wk_fail(e->op, "%s: %s: %s", e->shown, what, wk_av_message(error, (wk_av_text){0})) != NULL;
}

static const AVCodec *find_encoder(const encoding *e, const char *name)
{
    const AVCodec *codec = wk_av.avcodec_find_encoder_by_name(name ? name : "libx264");
    if (!codec && !name)
        codec = wk_av.avcodec_find_encoder_by_name("mpeg4");
    if (codec && codec->type == AVMEDIA_TYPE_VIDEO)
        return codec;
    return wk_fail(e->op, "video_codec: FFmpeg has no encoder \"%s\" here",
                   wk_shown(name ? name : "mpeg4", (wk_shown_text){0}));
}

static bool open_codec(encoding *e, const wk_film_frames *frames, const wk_film_coding *coding)
{
    const AVCodec *encoder = find_encoder(e, coding->codec);
    if (!encoder)
        return false;
    e->codec = wk_av.avcodec_alloc_context3(encoder);
    if (!e->codec)
        return fails(e, "", AVERROR(ENOMEM));
    const bool whole = frames->fps == floor(frames->fps);
    const AVRational rate = {(int)floor(whole ? frames->fps : frames->fps * 1001 + 0.5), whole ? 1 : 1001};
    e->codec->width = (int)frames->width;
    e->codec->height = (int)frames->height;
    e->codec->framerate = rate;
    e->codec->time_base = (AVRational){rate.den, rate.num};
    e->codec->pix_fmt = AV_PIX_FMT_YUV420P; // what every player shows
    e->codec->thread_count = 1;             // the film does not depend on how many processors there are
    if (e->format->oformat->flags & AVFMT_GLOBALHEADER)
        e->codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    AVDictionary *options = NULL;
    WK_PLAIN_NUMBERS;
    char text[32];
    snprintf(text, sizeof text, "%g", coding->crf);
    if (coding->crf >= 0)
        wk_av.av_dict_set(&options, "crf", text, 0);
    int error = wk_av.avcodec_open2(e->codec, encoder, &options);
    wk_av.av_dict_free(&options);
    if (error < 0)
        return fails(e, "the encoder could not be opened", error);
    e->stream = wk_av.avformat_new_stream(e->format, NULL);
    if (!e->stream)
        return fails(e, "", AVERROR(ENOMEM));
    e->stream->time_base = e->codec->time_base;
    e->stream->avg_frame_rate = rate;
    error = wk_av.avcodec_parameters_from_context(e->stream->codecpar, e->codec);
    return error >= 0 || fails(e, "its stream could not be made", error);
}

/* a frame of the film's size, with memory; NULL where there is none */
static AVFrame *frame_of(const encoding *e, enum AVPixelFormat format)
{
    AVFrame *frame = wk_av.av_frame_alloc();
    if (!frame)
        return NULL;
    frame->format = format;
    frame->width = e->codec->width;
    frame->height = e->codec->height;
    if (wk_av.av_frame_get_buffer(frame, 0) < 0)
        wk_av.av_frame_free(&frame);
    return frame;
}

static bool open_file(encoding *e, const wk_film_frames *frames, const wk_film_coding *coding)
{
    const int error = wk_av.avformat_alloc_output_context2(&e->format, NULL, coding->container, NULL);
    if (error < 0)
        return fails(e, "its container could not be made", error);
    unsigned char *buffer = wk_av.av_malloc(CHUNK);
    e->io = buffer ? wk_av.avio_alloc_context(buffer, CHUNK, 1, e, NULL, write_bytes, seek_bytes) : NULL;
    if (!e->io) {
        wk_av.av_free(buffer);
        return fails(e, "", AVERROR(ENOMEM));
    }
    e->format->pb = e->io;
    e->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    if (!open_codec(e, frames, coding))
        return false;
    e->packet = wk_av.av_packet_alloc();
    e->rgb = frame_of(e, AV_PIX_FMT_RGB24);
    e->frame = frame_of(e, e->codec->pix_fmt);
    if (!e->packet || !e->rgb || !e->frame)
        return fails(e, "", AVERROR(ENOMEM));
    e->scaler = wk_av.sws_getCachedContext(NULL, e->codec->width, e->codec->height, AV_PIX_FMT_RGB24, e->codec->width,
                                           e->codec->height, e->codec->pix_fmt, SWS_BILINEAR, NULL, NULL, NULL);
    return e->scaler || fails(e, "", AVERROR(ENOMEM));
}

/* ---------------------------------------------------------------- frames */

/* one frame, or NULL: what the encoder still holds */
static int encode(encoding *e, const AVFrame *frame)
{
    int error = wk_av.avcodec_send_frame(e->codec, frame);
    while (error >= 0) {
        error = wk_av.avcodec_receive_packet(e->codec, e->packet);
        if (error == AVERROR(EAGAIN) || error == AVERROR_EOF)
            return 0;
        if (error < 0)
            break;
        e->packet->duration = 1;
        e->packet->stream_index = e->stream->index;
        wk_av.av_packet_rescale_ts(e->packet, e->codec->time_base, e->stream->time_base);
        error = wk_av.av_interleaved_write_frame(e->format, e->packet); // takes what the packet holds
    }
    return error;
}

static bool encode_all(encoding *e, const wk_film_frames *frames)
{
    int error = wk_av.avformat_write_header(e->format, NULL);
    for (int64_t i = 0; error >= 0 && i < frames->count; i++) {
        const uint8_t *pixels = frames->pixels + i * frames->height * frames->width * 3;
        error = wk_av.av_frame_make_writable(e->frame); // the encoder may still look at the last one
        if (error < 0)
            break;
        const size_t row = 3 * (size_t)frames->width;
        for (int64_t y = 0; y < frames->height; y++) // swscale reads behind a row's end: where that is its own
            memcpy(e->rgb->data[0] + y * e->rgb->linesize[0], pixels + (size_t)y * row, row);
        wk_av.sws_scale(e->scaler, (const uint8_t *const *)e->rgb->data, e->rgb->linesize, 0, e->rgb->height,
                        e->frame->data, e->frame->linesize);
        e->frame->pts = i;
        error = encode(e, e->frame);
    }
    if (error >= 0)
        error = encode(e, NULL);
    if (error >= 0)
        error = wk_av.av_write_trailer(e->format);
    if (error >= 0 && e->io->error < 0)
        error = e->io->error;
    return error >= 0 || fails(e, "could not be encoded", error);
}

static bool save(const encoding *e, const char *path)
{
    wk_new_file file;
    return wk_new_file_open(&file, e->op, path) && wk_new_file_write(&file, e->bytes, (size_t)e->size) &&
           wk_new_file_commit(&file);
}

bool wk_film_write(const char *op, const char *path, const wk_film_frames *frames, const wk_film_coding *coding)
{
    if (!wk_ffmpeg_load(op))
        return false;
    encoding e = {.op = op, .shown = wk_shown(path, (wk_shown_text){0})};
    const bool good = open_file(&e, frames, coding) && encode_all(&e, frames) && save(&e, path);
    wk_av.sws_freeContext(e.scaler);
    wk_av.av_frame_free(&e.rgb);
    wk_av.av_frame_free(&e.frame);
    wk_av.av_packet_free(&e.packet);
    wk_av.avcodec_free_context(&e.codec);
    wk_av.avformat_free_context(e.format);
    if (e.io)
        wk_av.av_free(e.io->buffer);
    wk_av.avio_context_free(&e.io);
    wk_free(e.bytes);
    return good;
}

#else

#include <stddef.h>

#include "core/library.h"

bool wk_film_write(const char *op, const char *path, const wk_film_frames *frames, const wk_film_coding *coding)
{
    (void)path, (void)frames, (void)coding;
    wk_library_missing(op, "film", "libavformat-dev libavcodec-dev libswscale-dev");
    return false;
}

#endif
