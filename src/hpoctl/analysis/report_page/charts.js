// Small parts that figures are made of: elements, scales, axes. All text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";
const DASHES = ["", "7 4", "2 3", "8 3 2 3"];

function build(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null));
  return made;
}

const html = (name, attributes = {}, ...children) => build(document.createElement(name), attributes, children);
const svg = (name, attributes = {}, ...children) => build(document.createElementNS(SVG, name), attributes, children);

/** A number as people read it, to so many digits. */
function digits(value, count = 4) {
  if (!Number.isFinite(value)) return "unknown";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(count - 1);
  return size >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(count)));
}

/** The unit that times up to so many seconds are shown in. */
function timeUnit(seconds) {
  if (seconds > 4 * 3600) return ["h", 3600];
  return seconds > 600 ? ["min", 60] : ["s", 1];
}

function linearTicks(low, high, count) {
  const raw = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= raw * 0.999);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9); tick * step <= high + 1e-9 * step; tick += 1) ticks.push(tick * step);
  return ticks;
}

function logTicks(low, high) {
  const ticks = [];
  const steps = high / low > 300 ? [1] : [1, 2, 5];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const step of steps) {
      const tick = step * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(Number(tick.toPrecision(3)));
    }
  }
  return ticks.length >= 2 ? ticks : [low, high];
}

/** A scale from values to places on the screen. */
function scale([low, high], [start, end], log = false) {
  const turn = log ? Math.log : (value) => value;
  const [first, last] = [turn(low), turn(high)];
  const span = last - first || 1;
  const place = (value) => start + ((turn(value) - first) / span) * (end - start);
  const back = (at) => first + ((at - start) / (end - start)) * span;
  return { place, back: (at) => (log ? Math.exp(back(at)) : back(at)), low, high, log, start, end };
}

/** The range of values with a margin; on a log scale only positive ones count. */
function rangeOf(values, log) {
  const known = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  if (!known.length) return log ? [0.1, 1] : [0, 1];
  const [low, high] = [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
  if (low === high) return log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const margin = log ? (high / low) ** 0.05 : 0.05 * (high - low);
  return log ? [low / margin, high * margin] : [low - margin, high + margin];
}

/** The horizontal axis below a frame, with grid lines. */
function axisBelow(across, [top, bottom], label) {
  const ticks = across.log ? logTicks(across.low, across.high) : linearTicks(across.low, across.high, (across.end - across.start) / 90);
  const marks = ticks.map((tick) => {
    const x = across.place(tick);
    return [
      svg("line", { class: "grid", x1: x, x2: x, y1: top, y2: bottom }),
      svg("text", { x, y: bottom + 16, "text-anchor": "middle" }, digits(tick, 3)),
    ];
  });
  const middle = (across.start + across.end) / 2;
  return [marks, svg("text", { class: "label", x: middle, y: bottom + 34, "text-anchor": "middle" }, label)];
}

/** The vertical axis left of a frame, with grid lines. */
function axisLeft(up, [left, right], label) {
  const ticks = up.log ? logTicks(up.low, up.high) : linearTicks(up.low, up.high, (up.start - up.end) / 45);
  const marks = ticks.map((tick) => {
    const y = up.place(tick);
    return [
      svg("line", { class: "grid", x1: left, x2: right, y1: y, y2: y }),
      svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, digits(tick, 3)),
    ];
  });
  return [marks, svg("text", { class: "label", x: 4, y: up.end - 10 }, label)];
}

/** A line that keeps its value until the next one, as path data; gaps where a value is none. */
function stepPath(xs, ys) {
  let path = "";
  let open = false;
  ys.forEach((y, place) => {
    if (!Number.isFinite(y)) {
      open = false;
      return;
    }
    path += open ? `H${xs[place].toFixed(1)}V${y.toFixed(1)}` : `M${xs[place].toFixed(1)} ${y.toFixed(1)}`;
    open = true;
  });
  return path;
}

/** The area between two such lines. */
function bandPath(xs, lows, highs) {
  const known = xs.map((_, place) => place).filter((place) => Number.isFinite(lows[place] + highs[place]));
  if (known.length < 2) return "";
  const there = stepPath(known.map((place) => xs[place]), known.map((place) => highs[place]));
  let back = "";
  for (let place = known.length - 1; place >= 0; place -= 1) {
    back += `${place === known.length - 1 ? "V" : "H"}`;
    back += place === known.length - 1 ? lows[known[place]].toFixed(1) : `${xs[known[place + 1]].toFixed(1)}V${lows[known[place]].toFixed(1)}`;
  }
  return `${there}${back}H${xs[known[0]].toFixed(1)}Z`;
}

/** A button that is on or off. */
function toggle(label, on, act, kind = "") {
  const button = html("button", { type: "button", class: `toggle ${kind}`, "aria-pressed": String(on) }, label);
  button.addEventListener("click", () => act(button.getAttribute("aria-pressed") !== "true"));
  return button;
}

function choice(label, options, chosen, act) {
  const list = html("select", { onchange: (event) => act(event.target.value) });
  for (const [value, text] of options) list.append(html("option", { value, selected: value === chosen && "" }, text));
  return html("label", { class: "choice" }, label, " ", list);
}

const swatch = (method) => html("span", { class: `swatch c${method % 8}`, "aria-hidden": "true" });
