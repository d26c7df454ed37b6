// LSTMs in both directions, in prediction.

// One step of R sequences. rows: [R, n_in + padded], inputs and last hidden states; cells and
// hidden: [R, padded].
template <int R>
INLINE void lstm_step(const LstmReading& reading, int direction, ptrdiff_t padded,
                      const float* rows, float* cells, float* hidden) {
    const ptrdiff_t depth = reading.n_in + padded;
    const float* weight = reading.weights[direction];
    const float* bias = reading.biases[direction];
    for (ptrdiff_t unit = 0; unit < padded; unit += LANES) {
        Vector gates[R][4];
        for (int r = 0; r < R; r++)
            for (int c = 0; c < 4; c++) gates[r][c] = load(bias + c * LANES);
        multiply(rows, depth, weight, depth, gates);
        for (int r = 0; r < R; r++) {
            float* cell = cells + r * padded + unit;
            const Vector now = sigmoid(gates[r][1]) * load(cell) +
                               sigmoid(gates[r][0]) * tangent(gates[r][2]);
            store(cell, now);
            store(hidden + r * padded + unit, sigmoid(gates[r][3]) * tangent(now));
        }
        weight += depth * 4 * LANES;
        bias += 4 * LANES;
    }
}

constexpr int SEQUENCES = ROWS * 3 / 4;

ptrdiff_t lstm_scratch(const LstmReading& reading) {
    const ptrdiff_t padded = (reading.n_hidden + LANES - 1) / LANES * LANES;
    return SEQUENCES * (reading.n_in + 3 * padded);
}

TARGET void read_sequences(const LstmReading& reading, int direction, ptrdiff_t first,
                           ptrdiff_t last, float* scratch) {
    const ptrdiff_t n_in = reading.n_in, n_hidden = reading.n_hidden;
    const ptrdiff_t padded = (n_hidden + LANES - 1) / LANES * LANES, depth = n_in + padded;
    float* rows = scratch;                          // [SEQUENCES, n_in + padded]
    float* cells = rows + SEQUENCES * depth;        // [SEQUENCES, padded]
    float* hidden = cells + SEQUENCES * padded;     // [SEQUENCES, padded]
    for (ptrdiff_t i = 0; i < SEQUENCES * (depth + 2 * padded); i++) scratch[i] = 0;
    ptrdiff_t n = last - first;  // sequences that go on; the longest come first
    for (ptrdiff_t step = 0; step < reading.lengths[first]; step++) {
        while (reading.lengths[first + n - 1] <= step) n--;
        for (ptrdiff_t r = 0; r < n; r++) {
            const ptrdiff_t number = first + r, length = reading.lengths[number];
            const ptrdiff_t at = direction == 0 ? step : length - 1 - step;
            const float* input = reading.inputs + (reading.starts[number] + at) * n_in;
            __builtin_memcpy(rows + r * depth, input, n_in * sizeof(float));
            __builtin_memcpy(rows + r * depth + n_in, hidden + r * padded, padded * sizeof(float));
        }
        if (n > SEQUENCES * 2 / 3)
            lstm_step<SEQUENCES>(reading, direction, padded, rows, cells, hidden);
        else if (n > SEQUENCES / 3)
            lstm_step<SEQUENCES * 2 / 3>(reading, direction, padded, rows, cells, hidden);
        else if (n > 1)
            lstm_step<(SEQUENCES + 2) / 3>(reading, direction, padded, rows, cells, hidden);
        else
            lstm_step<1>(reading, direction, padded, rows, cells, hidden);
        for (ptrdiff_t r = 0; r < n; r++) {
            const ptrdiff_t number = first + r, length = reading.lengths[number];
            const ptrdiff_t at = direction == 0 ? step : length - 1 - step;
            if (at < reading.kept_from[number] || at >= reading.kept_to[number]) continue;
            float* out = reading.outputs + (reading.starts[number] + at) * 2 * n_hidden;
            __builtin_memcpy(out + direction * n_hidden, hidden + r * padded,
                             n_hidden * sizeof(float));
        }
    }
}
