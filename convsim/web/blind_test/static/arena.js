// What the page can do without, made easier: a form is sent once, and words are one stop of the Tab key.
"use strict";

const form = document.getElementById("trial");

function sendOnce(each) {
  let sent = false;
  each.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    // Not before the browser has read which button was pressed.
    setTimeout(() => each.querySelectorAll("button").forEach((button) => { button.disabled = true; }), 0);
  });
  // A page that comes back from the browser's memory may be sent again: the server keeps the first answer.
  addEventListener("pageshow", () => {
    sent = false;
    each.querySelectorAll("button").forEach((button) => { button.disabled = false; });
  });
}

function walkWords(section) {
  const words = [...section.querySelectorAll(".word input")];
  words.forEach((word, place) => { word.tabIndex = place === 0 ? 0 : -1; });
  section.addEventListener("keydown", (event) => {
    const place = words.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const next = step && place >= 0 ? words[place + step] : undefined;
    if (!next) return;
    event.preventDefault();
    words[place].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

function countWords() {
  const n = form.querySelectorAll(".word input:checked").length;
  document.getElementById("marked").textContent = n ? ` ${n} marked.` : "";
}

document.querySelectorAll("form").forEach(sendOnce);
if (form) {
  form.querySelectorAll(".conversation").forEach(walkWords);
  if (document.getElementById("marked")) {
    form.addEventListener("change", countWords);
    countWords();
  }
}
