// Vectors of floats, and products of matrices in registers.

// Half as many lanes are enough for double precision.
constexpr int HALF = LANES / 2;
typedef float Vector __attribute__((vector_size(LANES * 4)));
typedef int IntVector __attribute__((vector_size(LANES * 4)));
typedef unsigned int BitVector __attribute__((vector_size(LANES * 4)));
typedef unsigned char ByteVector __attribute__((vector_size(LANES)));
typedef float Quarter __attribute__((vector_size(16)));
typedef float HalfVector __attribute__((vector_size(HALF * 4)));
typedef double DoubleVector __attribute__((vector_size(HALF * 8)));
typedef long long DoubleMask __attribute__((vector_size(HALF * 8)));

// Values lie at any address in memory; compilers make single instructions of these copies.
INLINE Vector load(const float* at) {
    Vector values;
    __builtin_memcpy(&values, at, sizeof values);
    return values;
}
INLINE Quarter load_quarter(const float* at) {
    Quarter values;
    __builtin_memcpy(&values, at, sizeof values);
    return values;
}
INLINE HalfVector load_half(const float* at) {
    HalfVector values;
    __builtin_memcpy(&values, at, sizeof values);
    return values;
}
INLINE DoubleVector load(const double* at) {
    DoubleVector values;
    __builtin_memcpy(&values, at, sizeof values);
    return values;
}
INLINE void store(float* at, Vector values) { __builtin_memcpy(at, &values, sizeof values); }
INLINE void store(double* at, DoubleVector values) { __builtin_memcpy(at, &values, sizeof values); }
// whole numbers from 0 to 255, kept as bytes
INLINE IntVector load(const unsigned char* at) {
    ByteVector values;
    __builtin_memcpy(&values, at, sizeof values);
    return __builtin_convertvector(values, IntVector);
}
INLINE void store(unsigned char* at, IntVector values) {
    const ByteVector bytes = __builtin_convertvector(values, ByteVector);
    __builtin_memcpy(at, &bytes, sizeof bytes);
}
INLINE DoubleVector as_double(HalfVector values) {
    return __builtin_convertvector(values, DoubleVector);
}
INLINE Vector larger(Vector a, Vector b) { return a > b ? a : b; }
INLINE Vector spread(float value) { return value - Vector{}; }

// The sum of a vector's floats, and the largest of them: in quarters first, which is quicker than one
// after the other.
INLINE float sum(Vector values) {
    float parts[LANES];
    store(parts, values);
    Quarter total = load_quarter(parts);
    for (int i = 4; i < LANES; i += 4) total += load_quarter(parts + i);
    return (total[0] + total[1]) + (total[2] + total[3]);
}

INLINE float largest_of(Vector values) {
    float parts[LANES];
    store(parts, values);
    Quarter top = load_quarter(parts);
    for (int i = 4; i < LANES; i += 4) {
        const Quarter part = load_quarter(parts + i);
        top = part > top ? part : top;
    }
    const float first = top[0] > top[1] ? top[0] : top[1];
    const float second = top[2] > top[3] ? top[2] : top[3];
    return first > second ? first : second;
}

// sums[R][C] += rows[R, depth] * columns[depth, C vectors]
template <int R, int C>
INLINE void multiply(const float* __restrict rows, ptrdiff_t row_step,
                     const float* __restrict columns, ptrdiff_t depth, Vector (&sums)[R][C]) {
    for (ptrdiff_t k = 0; k < depth; k++) {
        Vector column[C];
#pragma GCC unroll 8
        for (int c = 0; c < C; c++) column[c] = load(columns + (k * C + c) * LANES);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
            const Vector value = spread(rows[r * row_step + k]);
#pragma GCC unroll 8
            for (int c = 0; c < C; c++) sums[r][c] += value * column[c];
        }
    }
}
