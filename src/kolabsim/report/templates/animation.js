"use strict";
// Joint bodies over time: a map with a slider, and the events of one region beside it. Without this
// script the page shows a still picture in its place, as it does on paper.
for (const place of document.querySelectorAll(".animation")) {
  const data = JSON.parse(place.nextElementSibling.textContent), texts = data.texts;
  const last = data.moments.length - 1;
  let now = Math.min(data.first, last), area = data.areas.length === 1 ? 0 : -1, timer = 0;

  const make = (tag, parent, attributes = {}, text = "") => {
    const space = parent.namespaceURI;
    const made = tag === "svg" || space.endsWith("svg")
      ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.textContent = text;
    parent.append(made);
    return made;
  };

  place.hidden = false;

  // Controls
  const controls = make("div", place, { class: "controls" });
  const play = make("button", controls, { type: "button" }, texts.play);
  const slider = make("input", controls, {
    type: "range", min: 0, max: last, step: 1, value: now, "aria-label": texts.quarter,
  });
  const moment = make("output", controls, { class: "moment" });
  const choice = make("label", place, { class: "choice" }, texts.area + ": ");
  const menu = make("select", choice);
  [texts.all, ...data.areas].forEach((title, k) => {
    make("option", menu, { value: k - 1 }, title);
  });
  if (data.areas.length === 1) choice.hidden = true;

  // Map
  const stage = make("div", place, { class: "stage" });
  const left = make("div", stage), right = make("div", stage);
  const map = make("svg", left, {
    viewBox: `0 0 1000 ${data.height}`, role: "img", "aria-label": texts.map,
  });
  const ground = make("g", map), links = make("g", map), dots = make("g", map);
  const few = data.names.length <= 30, largest = few ? 26 : Math.max(5, 26 * Math.sqrt(30 / data.names.length));
  data.shapes.forEach((rings, i) => {
    if (rings.length) make("path", ground, {
      d: rings.join(""), fill: i === data.me ? "#fdf0d5" : "#e9eef2", stroke: "#b4bfc9",
      "stroke-width": 1.5, "fill-rule": "evenodd",
    });
  });
  const circles = data.points.map(([x, y], i) => {
    const circle = make("circle", dots, {
      cx: x, cy: y, r: (0.45 + 0.55 * data.size[i]) * largest, fill: "#fff",
      stroke: i === data.me ? "#d55e00" : "#55616d", "stroke-width": i === data.me ? 8 : 2.5,
    });
    make("title", circle, {}, data.names[i]);
    return circle;
  });
  if (few) data.points.forEach(([x, y], i) => {
    const below = y + (0.45 + 0.55 * data.size[i]) * largest + 28;
    const name = make("text", dots, { x, y: below }, data.names[i]);
    if (i === data.me) name.setAttribute("class", "me");
    // Names stay on the map.
    const half = name.getComputedTextLength() / 2;
    name.setAttribute("x", Math.min(Math.max(x, half + 8), 992 - half));
  });
  const legend = make("ul", left, { class: "legend", "aria-live": "off" });

  // Events
  make("h3", right, {}, texts.events);
  const list = make("div", right, { class: "list", tabindex: 0, role: "region", "aria-label": texts.events });
  const rows = make("ol", list);
  const none = make("p", list, {}, texts.none);
  const items = data.events.map((event) => {
    const item = make("li", rows);
    const button = make("button", item, { type: "button" });
    make("small", button, {}, `${data.moments[event.quarter]} · ${data.areas[event.area]}`);
    make("span", button, {}, event.text);
    if (event.why) make("span", button, { class: "because" }, event.why);
    // What happens within a quarter shows when the next one begins.
    button.addEventListener("click", () => { stop(); show(Math.min(event.quarter + 1, last)); });
    return item;
  });
  make("p", place, { class: "keys" }, texts.keys);

  const show = (moved) => {
    now = Math.min(Math.max(moved, 0), last);
    slider.value = now;
    slider.setAttribute("aria-valuetext", data.moments[now]);
    moment.textContent = data.moments[now];
    const here = data.bodies[now].filter(([of]) => area < 0 || of === area);
    links.replaceChildren();
    legend.replaceChildren();
    const colours = data.points.map(() => []);
    here.forEach(([of, provider, members]) => {
      const colour = data.colours[of], shift = area < 0 ? 7 * (of - (data.areas.length - 1) / 2) : 0;
      const centre = provider >= 0 ? data.points[provider]
        : [0, 1].map((k) => members.reduce((sum, i) => sum + data.points[i][k], 0) / members.length);
      members.forEach((i) => {
        colours[i].push(colour);
        const [x, y] = data.points[i];
        make("line", links, {
          x1: x + shift, y1: y + shift / 2, x2: centre[0] + shift, y2: centre[1] + shift / 2,
          stroke: colour, "stroke-width": members.includes(data.me) ? 9 : 5, "stroke-linecap": "round",
          opacity: members.includes(data.me) ? 1 : 0.55,
        });
      });
      const row = make("li", legend);
      make("span", row, { class: "swatch", style: `background:${colour}` });
      row.append(texts.body.replace("{area}", data.areas[of])
        .replace("{members}", members.map((i) => data.names[i]).join(", ")));
    });
    if (!here.length) make("li", legend, {}, `${texts.bodies}: ${texts.alone}`);
    circles.forEach((circle, i) => {
      circle.setAttribute("fill", colours[i].length ? (area < 0 ? "#55616d" : colours[i][0]) : "#fff");
    });
    let shown = 0;
    items.forEach((item, k) => {
      const event = data.events[k];
      item.hidden = area >= 0 && event.area !== area;
      shown += !item.hidden;
      item.className = event.quarter === now - 1 ? "now" : event.quarter >= now ? "later" : "";
    });
    none.hidden = shown > 0;
    const current = items.find((item) => !item.hidden && item.className === "now");
    if (current) list.scrollTop = current.offsetTop - rows.offsetTop - 40;
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = texts.play;
  };
  const start = () => {
    if (now === last) show(0);
    play.textContent = texts.pause;
    timer = setInterval(() => { if (now >= last) stop(); else show(now + 1); }, 700);
  };
  play.addEventListener("click", () => { if (timer) stop(); else start(); });
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  menu.addEventListener("change", () => { area = Number(menu.value); show(now); });
  document.addEventListener("keydown", (event) => {
    const at = document.activeElement;
    if (event.altKey || event.ctrlKey || event.metaKey || at.tagName === "SELECT") return;
    const moves = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last };
    if (event.key in moves && at !== slider && (at === document.body || place.contains(at))) {
      event.preventDefault();
      stop();
      show(moves[event.key]);
    } else if (event.key === " " && (at === document.body || at === slider || at === list)) {
      event.preventDefault();
      play.click();
    }
  });
  document.documentElement.classList.add("moves");
  show(Math.min(now + 1, last));
}
