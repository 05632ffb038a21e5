// What the page can do without, made easier: the list grows by itself, and filters work at once.
"use strict";

const LOOK_EVERY_MS = 1500;
const PARTS = ["runs", "results", "pages", "status"];
const filters = document.getElementById("filters");

const ticked = () => new Set([...document.querySelectorAll("#results input[name=c]:checked")].map((box) => box.value));

function countChosen() {
  const n = ticked().size;
  const said = document.getElementById("chosen");
  if (!said) return;
  if (!said.dataset.all) said.dataset.all = said.textContent;
  said.textContent = n ? `${n} chosen` : said.dataset.all;
}

function refreshMenus(fresh) {
  for (const label of fresh.querySelectorAll("#filters .menus > label")) {
    const select = label.querySelector("select");
    const mine = select && document.getElementById(select.id);
    if (mine && mine !== document.activeElement) {
      const chosen = mine.value;
      mine.replaceChildren(...select.childNodes);
      mine.value = chosen;
    } else if (select && !mine) {
      document.querySelector("#filters .menus").prepend(label);
    }
  }
  const range = fresh.querySelector("#filters .range");
  if (range && !document.querySelector("#filters .range")) document.querySelector("#filters .menus").append(range);
}

let latest = 0;

async function show(address) {
  const mine = ++latest;
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok || mine !== latest) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== latest) return;
  const chosen = ticked();
  const focused = document.activeElement?.closest("#results, #pages, #runs") && document.activeElement.getAttribute("href");
  for (const part of PARTS) {
    const [old, made] = [document.getElementById(part), fresh.getElementById(part)];
    if (old && made) old.replaceWith(made);
  }
  for (const box of document.querySelectorAll("#results input[name=c]")) box.checked = chosen.has(box.value);
  if (focused) document.querySelector(`main a[href="${CSS.escape(focused)}"]`)?.focus();
  refreshMenus(fresh);
  countChosen();
  const said = document.getElementById("count").textContent;
  const announced = document.getElementById("announced");
  if (announced.textContent !== said) announced.textContent = said;
}

async function look() {
  try {
    const answer = await fetch("/state");
    const status = document.getElementById("status");
    if (answer.ok) {
      const state = await answer.json();
      if (String(state.version) !== status.dataset.version || status.querySelector(".busy")) await show(location.href);
    }
  } catch {
    document.querySelector("#status span:last-child").textContent = "the server has stopped";
  }
  setTimeout(look, LOOK_EVERY_MS);
}

// Whether somebody changed a field while this script was on its way.
function changed(field) {
  if (field.type === "checkbox") return field.checked !== field.defaultChecked;
  if (field.options) return field.value !== (field.querySelector("option[selected]") ?? field.options[0]).value;
  return false;
}

if (filters) {
  filters.addEventListener("change", (event) => {
    if (event.target.id !== "text") filters.requestSubmit();
  });
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = new URLSearchParams([...new FormData(filters)].filter(([, value]) => value));
    const address = given.size ? `/?${given}` : "/";
    history.pushState(null, "", address);
    show(address);
  });
  addEventListener("popstate", () => location.reload());
  document.addEventListener("change", (event) => {
    if (event.target.name === "c") countChosen();
  });
  countChosen();
  if ([...filters.elements].some(changed)) filters.requestSubmit();
  setTimeout(look, LOOK_EVERY_MS);
}
