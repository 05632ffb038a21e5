// Every conversation: searched, filtered, paged, each beside its nearest of the other side. All text is set as text.
"use strict";
(() => {
  const data = document.getElementById("transcripts");
  if (!data) return;
  const sides = JSON.parse(data.textContent);
  const other = { simulated: "people", people: "simulated" };
  const N_SHOWN = 10;
  const byId = (id) => document.getElementById(id);
  const [said, side, arm, task, ending, likeness, order] = ["said", "side", "arm", "task", "ending", "likeness", "order"].map(byId);
  const [earlier, later, found, listed] = ["earlier", "later", "found", "listed"].map(byId);

  const element = (tag, name, text) => {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const percent = (score) => (score === undefined ? "–" : score < 0.001 ? "< 0.1 %" : `${(100 * score).toFixed(1)} %`);
  const plain = (message) =>
    typeof message.text === "string" ? message.text : message.text.map((part) => (typeof part === "string" ? part : part[0])).join("");
  const opening = (each) => {
    const first = each.said.find((message) => message.by === "user");
    return (first ? plain(first).replace(/\s+/g, " ").trim().slice(0, 110) : "") || "–";
  };

  const bubble = (message) => {
    const made = element("li", `bubble ${["user", "assistant"].includes(message.by) ? message.by : ""}`);
    made.append(element("span", "who", { user: "shopper", assistant: "agent" }[message.by] || message.by));
    const words = element("p");
    words.dir = "auto";
    for (const part of typeof message.text === "string" ? [message.text] : message.text) {
      words.append(typeof part === "string" ? part : element("mark", part[1] === "human" ? "human" : "simulated", part[0]));
    }
    if (!plain(message)) words.append(element("i", "", "(empty)"));
    if (message.cut) words.append(element("span", "cut", `… ${message.cut.toLocaleString("en")} more characters`));
    made.append(words);
    if (message.did) made.append(element("p", "action", message.did));
    if (message.faults) made.append(element("p", "faults", `fault: ${message.faults.join("; ")}`));
    if (message.items) {
      const items = element("ul", "items");
      items.setAttribute("aria-label", "Items shown");
      for (const item of message.items) {
        const shown = element("li");
        shown.append(element("bdi", "", item));
        items.append(shown);
      }
      if (message.others) items.append(element("li", "muted", `${message.others} more`));
      made.append(items);
    }
    return made;
  };

  const whole = (each, heading) => {
    const made = element("div");
    made.append(element("h4", "", heading));
    const facts = element("p", "facts");
    facts.append(element("bdi", "", each.id));
    for (const [what, value] of [["task", each.task], ["arm", each.arm], ["agent", each.agent]]) {
      if (value) facts.append(` · ${what} `, element("bdi", "", value));
    }
    facts.append(` · ended: ${each.end} · human-likeness ${percent(each.score)}`);
    made.append(facts);
    if (each.need) {
      const need = element("p", "facts", `Need: ${each.need}`);
      need.dir = "auto";
      made.append(need);
    }
    const bubbles = element("ol", "bubbles");
    bubbles.append(...each.said.map(bubble));
    made.append(bubbles);
    if (each.more) made.append(element("p", "facts", `${each.more.toLocaleString("en")} more messages are not shown.`));
    return made;
  };

  const row = (each, of) => {
    const made = element("details", "chat");
    const summary = element("summary");
    const score = element("span", "score");
    const meter = element("span", "meter");
    meter.setAttribute("aria-hidden", "true");
    meter.style.setProperty("--share", String(each.score || 0));
    score.append(meter, percent(each.score));
    const words = element("span", "opening", opening(each));
    words.dir = "auto";
    summary.append(score, words);
    made.append(summary);
    made.addEventListener("toggle", () => {
      if (!made.open || made.childElementCount > 1) return;
      const pair = element("div", "pair");
      pair.append(whole(each, of === "people" ? "This person" : "This shopper"));
      const near = each.near === undefined ? undefined : sides[other[of]][each.near];
      const who = of === "people" ? "Nearest simulated shopper" : "Nearest person";
      pair.append(
        near
          ? whole(near, `${who}: similarity of words ${each.alike.toFixed(2)}`)
          : element("p", "muted", `${who}: nobody in this page says any of these words.`),
      );
      made.append(pair);
    });
    return made;
  };

  const searched = new WeakMap();
  const words = (each) => {
    if (!searched.has(each)) searched.set(each, [each.id, each.need || "", ...each.said.map(plain)].join("\n").toLowerCase());
    return searched.get(each);
  };
  let page = 0;
  let fitting = [];
  const show = () => {
    const last = Math.max(0, Math.ceil(fitting.length / N_SHOWN) - 1);
    page = Math.min(Math.max(page, 0), last);
    const from = page * N_SHOWN;
    const shown = fitting.slice(from, from + N_SHOWN);
    listed.replaceChildren(...shown.map((each) => row(each, side.value)));
    const of = `${fitting.length.toLocaleString("en")} conversation${fitting.length === 1 ? "" : "s"}`;
    found.textContent = fitting.length ? `${from + 1}–${from + shown.length} of ${of}` : "no conversation";
    earlier.disabled = page === 0;
    later.disabled = page === last;
  };
  const filter = () => {
    const wanted = said.value.trim().toLowerCase();
    const [low, high] = likeness.value ? likeness.value.split(",").map(Number) : [];
    fitting = sides[side.value].filter(
      (each) =>
        (!arm.value || each.arm === arm.value) &&
        (!task.value || each.task === task.value) &&
        (!ending.value || each.end === ending.value) &&
        (!likeness.value || (each.score >= low && each.score < high)) &&
        (!wanted || words(each).includes(wanted)),
    );
    const sign = Number(order.value);
    // What has no score stands last, whichever end comes first.
    if (sign) fitting.sort((a, b) => (a.score === undefined) - (b.score === undefined) || sign * ((a.score || 0) - (b.score || 0)));
    page = 0;
    show();
  };
  for (const [select, key] of [[arm, "arm"], [task, "task"], [ending, "end"]]) {
    const values = new Set([...sides.simulated, ...sides.people].map((each) => each[key]).filter(Boolean));
    for (const value of [...values].sort()) {
      const option = element("option", "", value);
      option.value = value;
      select.append(option);
    }
    select.parentElement.hidden = values.size < 2;
  }
  const scored = [...sides.simulated, ...sides.people].some((each) => each.score !== undefined);
  for (const each of [likeness, order]) each.parentElement.hidden = !scored;
  side.parentElement.hidden = !sides.people.length || !sides.simulated.length;
  if (!sides.simulated.length) side.value = "people";
  let waiting;
  said.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 120);
  });
  for (const each of [side, arm, task, ending, likeness, order]) each.addEventListener("change", filter);
  byId("reader").querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  for (const [button, step] of [[earlier, -1], [later, 1]]) {
    button.addEventListener("click", () => {
      page += step;
      show();
    });
  }
  byId("reader").hidden = false;
  filter();

  // Where the page names a conversation, its name leads here.
  const known = Object.fromEntries(Object.entries(sides).map(([name, all]) => [name, new Set(all.map((each) => each.id))]));
  for (const place of document.querySelectorAll("[data-read]")) {
    const [name, id] = [place.dataset.read, place.textContent];
    if (!known[name] || !known[name].has(id)) continue;
    const button = element("button", "read", id);
    button.type = "button";
    button.addEventListener("click", () => {
      for (const each of [arm, task, ending, likeness, order]) each.value = "";
      side.value = name;
      said.value = id;
      filter();
      fitting.sort((a, b) => (b.id === id) - (a.id === id));
      show();
      listed.firstChild.open = true;
      listed.firstChild.querySelector("summary").focus();
    });
    place.replaceChildren(button);
  }
})();
