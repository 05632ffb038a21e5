// Each picture as SVG and PNG, each table as CSV and LaTeX; made here, and handed to the reader as a file.
"use strict";
(() => {
  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };
  const named = (title, ending) =>
    `${title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "convsim"}.${ending}`;
  const buttons = (title, made) => {
    const group = document.createElement("span");
    group.className = "export";
    for (const [kind, work] of made) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = kind;
      button.setAttribute("aria-label", `Save “${title}” as ${kind}`);
      button.addEventListener("click", work);
      group.append(button);
    }
    return group;
  };

  const SCALE = 3;
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const color = (variable) => {
    probe.style.color = `var(${variable})`;
    return getComputedStyle(probe).color;
  };
  const alone = (svg) => {
    const copy = svg.cloneNode(true);
    const [x, y, width, height] = copy.getAttribute("viewBox").split(/\s+/).map(Number);
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.setAttribute("font-family", "system-ui, sans-serif");
    const paper = document.createElementNS(svg.namespaceURI, "rect");
    for (const [key, value] of Object.entries({ x, y, width, height, fill: "var(--card)" })) paper.setAttribute(key, value);
    copy.insertBefore(paper, [...copy.children].find((child) => !["title", "desc"].includes(child.localName)) || null);
    const text = new XMLSerializer().serializeToString(copy).replace(/var\((--[\w-]+)\)/g, (_, variable) => color(variable));
    return { text, width, height };
  };
  const asSvg = (svg, title) => save(new Blob([alone(svg).text], { type: "image/svg+xml" }), named(title, "svg"));
  const asPng = (svg, title) => {
    const { text, width, height } = alone(svg);
    const image = new Image();
    image.addEventListener("load", () => {
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(width * SCALE);
      canvas.height = Math.round(height * SCALE);
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(blob, named(title, "png")), "image/png");
    });
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  };
  for (const figure of document.querySelectorAll("figure.picture")) {
    const svg = figure.querySelector("svg");
    const caption = figure.querySelector("figcaption");
    if (!svg || !caption) continue;
    const title = caption.textContent.trim();
    caption.append(buttons(title, [["SVG", () => asSvg(svg, title)], ["PNG", () => asPng(svg, title)]]));
  }

  const shown = (cell) => (cell.querySelector("summary") || cell).textContent.replace(/\s+/g, " ").trim();
  const rows = (table) => [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(shown));
  const NUMBER = /^[-+]?(\d[\d,]*\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
  // A spreadsheet would run a cell that begins so; a number may.
  const harmless = (text) => (/^[=+\-@＝＋－＠]/.test(text) && !NUMBER.test(text) ? `'${text}` : text);
  const csv = (table) => rows(table).map((row) => row.map((text) => `"${harmless(text).replace(/"/g, '""')}"`).join(",")).join("\r\n");
  const LATEX = {
    "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", $: "\\$", "&": "\\&", "#": "\\#", _: "\\_", "%": "\\%", "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}", "[": "{[}", "]": "{]}", "|": "\\textbar{}", '"': "''",
    "–": "--", "…": "\\ldots{}", "≠": "$\\neq$", "≈": "$\\approx$", "\u00a0": "~", "“": "``", "”": "''", "’": "'",
  };
  const escaped = (text) => [...text].map((character) => LATEX[character] || character).join("");
  const latex = (table) => {
    const [head, ...body] = rows(table).map((row) => `${row.map(escaped).join(" & ")} \\\\`);
    const columns = table.rows[0].cells.length;
    return [`\\begin{tabular}{l${"r".repeat(columns - 1)}}`, "\\hline", head, "\\hline", ...body, "\\hline", "\\end{tabular}", ""].join("\n");
  };
  for (const table of document.querySelectorAll("table")) {
    const region = table.closest(".scroll");
    const title = (table.caption && table.caption.textContent.trim()) || (region && region.getAttribute("aria-label")) || "table";
    const group = buttons(title, [
      ["CSV", () => save(new Blob([`\ufeff${csv(table)}\r\n`], { type: "text/csv" }), named(title, "csv"))],
      ["LaTeX", () => save(new Blob([latex(table)], { type: "application/x-tex" }), named(title, "tex"))],
    ]);
    group.classList.add("above");
    (region || table).before(group);
  }
})();
