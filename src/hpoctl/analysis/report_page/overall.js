// Numbers of the methods over all benchmarks: ranks, scores, profiles.

/** The values at the end of the seeds that all methods have, a row a seed. */
function commonValues(benchmark, methods) {
  const groups = methods.map((method) => new Map(benchmark.methods[method].map((each) => [each.seed, each])));
  const seeds = [...groups[0].keys()].filter((seed) => groups.every((group) => group.has(seed)));
  const rows = seeds
    .sort((a, b) => a - b)
    .map((seed) => groups.map((group) => valueAt(group.get(seed), benchmark.budget)));
  return rows.filter((row) => row.every(Number.isFinite));
}

/** Whether values of some methods are compared by ratios: all their seeds count. */
function ratiosOf(benchmark, methods, settings) {
  const every = methods.flatMap((method) => benchmark.methods[method]);
  const budget = Math.min(...every.map((each) => each.budget));
  const values = settings.fractions.flatMap((share) => every.map((each) => valueAt(each, share * budget)));
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  return benchmark.mode === "min" && low > 0 && high > settings.wide * low;
}

function scoresOf(rows, log) {
  const values = log ? rows.map((row) => row.map(Math.log)) : rows;
  const low = Math.min(...values.flat());
  const high = Math.max(...values.flat());
  return values.map((row) => row.map((value) => (low === high ? 0 : (value - low) / (high - low))));
}

/** Intervals of the score of each method; seeds are drawn, benchmarks too if that is asked for. */
function scoreIntervals(scores, settings, drawBenchmarks) {
  const generator = pcg64(settings.scores);
  const methods = scores[0][0].length;
  const means = Array.from({ length: methods }, () => new Float64Array(settings.repeats));
  for (let repeat = 0; repeat < settings.repeats; repeat += 1) {
    const chosen = scores.map((_, place) => (drawBenchmarks ? generator.below(scores.length) : place));
    const rows = chosen.flatMap((place) => scores[place].map(() => scores[place][generator.below(scores[place].length)]));
    for (let method = 0; method < methods; method += 1) {
      means[method][repeat] = interquartileMean(rows.map((row) => row[method]));
    }
  }
  const edge = settings.level / 2;
  return means.map((each) => each.sort()).map((each) => [quantile(each, edge), quantile(each, 1 - edge)]);
}

function overallNumbers(found, data, settings, benchmarks) {
  const there = benchmarks.filter(Boolean);
  const used = data.methods.map((_, method) => method);
  const methods = used.filter((method) => there.every((each) => each.methods[method].length) && there.length);
  if (methods.length < 2) return;
  const common = there.map((benchmark) => ({ benchmark, rows: commonValues(benchmark, methods) }));
  const kept = common.filter(({ rows }) => rows.length);
  if (kept.length < 2) return;
  const losses = kept.map(({ benchmark, rows }) =>
    benchmark.mode === "min" ? rows : rows.map((row) => row.map((value) => -value)),
  );
  const scores = kept.map(({ benchmark }, place) => scoresOf(losses[place], ratiosOf(benchmark, methods, settings)));
  const medians = losses.map((rows) => methods.map((_, column) => median(rows.map((row) => row[column]))));
  const ranks = medians.map(ranksOf);
  const seedRanks = losses.map((rows) => rows.map(ranksOf)).map((rows) =>
    methods.map((_, column) => mean(rows.map((row) => row[column]))),
  );
  const [these, such] = [scoreIntervals(scores, settings, false), scoreIntervals(scores, settings, true)];
  const pooled = scores.flat();
  kept.forEach(({ benchmark, rows }) => (found[`all.b${benchmark.place}`] = rows.length));
  found["all.blocks"] = kept.length;
  found["all.critical"] = criticalDifference(methods.length, kept.length, settings.level);
  if (methods.length >= 3) found["all.friedman"] = friedman(medians);
  methods.forEach((method, column) => {
    const key = `all.m${method}`;
    const own = pooled.map((row) => row[column]);
    found[`${key}.rank`] = mean(ranks.map((row) => row[column]));
    found[`${key}.seedrank`] = mean(seedRanks.map((row) => row[column]));
    found[`${key}.score`] = interquartileMean(own);
    [found[`${key}.these.low`], found[`${key}.these.high`]] = these[column];
    [found[`${key}.such.low`], found[`${key}.such.high`]] = such[column];
    settings.thresholds.forEach((threshold, place) => {
      found[`${key}.profile${place}`] = mean(own.map((score) => Number(score <= threshold)));
    });
  });
}
