// Draws figures into an SVG: lines over time, steps between named levels, intervals. Knows nothing of what they mean.
export { drawIntervals, drawLines, drawSteps, hour, put, svg };

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 168, LEFT = 46, RIGHT = 8, TOP = 8, BOTTOM = 22;

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

// Makes `place` hold `fresh`, and touches only what differs: focus, scroll and size stay as they are.
function put(place, ...fresh) {
  const box = place.cloneNode(false);
  box.append(...fresh);
  blend(place, box);
}

const isBlank = (node) => node.nodeType === Node.TEXT_NODE && !node.data.trim();

function blend(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  // Space between the elements of the page as it came is nobody's.
  for (const node of [...old.childNodes]) if (isBlank(node)) node.remove();
  const before = [...old.childNodes], after = [...fresh.childNodes].filter((node) => !isBlank(node));
  after.forEach((node, place) => {
    const was = before[place];
    if (!was) old.append(node);
    else if (was.nodeName !== node.nodeName) was.replaceWith(node);
    else if (node.nodeType !== Node.TEXT_NODE) blend(was, node);
    else if (was.data !== node.data) was.data = node.data;
  });
  before.slice(after.length).forEach((node) => node.remove());
}

const short = (value) => String(Number(value.toPrecision(3)));
const hour = (at) => new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

// Puts what was drawn into the chart, with the words that stand for it where it cannot be seen.
function shown(chart, height, about, parts) {
  const id = chart.id;
  chart.setAttribute("viewBox", `0 0 ${chart.clientWidth || 320} ${height}`);
  chart.setAttribute("height", height);
  chart.setAttribute("aria-labelledby", `${id}-title ${id}-desc`);
  put(chart, svg("title", { id: `${id}-title` }, about.title), svg("desc", { id: `${id}-desc` }, about.text), ...parts);
}

function timeAxis(width, first, last, height) {
  const y = height - 5;
  return [
    svg("text", { x: LEFT, y }, hour(first)),
    svg("text", { x: (LEFT + width - RIGHT) / 2, y, "text-anchor": "middle" }, "time"),
    svg("text", { x: width - RIGHT, y, "text-anchor": "end" }, hour(last)),
  ];
}

function empty(chart, height, title, text) {
  const width = chart.clientWidth || 320;
  shown(chart, height, { title, text }, [svg("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, text)]);
}

// lines: [{ name, points: [{ at, value }] }]; one time axis, values begin at 0, a missing value breaks the line.
function drawLines(chart, title, unit, lines) {
  const width = chart.clientWidth || 320;
  const known = lines.flatMap((line) => line.points).filter((point) => point.value !== null);
  if (!known.length) return empty(chart, HEIGHT, title, "nothing was seen yet");
  const times = lines.flatMap((line) => line.points.map((point) => point.at));
  const first = Math.min(...times), last = Math.max(...times), span = Math.max(last - first, 1);
  const most = niceTop(Math.max(...known.map((point) => point.value)));
  const x = (at) => LEFT + ((at - first) / span) * (width - LEFT - RIGHT);
  const y = (value) => TOP + (1 - value / most) * (HEIGHT - TOP - BOTTOM);
  const grid = [0, most / 2, most].flatMap((value) => [
    svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "grid-line" }),
    svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, `${short(value)} ${unit}`),
  ]);
  const paths = lines.flatMap((line, number) => {
    let path = "", pen = "M";
    for (const point of line.points) {
      if (point.value === null) { pen = "M"; continue; }
      path += `${pen}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`;
      pen = "L";
    }
    const end = line.points.filter((point) => point.value !== null).pop();
    const dot = end ? [svg("circle", { cx: x(end.at).toFixed(1), cy: y(end.value).toFixed(1), r: 3.5, class: `series-${number % 4}` })] : [];
    return [svg("path", { d: path || `M${LEFT} ${y(0)}`, class: `series-${number % 4}` }), ...dot];
  });
  const words = lines.map((line) => {
    const values = line.points.map((point) => point.value).filter((value) => value !== null);
    if (!values.length) return `${line.name}: nothing yet`;
    return `${line.name}: ${short(values[values.length - 1])} ${unit} now, from ${short(Math.min(...values))} to ${short(Math.max(...values))} ${unit}`;
  });
  shown(chart, HEIGHT, { title, text: `From ${hour(first)} to ${hour(last)}. ${words.join("; ")}.` }, [...grid, ...timeAxis(width, first, last, HEIGHT), ...paths]);
}

// lines: [{ name, points: [{ at, value }] }], each value one of `levels`, of which the first is drawn on top.
function drawSteps(chart, title, levels, lines) {
  const width = chart.clientWidth || 320, left = 74, row = 24, height = TOP + levels.length * row + BOTTOM;
  const points = lines.flatMap((line) => line.points);
  if (!points.length) return empty(chart, height, title, "nothing was seen yet");
  const times = points.map((point) => point.at);
  const first = Math.min(...times), last = Math.max(...times), span = Math.max(last - first, 1);
  const x = (at) => left + ((at - first) / span) * (width - left - RIGHT);
  // Lines of several variants lie beside one another, not on one another.
  const y = (value, number) => TOP + row * (levels.indexOf(value) + 0.5) + 4 * (number - (lines.length - 1) / 2);
  const grid = levels.flatMap((level, place) => [
    svg("line", { x1: left, x2: width - RIGHT, y1: TOP + row * (place + 0.5), y2: TOP + row * (place + 0.5), class: "grid-line" }),
    svg("text", { x: left - 8, y: TOP + row * (place + 0.5) + 4, "text-anchor": "end" }, level),
  ]);
  const paths = lines.map((line, number) => {
    const path = line.points.map((point, place) => `${place ? "H" : "M"}${x(point.at).toFixed(1)}${place ? "V" : " "}${y(point.value, number).toFixed(1)}`);
    return svg("path", { d: path.join(""), class: `series-${number % 4}` });
  });
  const words = lines.map((line) => `${line.name}: ${[...new Set(line.points.map((point) => point.value))].join(", ")}; now ${line.points[line.points.length - 1].value}`);
  const ends = [svg("text", { x: left, y: height - 5 }, hour(first)), svg("text", { x: width - RIGHT, y: height - 5, "text-anchor": "end" }, hour(last))];
  shown(chart, height, { title, text: `From ${hour(first)} to ${hour(last)}. ${words.join(". ")}.` }, [...grid, ...ends, ...paths]);
}

// rows: [{ name, low, value, high }], in percentage points against the control; null = not yet known.
function drawIntervals(chart, title, rows) {
  const width = chart.clientWidth || 320, row = 28, height = TOP + rows.length * row + BOTTOM, left = 96;
  const known = rows.filter((each) => each.low !== null && each.high !== null);
  if (!known.length) return empty(chart, height, title, "too little is known yet");
  const most = niceTop(Math.max(...known.flatMap((each) => [Math.abs(each.low), Math.abs(each.high)])));
  const x = (value) => left + ((value + most) / (2 * most)) * (width - left - RIGHT - 20);
  const zero = svg("line", { x1: x(0), x2: x(0), y1: TOP, y2: height - BOTTOM, class: "zero-line" });
  const axis = [-most, 0, most].map((value) => svg("text", { x: x(value), y: height - 5, "text-anchor": "middle" }, `${value > 0 ? "+" : ""}${short(value)}${value === 0 ? " points" : ""}`));
  const bars = rows.flatMap((each, place) => {
    const y = TOP + row * (place + 0.5), name = svg("text", { x: left - 10, y: y + 4, "text-anchor": "end" }, each.name.slice(0, 14));
    if (each.low === null || each.high === null) return [name, svg("text", { x: x(0) + 8, y: y + 4 }, "not yet")];
    const bar = svg("line", { x1: x(each.low), x2: x(each.high), y1: y, y2: y, class: `bar-line series-${(place + 1) % 4}` });
    return [name, bar, svg("circle", { cx: x(each.value), cy: y, r: 4.5, class: `series-${(place + 1) % 4}` })];
  });
  const words = rows.map((each) => (each.low === null ? `${each.name}: not yet` : `${each.name}: ${short(each.low)} to ${short(each.high)} points`));
  shown(chart, height, { title, text: `Against the control. ${words.join("; ")}.` }, [zero, ...axis, ...bars]);
}
