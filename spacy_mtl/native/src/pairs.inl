// Scores of pairs of a predicate and a token.

ptrdiff_t pair_scratch(const PairScoring& scoring) { return LINEAR_ROWS * scoring.layer.n_in; }

TARGET void score_pairs(const PairScoring& scoring, ptrdiff_t first, ptrdiff_t last,
                        float* hidden) {
    const ptrdiff_t width = scoring.layer.n_in;
    ptrdiff_t predicate = first;
    const ptrdiff_t end = scoring.first_pair[last];
    for (ptrdiff_t pair = scoring.first_pair[first]; pair < end; pair += LINEAR_ROWS) {
        const ptrdiff_t n = end - pair < LINEAR_ROWS ? end - pair : LINEAR_ROWS;
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
                at[k] = value < 0 ? 0 : value;  // NaN stays
            }
        }
        float* scores = scoring.scores + pair * scoring.layer.n_columns;
        apply_layer<LINEAR_ROWS>(scoring.layer, hidden, width, scores, n);
    }
}
