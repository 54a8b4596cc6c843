// Numbers of the model that need no random numbers, computed again from the data: medians, counts, differences, costs.

/** A number of the model; those that JSON does not have are texts. */
const written = (value) => (typeof value === "string" ? ({ inf: Infinity, "-inf": -Infinity, nan: NaN })[value] ?? Number(value) : value);

/** The experiments of a benchmark by method, those of a method in the order of seeds. */
function byMethod(data, place) {
  return data.methods.map((_, method) =>
    data.experiments.filter((each) => each.benchmark === place && each.method === method).sort((a, b) => a.seed - b.seed),
  );
}

/** A benchmark as it is compared; null: no run has a finite value. */
function benchmarkOf(data, model, place) {
  const number = model.comparison.benchmarks.findIndex((each) => each.benchmark === data.benchmarks[place]);
  if (number < 0) return null;
  const compared = model.comparison.benchmarks[number];
  const methods = byMethod(data, place);
  const cells = methods.map((_, method) => model.cells[place * methods.length + method]);
  const { budget, mode, log, metric } = compared;
  return { place, number, compared, cells, methods, budget, mode, log, metric };
}

/** The value of a run at a time; a run without one counts as worse than all others. */
function countedValue(experiment, time, mode) {
  const value = valueAt(experiment, time);
  return Number.isFinite(value) ? value : mode === "min" ? Infinity : -Infinity;
}

/** The pairs of two methods by seed: their values at a time. */
function pairsAt(benchmark, first, second, time) {
  const others = new Map(benchmark.methods[second].map((each) => [each.seed, each]));
  return benchmark.methods[first]
    .filter((each) => others.has(each.seed))
    .map((each) => [each, others.get(each.seed)])
    .map(([one, other]) => ({ seed: one.seed, a: countedValue(one, time, benchmark.mode), b: countedValue(other, time, benchmark.mode) }));
}

/** Values that differ by no more, relative to their size, do not differ: ROUNDING in paired.py. */
const ROUNDING = 1e-14;

/** The difference of a pair, or the logarithm of its ratio; two runs without a value do not differ. */
function differenceOf({ a, b }, log) {
  const [first, second] = log ? [Math.log(a), Math.log(b)] : [a, b];
  const difference = first - second;
  const rounding = ROUNDING * Math.max(Math.abs(first), Math.abs(second), log ? 1 : 0);
  return Number.isNaN(difference) || (Number.isFinite(difference) && Math.abs(difference) <= rounding) ? 0 : difference;
}

/** When a run first has a value at least as good as a target; infinite: not within the budget. */
function hitTime(experiment, target, end, mode) {
  const place = experiment.values.findIndex((value) => (mode === "min" ? value <= target : value >= target));
  return place >= 0 && experiment.times[place] <= end ? experiment.times[place] : Infinity;
}

function methodNumbers(found, data, benchmark) {
  const { compared, methods, budget, mode } = benchmark;
  compared.methods.forEach((line, place) => {
    const key = `comparison.benchmarks.${benchmark.number}.methods.${place}`;
    const values = methods[data.methods.indexOf(line.method)].map((each) => countedValue(each, budget, mode));
    found.set(`${key}.n`, values.length);
    found.set(`${key}.median`, median(values));
    found.set(`${key}.interquartile_mean`, interquartileMean(values));
    const turned = { better: "worse", worse: "better", undecided: "undecided", equivalent: "equivalent" };
    const verdicts = compared.pairs.flatMap((pair) => {
      if (pair.first === line.method) return [pair.verdict];
      return pair.second === line.method ? [turned[pair.verdict]] : [];
    });
    for (const word of Object.keys(turned)) found.set(`${key}.${word}`, verdicts.filter((each) => each === word).length);
  });
  compared.run_times.forEach((line, place) => {
    const key = `comparison.benchmarks.${benchmark.number}.run_times.${place}`;
    const runs = methods[data.methods.indexOf(line.method)];
    found.set(`${key}.runs`, runs.length);
    compared.targets.forEach((target, number) => {
      const times = runs.map((each) => hitTime(each, target, budget, mode));
      const reached = times.filter(Number.isFinite).length;
      found.set(`${key}.reached.${number}`, reached);
      if (reached) found.set(`${key}.expected.${number}`, sum(times.map((time) => Math.min(time, budget))) / reached);
    });
  });
}

function pairNumbers(found, data, benchmark) {
  const { compared, budget, mode, log } = benchmark;
  const shown = (value) => (log ? Math.exp(value) : value);
  compared.pairs.forEach((pair, place) => {
    const key = `comparison.benchmarks.${benchmark.number}.pairs.${place}.paired`;
    const [first, second] = [pair.first, pair.second].map((name) => data.methods.indexOf(name));
    const differences = pairsAt(benchmark, first, second, budget).map((each) => differenceOf(each, log));
    const better = differences.filter((value) => (mode === "min" ? value < 0 : value > 0)).length;
    const tied = differences.filter((value) => value === 0).length;
    found.set(`${key}.n`, differences.length);
    found.set(`${key}.improvement`, (better + 0.5 * tied) / differences.length);
    found.set(`${key}.median`, shown(median(differences)));
    if (differences.every(Number.isFinite)) found.set(`${key}.mean`, shown(mean(differences)));
  });
}

const COSTS = ["trials", "rows", "decision", "cpu", "wall"];

function cellNumbers(found, data) {
  const groups = data.benchmarks.flatMap((_, place) => byMethod(data, place));
  groups.forEach((seeds, place) => {
    const [benchmark, method] = [Math.floor(place / data.methods.length), place % data.methods.length];
    found.set(`cells.${place}.complete`, seeds.filter((each) => each.complete).length);
    found.set(`cells.${place}.wanted`, data.wanted[benchmark][method]);
    for (const name of COSTS) {
      const known = seeds.map((each) => each[name]).filter((value) => value !== null);
      if (known.length) found.set(`cells.${place}.costs.${name}`, median(known));
    }
    const timed = seeds.filter((each) => each.decision !== null && each.trials);
    const each = (1000 * sum(timed.map((one) => one.decision))) / sum(timed.map((one) => one.trials));
    if (timed.length) found.set(`cells.${place}.decision_per_trial`, each);
    const sizes = new Map();
    for (const one of seeds) one.levels.forEach((level, row) => sizes.set(level, [...(sizes.get(level) ?? []), one.counts[row].at(-1)]));
    for (const [level, counts] of sizes) found.set(`cells.${place}.rungs.${level}`, median(counts));
  });
}

function totalNumbers(found, data) {
  found.set("totals.complete", data.experiments.filter((each) => each.complete).length);
  const partial = data.experiments.filter((each) => !each.complete).length;
  if (partial) found.set("totals.partial", partial);
  found.set("totals.wanted", sum(data.wanted.flat()));
  found.set("totals.left_out", sum(data.left_out.map((each) => each[5])));
  found.set("totals.methods", data.methods.length);
  found.set("totals.benchmarks", data.benchmarks.length);
  found.set("totals.seeds", new Set(data.experiments.map((each) => each.seed)).size);
  for (const name of COSTS) {
    const known = data.experiments.map((each) => each[name]).filter((value) => value !== null);
    if (known.length) found.set(`totals.costs.${name}`, sum(known));
  }
}

/** All numbers that are computed again, by their paths in the model. */
function recompute(data, benchmarks) {
  const found = new Map();
  cellNumbers(found, data);
  for (const benchmark of benchmarks.filter(Boolean)) {
    methodNumbers(found, data, benchmark);
    pairNumbers(found, data, benchmark);
  }
  totalNumbers(found, data);
  return found;
}
