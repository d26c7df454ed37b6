// Weights in the order in which the window layers read them.
#pragma once

#include <cstddef>

namespace mtl {

// weight: [pieces * width, 3 * width]. filters gets [4, pieces * width, width], see
// models/window_products.py; packed gets them as `WindowLayer` has them, [width / lanes, 4, width,
// pieces, lanes]. The width is a multiple of the lanes.
void pack_pairs(const float* weight, ptrdiff_t width, ptrdiff_t pieces, ptrdiff_t lanes,
                float* filters, float* packed);

}  // namespace mtl
