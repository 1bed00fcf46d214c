// Draws the charts that the server describes: `data-chart` of a figure is where its points come from. What the server has drawn
// gives way; the table beside it then says what the chart shows. Follows what live.js and refresh.js tell of ("fresh").
"use strict";

{
  const PAUSE_MS = 2000, HEIGHT = 200, BRUSH_PX = 8;
  const COLOURS = ["charging", "reserved", "available", "suspended", "finishing", "preparing"];
  const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
  const OF_PANEL = { energy: "available", battery: "finishing" };
  // The pages write the day before the month.
  const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;

  class Chart {
    constructor(figure) {
      this.figure = figure;
      this.texts = figure.dataset;
      this.box = figure.querySelector(".chart-panels");
      this.data = null;      // what is known: as it came, the points of each series by their time
      this.plots = [];
      this.busy = false;
      this.again = false;
      this.last = 0;
      const asked = new URLSearchParams(location.search);
      this.window = asked.get("from") && asked.get("to") ? { from: Number(asked.get("from")), to: Number(asked.get("to")) } : null;
      figure.addEventListener("click", ({ target }) => { if (target.dataset.move) this.move(target.dataset.move); });
      figure.querySelector("details").addEventListener("toggle", () => this.tabulate());
      new ResizeObserver(() => this.plots.forEach((plot) => plot.setSize({ width: this.width(), height: HEIGHT }))).observe(this.box);
      this.load();
    }

    width() { return Math.max(200, this.box.clientWidth); }

    /* ---- What there is to draw */

    async load(since = null) {
      if (this.busy) { this.again = true; return; }
      this.busy = true;
      this.last = Date.now();
      const window = this.window;
      const asked = new URLSearchParams(window ?? {});
      if (since !== null) asked.set("since", since);
      try {
        const answer = await fetch(`${this.texts.chart}?${asked}`, { headers: { Accept: "application/json" }, cache: "no-store" });
        if (answer.redirected || answer.status === 403 || answer.status === 404) { location.reload(); return; }
        if (answer.status === 400 && window) { this.busy = false; this.show(null); return; }
        const news = answer.ok && window === this.window ? await answer.json() : null;
        // A time that has grown may come in wider bins, which do not go with those there are.
        if (news && since !== null && news.step !== this.data.step) { this.busy = false; this.load(); return; }
        if (news) this.take(news, since !== null);
      } catch {
        // No answer: what is drawn stays, and the next news asks again. The page says that the link is lost.
      }
      this.busy = false;
      if (window !== this.window) this.load();
      else if (this.again) { this.again = false; this.fresh(); }
    }

    take(news, more) {
      for (const panel of news.panels) {
        const had = more && this.data?.panels.find(({ slug }) => slug === panel.slug);
        for (const series of panel.series) {
          const before = had && had.series.find(({ key }) => key === series.key);
          series.points = new Map([...(before ? before.points : []), ...series.points]);
          for (const at of series.points.keys()) if (at < news.from) series.points.delete(at);
        }
        // A plug that said nothing new is still there.
        if (had) panel.series.push(...had.series.filter(({ key }) => !panel.series.some((one) => one.key === key)));
      }
      if (more) news.panels.push(...(this.data?.panels ?? []).filter(({ slug }) => !news.panels.some((one) => one.slug === slug)));
      const same = this.data && this.shape(this.data) === this.shape(news);
      this.data = news;
      const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: news.zone };
      this.minute = new Intl.DateTimeFormat(language, time);
      this.second = new Intl.DateTimeFormat(language, { ...time, day: "numeric", month: "short", second: "2-digit" });
      this.date = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: news.zone });
      this.figure.querySelector("figcaption").textContent = news.caption;
      this.figure.querySelector(".chart-tools").hidden = false;
      if (same) this.drawn(news).forEach((panel, number) => this.plots[number].setData(this.columns(panel)));
      else this.draw();
      this.list();
      this.tabulate();
      this.figure.dataset.drawn = [...news.panels.flatMap(({ series }) => series.map(({ points }) => points.size))].join(" ");
    }

    drawn(data) { return data.panels.filter(({ series }) => series.some(({ points }) => points.size)); }

    quantity(value, { unit, decimals }) {
      return value.toLocaleString(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }) + `\u202f${unit}`;
    }

    shape(data) { return JSON.stringify(this.drawn(data).map(({ slug, series }) => [slug, series.map(({ key }) => key)])); }

    fresh() {
      if (document.hidden) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        const { step, to } = this.data ?? {};
        if (this.window && this.data && this.window.to < Date.now() / 1000 - 2 * step) return;  // the past does not change
        const known = this.data?.panels.flatMap(({ series }) => series.flatMap(({ points }) => [...points.keys()])) ?? [];
        this.load(known.length && to ? Math.max(...known) : null);
      }, Math.max(0, this.last + PAUSE_MS - Date.now()));
    }

    /* ---- Drawing */

    draw() {
      this.plots.forEach((plot) => plot.destroy());
      this.box.replaceChildren();
      this.plots = this.drawn(this.data).map((panel) => this.plot(panel));
    }

    /* Every point at its time; between two that are too far apart to be joined a hole, which is not zero. */
    columns(panel) {
      const tables = panel.series.map(({ points }) => {
        const xs = [], ys = [];
        for (const [at, value] of [...points].sort(([a], [b]) => a - b)) {
          if (xs.length && at - xs.at(-1) > this.data.hold) { xs.push((xs.at(-1) + at) / 2); ys.push(null); }
          xs.push(at);
          ys.push(value);
        }
        return [xs, ys];
      });
      return uPlot.join(tables, tables.map(() => [0, 2]));  // 2: a hole reaches over the times of the other series
    }

    colour(token) {
      const probe = this.figure.querySelector("figcaption");
      const before = probe.style.color;
      probe.style.color = `var(--${token})`;
      const colour = getComputedStyle(probe).color;
      probe.style.color = before;
      return colour;
    }

    plot(panel) {
      const ink = this.colour("muted"), line = this.colour("line");
      const value = (plot, given) => given == null ? "–" : this.quantity(given, panel);
      const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
      const colour = (index) => this.colour(panel.series.length > 1 ? COLOURS[index % COLOURS.length] : OF_PANEL[panel.slug] ?? COLOURS[0]);
      const options = {
        width: this.width(),
        height: HEIGHT,
        padding: [8, 32, 0, 0],  // the last time stands half beyond the chart
        tzDate: (at) => uPlot.tzDate(new Date(at * 1000), this.data.zone),
        cursor: { drag: { x: true, y: false, setScale: false }, sync: { key: this.figure.id }, bind: { dblclick: () => () => this.show(null) } },
        scales: { x: { range: () => [this.data.from, this.data.to] }, y: { range: (plot, low, high) => [Math.min(0, low ?? 0), panel.highest ?? Math.max(high * 1.08, 0.1)] } },
        axes: [
          { ...axis, space: 72, values: (plot, splits) => splits.map((at, index) => this.label(at, splits[index - 1])) },
          { ...axis, size: 84, values: (plot, splits) => splits.map((one) => `${one.toLocaleString(language)}\u202f${panel.unit}`) },
        ],
        series: [
          { label: this.texts.time, value: (plot, at) => at == null ? "–" : this.second.format(at * 1000) },
          ...panel.series.map((series, index) => ({
            label: series.label, value, width: 2, stroke: colour(index), dash: DASHES[index % DASHES.length],
            fill: panel.series.length > 1 ? undefined : colour(index).replace("rgb(", "rgba(").replace(")", ", 0.14)"),
          })),
        ],
        hooks: { setSelect: [(plot) => this.brushed(plot)], draw: [(plot) => this.mark(plot)] },
      };
      const plot = new uPlot(options, this.columns(panel), this.box);
      plot.root.dir = "ltr";
      plot.root.setAttribute("role", "img");
      plot.root.setAttribute("aria-label", `${panel.title}. ${this.data.caption}`);
      return plot;
    }

    label(at, before) {
      const day = this.date.format(at * 1000);
      if (this.data.to - this.data.from < 600) return this.second.format(at * 1000).replace(/^.*,\s*/, "");
      return before !== undefined && this.date.format(before * 1000) !== day ? day : this.minute.format(at * 1000);
    }


    /* What happened, as a shape at its time; the list below the chart says the same in words. */
    mark(plot) {
      for (const old of plot.over.querySelectorAll(".chart-mark")) old.remove();
      for (const { at, slug, word, detail } of this.data.marks) {
        const left = plot.valToPos(at, "x");
        if (left < 0 || left > plot.over.clientWidth) continue;
        const mark = document.createElement("span");
        mark.className = `chart-mark is-${slug}`;
        mark.title = `${this.second.format(at * 1000)} ${word}${detail ? ` (${detail})` : ""}`;
        mark.style.left = `${left}px`;
        mark.append(icon(slug));
        plot.over.append(mark);
      }
    }

    list() {
      const list = this.figure.querySelector(".chart-events");
      if (!list) return;
      list.hidden = !this.data.marks.length;
      const items = this.data.marks.map(({ at, slug, word, detail }) => {
        const item = document.createElement("li"), said = document.createElement("span");
        const strong = document.createElement("strong"), more = document.createElement("span");
        item.className = `is-${slug}`;
        strong.textContent = word;
        more.className = "muted";
        more.textContent = detail;
        said.append(strong, " ", more);
        item.append(this.time(at), icon(slug), said);
        return item;
      });
      list.querySelector("ol").replaceChildren(...items.reverse());
    }

    tabulate() {
      const details = this.figure.querySelector("details.chart-table");
      if (!details.open || !this.data) return;
      const columns = this.data.panels.flatMap((panel) => panel.series.map((series) => ({ panel, ...series })));
      const times = [...new Set(columns.flatMap(({ points }) => [...points.keys()]))].sort((a, b) => a - b);
      const head = document.createElement("tr");
      head.append(cell("th", this.texts.time, "col"), ...columns.map(({ label }) => cell("th", label, "col", true)));
      details.querySelector("thead").replaceChildren(head);
      details.querySelector("tbody").replaceChildren(...times.map((at) => {
        const row = document.createElement("tr"), when = cell("th", "", "row");
        when.append(this.time(at));
        row.append(when, ...columns.map(({ points, panel }) =>
          cell("td", points.has(at) ? this.quantity(points.get(at), panel) : "–", null, true)));
        return row;
      }));
    }

    time(at) {
      const time = document.createElement("time");
      time.dateTime = new Date(at * 1000).toISOString();
      time.textContent = this.second.format(at * 1000);
      return time;
    }

    /* ---- The time that is shown; the address holds it. */

    show(window) {
      this.window = window;
      const url = new URL(location.href);
      for (const name of ["from", "to"]) { if (window) url.searchParams.set(name, window[name]); else url.searchParams.delete(name); }
      history.replaceState(null, "", url);
      this.load();
    }

    brushed(plot) {
      const { left, width } = plot.select;
      if (width < BRUSH_PX) return;
      const from = Math.round(plot.posToVal(left, "x")), to = Math.round(plot.posToVal(left + width, "x"));
      plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      if (to - from >= 60 && (this.window?.from !== from || this.window?.to !== to)) this.show({ from, to });
    }

    move(how) {
      if (!this.data?.to) return;
      if (how === "all") { this.show(null); return; }
      const { from, to } = this.busy && this.window ? this.window : this.data, span = to - from, now = Math.ceil(Date.now() / 1000);
      const [first, last] = {
        earlier: [from - span / 2, to - span / 2], later: [from + span / 2, to + span / 2],
        closer: [from + span / 4, to - span / 4], wider: [from - span / 2, to + span / 2],
      }[how].map(Math.round);
      if (how === "closer" && last - first < 60) return;
      this.show({ from: Math.min(first, now - 60), to: Math.min(last, now) });
    }
  }

  function icon(slug) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `#i-${slug}`);
    svg.append(use);
    return svg;
  }

  function cell(kind, text, scope, number = false) {
    const made = document.createElement(kind);
    if (scope) made.scope = scope;
    if (number) made.className = "number";
    made.textContent = text;
    return made;
  }

  const charts = [...document.querySelectorAll("[data-chart]")].map((figure) => new Chart(figure));
  document.addEventListener("fresh", () => charts.forEach((chart) => chart.fresh()));
  const repaint = () => charts.forEach((chart) => { if (chart.data) chart.draw(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  new MutationObserver(repaint).observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme", "style"] });
}
