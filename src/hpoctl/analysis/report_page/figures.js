// What the figures of a benchmark share.

const LEFT = 66;
const RIGHT = 14;

/** What the figures of a benchmark share: which methods are shown. */
function sharedState(data, benchmark) {
  const there = data.methods.map((_, method) => method).filter((method) => benchmark.cells[method].curve);
  const lines = new Map(there.map((method) => [method, lineOf(benchmark.cells[method].curve)]));
  return { data, benchmark, there, lines, visible: new Set(there), watchers: [] };
}

/** The line of a method with its band: at times at equal distances, NaN before every seed has a value. */
function lineOf({ budget, seeds, centre, low, high }) {
  const times = centre.map((_, step) => (budget * (step + 1)) / centre.length);
  return { times, seeds, centre: centre.map(written), low: low.map(written), high: high.map(written) };
}

function showMethods(state, methods) {
  state.visible = new Set(methods);
  state.watchers.forEach((draw) => draw());
}

/** Buttons for methods and for their groups. */
function methodButtons(state) {
  const { data, there, visible } = state;
  const buttons = there.map((method) => {
    const act = (on) => showMethods(state, there.filter((other) => (other === method ? on : state.visible.has(other))));
    return toggle([swatch(method), data.methods[method]], visible.has(method), act, "method");
  });
  const groups = [["all", there], ...Object.entries(data.panels).map(([title, names]) => [title, there.filter((m) => names.includes(data.methods[m]))])];
  const shortcuts = groups
    .filter(([, methods]) => methods.length)
    .map(([title, methods]) => html("button", { type: "button", class: "group", onclick: () => showMethods(state, methods) }, title));
  return html("div", { class: "row", role: "group", "aria-label": "Methods" }, buttons, html("span", { class: "gap" }), shortcuts);
}

/** Draw anew without losing the place of the keyboard. */
function keepFocus(box, draw) {
  const every = () => [...box.querySelectorAll("button, select, input, svg[tabindex]")];
  const place = every().indexOf(document.activeElement);
  draw();
  if (place >= 0) every()[place]?.focus({ preventScroll: true });
}

const widthOf = (plot) => Math.max(plot.clientWidth || 640, 300);
