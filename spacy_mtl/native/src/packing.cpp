#include "packing.h"

namespace mtl {

void pack_pairs(const float* weight, ptrdiff_t width, ptrdiff_t pieces, ptrdiff_t lanes,
                float* filters, float* packed) {
    const ptrdiff_t hidden = pieces * width, size = hidden * width;
    for (ptrdiff_t row = 0; row < hidden; row++) {
        const float* before = weight + row * 3 * width;
        const float *own = before + width, *after = own + width;
        float* filter = filters + row * width;
        for (ptrdiff_t k = 0; k < width; k++) {
            const float outer = before[k] + after[k];
            filter[k] = (outer + own[k]) * 0.5f;
            filter[size + k] = (outer - own[k]) * 0.5f;
            filter[2 * size + k] = -before[k];
            filter[3 * size + k] = after[k];
        }
    }
    constexpr ptrdiff_t BLOCK = 16;  // columns that are turned at once, a line of the cache
    const ptrdiff_t step = pieces * lanes;
    for (ptrdiff_t group = 0; group < width / lanes; group++)
        for (ptrdiff_t number = 0; number < 4; number++)
            for (ptrdiff_t piece = 0; piece < pieces; piece++) {
                const float* from =
                    filters + number * size + (piece * width + group * lanes) * width;
                float* to = packed + (group * 4 + number) * width * step + piece * lanes;
                for (ptrdiff_t start = 0; start < width; start += BLOCK) {
                    const ptrdiff_t end = start + BLOCK < width ? start + BLOCK : width;
                    for (ptrdiff_t lane = 0; lane < lanes; lane++)
                        for (ptrdiff_t k = start; k < end; k++)
                            to[k * step + lane] = from[lane * width + k];
                }
            }
}

}  // namespace mtl
