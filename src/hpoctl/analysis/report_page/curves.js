// The curves of a benchmark over time, with the sizes of rungs below them on the same axis.

function curvesFigure(figure, state, settings) {
  const { data, benchmark, there, lines } = state;
  const [controls, plot, readout] = [".controls", ".plot", ".readout"].map((name) => figure.querySelector(name));
  const centres = [...lines.values()].flatMap((line) => line.centre).filter(Number.isFinite);
  const positive = centres.length > 0 && centres.every((value) => value > 0);
  const wide = positive && benchmark.mode === "min" && Math.max(...centres) > settings.wide * Math.min(...centres);
  const withRungs = there.filter((method) => benchmark.methods[method].some((each) => each.levels.length));
  const own = { bands: true, log: wide, seeds: false, rungs: "", cursor: null };
  const longest = Math.max(...[...lines.values()].map((line) => line.times.at(-1)));
  const [unit, seconds] = timeUnit(longest);

  function drawControls() {
    const change = (name) => (on) => {
      own[name] = on;
      draw();
    };
    const rungs = [["", "none"], ...withRungs.map((method) => [String(method), data.methods[method]])];
    controls.replaceChildren(
      methodButtons(state),
      html(
        "div",
        { class: "row" },
        toggle("bands", own.bands, change("bands"), "option"),
        positive ? toggle("log scale", own.log, change("log"), "option") : null,
        toggle("each seed", own.seeds, change("seeds"), "option"),
        withRungs.length ? choice("rungs of", rungs, own.rungs, change("rungs")) : null,
      ),
    );
  }

  function drawLines(across, up) {
    const shown = [];
    for (const method of there.filter((each) => state.visible.has(each))) {
      const line = lines.get(method);
      const xs = line.times.map((time) => across.place(time / seconds));
      const ys = (values) => values.map((value) => (up.log && !(value > 0) ? NaN : up.place(value)));
      const dash = DASHES[Math.floor(method / 8) % DASHES.length];
      if (own.bands) shown.unshift(svg("path", { class: `band f${method % 8}`, d: bandPath(xs, ys(line.low), ys(line.high)) }));
      if (own.seeds) {
        for (const each of benchmark.methods[method].filter((seed) => seed.times.length)) {
          const ends = [...each.times, each.budget].map((time) => across.place(Math.min(time, longest) / seconds));
          shown.unshift(svg("path", { class: `seed s${method % 8}`, d: stepPath(ends, ys([...each.values, each.values.at(-1)])) }));
        }
      }
      shown.push(svg("path", { class: `line s${method % 8}`, "stroke-dasharray": dash, d: stepPath(xs, ys(line.centre)) }));
    }
    return shown;
  }

  function drawRungs(across, top, bottom, right) {
    const method = Number(own.rungs);
    const seeds = benchmark.methods[method].filter((each) => each.levels.length);
    const levels = [...new Set(seeds.flatMap((each) => each.levels))].sort((a, b) => a - b);
    const steps = Math.max(...seeds.map((each) => each.counts[0].length));
    const budget = Math.min(...seeds.map((each) => each.budget));
    const rows = levels.map((level) => {
      const having = seeds.filter((each) => each.levels.includes(level));
      const at = (step) => median(having.map((each) => each.counts[each.levels.indexOf(level)][step]));
      return Array.from({ length: steps }, (_, step) => at(step));
    });
    const up = scale(rangeOf(rows.flat().map((count) => Math.max(count, 1)), true), [bottom, top], true);
    const xs = rows[0].map((_, step) => across.place((budget * (step + 1)) / steps / seconds));
    own.rungRows = { levels, rows, steps, budget };
    let free = bottom - 2; // labels stand above one another, from the largest level at the bottom
    const heights = rows.map((row) => up.place(Math.max(row.at(-1), 1)) - 4);
    const labels = heights.map((height, place) => [height, place]).sort((one, other) => other[0] - one[0] || other[1] - one[1]);
    for (const [height, place] of labels) {
      heights[place] = Math.min(height, free);
      free = heights[place] - 11;
    }
    const paths = rows.map((row, place) => {
      const d = stepPath(xs, row.map((count) => (count >= 1 ? up.place(count) : NaN)));
      return [
        svg("path", { class: `rung s${method % 8}`, "stroke-width": 1 + 0.45 * place, d }),
        svg("text", { class: "tiny", x: right - 2, y: heights[place], "text-anchor": "end" }, `rung ${levels[place]}`),
      ];
    });
    return [axisLeft(up, [LEFT, right], `trials at each rung of ${data.methods[method]} (median over seeds)`), paths];
  }

  function say(time) {
    const step = Math.min(Math.max(Math.round((time / longest) * settings.points), 1), settings.points);
    own.cursor = (step / settings.points) * longest;
    const rows = there
      .filter((method) => state.visible.has(method))
      .map((method) => {
        const line = lines.get(method);
        const place = line.times.filter((each) => each <= own.cursor * (1 + 1e-9)).length - 1;
        return { method, value: line.centre[place] ?? NaN, low: line.low[place], high: line.high[place], seeds: line.seeds };
      })
      .sort((a, b) => (benchmark.mode === "min" ? a.value - b.value : b.value - a.value));
    const items = rows.map(({ method, value, low, high, seeds }) => {
      const ends = Number.isFinite(low) ? ` [${digits(low)}, ${digits(high)}]` : "";
      const text = Number.isFinite(value) ? `${digits(value)}${ends}` : "no value of every seed yet";
      return html("span", { class: "item" }, swatch(method), `${data.methods[method]}: ${text}, n = ${seeds}`);
    });
    if (own.rungs !== "") {
      const { levels, rows: counts, steps, budget } = own.rungRows;
      const place = Math.min(Math.floor((own.cursor / budget) * steps + 1e-9), steps) - 1;
      const sizes = levels.map((level, row) => `${level}: ${place < 0 ? 0 : digits(counts[row][place])}`).join(", ");
      items.push(html("span", { class: "item" }, swatch(Number(own.rungs)), `trials at rungs ${sizes}`));
    }
    const share = Math.round((100 * own.cursor) / longest);
    const moment = `at ${digits(own.cursor / seconds, 3)} ${unit} (${share} % of the budget)`;
    readout.replaceChildren(html("b", {}, moment), ...items);
  }

  function draw() {
    keepFocus(figure, () => {
      drawControls();
      const width = widthOf(plot);
      const bottom = width < 520 ? 270 : 340;
      const lane = own.rungs === "" ? 0 : 190;
      const [right, top] = [width - RIGHT, 26];
      const across = scale([0, longest / seconds], [LEFT, right]);
      const counted = there.filter((method) => state.visible.has(method)).map((method) => lines.get(method));
      const from = own.log ? 0 : Math.floor(0.05 * settings.points);
      const half = Math.floor(settings.points / 2);
      const values = counted.flatMap((line) => [...line.centre.slice(from), ...(own.bands ? [...line.low.slice(half), ...line.high.slice(half)] : [])]);
      const up = scale(rangeOf(values, own.log), [bottom, top], own.log);
      const clip = `clip-${benchmark.place}`;
      const cursor = svg("line", { class: "cursor", y1: top, y2: bottom + lane });
      const name = `${benchmark.metric} over time on ${data.benchmarks[benchmark.place]}; arrow keys move along the time`;
      const picture = svg(
        "svg",
        { viewBox: `0 0 ${width} ${bottom + lane + 44}`, width, height: bottom + lane + 44, tabindex: 0, role: "application", "aria-label": name },
        svg("clipPath", { id: clip }, svg("rect", { x: LEFT, y: top - 4, width: right - LEFT, height: bottom - top + 4 })),
        axisBelow(across, [top, bottom + lane], `time of the experiment's clock (${unit})`),
        axisLeft(up, [LEFT, right], benchmark.metric),
        svg("g", { "clip-path": `url(#${clip})` }, drawLines(across, up)),
        lane ? drawRungs(across, bottom + 34, bottom + lane, right) : null,
        cursor,
      );
      const move = (time) => {
        say(Math.min(Math.max(time, 0), longest));
        const x = across.place(own.cursor / seconds);
        cursor.setAttribute("x1", x);
        cursor.setAttribute("x2", x);
      };
      const point = (event) => {
        const box = picture.getBoundingClientRect();
        move(across.back(((event.clientX - box.left) / box.width) * width) * seconds);
      };
      picture.addEventListener("pointermove", point);
      picture.addEventListener("pointerdown", point);
      picture.addEventListener("keydown", (event) => {
        const step = (event.shiftKey ? 10 : 1) * (longest / settings.points);
        const places = { ArrowLeft: own.cursor - step, ArrowRight: own.cursor + step, Home: 0, End: longest };
        if (!(event.key in places)) return;
        event.preventDefault();
        move(places[event.key]);
      });
      plot.replaceChildren(picture);
      move(own.cursor ?? longest);
    });
  }
  state.watchers.push(draw);
  return draw;
}
