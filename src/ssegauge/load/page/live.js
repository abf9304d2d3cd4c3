// Asks once a second for what has come since, and draws it. Everything that a server said is shown as text, never as HTML.
"use strict";

const MOST_ROWS = 3600;
const state = { run: "", rows: [], endpoint: "" };
const byId = (id) => document.getElementById(id);
const ink = () => getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
const line = () => getComputedStyle(document.documentElement).getPropertyValue("--line").trim();
const ms = (value) => (value == null ? "–" : value < 10 ? value.toFixed(2) : value < 1000 ? value.toFixed(1) : value.toFixed(0));
const count = (value) => (value === null ? "–" : Number(value || 0).toLocaleString("en"));
const added = (all, value) => (value === null ? all : all + value);

const CHARTS = {
  streams: { title: "open streams", traces: { open: (r) => r.open, started: (r) => r.started, ended: (r) => r.ended } },
  events: { title: "events a second", traces: { events: (r) => r.events } },
  first_event: { title: "first event, ms", traces: percentiles("first_event") },
  gap: {
    title: "gap between events, ms",
    traces: { ...percentiles("gap"), longest: (r) => r.longest_gap || null },
  },
  ended: { title: "ended, by verdict", verdicts: true },
  generator: {
    title: "the generator itself",
    traces: {
      "read lag p99, ms": (r) => r.harness?.read_lag?.p99,
      "bound p99, ms": (r) => r.harness?.stamp_bound?.p99,
      "CPU, % of a core": (r) => (r.harness?.cpu == null ? null : 100 * r.harness.cpu),
    },
  },
};

function percentiles(name) {
  const pick = (q) => (r) => r.latency?.[name]?.[q];
  return { p50: pick("p50"), p95: pick("p95"), p99: pick("p99") };
}

function traces(chart) {
  if (!chart.verdicts) return chart.traces;
  const seen = new Set(state.rows.flatMap((row) => Object.keys(row.by_verdict)));
  return Object.fromEntries([...seen].sort().map((verdict) => [verdict, (row) => row.by_verdict[verdict] || 0]));
}

// A second between two in which nothing came: no line leads there, so it gets a dot.
const alone = (value, at, all) => (value !== null && all[at - 1] == null && all[at + 1] == null ? 6 : 0);

function draw() {
  if (!window.Plotly) {
    byId("charts").hidden = true;
    return;
  }
  const t = state.rows.map((row) => row.t);
  for (const [id, chart] of Object.entries(CHARTS)) {
    const lines = Object.entries(traces(chart)).map(([name, value]) => {
      const y = state.rows.map((row) => value(row) ?? null);
      return { name, x: t, y, mode: "lines+markers", marker: { size: y.map(alone) }, connectgaps: false };
    });
    const layout = {
      title: { text: chart.title, font: { size: 13 } },
      margin: { l: 48, r: 8, t: 32, b: 32 },
      paper_bgcolor: "transparent",
      plot_bgcolor: "transparent",
      font: { color: ink(), size: 11 },
      xaxis: { gridcolor: line(), zeroline: false, ticksuffix: " s" },
      yaxis: { gridcolor: line(), rangemode: "tozero" },
      legend: { orientation: "h", y: -0.18 },
      uirevision: state.run,
    };
    window.Plotly.react(id, lines, layout, { displayModeBar: false, responsive: true });
  }
}

function figures(answer) {
  const totals = Object.entries(answer.endpoints).filter(([name]) => !state.endpoint || name === state.endpoint);
  const sum = (key) => totals.reduce((all, [, book]) => added(all, book[key]), 0);
  // nobody has counted where no endpoint has
  const counted = (key) => (totals.some(([, book]) => book[key] !== null) ? sum(key) : null);
  const verdict = (key) => totals.reduce((all, [, book]) => all + (book.verdicts[key] || 0), 0);
  const last = state.rows.at(-1) || {};
  const latest = (name) => state.rows.findLast((row) => row.latency?.[name]?.count)?.latency[name];
  const shown = {
    "open streams": count(last.open),
    "events a second": count(last.events),
    started: count(sum("attempted")),
    complete: count(verdict("complete")),
    failed: count(sum("failed")),
    stalled: count(verdict("stalled")),
    "first event p95, ms": ms(latest("first_event")?.p95),
    "gap p99, ms": ms(latest("gap")?.p99),
    "longest gap, ms": ms(Math.max(0, ...state.rows.slice(-60).map((row) => row.longest_gap || 0))),
    "read lag p99, ms": ms(last.harness?.read_lag?.p99),
    "lost / doubled / reordered": ["lost", "duplicated", "reordered"].map((key) => count(counted(key))).join(" / "),
  };
  byId("figures").replaceChildren(
    ...Object.entries(shown).map(([name, value]) => {
      const box = document.createElement("div");
      box.append(text("dt", name), text("dd", value, name === "failed" && value !== "0" ? "bad" : ""));
      return box;
    }),
  );
}

function text(tag, content, kind = "") {
  const made = document.createElement(tag);
  made.textContent = content;
  if (kind) made.className = kind;
  return made;
}

function table(id, head, rows) {
  const cells = (tag, values) => {
    const made = document.createElement("tr");
    made.append(...values.map((value) => text(tag, value)));
    return made;
  };
  byId(id).tHead.replaceChildren(...(rows.length ? [cells("th", head)] : []));
  byId(id).tBodies[0].replaceChildren(...rows.map((row) => cells("td", row)));
}

function tables(answer) {
  const verdicts = [...new Set(Object.values(answer.endpoints).flatMap((book) => Object.keys(book.verdicts)))].sort();
  table(
    "endpoints",
    ["endpoint", "started", "dropped", "failed", "lost", "doubled", "reordered", ...verdicts],
    Object.entries(answer.endpoints).map(([name, book]) => [
      name,
      ...["attempted", "dropped", "failed", "lost", "duplicated", "reordered"].map((key) => count(book[key])),
      ...verdicts.map((verdict) => count(book.verdicts[verdict])),
    ]),
  );
  table(
    "messages",
    ["failure", "endpoint", "times"],
    Object.entries(answer.endpoints).flatMap(([name, book]) =>
      Object.entries(book.messages).map(([message, times]) => [message, name, count(times)]),
    ),
  );
}

function choices(names) {
  const chooser = byId("endpoint");
  const known = [...chooser.options].map((option) => option.value).filter(Boolean);
  if (known.join("\n") === names.join("\n")) return;
  const all = chooser.options[0];
  chooser.replaceChildren(all, ...names.map((name) => Object.assign(text("option", name), { value: name })));
  chooser.value = names.includes(state.endpoint) ? state.endpoint : "";
  state.endpoint = chooser.value;
}

function note(answer) {
  const place = byId("note");
  byId("state").textContent = `${answer.state}, ${count(answer.users)} users` + (answer.workers > 1 ? `, ${answer.workers} workers` : "");
  if (!answer.final) place.replaceChildren();
  else if (answer.final.valid) place.replaceChildren(text("span", "The run is over, and valid.", "good"));
  else place.replaceChildren(text("span", `The run is invalid: ${answer.final.reasons.join("; ")}`, "bad"));
}

async function ask() {
  const since = state.rows.length ? state.rows.at(-1).t : -1;
  const query = new URLSearchParams({ run: state.run, since: String(since), endpoint: state.endpoint });
  const response = await fetch(`data?${query}`, { cache: "no-store" });
  if (!response.ok || response.redirected) throw new Error(`HTTP ${response.status}`);
  const answer = await response.json();
  if (answer.run !== state.run) {
    state.run = answer.run; // another run, or a reset: what was drawn is over
    state.rows = [];
  }
  state.rows = [...state.rows, ...answer.rows].slice(-MOST_ROWS);
  choices(Object.keys(answer.endpoints));
  note(answer);
  figures(answer);
  tables(answer);
  draw();
}

async function loop() {
  try {
    await ask();
  } catch (error) {
    byId("note").replaceChildren(text("span", `No answer from Locust (${error.message}).`, "bad"));
  }
  setTimeout(loop, 1000);
}

byId("endpoint").addEventListener("change", (event) => {
  state.endpoint = event.target.value;
  state.rows = [];
  state.run = "";
});
loop();
