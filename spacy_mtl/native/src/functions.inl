// Functions of each number of a vector.

// e to the power of x, within two units in the last place: 2 to the power of a whole number times a
// polynomial, as in the Cephes library's expf. Of NaN it is NaN.
INLINE Vector exponential(Vector x) {
    const Vector most = spread(88.0f), least = spread(-87.0f);
    x = x > most ? most : x;
    x = x < least ? least : x;
    const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
    const Vector shifted = x * 1.44269504088896341f + magic, n = shifted - magic;
    const Vector r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    Vector p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const Vector start = spread(magic);
    BitVector power, zero;  // the bits of whole numbers that were shifted differ as they do
    __builtin_memcpy(&power, &shifted, sizeof power);
    __builtin_memcpy(&zero, &start, sizeof zero);
    power = (power - zero + 127u) << 23;
    Vector scale;
    __builtin_memcpy(&scale, &power, sizeof scale);
    return p * scale;
}

INLINE Vector sigmoid(Vector x) { return 1.0f / (1.0f + exponential(-x)); }

INLINE Vector tangent(Vector x) { return 2.0f / (1.0f + exponential(-2.0f * x)) - 1.0f; }
