"use strict";
(() => {
  const light = matchMedia("(prefers-color-scheme: light)");
  const printed = matchMedia("print");
  const narrow = matchMedia("(max-width: 40rem)");

  // Colours are written as names of custom properties, so that a plot follows the page into the dark and onto paper.
  const coloured = (value, style) => {
    if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
    if (Array.isArray(value)) return value.map(item => coloured(item, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, style)]));
    }
    return value;
  };

  const axis = given => ({
    automargin: true, gridcolor: "--line", linecolor: "--strong", zeroline: false, fixedrange: narrow.matches, tickfont: { size: 11 },
    ...given, title: { ...given.title, font: { size: 12, color: "--muted" }, standoff: 8 },
  });

  const draw = div => {
    const { traces, layout } = JSON.parse(document.getElementById(div.dataset.plot).textContent);
    const style = getComputedStyle(document.documentElement);
    const axes = Object.fromEntries(Object.entries(layout).filter(([key]) => /^[xy]axis/.test(key)).map(([key, value]) => [key, axis(value)]));
    const names = traces.filter(trace => trace.showlegend !== false).map(trace => trace.name);
    const entrywidth = 7 * Math.max(0, ...names.map(name => name.length));
    const lines = names.length ? Math.ceil(names.length / Math.max(1, Math.floor((div.clientWidth - 60) / (entrywidth + 45)))) : 0;
    const whole = {
      ...layout, ...axes, width: div.clientWidth, height: div.clientHeight, paper_bgcolor: "--surface", plot_bgcolor: "--surface",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: "--text" },
      margin: { l: 8, r: 12, t: 10 + 20 * lines, b: 8 }, hovermode: "x unified",
      hoverlabel: { bgcolor: "--surface", bordercolor: "--strong", font: { size: 12, color: "--text" } },
      legend: { orientation: "h", yref: "container", yanchor: "top", y: 1, x: 0, font: { size: 11 }, entrywidthmode: "pixels", entrywidth },
    };
    const config = { displaylogo: false, toImageButtonOptions: { format: "png", scale: 2, filename: `ssegauge-${div.id}` }, displayModeBar: narrow.matches ? false : "hover",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"] };
    return Plotly.react(div, coloured(traces, style), coloured(whole, style), config);
  };

  const plots = [...document.querySelectorAll("[data-plot]")];
  const drawAll = () => { if (window.Plotly) plots.forEach(draw); };
  drawAll();
  const fitted = new ResizeObserver(() => requestAnimationFrame(() => {
    plots.filter(div => div.layout && div.layout.width !== div.clientWidth).forEach(draw);
  }));
  plots.forEach(div => fitted.observe(div));
  light.addEventListener("change", drawAll);
  printed.addEventListener("change", drawAll);

  // Paper has no triangle to click on. Topics in which nothing is broken stay folded, with their counts.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")].filter(item => !item.closest("figure, .topic"));
    opened.forEach(item => { item.open = true; });
  });
  addEventListener("afterprint", () => { opened.forEach(item => { item.open = false; }); });

  // A link into closed details opens them.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let item = target; item; item = item.parentElement) if (item.tagName === "DETAILS") item.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
