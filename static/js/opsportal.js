// opsportal's own behaviour. Every page and form works without it; this makes them quicker, never different.
// No inline handlers anywhere: elements say what they want in data attributes.
(() => {
  "use strict";
  const ARM_MS = 400; // a dialog ignores confirmation this long: double clicks and key repeats are no decisions
  const QUIET_MS = 10000; // the live region speaks at most this often
  const FAST_MS = 3000, SLOW_MS = 60000, ACTIVE_MS = 60000; // polling while somebody is there, and while not
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;

  // -- Saying what happened ---------------------------------------------------------------------------------
  let lastSaid = -QUIET_MS, waiting = null;
  function announce(text) {
    const live = $("#live"), wait = lastSaid + QUIET_MS - performance.now();
    clearTimeout(waiting);
    if (wait > 0) { waiting = setTimeout(() => announce(text), wait); return; }
    lastSaid = performance.now();
    live.textContent = text;
  }

  function toast(text) {
    const box = document.createElement("div");
    box.className = "toast";
    box.textContent = text;
    document.body.append(box);
    lastSaid = -QUIET_MS;
    announce(text);
    setTimeout(() => box.remove(), 6000);
  }

  function copyButtons(scope) {
    for (const button of $$("[data-copy][hidden]", scope)) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        try { await navigator.clipboard.writeText(button.dataset.copy); toast("Copied"); }
        catch { toast("Copying is not allowed here; select the text instead"); }
      });
    }
  }

  // -- Forms: one click is one request ----------------------------------------------------------------------
  function guard(event) {
    const form = event.target;
    if (form.method !== "post") return;
    const dialog = form.closest("dialog");
    if (form.dataset.sent || (dialog && performance.now() < Number(dialog.dataset.armedAt || 0))) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    const button = event.submitter;
    if (!button || button.type !== "submit") return;
    // The button keeps its name and value for this request; it is only marked once that has been collected.
    setTimeout(() => {
      button.setAttribute("aria-disabled", "true");
      if (button.dataset.sending !== "") button.textContent = button.dataset.sending || "Sending…";
    });
  }

  // -- Dialogs ----------------------------------------------------------------------------------------------
  function openDialog(dialog, opener) {
    if (!dialog || dialog.open || $("dialog[open]")) return;
    dialog.dataset.armedAt = String(performance.now() + ARM_MS);
    dialog.showModal();
    // Without scrolling: on a phone the question at its top must be seen before the button is.
    ($("[data-first]", dialog) || $("button", dialog)).focus({ preventScroll: true });
    dialog.addEventListener("close", () => {
      if (opener && opener.isConnected) opener.focus();
      refreshLater();
    }, { once: true });
  }

  function dialogs() {
    // The opener is a link to the same form on a page of its own; with script it opens the dialog instead.
    document.addEventListener("click", (event) => {
      const opener = event.target.closest("[data-dialog]");
      if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
        const dialog = document.getElementById(opener.dataset.dialog);
        if (dialog) { event.preventDefault(); openDialog(dialog, opener); }
      }
      if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    });
  }

  // -- Letter shortcuts (a person can switch them off: WCAG 2.1.4) ------------------------------------------
  let pendingGo = 0;
  const typing = (element) => element && (element.isContentEditable
    || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) && !/^(radio|checkbox|button|submit)$/.test(element.type));

  function rowMove(step) {
    const links = $$("[data-row-link]");
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    links[Math.max(0, Math.min(links.length - 1, at < 0 ? (step > 0 ? 0 : links.length - 1) : at + step))].focus();
  }

  function letter(key) {
    if (pendingGo) {
      clearTimeout(pendingGo);
      pendingGo = 0;
      const target = { f: "/fleet", c: "/changes", h: "/audit" }[key];
      if (target) location.assign(target);
      return Boolean(target);
    }
    if (key === "g") { pendingGo = setTimeout(() => { pendingGo = 0; }, 1500); return true; }
    if (key === "j" || key === "k") { rowMove(key === "j" ? 1 : -1); return true; }
    if (key === "/") { $("#q")?.focus(); return true; }
    if (key === "?") { location.assign("/help"); return true; }
    if (key === "r") { const opener = $("[data-key=r]"); opener?.click(); return Boolean(opener); }
    if (key === "a") { const button = $("[data-key=a]"); button?.focus(); return Boolean(button); }
    if (key === "e") { const box = $("[data-key=e]"); if (box) box.open = !box.open; return Boolean(box); }
    return false;
  }

  function keys(event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      $("#q")?.focus();
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
      const button = $("[data-key=a]");
      if (button && document.activeElement?.closest("form") === button.form) { event.preventDefault(); button.form.requestSubmit(button); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (root.dataset.shortcuts === "off" || $("dialog[open]") || typing(event.target)) return;
    if (letter(event.key)) event.preventDefault();
  }

  // -- Live updates: partials are fetched again, values are never guessed -----------------------------------
  // Elements with data-live and hx-get are re-fetched on the event "refresh". Nothing that holds the focus, an
  // open menu or the pointer's table row is replaced: it waits until it is left. What says where a change stands
  // (data-live="truth") is never old for that: its details stay as they were set, and the focus comes back: by id from htmx, by address here.
  const PAUSED = "opsportal-live-paused";
  let source = null, timer = 0, heard = "", lastActive = performance.now(), streamLostAt = 0, late = new Set();
  const store = { get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private windows keep nothing */ } } };
  const paused = () => store.get(PAUSED) === "1";
  function busy(element) {
    if (element.dataset.live === "truth") return false;
    return element.contains(document.activeElement) || $("details[open][data-hold]", element) || $("dialog[open]")
      || (element.dataset.live === "table" && element.matches(":hover"));
  }
  const unfolded = new Map(); // by id: whether somebody opened or closed it here
  let link = ""; // the address of a link without an id that had the focus before its panel was replaced
  function keepPlace() {
    document.addEventListener("toggle", (event) => {
      const { target } = event;
      if (target.matches("[data-live] details[id]")) unfolded.set(target.id, target.open);
    }, true);
    document.addEventListener("htmx:before:swap", () => {
      const focused = document.activeElement;
      if (focused?.closest('[data-live="truth"]') && !focused.id) link = focused.getAttribute("href") || "";
    });
    document.addEventListener("htmx:after:swap", () => {
      for (const [id, open] of unfolded) {
        const details = document.getElementById(id);
        if (details) details.open = open;
      }
      if (link && document.activeElement === document.body) {
        $$('[data-live="truth"] a').find((one) => one.getAttribute("href") === link)?.focus({ preventScroll: true });
      }
      link = "";
    });
  }

  function refreshOne(element) {
    if (busy(element)) { late.add(element); return; }
    late.delete(element);
    htmx.trigger(element, "refresh");
  }
  function refreshAll() { if (!paused() && !document.hidden) $$("[data-live]").forEach(refreshOne); }
  function refreshLater() { if (!paused()) [...late].forEach((element) => element.isConnected ? refreshOne(element) : late.delete(element)); }

  function streamState(up) {
    if (up) streamLostAt = 0; else streamLostAt ||= performance.now();
    const chip = $("#stream");
    if (!chip) return;
    const lost = streamLostAt && performance.now() - streamLostAt > 20000;
    chip.className = lost ? "fresh warn" : "fresh";
    chip.textContent = paused() ? "Live updates paused" : lost ? "Live updates lost; asking every few seconds" : up ? "Live" : "Connecting…";
  }

  function closeStream() { source?.close(); source = null; }
  function openStream() {
    const address = $("[data-events]")?.dataset.events;
    if (!address || source || paused() || document.hidden) return;
    source = new EventSource(address);
    source.addEventListener("open", () => { streamState(true); refreshAll(); });
    source.addEventListener("error", () => streamState(false));
    source.addEventListener("change", (event) => {
      refreshAll();
      const said = JSON.parse(event.data || "{}").text;
      if (said && said !== heard) announce(said);
      heard = said;
    });
    source.addEventListener("beat", () => refreshAll());
    source.addEventListener("end", () => { closeStream(); refreshAll(); });
  }

  function poll() {
    clearTimeout(timer);
    const streaming = source && source.readyState === EventSource.OPEN;
    if (!streaming) refreshAll();
    if (source) streamState(streaming);
    const active = performance.now() - lastActive < ACTIVE_MS;
    const period = Number($("[data-period]")?.dataset.period || 0) * 1000;
    timer = setTimeout(poll, period ? Math.max(period, active ? 0 : SLOW_MS) : active ? FAST_MS : SLOW_MS);
  }

  function live() {
    if (!$("[data-live]")) return;
    const button = $("#pause-live");
    const show = () => { button.setAttribute("aria-pressed", String(paused())); button.textContent = paused() ? "Live updates paused" : "Pause live updates"; streamState(false); };
    button.hidden = false;
    show();
    button.addEventListener("click", () => {
      store.set(PAUSED, paused() ? "0" : "1");
      show();
      if (paused()) closeStream(); else { openStream(); refreshAll(); }
    });
    for (const kind of ["pointerdown", "keydown", "scroll"]) addEventListener(kind, () => { lastActive = performance.now(); }, { passive: true });
    document.addEventListener("focusout", () => setTimeout(refreshLater));
    document.addEventListener("pointerout", () => setTimeout(refreshLater));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) closeStream();
      else setTimeout(() => { openStream(); refreshAll(); }, 500);
    });
    keepPlace();
    openStream();
    timer = setTimeout(poll, FAST_MS);
  }

  // Ages and running clocks are the server's count plus the time that went by here (the two clocks may differ by
  // minutes, so no moment of one is compared with a moment of the other). They are never announced.
  const firstSeen = new WeakMap();
  function since(element) {
    if (!firstSeen.has(element)) firstSeen.set(element, Date.now());
    return Math.max(0, (Date.now() - firstSeen.get(element)) / 1000);
  }

  const LEVELS = [[10, "unknown", "Not current: ", "#i-unknown"], [2, "warn", "Azure data ", "#i-waiting"], [0, "", "Azure data ", "#i-quiet"]];
  const span = (seconds) => seconds < 60 ? `${Math.floor(seconds)}\u00a0s` : seconds < 3600 ? `${Math.floor(seconds / 60)}\u00a0min`
    : seconds < 172800 ? `${Math.floor(seconds / 3600)}\u00a0h` : `${Math.floor(seconds / 86400)}\u00a0d`;

  function tick() {
    if (paused() || document.hidden) return;
    for (const clock of $$("[data-clock]")) {
      const seconds = Math.floor(Number(clock.dataset.clock) + since(clock));
      clock.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
    }
    for (const chip of $$("[data-age]")) {
      const seconds = Number(chip.dataset.age) + since(chip);
      const [, level, words, shape] = LEVELS.find(([times]) => times === 0 || seconds > times * Number(chip.dataset.cadence));
      chip.className = `fresh ${level}`.trim();
      $("use", chip).setAttribute("href", shape);
      $("span", chip).textContent = `${words}${span(seconds)} old`;
    }
  }

  function titleOf(scope) {
    const busyNow = $("[data-working]", scope); // a chart has titles of its own
    if (!busyNow) return;
    document.title = busyNow.dataset.title;
    const icon = $("#favicon");
    icon.dataset.calm ||= icon.href;
    icon.href = busyNow.dataset.working === "1" ? icon.dataset.busy : icon.dataset.calm;
  }

  // -- Forms that help while one types ----------------------------------------------------------------------
  function sums() {
    for (const form of $$("[data-sum]")) {
      const output = $("[data-total]", form);
      const update = () => {
        const total = $$("input[type=number][data-weight]", form).reduce((sum, box) => sum + (Number(box.value) || 0), 0);
        output.textContent = `${total} %`;
        output.dataset.ok = String(total === 100 || total === 0);
        const hint = total === 100 ? "" : total === 0 ? "Switches the endpoint off" : `${Math.abs(100 - total)} % ${total < 100 ? "missing" : "too much"}`;
        for (const place of $$("[data-total-hint]", form)) place.textContent = hint;
      };
      form.addEventListener("input", update);
      for (const button of $$("[data-all]", form)) {
        button.hidden = false;
        button.addEventListener("click", () => {
          for (const box of $$("input[data-weight]", form)) box.value = box.dataset.weight === button.dataset.all ? 100 : 0;
          update();
        });
      }
      update();
    }
  }

  // The rollback form says what its button will do: the words and the table follow the chosen target.
  function targets() {
    for (const form of $$("form")) {
      const choices = $$("input[name=target]", form);
      if (!choices.length) continue;
      const follow = () => {
        const chosen = choices.find((choice) => choice.checked);
        if (!chosen) return;
        const split = JSON.parse(chosen.dataset.split);
        for (const words of $$("[data-target-words]", form)) words.textContent = chosen.dataset.words;
        for (const cell of $$("[data-after]", form)) cell.textContent = `${split[cell.dataset.after] || 0}\u00a0%`;
      };
      form.addEventListener("change", follow);
      follow();
    }
  }

  function start() {
    const menu = $(".menu"), narrow = matchMedia("(max-width: 720px)");
    const fold = () => { if (menu) menu.open = !narrow.matches; };
    fold();
    narrow.addEventListener("change", fold);
    copyButtons(document);
    dialogs();
    sums();
    targets();
    titleOf(document);
    document.addEventListener("submit", guard);
    document.addEventListener("keydown", keys);
    document.addEventListener("htmx:after:swap", () => { copyButtons(document); titleOf(document); });
    // A page that comes back from the history must be able to send its form again.
    addEventListener("pageshow", () => $$("form[data-sent]").forEach((form) => delete form.dataset.sent));
    $("[data-focus]")?.focus();
    const said = $$("[data-announce]").map((element) => element.textContent).join(" ");
    if (said) announce(said);
    for (const select of $$("select[data-submit]")) select.addEventListener("change", () => select.form.requestSubmit());
    live();
    tick();
    setInterval(tick, 1000);
  }
  start();
})();
