// Sorting, filtering, copying and highlighting. Everything on a page reads without this.
// synchroscope report: page.js
(() => {
  "use strict";
  const FILTER_FROM = 8; // A table with fewer rows is read at a glance.

  const value = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return null;
    if (cell.dataset.v !== undefined) return cell.dataset.v === "" ? null : Number(cell.dataset.v);
    // A number that the text holds in full is said once.
    const text = cell.firstChild?.nodeType === Node.TEXT_NODE ? cell.firstChild.data.trim() : "";
    if (text === "-") return null;
    return /^\d+(\.\d+)?( ns)?$/.test(text) ? parseFloat(text) : cell.textContent.trim();
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));

  const sortable = (table) => {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      // Links of a heading stay links, beside the button.
      button.append(...[...head.childNodes].filter((node) => node.nodeName !== "A"));
      head.prepend(button);
      if (!button.textContent.trim()) button.setAttribute("aria-label", "sort");
      button.addEventListener("click", () => {
        const body = table.tBodies[0];
        const rows = [...body.rows];
        const first = rows.map((row) => value(row, column)).find((v) => v !== null);
        const now = head.getAttribute("aria-sort");
        // Numbers start with the largest, words with A.
        const down = now ? now === "ascending" : typeof first === "number";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        rows
          .map((row) => ({ row, v: value(row, column) }))
          .sort((a, b) => {
            // What is not known stays at the end, whichever way.
            if (a.v === null || b.v === null) return (a.v === null) - (b.v === null);
            return down ? compare(b.v, a.v) : compare(a.v, b.v);
          })
          .forEach(({ row }) => body.append(row));
      });
    });
  };

  // Rows that are shown, as text that a spreadsheet takes: numbers in full where the table rounds them.
  const text = (cell) => {
    const number = cell.dataset.v;
    const copy = cell.cloneNode(true);
    copy.querySelectorAll(".how").forEach((link) => link.remove());
    copy.querySelectorAll("br").forEach((br) => br.replaceWith(" "));
    return (number !== undefined && number !== "" ? number : copy.textContent).replace(/\s+/g, " ").trim();
  };
  const asTsv = (table) => {
    const rows = [table.tHead.rows[0], ...[...table.tBodies[0].rows].filter((row) => !row.hidden)];
    return rows.map((row) => [...row.cells].map(text).join("\t")).join("\n") + "\n";
  };
  // Where no clipboard is to be had, an area with the text selected stands in.
  const put = async (content, bar) => {
    try {
      await navigator.clipboard.writeText(content);
      return true;
    } catch {
      const area = document.createElement("textarea");
      area.value = content;
      area.readOnly = true;
      area.setAttribute("aria-label", "the table, tab-separated");
      bar.append(area);
      area.select();
      let done = false;
      try {
        done = document.execCommand("copy");
      } catch {
        done = false;
      }
      if (done) area.remove();
      return done;
    }
  };

  const bar = (table) => {
    const bar = document.createElement("div");
    bar.className = "bar";
    const said = document.createElement("span");
    said.setAttribute("role", "status");
    if (table.tBodies[0].rows.length >= FILTER_FROM) {
      const input = document.createElement("input");
      input.type = "search";
      input.placeholder = "filter rows";
      input.setAttribute("aria-label", `Filter rows: ${table.caption?.textContent ?? ""}`.trim());
      input.addEventListener("input", () => {
        const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
        let shown = 0;
        for (const row of table.tBodies[0].rows) {
          const content = row.textContent.toLowerCase();
          row.hidden = !words.every((word) => content.includes(word));
          shown += row.hidden ? 0 : 1;
        }
        said.textContent = words.length ? `${shown} of ${table.tBodies[0].rows.length} rows` : "";
      });
      bar.append(input);
    }
    const copy = document.createElement("button");
    copy.type = "button";
    copy.textContent = "copy";
    copy.title = "copy the rows that are shown, tab-separated";
    copy.addEventListener("click", async () => {
      const done = await put(asTsv(table), bar);
      said.textContent = done ? "copied" : "press Ctrl-C";
    });
    bar.append(copy, said);
    (table.closest(".scroll") ?? table).before(bar);
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    if (!table.tHead || !table.tBodies[0]) continue;
    sortable(table);
    bar(table);
  }

  let lit = null;
  const light = (series) => {
    if (series === lit) return;
    lit = series;
    document.querySelectorAll(".on").forEach((e) => e.classList.remove("on"));
    document.body.classList.toggle("lit", series !== null);
    if (series !== null) document.querySelectorAll(`[data-i="${series}"]`).forEach((e) => e.classList.add("on"));
  };
  const of = (target) => target.closest?.("[data-i]")?.dataset.i ?? null;
  document.addEventListener("pointerover", (event) => light(of(event.target)));
  document.addEventListener("focusin", (event) => light(of(event.target)));
  document.addEventListener("keydown", (event) => event.key === "Escape" && light(null));
})();
