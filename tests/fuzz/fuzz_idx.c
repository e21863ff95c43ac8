/* Bytes as an IDX file, and those bytes gzipped, since no mutation keeps a checksum.  There is nothing that saves. */
#define _GNU_SOURCE // memfd_create
#include "fuzz.h"

#include <zlib.h>

static wk_tensor *load(const uint8_t *bytes, size_t size)
{
    char path[64];
    const int file = fuzz_open(bytes, size, path);
    wk_error error;
    wk_tensor *x = NULL;
    wk_try(&error) x = wk_data_load_idx(path);
    MUST(error.set == !x, error);
    close(file);
    return x;
}

static size_t gzipped(const uint8_t *bytes, size_t size, uint8_t *to, size_t room)
{
    z_stream stream = {.next_in = (Bytef *)bytes, .avail_in = (uInt)size, .next_out = to, .avail_out = (uInt)room};
    if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    deflateEnd(&stream);
    return room - stream.avail_out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    wk_scope
    {
        wk_tensor *x = load(bytes, size);
        if (size > 2 && bytes[0] == 0) {
            uint8_t *packed = malloc(size + 1000);
            const size_t packed_size = gzipped(bytes, size, packed, size + 1000);
            wk_tensor *again = load(packed, packed_size);
            const wk_error none = {.set = false};
            MUST(x ? fuzz_same(x, again) : !again, none);
            MUST(!load(packed, packed_size - 1), none); // without the end of its trailer
            free(packed);
        }
    }
    return 0;
}
