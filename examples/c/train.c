/* Logistic regression by stochastic gradient descent on made-up data, with a checkpoint.
 *
 * Build it with `make`. It reads options --lr, --decay and --epochs, and appends its reports to the file that the
 * environment variable HPOCTL_REPORTS names; without that, it prints them.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUTS = 20, POINTS = 2000, TRAINING = 1500 };

typedef struct {
    long epoch;
    double weights[INPUTS + 1];
} State;

static double points[POINTS][INPUTS];
static int labels[POINTS];

/* Numbers from 0 to 1, the same on every machine (a 64-bit linear congruential generator, Knuth's constants). */
static double uniform(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) / 9007199254740992.0;
}

static double score(const double *weights, const double *point) {
    double sum = weights[INPUTS];
    for (int i = 0; i < INPUTS; i++) sum += weights[i] * point[i];
    return sum;
}

static void make_data(void) {
    uint64_t random = 1;
    double truth[INPUTS + 1];
    for (int i = 0; i <= INPUTS; i++) truth[i] = 4.0 * uniform(&random) - 2.0;
    for (int n = 0; n < POINTS; n++) {
        for (int i = 0; i < INPUTS; i++) points[n][i] = 2.0 * uniform(&random) - 1.0;
        labels[n] = uniform(&random) < 1.0 / (1.0 + exp(-2.0 * score(truth, points[n])));
    }
}

static void train(State *state, double lr, double decay) {
    double rate = lr / (1.0 + decay * (double)state->epoch);
    for (int n = 0; n < TRAINING; n++) {
        double error = 1.0 / (1.0 + exp(-score(state->weights, points[n]))) - labels[n];
        for (int i = 0; i < INPUTS; i++) state->weights[i] -= rate * error * points[n][i];
        state->weights[INPUTS] -= rate * error;
    }
    state->epoch++;
}

static double loss(const State *state) {
    double sum = 0.0;
    for (int n = TRAINING; n < POINTS; n++) {
        double margin = (labels[n] ? 1.0 : -1.0) * score(state->weights, points[n]);
        sum += margin > 0 ? log1p(exp(-margin)) : log1p(exp(margin)) - margin;
    }
    return sum / (POINTS - TRAINING);
}

static void path(char *buffer, size_t size, const char *folder, const char *name) {
    if (snprintf(buffer, size, "%s/%s", folder, name) >= (int)size) {
        fprintf(stderr, "train: the path of the checkpoint is too long\n");
        exit(1);
    }
}

static void save(const State *state, const char *folder) {
    char unfinished[4096], whole[4096];
    path(unfinished, sizeof unfinished, folder, "state.unfinished");
    path(whole, sizeof whole, folder, "state");
    FILE *file = fopen(unfinished, "wb");
    if (!file || fwrite(state, sizeof *state, 1, file) != 1 || fclose(file) || rename(unfinished, whole)) {
        perror("train: cannot save");
        exit(1);
    }
}

static void load(State *state, const char *folder) {
    char whole[4096];
    path(whole, sizeof whole, folder, "state");
    FILE *file = fopen(whole, "rb");
    if (!file) return;
    if (fread(state, sizeof *state, 1, file) != 1) {
        fprintf(stderr, "train: the checkpoint is damaged\n");
        exit(1);
    }
    fclose(file);
}

static void report(const State *state) {
    const char *name = getenv("HPOCTL_REPORTS");
    FILE *file = name && *name && strcmp(name, "-") ? fopen(name, "a") : stdout;
    if (!file) {
        perror("train: cannot report");
        exit(1);
    }
    if (file == stdout) printf("[tune-metric]: ");
    fprintf(file, "{\"epoch\": %ld, \"loss\": %.9g}\n", state->epoch, loss(state));
    if (file == stdout) fflush(stdout);
    else if (fclose(file)) exit(1);
}

int main(int count, char **words) {
    double lr = 0.1, decay = 0.0;
    long epochs = 27;
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count) {
            fprintf(stderr, "train: %s has no value\n", words[i]);
            return 2;
        }
        if (!strcmp(words[i], "--lr")) lr = atof(words[i + 1]);
        else if (!strcmp(words[i], "--decay")) decay = atof(words[i + 1]);
        else if (!strcmp(words[i], "--epochs")) epochs = atol(words[i + 1]);
        else {
            fprintf(stderr, "train: unknown option %s\n", words[i]);
            return 2;
        }
    }
    const char *folder = getenv("HPOCTL_CHECKPOINT_DIR");
    State state = {0};
    make_data();
    if (folder) load(&state, folder);
    while (state.epoch < epochs) {
        train(&state, lr, decay);
        if (folder) save(&state, folder);
        report(&state);
    }
    return 0;
}
