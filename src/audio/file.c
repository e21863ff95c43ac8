/* Sound files, by libsndfile, which is loaded at its first use.

   It reads a mapped file, and writes into memory that becomes a file when it is whole: by calls of ours (virtual IO),
   so it never opens a path.  A file is not believed: its kind is told from its first bytes, so that only the formats
   named here are parsed, and where its header tells of many more samples than its bytes may hold, they are counted
   before memory is asked for. */
#include <wick/audio.h>

#include "core/host.h"
#include "core/library.h"

#ifdef WICK_HAVE_AUDIO

#include <math.h>
#include <sndfile.h>
#include <string.h>
#include <strings.h>

#include <wick/autograd.h>
#include <wick/cast.h>
#include <wick/view.h>

#include "core/alloc.h"
#include "core/text.h"
#include "io/file.h"

#define BLOCK 4096           // frames at a time
#define BELIEVED 64          // samples for each byte of a file: speech in ogg has 20
#define MOST_WAV 0xFFFF0000u // bytes: its sizes have 32 bits

static SNDFILE *(*open_virtual)(SF_VIRTUAL_IO *io, int mode, SF_INFO *info, void *context);
static int (*close_file)(SNDFILE *file);
static sf_count_t (*seek)(SNDFILE *file, sf_count_t frames, int whence);
static sf_count_t (*read_floats)(SNDFILE *file, float *values, sf_count_t frames);
static sf_count_t (*write_ints)(SNDFILE *file, const int *values, sf_count_t frames);
static sf_count_t (*write_doubles)(SNDFILE *file, const double *values, sf_count_t frames);
static int (*error_of)(SNDFILE *file);
static const char *(*error_text)(SNDFILE *file);
static int (*command)(SNDFILE *file, int command, void *data, int size);
static int (*check_format)(const SF_INFO *info);

static wk_library sndfile = {.file = "libsndfile.so.1",
                             .package = "libsndfile1",
                             .functions = {{"sf_open_virtual", &open_virtual},
                                           {"sf_close", &close_file},
                                           {"sf_seek", &seek},
                                           {"sf_readf_float", &read_floats},
                                           {"sf_writef_int", &write_ints},
                                           {"sf_writef_double", &write_doubles},
                                           {"sf_error", &error_of},
                                           {"sf_strerror", &error_text},
                                           {"sf_command", &command},
                                           {"sf_format_check", &check_format}}};

/* ---------------------------------------------------------------- bytes in memory, as libsndfile asks for them */

typedef struct memory {
    unsigned char *bytes;
    size_t size, capacity, at;
    bool full; // there was no memory for more
} memory;

static sf_count_t memory_length(void *context) { return (sf_count_t)((const memory *)context)->size; }
static sf_count_t memory_tell(void *context) { return (sf_count_t)((const memory *)context)->at; }

static sf_count_t memory_seek(sf_count_t offset, int whence, void *context)
{
    memory *m = context;
    const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (sf_count_t)m->at : (sf_count_t)m->size;
    if (offset >= -from && offset <= (sf_count_t)m->size - from)
        m->at = (size_t)(from + offset);
    return (sf_count_t)m->at;
}

static sf_count_t memory_read(void *bytes, sf_count_t count, void *context)
{
    memory *m = context;
    const size_t left = m->size - m->at, some = count > 0 && (size_t)count < left ? (size_t)count
                                                : count > 0                       ? left
                                                                                  : 0;
    if (some > 0)
        memcpy(bytes, m->bytes + m->at, some);
    m->at += some;
    return (sf_count_t)some;
}

static sf_count_t memory_write(const void *bytes, sf_count_t count, void *context)
{
    memory *m = context;
    const size_t end = m->at + (size_t)count;
    if (end > m->capacity) {
        const size_t capacity = end < 32768 ? 65536 : 2 * end;
        unsigned char *more = wk_realloc(m->bytes, capacity);
        if (!more) {
            m->full = true;
            return 0;
        }
        m->bytes = more;
        m->capacity = capacity;
    }
    memcpy(m->bytes + m->at, bytes, (size_t)count);
    m->at = end;
    m->size = end > m->size ? end : m->size;
    return count;
}

static SF_VIRTUAL_IO in_memory = {memory_length, memory_seek, memory_read, memory_write, memory_tell};

/* libsndfile's words on a failure, without the stop at their end */
static void *fails(const char *op, const char *path, SNDFILE *file)
{
    char text[160];
    snprintf(text, sizeof text, "%s", error_text(file));
    size_t length = strlen(text);
    while (length > 0 && strchr(".\n ", text[length - 1]))
        text[--length] = 0;
    return wk_fail(op, "%s: %s", wk_shown(path, (wk_shown_text){0}), text);
}

/* ---------------------------------------------------------------- reading */

/* a format that is parsed, by its first bytes */
static bool is_sound(const unsigned char *bytes, size_t size)
{
    static const char *const begins[] = {"RIFF", "RIFX", "RF64", "FORM", ".snd", "fLaC", "OggS", "ID3", "caff"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (size > 12 && memcmp(bytes, begins[i], strlen(begins[i])) == 0)
            return true;
    return size > 12 && bytes[0] == 0xFF && (bytes[1] & 0xE0) == 0xE0; // a frame of mp3
}

typedef struct sound {
    const char *op, *path;
    wk_file_map *map;
    memory memory;
    SF_INFO info;
    SNDFILE *file; // NULL after an error
} sound;

static bool open_sound(sound *s)
{
    if (!wk_library_load(s->op, &sndfile) || !(s->map = wk_file_map_open(s->op, s->path)))
        return false;
    s->memory = (memory){.bytes = s->map->bytes, .size = s->map->size};
    if (!is_sound(s->map->bytes, s->map->size))
        return wk_file_is_no(s->op, s->path, "sound", s->map) != NULL;
    s->file = open_virtual(&in_memory, SFM_READ, &s->info, &s->memory);
    if (!s->file)
        return fails(s->op, s->path, NULL) != NULL;
    if (s->info.channels < 1 || s->info.samplerate < 1)
        return wk_fail(s->op, "%s: has %d channels at %d Hz", wk_shown(s->path, (wk_shown_text){0}), s->info.channels,
                       s->info.samplerate) != NULL;
    return true;
}

static void close_sound(sound *s)
{
    if (s->file)
        close_file(s->file);
    wk_file_map_release(s->map);
}

/* how many frames can really be decoded from here on, at most `most`; -1 after an error */
static int64_t count_frames(sound *s, float *block, int64_t most)
{
    int64_t count = 0;
    while (count < most) {
        const int64_t got = read_floats(s->file, block, most - count < BLOCK ? most - count : BLOCK);
        if (got <= 0)
            break;
        count += got;
    }
    return count;
}

/* to the frame; false after an error */
static bool go_to(sound *s, int64_t frame)
{
    return seek(s->file, frame, SEEK_SET) == frame || fails(s->op, s->path, s->file) != NULL;
}

static wk_tensor *read_frames(sound *s, float *block, int64_t offset, int64_t wanted)
{
    const int64_t channels = s->info.channels;
    if (offset > 0 && wanted > 0 && !go_to(s, offset))
        return NULL;
    if (wanted > ((int64_t)s->map->size * BELIEVED + BLOCK) / channels) {
        wanted = count_frames(s, block, wanted);
        if (!go_to(s, offset))
            return NULL;
    }
    wk_tensor *x = wk_tensor_new(s->op, 2, (int64_t[]){channels, wanted}, wk_float32, wk_cpu);
    float *values = x ? wk_host(s->op, x) : NULL;
    int64_t done = 0;
    while (x && done < wanted) {
        const int64_t got = read_floats(s->file, block, wanted - done < BLOCK ? wanted - done : BLOCK);
        if (got <= 0)
            break;
        for (int64_t channel = 0; channel < channels; channel++)
            for (int64_t i = 0; i < got; i++)
                values[channel * wanted + done + i] = block[i * channels + channel];
        done += got;
    }
    if (x && error_of(s->file))
        return fails(s->op, s->path, s->file);
    return x && done < wanted ? wk_clone(wk_narrow(x, 1, 0, done)) : x; // the file is shorter than its header says
}

wk_tensor *wk_audio_load_with(wk_audio_load_args args)
{
    static const char OP[] = "audio_load";
    if (args.frame_offset < 0 || args.num_frames < -1)
        return wk_fail(OP, "frame_offset, num_frames: expected 0 or more and -1 or more, got %lld and %lld",
                       (long long)args.frame_offset, (long long)args.num_frames);
    wk_tensor *x = NULL;
    wk_scope
    {
        sound s = {.op = OP, .path = args.path};
        if (open_sound(&s)) {
            const size_t bytes = BLOCK * (size_t)s.info.channels * sizeof(float);
            float *block = wk_alloc(bytes);
            const int64_t left = s.info.frames > args.frame_offset ? s.info.frames - args.frame_offset : 0;
            const int64_t wanted = args.num_frames >= 0 && args.num_frames < left ? args.num_frames : left;
            x = block ? read_frames(&s, block, args.frame_offset, wanted) : wk_out_of_memory(OP, bytes);
            wk_free(block);
            if (x && args.sample_rate)
                *args.sample_rate = s.info.samplerate;
        }
        close_sound(&s);
        wk_keep(x);
    }
    return x;
}

/* ---------------------------------------------------------------- what is in a file, and what can be */

typedef struct encoding {
    const char *ending, *name;
    int bits, format;
} encoding;
/* the first of an ending is what is written unless told */
static const encoding encodings[] = {
    {"wav", "PCM_S", 16, SF_FORMAT_WAV | SF_FORMAT_PCM_16},
    {"wav", "PCM_S", 24, SF_FORMAT_WAV | SF_FORMAT_PCM_24},
    {"wav", "PCM_S", 32, SF_FORMAT_WAV | SF_FORMAT_PCM_32},
    {"wav", "PCM_U", 8, SF_FORMAT_WAV | SF_FORMAT_PCM_U8},
    {"wav", "PCM_F", 32, SF_FORMAT_WAV | SF_FORMAT_FLOAT},
    {"wav", "PCM_F", 64, SF_FORMAT_WAV | SF_FORMAT_DOUBLE},
    {"wav", "ULAW", 8, SF_FORMAT_WAV | SF_FORMAT_ULAW},
    {"wav", "ALAW", 8, SF_FORMAT_WAV | SF_FORMAT_ALAW},
    {"flac", "FLAC", 16, SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
    {"flac", "FLAC", 24, SF_FORMAT_FLAC | SF_FORMAT_PCM_24},
    {"ogg", "VORBIS", 0, SF_FORMAT_OGG | SF_FORMAT_VORBIS},
    {"mp3", "MP3", 0, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III},
};
#define ENCODINGS ((int)(sizeof encodings / sizeof *encodings))

wk_audio_metadata wk_audio_info(const char *path)
{
    wk_audio_metadata metadata = {.encoding = "UNKNOWN"};
    sound s = {.op = "audio_info", .path = path};
    if (open_sound(&s)) {
        metadata.sample_rate = s.info.samplerate;
        metadata.num_channels = s.info.channels;
        metadata.num_frames = s.info.frames < SF_COUNT_MAX ? s.info.frames : 0;
        const int kind = s.info.format & SF_FORMAT_TYPEMASK, inside = s.info.format & SF_FORMAT_SUBMASK;
        for (int i = 0; i < ENCODINGS; i++) // a wav's, whatever else has the same samples
            if ((encodings[i].format & SF_FORMAT_SUBMASK) == inside &&
                (kind == SF_FORMAT_FLAC) == ((encodings[i].format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC)) {
                metadata.encoding = encodings[i].name;
                metadata.bits_per_sample = encodings[i].bits;
            }
        if (inside == SF_FORMAT_OPUS)
            metadata.encoding = "OPUS";
        if (inside == SF_FORMAT_PCM_S8) {
            metadata.encoding = kind == SF_FORMAT_FLAC ? "FLAC" : "PCM_S";
            metadata.bits_per_sample = 8;
        }
    }
    close_sound(&s);
    return metadata;
}

/* the row that was asked for; NULL after an error */
static const encoding *choose(const char *op, const wk_audio_save_args *args)
{
    const char *dot = args->path ? strrchr(args->path, '.') : NULL;
    bool ending = false;
    for (int i = 0; dot && i < ENCODINGS; i++)
        if (strcasecmp(dot + 1, encodings[i].ending) == 0) {
            ending = true;
            if ((!args->encoding || strcmp(args->encoding, encodings[i].name) == 0) &&
                (args->bits_per_sample == 0 || args->bits_per_sample == encodings[i].bits))
                return &encodings[i];
        }
    if (!ending)
        return wk_fail(op, "path: expected a name that ends in .wav, .flac, .ogg or .mp3, got %s",
                       args->path ? wk_shown(args->path, (wk_shown_text){0}) : "NULL");
    return wk_fail(op, "encoding, bits_per_sample: %s has no %s of %lld bits", dot,
                   args->encoding ? wk_shown(args->encoding, (wk_shown_text){0}) : "samples",
                   (long long)args->bits_per_sample);
}

/* ---------------------------------------------------------------- writing */

/* v of -1 to 1 as a whole number of `bits`, at the top of an int; others are cut off */
static int whole(double v, int bits)
{
    const double scale = ldexp(1, bits - 1), rounded = rint(v * scale);
    const double q = rounded < -scale ? -scale : rounded > scale - 1 ? scale - 1 : rounded == rounded ? rounded : 0;
    return (int)((int64_t)q * ((int64_t)1 << (32 - bits)));
}

/* rows (C, T) of floats or doubles into the file, block by block; false where libsndfile took less */
static bool write_frames(SNDFILE *file, const wk_tensor *x, const encoding *as, int64_t channels, void *block)
{
    const float *narrow = x->dtype == wk_float32 ? wk_host("audio_save", x) : NULL;
    const double *wide = narrow ? NULL : wk_host("audio_save", x);
    const int64_t frames = x->shape[x->ndim - 1];
    const bool floats = as->bits == 0 || strcmp(as->name, "PCM_F") == 0, cut = as->bits == 0;
    const int bits = as->name[1] == 'L' && as->bits == 8 ? 16 : as->bits; // ULAW and ALAW are made of 16
    for (int64_t start = 0; start < frames; start += BLOCK) {
        const int64_t count = frames - start < BLOCK ? frames - start : BLOCK;
        for (int64_t i = 0; i < count; i++)
            for (int64_t channel = 0; channel < channels; channel++) {
                const int64_t at = channel * frames + start + i;
                const double v = narrow ? (double)narrow[at] : wide[at];
                if (floats)
                    ((double *)block)[i * channels + channel] = !cut ? v : v > 1 ? 1 : v < -1 ? -1 : v == v ? v : 0;
                else
                    ((int *)block)[i * channels + channel] = whole(v, bits);
            }
        if ((floats ? write_doubles(file, block, count) : write_ints(file, block, count)) != count)
            return false;
    }
    return true;
}

/* What the format holds; an mp3 of another rate is refused while libsndfile opens it, which leaks the encoder. */
static bool holds(const SF_INFO *info)
{
    static const int MPEG_RATES[] = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
    bool rate = (info->format & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG;
    for (size_t i = 0; i < sizeof MPEG_RATES / sizeof *MPEG_RATES; i++)
        rate |= info->samplerate == MPEG_RATES[i];
    return rate && check_format(info);
}

static bool write_sound(const char *op, const wk_audio_save_args *args, const wk_tensor *x, const encoding *as)
{
    const int64_t channels = x->ndim == 2 ? x->shape[0] : 1;
    SF_INFO info = {.samplerate = (int)args->sample_rate, .channels = (int)channels, .format = as->format};
    if (!holds(&info))
        return wk_fail(op, "x, sample_rate: %s cannot hold %lld channels at %lld Hz", as->ending, (long long)channels,
                       (long long)args->sample_rate) != NULL;
    const size_t bytes = BLOCK * (size_t)channels * sizeof(double);
    void *block = wk_alloc(bytes);
    if (!block)
        return wk_out_of_memory(op, bytes) != NULL;
    memory m = {0};
    SNDFILE *file = open_virtual(&in_memory, SFM_WRITE, &info, &m);
    bool good = file != NULL;
    if (!file && !m.full)
        fails(op, args->path, NULL);
    if (file) {
        command(file, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE); // it has the time of day in it
        good = write_frames(file, x, as, channels, block);
        if (!good && !m.full)
            fails(op, args->path, file);
        if (close_file(file) != 0 && good && !m.full)
            good = fails(op, args->path, NULL) != NULL;
    }
    wk_free(block);
    if (m.full)
        good = wk_out_of_memory(op, 2 * m.capacity) != NULL;
    wk_new_file out;
    good = good && wk_new_file_open(&out, op, args->path) && wk_new_file_write(&out, m.bytes, m.size) &&
           wk_new_file_commit(&out);
    wk_free(m.bytes);
    return good;
}

bool wk_audio_save_with(wk_audio_save_args args)
{
    static const char OP[] = "audio_save";
    wk_tensor *x = args.x;
    WK_REQUIRE(OP, x);
    if (!wk_dtype_is_floating(x->dtype) || x->ndim < 1 || x->ndim > 2 || (x->ndim == 2 && x->shape[0] < 1))
        return wk_fail(OP, "x: expected a floating (C, T) or (T), got %s %s", wk_dtype_name(x->dtype),
                       wk_shape_string(x));
    if (args.sample_rate < 1 || args.sample_rate > INT32_MAX || (x->ndim == 2 && x->shape[0] > 1024))
        return wk_fail(OP, "sample_rate, x: expected 1 to %d Hz and at most 1024 channels, got %lld Hz and %s",
                       INT32_MAX, (long long)args.sample_rate, wk_shape_string(x));
    if (!wk_library_load(OP, &sndfile))
        return false;
    const encoding *as = choose(OP, &args);
    if (!as)
        return false;
    if (as->format / SF_FORMAT_WAV == 1 && x->numel > MOST_WAV / (as->bits / 8))
        return wk_fail(OP, "x: %lld samples are more than a wav can hold\nhint: .flac", (long long)x->numel);
    bool good = false;
    wk_scope
    wk_no_grad
    {
        wk_tensor *plain = wk_to(wk_detach(x), wk_cpu);
        plain = wk_contiguous(plain && plain->dtype == wk_float64 ? plain : wk_to(plain, wk_float32));
        good = plain && write_sound(OP, &args, plain, as);
    }
    return good;
}

#else

wk_tensor *wk_audio_load_with(wk_audio_load_args args)
{
    (void)args;
    wk_library_missing("audio_load", "sound files", "libsndfile1-dev");
    return NULL;
}

bool wk_audio_save_with(wk_audio_save_args args)
{
    (void)args;
    wk_library_missing("audio_save", "sound files", "libsndfile1-dev");
    return false;
}

wk_audio_metadata wk_audio_info(const char *path)
{
    (void)path;
    wk_library_missing("audio_info", "sound files", "libsndfile1-dev");
    return (wk_audio_metadata){.encoding = "UNKNOWN"};
}

#endif
