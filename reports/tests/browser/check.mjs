// Opens each page given in a headless Chromium and checks what only a browser can tell:
//   node check.mjs PAGE...
// no errors on the console, no request leaves, sorting by click and by keyboard, highlighting, colours of the dark
// scheme, no scrolling sideways on a phone, tables without JavaScript, and names that stay text.
// CHROMIUM names the browser if it is not /usr/bin/chromium.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const pages = process.argv.slice(2);
if (pages.length === 0) {
  console.error("usage: node check.mjs PAGE...");
  process.exit(2);
}
const missing = pages.find((page) => !existsSync(page));
if (missing) {
  console.error(`${missing} does not exist: PAGE must be a report's HTML file`);
  process.exit(2);
}

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

// Opens a page, collects what it complains about, runs `test` on it.
async function open(path, options, test) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const noise = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && noise.push(message.text()));
  page.on("pageerror", (error) => noise.push(String(error)));
  page.on("request", (request) => /^(file|data):/.test(request.url()) || noise.push(`asks for ${request.url()}`));
  page.on("dialog", (dialog) => (noise.push(`dialog ${dialog.message()}`), dialog.dismiss()));
  const start = Date.now();
  await page.goto(pathToFileURL(resolve(path)).href);
  const opened = Date.now() - start;
  try {
    await test(page, opened);
  } catch (error) {
    check(path, "the check itself failed", false, String(error).split("\n")[0]);
  }
  check(path, "console is quiet", noise.length === 0, noise.join("; "));
  await context.close();
}

const column = (page, table, index) =>
  page.locator(table).locator("tbody tr").evaluateAll(
    (rows, index) => rows.map((row) => row.cells[index].dataset.v ?? row.cells[index].textContent.trim()),
    index,
  );
const ordered = (values, down) => {
  const numbers = values.filter((v) => v !== "").map(Number);
  const known = values.findIndex((v) => v === "");
  const blanksLast = known === -1 || values.slice(known).every((v) => v === "");
  return blanksLast && numbers.every((v, i) => i === 0 || (down ? numbers[i - 1] >= v : numbers[i - 1] <= v));
};

for (const path of pages) {
  await open(path, {}, async (page, opened) => {
    check(path, "opens within 5 s", opened < 5000, `${opened} ms`);
    check(path, "has one heading of the first level", (await page.locator("h1").count()) === 1);
    check(path, "has a title", (await page.title()).startsWith("Contention report"));
    check(path, "no name became script", (await page.evaluate(() => window.pwned)) === undefined);
    check(path, "one script, the page's own", (await page.locator("script").count()) === 1);
    check(path, "no image, frame or form came out of a name", (await page.locator("img,iframe,form,object").count()) === 0);
    const bare = await page.locator('svg:not([role="img"]), svg:not([aria-label])').count();
    check(path, "every chart has a text alternative", bare === 0, `${bare} without`);
    const dangling = await page
      .locator('a[href^="#"]')
      .evaluateAll((links) => links.map((l) => l.hash.slice(1)).filter((id) => !document.getElementById(id)));
    check(path, "every link inside the page leads somewhere", dangling.length === 0, dangling.join(", "));
    const twice = await page
      .locator("[id]")
      .evaluateAll((all) => all.map((e) => e.id).filter((id, i, ids) => ids.indexOf(id) !== i));
    check(path, "ids are unique", twice.length === 0, twice.join(", "));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(path, "does not scroll sideways", wide <= 0, `${wide} px`);

    if ((await page.locator("table.sortable").count()) === 0) return;
    const table = "table.sortable >> nth=0";
    const head = page.locator(table).locator("thead th").nth(1);
    const before = (await column(page, table, 1)).length;
    await head.locator("button").click();
    check(path, "a click sorts, largest first", ordered(await column(page, table, 1), true));
    check(path, "and says so", (await head.getAttribute("aria-sort")) === "descending");
    await head.locator("button").focus();
    await page.keyboard.press("Enter");
    check(path, "the keyboard sorts the other way", ordered(await column(page, table, 1), false));
    check(path, "and says so", (await head.getAttribute("aria-sort")) === "ascending");
    check(path, "sorting keeps all rows", (await column(page, table, 1)).length === before);

    const row = page.locator(table).locator("tbody tr").first();
    const series = await row.getAttribute("data-i");
    await row.locator("th").hover();
    const lit = await page.locator(".on").evaluateAll((all) => all.map((e) => e.dataset.i));
    check(path, "pointing at a row lights its series and no other", lit.length > 0 && lit.every((i) => i === series));
    await page.keyboard.press("Escape");
    check(path, "Escape ends the highlight", (await page.locator(".on").count()) === 0);
  });

  await open(path, { colorScheme: "dark" }, async (page) => {
    const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3).reduce((sum, v) => sum + Number(v), 0) / 765;
    const of = (selector, property) =>
      page.locator(selector).first().evaluate((e, property) => getComputedStyle(e)[property], property);
    check(path, "the dark scheme is dark", light(await of("body", "backgroundColor")) < 0.3);
    check(path, "its text is light", light(await of("body", "color")) > 0.7);
    if ((await page.locator("svg text.ft").count()) > 0) {
      check(path, "text in charts follows", light(await of("svg text.ft", "fill")) > 0.7);
    }
  });

  await open(path, { viewport: { width: 390, height: 844 } }, async (page) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(path, "does not scroll sideways on a phone", wide <= 0, `${wide} px`);
  });

  await open(path, { javaScriptEnabled: false }, async (page) => {
    const tables = await page.locator("table").count();
    const rows = await page.locator("table tbody tr").count();
    check(path, "tables have rows without JavaScript", rows >= tables);
    for (const chart of await page.locator("figure svg").all()) {
      const box = await chart.boundingBox();
      check(path, "charts show without JavaScript", box !== null && box.height > 50);
    }
  });
}

await browser.close();
if (failures.length > 0) {
  console.error(failures.join("\n"));
  process.exit(1);
}
console.log(`${pages.length} pages hold`);
