// Compares every number that stands on the page with the model, and what can be computed again with the data.

const CLOSE = 1e-9;

/** Whether two numbers are the same but for rounding. */
function close(one, other) {
  if (!Number.isFinite(one) || !Number.isFinite(other)) return Object.is(one, other);
  return Math.abs(one - other) <= CLOSE * Math.max(Math.abs(one), Math.abs(other)) + 1e-13;
}

/** Whether a text shows a value, to the digits that it has. */
function shownAgrees(text, value) {
  if (text === "unknown") return !Number.isFinite(value);
  if (text.startsWith("< ")) return value < Number(text.slice(2));
  const digits = text.replace("%", "").replaceAll(",", "");
  const [mantissa, power] = digits.toLowerCase().split("e");
  const step = 10 ** (Number(power ?? 0) - (mantissa.split(".")[1] ?? "").length);
  return Math.abs(Number(digits) - value * (text.endsWith("%") ? 100 : 1)) <= 0.5000001 * step;
}

/** The number of the model at a path; undefined: there is none. */
function numberAt(model, path) {
  const value = path.split(".").reduce((part, name) => part?.[name], model);
  return value === undefined || value === null ? undefined : written(value);
}

function checkNumbers(data, model, benchmarks) {
  const badge = document.getElementById("check");
  const again = recompute(data, benchmarks);
  const every = [...document.querySelectorAll("[data-n]")];
  let recomputed = 0;
  const wrong = every.filter((shown) => {
    const value = numberAt(model, shown.dataset.n);
    const other = again.get(shown.dataset.n);
    const same = other === undefined || (value !== undefined && close(value, other));
    const right = value !== undefined && same && close(value, written(shown.dataset.v)) && shownAgrees(shown.textContent, value);
    recomputed += Number(right && other !== undefined);
    shown.classList.toggle("wrong", !right);
    if (!right) shown.title = same ? `computed: ${value}` : `the data say ${other}`;
    return !right;
  });
  const [all, good, some] = [every.length, every.length - wrong.length, recomputed].map((count) => count.toLocaleString("en"));
  badge.className = wrong.length ? "check failed" : "check passed";
  badge.textContent = `${good} of ${all} numbers as computed, ${some} of them recomputed here`;
  badge.title = "Every number was compared with the model in this page; medians, counts, differences, times and costs were computed again from the data in this page.";
  document.documentElement.dataset.checked = `${every.length - wrong.length}/${every.length}`;
  document.documentElement.dataset.recomputed = recomputed;
}
