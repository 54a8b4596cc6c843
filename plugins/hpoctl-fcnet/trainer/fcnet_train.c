/*
 * Trains two-layer fully connected networks on a regression set, as the fcnet benchmarks were made
 * (Klein and Hutter 2019, arXiv 1905.04970, section 3):
 *
 *   inputs -> dense n1, activation, dropout -> dense n2, activation, dropout -> dense 1, linear
 *
 * Glorot uniform weights, zero biases, mean squared error, Adam (0.9, 0.999, eps 1e-7), learning rate constant
 * or init_lr / 2 (1 + cos(pi e / E)), a new permutation in each epoch, the last partial batch kept, validation
 * without dropout after each epoch, training loss as the running mean of the batches (with dropout).
 *
 * Usage: fcnet_train DATA EPOCHS
 *   DATA     int32 d, n_train, n_valid; then float32 X_train (n_train x d), y_train, X_valid, y_valid, native order,
 *            inputs and target already standardised.
 *   stdin    one run a line: RUN SEED ACT1 ACT2 BATCH DROPOUT1 DROPOUT2 LR COSINE N1 N2
 *            (ACT: 0 tanh, 1 relu; COSINE: 0 or 1; BATCH: 8, 16, 32 or 64; N1, N2: multiples of 16, at most 512).
 *   stdout   per run: uint64 RUN, then float32 training loss, validation loss, CPU seconds of each epoch (3 x EPOCHS).
 *
 * Usage: fcnet_train --gradient DATA   (for tests)
 *   stdin    as above, one line, dropout 0, BATCH examples from the start of the training part; stdout: float32 loss,
 *            then the parameters and their gradient before any step: W1 (d x n1), b1, W2 (n1 x n2), b2, w3 (n2), b3 each.
 *
 * How it is fast: a weight matrix lies in panels of up to 32 columns, so the forward pass, the backward pass and Adam
 * each stream it once; backward, gradient and Adam are fused over blocks of 8 rows. The vector types are those of GCC
 * and Clang, which lower them on machines with shorter vectors.
 */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LANES 16
#define MAX_BATCH 64
#define MAX_UNITS 512
#define ROWS 8 /* rows of a register block */

typedef float vf __attribute__((vector_size(64), aligned(4), may_alias));
typedef float vh __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));

#define INLINE static inline __attribute__((always_inline))

enum { TANH = 0, RELU = 1 };

typedef struct {
    uint64_t run, seed;
    int act1, act2, batch, cosine, n1, n2;
    float dropout1, dropout2, lr;
} Config;

typedef struct {
    int d, n_train, n_valid;
    float *x_train, *y_train, *x_valid, *y_valid;
} Data;

/* A dense layer: weights in panels of `panel` columns (rows_padded x panel each), and the moments alike. */
typedef struct {
    int rows, rows_padded, cols, panel;
    float *w, *wm, *wv, *wg; /* weights, first and second moments, gradient (kept for tests only) */
    float *b, *bm, *bv, *bg;
} Layer;

typedef struct {
    float rate; /* lr sqrt(1 - beta2^t) / (1 - beta1^t) */
    int keep_gradient;
} Step;

static const float BETA1 = 0.9f, BETA2 = 0.999f, EPS = 1e-7f;

static void die(const char *what)
{
    fprintf(stderr, "fcnet_train: %s\n", what);
    exit(2);
}

static void *zeros(size_t count)
{
    size_t bytes = (count * sizeof(float) + 127) / 64 * 64;
    void *p = aligned_alloc(64, bytes);
    if (!p) die("out of memory");
    memset(p, 0, bytes);
    return p;
}

/* ---- random numbers: splitmix64 (Steele et al. 2014) for scalars, 16 xorshift32 (Marsaglia 2003) for masks ---- */

static uint64_t next_u64(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static double uniform(uint64_t *state) { return (double)(next_u64(state) >> 11) * 0x1p-53; }

INLINE vu next_lanes(vu *state)
{
    vu x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* ---- activations ---- */

INLINE vf choose(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }

static vf exp2_coefficients[8]; /* ln(2)^k / k! sqrt(2): the Taylor series of 2^(g + 1/2), |g| <= 1/2 */

static void prepare_exp2(void)
{
    double c = sqrt(2.0);
    for (int k = 0; k < 8; k++) {
        exp2_coefficients[k] = (vf){0} + (float)c;
        c *= log(2.0) / (k + 1);
    }
}

/* tanh x = 1 - 2 / (exp(2x) + 1), absolute error below 3e-7. */
INLINE vf tanh_lanes(vf x)
{
    const vf limit = (vf){0} + 9.0f;
    x = choose(x > limit, limit, x);
    x = choose(x < -limit, -limit, x);
    vf y = x * 2.8853900817779268f; /* 2 / ln 2 */
    vi k = __builtin_convertvector(y + 64.0f, vi) - 64;
    vf g = y - __builtin_convertvector(k, vf) - 0.5f;
    vf p = exp2_coefficients[7];
    for (int i = 6; i >= 0; i--) p = p * g + exp2_coefficients[i];
    vf power = (vf)((k + 127) << 23);
    return 1.0f - 2.0f / (p * power + 1.0f);
}

/* h = act(h) in place, with dropout if `slope` is given; slope = d h / d z, dropout included. */
static void activate(float *h, float *slope, int count, int act, float dropout, vu *masks)
{
    const vf zero = {0};
    const uint32_t limit = (uint32_t)((double)dropout * 4294967296.0);
    const vf scale = zero + 1.0f / (1.0f - dropout);
    for (int i = 0; i < count; i += LANES) {
        vf z = *(vf *)(h + i), a, s;
        if (act == RELU) {
            a = choose(z > zero, z, zero);
            s = choose(z > zero, zero + 1.0f, zero);
        } else {
            a = tanh_lanes(z);
            s = 1.0f - a * a;
        }
        if (slope) {
            if (limit) {
                vi kept = (vi)(next_lanes(masks) >= limit);
                vf factor = (vf)((vi)scale & kept);
                a *= factor;
                s *= factor;
            }
            *(vf *)(slope + i) = s;
        }
        *(vf *)(h + i) = a;
    }
}

/* ---- layers ---- */

static Layer new_layer(int rows, int cols)
{
    Layer l = {.rows = rows, .rows_padded = (rows + ROWS - 1) / ROWS * ROWS, .cols = cols, .panel = cols < 32 ? cols : 32};
    size_t size = (size_t)l.rows_padded * cols;
    l.w = zeros(size), l.wm = zeros(size), l.wv = zeros(size), l.wg = zeros(size);
    l.b = zeros(cols), l.bm = zeros(cols), l.bv = zeros(cols), l.bg = zeros(cols);
    return l;
}

static void free_layer(Layer *l)
{
    free(l->w), free(l->wm), free(l->wv), free(l->wg), free(l->b), free(l->bm), free(l->bv), free(l->bg);
}

static size_t at(const Layer *l, int row, int col)
{
    return ((size_t)(col / l->panel) * l->rows_padded + row) * l->panel + col % l->panel;
}

static void glorot(Layer *l, uint64_t *random)
{
    double limit = sqrt(6.0 / (l->rows + l->cols));
    for (int r = 0; r < l->rows; r++)
        for (int c = 0; c < l->cols; c++) l->w[at(l, r, c)] = (float)(limit * (2.0 * uniform(random) - 1.0));
}

/* out[8][panel] = in[8][rows] W + b for one panel; nv vectors of 16 a panel. */
INLINE void forward_block(const float *in, int ld_in, const float *w, const float *b, float *out, int ld_out, int rows,
                          const int nv)
{
    vf acc[ROWS][2];
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < nv; v++) acc[r][v] = *(const vf *)(b + v * LANES);
    for (int k = 0; k < rows; k++) {
        vf w0 = *(const vf *)(w), w1 = nv > 1 ? *(const vf *)(w + LANES) : w0;
        w += nv * LANES;
        for (int r = 0; r < ROWS; r++) {
            float a = in[r * ld_in + k];
            acc[r][0] += a * w0;
            if (nv > 1) acc[r][1] += a * w1;
        }
    }
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < nv; v++) *(vf *)(out + r * ld_out + v * LANES) = acc[r][v];
}

static void forward(const Layer *l, const float *in, int ld_in, float *out, int ld_out, int batch)
{
    for (int c = 0; c < l->cols; c += l->panel) {
        const float *w = l->w + (size_t)c * l->rows_padded;
        for (int r = 0; r < batch; r += ROWS) {
            const float *x = in + r * ld_in;
            float *y = out + r * ld_out + c;
            if (l->panel == 32) forward_block(x, ld_in, w, l->b + c, y, ld_out, l->rows, 2);
            else forward_block(x, ld_in, w, l->b + c, y, ld_out, l->rows, 1);
        }
    }
}

/* Adam in the form of Kingma and Ba 2015, end of section 2: the bias correction is in the rate. */
INLINE void adam(float *restrict w, float *restrict m, float *restrict v, const float *restrict g, int count, float rate)
{
    for (int i = 0; i < count; i++) {
        m[i] = BETA1 * m[i] + (1.0f - BETA1) * g[i];
        v[i] = BETA2 * v[i] + (1.0f - BETA2) * g[i] * g[i];
        w[i] -= rate * m[i] / (sqrtf(v[i]) + EPS);
    }
}

/* din_t[8][batch] += W[8 rows of a panel] delta_t[panel][batch], in vectors over the batch. */
INLINE void input_block(const float *w, int panel, const float *delta_t, float *din_t, int batch, const int rows,
                        const int nv)
{
    vf acc[ROWS][4];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < nv; v++) acc[r][v] = *(const vf *)(din_t + r * batch + v * LANES);
    for (int j = 0; j < panel; j++) {
        vf d[4];
        for (int v = 0; v < nv; v++) d[v] = *(const vf *)(delta_t + j * batch + v * LANES);
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < nv; v++) acc[r][v] += w[r * panel + j] * d[v];
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < nv; v++) *(vf *)(din_t + r * batch + v * LANES) = acc[r][v];
}

INLINE void input_block_8(const float *w, int panel, const float *delta_t, float *din_t)
{
    vh acc[ROWS];
    for (int r = 0; r < ROWS; r++) acc[r] = *(const vh *)(din_t + r * 8);
    for (int j = 0; j < panel; j++) {
        vh d = *(const vh *)(delta_t + j * 8);
        for (int r = 0; r < ROWS; r++) acc[r] += w[r * panel + j] * d;
    }
    for (int r = 0; r < ROWS; r++) *(vh *)(din_t + r * 8) = acc[r];
}

/* g[8][panel] = in[batch][8 rows]^T delta[batch][panel] */
INLINE void gradient_block(const float *in, int ld_in, const float *delta, int ld_delta, float *g, int batch, const int nv)
{
    vf acc[ROWS][2];
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < nv; v++) acc[r][v] = (vf){0};
    for (int i = 0; i < batch; i++) {
        vf d0 = *(const vf *)(delta), d1 = nv > 1 ? *(const vf *)(delta + LANES) : d0;
        for (int r = 0; r < ROWS; r++) {
            acc[r][0] += in[r] * d0;
            if (nv > 1) acc[r][1] += in[r] * d1;
        }
        in += ld_in;
        delta += ld_delta;
    }
    for (int r = 0; r < ROWS; r++)
        for (int v = 0; v < nv; v++) *(vf *)(g + (r * nv + v) * LANES) = acc[r][v];
}

/* Backward through the layer and one step of Adam. din_t (rows x batch) is wanted unless NULL; it has to be zero. */
static void backward(Layer *l, const float *in, int ld_in, const float *delta, int ld_delta, const float *delta_t,
                     float *din_t, int batch, Step step)
{
    _Alignas(64) float g[ROWS * 32];
    for (int c = 0; c < l->cols; c += l->panel) {
        for (int r = 0; r < l->rows_padded; r += ROWS) {
            size_t offset = (size_t)c * l->rows_padded + (size_t)r * l->panel;
            float *w = l->w + offset;
            if (din_t) {
                const float *dt = delta_t + c * batch;
                float *out = din_t + r * batch;
                if (batch == 64) {
                    input_block(w, l->panel, dt, out, batch, 4, 4);
                    input_block(w + 4 * l->panel, l->panel, dt, out + 4 * batch, batch, 4, 4);
                } else if (batch == 32) input_block(w, l->panel, dt, out, batch, 8, 2);
                else if (batch == 16) input_block(w, l->panel, dt, out, batch, 8, 1);
                else input_block_8(w, l->panel, dt, out);
            }
            if (l->panel == 32) gradient_block(in + r, ld_in, delta + c, ld_delta, g, batch, 2);
            else gradient_block(in + r, ld_in, delta + c, ld_delta, g, batch, 1);
            if (step.keep_gradient) memcpy(l->wg + offset, g, sizeof(float) * ROWS * l->panel);
            adam(w, l->wm + offset, l->wv + offset, g, ROWS * l->panel, step.rate);
        }
    }
    _Alignas(64) float gb[MAX_UNITS] = {0};
    for (int i = 0; i < batch; i++)
        for (int c = 0; c < l->cols; c++) gb[c] += delta[i * ld_delta + c];
    if (step.keep_gradient) memcpy(l->bg, gb, sizeof(float) * l->cols);
    adam(l->b, l->bm, l->bv, gb, l->cols, step.rate);
}

/* ---- the network ---- */

typedef struct {
    Config c;
    int d, ld_x, ld1, ld2; /* inputs; strides of inputs and of units: padded, and no multiple of a page */
    Layer first, second;
    float *w3, *w3m, *w3v, *w3g, b3, b3m, b3v, b3g;
    float *x, *y, *h1, *h2, *s1, *s2, *delta1, *delta2, *delta2_t, *din_t, *out;
    uint64_t random;
    vu masks;
    double t; /* steps of Adam so far */
} Net;

static void new_net(Net *n, Config c, int d)
{
    memset(n, 0, sizeof *n);
    n->c = c, n->d = d, n->ld_x = (d + ROWS - 1) / ROWS * ROWS, n->random = c.seed;
    n->ld1 = c.n1 + LANES, n->ld2 = c.n2 + LANES;
    n->first = new_layer(d, c.n1), n->second = new_layer(c.n1, c.n2);
    n->w3 = zeros(c.n2), n->w3m = zeros(c.n2), n->w3v = zeros(c.n2), n->w3g = zeros(c.n2);
    n->x = zeros((size_t)MAX_BATCH * n->ld_x), n->y = zeros(MAX_BATCH), n->out = zeros(MAX_BATCH);
    n->h1 = zeros((size_t)MAX_BATCH * n->ld1), n->s1 = zeros((size_t)MAX_BATCH * n->ld1);
    n->h2 = zeros((size_t)MAX_BATCH * n->ld2), n->s2 = zeros((size_t)MAX_BATCH * n->ld2);
    n->delta1 = zeros((size_t)MAX_BATCH * n->ld1), n->din_t = zeros((size_t)MAX_BATCH * c.n1);
    n->delta2 = zeros((size_t)MAX_BATCH * n->ld2), n->delta2_t = zeros((size_t)MAX_BATCH * c.n2);
    glorot(&n->first, &n->random);
    glorot(&n->second, &n->random);
    double limit = sqrt(6.0 / (c.n2 + 1));
    for (int j = 0; j < c.n2; j++) n->w3[j] = (float)(limit * (2.0 * uniform(&n->random) - 1.0));
    for (int i = 0; i < LANES; i++) n->masks[i] = (uint32_t)(next_u64(&n->random) >> 32) | 1u;
}

static void free_net(Net *n)
{
    free_layer(&n->first), free_layer(&n->second);
    free(n->w3), free(n->w3m), free(n->w3v), free(n->w3g), free(n->x), free(n->y), free(n->out), free(n->h1), free(n->s1);
    free(n->h2), free(n->s2), free(n->delta1), free(n->din_t), free(n->delta2), free(n->delta2_t);
}

static void predict(Net *n, int batch, int training)
{
    const Config *c = &n->c;
    forward(&n->first, n->x, n->ld_x, n->h1, n->ld1, batch);
    activate(n->h1, training ? n->s1 : NULL, batch * n->ld1, c->act1, c->dropout1, &n->masks);
    forward(&n->second, n->h1, n->ld1, n->h2, n->ld2, batch);
    activate(n->h2, training ? n->s2 : NULL, batch * n->ld2, c->act2, c->dropout2, &n->masks);
    for (int i = 0; i < batch; i++) {
        float sum = 0.0f;
        for (int j = 0; j < c->n2; j++) sum += n->h2[i * n->ld2 + j] * n->w3[j];
        n->out[i] = sum + n->b3;
    }
}

/* One batch, whose first `count` rows are examples and whose other rows are zero. Returns the sum of squared errors. */
static double learn(Net *n, int count, float lr, int keep_gradient)
{
    const int batch = n->c.batch, n1 = n->c.n1, n2 = n->c.n2;
    float dy[MAX_BATCH], db3 = 0.0f, gw3[MAX_UNITS] = {0};
    double loss = 0.0;

    predict(n, batch, 1);
    for (int i = 0; i < batch; i++) {
        float error = i < count ? n->out[i] - n->y[i] : 0.0f;
        loss += (double)error * error;
        dy[i] = 2.0f * error / (float)count;
        db3 += dy[i];
    }
    for (int i = 0; i < batch; i++) {
        const float *h = n->h2 + i * n->ld2, *s = n->s2 + i * n->ld2;
        float *restrict delta = n->delta2 + i * n->ld2;
        for (int j = 0; j < n2; j++) {
            gw3[j] += dy[i] * h[j];
            delta[j] = dy[i] * n->w3[j] * s[j];
        }
        for (int j = 0; j < n2; j++) n->delta2_t[j * batch + i] = delta[j];
    }

    n->t += 1.0;
    Step step = {.rate = (float)(lr * sqrt(1.0 - pow(BETA2, n->t)) / (1.0 - pow(BETA1, n->t))), .keep_gradient = keep_gradient};
    memset(n->din_t, 0, sizeof(float) * (size_t)n1 * batch);
    backward(&n->second, n->h1, n->ld1, n->delta2, n->ld2, n->delta2_t, n->din_t, batch, step);
    for (int i = 0; i < batch; i++)
        for (int j = 0; j < n1; j++) n->delta1[i * n->ld1 + j] = n->din_t[j * batch + i] * n->s1[i * n->ld1 + j];
    backward(&n->first, n->x, n->ld_x, n->delta1, n->ld1, NULL, NULL, batch, step);
    if (keep_gradient) {
        memcpy(n->w3g, gw3, sizeof(float) * n2);
        n->b3g = db3;
    }
    adam(n->w3, n->w3m, n->w3v, gw3, n2, step.rate);
    adam(&n->b3, &n->b3m, &n->b3v, &db3, 1, step.rate);
    return loss;
}

static void take(Net *n, const float *x, const float *y, const int *rows, int first, int count, int batch)
{
    for (int i = 0; i < batch; i++) {
        int row = i < count ? (rows ? rows[first + i] : first + i) : -1;
        float *to = n->x + i * n->ld_x;
        if (row < 0) memset(to, 0, sizeof(float) * n->d);
        else memcpy(to, x + (size_t)row * n->d, sizeof(float) * n->d);
        n->y[i] = row < 0 ? 0.0f : y[row];
    }
}

static double validate(Net *n, const Data *data)
{
    double loss = 0.0;
    for (int first = 0; first < data->n_valid; first += MAX_BATCH) {
        int count = data->n_valid - first < MAX_BATCH ? data->n_valid - first : MAX_BATCH;
        take(n, data->x_valid, data->y_valid, NULL, first, count, MAX_BATCH);
        predict(n, MAX_BATCH, 0);
        for (int i = 0; i < count; i++) loss += ((double)n->out[i] - n->y[i]) * ((double)n->out[i] - n->y[i]);
    }
    return loss / data->n_valid;
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void train(Config c, const Data *data, int epochs, float *record)
{
    Net n;
    new_net(&n, c, data->d);
    int *order = malloc(sizeof(int) * (size_t)data->n_train);
    if (!order) die("out of memory");
    for (int i = 0; i < data->n_train; i++) order[i] = i;
    double before = cpu_seconds();
    for (int e = 0; e < epochs; e++) {
        float lr = c.cosine ? c.lr / 2.0f * (1.0f + (float)cos(3.14159265358979324 * e / epochs)) : c.lr;
        for (int i = data->n_train - 1; i > 0; i--) {
            int j = (int)(uniform(&n.random) * (i + 1)), keep = order[i];
            order[i] = order[j], order[j] = keep;
        }
        double loss = 0.0;
        for (int first = 0; first < data->n_train; first += c.batch) {
            int count = data->n_train - first < c.batch ? data->n_train - first : c.batch;
            take(&n, data->x_train, data->y_train, order, first, count, c.batch);
            loss += learn(&n, count, lr, 0);
        }
        record[e] = (float)(loss / data->n_train);
        record[epochs + e] = (float)validate(&n, data);
        double now = cpu_seconds();
        record[2 * epochs + e] = (float)(now - before);
        before = now;
    }
    free(order);
    free_net(&n);
}

/* ---- input and output ---- */

static float *read_floats(FILE *f, size_t count)
{
    float *p = zeros(count);
    if (fread(p, sizeof(float), count, f) != count) die("the data file is too short");
    return p;
}

static Data read_data(const char *path)
{
    Data data;
    int32_t head[3];
    FILE *f = fopen(path, "rb");
    if (!f || fread(head, sizeof head, 1, f) != 1) die("cannot read the data file");
    data.d = head[0], data.n_train = head[1], data.n_valid = head[2];
    if (data.d < 1 || data.d > MAX_UNITS || data.n_train < 1 || data.n_valid < 1) die("wrong sizes in the data file");
    data.x_train = read_floats(f, (size_t)data.n_train * data.d), data.y_train = read_floats(f, (size_t)data.n_train);
    data.x_valid = read_floats(f, (size_t)data.n_valid * data.d), data.y_valid = read_floats(f, (size_t)data.n_valid);
    fclose(f);
    return data;
}

static int read_config(Config *c)
{
    unsigned long long run, seed;
    int got = scanf("%llu %llu %d %d %d %f %f %f %d %d %d", &run, &seed, &c->act1, &c->act2, &c->batch, &c->dropout1,
                    &c->dropout2, &c->lr, &c->cosine, &c->n1, &c->n2);
    if (got == EOF) return 0;
    c->run = run, c->seed = seed;
    int fits = got == 11 && c->n1 % 16 == 0 && c->n2 % 16 == 0 && c->n1 >= 16 && c->n2 >= 16 && c->n1 <= MAX_UNITS &&
               c->n2 <= MAX_UNITS && (c->n1 == 16 || c->n1 % 32 == 0) && (c->n2 == 16 || c->n2 % 32 == 0) &&
               (c->batch == 8 || c->batch == 16 || c->batch == 32 || c->batch == 64) && c->dropout1 >= 0.0f &&
               c->dropout1 < 1.0f && c->dropout2 >= 0.0f && c->dropout2 < 1.0f;
    if (!fits) die("a run on standard input is not understood");
    return 1;
}

static void put(const void *p, size_t bytes)
{
    if (fwrite(p, bytes, 1, stdout) != 1) die("cannot write to standard output");
}

static void put_weights(const Layer *l, const float *w, const float *b)
{
    for (int r = 0; r < l->rows; r++)
        for (int c = 0; c < l->cols; c++) put(w + at(l, r, c), sizeof(float));
    put(b, sizeof(float) * l->cols);
}

static void print_gradient(Config c, const Data *data)
{
    Net n;
    new_net(&n, c, data->d);
    take(&n, data->x_train, data->y_train, NULL, 0, c.batch, c.batch);
    for (int j = 0; j < c.n1; j++) n.first.b[j] = 0.1f * (float)(uniform(&n.random) - 0.5);
    for (int j = 0; j < c.n2; j++) n.second.b[j] = 0.1f * (float)(uniform(&n.random) - 0.5);
    n.b3 = 0.05f;
    float loss = (float)(learn(&n, c.batch, 0.0f, 1) / c.batch);
    put(&loss, sizeof loss);
    put_weights(&n.first, n.first.w, n.first.b), put_weights(&n.second, n.second.w, n.second.b);
    put(n.w3, sizeof(float) * c.n2), put(&n.b3, sizeof(float));
    put_weights(&n.first, n.first.wg, n.first.bg), put_weights(&n.second, n.second.wg, n.second.bg);
    put(n.w3g, sizeof(float) * c.n2), put(&n.b3g, sizeof(float));
    free_net(&n);
}

int main(int argc, char **argv)
{
    prepare_exp2();
    Config c;
    if (argc == 3 && !strcmp(argv[1], "--gradient")) {
        Data data = read_data(argv[2]);
        if (read_config(&c) && data.n_train >= c.batch) print_gradient(c, &data);
        return 0;
    }
    int epochs = argc == 3 ? atoi(argv[2]) : 0;
    if (epochs < 1) die("usage: fcnet_train DATA EPOCHS < RUNS, or fcnet_train --gradient DATA < RUN");
    Data data = read_data(argv[1]);
    float *record = zeros(3 * (size_t)epochs);
    while (read_config(&c)) {
        train(c, &data, epochs, record);
        put(&c.run, sizeof c.run);
        put(record, sizeof(float) * 3 * (size_t)epochs);
        if (fflush(stdout)) die("cannot write to standard output");
    }
    return 0;
}
