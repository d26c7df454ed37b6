// Window layers, in prediction and in training.

constexpr ptrdiff_t BAND = 256;        // rows that go through all layers together, in the cache
constexpr ptrdiff_t AHEAD = 3;         // rows whose words are fetched from memory in advance
constexpr float NORM_EPSILON = 1e-8f;  // thinc's

// Layer normalization of `values` [width], plus `own` [width].
INLINE void normalize(const float* __restrict values, const float* __restrict weight,
                      const float* __restrict bias, const float* __restrict own,
                      float* __restrict out, ptrdiff_t width) {
    const ptrdiff_t whole = width / LANES * LANES;
    Vector sums = {};
    for (ptrdiff_t k = 0; k < whole; k += LANES) sums += load(values + k);
    float total = sum(sums);
    for (ptrdiff_t k = whole; k < width; k++) total += values[k];
    const float mean = total / width;
    sums = Vector{};
    for (ptrdiff_t k = 0; k < whole; k += LANES) {
        const Vector off = load(values + k) - mean;
        sums += off * off;
    }
    total = sum(sums);
    for (ptrdiff_t k = whole; k < width; k++) total += (values[k] - mean) * (values[k] - mean);
    const float scale = 1.0f / __builtin_sqrtf(total / width + NORM_EPSILON);
    for (ptrdiff_t k = 0; k < whole; k += LANES) {
        store(out + k, (load(values + k) - mean) * scale * load(weight + k) + load(bias + k) +
                           load(own + k));
    }
    for (ptrdiff_t k = whole; k < width; k++) {
        out[k] = (values[k] - mean) * scale * weight[k] + bias[k] + own[k];
    }
}

// The same in training: keeps what the way back needs, and multiplies the result with the mask, if
// there is one, before it adds `own`. The width is a multiple of the lanes.
INLINE void normalize_recorded(const float* __restrict values, const WindowLayer& layer,
                               const float* __restrict own, const LayerRecord& record,
                               ptrdiff_t row, float* __restrict out, ptrdiff_t width) {
    Vector sums = {};
    for (ptrdiff_t k = 0; k < width; k += LANES) sums += load(values + k);
    const float mean = sum(sums) / width;
    sums = Vector{};
    for (ptrdiff_t k = 0; k < width; k += LANES) {
        const Vector off = load(values + k) - mean;
        sums += off * off;
    }
    const float scale = 1.0f / __builtin_sqrtf(sum(sums) / width + NORM_EPSILON);
    record.scale[row] = scale;
    float* normalized = record.normalized + row * width;
    const float* mask = record.mask == nullptr ? nullptr : record.mask + row * width;
    for (ptrdiff_t k = 0; k < width; k += LANES) {
        const Vector value = (load(values + k) - mean) * scale;
        store(normalized + k, value);
        Vector result = value * load(layer.norm_weight + k) + load(layer.norm_bias + k);
        if (mask != nullptr) result *= load(mask + k);
        store(out + k, result + load(own + k));
    }
}

// The first layer at one row: what it multiplies three words to, each at its place, is known.
template <int P>
INLINE void encode_words(const WordTables& words, const long long (&window)[3], ptrdiff_t width,
                         float* __restrict largest, float* __restrict out) {
    const ptrdiff_t hidden = P * width, whole = width / LANES * LANES;
    const float* before = words.products + window[0] * 3 * hidden;
    const float* own = words.products + window[1] * 3 * hidden + hidden;
    const float* after = words.products + window[2] * 3 * hidden + 2 * hidden;
    for (ptrdiff_t k = 0; k < whole; k += LANES) {
        Vector top = load(before + k) + load(own + k) + load(after + k) + load(words.bias + k);
#pragma GCC unroll 4
        for (int p = 1; p < P; p++) {
            const ptrdiff_t at = p * width + k;
            top = larger(top, load(before + at) + load(own + at) + load(after + at) +
                                  load(words.bias + at));
        }
        store(largest + k, top);
    }
    for (ptrdiff_t k = whole; k < width; k++) {
        float top = before[k] + own[k] + after[k] + words.bias[k];
        for (ptrdiff_t at = width + k; at < hidden; at += width) {
            const float piece = before[at] + own[at] + after[at] + words.bias[at];
            if (piece > top) top = piece;
        }
        largest[k] = top;
    }
    normalize(largest, words.norm_weight, words.norm_bias, words.vectors + window[1] * width, out,
              width);
}

template <int P>
INLINE Vector largest_piece(const Vector (&pieces)[P]) {
    Vector top = pieces[0];
#pragma GCC unroll 4
    for (int p = 1; p < P; p++) top = larger(top, pieces[p]);
    return top;
}

// Which piece that is, the first of equals.
template <int P>
INLINE IntVector number_of_largest(const Vector (&pieces)[P]) {
    Vector top = pieces[0];
    IntVector number = {};
#pragma GCC unroll 4
    for (int p = 1; p < P; p++) {
        const IntVector is_larger = pieces[p] > top;
        number = is_larger ? IntVector{} + p : number;
        top = larger(pieces[p], top);
    }
    return number;
}

// A layer over windows, for pairs of rows: see models/window_products.py for the arithmetic.
// rows: [2 * n_pairs + 2, width]; out: [2 * n_pairs, width], of all but the first and last. In
// training, `record` begins with the first of these rows.
template <int P, bool IS_TRAINING = false>
INLINE void encode_pairs(const WindowLayer& layer, const float* __restrict rows, ptrdiff_t n_pairs,
                         ptrdiff_t width, float* __restrict scratch, float* __restrict out,
                         const LayerRecord& record = {}) {
    constexpr int R = P > 3 ? ROWS * 3 / P : ROWS;
    const ptrdiff_t n_groups = (width + LANES - 1) / LANES, padded = n_groups * LANES;
    float* terms = scratch;                        // [4, R, width]
    float* largest = scratch + 4 * R * width;      // [2 * R, padded]
    const ptrdiff_t filter = width * P * LANES;    // floats of one filter of one group
    for (ptrdiff_t start = 0; start < n_pairs; start += R) {
        const ptrdiff_t n = n_pairs - start < R ? n_pairs - start : R;
        for (ptrdiff_t r = 0; r < n; r++) {
            const float* a = rows + 2 * (start + r) * width;
            const float *b = a + width, *c = b + width, *d = c + width;
            float* __restrict at = terms + r * width;
            for (ptrdiff_t k = 0; k < width; k++) {
                at[k] = b[k] + c[k];
                at[R * width + k] = c[k] - b[k];
                at[2 * R * width + k] = c[k] - a[k];
                at[3 * R * width + k] = d[k] - b[k];
            }
        }
        for (ptrdiff_t g = 0; g < n_groups; g++) {
            const float* filters = layer.filters + 4 * g * filter;
            Vector shared[R][P], sums[R][P], second[R][P];
            for (int r = 0; r < R; r++)
                for (int p = 0; p < P; p++) sums[r][p] = load(layer.bias + (g * P + p) * LANES);
            multiply(terms, width, filters, width, sums);
            for (int r = 0; r < R; r++)
                for (int p = 0; p < P; p++) {
                    shared[r][p] = sums[r][p];
                    sums[r][p] = Vector{};
                }
            multiply(terms + R * width, width, filters + filter, width, sums);
            for (int r = 0; r < R; r++)
                for (int p = 0; p < P; p++) {
                    second[r][p] = shared[r][p] - sums[r][p];
                    sums[r][p] += shared[r][p];
                }
            multiply(terms + 2 * R * width, width, filters + 2 * filter, width, sums);
            for (int r = 0; r < R; r++) {
                store(largest + 2 * r * padded + g * LANES, largest_piece(sums[r]));
                if (IS_TRAINING && r < n)
                    store(record.piece + 2 * (start + r) * width + g * LANES,
                          number_of_largest(sums[r]));
                for (int p = 0; p < P; p++) sums[r][p] = second[r][p];
            }
            multiply(terms + 3 * R * width, width, filters + 3 * filter, width, sums);
            for (int r = 0; r < R; r++) {
                store(largest + (2 * r + 1) * padded + g * LANES, largest_piece(sums[r]));
                if (IS_TRAINING && r < n)
                    store(record.piece + (2 * (start + r) + 1) * width + g * LANES,
                          number_of_largest(sums[r]));
            }
        }
        for (ptrdiff_t i = 0; i < 2 * n; i++) {
            const ptrdiff_t row = 2 * start + i;
            if (IS_TRAINING) {
                normalize_recorded(largest + i * padded, layer, rows + (row + 1) * width, record, row,
                                   out + row * width, width);
                continue;
            }
            normalize(largest + i * padded, layer.norm_weight, layer.norm_bias,
                      rows + (row + 1) * width, out + row * width, width);
        }
    }
}

INLINE void keep_tokens(const Encoding& encoding, ptrdiff_t first, ptrdiff_t last,
                        const float* __restrict rows, float* __restrict output) {
    for (ptrdiff_t row = first; row < last; row++) {
        const long long token = encoding.token_of_row[row];
        if (token < 0) continue;
        __builtin_memcpy(output + token * encoding.width, rows + (row - first) * encoding.width,
                         encoding.width * sizeof(float));
    }
}

// The word at a row; 0, for none, outside of the matrix.
INLINE long long word_at(const Encoding& encoding, ptrdiff_t row) {
    return row < 0 || row >= encoding.n_rows ? 0 : encoding.word_of_row[row];
}

// The floats of the rows of a band, with those around it.
inline ptrdiff_t band_room(const Encoding& encoding) {
    const ptrdiff_t n_rows = encoding.n_rows < BAND ? encoding.n_rows : BAND;
    return (n_rows + 2 * encoding.n_layers + 4) * encoding.width;
}

// A band of rows, and as many rows around it as its tokens can see, goes through all layers before
// the next one does. Rows outside of the matrix count as zeros: no token sees them, as there are as
// many rows without tokens before the first token and after the last.
template <int P>
INLINE void encode_band(const Encoding& encoding, ptrdiff_t first, ptrdiff_t last,
                        float* __restrict scratch) {
    const ptrdiff_t width = encoding.width, n_layers = encoding.n_layers;
    const ptrdiff_t room = band_room(encoding);
    float *now = scratch, *next = scratch + room, *rest = scratch + 2 * room;
    const WordTables& words = encoding.words;
    const ptrdiff_t start = first - n_layers, end = last + n_layers;
    for (ptrdiff_t row = start; row < end; row++) {
        float* out = now + (row - start) * width;
        if (words.products == nullptr) {
            __builtin_memcpy(out, words.vectors + word_at(encoding, row) * width, width * sizeof(float));
            continue;
        }
        const long long window[3] = {word_at(encoding, row - 1), word_at(encoding, row),
                                     word_at(encoding, row + 1)};
        const float* ahead = words.products + word_at(encoding, row + AHEAD) * 3 * P * width;
        for (ptrdiff_t at = 0; at < 3 * P * width; at += 16) __builtin_prefetch(ahead + at);
        encode_words<P>(words, window, width, rest, out);
    }
    if (encoding.outputs[0] != nullptr)
        keep_tokens(encoding, first, last, now + n_layers * width, encoding.outputs[0]);
    for (ptrdiff_t number = 0; number < n_layers; number++) {
        const ptrdiff_t reach = n_layers - 1 - number;  // rows to either side that are seen later
        const ptrdiff_t n_rows = last - first + 2 * reach;
        if (n_rows & 1) {  // the last pair has a row that nothing reads
            float* unused = now + (n_rows + 2) * width;
            for (ptrdiff_t k = 0; k < width; k++) unused[k] = 0;
        }
        encode_pairs<P>(encoding.layers[number], now, (n_rows + 1) / 2, width, rest, next);
        if (encoding.outputs[number + 1] != nullptr)
            keep_tokens(encoding, first, last, next + reach * width, encoding.outputs[number + 1]);
        float* before = now;
        now = next;
        next = before;
    }
}

ptrdiff_t encode_scratch(const Encoding& encoding) {
    const ptrdiff_t padded = (encoding.width + LANES - 1) / LANES * LANES;
    return 2 * band_room(encoding) + (4 + 2) * (ROWS + 1) * padded;
}

TARGET void encode(const Encoding& encoding, ptrdiff_t first, ptrdiff_t last, float* scratch) {
    for (ptrdiff_t start = first; start < last; start += BAND) {
        const ptrdiff_t end = start + BAND < last ? start + BAND : last;
        if (encoding.pieces == 2) encode_band<2>(encoding, start, end, scratch);
        else encode_band<3>(encoding, start, end, scratch);
    }
}

TARGET void train_layer(const TrainedLayer& layer, ptrdiff_t first, ptrdiff_t last,
                        float* scratch) {
    const ptrdiff_t width = layer.width, row = 2 * first;
    LayerRecord record = layer.record;
    record.piece += row * width;
    record.normalized += row * width;
    record.scale += row;
    if (record.mask != nullptr) record.mask += row * width;
    const float* rows = layer.rows + row * width;
    float* out = layer.outputs + row * width;
    if (layer.pieces == 2)
        encode_pairs<2, true>(layer.weights, rows, last - first, width, scratch, out, record);
    else
        encode_pairs<3, true>(layer.weights, rows, last - first, width, scratch, out, record);
}

// The way back through normalization and maxout for one row: the gradient of the largest pieces.
INLINE void unnormalize(const LayerGradient& gradient, ptrdiff_t row, ptrdiff_t width,
                        float* __restrict d_norm_weight, float* __restrict d_norm_bias,
                        float* __restrict d_largest) {
    const LayerRecord& record = gradient.record;
    const float* d_output = gradient.d_outputs + row * width;
    const float* mask = record.mask == nullptr ? nullptr : record.mask + row * width;
    const float* normalized = record.normalized + row * width;
    Vector sums = {}, products = {};
    for (ptrdiff_t k = 0; k < width; k += LANES) {
        Vector d_result = load(d_output + k);
        if (mask != nullptr) d_result *= load(mask + k);
        const Vector value = load(normalized + k);
        store(d_norm_weight + k, load(d_norm_weight + k) + d_result * value);
        store(d_norm_bias + k, load(d_norm_bias + k) + d_result);
        d_result *= load(gradient.norm_weight + k);
        store(d_largest + k, d_result);
        sums += d_result;
        products += d_result * value;
    }
    const float mean = sum(sums) / width, slope = sum(products) / width;
    const float scale = record.scale[row];
    for (ptrdiff_t k = 0; k < width; k += LANES) {
        store(d_largest + k,
              (load(d_largest + k) - mean - load(normalized + k) * slope) * scale);
    }
}

TARGET void layer_backward(const LayerGradient& gradient, ptrdiff_t first, ptrdiff_t last, float* sums,
                      float* scratch) {
    const ptrdiff_t width = gradient.width, hidden = gradient.pieces * width;
    float *d_norm_weight = sums, *d_norm_bias = sums + width, *d_bias = sums + 2 * width;
    float *d_first = scratch, *d_second = scratch + width;
    for (ptrdiff_t k = 0; k < 2 * width + hidden; k++) sums[k] = 0;
    for (ptrdiff_t pair = first; pair < last; pair++) {
        unnormalize(gradient, 2 * pair, width, d_norm_weight, d_norm_bias, d_first);
        unnormalize(gradient, 2 * pair + 1, width, d_norm_weight, d_norm_bias, d_second);
        const unsigned char* of_first = gradient.record.piece + 2 * pair * width;
        const unsigned char* of_second = of_first + width;
        for (ptrdiff_t k = 0; k < width; k += LANES) {
            const IntVector piece_of_first = load(of_first + k), piece_of_second = load(of_second + k);
            const Vector value = load(d_first + k), other = load(d_second + k);
            for (ptrdiff_t p = 0; p < gradient.pieces; p++) {
                const int piece = static_cast<int>(p);
                const Vector one = piece_of_first == piece ? value : Vector{};
                const Vector two = piece_of_second == piece ? other : Vector{};
                const ptrdiff_t at = pair * hidden + p * width + k;
                store(gradient.d_first + at, one);
                store(gradient.d_second + at, two);
                store(gradient.d_both + at, one + two);
                store(gradient.d_difference + at, one - two);
                float* bias = d_bias + p * width + k;
                store(bias, load(bias) + one + two);
            }
        }
    }
}

ptrdiff_t train_scratch(ptrdiff_t width) { return (4 + 2) * (ROWS + 1) * width; }

TARGET void write_terms(const float* rows, ptrdiff_t n_pairs, ptrdiff_t width, float* terms) {
    const ptrdiff_t size = n_pairs * width;
    for (ptrdiff_t pair = 0; pair < n_pairs; pair++) {
        const float* __restrict a = rows + 2 * pair * width;
        const float *__restrict b = a + width, *__restrict c = b + width, *__restrict d = c + width;
        float* __restrict at = terms + pair * width;
        for (ptrdiff_t k = 0; k < width; k++) {
            at[k] = b[k] + c[k];
            at[size + k] = c[k] - b[k];
            at[2 * size + k] = c[k] - a[k];
            at[3 * size + k] = d[k] - b[k];
        }
    }
}

TARGET void gather_terms(const float* d_terms, const float* d_own, ptrdiff_t n_pairs,
                         ptrdiff_t width, float* d_rows) {
    const ptrdiff_t size = n_pairs * width;
    const float *before = d_terms + 2 * size, *after = d_terms + 3 * size;
    for (ptrdiff_t k = 0; k < width; k++) {
        d_rows[k] = -before[k];
        d_rows[(2 * n_pairs + 1) * width + k] = after[size - width + k];
    }
    for (ptrdiff_t pair = 0; pair < n_pairs; pair++) {
        const ptrdiff_t at = pair * width;
        const float* __restrict common = d_terms + at;
        const float* __restrict opposed = d_terms + size + at;
        const float *own_before = before + at, *own_after = after + at;
        const float* own = d_own + 2 * at;
        float *__restrict first = d_rows + (2 * pair + 1) * width, *__restrict second = first + width;
        const bool is_first = pair == 0, is_last = pair == n_pairs - 1;
        for (ptrdiff_t k = 0; k < width; k++) {
            const float last_after = is_first ? 0.0f : own_after[k - width];
            const float next_before = is_last ? 0.0f : own_before[k + width];
            first[k] = own[k] + (common[k] - opposed[k]) - own_after[k] + last_after;
            second[k] = own[width + k] + (common[k] + opposed[k]) + own_before[k] - next_before;
        }
    }
}
