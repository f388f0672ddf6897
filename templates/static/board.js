// The board of a programme: items are moved, stretched and put into other lanes by hand or by keyboard. What is shown
// is what the server answered: a move is a form of the item's own page, and the page of the programme is read anew.
"use strict";

const STEP = 15;
const SHORTEST = 5;
const DAY = 24 * 60;
const BRIEF = 30; // minutes that leave room for one line only

const board = document.querySelector("#board");
const status = document.querySelector("[data-status]");
const alarm = document.querySelector("[data-alert]");
const undoing = document.querySelector("[data-undo]");
const asking = document.querySelector("[data-asking]");
const wideEnough = window.matchMedia("(min-width: 43.8125em)");

let calendar = null;
let items = new Map();
let pending = null; // { id, day, from, minutes, lane, entered }: moved by keyboard, not sent yet
let undo = null;
let sending = false;

const clock = (minutes) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
const minutesOf = (wall) => Number(wall.slice(11, 13)) * 60 + Number(wall.slice(14, 16));
const wall = (day, minutes) => (minutes < DAY ? `${day}T${clock(minutes)}` : `${later(day, 1)}T${clock(minutes - DAY)}`);
const bounded = (least, value, most) => Math.min(most, Math.max(least, value));

function later(day, days) {
  const at = new Date(`${day}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

function localWall(date) {
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

function says(name, values = {}) {
  return Object.entries(values).reduce((text, [key, value]) => text.replace(`{${key}}`, value), board.dataset[`says${name}`]);
}

function tell(text) {
  alarm.replaceChildren();
  status.textContent = text;
}

function complain(text, more) {
  status.textContent = "";
  alarm.replaceChildren(text, ...(more ? [" ", more] : []));
}

// What the page says of the items, read from its table: the table is what everybody has, with a script or without.
function read() {
  items = new Map([...document.querySelectorAll("tr[data-item]")].map((row) => [row.dataset.item, itemOf(row)]));
}

function itemOf(row) {
  const { item, starts, ends, seen } = row.dataset;
  const overDays = "overDays" in row.dataset;
  return {
    id: item,
    row,
    day: starts.slice(0, 10),
    from: minutesOf(starts),
    minutes: Number(row.dataset.minutes),
    drawn: overDays ? 0 : drawnLength(starts, ends),
    starts,
    ends,
    seen,
    lanes: JSON.parse(row.dataset.lanes),
    title: row.querySelector(".what a, .what s").textContent,
    overDays,
    fixed: "fixed" in row.dataset || overDays || !("editable" in board.dataset),
  };
}

function drawnLength(starts, ends) {
  const days = starts.slice(0, 10) === ends.slice(0, 10) ? 0 : DAY;
  return Math.max(SHORTEST, minutesOf(ends) + days - minutesOf(starts));
}

function times(place) {
  return `${dayName(place.day)}, ${clock(place.from)}–${clock((place.from + place.minutes) % DAY)}`;
}

function dayName(day) {
  const link = document.querySelector(`[data-day="${day}"]`);
  return link ? link.textContent : day;
}

const lanes = () => JSON.parse(board.dataset.lanes);
const days = () => board.dataset.days.split(" ");

// Positions of the calendar are those of the lanes, since a lane may be called anything.
function event(item, at = item) {
  const positions = item.lanes.map((lane) => lanes().findIndex(([key]) => key === lane));
  const entered = at.entered === undefined ? null : lanes().findIndex(([key]) => key === at.entered);
  const left = at.lane === undefined ? null : lanes().findIndex(([key]) => key === at.lane);
  const classes = [item.row.classList.contains("drafted") && "drafted", item.row.classList.contains("gone") && "gone"];
  return {
    id: item.id,
    resourceIds: positions.map((one) => (entered !== null && one === left ? entered : one)),
    start: item.overDays ? item.starts.slice(0, 10) : wall(at.day, at.from),
    end: item.overDays ? later(item.ends.slice(0, 10), 1) : wall(at.day, at.from + (at === item ? item.drawn : at.minutes)),
    allDay: item.overDays,
    editable: !item.fixed && !sending,
    classNames: [...classes.filter(Boolean), ...(item.fixed ? ["fixed"] : []), ...(item.drawn <= BRIEF && !item.overDays ? ["brief"] : []), ...(pending && pending.id === item.id ? ["pending"] : [])],
    extendedProps: { at: at === item ? null : at },
  };
}

function made(tag, text, name = "") {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (name) element.className = name;
  return element;
}

// A mark of the table as it stands on the board: its shape, and one word.
function marked(mark, word, name) {
  if (!mark) return null;
  const said = made("span", "", `mark ${name}`);
  said.append(mark.querySelector("svg").cloneNode(true), word);
  return said;
}

function content({ event: shown }) {
  const item = items.get(shown.id);
  if (!item) return { domNodes: [] };
  const start = shown.start, end = shown.end;
  const span = item.overDays ? "" : `${clock(start.getHours() * 60 + start.getMinutes())}–${clock(end.getHours() * 60 + end.getMinutes())}`;
  const link = made("a", item.title);
  link.href = board.dataset.address + encodeURIComponent(item.id);
  link.draggable = false;
  link.dataset.of = item.id;
  link.setAttribute("aria-label", [item.title, dayName(localWall(start).slice(0, 10)), span, ...laneNames(item)].filter(Boolean).join(", "));
  if (!item.fixed) link.setAttribute("aria-describedby", "board-keys");
  const nodes = [made("b", span), link];
  const draft = marked(item.row.querySelector(".state .mark"), says("Draft"), "info");
  if (draft) nodes[0].append(draft);
  for (const short of new Map([...item.row.querySelectorAll(".collides")].map((one) => [one.dataset.word, one])).values())
    nodes.push(marked(short.querySelector(".mark"), short.dataset.word, "collides"));
  // What other clocks show holds for the time that stands, not for one that is only being tried.
  const beside = shown.extendedProps.at ? [] : item.row.querySelectorAll(".when small:not(.ours)");
  for (const small of beside) nodes.push(made("small", small.textContent));
  return { domNodes: nodes };
}

const laneNames = (item) => lanes().filter(([key]) => item.lanes.includes(key)).map(([, title]) => title);

function draw() {
  if (calendar) EventCalendar.destroy(calendar);
  board.replaceChildren();
  const shown = [...items.values()];
  const editable = "editable" in board.dataset;
  calendar = EventCalendar.create(board, {
    view: "resourceTimeGridDay",
    date: days()[0],
    duration: { days: days().length },
    datesAboveResources: true,
    headerToolbar: { start: "", center: "", end: "" },
    locale: board.dataset.language === "vi" ? "vi-VN" : "en-GB",
    dayHeaderFormat: { weekday: "short", day: "numeric", month: "numeric" },
    eventTimeFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
    slotLabelFormat: { hour: "2-digit", minute: "2-digit", hour12: false },
    resources: lanes().map(([, title], position) => ({ id: position, title })),
    events: shown.map((item) => event(item)),
    eventContent: content,
    allDaySlot: shown.some((item) => item.overDays),
    allDayContent: "",
    slotMinTime: "07:00:00",
    slotMaxTime: "21:00:00",
    flexibleSlotTimeLimits: true,
    slotDuration: "00:30:00",
    slotHeight: 40,
    snapDuration: "00:05:00",
    slotEventOverlap: false,
    columnWidth: columnWidth(),
    editable,
    eventResizableFromStart: false,
    longPressDelay: 400,
    dragConstraint: withinDay,
    resizeConstraint: withinDay,
    eventDragStart: () => settle(),
    eventResizeStart: () => settle(),
    eventDrop: dropped,
    eventResize: stretched,
  });
  // The calendar says it is a table, without the rows of one: to whoever hears it, it is what it has in it, links.
  for (const one of board.querySelectorAll("[role]")) one.removeAttribute("role");
  for (const one of board.querySelectorAll("[aria-colindex]")) one.removeAttribute("aria-colindex");
  for (const one of board.querySelectorAll("[aria-colspan]")) one.removeAttribute("aria-colspan");
}

// Columns share the board's width as long as a time and some words of a title fit into each; else the board scrolls.
function columnWidth() {
  const least = 7 * parseFloat(getComputedStyle(document.documentElement).fontSize);
  return board.clientWidth / (days().length * lanes().length) < least ? `${Math.round(least * 1.3)}px` : undefined;
}

// Never past the day's end, never between days, never shorter than is useful.
function withinDay({ event: candidate }) {
  if (candidate.allDay) return false;
  const start = localWall(candidate.start), end = localWall(candidate.end);
  const length = (candidate.end - candidate.start) / 60000;
  const ends = start.slice(0, 10) === end.slice(0, 10) || (end.slice(11) === "00:00" && later(start.slice(0, 10), 1) === end.slice(0, 10));
  return ends && length >= SHORTEST;
}

function laneChange(item, oldEvent, newEvent) {
  const key = (position) => lanes()[Number(position)][0];
  const left = oldEvent.resourceIds.filter((one) => !newEvent.resourceIds.includes(one));
  const entered = newEvent.resourceIds.filter((one) => !oldEvent.resourceIds.includes(one));
  return left.length && entered.length ? { lane: key(left[0]), entered: key(entered[0]) } : {};
}

function dropped({ event: moved, oldEvent, revert, jsEvent }) {
  const item = items.get(moved.id);
  const day = dayUnder(jsEvent);
  const start = localWall(moved.start);
  const place = day
    ? { day, from: item.from, minutes: item.minutes }
    : { day: start.slice(0, 10), from: minutesOf(start), minutes: item.minutes, ...laneChange(item, oldEvent, moved) };
  revert();
  send(item, place);
}

// The days above the board are places to drop on, also those that the board does not show.
function dayUnder(jsEvent) {
  const found = document.elementsFromPoint(jsEvent.clientX, jsEvent.clientY).map((one) => one.closest("[data-day]"));
  const link = found.find(Boolean);
  return link ? link.dataset.day : null;
}

function stretched({ event: resized, revert }) {
  const item = items.get(resized.id);
  const grown = Math.round((resized.end - resized.start) / 60000) - item.drawn;
  revert();
  send(item, { day: item.day, from: item.from, minutes: Math.max(SHORTEST, item.minutes + grown) });
}

function same(item, place) {
  return place.day === item.day && place.from === item.from && place.minutes === item.minutes && place.entered === undefined;
}

async function send(item, place, { undoes = false } = {}) {
  if (sending || same(item, place)) return settle();
  sending = true;
  tell(says("Sending"));
  const before = { day: item.day, from: item.from, minutes: item.minutes };
  if (place.entered !== undefined) Object.assign(before, { lane: place.entered, entered: place.lane });
  const { zone, endsZone } = item.row.dataset;
  const fields = {
    csrf: board.dataset.csrf,
    form: "move",
    key: crypto.randomUUID().replaceAll("-", ""),
    seen: item.seen,
    seq: board.dataset.seq,
    day: place.day,
    starts: clock(place.from),
    minutes: String(place.minutes),
    zone,
    ends_zone: endsZone,
    by: board.dataset.by,
    left: place.entered === undefined ? "" : place.lane,
    entered: place.entered === undefined ? "" : place.entered,
    back: location.search,
  };
  const address = board.dataset.address + encodeURIComponent(item.id);
  let answer = null;
  try {
    answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields), credentials: "same-origin" });
  } catch {
    answer = null;
  }
  await answered(item, place, before, answer, address, undoes);
}

async function answered(item, place, before, answer, address, undoes) {
  const page = answer ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
  sending = false;
  pending = null;
  if (page && answer.ok && page.querySelector("#board")) {
    renew(page);
    undo = undoes ? null : { id: item.id, day: place.day, place: before };
    undoing.hidden = undo === null;
    // Where it went to a day that this board does not show, nothing says more of it than what was sent.
    const stands = items.get(item.id) || place;
    tell(says(undoes ? "Undone" : "Moved", { title: item.title, times: times(stands) }));
  } else {
    const wanted = says("Wanted", { times: times(place) });
    const reasons = page ? [...page.querySelectorAll("[data-summary] li")].map((one) => one.textContent.trim()) : [];
    const over = page && [401, 403].includes(answer.status) && !reasons.length;
    const why = over ? says("Session") : reasons.length ? reasons.join(" ") : says("Silence");
    const form = made("a", says("Form"));
    const asked = new URLSearchParams({ day: place.day, starts: clock(place.from), ends: clock((place.from + place.minutes) % DAY) });
    form.href = `${address}?${asked}#move`;
    if (!over) await fresh();
    complain(`${says("Refused", { title: item.title })} ${why} ${wanted}`, over ? null : form);
  }
  focus(item.id);
}

// After a refusal something else may stand than what this page shows.
async function fresh() {
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (answer.ok && page.querySelector("#board")) renew(page);
    else redraw();
  } catch {
    redraw();
  }
}

function renew(page) {
  for (const part of ["[data-listed]", "[data-drafts]"]) {
    const here = document.querySelector(part), there = page.querySelector(part);
    if (here && there) here.replaceChildren(...there.childNodes);
  }
  Object.assign(board.dataset, { ...page.querySelector("#board").dataset });
  redraw();
}

function redraw() {
  const scrolled = [board.querySelector(".ec-main")?.scrollLeft || 0, board.querySelector(".ec-main")?.scrollTop || 0];
  read();
  draw();
  requestAnimationFrame(() => {
    const main = board.querySelector(".ec-main");
    if (main) [main.scrollLeft, main.scrollTop] = scrolled;
  });
}

function linkOf(id) {
  return [...board.querySelectorAll("[data-of]")].find((one) => one.dataset.of === id) || null;
}

function focus(id) {
  requestAnimationFrame(() => (linkOf(id) || board).focus({ preventScroll: false }));
}

// Takes back what was not sent.
function settle() {
  if (!pending) return;
  const item = items.get(pending.id);
  pending = null;
  asking.hidden = true;
  calendar.updateEvent(event(item));
  tell(says("Back", { title: item.title }));
  focus(item.id);
}

function show(item) {
  calendar.updateEvent(event(item, pending));
  tell(says("Pending", { title: item.title, times: times(pending) }));
  focus(item.id);
}

function moveBy(item, keys) {
  if (!pending || pending.id !== item.id) {
    settle();
    pending = { id: item.id, day: item.day, from: item.from, minutes: item.minutes };
  }
  const most = DAY - pending.minutes;
  if (keys.stretch) {
    // From the shortest the first step leads to the next quarter of an hour.
    const next = pending.minutes + keys.stretch;
    pending.minutes = bounded(SHORTEST, pending.minutes === SHORTEST && keys.stretch > 0 ? STEP : next, DAY - pending.from);
  } else if (keys.minutes) pending.from = bounded(0, pending.from + keys.minutes, most);
  else if (keys.across) across(item, keys.across);
  show(item);
}

// To the lane beside it; beyond the last one to the next day, so that every column of the board is within reach.
function across(item, by) {
  const keys = lanes().map(([key]) => key);
  const now = pending.entered === undefined ? item.lanes[0] : pending.entered;
  const next = keys.indexOf(now) + by;
  const day = next < 0 ? days().indexOf(pending.day) - 1 : next >= keys.length ? days().indexOf(pending.day) + 1 : null;
  if (day !== null && !days()[day]) return;
  if (day !== null) pending.day = days()[day];
  const entered = keys[(next + keys.length) % keys.length];
  delete pending.lane;
  delete pending.entered;
  if (entered !== item.lanes[0]) Object.assign(pending, { lane: item.lanes[0], entered });
}

const KEYS = {
  ArrowUp: { minutes: -STEP },
  ArrowDown: { minutes: STEP },
  ArrowLeft: { across: -1 },
  ArrowRight: { across: 1 },
};

function pressed(press) {
  const body = press.target.closest?.(".ec-event")?.querySelector("[data-of]");
  const item = body ? items.get(body.dataset.of) : null;
  if (!item || press.altKey || press.ctrlKey || press.metaKey) return;
  const own = () => {
    press.preventDefault();
    press.stopPropagation();
  };
  if (press.key === "Escape" && pending) return own(), settle();
  if (press.key === "Enter" && pending && pending.id === item.id) {
    own();
    const place = { ...pending };
    return send(item, place);
  }
  if (item.fixed || sending) return;
  if (press.shiftKey && (press.key === "ArrowUp" || press.key === "ArrowDown"))
    return own(), moveBy(item, { stretch: press.key === "ArrowDown" ? STEP : -STEP });
  if (KEYS[press.key] && !press.shiftKey) return own(), moveBy(item, KEYS[press.key]);
  if (press.key === "d" || press.key === "D") return own(), askDay(item);
}

function askDay(item) {
  if (!pending || pending.id !== item.id) pending = { id: item.id, day: item.day, from: item.from, minutes: item.minutes };
  asking.hidden = false;
  asking.elements.day.value = pending.day;
  asking.elements.day.focus();
}

asking?.addEventListener("submit", (submit) => {
  submit.preventDefault();
  if (!pending) return;
  const item = items.get(pending.id);
  const place = { ...pending, day: asking.elements.day.value };
  asking.hidden = true;
  send(item, place);
});
asking?.querySelector("[data-cancel]").addEventListener("click", settle);
asking?.addEventListener("keydown", (press) => press.key === "Escape" && settle());

// An item as it stands, also one that went to a day that this board does not show.
async function standing(id, day) {
  if (items.has(id)) return items.get(id);
  const asked = new URLSearchParams(location.search);
  asked.set("from", day);
  const answer = await fetch(`${location.pathname}?${asked}`, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const row = [...page.querySelectorAll("tr[data-item]")].find((one) => one.dataset.item === id);
  return row ? itemOf(row) : null;
}

undoing?.addEventListener("click", async () => {
  if (!undo) return;
  const { id, day, place } = undo;
  undoing.hidden = true;
  const item = await standing(id, day).catch(() => null);
  if (item) send(item, place, { undoes: true });
  else complain(says("Silence"));
});

function start() {
  const listed = document.querySelector("[data-listed]");
  for (const part of document.querySelectorAll("[data-boarding]")) part.hidden = !wideEnough.matches;
  listed.hidden = wideEnough.matches;
  if (wideEnough.matches && !calendar) {
    read();
    draw();
  }
}

// A press that became a drag opens nothing.
function opens() {
  let at = null;
  board.addEventListener("pointerdown", (press) => (at = [press.clientX, press.clientY]), true);
  board.addEventListener("click", (click) => {
    if (at && click.detail && Math.hypot(click.clientX - at[0], click.clientY - at[1]) > 4) click.preventDefault();
  }, true);
}

if (board) {
  opens();
  board.addEventListener("keydown", pressed, true);
  // The browser's own drag of selected text would take the place of ours.
  board.addEventListener("dragstart", (drag) => drag.preventDefault());
  wideEnough.addEventListener("change", start);
  start();
}
