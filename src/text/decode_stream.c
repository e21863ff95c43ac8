/* Text as it is generated.  What a token adds may hang on the one before it (a space is cut off at the begin, a
   character takes several tokens): so the last ones are decoded again with each new one, and what is new is the
   difference. */
#include "tokenizer.h"

#include "core/alloc.h"

struct wk_text_decode_stream {
    const wk_text_tokenizer *tokenizer;
    bool skip;
    wk_text_ids ids;      // from the last ones that gave text
    size_t shown;         // how many of them gave what `before` holds
    wk_text_bytes before; // their text
    wk_text_words words, spare;
    wk_text_bytes piece;
};

wk_text_decode_stream *wk_text_decode_stream_new_with(wk_text_decode_stream_args args)
{
    const char *const op = "decode_stream";
    if (!args.tokenizer)
        return wk_fail(op, "tokenizer: is NULL");
    wk_text_decode_stream *stream = wk_alloc_zeroed(sizeof *stream);
    if (!stream)
        return wk_out_of_memory(op, sizeof *stream);
    stream->tokenizer = args.tokenizer;
    stream->skip = args.skip_special_tokens;
    return stream;
}

void wk_text_decode_stream_free(wk_text_decode_stream *stream)
{
    if (!stream)
        return;
    wk_free(stream->ids.ids);
    wk_free(stream->before.data);
    wk_free(stream->piece.data);
    wk_text_words_free(&stream->words);
    wk_text_words_free(&stream->spare);
    wk_free(stream);
}

static bool ends_broken(const wk_text_bytes *text) // with U+FFFD: more bytes of a character may follow
{
    return text->used >= 3 && memcmp(text->data + text->used - 3, "\xEF\xBF\xBD", 3) == 0;
}

/* the text of the last ids so far becomes `before`, without those that it does not need any more */
static bool move_on(const char *op, wk_text_decode_stream *stream)
{
    const size_t kept = stream->ids.count - stream->shown;
    memmove(stream->ids.ids, stream->ids.ids + stream->shown, kept * sizeof *stream->ids.ids);
    stream->ids.count = stream->shown = kept;
    if (!wk_text_decode_ids(op, stream->tokenizer, stream->ids.ids, kept, stream->skip, &stream->words, &stream->spare))
        return false;
    stream->before.used = 0;
    return wk_text_put(op, &stream->before, stream->words.text.data, stream->words.text.used);
}

const char *wk_text_decode_stream_step(wk_text_decode_stream *stream, int64_t id)
{
    const char *const op = "decode_stream";
    if (!stream)
        return wk_fail(op, "stream: is NULL");
    const wk_text_bytes *text = &stream->words.text, *before = &stream->before;
    if (!wk_text_put_id(op, &stream->ids, id) ||
        !wk_text_decode_ids(op, stream->tokenizer, stream->ids.ids, stream->ids.count, stream->skip, &stream->words,
                            &stream->spare))
        return NULL;
    stream->piece.used = 0;
    const bool longer = text->used > before->used && !ends_broken(text) &&
                        (before->used == 0 || memcmp(text->data, before->data, before->used) == 0);
    if (longer && (!wk_text_put(op, &stream->piece, text->data + before->used, text->used - before->used) ||
                   !move_on(op, stream)))
        return NULL;
    return wk_text_put(op, &stream->piece, "", 1) ? stream->piece.data : NULL;
}
