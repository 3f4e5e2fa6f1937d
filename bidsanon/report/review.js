// Shows one image after the other, and saves each decision at once.
"use strict";

const WORDS = {"": "Not decided about", accepted: "Accepted", rejected: "Rejected"};
const CHIPS = {"": "quiet", accepted: "good", rejected: "bad"};
const VIEWS = {front: "Front", left: "Left side", right: "Right side",
  sagittal: "Sagittal plane", coronal: "Coronal plane", axial: "Axial plane"};
const MOMENTS = {before: "Before", after: "After", now: "As it is now"};

const byId = (id) => document.getElementById(id);
const items = Array.from(document.querySelectorAll(".item"));
const undone = [];
let current = 0;
let shown = null;
let saving = false;

function say(text) { byId("status").textContent = text; }

function nameOf(number) { return items[number].querySelector(".path").textContent; }

function make(tag, text, attributes) {
  const element = document.createElement(tag);
  if (text) { element.textContent = text; }
  Object.entries(attributes || {}).forEach(([name, value]) => element.setAttribute(name, value));
  return element;
}

function tell() {
  const decided = items.filter((item) => item.dataset.decision).length;
  const rejected = items.filter((item) => item.dataset.decision === "rejected").length;
  byId("progress").textContent =
    `${decided} of ${items.length} decided, ${rejected} rejected.`;
  items.forEach((item, number) => {
    item.querySelector(".said").textContent = WORDS[item.dataset.decision];
    if (number === current) { item.setAttribute("aria-current", "true"); }
    else { item.removeAttribute("aria-current"); }
  });
  const decision = items[current].dataset.decision;
  byId("decision").textContent = WORDS[decision];
  byId("decision").className = `chip ${CHIPS[decision]}`;
  byId("previous").disabled = current === 0;
  byId("next").disabled = current === items.length - 1;
  byId("undo").disabled = undone.length === 0;
  const ready = shown !== null && shown.number === current && !shown.problem;
  byId("accept").disabled = byId("reject").disabled = !ready;
}

function table(number, image) {
  const moments = ["before", "after", "now"].filter((moment) =>
    image.pictures.some((name) => name.startsWith(`${moment}-`)));
  const views = Object.keys(VIEWS).filter((view) =>
    image.pictures.some((name) => name.endsWith(`-${view}`)));
  const pictures = make("table", "", {class: "pictures"});
  const head = make("tr");
  head.append(make("td", "", {class: "row"}));
  views.forEach((view) => head.append(make("th", VIEWS[view], {scope: "col"})));
  const top = make("thead");
  top.append(head);
  pictures.append(top);
  const body = make("tbody");
  moments.forEach((moment) => {
    const row = make("tr");
    row.append(make("th", MOMENTS[moment], {scope: "row"}));
    views.forEach((view) => {
      const cell = make("td");
      const name = `${moment}-${view}`;
      if (image.pictures.includes(name)) {
        cell.append(make("img", "", {src: `images/${number}/${name}.png`,
          alt: `${image.path}, ${VIEWS[view].toLowerCase()}, ${MOMENTS[moment].toLowerCase()}`}));
      }
      row.append(cell);
    });
    body.append(row);
  });
  pictures.append(body);
  return pictures;
}

async function show(number) {
  current = number;
  shown = null;
  byId("image").textContent = nameOf(number);
  byId("about").textContent = "Drawing …";
  byId("pictures").replaceChildren();
  byId("figures").replaceChildren();
  byId("self-check").hidden = true;
  tell();
  items[number].scrollIntoView({block: "nearest"});
  let image;
  try {
    const answer = await fetch(`images/${number}`);
    if (!answer.ok) { throw new Error(String(answer.status)); }
    image = await answer.json();
  } catch {
    if (number === current) {
      byId("about").textContent = "This image cannot be shown: is bidsanon review still running?";
    }
    return;
  }
  if (number !== current) { return; }
  shown = Object.assign(image, {number});
  items[number].dataset.decision = image.decision || "";
  byId("about").textContent = image.problem
    ? `It cannot be shown, and not be decided about: ${image.problem}.` : image.about;
  if (image.pictures.length) { byId("pictures").append(table(number, image)); }
  Object.entries(image.figures).forEach(([name, value]) => {
    const pair = make("div");
    pair.append(make("dt", name.replaceAll("_", " ")), make("dd", String(value)));
    byId("figures").append(pair);
  });
  byId("self-check").hidden = byId("figures").childElementCount === 0;
  tell();
}

async function save(number, sha256, verdict) {
  const answer = await fetch(`images/${number}/decision`, {
    method: "POST",
    headers: {"Content-Type": "application/json"},
    body: JSON.stringify({sha256, verdict: verdict || null}),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) { throw new Error(said.problem || "is bidsanon review still running?"); }
  items[number].dataset.decision = said.decision || "";
}

function following() {
  const after = items.findIndex((item, n) => n > current && !item.dataset.decision);
  return after >= 0 ? after : items.findIndex((item) => !item.dataset.decision);
}

async function decide(verdict) {
  if (saving || !shown || shown.number !== current || shown.problem) { return; }
  saving = true;
  const {number, sha256, path} = shown;
  const before = items[number].dataset.decision;
  say("Saving …");
  try {
    await save(number, sha256, verdict);
    undone.push({number, sha256, path, before});
    const next = following();
    const saved = `${WORDS[verdict]}, and saved: ${path}.`;
    say(next < 0 ? `${saved} All are decided.` : `${saved} Next: ${nameOf(next)}`);
    if (next >= 0) { await show(next); }
  } catch (error) {
    say(`Not saved: ${error.message}`);
  } finally {
    saving = false;
    tell();
  }
}

async function undo() {
  if (saving || !undone.length) { return; }
  saving = true;
  const last = undone[undone.length - 1];
  try {
    await save(last.number, last.sha256, last.before);
    undone.pop();
    say(`Taken back: ${last.path}`);
    await show(last.number);
  } catch (error) {
    say(`Not taken back: ${error.message}`);
  } finally {
    saving = false;
    tell();
  }
}

function step(by) {
  const number = current + by;
  if (number >= 0 && number < items.length) { show(number); }
}

async function end() {
  try {
    const answer = await fetch("end", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: "{}",
    });
    if (!answer.ok) { throw new Error(String(answer.status)); }
    document.querySelectorAll("button").forEach((button) => { button.disabled = true; });
    byId("keys").checked = false;
    say("bidsanon review has ended, and what you decided is saved. Close this page.");
  } catch {
    say("bidsanon review has ended already. Close this page.");
  }
}

const KEYS = {
  a: () => decide("accepted"), r: () => decide("rejected"), u: undo,
  ArrowLeft: () => step(-1), ArrowRight: () => step(1),
};

if (items.length) {
  items.forEach((item, number) => item.addEventListener("click", () => show(number)));
  byId("accept").addEventListener("click", KEYS.a);
  byId("reject").addEventListener("click", KEYS.r);
  byId("undo").addEventListener("click", undo);
  byId("previous").addEventListener("click", KEYS.ArrowLeft);
  byId("next").addEventListener("click", KEYS.ArrowRight);
  byId("end").addEventListener("click", end);
  document.addEventListener("keydown", (event) => {
    const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    // In a region that scrolls, the arrows are the region's.
    const scrolls = event.key.startsWith("Arrow") && event.target === byId("pictures");
    if (action && plain && !event.repeat && !scrolls && byId("keys").checked) {
      event.preventDefault();
      action();
    }
  });
  const first = items.findIndex((item) => !item.dataset.decision);
  show(Math.max(first, 0));
}
