// Reads the hours of the week aloud, one by one: by arrow keys on a row that has the focus, or under the pointer.
// Everything it says stands in the data table too; without it the page is whole.
(() => {
  "use strict";
  const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
  const HOURS = 24, ALL = 168;
  const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -HOURS, ArrowDown: HOURS, Home: -ALL, End: ALL };
  const nameOf = (row) => row.getAttribute("aria-label").split(":")[0];

  function text(row, at) {
    const value = row.dataset.heatRow.split(",")[at], hour = at % HOURS;
    const told = value === "" ? "not known" : `${value} % of paid time had requests`;
    return `${nameOf(row)}, ${DAYS[Math.floor(at / HOURS)]} ${hour}:00 to ${hour + 1}:00: ${told}`;
  }

  function show(row, at, { aloud = false } = {}) {
    const figure = row.closest("[data-heat]"), said = figure.querySelector("[data-heat-said]");
    row.dataset.at = String(at);
    said.textContent = text(row, at);
    let mark = row.querySelector(".heat-here");
    if (!mark) {
      mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      mark.setAttribute("class", "heat-here");
      mark.setAttribute("width", "6");
      mark.setAttribute("height", "16");
      row.querySelector("svg").append(mark);
    }
    mark.setAttribute("x", String(at * 6));
    for (const other of figure.querySelectorAll(".heat-here")) if (other !== mark) other.remove();
    if (aloud) document.getElementById("live").textContent = said.textContent;
  }

  for (const row of document.querySelectorAll("[data-heat-row]")) {
    row.addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const before = row.dataset.at === undefined ? (step > 0 ? -1 : 0) : Number(row.dataset.at);
      show(row, Math.max(0, Math.min(ALL - 1, before + step)), { aloud: true });
    });
    row.addEventListener("pointermove", (event) => {
      const box = row.getBoundingClientRect();
      show(row, Math.max(0, Math.min(ALL - 1, Math.floor(((event.clientX - box.left) / box.width) * ALL))));
    });
  }

  // Only one form is open at a time, and it begins with its first field.
  for (const opened of document.querySelectorAll("details.unfolds")) {
    opened.addEventListener("toggle", () => {
      if (!opened.open) return;
      for (const other of document.querySelectorAll("details.unfolds[open]")) if (other !== opened) other.open = false;
      const form = document.getElementById(opened.querySelector("summary").getAttribute("aria-controls"));
      form?.querySelector("input:not([type=hidden])")?.focus({ preventScroll: true });
      form?.scrollIntoView({ block: "nearest" });
    });
  }
})();
