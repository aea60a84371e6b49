// Opens reports in a headless Chromium and checks what only a browser can tell:
//   node check.mjs REPORT...
// REPORT is the first page of a report. Every page that the pages of the first one lead to is opened, and of the others so
// many of a kind: no errors on the console, no request leaves, links lead somewhere, nothing scrolls sideways, no two texts
// of a chart stand on each other. Of each kind of page one is looked at closely, and again where names are hostile or all
// pages are one file: sorting by click and by keyboard, filtering, copying, highlighting, the dark scheme, paper, a phone,
// tables and charts without JavaScript. A page that is the same in several reports is opened once.
// CHROMIUM names the browser if it is not /usr/bin/chromium.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
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
// Of a kind with thousands of pages so many are opened in the first report, and in each other one.
const OF_A_KIND_MAX = 120;
const OF_A_KIND_ELSEWHERE_MAX = 12;
// A page of thousands of cells must still open while one waits.
const OPENS_WITHIN_MS = 1000;
const SLACK = 4; // The computer may be busy, and opens several at once.

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
  const context = await browser.newContext({ viewport: DESK, colorScheme: "light", ...options });
  const page = await context.newPage();
  const noise = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && noise.push(message.text()));
  page.on("pageerror", (error) => noise.push(String(error)));
  page.on("request", (request) => /^(file|data):/.test(request.url()) || noise.push(`asks for ${request.url()}`));
  page.on("requestfailed", (request) => noise.push(`cannot load ${request.url()}`));
  page.on("dialog", (dialog) => (noise.push(`dialog ${dialog.message()}`), dialog.dismiss()));
  return { page, noise };
}
const DESK = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };

const sideways = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// What must hold on every page; returns the pages that it leads to. One question to the page: asking costs more than
// answering.
async function everywhere(name, page, report) {
  const facts = await page.evaluate(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const ids = all("[id]").map((e) => e.id);
    const links = [...new Set(all("a[href]").map((a) => a.href))];
    const here = location.href.split("#")[0];
    const known = new Set(ids);
    // Texts of one picture that share more than the edges of their boxes.
    const piled = [];
    for (const svg of all("svg")) {
      const texts = [...svg.querySelectorAll("text")].map((e) => ({ words: e.textContent, ...boxOf(e) }));
      const boxes = texts.filter((box) => box.right > box.left).sort((a, b) => a.top - b.top);
      boxes.forEach((a, i) => {
        for (const b of boxes.slice(i + 1)) {
          if (b.top > a.bottom - 4) break;
          if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2) piled.push(`${a.words} on ${b.words}`);
        }
      });
    }
    function boxOf(e) {
      const { x, y, width, height } = e.getBBox();
      return { left: x, right: x + width, top: y, bottom: y + height };
    }
    return {
      headings: all("h1").filter((e) => e.getClientRects().length > 0).length,
      title: document.title,
      pwned: window.pwned,
      scripts: all("script").length,
      strange: all("img,iframe,form,object,marquee").length,
      bare: all("svg").filter((e) => e.getAttribute("role") !== "img" || !e.hasAttribute("aria-label")).length,
      twice: ids.filter((id, i) => ids.indexOf(id) !== i),
      dangling: links.filter((l) => l.startsWith(`${here}#`) && !known.has(decodeURIComponent(l.split("#")[1]))),
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      stamp: all(".stamp pre, .stamp code").length,
      piled,
      links,
    };
  });
  const few = (list) => list.slice(0, 3).join(", ");
  check(name, "has one heading of the first level that shows", facts.headings === 1);
  check(name, "has a title", facts.title.includes("Contention report"));
  check(name, "no name became script", facts.pwned === undefined);
  check(name, "one script, the report's own", facts.scripts === 1);
  check(name, "nothing came out of a name", facts.strange === 0);
  check(name, "every chart has a text alternative", facts.bare === 0, `${facts.bare} without`);
  check(name, "no text of a chart stands on another", facts.piled.length === 0, few(facts.piled));
  check(name, "ids are unique", facts.twice.length === 0, few(facts.twice));
  check(name, "links inside the page lead somewhere", facts.dangling.length === 0, few(facts.dangling));
  check(name, "does not scroll sideways", facts.wide <= 0);
  check(name, "says which command made it", facts.stamp > 0);
  const files = new Set(facts.links.filter((link) => link.startsWith("file:")).map((link) => link.split("#")[0]));
  for (const file of files) {
    check(name, "links lead to files", existsSync(fileURLToPath(file)), file);
  }
  return [...files].filter((file) => file.endsWith(".html") && fileURLToPath(file).startsWith(dirname(report)));
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
  // There is one clipboard.
  await alone(async () => {
    await bar.locator("button").click();
    await page.waitForFunction((b) => b.querySelector("[role=status]").textContent !== "", await bar.elementHandle());
    const said = await bar.locator("[role=status]").textContent();
    check(name, "the table is copied, or its text stands ready", ["copied", "press Ctrl-C"].includes(said), said);
    if (said === "copied") {
      const text = await page.evaluate(() => navigator.clipboard.readText());
      check(name, "what is copied has all rows", text.trim().split("\n").length === before + 1);
    }
  });

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

// One after the other.
let last = Promise.resolve();
const alone = (what) => (last = last.then(what, what));

// One page of a kind that is open already, from all sides.
async function closely(name, page) {
  await page.keyboard.press("Tab");
  const first = await page.evaluate(() => document.activeElement.getAttribute("href"));
  check(name, "the first key leads to the content", first === "#main", first);
  await tables(name, page);
  await page.emulateMedia({ colorScheme: "dark" });
  const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3).reduce((sum, v) => sum + Number(v), 0) / 765;
  const of = (selector, property) =>
    page.locator(selector).first().evaluate((e, property) => getComputedStyle(e)[property], property);
  check(name, "the dark scheme is dark", light(await of("body", "backgroundColor")) < 0.3);
  check(name, "its text is light", light(await of("body", "color")) > 0.7);
  if ((await page.locator("svg > text:not([class])").count()) > 0) {
    check(name, "text in charts follows", light(await of("svg > text:not([class])", "fill")) > 0.7);
  }
  await page.emulateMedia({ colorScheme: "dark", media: "print" });
  check(name, "paper is light, whatever the screen", light(await of("body", "backgroundColor")) > 0.9);
  check(name, "ink is dark", light(await of("body", "color")) < 0.3);
  check(name, "paper has no navigation", (await page.locator("header.site:visible").count()) === 0);
  await page.emulateMedia({ colorScheme: "light", media: "screen" });
  await page.setViewportSize(PHONE);
  check(name, "does not scroll sideways on a phone", (await sideways(page)) <= 0);
  await page.setViewportSize(DESK);
}

// The same page where nothing runs.
async function still(name, page) {
  const seen = await page.locator("table:visible").evaluateAll((all) => all.map((t) => t.tBodies[0].rows.length));
  check(name, "tables have rows without JavaScript", seen.every((rows) => rows > 0));
  const heights = await page
    .locator("figure svg:visible")
    .evaluateAll((all) => all.map((e) => e.getBoundingClientRect().height));
  check(name, "charts show without JavaScript", heights.every((height) => height > 40), heights.join(", "));
}

// A report in one file: sections stand in for pages.
async function sections(name, page) {
  const wrong = await page.evaluate((most) => {
    const all = [...document.querySelectorAll("section.page")];
    const shows = (e) => e.getClientRects().length > 0;
    const alone = ({ id }) => {
      location.hash = `#${encodeURIComponent(id)}`;
      const shown = all.filter(shows).map((e) => e.id);
      return shown.length === 1 && shown[0] === id;
    };
    return all.slice(0, most).filter((e) => !alone(e)).map((e) => e.id);
  }, OF_A_KIND_MAX);
  check(name, "the address of a section shows it alone", wrong.length === 0, wrong.slice(0, 3).join(", "));
}

// Pages that were opened, by what is in them and around them; kinds that were looked at closely.
const known = new Set();
const close = new Set();
// What is to be done, and how much of it is being done.
const tasks = [];
let busy = 0;
let opened = 0;

const enqueue = (site, url) => {
  if (site.seen.has(url)) return;
  site.seen.add(url);
  const path = relative(dirname(site.report), fileURLToPath(url));
  const kind = dirname(path) === "." ? path : dirname(path);
  const count = (site.kinds.get(kind) ?? 0) + 1;
  site.kinds.set(kind, count);
  if (count <= site.most) tasks.push({ site, url, path, kind });
};

async function visit(seat, { site, url, path, kind }) {
  const name = `${site.first}: ${path}`;
  const file = fileURLToPath(url);
  if (!existsSync(file)) return; // The page that leads there has been blamed.
  // Documents are the same in every report, but for where they lead.
  const content = readFileSync(file);
  const hash = createHash("sha256").update(content).digest("hex");
  if (known.has(hash)) return;
  known.add(hash);
  const { page, noise } = seat.moving;
  const start = Date.now();
  await page.goto(url);
  const took = Date.now() - start;
  check(name, "opens in time", took < OPENS_WITHIN_MS * SLACK, `${took} ms`);
  for (const link of await everywhere(name, page, site.report)) enqueue(site, link);
  const whole = content.includes('class="page') || content.includes("class=page");
  const sort = `${kind}${whole ? ", whole" : ""}${/hostile/.test(site.report) ? ", hostile" : ""}`;
  const first = !close.has(sort);
  close.add(sort);
  try {
    if (first) await closely(name, page);
    if (whole) await sections(name, page);
  } catch (error) {
    check(name, "the check itself failed", false, String(error).split("\n")[0]);
    await page.emulateMedia({ colorScheme: "light", media: "screen" });
    await page.setViewportSize(DESK);
  }
  check(name, "console is quiet", noise.length === 0, noise.splice(0).join("; "));
  if (first) {
    await seat.still.page.goto(url);
    await still(name, seat.still.page);
    check(name, "console is quiet without JavaScript", seat.still.noise.length === 0, seat.still.noise.splice(0).join("; "));
  }
  opened += 1;
}

// Works until nothing is left that could bring new work.
async function work() {
  const moving = await listener({ permissions: ["clipboard-read", "clipboard-write"] });
  const seat = { moving, still: await listener({ javaScriptEnabled: false }) };
  while (tasks.length > 0 || busy > 0) {
    const task = tasks.shift();
    if (!task) {
      await new Promise((wake) => setTimeout(wake, 5));
      continue;
    }
    busy += 1;
    try {
      await visit(seat, task);
    } catch (error) {
      check(`${task.site.first}: ${task.path}`, "opens", false, String(error).split("\n")[0]);
    } finally {
      busy -= 1;
    }
  }
}

reports.forEach((first, index) => {
  const report = resolve(first);
  const most = index === 0 ? OF_A_KIND_MAX : OF_A_KIND_ELSEWHERE_MAX;
  enqueue({ first, report, most, seen: new Set(), kinds: new Map() }, pathToFileURL(report).href);
});
await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));

await browser.close();
if (failures.length > 0) {
  console.error(failures.slice(0, 100).join("\n"));
  console.error(`${failures.length} failures`);
  process.exit(1);
}
console.log(`${reports.length} reports hold, ${opened} pages, ${close.size} kinds of them closely`);
