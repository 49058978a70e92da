// Draws the charts of a page. The page says everything in words and tables without it; this adds the pictures.
// Figures come as JSON from the portal itself. Colours in them are names of CSS variables, so that a chart wears the
// theme; nothing of the library talks to another host.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const NARROW = 520; // pixels: below it there is no room for names at the ends of lines
  const config = () => ({
    displaylogo: false,
    displayModeBar: "hover",
    showSendToCloud: false,
    plotlyServerURL: "",
    typesetMath: false,
    doubleClick: false,
    // One zooms by dragging. Two buttons, because each is a stop for who goes by keyboard.
    modeBarButtons: [[{ name: "whole", title: "Show the whole range", icon: window.Plotly.Icons.home, click: whole }, "toImage"]],
    toImageButtonOptions: { format: "png", scale: 2 },
  });
  const figures = new Map(); // element -> { data, at, busy, drawn }

  // -- Colours ------------------------------------------------------------------------------------------------
  // A custom property that is known to be a colour is computed like one, light-dark() included.
  const known = new Set();
  let colors = new Map();
  function color(name) {
    if (!known.has(name)) {
      known.add(name);
      try { CSS.registerProperty({ name, syntax: "<color>", inherits: true, initialValue: "gray" }); } catch { /* it is */ }
    }
    if (!colors.has(name)) colors.set(name, getComputedStyle(document.documentElement).getPropertyValue(name));
    return colors.get(name);
  }
  function dressed(value) {
    if (typeof value === "string") return value.startsWith("--") ? color(value) : value;
    if (Array.isArray(value)) return value.length && typeof value[0] === "number" ? value : value.map(dressed);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, key === "y" || key === "x" ? inner : dressed(inner)]));
    }
    return value;
  }

  // -- Drawing ------------------------------------------------------------------------------------------------
  function fitted(layout, width) {
    const narrow = width < NARROW;
    const kept = layout.annotations.filter((one) => !(narrow && (one.name === "end" || one.name === "gap")));
    const font = { ...layout.font, family: getComputedStyle(document.body).fontFamily };
    const margin = narrow ? { ...layout.margin, l: 44, r: 12 } : layout.margin;
    const xaxis = narrow ? { ...layout.xaxis, nticks: 4 } : layout.xaxis;
    return { ...layout, annotations: kept, font, margin, xaxis, width, autosize: false };
  }

  // Time goes on under a zoomed chart, so the library's own memory of zooms, which is by the range given, is no help.
  const rangeOf = (plot) => plot.layout?.xaxis?.range?.map(String);
  const whole = (plot) => window.Plotly.relayout(plot, { "xaxis.range": [...figures.get(plot.closest("[data-chart]")).given] });

  async function draw(element) {
    const state = figures.get(element), plot = $("[data-plot]", element);
    if (!state.data || !window.Plotly || !plot.clientWidth) return;
    const { data, layout } = dressed(state.data.figure), width = plot.clientWidth;
    const given = layout.xaxis.range.map(String), before = state.given && rangeOf(plot);
    const zoomed = before && String(before) !== String(state.given) ? before : null;
    const shown = fitted(layout, width);
    if (zoomed) shown.xaxis = { ...shown.xaxis, range: zoomed };
    await window.Plotly.react(plot, data, shown, config());
    if (!state.given) plot.on("plotly_doubleclick", () => { whole(plot); });
    Object.assign(state, { given, width });
    element.dataset.drawn = "1";
    if (!state.marked) { state.marked = true; performance.mark(`chart ${element.id}`); }
  }

  // -- Data ---------------------------------------------------------------------------------------------------
  async function load(element, { again = false } = {}) {
    const state = figures.get(element);
    if (state.busy) return;
    state.busy = true;
    try {
      // What is fetched again by itself is no sign of a person, so it doesn't keep a sign-in alive.
      const headers = again ? { Accept: "application/json", "HX-Request": "true" } : { Accept: "application/json" };
      const answer = await fetch(element.dataset.chart, { headers, credentials: "same-origin" });
      if (!answer.ok) throw new Error(answer.status === 401 ? "You are signed out; what is shown is no longer kept up to date." : `The portal answered ${answer.status}.`);
      state.data = await answer.json();
      state.at = performance.now();
      say(element, "");
      if (again) told(element, state.data);
      await draw(element);
    } catch (error) {
      say(element, `This chart could not be ${state.data ? "brought up to date" : "drawn"}. ${error.message} Its numbers are in the data table.`);
    } finally {
      state.busy = false;
    }
  }

  function say(element, text) {
    const line = $("[data-trouble]", element);
    line.hidden = !text;
    line.textContent = text;
  }

  // The words and numbers beside a chart that was fetched again.
  function told(element, data) {
    $("figcaption", element).textContent = data.caption;
    $("[data-plot]", element).setAttribute("aria-label", data.label);
    const body = $("tbody", element);
    if (!body || $("details", element).open) return;
    body.replaceChildren(...data.table.rows.map((row) => {
      const line = document.createElement("tr");
      row.forEach((text, place) => {
        const cell = document.createElement(place ? "td" : "th");
        if (place) cell.className = "n"; else cell.scope = "row";
        cell.textContent = text;
        line.append(cell);
      });
      return line;
    }));
  }

  // -- When ---------------------------------------------------------------------------------------------------
  function refresh(element) {
    const state = figures.get(element);
    const period = Number(element.dataset.every || 60) * 1000;
    if (state?.at && performance.now() - state.at >= period) load(element, { again: true });
  }

  function redrawAll() {
    colors = new Map();
    for (const [element, state] of figures) if (state.data) draw(element);
  }

  // The library's full bundle brings a style sheet for maps, which the content policy refuses; no chart of ours is a
  // map. It is not inserted where an element of its name stands already.
  function withoutMaps() {
    for (const name of ($("[data-plotly-styles]")?.dataset.plotlyStyles || "").split(" ").filter(Boolean)) {
      const style = document.createElement("style");
      style.id = name;
      document.head.append(style);
    }
  }

  function start() {
    withoutMaps();
    const all = $$("[data-chart]");
    if (!all.length) return;
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        near.unobserve(entry.target);
        load(entry.target);
      }
    }, { rootMargin: "400px 0px" });
    all.forEach((element, place) => {
      figures.set(element, { data: null, at: 0, busy: false, width: 0 });
      element.addEventListener("refresh", (event) => { event.stopPropagation(); refresh(element); });
      if (place) near.observe(element); else load(element);
    });
    // The library may come after the first figure.
    addEventListener("DOMContentLoaded", redrawAll);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", redrawAll);
    matchMedia("(forced-colors: active)").addEventListener("change", redrawAll);
    let waiting = 0;
    addEventListener("resize", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        for (const [element, state] of figures) if (state.data && $("[data-plot]", element).clientWidth !== state.width) draw(element);
      }, 120);
    });
  }
  start();
})();
