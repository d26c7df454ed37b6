// The loops that are worth vector instructions, for the instructions that this processor has.
//
// Matrices are of float, row by row. Nothing here allocates memory or throws.
#pragma once

#include <cstddef>

namespace mtl {

// One residual layer over windows of three rows. Its weights are packed, see native/packing.py:
// [width / lanes groups, 4 filters, width, pieces, lanes].
struct WindowLayer {
    const float* filters;
    const float* bias;         // [groups, pieces, lanes]
    const float* norm_weight;  // [width]
    const float* norm_bias;    // [width]
};

// The words of a batch, and what the first layer makes of them.
struct WordTables {
    const float* vectors;      // [words, width]; the first row is zeros, for no word
    const float* products;     // [words, 3 * pieces * width], or null: then there is no first layer
    const float* bias;         // [pieces * width]
    const float* norm_weight;  // [width]
    const float* norm_bias;    // [width]
};

struct Encoding {
    ptrdiff_t width;
    ptrdiff_t pieces;
    ptrdiff_t n_rows;
    const long long* word_of_row;   // [rows]
    const long long* token_of_row;  // [rows], -1 where there is no token
    WordTables words;
    const WindowLayer* layers;  // the layers over windows, after the first if that is by word
    ptrdiff_t n_layers;
    float* const* outputs;  // [n_layers + 1], [tokens, width] each: of the first and of each
                            // layer; null where not wanted
};

// What a layer keeps of its way forward in training, for rows [rows, width], or [rows].
struct LayerRecord {
    unsigned char* piece;  // the number of the largest
    float* normalized;     // before weight and bias of the normalization
    float* scale;          // [rows], the inverse deviation
    const float* mask;     // what results were multiplied with; may be null
};

// One layer in training. The width is a multiple of the lanes.
struct TrainedLayer {
    ptrdiff_t width;
    ptrdiff_t pieces;
    WindowLayer weights;
    const float* rows;  // [2 * pairs + 2, width]
    LayerRecord record;  // of 2 * pairs rows
    float* outputs;     // [2 * pairs, width]
};

// The way back through a layer, up to its products.
struct LayerGradient {
    ptrdiff_t width;
    ptrdiff_t pieces;
    const float* norm_weight;  // [width]
    const float* d_outputs;    // [2 * pairs, width]
    LayerRecord record;
    float* d_first;       // [pairs, pieces * width], of the products of the first rows of pairs
    float* d_second;      // of the second
    float* d_both;        // their sum
    float* d_difference;  // the first less the second
};

// A linear layer.
struct LinearLayer {
    ptrdiff_t n_in;
    ptrdiff_t n_columns;  // a multiple of the lanes
    const float* weight;  // packed: [groups of up to 4 * lanes columns, n_in, columns]
    const float* bias;    // [columns]
};

// Rows that are sums of rows of tables, side by side.
struct SummedRows {
    ptrdiff_t n_tables;
    ptrdiff_t width;
    ptrdiff_t n_rows;
    const float* const* tables;  // [n_tables], [.., width] each
    const long long* places;     // [n_tables, n_rows, 4], rows of each table
};

// A linear layer, or a hidden one before it.
struct LinearLayers {
    bool has_hidden;
    LinearLayer hidden;
    LinearLayer output;
    ptrdiff_t pieces;          // of `pieces * n_out` columns the largest of each piece counts
    const float* norm_weight;  // [n_out], of the normalization that follows; may be null
    const float* norm_bias;    // [n_out]
    ptrdiff_t n_out;      // the columns that are wanted
    const float* inputs;  // [rows, n_in of the first layer]; null where rows are sums
    SummedRows sums;
    const float* added;   // to the first layer's result; may be null
    float* outputs;       // [rows, n_out]
    const long long* output_rows;  // [rows], where the result of each goes; null for the same row
};

// Scores of pairs of a predicate and a token: a linear layer on their vectors.
struct PairScoring {
    LinearLayer layer;
    const float* of_distance;    // [distances, n_in]
    const float* of_token;       // [tokens, n_in]
    const float* of_predicate;   // [predicates, n_in]
    ptrdiff_t max_distance;
    const long long* predicates;  // [predicates], the token of each
    const long long* starts;      // [predicates], the first token of the range of each
    const long long* first_pair;  // [predicates + 1]
    float* scores;                // [pairs, columns]
};

// A layer of LSTMs that reads sequences in both directions.
struct LstmReading {
    ptrdiff_t n_in;
    ptrdiff_t n_hidden;
    const float* weights[2];  // by direction, packed: [groups, n_in + hidden, 4 gates, lanes]
    const float* biases[2];   // [groups, 4 gates, lanes]; gates are input, forget, cell, output
    const float* inputs;      // [tokens, n_in]
    const long long* starts;  // [sequences], the first token of each
    const long long* lengths;    // [sequences], descending
    const long long* kept_from;  // [sequences], which of its steps are to be written: the first
    const long long* kept_to;    // [sequences], and the one after the last
    float* outputs;              // [tokens, 2 * n_hidden]
};

// Scores of the tags of one sequence: none[row * none_step], and for each label
// begin[row * step + label] + begin_offset[row] and inside[row * step + label] + inside_offset[row].
struct TagRows {
    ptrdiff_t n_rows;
    ptrdiff_t n_labels;
    const float* none;
    ptrdiff_t none_step;
    const float* begin;
    const float* inside;
    ptrdiff_t step;
    const float* begin_offset;   // may be null
    const float* inside_offset;  // may be null
};

struct Kernels {
    ptrdiff_t lanes;
    ptrdiff_t (*encode_scratch)(const Encoding&);
    // Rows `first` to `last` of an encoding; scratch has room for `encode_scratch` floats.
    void (*encode)(const Encoding&, ptrdiff_t first, ptrdiff_t last, float* scratch);
    ptrdiff_t (*pair_scratch)(const PairScoring&);
    // The pairs of predicates `first` to `last`; scratch has room for `pair_scratch` floats.
    void (*score_pairs)(const PairScoring&, ptrdiff_t first, ptrdiff_t last, float* scratch);
    // One step of the Viterbi algorithm. `sums` [labels] are the best sums that end in each label,
    // at the row before in `before`. Returns whether some label goes on; `top` gets the highest.
    bool (*viterbi_step)(const TagRows&, ptrdiff_t row, double best, const double* before,
                         double* sums, double* top);
    // The highest of some values; -inf if there is none, inf if one is NaN.
    float (*highest)(const float* values, ptrdiff_t n);
    ptrdiff_t (*lstm_scratch)(const LstmReading&);
    // Sequences `first` to `last`, at most `sequences_at_once`, in one direction (0 or 1); scratch
    // has room for `lstm_scratch` floats.
    void (*read_sequences)(const LstmReading&, int direction, ptrdiff_t first, ptrdiff_t last,
                           float* scratch);
    ptrdiff_t sequences_at_once;
    ptrdiff_t (*train_scratch)(ptrdiff_t width);
    // Pairs `first` to `last` of a layer in training, forward and backward; scratch has room for
    // `train_scratch` floats. sums: [2 * width + pieces * width], what these pairs add to the
    // gradients of the normalization's weight and bias and of the layer's bias.
    void (*train_layer)(const TrainedLayer&, ptrdiff_t first, ptrdiff_t last, float* scratch);
    void (*layer_backward)(const LayerGradient&, ptrdiff_t first, ptrdiff_t last, float* sums,
                      float* scratch);
    // What the filters are multiplied with: terms [4, pairs, width] of rows [2 * pairs + 2, width],
    // see models/window_products.py.
    void (*write_terms)(const float* rows, ptrdiff_t n_pairs, ptrdiff_t width, float* terms);
    // The reverse for gradients, plus d_own [2 * pairs, width] for all rows but those at the ends.
    void (*gather_terms)(const float* d_terms, const float* d_own, ptrdiff_t n_pairs,
                         ptrdiff_t width, float* d_rows);
    ptrdiff_t (*linear_scratch)(const LinearLayers&);
    // Rows `first` to `last`; scratch has room for `linear_scratch` floats.
    void (*apply_layers)(const LinearLayers&, ptrdiff_t first, ptrdiff_t last, float* scratch);
};

// The kernels in use: at first the best that this processor can run.
const Kernels& kernels();
const char* instructions();

// Uses those of an instruction set from now on, or returns false if the processor can't run them.
bool use_instructions(const char* name);

// Those of an instruction set; null where they are not compiled or the processor can't run them.
const Kernels* kernels_avx512();
const Kernels* kernels_avx2();
const Kernels* kernels_plain();

}  // namespace mtl
