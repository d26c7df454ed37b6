// What decoding does for each row of scores.

TARGET bool viterbi_step(const TagRows& rows, ptrdiff_t row, double best,
                         const double* __restrict before, double* __restrict sums, double* top) {
    const float* begin = rows.begin + row * rows.step;
    const float* inside = rows.inside + row * rows.step;
    const float begin_offset = rows.begin_offset == nullptr ? 0.0f : rows.begin_offset[row];
    const float inside_offset = rows.inside_offset == nullptr ? 0.0f : rows.inside_offset[row];
    const ptrdiff_t whole = rows.n_labels / HALF * HALF;
    DoubleVector highest = -__builtin_inf() - DoubleVector{};
    DoubleMask any = {};
    for (ptrdiff_t k = 0; k < whole; k += HALF) {
        const DoubleVector opened = best + as_double(load_half(begin + k) + begin_offset);
        const DoubleVector continued =
            load(before + k) + as_double(load_half(inside + k) + inside_offset);
        const DoubleMask is_longer = continued > opened;
        const DoubleVector larger = is_longer ? continued : opened;
        any |= is_longer;
        store(sums + k, larger);
        highest = larger > highest ? larger : highest;
    }
    double found = -__builtin_inf();
    bool goes_on = false;
    for (int i = 0; i < HALF; i++) {
        found = highest[i] > found ? highest[i] : found;
        goes_on |= any[i] != 0;
    }
    for (ptrdiff_t k = whole; k < rows.n_labels; k++) {
        const double opened = best + static_cast<double>(begin[k] + begin_offset);
        const double continued = before[k] + static_cast<double>(inside[k] + inside_offset);
        goes_on |= continued > opened;
        sums[k] = continued > opened ? continued : opened;
        found = sums[k] > found ? sums[k] : found;
    }
    *top = found;
    return goes_on;
}

TARGET float highest(const float* values, ptrdiff_t n) {
    const ptrdiff_t whole = n / LANES * LANES;
    float found = -__builtin_inff();
    if (whole) {
        Vector top = load(values);
        IntVector is_number = top == top;
        for (ptrdiff_t k = LANES; k < whole; k += LANES) {
            const Vector next = load(values + k);
            is_number &= next == next;
            top = larger(next, top);
        }
        found = largest_of(is_number ? top : spread(__builtin_inff()));
    }
    bool are_numbers = true;
    for (ptrdiff_t k = whole; k < n; k++) {
        found = values[k] > found ? values[k] : found;
        are_numbers &= values[k] == values[k];
    }
    return are_numbers ? found : __builtin_inff();
}
