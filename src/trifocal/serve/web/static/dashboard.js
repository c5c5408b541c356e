// Asks the service every two seconds how it goes, and draws the answer.
"use strict";

const EVERY_MS = 2000, KEPT = 900;
const course = new Map();
let report = null;

const $ = (id) => document.getElementById(id);
const percent = (value) => (value === null ? "–" : `${(100 * value).toFixed(value < 0.1 ? 2 : 1)} %`);
const number = (value, digits = 1) => (value === null || value === undefined ? "–" : value.toLocaleString("en", { maximumFractionDigits: digits }));
const clock = (seconds) => new Date(1000 * seconds).toLocaleTimeString();

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

function table(heads, rows) {
  const body = rows.map((row) => make("tr", {}, ...row.map((cell, place) => make(place ? "td" : "th", place ? {} : { scope: "row" }, cell))));
  return make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))), make("tbody", {}, ...body));
}

async function asked(path, body) {
  const headers = { Accept: "application/json" };
  if ($("key").value) headers["X-Api-Key"] = $("key").value;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (!answer.ok) throw Object.assign(new Error((await answer.json().catch(() => ({}))).message || answer.statusText), { status: answer.status });
  return answer;
}

const STATES = { well: "Everything is well", fallen: "On a lower rung", forced: "A rung is forced by hand", off: "Nobody watches" };

function showState(text, kind) {
  const state = $("state");
  if (state.textContent !== text) state.textContent = text;
  state.className = `state state-${kind}`;
}

function ends(estimate) {
  return estimate.value === null ? "nothing yet" : `${percent(estimate.low)} to ${percent(estimate.high)}`;
}

function showTiles(all, seconds) {
  const tile = (name, value, about) => make("li", {}, make("span", {}, name), make("b", {}, value), make("span", {}, about));
  $("tiles").replaceChildren(
    tile("Click rate", percent(all.ctr.value), ends(all.ctr)),
    tile("Conversion", percent(all.conversion.value), ends(all.conversion)),
    tile("Satisfaction", percent(all.satisfaction.value), ends(all.satisfaction)),
    tile("Came back", percent(all.repeat.value), ends(all.repeat)),
    tile("Impressions", number(all.impressions, 0), `${number(all.sessions, 0)} sessions`),
    tile("Answers", number(all.answers, 0), `${number(all.answers / seconds)} a second`),
    tile("p50, p95", `${number(all.p50_ms)}, ${number(all.p95_ms)}`, "milliseconds"),
    tile("Failed", percent(all.failed.value), ends(all.failed)),
    tile("Lower rung", percent(all.fallen.value), ends(all.fallen)),
    tile("From the cache", percent(all.cached.value), ends(all.cached)),
    tile("Coverage", percent(all.coverage), "of the catalogue shown"),
  );
}

function remember(cells, at) {
  const wanted = cells.filter((cell) => cell.dimension === "all" || cell.dimension === "variant");
  const variants = wanted.length === 2 ? wanted.slice(0, 1) : wanted;
  for (const cell of variants) {
    const name = cell.value || "all";
    const points = course.get(name) || [];
    points.push({ at, ctr: cell.ctr.value, p95: cell.p95_ms, fallen: cell.fallen.value });
    course.set(name, points.slice(-KEPT));
  }
  $("legend").replaceChildren(...[...course.keys()].map((name, place) => make("span", { class: `key series-${place % 4}` }, name)));
  const lines = (of) => [...course.values()].map((points) => ({ points: points.map((point) => ({ at: point.at, value: of(point) })) }));
  const share = (value) => (value === null ? null : 100 * value);
  drawLines($("chart-ctr"), lines((point) => share(point.ctr)));
  drawLines($("chart-p95"), lines((point) => point.p95));
  drawLines($("chart-fallen"), lines((point) => share(point.fallen)));
}

function showLadders(ladders, alarms) {
  $("ladders").replaceChildren(...ladders.map((ladder) => {
    const rungs = ["full", "retrieval", "memory", "last", "popular"].map((rung) => {
      const overlap = ladder.overlaps[rung];
      const about = overlap === undefined ? "" : ` · ${percent(overlap)} as when healthy`;
      return make("li", rung === ladder.rung ? { "aria-current": "step" } : {}, `${rung}${about}${rung === ladder.probed ? " · probed" : ""}`);
    });
    const title = make("p", { class: "kind" }, `${ladder.variants.join(", ")}: ${ladder.phase}, ${ladder.falls} falls, ${ladder.climbs} climbs, ${number(ladder.checks, 0)} self-checks`);
    return make("div", {}, title, make("ol", { class: `rungs ${ladder.rung === "full" ? "" : "fallen"}` }, ...rungs));
  }));
  const moves = ladders.flatMap((ladder) => ladder.moves.map((move) => ({ at: move.at_s, text: `${ladder.variants[0]}: ${move.before} → ${move.after}. ${move.reason}` })));
  const told = moves.concat(alarms.map((alarm) => ({ at: alarm.at_s, text: `${alarm.severity}, ${alarm.signal}: ${alarm.message}` })));
  told.sort((one, other) => other.at - one.at);
  $("moves").replaceChildren(...told.slice(0, 20).map((each) => make("li", {}, make("time", {}, clock(each.at)), each.text)));
}

function showDetectors(answer) {
  const signals = answer.ladders.flatMap((ladder) => Object.entries(ladder.signals).map(([name, states]) => [`${ladder.variants[0]} ${name}`, states]));
  const bars = signals.concat(Object.entries(answer.inputs)).flatMap(([name, states]) => states.map((state) => {
    const share = Math.max(0, Math.min(1, state.evidence / state.threshold));
    const meter = make("meter", { min: 0, max: 1, low: 0.5, high: 0.8, optimum: 0, value: state.usual === null ? 0 : share, "aria-label": `${name}, ${state.detector}` });
    return make("li", {}, make("span", {}, `${name} · ${state.detector}`), meter, make("b", {}, state.usual === null ? "learning" : percent(share)));
  }));
  $("detector-bars").replaceChildren(...bars);
}

function showCells(window) {
  const cells = window.cells.filter((cell) => cell.dimension === $("dimension").value);
  const rows = cells.map((cell) => [cell.value, number(cell.impressions, 0), percent(cell.ctr.value), ends(cell.ctr), percent(cell.conversion.value), percent(cell.satisfaction.value), number(cell.answers, 0), number(cell.p95_ms)]);
  $("cells").replaceChildren(table([$("dimension").value, "impressions", "click rate", "95 %", "conversion", "satisfaction", "answers", "p95 ms"], rows));
}

function showWindows(kpis) {
  const select = $("window");
  if (select.options.length === kpis.length) return;
  const named = (seconds) => (seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`);
  select.replaceChildren(...kpis.map((window, place) => make("option", { value: place }, named(window.seconds))));
}

function showReport() {
  showWindows(report.kpis);
  const window = report.kpis[Number($("window").value) || 0];
  if (window && window.cells.length) {
    showTiles(window.cells[0], window.seconds);
    showCells(window);
  }
  const caches = report.caches.map((cache) => [`${cache.cache}, ${cache.level}`, number(cache.hits, 0), number(cache.misses, 0), percent(cache.hits + cache.misses ? cache.hits / (cache.hits + cache.misses) : null), cache.is_available ? "yes" : "left alone"]);
  $("caches").replaceChildren(table(["cache", "hits", "misses", "hit rate", "there"], caches));
}

function act(path, body, done) {
  asked(path, body).then(() => toast(done)).then(refresh).catch((error) => toast(`That did not work: ${error.message}`));
}

function interval(figures) {
  const points = (value) => `${(100 * value).toFixed(2)}`;
  return figures.low === null ? "not yet" : `${points(figures.low)} to ${points(figures.high)} points, p ${figures.p === null ? "–" : figures.p.toPrecision(2)}`;
}

async function showExperiment() {
  const part = $("experiment-part");
  if (part.dataset.runs !== "true") return;
  const answer = await asked("/v1/experiment").then((found) => found.json());
  part.hidden = false;
  $("experiment-about").textContent = `${answer.name}, since ${new Date(answer.since).toLocaleString()}; shares as meant: p ${answer.sample_ratio_p.toPrecision(2)}`;
  const names = Object.keys(answer.variants[0].metrics);
  const rows = answer.variants.map((variant) => {
    const button = make("button", { type: "button", class: "button quiet" }, variant.stopped ? "Resume" : "Stop");
    button.addEventListener("click", () => act(`/v1/experiment/${variant.stopped ? "resume" : "stop"}`, { variant: variant.name }, `${variant.name}: done.`));
    const figures = names.map((name) => `${percent(variant.metrics[name].value)} (${interval(variant.metrics[name])})`);
    const state = variant.stopped ? `stopped by ${variant.stopped.by}: ${variant.stopped.reason}` : `${percent(variant.share)} of the shoppers`;
    return [variant.name, state, number(variant.shoppers, 0), number(variant.impressions, 0), ...figures, button];
  });
  $("variants").replaceChildren(table(["variant", "state", "shoppers", "impressions", ...names, ""], rows));
}

async function showBundle() {
  const bundle = await asked("/v1/bundle").then((found) => found.json());
  $("bundle-about").textContent = `${bundle.model_name} ${bundle.model_version}, in force since ${new Date(bundle.since).toLocaleString()}` + (bundle.previous ? `; before it ${bundle.previous}` : "");
  $("rollback").hidden = !bundle.previous;
}

function median(buckets, count) {
  let below = 0, low = 0;
  for (const [high, total] of buckets) {
    if (total >= count / 2) return high === Infinity ? low : low + ((count / 2 - below) / Math.max(total - below, 1)) * (high - low);
    [below, low] = [total, high];
  }
  return low;
}

async function showStages() {
  const text = await asked("/metrics").then((found) => found.text());
  const stages = new Map();
  for (const [, edge, stage, total] of text.matchAll(/^trifocal_stage_seconds_bucket\{le="([^"]+)",stage="([^"]+)"\} (\S+)$/gm)) {
    const buckets = stages.get(stage) || [];
    buckets.push([edge === "+Inf" ? Infinity : 1000 * Number(edge), Number(total)]);
    stages.set(stage, buckets);
  }
  const found = [...stages].map(([stage, buckets]) => [stage, median(buckets, buckets[buckets.length - 1][1])]);
  const most = Math.max(1, ...found.map(([, milliseconds]) => milliseconds));
  $("stage-bars").replaceChildren(...found.map(([stage, milliseconds]) => make("li", {}, make("span", {}, stage), make("meter", { min: 0, max: most, value: milliseconds, "aria-label": stage }), make("b", {}, number(milliseconds, 2)))));
}

async function refresh() {
  try {
    report = await asked("/v1/health/report").then((found) => found.json());
    showState(STATES[report.status], report.status);
    showReport();
    if (report.kpis.length && report.kpis[0].cells.length) remember(report.kpis[0].cells, 1000 * report.at_s);
    showLadders(report.ladders, report.alarms);
    showDetectors(report);
    await Promise.all([showExperiment(), showStages(), showBundle()]);
  } catch (error) {
    showState(error.status === 401 || error.status === 403 ? "This needs an API key" : `The service does not answer: ${error.message}`, "lost");
  }
}

async function keepAsking() {
  await refresh();
  setTimeout(keepAsking, EVERY_MS);
}

$("window").addEventListener("change", () => report && showReport());
$("dimension").addEventListener("change", () => report && showReport());
$("rollback").addEventListener("click", () => act("/v1/bundle/rollback", {}, "The bundle before is in force."));
$("force").addEventListener("submit", (event) => {
  event.preventDefault();
  act("/v1/health/rung", { rung: new FormData(event.target).get("rung") || null }, "The ladder was moved.");
});
$("bar").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
keepAsking();
