"use strict";
// What needs no random numbers: medians, means, the value of a run at a time.

const sum = (values) => values.reduce((total, value) => total + value, 0);
const mean = (values) => sum(values) / values.length;
const sorted = (values) => Float64Array.from(values).sort();

function median(values) {
  const ordered = sorted(values);
  const [low, high] = [ordered[(values.length - 1) >> 1], ordered[values.length >> 1]];
  return low === high ? low : 0.5 * low + 0.5 * high;
}

/** The mean of the middle half: of n values, floor(n / 4) at either end do not count. */
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
