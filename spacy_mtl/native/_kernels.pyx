# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
"""Python's view of the kernels; `src/kernels.h` and `src/decoding.h` say what they do.

All of them release the interpreter's lock, so that other threads run meanwhile.

The kernels go by sizes and indices without looking at them. Everything here checks these first: any
arrays that don't fit together are refused with a ValueError, whatever they hold.
"""

from cpython.buffer cimport PyBUF_STRIDES, PyBuffer_Release, PyObject_GetBuffer
from libc.stddef cimport ptrdiff_t
from libcpp.vector cimport vector


cdef extern from "src/kernels.h" namespace "mtl" nogil:
    cdef struct WindowLayer:
        const float* filters
        const float* bias
        const float* norm_weight
        const float* norm_bias

    cdef struct WordTables:
        const float* vectors
        const float* products
        const float* bias
        const float* norm_weight
        const float* norm_bias

    cdef struct Encoding:
        ptrdiff_t width
        ptrdiff_t pieces
        ptrdiff_t n_rows
        const long long* word_of_row
        const long long* token_of_row
        WordTables words
        const WindowLayer* layers
        ptrdiff_t n_layers
        float* const* outputs

    cdef struct LayerRecord:
        unsigned char* piece
        float* normalized
        float* scale
        const float* mask

    cdef struct TrainedLayer:
        ptrdiff_t width
        ptrdiff_t pieces
        WindowLayer weights
        const float* rows
        LayerRecord record
        float* outputs

    cdef struct LayerGradient:
        ptrdiff_t width
        ptrdiff_t pieces
        const float* norm_weight
        const float* d_outputs
        LayerRecord record
        float* d_first
        float* d_second
        float* d_both
        float* d_difference

    cdef struct LinearLayer:
        ptrdiff_t n_in
        ptrdiff_t n_columns
        const float* weight
        const float* bias

    cdef struct SummedRows:
        ptrdiff_t n_tables
        ptrdiff_t width
        ptrdiff_t n_rows
        const float* const* tables
        const long long* places

    cdef struct LinearLayers:
        bint has_hidden
        LinearLayer hidden
        LinearLayer output
        ptrdiff_t pieces
        const float* norm_weight
        const float* norm_bias
        ptrdiff_t n_out
        const float* inputs
        SummedRows sums
        const float* added
        float* outputs
        const long long* output_rows

    cdef struct PairScoring:
        LinearLayer layer
        const float* of_distance
        const float* of_token
        const float* of_predicate
        ptrdiff_t max_distance
        const long long* predicates
        const long long* starts
        const long long* first_pair
        float* scores

    cdef struct LstmReading:
        ptrdiff_t n_in
        ptrdiff_t n_hidden
        const float* weights[2]
        const float* biases[2]
        const float* inputs
        const long long* starts
        const long long* lengths
        const long long* kept_from
        const long long* kept_to
        float* outputs

    cdef struct TagRows:
        ptrdiff_t n_rows
        ptrdiff_t n_labels
        const float* none
        ptrdiff_t none_step
        const float* begin
        const float* inside
        ptrdiff_t step
        const float* begin_offset
        const float* inside_offset

    cdef struct Kernels:
        ptrdiff_t lanes
        ptrdiff_t (*encode_scratch)(const Encoding&) noexcept nogil
        void (*encode)(const Encoding&, ptrdiff_t, ptrdiff_t, float*) noexcept nogil
        ptrdiff_t (*pair_scratch)(const PairScoring&) noexcept nogil
        void (*score_pairs)(const PairScoring&, ptrdiff_t, ptrdiff_t, float*) noexcept nogil
        ptrdiff_t (*lstm_scratch)(const LstmReading&) noexcept nogil
        void (*read_sequences)(
            const LstmReading&, int, ptrdiff_t, ptrdiff_t, float*
        ) noexcept nogil
        ptrdiff_t sequences_at_once
        ptrdiff_t (*train_scratch)(ptrdiff_t) noexcept nogil
        void (*train_layer)(const TrainedLayer&, ptrdiff_t, ptrdiff_t, float*) noexcept nogil
        void (*layer_backward)(
            const LayerGradient&, ptrdiff_t, ptrdiff_t, float*, float*
        ) noexcept nogil
        void (*write_terms)(const float*, ptrdiff_t, ptrdiff_t, float*) noexcept nogil
        void (*gather_terms)(
            const float*, const float*, ptrdiff_t, ptrdiff_t, float*
        ) noexcept nogil
        ptrdiff_t (*linear_scratch)(const LinearLayers&) noexcept nogil
        void (*apply_layers)(
            const LinearLayers&, ptrdiff_t, ptrdiff_t, float*
        ) noexcept nogil

    const Kernels& kernels()
    const char* instructions()
    bint c_use_instructions "mtl::use_instructions"(const char*)


cdef extern from "src/packing.h" namespace "mtl" nogil:
    void c_pack_pairs "mtl::pack_pairs"(
        const float*, ptrdiff_t, ptrdiff_t, ptrdiff_t, float*, float*
    )


cdef extern from "src/decoding.h" namespace "mtl" nogil:
    cdef struct Constraints:
        const unsigned char* is_unique
        const long long* needs
        const unsigned char* needs_before
        long long max_nodes
        long long max_violations

    void decode(
        const TagRows&, ptrdiff_t, const long long*, ptrdiff_t, long long*
    ) except +
    void decode(
        const TagRows&, ptrdiff_t, const long long*, ptrdiff_t, const Constraints&,
        const unsigned char*, long long*
    ) except +


BAND = 256  # rows of an encoding that a thread takes at once
PAIRS = 64  # of rows of a layer in training that a thread takes at once
LINEAR_BAND = 384  # of rows of a linear layer that a thread takes at once
DECODED_TOKENS = 512  # of whole sequences that a thread takes at once, about
PREDICATES = 16  # that a thread takes at once, to score their pairs


def lanes():
    """RETURNS (int): The floats of a vector, by which weights are packed."""
    return kernels().lanes


def instruction_set():
    """RETURNS (str): The instructions in use: "avx512", "avx2" or "plain"."""
    return instructions().decode("ascii")


def use_instructions(name):
    """Use other instructions than the best there are, to test or to time them. Weights that are
    packed already can't be used any more.

    name (str): "avx512", "avx2" or "plain".
    RAISES (ValueError): If there are none of this name, or the processor can't run them.
    """
    if not c_use_instructions(name.encode("ascii")):
        raise ValueError(f"There are no kernels for '{name}', or this processor can't run them.")


cdef extern from *:
    """
    // The next of some pieces of work, for several threads that share the count of those taken; -1
    // where none is left.
    static inline ptrdiff_t take_chunk(long long* next_chunk, ptrdiff_t n_pieces) {
        const long long piece = __atomic_fetch_add(next_chunk, 1, __ATOMIC_RELAXED);
        return 0 <= piece && piece < n_pieces ? piece : -1;
    }
    """
    ptrdiff_t take_chunk(long long*, ptrdiff_t) nogil


cdef inline ptrdiff_t _count_pieces(ptrdiff_t n, ptrdiff_t at_once) noexcept nogil:
    """RETURNS (int): How many pieces of work there are."""
    return n // at_once + (n % at_once > 0)


cdef class WindowLayers:
    """Residual layers over windows of three rows.

    width (int): Width of the rows.
    pieces (int): Pieces of the maxout, 2 or 3.
    layers (Sequence[Tuple[np.ndarray, ...]]): Of each layer: filters and bias, packed, and weight
        and bias of the normalization.
    """

    cdef ptrdiff_t width, pieces, lanes
    cdef vector[WindowLayer] layers
    cdef list kept

    def __cinit__(self, ptrdiff_t width, ptrdiff_t pieces, layers):
        cdef WindowLayer one
        cdef const float[:, :, :, :, ::1] filters
        cdef const float[:, :, ::1] bias
        cdef const float[::1] norm_weight, norm_bias
        _check_maxout(width, pieces)
        self.width, self.pieces, self.kept = width, pieces, []
        self.lanes = lanes = kernels().lanes
        groups = _count_pieces(width, lanes)
        for arrays in layers:
            filters, bias, norm_weight, norm_bias = arrays
            _check(filters, (groups, 4, width, pieces, lanes))
            _check(bias, (groups, pieces, lanes))
            _check(norm_weight, (width,))
            _check(norm_bias, (width,))
            self.kept.append((filters, bias, norm_weight, norm_bias))
            one.filters, one.bias = &filters[0, 0, 0, 0, 0], &bias[0, 0, 0]
            one.norm_weight, one.norm_bias = &norm_weight[0], &norm_bias[0]
            self.layers.push_back(one)

    def encode(
        self,
        const long long[::1] word_of_row not None,
        const long long[::1] token_of_row not None,
        const float[:, ::1] vectors not None,
        products,
        first_layer,
        outputs,
        long long[::1] next_chunk not None,
    ):
        """Encode rows, band by band, until all bands are taken.

        word_of_row (np.ndarray): [rows], row of `vectors`.
        token_of_row (np.ndarray): [rows], -1 where there is no token. As many rows without tokens
            as there are layers are first, last and between documents.
        vectors (np.ndarray): [words, width].
        products (Optional[np.ndarray]): [words, 3 * pieces * width].
        first_layer (Optional[Tuple[np.ndarray, ...]]): With `products`: bias, and weight and bias
            of the normalization.
        outputs (Sequence[Optional[np.ndarray]]): [tokens, width] each, for the first layer, or the
            words' vectors without `products`, and for each layer; None where not wanted.
        next_chunk (np.ndarray): [1], the bands that this and other threads have taken.
        """
        cdef Encoding encoding
        cdef const float[:, ::1] of_words
        cdef const float[::1] bias, norm_weight, norm_bias
        cdef float[:, ::1] output
        cdef vector[float*] places
        cdef vector[float] scratch
        cdef ptrdiff_t i, first, n_rows = word_of_row.shape[0], band = BAND, n_tokens = n_rows
        cdef ptrdiff_t piece, n_pieces = _count_pieces(n_rows, band)
        cdef const Kernels* kernel = &kernels()
        if kernel.lanes != self.lanes:
            raise ValueError(f"The layers were packed by {self.lanes} floats, not {kernel.lanes}.")
        _check_taken(next_chunk)
        _check(word_of_row, (n_rows,))
        _check(token_of_row, (n_rows,))
        _check(vectors, (vectors.shape[0], self.width))
        encoding.width, encoding.pieces, encoding.n_rows = self.width, self.pieces, n_rows
        if not n_rows:
            return
        outputs = list(outputs)
        for array in outputs:
            if array is None:
                places.push_back(NULL)
            else:
                output = array
                _check(output, (output.shape[0], self.width))
                n_tokens = min(n_tokens, output.shape[0])
                places.push_back(&output[0, 0] if output.shape[0] else NULL)
        for i in range(n_rows):
            if not (0 <= word_of_row[i] < vectors.shape[0] and -1 <= token_of_row[i] < n_tokens):
                raise ValueError(f"The word or the token of row {i} is out of range.")
        encoding.word_of_row, encoding.token_of_row = &word_of_row[0], &token_of_row[0]
        encoding.words.vectors, encoding.words.products = &vectors[0, 0], <const float*> NULL
        if products is not None:
            of_words = products
            bias, norm_weight, norm_bias = first_layer
            _check(of_words, (vectors.shape[0], 3 * self.pieces * self.width))
            _check(bias, (self.pieces * self.width,))
            _check(norm_weight, (self.width,))
            _check(norm_bias, (self.width,))
            encoding.words.products, encoding.words.bias = &of_words[0, 0], &bias[0]
            encoding.words.norm_weight = &norm_weight[0]
            encoding.words.norm_bias = &norm_bias[0]
        if places.size() != self.layers.size() + 1:
            raise ValueError("Outputs are needed for each layer and what comes before them.")
        encoding.layers, encoding.n_layers = self.layers.data(), self.layers.size()
        encoding.outputs = places.data()
        scratch.resize(kernel.encode_scratch(encoding))
        with nogil:
            while True:
                piece = take_chunk(&next_chunk[0], n_pieces)
                if piece < 0:
                    break
                first = piece * band
                kernel.encode(encoding, first, min(first + band, n_rows), scratch.data())


def pack_pairs(
    const float[:, ::1] weight not None,
    float[:, :, ::1] filters not None,
    float[:, :, :, :, ::1] packed not None,
):
    """Lay out the weights of a layer over windows, for training.

    weight (np.ndarray): [pieces * width, 3 * width].
    filters (np.ndarray): [4, pieces * width, width], gets what `pair_filters` in
        `spacy_mtl.models.window_products` makes of them.
    packed (np.ndarray): [width / lanes, 4, width, pieces, lanes], gets these for `train_layer`.
    """
    cdef ptrdiff_t width = filters.shape[2], hidden = weight.shape[0], lanes = kernels().lanes
    _check_trained(width, hidden, lanes)
    _check(weight, (hidden, 3 * width))
    _check(filters, (4, hidden, width))
    _check(packed, (width // lanes, 4, width, hidden // width, lanes))
    with nogil:
        c_pack_pairs(
            &weight[0, 0], width, hidden // width, lanes, &filters[0, 0, 0],
            &packed[0, 0, 0, 0, 0]
        )


def train_layer(
    const float[:, :, :, :, ::1] filters not None,
    const float[:, :, ::1] bias not None,
    const float[::1] norm_weight not None,
    const float[::1] norm_bias not None,
    const float[:, ::1] rows not None,
    const float[:, ::1] mask,
    unsigned char[:, ::1] piece not None,
    float[:, ::1] normalized not None,
    float[::1] scale not None,
    float[:, ::1] outputs not None,
    long long[::1] next_chunk not None,
):
    """Apply a residual layer over windows in training, some pairs of rows at a time, until all are
    taken.

    filters (np.ndarray): [groups, 4, width, pieces, lanes], see `pack_pairs`.
    bias (np.ndarray): [groups, pieces, lanes].
    norm_weight (np.ndarray): [width].
    norm_bias (np.ndarray): [width].
    rows (np.ndarray): [2 * pairs + 2, width].
    mask (Optional[np.ndarray]): [2 * pairs, width], what results are multiplied with.
    piece (np.ndarray): [2 * pairs, width], gets the number of the largest piece.
    normalized (np.ndarray): [2 * pairs, width], gets the normalized values.
    scale (np.ndarray): [2 * pairs], gets the inverse deviations.
    outputs (np.ndarray): [2 * pairs, width], gets the result.
    next_chunk (np.ndarray): [1], what this and other threads have taken.
    """
    cdef TrainedLayer layer
    cdef vector[float] scratch
    cdef ptrdiff_t first, taken, n_pairs = outputs.shape[0] // 2, at_once = PAIRS
    cdef ptrdiff_t width = outputs.shape[1], n_pieces = _count_pieces(n_pairs, at_once)
    cdef const Kernels* kernel = &kernels()
    cdef ptrdiff_t lanes = kernel.lanes
    _check_taken(next_chunk)
    shape = (2 * n_pairs, width)
    _check(outputs, shape)
    if not n_pairs:
        return
    layer.width, layer.pieces = width, filters.shape[3]
    _check_maxout(width, layer.pieces)
    _check_trained(width, layer.pieces * width, lanes)
    _check(filters, (width // lanes, 4, width, layer.pieces, lanes))
    _check(bias, (width // lanes, layer.pieces, lanes))
    _check(norm_weight, (width,))
    _check(norm_bias, (width,))
    _check(rows, (2 * n_pairs + 2, width))
    _check(piece, shape)
    _check(normalized, shape)
    _check(scale, shape[:1])
    layer.weights.filters, layer.weights.bias = &filters[0, 0, 0, 0, 0], &bias[0, 0, 0]
    layer.weights.norm_weight, layer.weights.norm_bias = &norm_weight[0], &norm_bias[0]
    layer.rows, layer.outputs = &rows[0, 0], &outputs[0, 0]
    layer.record.piece, layer.record.normalized = &piece[0, 0], &normalized[0, 0]
    layer.record.scale, layer.record.mask = &scale[0], <const float*> NULL
    if mask is not None:
        _check(mask, shape)
        layer.record.mask = &mask[0, 0]
    scratch.resize(kernel.train_scratch(width))
    with nogil:
        while True:
            taken = take_chunk(&next_chunk[0], n_pieces)
            if taken < 0:
                break
            first = taken * at_once
            kernel.train_layer(layer, first, min(first + at_once, n_pairs), scratch.data())


def layer_backward(
    const float[::1] norm_weight not None,
    const float[:, ::1] d_outputs not None,
    const float[:, ::1] mask,
    unsigned char[:, ::1] piece not None,
    float[:, ::1] normalized not None,
    float[::1] scale not None,
    float[:, :, ::1] d_hidden not None,
    float[:, ::1] sums not None,
    long long[::1] next_chunk not None,
):
    """Find the gradients of a layer's products, some pairs of rows at a time, until all are taken.

    norm_weight (np.ndarray): [width].
    d_outputs (np.ndarray): [2 * pairs, width], the gradient of the result.
    mask (Optional[np.ndarray]): [2 * pairs, width], as in `train_layer`.
    piece (np.ndarray): [2 * pairs, width], as `train_layer` left it.
    normalized (np.ndarray): [2 * pairs, width], as well.
    scale (np.ndarray): [2 * pairs], as well.
    d_hidden (np.ndarray): [4, pairs, pieces * width], gets the gradients of the products of the
        first row of each pair, of the second, their sums, and the first less the second.
    sums (np.ndarray): [pairs / PAIRS, 2 * width + pieces * width], gets what so many pairs each
        add to the gradients of the normalization's weight and bias and of the layer's bias.
    next_chunk (np.ndarray): [1], what this and other threads have taken.
    """
    cdef LayerGradient gradient
    cdef vector[float] scratch
    cdef ptrdiff_t first, taken, n_pairs = d_outputs.shape[0] // 2, at_once = PAIRS
    cdef ptrdiff_t width = d_outputs.shape[1], hidden = d_hidden.shape[2]
    cdef ptrdiff_t n_pieces = _count_pieces(n_pairs, at_once)
    cdef const Kernels* kernel = &kernels()
    _check_taken(next_chunk)
    shape = (2 * n_pairs, width)
    _check(d_outputs, shape)
    if not n_pairs:
        return
    _check_trained(width, hidden, kernel.lanes)
    _check(norm_weight, (width,))
    _check(piece, shape)
    _check(normalized, shape)
    _check(scale, shape[:1])
    _check(d_hidden, (4, n_pairs, hidden))
    _check(sums, (n_pieces, 2 * width + hidden))
    gradient.width, gradient.pieces = width, hidden // width
    gradient.norm_weight, gradient.d_outputs = &norm_weight[0], &d_outputs[0, 0]
    gradient.record.piece, gradient.record.normalized = &piece[0, 0], &normalized[0, 0]
    gradient.record.scale, gradient.record.mask = &scale[0], <const float*> NULL
    if mask is not None:
        _check(mask, shape)
        gradient.record.mask = &mask[0, 0]
    gradient.d_first, gradient.d_second = &d_hidden[0, 0, 0], &d_hidden[1, 0, 0]
    gradient.d_both, gradient.d_difference = &d_hidden[2, 0, 0], &d_hidden[3, 0, 0]
    scratch.resize(kernel.train_scratch(width))
    with nogil:
        while True:
            taken = take_chunk(&next_chunk[0], n_pieces)
            if taken < 0:
                break
            first = taken * at_once
            kernel.layer_backward(
                gradient, first, min(first + at_once, n_pairs), &sums[taken, 0], scratch.data()
            )


def write_terms(const float[:, ::1] rows not None, float[:, :, ::1] terms not None):
    """Find what the filters of `pack_pairs` are multiplied with.

    rows (np.ndarray): [2 * pairs + 2, width].
    terms (np.ndarray): [4, pairs, width], gets it.
    """
    cdef ptrdiff_t n_pairs = terms.shape[1], width = terms.shape[2]
    _check(rows, (2 * n_pairs + 2, width))
    _check(terms, (4, n_pairs, width))
    if n_pairs:
        with nogil:
            kernels().write_terms(&rows[0, 0], n_pairs, width, &terms[0, 0, 0])


def gather_terms(
    const float[:, :, ::1] d_terms not None,
    const float[:, ::1] d_own not None,
    float[:, ::1] d_rows not None,
):
    """Find the gradient of rows.

    d_terms (np.ndarray): [4, pairs, width], the gradient of what `write_terms` writes.
    d_own (np.ndarray): [2 * pairs, width], is added for all rows but those at the ends.
    d_rows (np.ndarray): [2 * pairs + 2, width], gets the gradient.
    """
    cdef ptrdiff_t n_pairs = d_terms.shape[1], width = d_terms.shape[2]
    _check(d_terms, (4, n_pairs, width))
    _check(d_own, (2 * n_pairs, width))
    _check(d_rows, (2 * n_pairs + 2, width))
    if n_pairs:
        with nogil:
            kernels().gather_terms(
                &d_terms[0, 0, 0], &d_own[0, 0], n_pairs, width, &d_rows[0, 0]
            )


cdef int _fill_layer(
    LinearLayer* layer, ptrdiff_t n_in, const float[::1] weight, const float[::1] bias,
    ptrdiff_t lanes
) except -1:
    """Describe a linear layer whose weights are packed."""
    cdef ptrdiff_t n_columns
    if weight is None or bias is None:
        raise ValueError("A layer needs a weight and a bias.")
    n_columns = bias.shape[0]
    if n_in < 1 or n_columns < 1 or n_columns % lanes:
        raise ValueError(
            f"A layer with {n_in} inputs and {n_columns} columns, which are to be a multiple of "
            f"{lanes}."
        )
    _check(weight, (n_in * n_columns,))
    _check(bias, (n_columns,))
    layer.n_in, layer.n_columns = n_in, n_columns
    layer.weight, layer.bias = &weight[0], &bias[0]
    return 0


def apply_layers(
    inputs,
    hidden,
    output,
    ptrdiff_t n_hidden,
    const float[:, ::1] added,
    maxout,
    float[:, ::1] outputs not None,
    const long long[::1] output_rows,
    long long[::1] next_chunk not None,
):
    """Apply a linear layer, or a hidden one with GELU before it, some rows at a time, until all are
    taken.

    inputs (Union[np.ndarray, Tuple[Sequence[np.ndarray], np.ndarray]]): [rows, n_in]; or tables
        [.., width] and places [tables, rows, 4], if each row is the sums of four rows of each
        table, side by side.
    hidden (Optional[Tuple[np.ndarray, np.ndarray]]): Packed weight and bias of the hidden layer.
    output (Tuple[np.ndarray, np.ndarray]): Those of the last layer.
    n_hidden (int): The width of the hidden layer.
    added (Optional[np.ndarray]): [rows, n_hidden], or [rows, n_out] without a hidden layer, what is
        added to the first layer's result.
    maxout (Optional[Tuple]): If the largest of some pieces of `n_out` columns each count: the number
        of pieces, and weight and bias [n_out] of the normalization that follows.
    outputs (np.ndarray): [rows, n_out], gets the result.
    output_rows (Optional[np.ndarray]): [rows], if `outputs` has other rows: where each goes.
    next_chunk (np.ndarray): [1], what this and other threads have taken.
    """
    cdef LinearLayers layers
    cdef vector[float] scratch
    cdef const float[::1] norm_weight, norm_bias
    cdef const float[:, ::1] rows
    cdef const long long[:, :, ::1] places
    cdef vector[const float*] tables
    cdef ptrdiff_t i, j, k, first, n_rows = outputs.shape[0], n_in, at_once = LINEAR_BAND
    cdef ptrdiff_t piece, n_pieces
    cdef const Kernels* kernel = &kernels()
    _check_taken(next_chunk)
    _check(outputs, (n_rows, outputs.shape[1]))
    layers.output_rows = <const long long*> NULL
    if output_rows is not None:
        _check(output_rows, (output_rows.shape[0],))
        for i in range(output_rows.shape[0]):
            if not 0 <= output_rows[i] < n_rows:
                raise ValueError(f"An output row is out of range: {output_rows[i]}.")
        n_rows = output_rows.shape[0]
        if n_rows:
            layers.output_rows = &output_rows[0]
    if not n_rows or not outputs.shape[1]:
        return
    layers.inputs = <const float*> NULL
    if isinstance(inputs, tuple):
        arrays, places = inputs
        arrays = list(arrays)
        _check(places, (len(arrays), n_rows, 4))
        if not places.shape[0]:
            raise ValueError("There is no table to sum rows of.")
        for i, array in enumerate(arrays):
            rows = array
            _check(rows, (rows.shape[0], layers.sums.width if i else rows.shape[1]))
            layers.sums.width = rows.shape[1]
            tables.push_back(&rows[0, 0])
            for j in range(n_rows):
                for k in range(4):
                    if not 0 <= places[i, j, k] < rows.shape[0]:
                        raise ValueError(f"A place in table {i} is out of range: {places[i, j, k]}.")
        layers.sums.n_tables = places.shape[0]
        layers.sums.n_rows, layers.sums.tables = n_rows, tables.data()
        layers.sums.places = &places[0, 0, 0]
        n_in = places.shape[0] * layers.sums.width
    else:
        rows = inputs
        _check(rows, (n_rows, rows.shape[1]))
        n_in = rows.shape[1]
        layers.inputs = &rows[0, 0]
    layers.has_hidden, layers.n_out = hidden is not None, outputs.shape[1]
    if hidden is not None:
        hidden_weight, hidden_bias = hidden
        _fill_layer(&layers.hidden, n_in, hidden_weight, hidden_bias, kernel.lanes)
        if n_hidden > layers.hidden.n_columns:
            raise ValueError(f"The hidden layer has no {n_hidden} columns.")
        n_in = n_hidden
    weight, bias = output
    _fill_layer(&layers.output, n_in, weight, bias, kernel.lanes)
    layers.pieces, layers.norm_weight, layers.norm_bias = 1, <const float*> NULL, <const float*> NULL
    if maxout is not None:
        layers.pieces, norm_weight, norm_bias = maxout
        _check(norm_weight, (layers.n_out,))
        _check(norm_bias, (layers.n_out,))
        layers.norm_weight, layers.norm_bias = &norm_weight[0], &norm_bias[0]
        if added is not None:
            raise ValueError("Nothing can be added to a maxout layer.")
    if not 1 <= layers.pieces <= layers.output.n_columns // layers.n_out:
        raise ValueError(
            f"The last layer has {layers.output.n_columns} columns, not {layers.pieces} times "
            f"{layers.n_out}."
        )
    layers.outputs, layers.added = &outputs[0, 0], <const float*> NULL
    if added is not None:
        _check(added, (n_rows, outputs.shape[1] if hidden is None else n_hidden))
        layers.added = &added[0, 0]
    scratch.resize(kernel.linear_scratch(layers))
    n_pieces = _count_pieces(n_rows, at_once)
    with nogil:
        while True:
            piece = take_chunk(&next_chunk[0], n_pieces)
            if piece < 0:
                break
            first = piece * at_once
            kernel.apply_layers(layers, first, min(first + at_once, n_rows), scratch.data())


def score_pairs(
    const float[:, ::1] of_distance not None,
    const float[:, ::1] of_token not None,
    const float[:, ::1] of_predicate not None,
    const float[::1] weight not None,
    const float[::1] bias not None,
    ptrdiff_t max_distance,
    const long long[::1] predicates not None,
    const long long[::1] starts not None,
    const long long[::1] first_pair not None,
    float[:, ::1] scores not None,
    long long[::1] next_chunk not None,
):
    """Score pairs of predicates and tokens, some predicates at a time, until all are taken.

    of_distance (np.ndarray): [2 * max_distance + 1, width].
    of_token (np.ndarray): [tokens, width].
    of_predicate (np.ndarray): [predicates, width].
    weight (np.ndarray): [width * columns], packed.
    bias (np.ndarray): [columns], a multiple of `lanes()`.
    max_distance (int): The highest distance.
    predicates (np.ndarray): [predicates], the token of each.
    starts (np.ndarray): [predicates], the first token of the range of each.
    first_pair (np.ndarray): [predicates + 1].
    scores (np.ndarray): [pairs, columns], gets the scores.
    next_chunk (np.ndarray): [1], what this and other threads have taken.
    """
    cdef PairScoring scoring
    cdef vector[float] scratch
    cdef ptrdiff_t i, first, length, n_predicates = predicates.shape[0], at_once = PREDICATES
    cdef ptrdiff_t width = of_distance.shape[1], n_columns = bias.shape[0]
    cdef ptrdiff_t n_tokens = of_token.shape[0]
    cdef ptrdiff_t piece, n_pieces = _count_pieces(n_predicates, at_once)
    cdef const Kernels* kernel = &kernels()
    _check_taken(next_chunk)
    if not 0 <= max_distance <= of_distance.shape[0]:
        raise ValueError(f"The highest distance is {max_distance}.")
    _check(of_distance, (2 * max_distance + 1, width))
    _check(of_token, (n_tokens, width))
    _check(of_predicate, (n_predicates, width))
    _check(predicates, (n_predicates,))
    _check(starts, (n_predicates,))
    _check(first_pair, (n_predicates + 1,))
    if first_pair[0]:
        raise ValueError(f"The first pair is {first_pair[0]}, not 0.")
    for i in range(n_predicates):
        if not (0 <= predicates[i] < n_tokens and 0 <= starts[i] <= n_tokens):
            raise ValueError(f"Predicate {i} or its first token is out of range.")
        if not first_pair[i] <= first_pair[i + 1] <= scores.shape[0]:
            raise ValueError(f"The number of tokens of predicate {i} is negative or too large.")
        length = first_pair[i + 1] - first_pair[i]
        if length and (
            starts[i] < predicates[i] - max_distance
            or length > min(n_tokens, predicates[i] + max_distance + 1) - starts[i]
        ):
            raise ValueError(f"Tokens of predicate {i} are out of range.")
    _check(scores, (first_pair[n_predicates], n_columns))
    if not n_predicates or not scores.shape[0]:
        return
    _fill_layer(&scoring.layer, width, weight, bias, kernel.lanes)
    scoring.max_distance = max_distance
    scoring.of_distance, scoring.of_token = &of_distance[0, 0], &of_token[0, 0]
    scoring.of_predicate = &of_predicate[0, 0]
    scoring.predicates, scoring.starts = &predicates[0], &starts[0]
    scoring.first_pair, scoring.scores = &first_pair[0], &scores[0, 0]
    scratch.resize(kernel.pair_scratch(scoring))
    with nogil:
        while True:
            piece = take_chunk(&next_chunk[0], n_pieces)
            if piece < 0:
                break
            first = piece * at_once
            kernel.score_pairs(
                scoring, first, min(first + at_once, n_predicates), scratch.data()
            )


def read_sequences(
    const float[:, :, :, :, ::1] weights not None,
    const float[:, :, :, ::1] biases not None,
    const float[:, ::1] inputs not None,
    const long long[::1] starts not None,
    const long long[::1] lengths not None,
    const long long[::1] kept_from not None,
    const long long[::1] kept_to not None,
    float[:, ::1] outputs not None,
    long long[::1] next_chunk not None,
):
    """Run a layer of LSTMs over sequences in both directions, some sequences at a time, until all
    are taken: twice `n_sequence_groups` pieces of work.

    weights (np.ndarray): [directions, groups, inputs + hidden states, gates, lanes].
    biases (np.ndarray): [directions, groups, gates, lanes].
    inputs (np.ndarray): [tokens, inputs].
    starts (np.ndarray): [sequences], the first token of each.
    lengths (np.ndarray): [sequences], the number of tokens of each, at least 1, descending.
    kept_from (np.ndarray): [sequences], the first step whose states are wanted.
    kept_to (np.ndarray): [sequences], the step after the last.
    outputs (np.ndarray): [tokens, 2 * hidden], gets the states of those steps.
    next_chunk (np.ndarray): [1], what this and other threads have taken.
    """
    cdef LstmReading reading
    cdef vector[float] scratch
    cdef const Kernels* kernel = &kernels()
    cdef ptrdiff_t i, taken, first, n = starts.shape[0], at_once = kernel.sequences_at_once
    cdef ptrdiff_t n_tokens = inputs.shape[0], n_in = inputs.shape[1]
    cdef ptrdiff_t n_hidden = outputs.shape[1] // 2
    cdef ptrdiff_t lanes = kernel.lanes, n_pieces = 2 * _count_pieces(n, at_once)
    cdef ptrdiff_t padded = _count_pieces(n_hidden, lanes) * lanes
    _check_taken(next_chunk)
    if not n:
        return
    if n_in < 1 or n_hidden < 1:
        raise ValueError(f"A layer with {n_in} inputs and {n_hidden} hidden states.")
    _check(weights, (2, padded // lanes, n_in + padded, 4, lanes))
    _check(biases, (2, padded // lanes, 4, lanes))
    _check(inputs, (n_tokens, n_in))
    _check(outputs, (n_tokens, 2 * n_hidden))
    _check(starts, (n,))
    _check(lengths, (n,))
    _check(kept_from, (n,))
    _check(kept_to, (n,))
    for i in range(n):
        if (
            not 0 <= starts[i] < n_tokens
            or not 1 <= lengths[i] <= n_tokens - starts[i]
            or (i and lengths[i] > lengths[i - 1])
        ):
            raise ValueError(f"Sequence {i} is empty, longer than the one before, or out of range.")
    reading.n_in, reading.n_hidden = n_in, n_hidden
    for i in range(2):
        reading.weights[i], reading.biases[i] = &weights[i, 0, 0, 0, 0], &biases[i, 0, 0, 0]
    reading.inputs, reading.outputs = &inputs[0, 0], &outputs[0, 0]
    reading.starts, reading.lengths = &starts[0], &lengths[0]
    reading.kept_from, reading.kept_to = &kept_from[0], &kept_to[0]
    scratch.resize(kernel.lstm_scratch(reading))
    with nogil:
        while True:
            taken = take_chunk(&next_chunk[0], n_pieces)
            if taken < 0:
                break
            first = taken // 2 * at_once
            kernel.read_sequences(
                reading, taken % 2, first, min(first + at_once, n), scratch.data()
            )


def n_sequence_groups(n_sequences):
    """RETURNS (int): How many groups of sequences `read_sequences` makes of so many."""
    return _count_pieces(n_sequences, kernels().sequences_at_once)


def decode_tags(
    const float[:] none not None,
    const float[:, :] begin not None,
    const float[:, :] inside not None,
    const float[::1] begin_offset,
    const float[::1] inside_offset,
    const long long[::1] lengths not None,
    constraints,
    const unsigned char[:, ::1] allowed,
    long long[::1] tags not None,
    long long[::1] next_chunk not None,
):
    """Find the best valid tags of sequences, some at a time, until all are taken. Sequences with
    scores that can't be compared get O, see `src/decoding.h`.

    none (np.ndarray): [tokens], scores of O.
    begin (np.ndarray): [tokens, labels], scores of B.
    inside (np.ndarray): [tokens, labels], scores of I; as far from row to row as `begin`.
    begin_offset (Optional[np.ndarray]): [tokens], to be added to `begin`.
    inside_offset (Optional[np.ndarray]): [tokens], to be added to `inside`.
    lengths (np.ndarray): [sequences].
    constraints (Optional[Tuple]): `is_unique`, `needs` and `needs_before` of all labels, the number
        of nodes and of violations at most; see `spacy_mtl.decoding.roles`.
    allowed (Optional[np.ndarray]): [sequences, labels], with constraints: labels that a sequence
        can have.
    tags (np.ndarray): [tokens], gets the tags.
    next_chunk (np.ndarray): [1], what this and other threads have taken: no more pieces of work than
        once for every `DECODED_TOKENS` begun.
    """
    cdef TagRows rows
    cdef Constraints rules
    cdef const unsigned char[::1] is_unique, needs_before
    cdef const long long[::1] needs
    cdef const unsigned char* possible = NULL
    cdef ptrdiff_t n_tokens = none.shape[0], n_labels = begin.shape[1], n = lengths.shape[0]
    cdef ptrdiff_t i, n_told = 0, at_once = DECODED_TOKENS
    cdef ptrdiff_t piece, n_pieces
    cdef vector[ptrdiff_t] sequences, rows_of_pieces  # the first of each piece
    _check_taken(next_chunk)
    _check(none, (n_tokens,))
    _check(begin, (n_tokens, n_labels))
    _check(inside, (n_tokens, n_labels))
    _check(lengths, (n,))
    _check(tags, (n_tokens,))
    for i in range(n):
        if lengths[i] < 0:
            raise ValueError(f"The length of a sequence is {lengths[i]}.")
    for i in range(n):
        if lengths[i] > n_tokens - n_told:
            raise ValueError(
                f"Scores of {n_tokens} tokens for sequences of {sum(lengths)} tokens."
            )
        if not i or n_told - rows_of_pieces.back() >= at_once:
            sequences.push_back(i)
            rows_of_pieces.push_back(n_told)
        n_told += lengths[i]
    n_pieces = sequences.size()
    sequences.push_back(n)
    if n_told != n_tokens:
        raise ValueError(f"Scores of {n_tokens} tokens for sequences of {n_told} tokens.")
    if not n_tokens or not n_labels:
        tags[:] = 0
        return
    if begin.strides[0] != inside.strides[0] or begin.strides[1] != 4 or inside.strides[1] != 4:
        raise ValueError("Scores of B and I must lie in memory alike, label after label.")
    if none.strides[0] % 4 or begin.strides[0] % 4:
        raise ValueError("Scores must be a whole number of floats from row to row.")
    rows.n_rows, rows.n_labels = n_tokens, n_labels
    rows.none, rows.none_step = &none[0], none.strides[0] // 4
    rows.begin, rows.inside = &begin[0, 0], &inside[0, 0]
    rows.step = begin.strides[0] // 4
    rows.begin_offset, rows.inside_offset = <const float*> NULL, <const float*> NULL
    if begin_offset is not None:
        _check(begin_offset, (n_tokens,))
        rows.begin_offset = &begin_offset[0]
    if inside_offset is not None:
        _check(inside_offset, (n_tokens,))
        rows.inside_offset = &inside_offset[0]
    if constraints is None:
        with nogil:
            while True:
                piece = take_chunk(&next_chunk[0], n_pieces)
                if piece < 0:
                    break
                i = sequences[piece]
                decode(rows, rows_of_pieces[piece], &lengths[i], sequences[piece + 1] - i, &tags[0])
        return
    is_unique, needs, needs_before, max_nodes, max_violations = constraints
    _check(is_unique, (n_labels,))
    _check(needs, (n_labels,))
    _check(needs_before, (n_labels,))
    for i in range(n_labels):
        if not -1 <= needs[i] < n_labels:
            raise ValueError(f"Label {i} needs label {needs[i]}, which there is not.")
    rules.is_unique, rules.needs, rules.needs_before = &is_unique[0], &needs[0], &needs_before[0]
    rules.max_nodes, rules.max_violations = max_nodes, max_violations
    if allowed is not None:
        _check(allowed, (n, n_labels))
        possible = &allowed[0, 0]
    with nogil:
        while True:
            piece = take_chunk(&next_chunk[0], n_pieces)
            if piece < 0:
                break
            i = sequences[piece]
            decode(
                rows, rows_of_pieces[piece], &lengths[i], sequences[piece + 1] - i, rules,
                possible + i * n_labels if possible != NULL else possible, &tags[0]
            )


cdef int _check(array, shape) except -1:
    """RAISES (ValueError): If an array, whose addresses are not checked later, is missing, has
    another shape, or its numbers don't begin where the processor expects them."""
    cdef Py_buffer view
    cdef ptrdiff_t i
    if array is None:
        raise ValueError(f"An array of the shape {shape} was expected, found None.")
    PyObject_GetBuffer(array, &view, PyBUF_STRIDES)
    try:
        found = tuple([view.shape[i] for i in range(view.ndim)])
        if found != shape:
            raise ValueError(f"An array of the shape {shape} was expected, found {found}.")
        if <size_t> view.buf % view.itemsize:
            raise ValueError(f"An array of the shape {shape} is not aligned in memory.")
    finally:
        PyBuffer_Release(&view)
    return 0


cdef int _check_taken(long long[::1] next_chunk) except -1:
    """RAISES (ValueError): If what threads have taken is no number to count on from."""
    _check(next_chunk, (1,))
    if next_chunk[0] < 0:
        raise ValueError(f"{next_chunk[0]} pieces of work were taken.")
    return 0


cdef int _check_maxout(ptrdiff_t width, ptrdiff_t pieces) except -1:
    """RAISES (ValueError): If there are no kernels for a maxout."""
    if width < 1 or pieces not in (2, 3):
        raise ValueError(f"There are no kernels for the width {width} and {pieces} pieces.")
    return 0


cdef int _check_trained(ptrdiff_t width, ptrdiff_t hidden, ptrdiff_t lanes) except -1:
    """RAISES (ValueError): If a layer can't be trained, `width` wide, with `hidden` columns."""
    if width < 1 or width % lanes or hidden < 1 or hidden % width:
        raise ValueError(f"{hidden} columns and the width {width} do not fit {lanes} lanes.")
    return 0
