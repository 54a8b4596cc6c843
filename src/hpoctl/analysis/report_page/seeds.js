// The figures of single seeds: their values at the end, and the differences of pairs.

function stripFigure(figure, state, settings) {
  const { data, benchmark, there } = state;
  const [plot, readout] = [".plot", ".readout"].map((name) => figure.querySelector(name));
  const ends = there.map((method) => {
    const points = benchmark.methods[method]
      .map((each) => ({ seed: each.seed, value: valueAt(each, benchmark.budget) }))
      .filter((point) => Number.isFinite(point.value));
    return { method, points, centre: points.length ? interquartileMean(points.map((point) => point.value)) : NaN };
  });
  const seeds = [...new Set(ends.flatMap(({ points }) => points.map((point) => point.seed)))].sort((a, b) => a - b);
  const own = { seed: null };

  function mark(seed) {
    own.seed = seed;
    for (const dot of plot.querySelectorAll(".dot")) dot.classList.toggle("chosen", dot.dataset.seed === String(seed));
    if (seed === null) {
      readout.replaceChildren("Point at a seed, or use the arrow keys: it is marked in every row.");
      return;
    }
    const items = ends
      .filter(({ method }) => state.visible.has(method))
      .map(({ method, points }) => {
        const value = points.find((point) => point.seed === seed)?.value;
        return html("span", { class: "item" }, swatch(method), `${data.methods[method]}: ${value === undefined ? "no value" : digits(value)}`);
      });
    readout.replaceChildren(html("b", {}, `seed ${seed}`), ...items);
  }

  function draw() {
    keepFocus(figure, () => {
      const shown = ends.filter(({ method, points }) => state.visible.has(method) && points.length);
      const width = widthOf(plot);
      const narrow = width < 520;
      const values = shown.flatMap(({ points }) => points.map((point) => point.value));
      const log = benchmark.mode === "min" && values.length > 0 && Math.min(...values) > 0 && Math.max(...values) > settings.wide * Math.min(...values);
      const left = narrow ? 12 : 130;
      const row = narrow ? 44 : 32;
      const bottom = 14 + row * Math.max(shown.length, 1);
      const across = scale(rangeOf(values, log), [left, width - RIGHT], log);
      const rows = shown.map(({ method, points, centre }, place) => {
        const y = 14 + row * (place + 0.5) + (narrow ? 7 : 0);
        const ordered = [...points].sort((a, b) => a.value - b.value);
        const dots = ordered.map((point, order) => {
          const circle = svg("circle", { class: `dot f${method % 8}`, cx: across.place(point.value), cy: y + 4.2 * ((order % 5) - 2), r: 3.4, "data-seed": point.seed });
          circle.addEventListener("pointerenter", () => mark(point.seed));
          return circle;
        });
        const x = across.place(centre);
        const label = narrow ? { x: left, y: y - 15 } : { x: left - 10, y: y + 4, "text-anchor": "end" };
        return [svg("line", { class: `centre s${method % 8}`, x1: x, x2: x, y1: y - 12, y2: y + 12 }), dots, svg("text", label, data.methods[method])];
      });
      const name = `The value of each seed on ${data.benchmarks[benchmark.place]}; arrow keys go through the seeds`;
      const picture = svg(
        "svg",
        { viewBox: `0 0 ${width} ${bottom + 42}`, width, height: bottom + 42, tabindex: 0, role: "application", "aria-label": name },
        axisBelow(across, [8, bottom], benchmark.metric),
        rows,
      );
      picture.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!step || !seeds.length) return;
        event.preventDefault();
        const place = own.seed === null ? (step > 0 ? -1 : 0) : seeds.indexOf(own.seed);
        mark(seeds[(place + step + seeds.length) % seeds.length]);
      });
      plot.replaceChildren(picture);
      mark(own.seed);
    });
  }
  state.watchers.push(draw);
  return draw;
}

function pairFigure(figure, state, ranking) {
  const { data, benchmark, there } = state;
  const [controls, plot, readout] = [".controls", ".plot", ".readout"].map((name) => figure.querySelector(name));
  const own = { first: ranking[0], second: ranking[1] ?? ranking[0] };

  function sentence(pairs, shift, verdict) {
    const [one, other] = [data.methods[own.first], data.methods[own.second]];
    if (!pairs.length) return `${one} and ${other} have no seed in common.`;
    const kind = benchmark.log ? `ratio ${one} / ${other}` : `difference ${one} - ${other}`;
    const word = verdict === "undecided" ? verdict : `${one} is ${verdict}`;
    const ends = `[${digits(shift[1], 3)}, ${digits(shift[2], 3)}]`;
    return `${kind}: shift ${digits(shift[0], 3)} ${ends}, ${pairs.length} seeds; after Holm: ${word}.`;
  }

  function draw() {
    keepFocus(figure, () => {
      const options = there.map((method) => [String(method), data.methods[method]]);
      const change = (name) => (value) => {
        own[name] = Number(value);
        draw();
      };
      controls.replaceChildren(html("div", { class: "row" }, choice("A", options, String(own.first), change("first")), choice("B", options, String(own.second), change("second"))));
      if (own.first === own.second) {
        plot.replaceChildren();
        readout.replaceChildren("Choose two different methods.");
        return;
      }
      const { log } = benchmark;
      const pairs = pairsAt(benchmark, own.first, own.second, benchmark.budget);
      const values = pairs.map((pair) => (log ? Math.exp(differenceOf(pair, log)) : differenceOf(pair, log)));
      const { shift, verdict } = judgedPair(data, benchmark, own.first, own.second);
      const [width, left, top] = [widthOf(plot), 58, 14];
      const bottom = top + 190;
      const range = rangeOf([...values, ...shift, log ? 1 : 0], log);
      const up = scale(range, [bottom, top], log);
      const none = up.place(log ? 1 : 0);
      const column = (place) => left + ((place + 0.5) / Math.max(pairs.length, 1)) * (width - RIGHT - left);
      const every = Math.ceil(pairs.length / ((width - left) / 26));
      const ends = [shift[1], shift[2]].map((value, end) => (Number.isFinite(value) ? up.place(value) : end ? top : bottom));
      const dots = pairs.map((pair, place) => {
        const better = values[place] < (log ? 1 : 0) === (benchmark.mode === "min");
        const method = better ? own.first : own.second;
        const text = `seed ${pair.seed}: ${digits(pair.a)} and ${digits(pair.b)}, ${log ? "ratio" : "difference"} ${digits(values[place], 3)}`;
        const circle = svg("circle", { class: `dot f${method % 8}`, cx: column(place), cy: up.place(values[place]), r: 4.4 }, svg("title", {}, text));
        const label = place % every ? null : svg("text", { class: "tiny", x: column(place), y: bottom + 14, "text-anchor": "middle" }, String(pair.seed));
        return [svg("line", { class: "stem", x1: column(place), x2: column(place), y1: none, y2: up.place(values[place]) }), circle, label];
      });
      const name = `Paired ${log ? "ratios" : "differences"} of ${data.methods[own.first]} and ${data.methods[own.second]}, a point for each seed`;
      const picture = svg(
        "svg",
        { viewBox: `0 0 ${width} ${bottom + 36}`, width, height: bottom + 36, role: "img", "aria-label": name },
        axisLeft(up, [left, width - RIGHT], ""),
        pairs.length ? svg("rect", { class: "shift", x: left, width: width - RIGHT - left, y: Math.min(...ends), height: Math.abs(ends[0] - ends[1]) }) : null,
        svg("line", { class: "none", x1: left, x2: width - RIGHT, y1: none, y2: none }),
        pairs.length ? svg("line", { class: "middle", x1: left, x2: width - RIGHT, y1: up.place(shift[0]), y2: up.place(shift[0]) }) : null,
        dots,
        svg("text", { class: "label", x: (left + width) / 2, y: bottom + 32, "text-anchor": "middle" }, "seed"),
      );
      plot.replaceChildren(picture);
      readout.replaceChildren(sentence(pairs, shift, verdict));
    });
  }
  return draw;
}

/** The shift with its interval and the verdict on two methods, in either order. */
function judgedPair(data, benchmark, first, second) {
  const [one, other] = [data.methods[first], data.methods[second]];
  const forward = benchmark.compared.pairs.find((pair) => pair.first === one && pair.second === other);
  const pair = forward ?? benchmark.compared.pairs.find((each) => each.first === other && each.second === one);
  if (!pair) return { shift: [NaN, NaN, NaN], verdict: "undecided" };
  const { shift, shift_interval: ends } = pair.paired;
  const found = [shift, ends.low, ends.high].map(written);
  if (forward) return { shift: found, verdict: pair.verdict };
  // An end that is not known is infinite, of ratios, too.
  const turned = found.map((value) => (benchmark.log && Number.isFinite(value) ? 1 / value : -value));
  return { shift: [turned[0], turned[2], turned[1]], verdict: { better: "worse", worse: "better" }[pair.verdict] ?? pair.verdict };
}
