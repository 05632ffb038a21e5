// What a term means, on hover and on focus: stays while pointed at, and goes with Escape.
"use strict";
(() => {
  const tip = document.createElement("div");
  tip.id = "tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.querySelector("main").append(tip);
  let of = null;
  let said = "";
  let leaving;
  const hide = () => {
    clearTimeout(leaving);
    if (of) of.removeAttribute("aria-describedby");
    tip.hidden = true;
    of = null;
  };
  const show = (term, words = term.dataset.tip) => {
    clearTimeout(leaving);
    if (of && of !== term) hide();
    of = term;
    tip.textContent = words;
    said = words;
    tip.hidden = false;
    if (!(term instanceof SVGElement)) term.setAttribute("aria-describedby", tip.id);
    const box = term.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left), document.documentElement.clientWidth - tip.offsetWidth - 8);
    const above = box.top - tip.offsetHeight - 6;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${box.bottom + tip.offsetHeight + 6 > innerHeight && above > 0 ? above : box.bottom + 6}px`;
  };
  const leave = () => {
    clearTimeout(leaving);
    leaving = setTimeout(() => of && document.activeElement !== of && hide(), 150);
  };
  for (const term of document.querySelectorAll("[data-tip]")) {
    term.addEventListener("pointerenter", () => show(term));
    term.addEventListener("pointerleave", leave);
    term.addEventListener("focus", () => show(term));
    term.addEventListener("blur", hide);
    term.addEventListener("click", () => show(term));
  }
  // A picture is one image to the keyboard, whose names are explained in the table of findings.
  const names = new Map([...document.querySelectorAll("#table [data-tip]")].map((each) => [each.textContent, each.dataset.tip]));
  for (const text of document.querySelectorAll("figure svg text")) {
    const words = names.get(text.textContent);
    if (!words) continue;
    text.style.cursor = "help";
    text.addEventListener("pointerenter", () => show(text, words));
    text.addEventListener("pointerleave", leave);
  }
  tip.addEventListener("pointerenter", () => clearTimeout(leaving));
  tip.addEventListener("pointerleave", leave);
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
  addEventListener("scroll", () => of && show(of, said), { passive: true, capture: true });
})();
