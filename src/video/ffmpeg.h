/* FFmpeg's libraries, loaded at their first use: wk_av.av_read_frame(...).  For files that have WICK_HAVE_VIDEO. */
#ifndef WICK_VIDEO_FFMPEG_H
#define WICK_VIDEO_FFMPEG_H

#include <stdbool.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>

#define WK_AVFORMAT(F)                                                                                                 \
    F(avformat_alloc_context)                                                                                          \
    F(avformat_open_input) F(avformat_find_stream_info) F(avformat_close_input) F(av_read_frame) F(av_seek_frame)      \
        F(avio_alloc_context) F(avio_context_free) F(avformat_alloc_output_context2) F(avformat_new_stream)            \
            F(avformat_write_header) F(av_interleaved_write_frame) F(av_write_trailer) F(avformat_free_context)
#define WK_AVCODEC(F)                                                                                                  \
    F(avcodec_find_decoder)                                                                                            \
    F(avcodec_find_encoder_by_name) F(avcodec_alloc_context3) F(avcodec_free_context) F(avcodec_parameters_to_context) \
        F(avcodec_parameters_from_context) F(avcodec_open2) F(avcodec_flush_buffers) F(avcodec_send_packet)            \
            F(avcodec_receive_frame) F(avcodec_send_frame) F(avcodec_receive_packet) F(av_packet_alloc)                \
                F(av_packet_free) F(av_packet_unref) F(av_packet_rescale_ts)
#define WK_AVUTIL(F)                                                                                                   \
    F(av_malloc)                                                                                                       \
    F(av_free) F(av_dict_set) F(av_dict_free) F(av_strerror) F(av_log_get_level) F(av_log_set_level) F(av_frame_alloc) \
        F(av_frame_free) F(av_frame_unref) F(av_frame_ref) F(av_frame_get_buffer) F(av_frame_make_writable)            \
            F(av_display_rotation_get)
#define WK_SWSCALE(F)                                                                                                  \
    F(sws_getCachedContext)                                                                                            \
    F(sws_freeContext) F(sws_scale) F(sws_getCoefficients) F(sws_setColorspaceDetails) F(sws_isSupportedInput)

/* a rotation is stored with the stream, and later with what describes its codec */
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
#define WK_AV_SIDE_DATA(F) F(av_packet_side_data_get)
#else
#define WK_AV_SIDE_DATA(F) F(av_stream_get_side_data)
#endif

#define WK_AV_FIELD(name) __typeof__(name) *name;
extern struct wk_ffmpeg {
    WK_AVFORMAT(WK_AV_FIELD)
    WK_AVCODEC(WK_AV_FIELD)
    WK_AVUTIL(WK_AV_FIELD)
    WK_SWSCALE(WK_AV_FIELD)
    WK_AV_SIDE_DATA(WK_AV_FIELD)
} wk_av;

bool wk_ffmpeg_load(const char *op); // false after an error

typedef char wk_av_text[AV_ERROR_MAX_STRING_SIZE];
const char *wk_av_message(int error, char *text); // text: a wk_av_text

#endif
