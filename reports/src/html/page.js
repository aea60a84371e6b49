// Sorting and highlighting. Everything on the page reads without this.
(() => {
  "use strict";
  const value = (row, column) => {
    const cell = row.cells[column];
    if (!cell) return null;
    if (cell.dataset.v !== undefined) return cell.dataset.v === "" ? null : Number(cell.dataset.v);
    return cell.textContent.trim();
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
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
