// Asks the service every two seconds how it goes, and has the answer drawn; does what the buttons say.
import { $, STATES, say, showBundles, showCatalogue, showCourse, showDetectors, showExperiment, showLadders, showReport, showStages, showState } from "./dashboard-parts.js";

const EVERY_MS = 2000, SLOW_EVERY = 3, KEPT = 400;
const page = document.querySelector("[data-keyed]");
const keyed = page.dataset.keyed === "true";
const course = new Map();
let report = null, courseUntil = 0, turn = 0, refused = "";

async function asked(path, { body, key = $("key").value } = {}) {
  const headers = { Accept: "application/json" };
  if (key) headers["X-Api-Key"] = key;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method: body === undefined ? "GET" : "POST", headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (!answer.ok) throw Object.assign(new Error((await answer.json().catch(() => ({}))).message || answer.statusText), { status: answer.status });
  return answer;
}

const json = (path, options) => asked(path, options).then((found) => found.json());

async function showNow() {
  report = await json("/v1/health/report");
  showState(STATES[report.status], report.status);
  showReport(report);
  showLadders(report.ladders, report.alarms);
  showDetectors(report);
}

async function follow() {
  const answer = await json(`/v1/health/course?since_s=${courseUntil}`);
  for (const point of answer.points) {
    course.set(point.variant, [...(course.get(point.variant) || []), point].slice(-KEPT));
    courseUntil = Math.max(courseUntil, point.at_s);
  }
  const window = report.kpis.find((each) => each.seconds === answer.window_s);
  showCourse(withNow(window ? window.cells : []));
}

// The course up to now: between two points the newest figures stand at its end.
function withNow(cells) {
  return new Map([...course].map(([variant, points]) => {
    const cell = cells.find((each) => each.dimension === (variant ? "variant" : "all") && each.value === variant);
    if (!cell || report.at_s <= courseUntil) return [variant, points];
    const ladder = report.ladders.find((each) => each.variants.includes(variant)) || report.ladders[0];
    const now = { at_s: report.at_s, rung: ladder ? ladder.rung : "", impressions: cell.impressions, answers: cell.answers, p50_ms: cell.p50_ms, p95_ms: cell.p95_ms };
    for (const name of ["ctr", "conversion", "satisfaction", "failed", "fallen"]) now[name] = cell[name].value;
    return [variant, [...points, now]];
  }));
}

async function showSlow() {
  const parts = [
    asked("/metrics").then((found) => found.text()).then(showStages),
    json("/v1/health/catalogue").then(showCatalogue),
    json("/v1/bundle/history").then(showBundles),
  ];
  const experiment = $("experiment-part");
  if (experiment.dataset.runs === "true") parts.push(json("/v1/experiment").then(showExperiment));
  await Promise.all(parts);
}

async function refresh({ slow = false } = {}) {
  const key = $("key").value;
  // A question that will be refused is not asked again and again.
  if ((keyed && !key) || refused === `key ${key}`) return showState(key ? "This API key may not read the figures" : "Give an API key that may read", "lost");
  try {
    await showNow();
    await follow();
    if (slow || turn % SLOW_EVERY === 0) await showSlow();
    turn += 1;
  } catch (error) {
    const isRefused = error.status === 401 || error.status === 403;
    if (isRefused) refused = `key ${key}`;
    showState(isRefused ? "This API key may not read the figures" : `The service does not answer: ${error.message}`, "lost");
  }
}

async function keepAsking() {
  if (!document.hidden) await refresh();
  setTimeout(keepAsking, EVERY_MS);
}

function act(path, body, done) {
  asked(path, { body }).then(() => say(done)).then(() => refresh({ slow: true })).catch((error) => say(`That did not work: ${error.message}`));
}

// Changes of the bundle ask once more, and for a key that is kept nowhere.
const dialog = $("ask");
let change = null;

function confirmChange(wanted) {
  change = wanted;
  $("ask-title").textContent = wanted.title;
  $("ask-about").textContent = wanted.about;
  $("ask-do").textContent = wanted.verb;
  $("ask-result").textContent = "";
  dialog.showModal();
}

async function doChange(event) {
  event.preventDefault();
  const key = $("ask-key").value;
  if (keyed && !key) {
    $("ask-result").textContent = "Refused: this needs the API key of an administrator. Nothing was changed.";
    return $("ask-key").focus();
  }
  $("ask-do").disabled = true;
  $("ask-result").textContent = "Loading and warming up …";
  try {
    const bundle = await json(change.path, { body: change.body, key });
    dialog.close();
    await refresh({ slow: true });
    $("bundle-result").textContent = `Done: ${bundle.model_name} ${bundle.model_version} is in force.`;
  } catch (error) {
    $("ask-result").textContent = `Refused: ${error.message}. Nothing was changed.`;
  } finally {
    $("ask-do").disabled = false;
  }
}

$("ask-form").addEventListener("submit", doChange);
$("ask-cancel").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => { $("ask-key").value = ""; });
$("rollback").addEventListener("click", (event) => confirmChange({
  title: "Roll back?",
  about: `${event.target.dataset.to} will answer in place of ${report ? report.model_version : "the bundle in force"}, from the next request on. A second rollback leads forth again.`,
  verb: "Roll back",
  path: "/v1/bundle/rollback",
  body: {},
}));
$("bundles").addEventListener("click", (event) => {
  const { serve, version } = event.target.dataset;
  if (serve === undefined) return;
  confirmChange({ title: "Serve it again?", about: `${version}, in ${serve}, is loaded beside the bundle in force, warmed up, and put in its place.`, verb: "Serve it", path: "/v1/bundle", body: { path: serve } });
});
$("variants").addEventListener("click", (event) => {
  const { act: verb, variant } = event.target.dataset;
  if (verb) act(`/v1/experiment/${verb}`, { variant }, `${variant}: done.`);
});
$("window").addEventListener("change", () => report && showReport(report));
$("dimension").addEventListener("change", () => report && showReport(report));
$("course-details").addEventListener("toggle", () => report && showCourse(course));
$("force").addEventListener("submit", (event) => {
  event.preventDefault();
  act("/v1/health/rung", { rung: new FormData(event.target).get("rung") || null }, "The ladder was moved.");
});
$("bar").addEventListener("submit", (event) => { event.preventDefault(); refused = ""; refresh({ slow: true }); });
$("key").addEventListener("change", () => refresh({ slow: true }));
keepAsking();
