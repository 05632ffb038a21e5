// Theme, sorting, filtering, printing. The page is whole without it; what needs it is hidden until it runs.
"use strict";
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const toggle = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  // A button either names the scheme that it switches to, or is a switch that is pressed where the page is dark.
  const showTheme = () => {
    if ("switches" in toggle.dataset) toggle.textContent = isDark() ? "Light" : "Dark";
    else toggle.setAttribute("aria-pressed", String(isDark()));
  };
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    showTheme();
  });
  system.addEventListener("change", showTheme);
  toggle.hidden = false;
  showTheme();

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:is(.chat, .limits, .warnings):not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of opened) each.open = false;
  });

  const table = document.getElementById("table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];

  const search = document.getElementById("search");
  const kind = document.getElementById("kind");
  const shown = document.getElementById("shown");
  const words = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const filter = () => {
    const wanted = search.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = words.get(row).includes(wanted) && (!kind.value || row.dataset.kind === kind.value);
      row.hidden = !fits;
      count += fits;
    }
    shown.textContent = count === rows.length ? `${count} findings` : `${count} of ${rows.length} findings`;
  };
  search.addEventListener("input", filter);
  kind.addEventListener("change", filter);
  const filters = document.getElementById("filters");
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.hidden = false;

  const text = (cell) => (cell.querySelector("summary") || cell).textContent.trim();
  const number = (cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value));
  const compareText = (a, b) => text(a).localeCompare(text(b));
  const compareNumber = (a, b) => number(a) - number(b);
  const sort = (index, numeric, sign) => {
    const sorted = [...rows].sort((a, b) => {
      const [x, y] = [a.cells[index], b.cells[index]];
      if (numeric && (number(x) === null || number(y) === null)) {
        // What is undefined stands last, whichever way is up.
        return (number(x) === null) - (number(y) === null);
      }
      return sign * (numeric ? compareNumber(x, y) : compareText(x, y));
    });
    body.append(...sorted);
  };
  heads.forEach((head, index) => {
    if (!head.dataset.sort) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      sort(index, head.dataset.sort === "number", up ? 1 : -1);
    });
  });
})();
