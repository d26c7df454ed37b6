// The best valid tags of sequences, with and without constraints on their spans.
//
// With K labels the tags are 0 for O, 1..K for the first token of a span and K+1..2K for its further
// ones, as in decoding/bio.py.
#pragma once

#include "kernels.h"

namespace mtl {

// See decoding/constraints.py.
struct Constraints {
    const unsigned char* is_unique;     // [labels]
    const long long* needs;             // [labels], a label or -1
    const unsigned char* needs_before;  // [labels]
    long long max_nodes;
    long long max_violations;
};

// Writes the best valid tags of sequences that lie one after the other, from row `first` on.
// Whatever the scores are, the tags are valid. A sequence whose scores can't be compared gets O
// everywhere: some are NaN or infinite, but for those of -inf, which forbid other tags than O.
void decode(const TagRows& rows, ptrdiff_t first, const long long* lengths, ptrdiff_t n_sequences,
            long long* tags);

// The same under constraints. allowed: [sequences, labels], the labels that a sequence can have;
// null where they can have all.
void decode(const TagRows& rows, ptrdiff_t first, const long long* lengths, ptrdiff_t n_sequences,
            const Constraints& constraints, const unsigned char* allowed, long long* tags);

}  // namespace mtl
