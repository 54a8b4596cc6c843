"use strict";
// numpy's generator PCG64 (O'Neill 2014, XSL-RR), so that bootstraps draw here what they drew there.

const MASK_64 = (1n << 64n) - 1n;
const MASK_128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

/** A generator from its state and increment, decimal texts. */
function pcg64([state, increment]) {
  let now = BigInt(state);
  const step = BigInt(increment);
  let kept = null; // the upper half of a word of which the lower one was used
  function word() {
    now = (now * MULTIPLIER + step) & MASK_128;
    const turned = ((now >> 64n) ^ now) & MASK_64;
    const turn = now >> 122n;
    return ((turned >> turn) | (turned << (64n - turn))) & MASK_64;
  }
  function half() {
    if (kept !== null) {
      const value = kept;
      kept = null;
      return value;
    }
    const value = word();
    kept = Number(value >> 32n);
    return Number(value & 0xffffffffn);
  }
  /** A number from 0 to 1. */
  const uniform = () => Number(word() >> 11n) / 9007199254740992;
  /** A whole number below a limit (Lemire 2019); a limit of 1 draws nothing. */
  function below(limit) {
    if (limit === 1) return 0;
    const threshold = (4294967296 - limit) % limit;
    for (;;) {
      const product = BigInt(half()) * BigInt(limit);
      if (Number(product & 0xffffffffn) >= threshold) return Number(product >> 32n);
    }
  }
  return { uniform, below };
}

/** A binomial number by inversion, for chances up to one half. */
function inverted(generator, count, chance) {
  const other = 1 - chance;
  const first = Math.exp(count * Math.log1p(-chance));
  const most = Math.trunc(Math.min(count, count * chance + 10 * Math.sqrt(count * chance * other + 1)));
  let value = 0;
  let share = first;
  let left = generator.uniform();
  while (left > share) {
    value += 1;
    if (value > most) {
      value = 0;
      share = first;
      left = generator.uniform();
    } else {
      left -= share;
      share = ((count - value + 1) * chance * share) / (value * other);
    }
  }
  return value;
}

function binomial(generator, count, chance) {
  if (count === 0 || chance === 0) return 0;
  return chance <= 0.5 ? inverted(generator, count, chance) : count - inverted(generator, count, 1 - chance);
}

/** How often each of `count` seeds is drawn, in each of `resamples` samples of as many. */
function seedDraws(state, count, resamples) {
  const generator = pcg64(state);
  const share = 1 / count;
  return Array.from({ length: resamples }, () => {
    const drawn = new Uint16Array(count);
    let left = count;
    let chance = 1;
    for (let place = 0; place < count - 1 && left > 0; place += 1) {
      drawn[place] = binomial(generator, left, share / chance);
      left -= drawn[place];
      chance -= share;
    }
    if (left > 0) drawn[count - 1] += left;
    return drawn;
  });
}
