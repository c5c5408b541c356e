// What each part of the dashboard shows of an answer of the service; asks for nothing itself.
import { drawIntervals, drawLines, drawSteps, hour, put, svg } from "./charts.js";

export { $, STATES, say, showBundles, showCatalogue, showCourse, showDetectors, showExperiment, showLadders, showReport, showStages, showState };

const RUNGS = ["full", "retrieval", "memory", "last", "popular"];
const STATES = { well: "Everything is well", fallen: "On a lower rung", forced: "A rung is forced by hand", off: "Nobody watches" };
const PARTS = { title: "without a title", description: "without a description", text: "without any text", category: "without a category", price: "without a price", picture: "without a picture" };
const CALLS = { start: "start of the server", swap: "swap", rollback: "rollback" };

const $ = (id) => document.getElementById(id);
const percent = (value) => (value === null || value === undefined ? "–" : `${(100 * value).toFixed(value < 0.1 ? 2 : 1)} %`);
const number = (value, digits = 1) => (value === null || value === undefined ? "–" : value.toLocaleString("en", { maximumFractionDigits: digits }));
const clock = (seconds) => hour(1000 * seconds);
const moment = (value) => new Date(value).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

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

const nothing = (text) => make("p", { class: "nothing" }, text);

// Says what came of something that was asked for, for a while.
function say(text) {
  $("said").textContent = text;
  $("said").hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { $("said").hidden = true; }, 8000);
}

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
  put(
    $("tiles"),
    tile("Click rate", percent(all.ctr.value), ends(all.ctr)),
    tile("Conversion", percent(all.conversion.value), ends(all.conversion)),
    tile("Satisfaction", percent(all.satisfaction.value), ends(all.satisfaction)),
    tile("Came back", percent(all.repeat.value), ends(all.repeat)),
    tile("Impressions", number(all.impressions, 0), `${number(all.sessions, 0)} sessions`),
    tile("Answers", number(all.answers, 0), `${number(all.answers / seconds)} a second`),
    tile("Half within", number(all.p50_ms, all.p50_ms < 10 ? 1 : 0), `ms; 95 % within ${number(all.p95_ms, all.p95_ms < 10 ? 1 : 0)}`),
    tile("Failed", percent(all.failed.value), ends(all.failed)),
    tile("Lower rung", percent(all.fallen.value), ends(all.fallen)),
    tile("From the cache", percent(all.cached.value), ends(all.cached)),
    tile("Coverage", percent(all.coverage), "of the catalogue shown"),
  );
}

// course: variant -> points, oldest first; `""` = all together, which is told where there is one variant only.
function showCourse(course) {
  const variants = [...course.keys()].filter((name) => name);
  const names = variants.length > 1 ? variants : [""];
  const called = (name) => name || variants[0] || "all";
  put($("legend"), ...names.map((name, place) => make("span", { class: "key" }, key(place), called(name))));
  const lines = (of) => names.map((name) => ({ name: called(name), points: (course.get(name) || []).map((point) => ({ at: 1000 * point.at_s, value: of(point) })) }));
  const share = (value) => (value === null ? null : 100 * value);
  drawLines($("chart-ctr"), "Click rate, %", "%", lines((point) => share(point.ctr)));
  drawLines($("chart-conversion"), "Conversion, % of sessions", "%", lines((point) => share(point.conversion)));
  drawLines($("chart-satisfaction"), "Satisfaction, %", "%", lines((point) => share(point.satisfaction)));
  drawLines($("chart-p95"), "Time to answer, p95, ms", "ms", lines((point) => point.p95_ms));
  drawLines($("chart-fallen"), "Answers from a lower rung, %", "%", lines((point) => share(point.fallen)));
  drawLines($("chart-failed"), "Answers that failed, %", "%", lines((point) => share(point.failed)));
  drawSteps($("chart-rungs"), "Rung in force", RUNGS, lines((point) => point.rung).map((line) => ({ ...line, points: line.points.filter((point) => point.value) })));
  if (!$("course-details").open) return;
  const rows = names.flatMap((name) => (course.get(name) || []).slice(-30).map((point) => [point.at_s, called(name), point]));
  rows.sort((one, other) => other[0] - one[0]);
  put($("course-table"), table(["time", "variant", "rung", "impressions", "click rate", "conversion", "satisfaction", "answers", "p50 ms", "p95 ms", "lower rung", "failed"], rows.map(([at, name, point]) => [clock(at), name, point.rung || "–", number(point.impressions, 0), percent(point.ctr), percent(point.conversion), percent(point.satisfaction), number(point.answers, 0), number(point.p50_ms), number(point.p95_ms), percent(point.fallen), percent(point.failed)])));
}

function key(place) {
  const sample = svg("svg", { width: 26, height: 8, "aria-hidden": "true" });
  sample.append(svg("path", { d: "M1 4H25", class: `series-${place % 4}` }));
  return sample;
}

function showLadders(ladders, alarms) {
  put($("ladders"), ...ladders.map((ladder) => {
    const rungs = RUNGS.map((rung) => {
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
  const lines = told.slice(0, 20).map((each) => make("li", {}, make("time", {}, clock(each.at)), each.text));
  put($("moves"), ...(lines.length ? lines : [make("li", {}, "The ladder did not move since the start, and there was no alarm.")]));
}

function showDetectors(answer) {
  const several = answer.ladders.length > 1;
  const signals = answer.ladders.flatMap((ladder) => Object.entries(ladder.signals).map(([name, states]) => [several ? `${ladder.variants[0]} ${name}` : name, states]));
  const rows = signals.concat(Object.entries(answer.inputs)).flatMap(([name, states]) => states.map((state) => {
    // ADWIN tells no evidence: it finds a change, or none.
    const tells = state.detector !== "adwin";
    const share = Math.max(0, Math.min(1, state.evidence / state.threshold)) || 0;
    const meter = make("meter", { min: 0, max: 1, low: 0.5, high: 0.8, optimum: 0, value: state.usual === null ? 0 : share.toFixed(3), "aria-label": `${name}, ${state.detector}: on the way to an alarm` });
    const evidence = tells ? `${number(Math.max(0, state.evidence), 2)} of ${number(state.threshold, 2)}` : "tells none";
    return [`${name} · ${state.detector}`, state.usual === null ? "learning" : number(state.usual, 3), evidence, tells ? meter : "", number(state.alarms, 0), number(state.observed, 0)];
  }));
  put($("detector-table"), rows.length ? table(["signal and detector", "usual value", "evidence of limit", "to an alarm", "alarms", "values seen"], rows) : nothing("Nobody watches, so that there is no detector."));
}

function showCells(window) {
  const cells = window.cells.filter((cell) => cell.dimension === $("dimension").value);
  const rows = cells.map((cell) => [cell.value, number(cell.impressions, 0), percent(cell.ctr.value), ends(cell.ctr), percent(cell.conversion.value), percent(cell.satisfaction.value), number(cell.answers, 0), number(cell.p95_ms)]);
  put($("cells"), rows.length ? table([$("dimension").value, "impressions", "click rate", "95 % interval", "conversion", "satisfaction", "answers", "p95 ms"], rows) : nothing("Nothing was seen in this window."));
}

function showWindows(kpis) {
  const select = $("window");
  if (select.options.length === kpis.length) return;
  const named = (seconds) => (seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`);
  select.replaceChildren(...kpis.map((window, place) => make("option", { value: place }, named(window.seconds))));
}

function showReport(report) {
  showWindows(report.kpis);
  const window = report.kpis[Number($("window").value) || 0];
  if (window && window.cells.length) showTiles(window.cells[0], window.seconds);
  if (window) showCells(window);
  const caches = report.caches.map((cache) => [`${cache.cache}, ${cache.level}`, number(cache.hits, 0), number(cache.misses, 0), percent(cache.hits + cache.misses ? cache.hits / (cache.hits + cache.misses) : null), cache.is_available ? "yes" : "left alone"]);
  put($("caches"), caches.length ? table(["cache", "hits", "misses", "hit rate", "there"], caches) : nothing("There is no cache."));
  $("as-of").textContent = `as of ${clock(report.at_s)}`;
}

function interval(figures) {
  const points = (value) => `${(100 * value).toFixed(2)}`;
  return figures.low === null ? "not yet" : `${points(figures.low)} to ${points(figures.high)} points, p ${figures.p === null ? "–" : figures.p.toPrecision(2)}`;
}

function showExperiment(answer) {
  $("experiment-about").textContent = `${answer.name}, since ${moment(answer.since)}; shares as meant: p ${answer.sample_ratio_p.toPrecision(2)}`;
  const names = Object.keys(answer.variants[0].metrics);
  const figure = (name) => make("figure", {}, make("figcaption", {}, `${name}, difference to ${answer.variants[0].name}`), svg("svg", { id: `interval-${name}`, role: "img" }));
  if (!$("intervals").children.length) put($("intervals"), ...names.map(figure));
  const points = (value) => (value === null ? null : 100 * value);
  for (const name of names) {
    const rows = answer.variants.slice(1).map((variant) => ({ name: variant.name, low: points(variant.metrics[name].low), value: points(variant.metrics[name].difference), high: points(variant.metrics[name].high) }));
    drawIntervals($(`interval-${name}`), `${name}: difference to the control, percentage points`, rows);
  }
  const rows = answer.variants.map((variant) => {
    const button = make("button", { type: "button", class: "button quiet", "data-act": variant.stopped ? "resume" : "stop", "data-variant": variant.name }, variant.stopped ? "Resume" : "Stop");
    const figures = names.map((name) => `${percent(variant.metrics[name].value)} (${interval(variant.metrics[name])})`);
    const state = variant.stopped ? `stopped by ${variant.stopped.by}: ${variant.stopped.reason}` : `${percent(variant.share)} of the shoppers`;
    return [variant.name, state, number(variant.shoppers, 0), number(variant.impressions, 0), ...figures, button];
  });
  put($("variants"), table(["variant", "state", "shoppers", "impressions", ...names, "change"], rows));
}

// buckets: [[edge in ms, answers up to it]], rising; the place within a bucket is taken for even.
function quantile(buckets, share) {
  const wanted = share * buckets[buckets.length - 1][1];
  let below = 0, low = 0;
  for (const [high, total] of buckets) {
    if (total >= wanted) return high === Infinity ? low : low + ((wanted - below) / Math.max(total - below, 1)) * (high - low);
    [below, low] = [total, high];
  }
  return low;
}

function showStages(text) {
  const stages = new Map();
  for (const [, edge, kind, name, total] of text.matchAll(/^trifocal_(?:stage|http_request)_seconds_bucket\{le="([^"]+)",(stage|route)="([^"]+)"\} (\S+)$/gm)) {
    if (kind === "route" && name !== "/v1/recommend") continue;
    const called = kind === "route" ? "whole request" : name;
    stages.set(called, [...(stages.get(called) || []), [edge === "+Inf" ? Infinity : 1000 * Number(edge), Number(total)]]);
  }
  const found = [...stages].filter(([, buckets]) => buckets[buckets.length - 1][1] > 0);
  const most = Math.max(1, ...found.map(([, buckets]) => quantile(buckets, 0.95)));
  const rows = found.map(([name, buckets]) => {
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantile(buckets, share));
    const meter = make("meter", { class: "plain", min: 0, max: most.toFixed(3), value: p95.toFixed(3), "aria-label": `${name}, p95 in milliseconds` });
    return [name, number(p50, 2), number(p95, 2), number(p99, 2), meter, number(buckets[buckets.length - 1][1], 0)];
  });
  put($("stage-table"), rows.length ? table(["stage", "p50 ms", "p95 ms", "p99 ms", "p95", "times"], rows) : nothing("Nothing was answered yet."));
}

function showCatalogue(answer) {
  const health = answer.health;
  if (!health) return put($("catalogue-tiles"), make("li", {}, make("span", {}, "Not counted yet"), make("b", {}, "–"), make("span", {}, "it is counted in the background")));
  const of = (count, whole) => percent(whole ? count / whole : null);
  const tile = (name, value, about, look = {}) => make("li", {}, make("span", {}, name), make("b", look, value), make("span", {}, about));
  const newest = health.newest;
  put(
    $("catalogue-tiles"),
    tile("Items", number(health.items, 0), `${number(health.sold_out, 0)} sold out`),
    tile("Without a picture", of(health.lacking.picture, health.items), `${number(health.lacking.picture, 0)} items`),
    tile("Without any text", of(health.lacking.text, health.items), `${number(health.lacking.text, 0)} items`),
    tile("Without a price", of(health.lacking.price, health.items), `${number(health.lacking.price, 0)} items`),
    tile("Broken pictures", number(health.pictures_broken, 0), `of ${number(health.pictures_checked, 0)} files opened`),
    tile("Never recommended", of(health.never_recommended, health.items - health.sold_out), `${number(health.never_recommended, 0)} items so far`),
    tile("New in 24 h", number(health.new_day, 0), "items"),
    tile("Newest item", newest ? newest.title : "–", newest ? (newest.at_s ? `came ${moment(1000 * newest.at_s)}` : "came before the start") : "nobody knows", { class: "words" }),
  );
  const lacking = Object.entries(health.lacking).map(([part, count]) => [PARTS[part] || part, number(count, 0), of(count, health.items)]);
  const rest = [["whose picture is broken", number(health.pictures_broken, 0), of(health.pictures_broken, health.items)], ["sold out", number(health.sold_out, 0), of(health.sold_out, health.items)], ["recommended since this bundle serves", number(health.recommended, 0), of(health.recommended, health.items)], ["never recommended since, though on offer", number(health.never_recommended, 0), of(health.never_recommended, health.items)]];
  put($("catalogue-table"), table(["items", "count", "share"], [...lacking, ...rest]));
  $("catalogue-about").textContent = `counted at ${clock(health.at_s)}, every ${number(answer.every_s, 0)} s`;
}

function showBundles(history) {
  const [serving] = history.bundles;
  $("bundle-about").textContent = `${serving.model_name} ${serving.model_version}, in force since ${moment(serving.since)}.` + (history.previous ? ` Before it served ${history.previous}: a rollback leads there.` : " None served before it in this process, so that there is nothing to roll back to.");
  const rollback = $("rollback");
  rollback.disabled = !history.previous;
  rollback.dataset.to = history.previous || "";
  const metrics = [...new Set(history.bundles.flatMap((bundle) => Object.keys(bundle.figures)))];
  const told = ["ndcg@10", "recall@20"].filter((name) => metrics.includes(name));
  const rows = history.bundles.map((bundle) => {
    const again = !bundle.in_force && bundle.path && bundle.model_version !== history.model_version;
    const button = again ? make("button", { type: "button", class: "button quiet", "data-serve": bundle.path, "data-version": bundle.model_version, "aria-label": `Serve ${bundle.model_version} again` }, "Serve again") : "";
    const until = bundle.in_force ? "in force" : bundle.until ? moment(bundle.until) : "server ended";
    return [`${bundle.model_name} ${bundle.model_version}`, moment(bundle.since), until, CALLS[bundle.by], ...told.map((name) => number(bundle.figures[name], 4)), number(bundle.items, 0), moment(bundle.created_at), button];
  });
  put($("bundles"), table(["bundle", "served from", "until", "by", ...told.map((name) => name.replace("ndcg", "nDCG")), "items", "written", "change"], rows));
  $("bundles-kept").textContent = history.durable ? "The history outlives a restart." : "The history is kept until the server stops; --events keeps it.";
}
