// Linear layers, one or two with GELU between them, or a maxout with layer normalization.

// out = rows * weight + bias, for n <= R rows and C vectors of columns. All R rows are read.
template <int R, int C>
INLINE void apply_columns(const LinearLayer& layer, const float* rows, ptrdiff_t row_step,
                          const float* weight, const float* bias, float* out, ptrdiff_t n) {
    Vector sums[R][C];
    for (int r = 0; r < R; r++)
        for (int c = 0; c < C; c++) sums[r][c] = load(bias + c * LANES);
    multiply(rows, row_step, weight, layer.n_in, sums);
    for (int r = 0; r < n; r++)
        for (int c = 0; c < C; c++) store(out + r * layer.n_columns + c * LANES, sums[r][c]);
}

// out [n, columns] = rows [R, n_in] * weight + bias
template <int R>
INLINE void apply_layer(const LinearLayer& layer, const float* rows, ptrdiff_t row_step, float* out,
                        ptrdiff_t n) {
    const ptrdiff_t n_groups = layer.n_columns / LANES;
    const float* weight = layer.weight;
    for (ptrdiff_t g = 0; g < n_groups;) {
        const float* bias = layer.bias + g * LANES;
        float* at = out + g * LANES;
        const ptrdiff_t c = n_groups - g < 4 ? n_groups - g : 4;
        if (c == 4) apply_columns<R, 4>(layer, rows, row_step, weight, bias, at, n);
        else if (c == 3) apply_columns<R, 3>(layer, rows, row_step, weight, bias, at, n);
        else if (c == 2) apply_columns<R, 2>(layer, rows, row_step, weight, bias, at, n);
        else apply_columns<R, 1>(layer, rows, row_step, weight, bias, at, n);
        weight += c * LANES * layer.n_in;
        g += c;
    }
}

constexpr int LINEAR_ROWS = ROWS * 3 / 4;

// x times the normal distribution's share below x (Hendrycks and Gimpel, 2016,
// https://arxiv.org/abs/1606.08415). The share comes from formula 7.1.26 of Abramowitz and Stegun's
// "Handbook of Mathematical Functions" for the error function, which is off by 1.5e-7 at most.
INLINE Vector gelu(Vector x) {
    const Vector z = x * 0.70710678118654752f, size = z < Vector{} ? -z : z;
    const Vector t = 1.0f / (1.0f + 0.3275911f * size);
    Vector p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const Vector tail = p * t * exponential(-size * size);  // 1 - erf(size)
    return 0.5f * x * (z < Vector{} ? tail : 2.0f - tail);
}

ptrdiff_t linear_scratch(const LinearLayers& layers) {
    const ptrdiff_t n_hidden = layers.has_hidden ? layers.hidden.n_columns : 0;
    const ptrdiff_t n_in = layers.has_hidden ? layers.hidden.n_in : layers.output.n_in;
    return LINEAR_ROWS * (n_in + n_hidden + layers.output.n_columns) + layers.n_out;
}

INLINE void add_rows(const float* added, ptrdiff_t width, ptrdiff_t n, float* out, ptrdiff_t step) {
    for (ptrdiff_t r = 0; r < n; r++)
        for (ptrdiff_t k = 0; k < width; k++) out[r * step + k] += added[r * width + k];
}

INLINE void sum_rows(const SummedRows& sums, ptrdiff_t first, ptrdiff_t n, float* out) {
    const ptrdiff_t width = sums.width;
    for (ptrdiff_t t = 0; t < sums.n_tables; t++) {
        const float* table = sums.tables[t];
        for (ptrdiff_t r = 0; r < n; r++) {
            const long long* at = sums.places + (t * sums.n_rows + first + r) * 4;
            const float *__restrict a = table + at[0] * width, *__restrict b = table + at[1] * width;
            const float *__restrict c = table + at[2] * width, *__restrict d = table + at[3] * width;
            float* __restrict sum = out + (r * sums.n_tables + t) * width;
            for (ptrdiff_t k = 0; k < width; k++) sum[k] = a[k] + b[k] + c[k] + d[k];
        }
    }
}

TARGET void apply_layers(const LinearLayers& layers, ptrdiff_t first, ptrdiff_t last,
                         float* scratch) {
    const LinearLayer &hidden = layers.hidden, &output = layers.output;
    const ptrdiff_t n_in = layers.has_hidden ? hidden.n_in : output.n_in, n_out = layers.n_out;
    float* copied = scratch;                                   // [LINEAR_ROWS, n_in]
    float* scores = copied + LINEAR_ROWS * n_in;               // [LINEAR_ROWS, output columns]
    float* zeros = scores + LINEAR_ROWS * output.n_columns;    // [n_out]
    float* between = zeros + n_out;                            // [LINEAR_ROWS, hidden columns]
    for (ptrdiff_t k = 0; k < n_out; k++) zeros[k] = 0;
    for (ptrdiff_t row = first; row < last; row += LINEAR_ROWS) {
        const ptrdiff_t n = last - row < LINEAR_ROWS ? last - row : LINEAR_ROWS;
        const float* rows = copied;
        if (layers.inputs == nullptr) {
            sum_rows(layers.sums, row, n, copied);
        } else if (n == LINEAR_ROWS) {
            rows = layers.inputs + row * n_in;
        } else {  // there may be no rows behind them
            __builtin_memcpy(copied, layers.inputs + row * n_in, n * n_in * sizeof(float));
        }
        if (layers.has_hidden) {
            apply_layer<LINEAR_ROWS>(hidden, rows, n_in, between, LINEAR_ROWS);
            if (layers.added != nullptr)
                add_rows(layers.added + row * output.n_in, output.n_in, n, between, hidden.n_columns);
            for (ptrdiff_t k = 0; k < LINEAR_ROWS * hidden.n_columns; k += LANES)
                store(between + k, gelu(load(between + k)));
            apply_layer<LINEAR_ROWS>(output, between, hidden.n_columns, scores, n);
        } else {
            apply_layer<LINEAR_ROWS>(output, rows, n_in, scores, n);
            if (layers.added != nullptr)
                add_rows(layers.added + row * n_out, n_out, n, scores, output.n_columns);
        }
        for (ptrdiff_t r = 0; r < n; r++) {
            float* __restrict found = scores + r * output.n_columns;
            const ptrdiff_t to =
                layers.output_rows == nullptr ? row + r : layers.output_rows[row + r];
            float* out = layers.outputs + to * n_out;
            for (ptrdiff_t p = 1; p < layers.pieces; p++) {
                const float* __restrict piece = found + p * n_out;
                for (ptrdiff_t k = 0; k < n_out; k++)
                    found[k] = found[k] > piece[k] ? found[k] : piece[k];
            }
            if (layers.norm_weight != nullptr)
                normalize(found, layers.norm_weight, layers.norm_bias, zeros, out, n_out);
            else
                __builtin_memcpy(out, found, n_out * sizeof(float));
        }
    }
}
