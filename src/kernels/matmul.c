/* A product is cut into 4 tiles, a large one into 8 or more.  Each packs its own part of A and B, which costs a tile of
   (m, n) about 1/m + 1/n of its arithmetic: on two cores 2048 x 288 x 96 runs at 406 GFLOPS in tiles of 512 x 288, 385
   in tiles of 256 x 144; 1024^3 at 398 in tiles of 512 x 512, 341 in tiles of 128 x 144.  Widths are multiples of 48,
   the columns that oneDNN keeps in registers. */
#include "matmul.h"

enum { LEAST_TILE = 1 << 18, USUAL_TILE = 20 << 20, MOST_TILE = 256 << 20, LEAST_SIDE = 48 }; // in multiply-adds

static int64_t halved(int64_t side, int64_t multiple) { return (side / 2 + multiple - 1) / multiple * multiple; }

/* Thin products wait for memory: an element of A or B counts as 16 multiply-adds. */
static int64_t cost_of(int64_t m, int64_t n, int64_t k)
{
    const int64_t products = m * n * k, elements = 16 * k * (m + n);
    return products > elements ? products : elements;
}

static void cut(wk_matmul_work *work, int64_t batches)
{
    const int64_t total = cost_of(work->m, work->n, work->k), all = total * batches;
    int64_t most = all / 4 < USUAL_TILE ? all / 4 : all / 8 > USUAL_TILE ? all / 8 : USUAL_TILE;
    most = most < LEAST_TILE ? LEAST_TILE : most > MOST_TILE ? MOST_TILE : most;
    work->tile_m = work->m;
    work->tile_n = work->n;
    for (int64_t tiles = 1; total / tiles > most; tiles *= 2) {
        if (work->tile_m >= work->tile_n && work->tile_m > LEAST_SIDE)
            work->tile_m = halved(work->tile_m, 8);
        else if (work->tile_n > LEAST_SIDE)
            work->tile_n = halved(work->tile_n, LEAST_SIDE);
        else
            break;
    }
}

void wk_matmul_run(const wk_kernels *kernels, wk_matmul_work *work)
{
    int64_t batches = 1;
    for (int dim = 0; dim < work->batch_ndim; dim++)
        batches *= work->batch_shape[dim];
    if (work->m <= 0 || work->n <= 0 || batches <= 0)
        return;
    cut(work, batches);
    const int64_t tiles = ((work->m + work->tile_m - 1) / work->tile_m) * ((work->n + work->tile_n - 1) / work->tile_n);
    wk_parallel(kernels->matmul, work, batches * tiles, cost_of(work->tile_m, work->tile_n, work->k) / 64 + 1);
}
