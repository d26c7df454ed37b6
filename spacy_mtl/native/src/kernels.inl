// The kernels for one instruction set. Before it is included: LANES, the number of floats of a
// vector; ROWS, how many rows of a product are held in registers with three vectors each; TARGET,
// the attribute for functions. Everything is local to the including file, so that no code for one
// instruction set can end up in another's.

#include "kernels.h"

#define INLINE TARGET static inline __attribute__((always_inline))

namespace mtl {
namespace {

#include "vectors.inl"

#include "windows.inl"

#include "functions.inl"

#include "linear.inl"

#include "pairs.inl"

#include "tags.inl"

#include "lstm.inl"

const Kernels local_kernels = {LANES,        encode_scratch, encode,         pair_scratch,
                               score_pairs,  viterbi_step,   highest,        lstm_scratch,
                               read_sequences, SEQUENCES,    train_scratch,  train_layer,
                               layer_backward,    write_terms,    gather_terms,   linear_scratch,
                              apply_layers};

}  // namespace
}  // namespace mtl
