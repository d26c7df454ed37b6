// Scores of pairs of a predicate and a token.

// sums = hidden * weight + bias for R pairs and C vectors of columns.
template <int R, int C>
INLINE void score_columns(const PairScoring& scoring, const float* hidden, const float* weight,
                          const float* bias, float* scores, ptrdiff_t n) {
    Vector sums[R][C];
    for (int r = 0; r < R; r++)
        for (int c = 0; c < C; c++) sums[r][c] = load(bias + c * LANES);
    multiply(hidden, scoring.width, weight, scoring.width, sums);
    for (int r = 0; r < n; r++)
        for (int c = 0; c < C; c++) store(scores + r * scoring.n_columns + c * LANES, sums[r][c]);
}

constexpr int PAIR_ROWS = ROWS * 3 / 4;

ptrdiff_t pair_scratch(const PairScoring& scoring) { return PAIR_ROWS * scoring.width; }

TARGET void score_pairs(const PairScoring& scoring, ptrdiff_t first, ptrdiff_t last,
                        float* hidden) {
    const ptrdiff_t width = scoring.width, n_groups = scoring.n_columns / LANES;
    ptrdiff_t predicate = first;
    const ptrdiff_t end = scoring.first_pair[last];
    for (ptrdiff_t pair = scoring.first_pair[first]; pair < end; pair += PAIR_ROWS) {
        const ptrdiff_t n = end - pair < PAIR_ROWS ? end - pair : PAIR_ROWS;
        for (ptrdiff_t r = 0; r < n; r++) {
            while (scoring.first_pair[predicate + 1] <= pair + r) predicate++;
            const ptrdiff_t token =
                scoring.starts[predicate] + pair + r - scoring.first_pair[predicate];
            const ptrdiff_t distance = token - scoring.predicates[predicate] + scoring.max_distance;
            const float* __restrict of_distance = scoring.of_distance + distance * width;
            const float* __restrict of_token = scoring.of_token + token * width;
            const float* __restrict of_predicate = scoring.of_predicate + predicate * width;
            float* __restrict at = hidden + r * width;
            for (ptrdiff_t k = 0; k < width; k++) {
                const float value = of_distance[k] + of_token[k] + of_predicate[k];
                at[k] = value > 0 ? value : 0;
            }
        }
        const float* weight = scoring.weight;
        float* scores = scoring.scores + pair * scoring.n_columns;
        for (ptrdiff_t g = 0; g < n_groups;) {
            const float* bias = scoring.bias + g * LANES;
            float* at = scores + g * LANES;
            const ptrdiff_t c = n_groups - g < 4 ? n_groups - g : 4;
            if (c == 4) score_columns<PAIR_ROWS, 4>(scoring, hidden, weight, bias, at, n);
            else if (c == 3) score_columns<PAIR_ROWS, 3>(scoring, hidden, weight, bias, at, n);
            else if (c == 2) score_columns<PAIR_ROWS, 2>(scoring, hidden, weight, bias, at, n);
            else score_columns<PAIR_ROWS, 1>(scoring, hidden, weight, bias, at, n);
            weight += c * LANES * width;
            g += c;
        }
    }
}
