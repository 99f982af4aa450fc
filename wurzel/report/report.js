"use strict";
// All text comes from data of users: it is only ever set as text, never as HTML, and no style is set by attribute.
const data = JSON.parse(document.getElementById("data").textContent);
const [run, other] = data.runs;
const SVG = "http://www.w3.org/2000/svg";
const MARKS = {ran: "✓", unchanged: "=", skipped: "–", failed: "✕", blocked: "⊘", stopped: "■"};
const VARIES = new Set(["why", "took", "peak memory"]);  // differ from run to run, which means nothing
const WIDTH = 190, HEIGHT = 34, ACROSS = 250, DOWN = 50, EDGE = 16;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const seconds = (value) => value === null || value === undefined ? "–" : value < 60 ? `${value.toFixed(1)} s`
  : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
const took = (step) => step && step.begin !== undefined && step.end !== undefined ? step.end - step.begin : undefined;
const bytes = (value) => {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) { value /= 1000; unit += 1; }
  return `${unit ? value.toFixed(1) : value} ${units[unit]}`;
};
const state = (step) => step ? step.state : "not run";
const short = (text, most) => text.length > most ? `${text.slice(0, most - 1)}…` : text;

function table(head, rows) {
  return element("table", {},
    element("thead", {}, element("tr", {}, ...head.map((name) => element("th", {scope: "col"}, name)))),
    element("tbody", {}, ...rows.map((row) => element("tr", {class: row.changed ? "changed" : undefined},
      ...row.cells.map((cell) => element("td", {}, cell))))));
}

function showHead() {
  const about = (one) => `${one.id}: started ${new Date(one.started).toLocaleString()}, took ${seconds(one.seconds)}, ${one.ended}`;
  const counts = Object.entries(run.counts).filter(([, count]) => count).map(([what, count]) => `${count} ${what}`);
  document.getElementById("head").append(element("h1", {}, `${run.pipeline}: ${run.ended}`),
    element("p", {}, about(run), counts.length ? ` (${counts.join(", ")})` : ""),
    ...(other ? [element("p", {class: "faint"}, `compared with ${about(other)}`)] : []));
}

const boxes = new Map();

function showGraph() {
  const at = ([layer, down]) => [EDGE + layer * ACROSS, EDGE + down * DOWN];
  if (!data.steps.length) return;
  const all = [...Object.values(data.places), ...data.lines.flat()].map(at);
  const width = all.reduce((most, [x]) => Math.max(most, x), 0) + WIDTH + EDGE;
  const height = all.reduce((most, [, y]) => Math.max(most, y), 0) + HEIGHT + EDGE;
  const picture = drawn("svg", {class: "graph", width, height, viewBox: `0 0 ${width} ${height}`, role: "group",
    "aria-label": "Steps and what they read"});
  for (const [from, to] of data.lines) {
    const [x1, y1] = at(from), [x2, y2] = at(to);
    const start = x1 + WIDTH, middle = (start + x2) / 2, top = y1 + HEIGHT / 2, bottom = y2 + HEIGHT / 2;
    picture.append(drawn("path", {d: `M${x1},${top}H${start}C${middle},${top} ${middle},${bottom} ${x2},${bottom}`}));
  }
  data.steps.forEach((name, number) => {
    const [x, y] = at(data.places[name]), found = run.steps[name];
    const title = drawn("title", {}, `${name}: ${state(found)}`);
    const mark = drawn("text", {class: "mark", x: x + 10, y: y + 22}, MARKS[state(found)] || "");
    const text = drawn("text", {x: x + 28, y: y + 22}, short(name, 21));
    const box = drawn("g", {class: `step ${state(found)}`, role: "button", tabindex: number ? -1 : 0, "aria-pressed": "false",
      "aria-label": `${name}: ${state(found)}`}, title, drawn("rect", {x, y, width: WIDTH, height: HEIGHT, rx: 5}), mark, text);
    box.addEventListener("click", () => choose(name));
    box.addEventListener("keydown", (event) => move(event, number));
    boxes.set(name, box);
    picture.append(box);
  });
  document.getElementById("graph").append(picture);
}

function move(event, number) {
  const by = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
  const next = event.key === "Home" ? 0 : event.key === "End" ? data.steps.length - 1
    : event.key === "Enter" || event.key === " " ? number : by && Math.min(Math.max(number + by, 0), data.steps.length - 1);
  if (next === undefined) return;
  event.preventDefault();
  choose(data.steps[next]);
  boxes.get(data.steps[next]).focus();
}

function choose(name) {
  if (name === undefined) return;
  for (const [other, box] of boxes) {
    box.setAttribute("aria-pressed", String(other === name));
    box.setAttribute("tabindex", other === name ? 0 : -1);
  }
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  const panel = document.getElementById("step");
  panel.replaceChildren(element("h2", {}, name), ...details(name));
}

function details(name) {
  const found = run.steps[name], before = other && other.steps[name];
  if (!found) return [element("p", {}, "This step was not part of the run, or was waiting when the run ended.")];
  const facts = [["state", found.state, before && before.state], ["why", found.reason || found.text || "", before && (before.reason || before.text)],
    ["took", seconds(took(found)), before && seconds(took(before))],
    ["tries", String(found.tries || "–"), before && String(before.tries || "–")],
    ["peak memory", found.memory ? bytes(found.memory) : "–", before && (before.memory ? bytes(before.memory) : "–")]];
  for (const key of ["items_in", "items_out", "bytes_in", "bytes_out"]) {
    if (found.report && key in found.report) facts.push([key.replace("_", " "), String(found.report[key]),
      before && before.report && String(before.report[key])]);
  }
  for (const [group, label] of [["metrics", ""], ["settings", "setting "]]) {
    const ours = group === "metrics" ? (found.report || {}).metrics || {} : found.settings || {};
    const theirs = before ? (group === "metrics" ? (before.report || {}).metrics || {} : before.settings || {}) : {};
    for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
      facts.push([label + key, String(ours[key] ?? "default"), other && String(theirs[key] ?? "default")]);
    }
  }
  for (const [key, digest] of Object.entries(found.datasets || {})) {
    facts.push([key ? `dataset ${key}` : "dataset", digest.slice(0, 12), before && ((before.datasets || {})[key] || "–").slice(0, 12)]);
  }
  const rows = facts.map(([key, ours, theirs]) => ({cells: other ? [key, ours, theirs ?? "–"] : [key, ours],
    changed: other && theirs !== undefined && ours !== theirs && !VARIES.has(key)}));
  const parts = [table(other ? ["", run.id, other.id] : ["", run.id], rows)];
  for (const shown of found.previews || []) {
    parts.push(element("h3", {}, shown.title));
    if (shown.rows.length) parts.push(element("div", {class: "scroll", tabindex: 0},
      table(shown.columns, shown.rows.map((cells) => ({cells})))));
    if (shown.more) parts.push(element("p", {class: "faint"}, shown.more));
  }
  for (const log of found.logs || []) {
    parts.push(element("h3", {}, log.name), element("div", {class: "scroll", tabindex: 0}, element("pre", {}, log.text || "empty")));
  }
  return parts;
}

function showBars() {
  const bars = document.getElementById("bars");
  const end = (one) => Object.values(one.steps).reduce((last, step) => Math.max(last, step.end || 0), 0);
  const total = Math.max(end(run), other ? end(other) : 0, 0.001);
  for (const name of data.steps) {
    const track = element("div", {class: "track"});
    [run, other].forEach((one, number) => {
      const step = one && one.steps[name];
      if (took(step) === undefined) return;
      const bar = element("div", {class: `bar ${step.state}${number ? " second" : ""}`, title: seconds(took(step))});
      bar.style.left = `${100 * step.begin / total * 0.9}%`;
      bar.style.width = `${100 * took(step) / total * 0.9}%`;
      track.append(bar);
      if (number) return;
      const note = element("span", {class: "note"}, seconds(took(step)));
      note.style.left = `calc(${100 * step.end / total * 0.9}% + .4rem)`;
      track.append(note);
    });
    bars.append(element("button", {onclick: () => choose(name)}, name), track);
  }
}

function showSteps() {
  const head = ["step", "state", "took", "items", "why"];
  const rows = data.steps.map((name) => {
    const step = run.steps[name], before = other && other.steps[name];
    const label = element("span", {class: state(step)}, `${MARKS[state(step)] || ""} ${state(step)}`);
    const cells = [element("button", {onclick: () => choose(name)}, name), label, seconds(took(step)),
      String(step && step.report && step.report.items_out !== undefined ? step.report.items_out : "–"),
      step ? step.reason || step.text || "" : ""];
    if (other) cells.splice(3, 0, seconds(took(before)));
    return {cells};
  });
  if (other) head.splice(3, 0, `took in ${other.id}`);
  document.getElementById("steps").append(table(head, rows));
}

showHead();
showGraph();
showBars();
showSteps();
const linked = decodeURIComponent(location.hash.slice(1));
const first = [linked, data.steps.find((name) => state(run.steps[name]) === "failed"), data.steps.at(-1)];
choose(first.find((name) => boxes.has(name)));
