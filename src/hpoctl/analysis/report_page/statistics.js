// The statistics of hpoctl once more, written without looking at its code's libraries.

const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;
const sorted = (values) => Float64Array.from(values).sort();

/** A quantile with linear interpolation; the values are sorted. */
function quantile(values, share) {
  const place = share * (values.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, values.length - 1);
  return values[low] + (values[high] - values[low]) * (place - low);
}

const median = (values) => quantile(sorted(values), 0.5);

function interquartileMean(values) {
  const cut = Math.floor(values.length / 4);
  return mean(Array.from(sorted(values)).slice(cut, values.length - cut));
}

/** The value of a step function at a time; NaN before its first. */
function valueAt(experiment, time) {
  let low = 0;
  let high = experiment.times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (experiment.times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? NaN : experiment.values[low - 1];
}

/** Ranks from 1; equal values share their mean rank. */
function ranksOf(values) {
  const order = values.map((_, place) => place).sort((a, b) => values[a] - values[b]);
  const ranks = new Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end < order.length && values[order[end]] === values[order[start]]) end += 1;
    for (let place = start; place < end; place += 1) ranks[order[place]] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}

/** The chance of each sum of a random half of whole numbers. */
function sumsOf(ranks) {
  const chances = new Float64Array(sum(ranks) + 1);
  chances[0] = 1;
  let top = 0;
  for (const rank of ranks) {
    for (let place = top + rank; place >= 0; place -= 1) {
      const before = place >= rank ? chances[place - rank] : 0;
      chances[place] = 0.5 * ((place <= top ? chances[place] : 0) + before);
    }
    top += rank;
  }
  return chances;
}

const MOST_EXACT = 200;

/** The signed-rank test (Wilcoxon, zeros after Pratt): its p value and which sign leads. */
function signedRank(differences) {
  const every = ranksOf(differences.map(Math.abs));
  const ranks = every.filter((_, place) => differences[place] !== 0);
  const positive = sum(every.filter((_, place) => differences[place] > 0));
  const whole = sum(ranks);
  const excess = 2 * positive - whole;
  let p = 1;
  if (differences.length <= MOST_EXACT) {
    const chances = sumsOf(ranks.map((rank) => Math.round(2 * rank)));
    const place = Math.round(2 * Math.min(positive, whole - positive));
    p = 2 * sum(Array.from(chances.slice(0, place + 1)));
  } else {
    const spread = Math.sqrt(sum(ranks.map((rank) => rank * rank)));
    if (spread > 0) p = 2 * normalTail(Math.max(Math.abs(excess) - 1, 0) / spread);
  }
  return { p: Math.min(p, 1), lead: Math.sign(excess) };
}

const criticalSums = new Map();

function criticalSum(count, level) {
  const key = `${count} ${level}`;
  if (!criticalSums.has(key)) criticalSums.set(key, findCriticalSum(count, level));
  return criticalSums.get(key);
}

function findCriticalSum(count, level) {
  if (count > MOST_EXACT) {
    const spread = Math.sqrt((count * (count + 1) * (2 * count + 1)) / 24);
    const cut = bisect((x) => normalTail(x) - level / 2, 0, 40);
    return Math.floor((count * (count + 1)) / 4 - 0.5 - cut * spread);
  }
  const chances = sumsOf(Array.from({ length: count }, (_, place) => place + 1));
  let total = 0;
  let place = 0;
  while (place < chances.length && total + chances[place] <= level / 2) total += chances[place++];
  return place - 1;
}

/** The shift of Hodges and Lehmann with its interval. */
function hodgesLehmann(differences, level) {
  const means = [];
  for (let one = 0; one < differences.length; one += 1) {
    for (let other = one; other < differences.length; other += 1) {
      means.push(0.5 * differences[one] + 0.5 * differences[other]);
    }
  }
  const ordered = sorted(means);
  const cut = criticalSum(differences.length, level);
  const ends = cut < 0 ? [-Infinity, Infinity] : [ordered[cut], ordered[ordered.length - 1 - cut]];
  return { shift: quantile(ordered, 0.5), low: ends[0], high: ends[1] };
}

/** P values adjusted by Holm. */
function holm(values) {
  const order = values.map((_, place) => place).sort((a, b) => values[a] - values[b] || a - b);
  const adjusted = new Array(values.length);
  let largest = 0;
  order.forEach((place, step) => {
    largest = Math.max(largest, values[place] * (values.length - step));
    adjusted[place] = Math.min(largest, 1);
  });
  return adjusted;
}

/** Where a function crosses zero, between two places where it has different signs. */
function bisect(f, low, high) {
  const rising = f(high) > 0;
  for (let step = 0; step < 200; step += 1) {
    const middle = 0.5 * (low + high);
    if (f(middle) > 0 === rising) high = middle;
    else low = middle;
  }
  return 0.5 * (low + high);
}

/** The logarithm of the gamma function (Lanczos). */
function logGamma(x) {
  const parts = [
    0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
    12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ];
  const less = x - 1;
  const base = less + 7.5;
  const series = parts.reduce((total, part, place) => total + (place ? part / (less + place) : part), 0);
  return 0.5 * Math.log(2 * Math.PI) + (less + 0.5) * Math.log(base) - base + Math.log(series);
}

/** The regularised upper incomplete gamma function. */
function gammaTail(shape, x) {
  if (x <= 0) return 1;
  const scale = Math.exp(shape * Math.log(x) - x - logGamma(shape));
  if (x < shape + 1) {
    let part = 1 / shape;
    let total = part;
    for (let step = 1; step < 1000 && part > total * 1e-17; step += 1) total += part *= x / (shape + step);
    return 1 - total * scale;
  }
  let b = x + 1 - shape;
  let c = 1e300;
  let d = 1 / b;
  let value = d;
  for (let step = 1; step < 1000; step += 1) {
    const a = -step * (step - shape);
    b += 2;
    d = 1 / (a * d + b);
    c = b + a / c;
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return scale * value;
}

const normalTail = (x) => (x < 0 ? 1 - normalTail(-x) : 0.5 * gammaTail(0.5, 0.5 * x * x));

/** The regularised incomplete beta function. */
function betaShare(a, b, x) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaShare(b, a, 1 - x);
  const scale = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let step = 1; step < 1000; step += 1) {
    const even = (step * (b - step) * x) / ((a + 2 * step - 1) * (a + 2 * step));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    value *= d * c;
    const odd = (-(a + step) * (a + b + step) * x) / ((a + 2 * step) * (a + 2 * step + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return scale * value;
}

/** The interval of Clopper and Pearson. */
function binomialInterval(wins, count, level) {
  const low = wins > 0 ? bisect((x) => betaShare(wins, count - wins + 1, x) - level / 2, 0, 1) : 0;
  const high = wins < count ? bisect((x) => betaShare(wins + 1, count - wins, x) - 1 + level / 2, 0, 1) : 1;
  return [low, high];
}

/** The smallest number that a binomial number of fair coins is at most with a chance. */
function coinQuantile(chance, count) {
  let total = 0;
  for (let heads = 0; heads <= count; heads += 1) {
    const logarithm = logGamma(count + 1) - logGamma(heads + 1) - logGamma(count - heads + 1) - count * Math.LN2;
    total += Math.exp(logarithm);
    if (total >= chance) return heads;
  }
  return count;
}

/** Friedman's test, ties included; each row is a block. */
function friedman(rows) {
  const [count, methods] = [rows.length, rows[0].length];
  const ranks = rows.map(ranksOf);
  let ties = 0;
  for (const row of ranks) {
    for (const rank of new Set(row)) {
      const size = row.filter((other) => other === rank).length;
      ties += size * (size * size - 1);
    }
  }
  const correction = 1 - ties / (methods * (methods * methods - 1) * count);
  if (correction === 0) return 1;
  const squares = sum(rows[0].map((_, method) => sum(ranks.map((row) => row[method])) ** 2));
  const raw = (12 / (count * methods * (methods + 1))) * squares - 3 * count * (methods + 1);
  return gammaTail((methods - 1) / 2, raw / correction / 2);
}

/** Nemenyi's critical difference, by Simpson's rule over the distribution of the studentized range. */
function criticalDifference(methods, blocks, level) {
  const steps = 1200;
  const places = Array.from({ length: steps + 1 }, (_, step) => -9 + (18 * step) / steps);
  const weights = places.map((_, step) => (step === 0 || step === steps ? 1 : step % 2 ? 4 : 2) * (18 / steps / 3));
  const dense = places.map((z, step) => (weights[step] * Math.exp(-0.5 * z * z)) / Math.sqrt(2 * Math.PI));
  const tails = places.map(normalTail);
  const above = (q) =>
    methods * sum(places.map((z, step) => dense[step] * (normalTail(z - q) - tails[step]) ** (methods - 1)));
  let [low, high] = [0, 30];
  for (let step = 0; step < 60; step += 1) {
    const middle = 0.5 * (low + high);
    if (above(middle) > 1 - level) high = middle;
    else low = middle;
  }
  return (low / Math.SQRT2) * Math.sqrt((methods * (methods + 1)) / (6 * blocks));
}
