// Opens reports in a headless Chromium and checks what only a browser can tell:
//   node check.mjs REPORT...
// REPORT is the first page of a report. Every page that its pages lead to is opened: no errors on the console, no request
// leaves, links lead somewhere, nothing scrolls sideways. Of each kind of page one is looked at closely: sorting by click
// and by keyboard, filtering, copying, highlighting, the dark scheme, a phone, tables and charts without JavaScript.
// CHROMIUM names the browser if it is not /usr/bin/chromium.
import { existsSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const reports = process.argv.slice(2);
if (reports.length === 0) {
  console.error("usage: node check.mjs REPORT...");
  process.exit(2);
}
const missing = reports.find((page) => !existsSync(page));
if (missing) {
  console.error(`${missing} does not exist: REPORT must be a report's first page`);
  process.exit(2);
}
// Of a kind with thousands of pages so many are opened.
const OF_A_KIND_MAX = 120;
// A page of thousands of cells must still open while one waits.
const OPENS_WITHIN_MS = 1000;
const SLACK = 4; // The computer may be busy.

const failures = [];
const check = (page, what, holds, detail = "") => {
  if (!holds) failures.push(`${page}: ${what}${detail ? ` (${detail})` : ""}`);
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});

// A page of the browser that collects what the pages of a report complain about.
async function listener(options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const noise = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && noise.push(message.text()));
  page.on("pageerror", (error) => noise.push(String(error)));
  page.on("request", (request) => /^(file|data):/.test(request.url()) || noise.push(`asks for ${request.url()}`));
  page.on("requestfailed", (request) => noise.push(`cannot load ${request.url()}`));
  page.on("dialog", (dialog) => (noise.push(`dialog ${dialog.message()}`), dialog.dismiss()));
  return { context, page, noise };
}

// Opens one page and runs `test` on it.
async function open(name, url, options, test) {
  const { context, page, noise } = await listener(options);
  await page.goto(url);
  try {
    await test(page);
  } catch (error) {
    check(name, "the check itself failed", false, String(error).split("\n")[0]);
  }
  check(name, "console is quiet", noise.length === 0, noise.join("; "));
  await context.close();
}

const sideways = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// What must hold on every page; returns the pages that it leads to.
async function everywhere(name, page, report) {
  check(name, "has one heading of the first level that shows", (await page.locator("h1:visible").count()) === 1);
  check(name, "has a title", (await page.title()).includes("Contention report"));
  check(name, "no name became script", (await page.evaluate(() => window.pwned)) === undefined);
  check(name, "one script, the report's own", (await page.locator("script").count()) === 1);
  check(name, "nothing came out of a name", (await page.locator("img,iframe,form,object,marquee").count()) === 0);
  const bare = await page.locator('svg:not([role="img"]), svg:not([aria-label])').count();
  check(name, "every chart has a text alternative", bare === 0, `${bare} without`);
  const facts = await page.evaluate(() => {
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    const links = [...document.querySelectorAll("a[href]")].map((a) => a.href);
    const here = location.href.split("#")[0];
    const known = new Set(ids);
    const dangling = links
      .filter((l) => l.startsWith(`${here}#`))
      .filter((l) => !known.has(decodeURIComponent(l.split("#")[1])));
    return { twice: ids.filter((id, i) => ids.indexOf(id) !== i), dangling, links };
  });
  check(name, "ids are unique", facts.twice.length === 0, facts.twice.slice(0, 3).join(", "));
  check(name, "links inside the page lead somewhere", facts.dangling.length === 0, facts.dangling.slice(0, 3).join(", "));
  check(name, "does not scroll sideways", (await sideways(page)) <= 0);
  const files = facts.links.filter((link) => link.startsWith("file:")).map((link) => link.split("#")[0]);
  for (const file of new Set(files)) {
    check(name, "links lead to files", existsSync(fileURLToPath(file)), file);
  }
  return files.filter((file) => file.endsWith(".html") && fileURLToPath(file).startsWith(dirname(report)));
}

const column = (page, table, index) =>
  page.locator(table).locator("tbody tr").evaluateAll(
    // What the page's script sorts by: a number of its own, or the text, where units of other size have one.
    (rows, index) =>
      rows.map(({ cells }) => {
        const text = cells[index].firstChild?.textContent.trim() ?? "";
        return cells[index].dataset.v ?? (text === "-" ? "" : text.replace(/ ns$/, ""));
      }),
    index,
  );
const ordered = (values, down) => {
  const numbers = values.filter((v) => v !== "").map(Number);
  const known = values.findIndex((v) => v === "");
  const blanksLast = known === -1 || values.slice(known).every((v) => v === "");
  return blanksLast && numbers.every((v, i) => i === 0 || (down ? numbers[i - 1] >= v : numbers[i - 1] <= v));
};

// Tables: the first one that shows and has a column of numbers.
async function tables(name, page) {
  const at = await page.locator("table.sortable").evaluateAll((all) =>
    all.findIndex((t) => t.offsetParent !== null && !t.closest("details:not([open])") && t.querySelector("td[data-v]")),
  );
  if (at === -1) return;
  const table = `table.sortable >> nth=${at}`;
  const index = await page
    .locator(table)
    .evaluate((t) => {
      const rows = [...t.tBodies[0].rows];
      return [...rows[0].cells].findIndex((_, i) => rows.some((row) => row.cells[i]?.dataset.v !== undefined));
    });
  const head = page.locator(table).locator("thead th").nth(index);
  const before = (await column(page, table, index)).length;
  await head.locator("button").click();
  check(name, "a click sorts, largest first", ordered(await column(page, table, index), true));
  check(name, "and says so", (await head.getAttribute("aria-sort")) === "descending");
  await head.locator("button").focus();
  await page.keyboard.press("Enter");
  check(name, "the keyboard sorts the other way", ordered(await column(page, table, index), false));
  check(name, "and says so", (await head.getAttribute("aria-sort")) === "ascending");
  check(name, "sorting keeps all rows", (await column(page, table, index)).length === before);

  const bar = page.locator(table).locator("xpath=ancestor-or-self::*[preceding-sibling::*[1][@class='bar']][1]/preceding-sibling::*[1]");
  const rows = page.locator(table).locator("tbody tr:visible");
  if ((await bar.locator("input").count()) > 0) {
    const first = (await rows.first().locator("th").textContent()).trim().split(" ")[0];
    await bar.locator("input").fill(first);
    const shown = await rows.count();
    check(name, "the filter leaves rows that match", shown > 0 && shown <= before, `${shown} of ${before}`);
    await bar.locator("input").fill("no row has this");
    check(name, "the filter hides rows that do not", (await rows.count()) === 0);
    await bar.locator("input").fill("");
    check(name, "an empty filter shows all rows", (await rows.count()) === before);
  }
  await bar.locator("button").click();
  await page.waitForFunction((b) => b.querySelector("[role=status]").textContent !== "", await bar.elementHandle());
  const said = await bar.locator("[role=status]").textContent();
  check(name, "the table is copied, or its text stands ready", ["copied", "press Ctrl-C"].includes(said), said);
  if (said === "copied") {
    const text = await page.evaluate(() => navigator.clipboard.readText());
    check(name, "what is copied has all rows", text.trim().split("\n").length === before + 1);
  }

  const row = page.locator(table).locator("tbody tr[data-i]").first();
  if ((await row.count()) > 0) {
    const series = await row.getAttribute("data-i");
    await row.locator("th").hover();
    const lit = await page.locator(".on").evaluateAll((all) => all.map((e) => e.dataset.i));
    check(name, "pointing at a row lights its series and no other", lit.length > 0 && lit.every((i) => i === series));
    await page.keyboard.press("Escape");
    check(name, "Escape ends the highlight", (await page.locator(".on").count()) === 0);
  }
}

// One page of a kind, from all sides.
async function closely(name, url) {
  await open(name, url, { permissions: ["clipboard-read", "clipboard-write"] }, (page) => tables(name, page));
  await open(name, url, {}, async (page) => {
    await page.keyboard.press("Tab");
    const first = await page.evaluate(() => document.activeElement.getAttribute("href"));
    check(name, "the first key leads to the content", first === "#main", first);
  });
  await open(name, url, { colorScheme: "dark" }, async (page) => {
    const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3).reduce((sum, v) => sum + Number(v), 0) / 765;
    const of = (selector, property) =>
      page.locator(selector).first().evaluate((e, property) => getComputedStyle(e)[property], property);
    check(name, "the dark scheme is dark", light(await of("body", "backgroundColor")) < 0.3);
    check(name, "its text is light", light(await of("body", "color")) > 0.7);
    if ((await page.locator("svg > text:not([class])").count()) > 0) {
      check(name, "text in charts follows", light(await of("svg > text:not([class])", "fill")) > 0.7);
    }
  });
  await open(name, url, { viewport: { width: 390, height: 844 } }, async (page) => {
    check(name, "does not scroll sideways on a phone", (await sideways(page)) <= 0);
  });
  await open(name, url, { javaScriptEnabled: false }, async (page) => {
    const tables = await page.locator("table:visible").count();
    const rows = await page.locator("table:visible tbody tr").count();
    check(name, "tables have rows without JavaScript", rows >= tables);
    for (const chart of await page.locator("figure svg:visible").all()) {
      const box = await chart.boundingBox();
      check(name, "charts show without JavaScript", box !== null && box.height > 40);
    }
  });
}

// A report in one file: sections stand in for pages.
async function sections(name, page) {
  const all = await page.locator("section.page").evaluateAll((all) => all.map((e) => e.id));
  for (const id of all.slice(0, OF_A_KIND_MAX)) {
    await page.evaluate((id) => (location.hash = `#${encodeURIComponent(id)}`), id);
    const shown = await page.locator("section.page:visible").evaluateAll((all) => all.map((e) => e.id));
    check(name, `the address of ${id} shows it alone`, shown.length === 1 && shown[0] === id, shown.join(", "));
  }
}

let opened = 0;
for (const first of reports) {
  const report = resolve(first);
  const kinds = new Map();
  const { context, page, noise } = await listener({});
  const seen = new Set([pathToFileURL(report).href]);
  const queue = [...seen];
  while (queue.length > 0) {
    const url = queue.shift();
    const path = relative(dirname(report), fileURLToPath(url));
    const name = `${first}: ${path}`;
    const kind = dirname(path) === "." ? path : dirname(path);
    const group = kinds.get(kind) ?? [];
    kinds.set(kind, [...group, url]);
    if (group.length >= OF_A_KIND_MAX) continue;
    const start = Date.now();
    await page.goto(url);
    const took = Date.now() - start;
    check(name, "opens in time", took < OPENS_WITHIN_MS * SLACK, `${took} ms`);
    const links = await everywhere(name, page, report);
    if (path === "index.html" && (await page.locator("section.page").count()) > 0) await sections(name, page);
    check(name, "console is quiet", noise.length === 0, noise.splice(0).join("; "));
    opened += 1;
    for (const link of links.filter((link) => !seen.has(link))) {
      seen.add(link);
      queue.push(link);
    }
  }
  await context.close();
  for (const [kind, urls] of kinds) {
    await closely(`${first}: ${kind}`, urls[0]);
  }
}

await browser.close();
if (failures.length > 0) {
  console.error(failures.slice(0, 100).join("\n"));
  console.error(`${failures.length} failures`);
  process.exit(1);
}
console.log(`${reports.length} reports hold, ${opened} pages`);
