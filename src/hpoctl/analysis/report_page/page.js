// Puts the page together: figures, the theme, the check of all numbers.

const part = (id) => JSON.parse(document.getElementById(id).textContent);

/** Take a break, so that the page answers meanwhile. */
const breathe = () => new Promise((go) => setTimeout(go, 0));

function themeButton() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const name = () => (button.textContent = dark() ? "light" : "dark");
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    name();
  });
  button.hidden = false;
  name();
}

function saveButton() {
  const button = document.getElementById("save");
  button.hidden = false;
  button.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([document.getElementById("data").textContent], { type: "application/json" }));
    const link = html("a", { href: address, download: "report-data.json" });
    link.click();
    URL.revokeObjectURL(address);
  });
}

/** Open what is folded while the page is printed. */
function openForPrint() {
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((each) => (each.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((each) => (each.open = false)));
}

/** Draw anew where the page has another width than when it was drawn. */
function redrawOnResize(drawn) {
  const main = document.querySelector("main");
  let [wait, width] = [0, main.clientWidth];
  new ResizeObserver(() => {
    if (main.clientWidth === width) return;
    width = main.clientWidth;
    clearTimeout(wait);
    wait = setTimeout(() => drawn.forEach((draw) => draw()), 120);
  }).observe(main);
}

async function start() {
  const [data, model, settings] = [part("data"), part("model"), part("settings")];
  const benchmarks = data.benchmarks.map((_, place) => benchmarkOf(data, model, place));
  themeButton();
  saveButton();
  openForPrint();
  const drawn = [];
  redrawOnResize(drawn);
  for (const benchmark of benchmarks.filter(Boolean)) {
    await breathe();
    const section = document.getElementById(`b${benchmark.place}`);
    const state = sharedState(data, benchmark);
    const end = (method) => (benchmark.mode === "max" ? -1 : 1) * state.lines.get(method).centre.at(-1);
    const ranking = [...state.there].sort((a, b) => end(a) - end(b));
    const [curves, strip, pair] = ["curves", "strip", "pair"].map((kind) => section.querySelector(`.chart.${kind}`));
    if (curves) drawn.push(curvesFigure(curves, state, settings));
    if (strip) drawn.push(stripFigure(strip, state, settings));
    if (pair) drawn.push(pairFigure(pair, state, ranking));
    drawn.slice(-3).forEach((draw) => draw());
  }
  checkNumbers(data, model, benchmarks);
}

start();
