// Draws lines over time into an SVG; knows nothing of what they mean.
"use strict";

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function niceTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 3, 5, 10].map((step) => step * power).find((top) => top >= value);
}

// lines: [{ points: [{ at, value }] }]; the time axis is shared, values begin at 0, a missing value breaks the line.
function drawLines(chart, lines) {
  const width = chart.clientWidth || 300, height = 150, left = 34, bottom = 18, top = 6;
  const known = lines.flatMap((line) => line.points).filter((point) => point.value !== null);
  const times = lines.flatMap((line) => line.points.map((point) => point.at));
  const first = Math.min(...times), span = Math.max(Math.max(...times) - first, 1);
  const most = niceTop(Math.max(0, ...known.map((point) => point.value)));
  const x = (at) => left + ((at - first) / span) * (width - left - 4);
  const y = (value) => top + (1 - value / most) * (height - top - bottom);
  chart.setAttribute("viewBox", `0 0 ${width} ${height}`);
  chart.replaceChildren();
  for (const value of [0, most / 2, most]) {
    chart.append(svg("line", { x1: left, x2: width, y1: y(value), y2: y(value), class: "grid-line" }));
    chart.append(svg("text", { x: 0, y: y(value) + 4 }, String(Number(value.toPrecision(2)))));
  }
  chart.append(svg("text", { x: left, y: height - 2 }, `${Math.round(span / 1000)} s ago`));
  chart.append(svg("text", { x: width - 4, y: height - 2, "text-anchor": "end" }, "now"));
  lines.forEach((line, number) => {
    let path = "", pen = "M";
    for (const point of line.points) {
      if (point.value === null) { pen = "M"; continue; }
      path += `${pen}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`;
      pen = "L";
    }
    chart.append(svg("path", { d: path, class: `series-${number % 4}` }));
  });
}
