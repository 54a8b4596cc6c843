// Compares every number that stands on the page with what was computed from the data.

const WORDS = { better: 1, worse: -1, undecided: 0 };
const CLOSE = 1e-9;

/** Whether two numbers are the same but for rounding. */
function close(one, other) {
  if (!Number.isFinite(one) || !Number.isFinite(other)) return Object.is(one, other);
  return Math.abs(one - other) <= CLOSE * Math.max(Math.abs(one), Math.abs(other)) + 1e-13;
}

/** Whether a text shows a value, to the digits that it has. */
function shownAgrees(text, value) {
  if (text in WORDS) return WORDS[text] === value;
  if (text === "unknown") return !Number.isFinite(value);
  if (text.startsWith("< ")) return value < Number(text.slice(2));
  const digits = text.replace("%", "").replaceAll(",", "");
  const [mantissa, power] = digits.toLowerCase().split("e");
  const step = 10 ** (Number(power ?? 0) - (mantissa.split(".")[1] ?? "").length);
  return Math.abs(Number(digits) - value * (text.endsWith("%") ? 100 : 1)) <= 0.5000001 * step;
}

/** A number written by Python. */
const written = (text) => ({ inf: Infinity, "-inf": -Infinity })[text] ?? Number(text);

async function checkNumbers(data, settings, benchmarks) {
  const badge = document.getElementById("check");
  const found = {};
  for (const step of numberSteps(data, settings, benchmarks, found)) {
    step();
    await breathe();
  }
  const every = [...document.querySelectorAll("[data-n]")];
  const wrong = every.filter((shown) => {
    const value = found[shown.dataset.n];
    const right = value !== undefined && close(value, written(shown.dataset.v)) && shownAgrees(shown.textContent, value);
    shown.classList.toggle("wrong", !right);
    if (!right) shown.title = `the data say ${value}`;
    return !right;
  });
  const [all, good] = [every.length.toLocaleString("en"), (every.length - wrong.length).toLocaleString("en")];
  badge.className = wrong.length ? "check failed" : "check passed";
  badge.textContent = `${good} of ${all} numbers recomputed`;
  badge.title = "Every number on this page was computed again, in this browser, from the data in this page.";
  document.documentElement.dataset.checked = `${every.length - wrong.length}/${every.length}`;
}
