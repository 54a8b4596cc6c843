// Every number on the page, by its key, from the data in the page alone; hpoctl computes the same keys in Python.

/** The experiments of a benchmark that count, by method; those of a seed in the order of seeds. */
function byMethod(data, place) {
  return data.methods.map((_, method) =>
    data.experiments
      .filter((each) => each.benchmark === place && each.method === method)
      .sort((a, b) => a.seed - b.seed),
  );
}

/** A benchmark as it is compared: methods without a finite value left out, one budget for all. */
function benchmarkOf(data, settings, place) {
  const methods = byMethod(data, place).map((seeds) => (seeds.some((each) => each.times.length) ? seeds : []));
  const every = methods.flat();
  if (!every.length) return null;
  const budget = Math.min(...every.map((each) => each.budget));
  const { mode } = every[0];
  const values = settings.fractions.flatMap((share) => every.map((each) => valueAt(each, share * budget)));
  const finite = values.filter(Number.isFinite);
  const log = mode === "min" && Math.min(...finite) > 0 && Math.max(...finite) > settings.wide * Math.min(...finite);
  const states = new Map(Object.entries(settings.bands));
  return { place, methods, every, budget, mode, log, states, metric: every[0].metric };
}

const drawsBefore = new Map();

function drawsOf(settings, count) {
  if (!drawsBefore.has(count)) drawsBefore.set(count, seedDraws(settings.bands[count], count, settings.resamples));
  return drawsBefore.get(count);
}

/** The interquartile mean of values with the bootstrap interval over seeds; a single seed has none. */
function lineAt(values, settings) {
  const count = values.length;
  const cut = Math.floor(count / 4);
  const order = Array.from(values, (_, place) => place).sort((a, b) => values[a] - values[b]);
  const ordered = order.map((place) => values[place]);
  const centre = mean(ordered.slice(cut, count - cut));
  if (count < 2) return { centre, low: NaN, high: NaN };
  const means = new Float64Array(settings.resamples);
  drawsOf(settings, count).forEach((drawn, sample) => {
    let [seen, before, total] = [0, cut, 0];
    for (let place = 0; place < count; place += 1) {
      seen += drawn[order[place]];
      const reached = Math.min(Math.max(seen, cut), count - cut);
      total += (reached - before) * ordered[place];
      before = reached;
    }
    means[sample] = total / (count - 2 * cut);
  });
  means.sort();
  const edge = settings.level / 2;
  return { centre, low: quantile(means, edge), high: quantile(means, 1 - edge) };
}

/** The line of a method with its band: at times at equal distances, NaN before every seed has a value. */
function bandOf(seeds, settings) {
  const known = seeds.filter((each) => each.times.length);
  const budget = Math.min(...known.map((each) => each.budget));
  const line = { times: [], centre: [], low: [], high: [], seeds: known.length };
  let [before, found] = ["", null];
  for (let step = 1; step <= settings.points; step += 1) {
    const time = (budget * step) / settings.points;
    const values = known.map((each) => valueAt(each, time));
    const same = values.join();
    if (same !== before) {
      found = values.every(Number.isFinite) ? lineAt(values, settings) : { centre: NaN, low: NaN, high: NaN };
      before = same;
    }
    line.times.push(time);
    for (const name of ["centre", "low", "high"]) line[name].push(found[name]);
  }
  return line;
}

/** The mean of a curve over time; the geometric one where ratios count. */
function meanHeight(each, start, end, log) {
  const edges = [start, ...each.times.filter((time) => time > start && time < end), end];
  let total = 0;
  for (let place = 0; place < edges.length - 1; place += 1) {
    const value = valueAt(each, edges[place]);
    total += (edges[place + 1] - edges[place]) * (log ? Math.log(value) : value);
  }
  const height = total / (end - start);
  return log ? Math.exp(height) : height;
}

function methodNumbers(found, benchmark, settings) {
  const { place, methods, every, budget, log } = benchmark;
  found[`b${place}.budget`] = budget;
  found[`b${place}.log`] = Number(log);
  const start = Math.max(...every.filter((each) => each.times.length).map((each) => each.times[0]));
  methods.forEach((seeds, method) => {
    const known = seeds.filter((each) => Number.isFinite(valueAt(each, budget)));
    if (!known.length) return;
    const key = `b${place}.m${method}`;
    const values = known.map((each) => valueAt(each, budget));
    const line = lineAt(values, settings);
    found[`${key}.n`] = known.length;
    found[`${key}.median`] = median(values);
    found[`${key}.iqm`] = line.centre;
    if (known.length > 1) [found[`${key}.low`], found[`${key}.high`]] = [line.low, line.high];
    if (start < budget) found[`${key}.height`] = median(known.map((each) => meanHeight(each, start, budget, log)));
  });
}

/** The pairs of two methods by seed that have values at a time: their values, and the experiments. */
function pairsAt(benchmark, first, second, time) {
  const others = new Map(benchmark.methods[second].map((each) => [each.seed, each]));
  return benchmark.methods[first]
    .filter((each) => others.has(each.seed))
    .map((each) => ({ seed: each.seed, one: each, other: others.get(each.seed) }))
    .map((pair) => ({ ...pair, a: valueAt(pair.one, time), b: valueAt(pair.other, time) }))
    .filter((pair) => Number.isFinite(pair.a) && Number.isFinite(pair.b));
}

const differencesOf = (pairs, log) => pairs.map(({ a, b }) => (log ? Math.log(a) - Math.log(b) : a - b));

function shiftOf(pairs, log, level) {
  const { shift, low, high } = hodgesLehmann(differencesOf(pairs, log), level);
  return log ? [Math.exp(shift), Math.exp(low), Math.exp(high)] : [shift, low, high];
}

function put(found, key, [value, low, high]) {
  Object.assign(found, { [key]: value, [`${key}.low`]: low, [`${key}.high`]: high });
}

/** How long the first of each pair takes to the last value of the second, as a share of its time. */
function timeRatio(pairs, end, mode, level) {
  const known = pairs.map(({ one, other }) => ratioOf(one, other, end, mode)).filter((ratio) => ratio !== null);
  const ratios = sorted(known.map(([ratio]) => ratio));
  const bounds = sorted(known.map(([, bound]) => bound));
  const count = known.length;
  const reached = known.filter(([ratio]) => Number.isFinite(ratio)).length;
  const [middle, other] = [(count - 1) >> 1, count >> 1];
  const unknown = !reached || !Number.isFinite(ratios[other]);
  if (unknown || ratios[middle] !== bounds[middle] || ratios[other] !== bounds[other]) return { count, reached };
  const ratio = Math.sqrt(ratios[middle] * ratios[other]);
  const place = coinQuantile(level / 2, count) - 1;
  const ends = place < 0 ? [0, Infinity] : [bounds[place], ratios[count - 1 - place]];
  return { count, reached, ratio: [ratio, ...ends] };
}

function ratioOf(one, other, end, mode) {
  const target = valueAt(other, end);
  if (!Number.isFinite(target)) return null;
  const taken = other.times.filter((time) => time <= end).at(-1);
  const place = one.values.findIndex((value) => (mode === "min" ? value <= target : value >= target));
  if (place >= 0 && one.times[place] <= end) {
    const time = one.times[place];
    const ratio = taken > 0 ? time / taken : time === 0 ? 1 : Infinity;
    return [ratio, ratio];
  }
  return [Infinity, taken > 0 ? end / taken : Infinity];
}

function pairNumbers(found, benchmark, settings) {
  const { place, methods, budget, mode, log } = benchmark;
  const { level } = settings;
  const lines = [];
  for (let first = 0; first < methods.length; first += 1) {
    for (let second = first + 1; second < methods.length; second += 1) {
      const pairs = pairsAt(benchmark, first, second, budget);
      if (pairs.length) lines.push({ first, second, pairs });
    }
  }
  const tests = lines.map(({ pairs }) => signedRank(differencesOf(pairs, log)));
  const adjusted = holm(tests.map(({ p }) => p));
  lines.forEach(({ first, second, pairs }, line) => {
    const key = `b${place}.p${first}-${second}`;
    const { p, lead } = tests[line];
    const open = adjusted[line] > level || lead === 0;
    const verdict = open ? 0 : lead < 0 === (mode === "min") ? 1 : -1;
    const differences = differencesOf(pairs, log);
    const wins = sum(differences.map((value) => (value < 0 ? 1 : value === 0 ? 0.5 : 0)));
    const [low, high] = binomialInterval(wins, pairs.length, level);
    const chance = [wins / pairs.length, low, high];
    found[`${key}.n`] = pairs.length;
    put(found, `${key}.shift`, shiftOf(pairs, log, level));
    Object.assign(found, { [`${key}.p`]: p, [`${key}.holm`]: adjusted[line], [`${key}.verdict`]: verdict });
    found[`b${place}.p${second}-${first}.verdict`] = -verdict;
    put(found, `${key}.chance`, mode === "max" ? [1 - chance[0], 1 - high, 1 - low] : chance);
    for (const share of settings.fractions.filter((fraction) => fraction !== 1)) {
      const earlier = pairsAt(benchmark, first, second, share * budget);
      if (earlier.length) put(found, `${key}.at${Math.round(100 * share)}`, shiftOf(earlier, log, level));
    }
    const turned = pairs.map(({ one, other }) => ({ one: other, other: one }));
    for (const [name, group] of [[key, pairs], [`b${place}.p${second}-${first}`, turned]]) {
      const { count, reached, ratio } = timeRatio(group, budget, mode, level);
      Object.assign(found, { [`${name}.reaches.reached`]: reached, [`${name}.reaches.n`]: count });
      if (ratio) put(found, `${name}.reaches`, ratio);
    }
  });
  methods.forEach((_, method) => {
    const own = methods.map((__, other) => found[`b${place}.p${method}-${other}.verdict`]);
    const verdicts = own.filter((verdict) => verdict !== undefined);
    if (!verdicts.length) return;
    for (const [word, sign] of [["better", 1], ["worse", -1], ["undecided", 0]]) {
      found[`b${place}.m${method}.${word}`] = verdicts.filter((verdict) => verdict === sign).length;
    }
    found[`b${place}.m${method}.others`] = verdicts.length;
  });
}

const COSTS = ["trials", "rows", "decision", "cpu", "wall"];

function costNumbers(found, data, place) {
  byMethod(data, place).forEach((seeds, method) => {
    const key = `b${place}.m${method}`;
    found[`${key}.wanted`] = data.wanted[place][method];
    found[`${key}.complete`] = seeds.length;
    for (const name of COSTS) {
      const known = seeds.map((each) => each[name]).filter((value) => value !== null);
      if (known.length) found[`${key}.${name}`] = median(known);
    }
    const both = seeds.filter((each) => each.decision !== null && each.trials);
    const ratio = sum(both.map((each) => each.decision)) / sum(both.map((each) => each.trials));
    if (both.length) found[`${key}.each`] = 1000 * ratio;
    const sizes = new Map();
    for (const each of seeds) {
      each.levels.forEach((level, row) => sizes.set(level, [...(sizes.get(level) ?? []), each.counts[row].at(-1)]));
    }
    for (const [level, counts] of sizes) found[`${key}.r${level}`] = median(counts);
  });
}

function totalNumbers(found, data) {
  const forward = /^b\d+\.p(\d+)-(\d+)\.verdict$/;
  const verdicts = Object.entries(found).filter(([key]) => {
    const parts = forward.exec(key);
    return parts && Number(parts[1]) < Number(parts[2]);
  });
  found["all.complete"] = data.experiments.length;
  found["all.wanted"] = sum(data.wanted.flat());
  found["all.pairs"] = verdicts.length;
  found["all.decided"] = verdicts.filter(([, verdict]) => verdict !== 0).length;
  found["all.left"] = sum(data.left_out.map((each) => each[5]));
  found["all.methods"] = data.methods.length;
  found["all.benchmarks"] = data.benchmarks.length;
  found["all.seeds"] = new Set(data.experiments.map((each) => each.seed)).size;
  for (const name of COSTS) {
    const known = data.experiments.map((each) => each[name]).filter((value) => value !== null);
    if (known.length) found[`all.${name}`] = sum(known);
  }
}

/** Steps that compute all numbers into one object, each short enough that the page stays alive. */
function numberSteps(data, settings, benchmarks, found) {
  const steps = benchmarks.flatMap((benchmark, place) => [
    () => costNumbers(found, data, place),
    () => benchmark && methodNumbers(found, benchmark, settings),
    () => benchmark && pairNumbers(found, benchmark, settings),
  ]);
  return [...steps, () => overallNumbers(found, data, settings, benchmarks), () => totalNumbers(found, data)];
}
