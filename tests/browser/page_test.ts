/** The page in a real browser, against real nodes. */
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { takeAbout } from "../../lib/about.ts";
import { PAGE_ASIDE_MAX } from "../../static/lists.js";
import { eventually } from "../support/eventually.ts";
import { PATIENT_FLAGS, rowOf, tell } from "../support/peer.ts";
import { launch } from "./chromium.ts";
import { type NodeProcess, startNode, statuses } from "./node_process.ts";

/** A page of 1,000 members, against one of three, takes so many times as long at most until its script keeps it live. */
const READY_RATIO_MAX = 10;

/** An update's script takes so small a share of the time to get the page: less than a frame where that takes 0.8 s. */
const UPDATE_SHARE_MAX = 0.02;

/** From one square of a map of some hundred members to the next. */
const SQUARE_PX = 16;

interface Tab extends AsyncDisposable {
  readonly page: Page;
  /** Errors and violations of the policy that the page saw. */
  readonly errors: string[];
}

async function openTab(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Tab> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("dialog", (dialog) => errors.push(`a dialog: ${dialog.message()}`));
  await visit(page, url);
  return { page, errors, [Symbol.asyncDispose]: () => context.close() };
}

/** Waits until a node has made a page: a busy one refuses those of a new form, for a second or so, and keeps those made. */
async function untilMade(url: string): Promise<void> {
  await eventually(async () => {
    const answer = await fetch(url, { headers: { accept: "text/html" } });
    await answer.body?.cancel();
    assertEquals(answer.status, 200);
  });
}

async function visit(page: Page, url: string): Promise<void> {
  if (url.startsWith("http:")) await untilMade(url);
  await page.goto(url);
}

function rowOn(page: Page, id: string) {
  return page.locator("#members tbody tr:not(.story)").filter({
    has: page.getByRole("link", { name: id, exact: true }),
  });
}

/** The IDs of the rows to be seen, in order. */
async function shownIds(page: Page): Promise<string[]> {
  return await page.locator("#members tbody tr:not(.story):visible th").allInnerTexts();
}

async function untilLive(page: Page): Promise<void> {
  await page.locator("#link", { hasText: "Connected" }).waitFor();
}

Deno.test("the page in a browser", async (t) => {
  const browser = await launch();
  const ends: (() => PromiseLike<void>)[] = [() => browser.close()];
  const own = async (starting: Promise<NodeProcess>): Promise<NodeProcess> => {
    const node = await starting;
    ends.unshift(() => node.kill());
    return node;
  };
  /** A new process of the same node, at the same address. */
  const restart = (node: NodeProcess, join: NodeProcess) =>
    own(startNode(node.id, `-port ${node.address.split(":")[1]} -join ${join.address}`));
  const step = (name: string, run: () => Promise<void>) =>
    t.step({ name, fn: run, sanitizeOps: false, sanitizeResources: false });
  try {
    const n1 = await own(startNode("n1"));
    const join = `-join ${n1.address}`;
    let [n2, n3] = await Promise.all([own(startNode("n2", join)), own(startNode("n3", join))]);
    const home = `http://${n1.address}/`;
    const all = { n1: "live", n2: "live", n3: "live" };
    for (const node of [n1, n2, n3]) {
      await eventually(async () => assertEquals(await statuses(node), all));
    }

    await step("without JavaScript the page is whole: table, filter, story", async () => {
      await using tab = await openTab(browser, home, { javaScriptEnabled: false });
      const { page, errors } = tab;
      assertEquals(await page.locator("h1").innerText(), "All 3 members are live");
      assertEquals(await shownIds(page), ["n1", "n2", "n3"]);
      assertMatch(await rowOn(page, "n2").innerText(), /live\s+127\.0\.0\.1:\d+\s+\d\.\d s ago/);
      // Its first page may take a node that has just started so long that it refuses another view for a second.
      await eventually(async () => {
        const { status, body } = await fetch(`${home}?q=n2`, { headers: { accept: "text/html" } });
        await body?.cancel();
        assertEquals(status, 200);
      });
      await page.getByLabel("Filter").fill("n2");
      await page.getByLabel("Filter").press("Enter");
      await page.waitForURL("**/?q=n2");
      assertEquals(await shownIds(page), ["n2"]);
      await page.getByRole("link", { name: "n2", exact: true }).click();
      assertMatch(
        await page.getByLabel("History of n2").innerText(),
        /live\s*for \d+ s so far\s*joined: heard directly/,
      );
      assertEquals(errors, []);
    });

    for (const javaScriptEnabled of [true, false]) {
      const how = javaScriptEnabled ? "with" : "without";
      await step(`a link to a member shows its history at once, ${how} JavaScript`, async () => {
        const viewport = { width: 390, height: 300 };
        await using tab = await openTab(browser, `${home}?id=n3`, { viewport, javaScriptEnabled });
        const { page, errors } = tab;
        if (javaScriptEnabled) await untilLive(page);
        await eventually(async () => {
          const { y } = (await page.getByRole("heading", { name: "History of n3" }).boundingBox())!;
          assert(y >= 0 && y < viewport.height, `the history is at ${y}`);
        });
        const link = page.getByLabel("History of n3").getByRole("link", { name: n3.address });
        assertEquals(await link.getAttribute("href"), `http://${n3.address}/`);
        assertEquals(errors, []);
      });
    }

    await step("without JavaScript a member is decommissioned after a question", async () => {
      await tell(n1.address, [rowOf("ghost-1")]);
      await using tab = await openTab(browser, `${home}?id=ghost-1`, { javaScriptEnabled: false });
      const { page, errors } = tab;
      await untilMade(`${home}?bye=ghost-1`);
      await page.getByRole("link", { name: "Decommission…" }).click();
      await page.getByRole("link", { name: "Cancel" }).click();
      assertEquals((await statuses(n1))["ghost-1"] === "decommissioned", false);
      await page.getByRole("link", { name: "Decommission…" }).click();
      const sure = page.getByRole("button", { name: "Decommission for good" });
      await sure.click();
      assertMatch(page.url(), /\?bye=ghost-1$/, "the ID of a live member is to be typed");
      await page.getByLabel("type its ID").fill("ghost-1");
      await sure.click();
      // A busy node may show for a few seconds what was before, and without a script nothing asks it again.
      await eventually(async () => {
        await page.reload();
        assert(await page.getByRole("heading", { name: "Decommissioned" }).isVisible());
      });
      assertMatch(await page.locator("#gone").innerText(), /ghost-1/);
      assertMatch(
        await page.getByLabel("History of ghost-1").innerText(),
        /decommissioned\s+for \d+ s so far\s+by request to n1/,
      );
      assertEquals((await statuses(n1))["ghost-1"], "decommissioned");
      assertEquals(errors, []);
    });

    await step("without JavaScript a refused form has a way back", async () => {
      await using tab = await openTab(browser, `${home}?forget=n2`, { javaScriptEnabled: false });
      const { page } = tab;
      await page.getByRole("button", { name: "Forget" }).click();
      await page.getByText(/^Cannot forget n2: it is live/).waitFor();
      await page.getByRole("link", { name: "To the members" }).click();
      assertEquals(await page.locator("h1").innerText(), "All 3 members are live");
      assertEquals(page.url(), home);
    });

    await step(
      "a kill turns the row once the API tells of it, with its reason; a return as well",
      async () => {
        await using tab = await openTab(browser, home);
        const { page, errors } = tab;
        await untilLive(page);
        await n3.kill();
        await eventually(async () => assertEquals((await statuses(n1)).n3, "dead"));
        await page.locator("#members tr.dead", { hasText: "n3" }).waitFor();
        const { reason } = await (await fetch(`${home}members/n3`)).json();
        assert((await rowOn(page, "n3").innerText()).includes(reason), reason);
        assertMatch(
          await page.locator("h1").innerText(),
          /^n3 is dead: (?:connection refused|no heartbeat), since \d\d:\d\d:\d\d/,
        );
        assertEquals((await shownIds(page))[0], "n3", "trouble comes first");
        assertMatch(await page.locator("#latest").innerText(), /1 of 3 members is dead\. n3: /);
        n3 = await restart(n3, n1);
        await page.locator("#members tr.live", { hasText: "n3" }).waitFor();
        await page.locator("h1", { hasText: "All 3 members are live" }).waitFor();
        assertEquals(errors, []);
      },
    );

    await step("the filter shows what matches, by its box and by the tiles", async () => {
      await using tab = await openTab(browser, home);
      const { page, errors } = tab;
      await untilLive(page);
      await page.getByLabel("Filter").fill("N2");
      assertEquals(await shownIds(page), ["n2"]);
      assertEquals(await page.locator("#shown").innerText(), "1 of 3 members");
      await page.getByLabel("Filter").fill("dead");
      assertEquals(await shownIds(page), []);
      await page.getByLabel("Filter").fill("");
      await page.locator("#count-live a").click();
      assertEquals(await shownIds(page), ["n1", "n2", "n3"]);
      assertMatch(page.url(), /\?q=live$/);
      await page.locator("#count-decommissioned a").click();
      assertEquals(await page.locator("#shown").innerText(), "1 decommissioned");
      assertEquals(await page.locator("#members").isVisible(), false);
      await page.locator("#count-live a").click();
      assert(await page.locator("#members").isVisible());
      await rowOn(page, "n2").click();
      await page.getByLabel("History of n2").waitFor();
      await page.getByRole("link", { name: "Last heartbeat" }).click();
      await page.getByRole("link", { name: "1 h", exact: true }).click();
      await page.waitForURL(/\?q=live&sort=age&span=1h&id=n2$/);
      await page.getByLabel("History of n2").waitFor();
      assertEquals(errors, []);
    });

    await step(
      "a click opens a member's story; keys do as well, and Escape closes it",
      async () => {
        await using tab = await openTab(browser, home);
        const { page, errors } = tab;
        await untilLive(page);
        await rowOn(page, "n3").click();
        const story = page.getByLabel("History of n3");
        await story.waitFor();
        const lines = await story.locator("li").allInnerTexts();
        assertMatch(lines.at(0) ?? "", /live[\s\S]*restarted, heard/);
        assertMatch(lines.at(1) ?? "", /dead[\s\S]*(?:no heartbeat for|connection refused)/);
        assertMatch(lines.at(-1) ?? "", /live[\s\S]*joined: heard/);
        await page.reload();
        await story.waitFor();
        await untilLive(page);
        await story.getByRole("link", { name: "Close" }).click();
        await story.waitFor({ state: "detached" });
        const link = page.getByRole("link", { name: "n2", exact: true });
        await link.focus();
        await page.keyboard.press("Enter");
        await page.getByLabel("History of n2").waitFor();
        assertEquals(await link.getAttribute("aria-expanded"), "true");
        const list = page.getByLabel("History of n2").locator("ol");
        await list.focus();
        await page.keyboard.press("ArrowDown");
        assert(await list.evaluate((list) => document.activeElement === list), "arrows scroll it");
        await page.keyboard.press("Escape");
        await page.getByLabel("History of n2").waitFor({ state: "detached" });
        assertEquals(await page.evaluate(() => document.activeElement?.textContent), "n2");
        assertEquals(errors, []);
      },
    );

    await step("after a sleep a page asks for all ages anew, until it is told them", async () => {
      await using tab = await openTab(browser, "about:blank");
      const { page } = tab;
      await page.addInitScript(() => {
        // The clock by which ages grow stands still while the machine sleeps.
        const { now } = Date;
        let sleptMs = 0;
        Date.now = () => now() + sleptMs;
        Object.assign(globalThis, { sleep: (ms: number) => sleptMs += ms });
      });
      await page.goto(home);
      await untilLive(page);
      const asksForAll = (isAll: boolean) =>
        page.waitForRequest((request) =>
          /page\.json/.test(request.url()) && !/base=/.test(request.url()) === isAll
        );
      await asksForAll(false);
      // The network is not back yet: the first request is lost.
      await page.route("**/page.json*", (route) => route.abort(), { times: 1 });
      const both = asksForAll(true).then(() => asksForAll(true));
      await page.evaluate("sleep(8 * 3_600_000)");
      await both;
      await asksForAll(false);
    });

    await step("of two histories that are asked for the last one opens", async () => {
      await using tab = await openTab(browser, home);
      const { page, errors } = tab;
      await untilLive(page);
      const held = Promise.withResolvers<void>();
      const path = "**/members/n2";
      await page.route(path, (route) => held.promise.then(() => route.continue()), { times: 1 });
      const late = page.waitForResponse(path);
      await rowOn(page, "n2").click();
      await rowOn(page, "n3").click();
      const story = page.getByLabel("History of n3");
      await story.waitFor();
      held.resolve();
      await (await late).finished();
      // What the page does with an answer is done once it has the next one.
      await page.evaluate(() => fetch("members/n3").then((answer) => answer.json()));
      assertEquals(await page.locator("#story h3").allInnerTexts(), ["History of n3"]);
      assertEquals(errors, []);
    });

    await step("a history of which nothing is answered says so, and comes later", async () => {
      await using tab = await openTab(browser, home);
      const { page } = tab;
      await untilLive(page);
      let isAnswered = false;
      await page.route("**/members/n2", (route) => isAnswered ? route.continue() : route.abort());
      await rowOn(page, "n2").click();
      const story = page.getByLabel("History of n2");
      await story.getByText("No answer about its history. Trying again.").waitFor();
      assertEquals(await story.getByRole("link", { name: "Decommission…" }).isVisible(), false);
      isAnswered = true;
      await story.getByText("joined: heard directly").waitFor();
      assertEquals(await story.getByText("No answer").count(), 0);
      assertEquals(await story.getByRole("link", { name: "Decommission…" }).isVisible(), true);
    });

    await step("an open history is loaded again once its copy is a minute old", async () => {
      await using tab = await openTab(browser, "about:blank");
      const { page, errors } = tab;
      await page.clock.install();
      await visit(page, `${home}?id=n2`);
      await untilLive(page);
      const uptime = page.getByLabel("History of n2").locator(".sum > span").last();
      await uptime.evaluate((span) => span.firstChild!.nodeValue = "live 0 %");
      await page.clock.fastForward(61_000);
      await uptime.filter({ hasText: /^live \d[\d.]* % of .* known$/ }).waitFor();
      assertEquals(errors, []);
    });

    await step(
      "keys: / goes to the filter, arrows through rows and map, headings sort",
      async () => {
        const flags = `-host 127.0.0.1 ${PATIENT_FLAGS}`;
        const many = await own(startNode("many", flags));
        const ids = Array.from({ length: 120 }, (_, i) => `m-${String(i).padStart(3, "0")}`);
        await tell(
          many.address,
          ids.map((id) => rowOf(id, { left: id < "m-003" ? "SIGTERM" : "" })),
        );
        await using tab = await openTab(browser, `http://${many.address}/`);
        const { page, errors } = tab;
        await untilLive(page);
        const focused = () => page.evaluate(() => document.activeElement?.textContent);
        await page.keyboard.press("/");
        await page.keyboard.type("left");
        const left = ["m-000", "m-001", "m-002"];
        await eventually(async () => assertEquals(await shownIds(page), left));
        const walk: (string | null | undefined)[] = [];
        for (const key of ["ArrowDown", "ArrowDown", "ArrowUp"]) {
          await page.keyboard.press(key);
          walk.push(await focused());
        }
        assertEquals(walk, ["m-000", "m-001", "m-000"]);
        await page.getByLabel("Filter").fill("zzz");
        await page.getByRole("link", { name: "clear" }).click();
        await eventually(async () =>
          assertEquals(await shownIds(page), left, "the live are left out")
        );

        const map = page.locator("#map a");
        await map.focus();
        for (const key of ["ArrowRight", "ArrowDown", "End", "ArrowLeft", "Home", "ArrowRight"]) {
          await page.keyboard.press(key);
        }
        const square = page.getByRole("link", { name: "m-001: left" });
        assertEquals(await square.evaluate((link) => document.activeElement === link), true);
        assertEquals(await map.count(), 1, "one stop for the Tab key");
        assertEquals(await page.locator("#who").innerText(), "m-001: left");
        await page.keyboard.press("Enter");
        await page.getByLabel("History of m-001").waitFor();
        await page.keyboard.press("Escape");

        // By the pointer it is told whose a square is, and a click opens it.
        const svg = page.locator("#map svg");
        await svg.scrollIntoViewIfNeeded();
        const { x, y, width } = (await svg.boundingBox())!;
        const columns = Math.round(width / SQUARE_PX);
        const [right, below] = [77 % columns, Math.floor(77 / columns)];
        const at = [x + (right + 0.5) * SQUARE_PX, y + (below + 0.5) * SQUARE_PX] as const;
        await page.mouse.move(...at);
        assertEquals(await page.locator("#who").innerText(), "m-077: live");
        await page.mouse.click(...at);
        await page.getByLabel("History of m-077").waitFor();
        assertEquals(await shownIds(page), ["m-077", "m-000", "m-001", "m-002"]);

        // The same below a pointer at rest; and beside the squares nothing opens.
        const story = page.getByLabel("History of m-077");
        await story.getByRole("link", { name: "Close" }).click();
        await page.evaluate(() => scrollTo(0, 0));
        const top = (await svg.boundingBox())!.y;
        await page.mouse.move(at[0], top + SQUARE_PX / 2);
        await page.evaluate((px) => scrollBy(0, px), SQUARE_PX);
        await page.mouse.down();
        await page.mouse.up();
        await story.waitFor();
        // It opens where nobody saw it yet, and is seen to its end.
        await page.waitForFunction(() => {
          const { bottom } = document.getElementById("story")!.getBoundingClientRect();
          return Math.floor(bottom) <= innerHeight;
        });
        await story.getByRole("link", { name: "Close" }).click();
        const box = (await svg.boundingBox())!;
        await page.mouse.click(box.x + width - 1, box.y + box.height - 1);
        // A history would be there before the next answer.
        await page.evaluate(() => fetch("members/m-001").then((answer) => answer.json()));
        assertEquals(await page.locator("#story").count(), 0);

        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          assertEquals(await seriousFaults(page), [], `the map in ${colorScheme}`);
        }
        await page.getByLabel("Filter").fill("m-00");
        await page.getByRole("link", { name: "Member", exact: true }).click();
        await page.waitForURL(/sort=id/);
        await eventually(async () => assertEquals((await shownIds(page))[0], "m-000"));
        assertEquals(errors, []);
      },
    );

    await step(
      "a long ID and a long tag are whole, and a row with the focus is not under the heading",
      async () => {
        const pods = await own(startNode("pods", PATIENT_FLAGS));
        const about = takeAbout({ tags: { image: "registry/".repeat(6) } });
        const ids = Array.from({ length: 60 }, (_, i) => `${"checkout-service-".repeat(3)}${i}`);
        await tell(pods.address, ids.map((id) => rowOf(id, { about })));
        await using tab = await openTab(browser, `http://${pods.address}/?sort=id`);
        const { page, errors } = tab;
        await untilLive(page);
        const cut = await page.locator("#members tbody th, .tags > a").evaluateAll((elements) =>
          elements.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).length
        );
        assertEquals(cut, 0);
        await page.locator("#members tbody th > a").nth(40).focus();
        const heading = page.locator("#members thead");
        for (let i = 0; i < 20; i++) {
          await page.keyboard.press("Shift+Tab");
          const { y } = (await page.locator(":focus").boundingBox())!;
          const { y: top, height } = (await heading.boundingBox())!;
          assert(y >= top + height, `the focus is at ${y}, the heading ends at ${top + height}`);
        }
        assertEquals(errors, []);
      },
    );

    await step(
      "in a narrow window and on a phone the headings are seen, and the keys reach each",
      async () => {
        for (const [width, count] of [[640, 7], [390, 7], [800, 8]] as const) {
          await using tab = await openTab(browser, home, { viewport: { width, height: 844 } });
          const { page, errors } = tab;
          await untilLive(page);
          const isSeen = (element: Element | SVGElement) => {
            const { x, y, width, height } = element.getBoundingClientRect();
            return element.contains(document.elementFromPoint(x + width / 2, y + height / 2));
          };
          const links = await page.locator("#members thead a:visible").all();
          assertEquals(links.length, count);
          for (const link of links) {
            assert(await link.evaluate(isSeen), `${await link.textContent()}`);
          }
          await page.getByLabel("Filter").focus();
          for (const link of links) {
            await page.keyboard.press("Tab");
            assert(
              await link.evaluate((link) => link === document.activeElement),
            );
            assert(await link.evaluate(isSeen), `${await link.textContent()}`);
          }
          assertEquals(errors, []);
        }
      },
    );

    await step("on a phone the list is sorted without the page's script, too", async () => {
      for (const javaScriptEnabled of [false, true]) {
        const viewport = { width: 390, height: 844 };
        await using tab = await openTab(browser, home, { viewport, javaScriptEnabled });
        const { page, errors } = tab;
        if (javaScriptEnabled) await untilLive(page);
        await page.getByRole("link", { name: "Last heartbeat" }).click();
        await page.waitForURL(/\?sort=age$/);
        assertEquals(errors, []);
      }
    });

    await step("a long word that is asked for leaves nothing to scroll sideways", async () => {
      const viewport = { width: 360, height: 740 };
      for (const query of [`q=${"x".repeat(100)}`, `id=${"x".repeat(80)}`]) {
        await using tab = await openTab(browser, `${home}?${query}`, { viewport });
        const { page, errors } = tab;
        await untilLive(page);
        await page.locator(".note:visible", { hasText: "x".repeat(80) }).waitFor();
        const overflow = () => document.documentElement.scrollWidth - innerWidth;
        assertEquals(await page.evaluate(overflow) > 0, false);
        assertEquals(errors, []);
      }
    });

    await step(
      "on the narrowest phone nothing leaves its card, and no strip covers a word",
      async () => {
        const slim = await own(startNode("slim", PATIENT_FLAGS));
        await tell(slim.address, [], ["g-1"]);
        const viewport = { width: 280, height: 653 };
        await using tab = await openTab(browser, `http://${slim.address}/`, { viewport });
        const { page, errors } = tab;
        await untilLive(page);
        const boxOf = async (selector: string) => (await page.locator(selector).boundingBox())!;
        const [card, tile] = [await boxOf(".headline"), await boxOf("#count-decommissioned")];
        assert(tile.x + tile.width <= card.x + card.width);
        assertEquals(await page.locator("#gone tbody b").textContent(), "decommissioned");
        assertEquals(await page.locator("#gone tbody svg").isVisible(), false);
        const overflow = () => document.documentElement.scrollWidth - innerWidth;
        assertEquals(await page.evaluate(overflow) > 0, false);
        assertEquals(errors, []);
      },
    );

    await step("of more decommissioned members than a page has the filter finds each", async () => {
      const old = await own(startNode("old", PATIENT_FLAGS));
      const ids = Array.from({ length: PAGE_ASIDE_MAX + 30 }, (_, i) => `g-${1_000 + i}`);
      await tell(old.address, [], ids);
      await using tab = await openTab(browser, `http://${old.address}/`);
      const { page, errors } = tab;
      await untilLive(page);
      const shown = page.locator("#shown");
      const rows = page.locator("#gone tbody tr:not(.story)");
      await shown.filter({ hasText: "1 member" }).waitFor();
      assertEquals(await rows.count(), PAGE_ASIDE_MAX);
      await page.getByLabel("Filter").fill(ids.at(-1)!);
      await shown.filter({ hasText: /^1 decommissioned$/ }).waitFor();
      assertEquals(await rows.locator("th").allInnerTexts(), [ids.at(-1)]);
      await page.getByLabel("Filter").fill("g-");
      await shown.filter({ hasText: /^230 decommissioned$/ }).waitFor();
      await visit(page, `http://${old.address}/?id=${ids.at(-1)}`);
      await untilLive(page);
      await shown.filter({ hasText: /^1 decommissioned$/ }).waitFor();
      await page.getByLabel(`History of ${ids.at(-1)}`).waitFor();
      assertEquals(errors, []);
    });

    await step("the button decommissions when confirmed, and not when cancelled", async () => {
      const about = takeAbout({ tags: { role: "ghost" } })!;
      await tell(n1.address, [rowOf("ghost-2", { about })]);
      await using tab = await openTab(browser, `${home}?id=ghost-2`);
      const { page, errors } = tab;
      await untilLive(page);
      const ask = page.getByRole("link", { name: "Decommission…" });
      const dialog = page.getByRole("dialog");
      await ask.click();
      assertMatch(
        await dialog.innerText(),
        /Decommission ghost-2 for good\?[\s\S]*can't be undone/,
      );
      await dialog.getByText("No other member that runs is role=ghost.").waitFor();
      await dialog.getByRole("link", { name: "Cancel" }).click();
      await dialog.waitFor({ state: "hidden" });
      await ask.click();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "hidden" });
      assert((await statuses(n1))["ghost-2"] !== "decommissioned");
      await ask.click();
      await dialog.getByLabel("type its ID").fill("ghost-1");
      await dialog.getByRole("button", { name: "Decommission for good" }).click();
      assert((await statuses(n1))["ghost-2"] !== "decommissioned");
      assertEquals(
        await dialog.getByLabel("type its ID").getAttribute("title"),
        "The ID is ghost-2",
      );
      await dialog.getByLabel("type its ID").fill("ghost-2");
      await dialog.getByRole("button", { name: "Decommission for good" }).click();
      await page.locator("#gone tbody tr", { hasText: "ghost-2" }).first().waitFor();
      assertEquals((await statuses(n1))["ghost-2"], "decommissioned");
      await dialog.waitFor({ state: "hidden" });
      await ask.waitFor({ state: "hidden" });
      const focused = () => document.activeElement?.getAttribute("aria-label");
      assertEquals(await page.evaluate(focused), "History of ghost-2");
      assertEquals(errors, []);
    });

    await step("a browser without RegExp.escape decommissions as well", async () => {
      await tell(n1.address, [rowOf("ghost-3")]);
      await using tab = await openTab(browser, "about:blank");
      const { page, errors } = tab;
      await page.addInitScript(() => Reflect.deleteProperty(RegExp, "escape"));
      await visit(page, `${home}?id=ghost-3`);
      await untilLive(page);
      await page.getByRole("link", { name: "Decommission…" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("type its ID").fill("ghost-1");
      await dialog.getByRole("button", { name: "Decommission for good" }).click();
      await dialog.getByText("Type the ID of the member, ghost-3").waitFor();
      await dialog.getByLabel("type its ID").fill("ghost-3");
      await dialog.getByRole("button", { name: "Decommission for good" }).click();
      await page.locator("#gone tbody tr", { hasText: "ghost-3" }).first().waitFor();
      // The wrong ID, which the node refused.
      assertEquals(errors.length, 1, errors.join("; "));
    });

    await step(
      "an open page says of whom hooks tell nothing, and what they told of whom",
      async () => {
        const solo = await own(
          startNode("solo", "-dead-after 1s -on-change echo,status=live,name=pager"),
        );
        await using tab = await openTab(browser, `http://${solo.address}/`);
        const { page, errors } = tab;
        await untilLive(page);
        const quiet = page.locator("#quiet");
        assertEquals(await quiet.isVisible(), false);
        const ask = async (query: string) => {
          const response = await fetch(`http://${solo.address}/quiet?id=s*&${query}`, {
            method: "POST",
          });
          assertEquals([response.status, await response.text().then(() => "")], [200, ""]);
        };
        await ask("for=2h&why=deploy");
        const line = /^No hook tells of s\* until \d\d.* UTC \(deploy, asked of solo\)$/;
        await quiet.filter({ hasText: line }).waitFor();
        await rowOn(page, "solo").filter({ hasText: "quiet: no hook tells of it until" }).waitFor();
        await ask("for=0");
        await quiet.waitFor({ state: "hidden" });
        // Made-up members, each new: a node that was just started tells of none of them yet.
        const told = page.locator(".story .told li", {
          hasText: /^told pager by solo at [\d:]+ \(exited with 0\)$/,
        });
        for (let i = 0; await told.count() === 0; i++) {
          await tell(solo.address, [rowOf(`new-${i}`)]);
          await visit(page, `http://${solo.address}/?id=new-${i}`);
          await told.first().waitFor({ timeout: 2_000 }).catch(() => {});
          assert(i < 20, "no hook was told");
        }
        assertEquals(errors, []);
      },
    );

    await step("a page that loses its node says so, and comes back by itself", async () => {
      await using tab = await openTab(browser, `http://${n2.address}/`);
      const { page } = tab;
      await untilLive(page);
      await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
      await n2.kill();
      await page.locator("#link", { hasText: "Lost contact with n2" }).waitFor();
      assert(await page.locator("body.lost").isVisible());
      assertEquals(await page.title(), "Lost contact with n2 - Gossiper");
      assertEquals(await page.locator("#notify").isVisible(), false, "half under the banner");
      const others = await page.locator("#others a").evaluateAll((links) =>
        links.map((link) => [link.textContent, link.getAttribute("href")])
      );
      assertEquals(others, [["n1", home], ["n3", `http://${n3.address}/`]]);
      n2 = await restart(n2, n1);
      await untilLive(page);
      await page.locator("h1", { hasText: "All 3 members are live" }).waitFor();
      assertEquals(await page.locator("body.lost").count(), 0);
      assertEquals(await page.evaluate(() => Object.hasOwn(globalThis, "sameDocument")), true);
    });

    await step(
      "a page whose node asks for another key says so, and not that it is lost",
      async () => {
        await using tab = await openTab(browser, home);
        const { page } = tab;
        await untilLive(page);
        const path = "**/page.json*";
        await page.route(path, (route) => route.abort());
        const link = page.locator("#link");
        await link.filter({ hasText: /Lost contact with n1\. Last update: .* Retrying\./ })
          .waitFor();
        await page.unroute(path);
        await page.route(path, (route) => route.fulfill({ status: 401 }));
        const words = /n1 asks you to sign in again\. Last update: .* Reload this page\./;
        await link.filter({ hasText: words }).waitFor();
        assertEquals(await page.title(), "n1 asks you to sign in again - Gossiper");
        await page.unroute(path);
        await untilLive(page);
      },
    );

    await step(
      "ten pages of a node load in one browser, and all are told of a change",
      async () => {
        const node = await own(startNode("tabs", PATIENT_FLAGS));
        const context = await browser.newContext();
        const pages: Page[] = [];
        for (let i = 0; i < 10; i++) {
          const page = await context.newPage();
          pages.push(page);
          await page.goto(`http://${node.address}/`);
          await untilLive(page);
          // From now on it looks when it is told only.
          await page.evaluate(() => {
            const last = Number(setTimeout(() => {}));
            for (let timer = 1; timer <= last; timer++) clearTimeout(timer);
            Object.assign(globalThis, { setTimeout: () => 0 });
          });
        }
        let count = 0;
        const untilTold = async () => {
          const first = `new-${count}`;
          await eventually(async () => {
            // A page that has just looked passes over a change.
            await tell(node.address, [rowOf(`new-${count++}`)]);
            const rows = await Promise.all(pages.map((page) => rowOn(page, first).count()));
            assertEquals(rows, pages.map(() => 1));
          });
        };
        await untilTold();
        // The one that has the stream goes: another takes its place.
        await pages.pop()!.close();
        await untilTold();
        await context.close();
      },
    );

    await step(
      "a page in the background tells trouble by title, icon and notification",
      async () => {
        await using tab = await openTab(browser, "about:blank");
        const { page, errors } = tab;
        await page.addInitScript(() => {
          const shown: string[] = [];
          const is = { hidden: false };
          Object.defineProperty(document, "hidden", { get: () => is.hidden });
          const hide = (hidden: boolean) => {
            is.hidden = hidden;
            document.dispatchEvent(new Event("visibilitychange"));
          };
          const Notification = class {
            static permission = "default";
            static requestPermission = () => Promise.resolve(this.permission = "granted");
            constructor(title: string, { renotify }: { renotify: boolean }) {
              // In the place of another it is silent otherwise.
              if (renotify) shown.push(title);
            }
          };
          Object.assign(globalThis, { hide, shown, Notification });
        });
        await page.goto(home);
        await untilLive(page);
        const icon = () => page.locator("link[rel=icon]").getAttribute("href");
        assertMatch((await icon())!, /favicon\.svg$/);
        await page.getByRole("button", { name: "Notify me" }).click();
        await page.getByRole("button", { name: "Stop notifying me" }).waitFor();
        await page.evaluate("hide(true)");
        await n3.kill();
        await page.waitForFunction(() => document.title === "1 dead - Gossiper");
        assertMatch((await icon())!, /favicon-bad\.svg$/);
        assertMatch(await page.locator("h1").innerText(), /All 3/, "nobody sees it");
        const sick = await own(startNode("sick", `${join} -check exec:false`));
        await page.waitForFunction(() => document.title === "1 dead, 1 failing - Gossiper");
        await fetch(`${home}bye?id=sick`, { method: "POST" }).then(({ body }) => body?.cancel());
        await page.waitForFunction(() => document.title === "1 dead - Gossiper");
        await sick.kill();
        n3 = await restart(n3, n1);
        await page.waitForFunction(() => document.title === "All 3 members are live - Gossiper");
        await page.evaluate("hide(false)");
        assertEquals(await page.evaluate("shown"), [
          ...Array(3).fill("n3 is dead: connection refused"),
          "All 3 members are live",
        ]);
        assertEquals(errors, []);
      },
    );

    await step(
      "invariant 9: hostile texts stay texts, from the server and in the script",
      async () => {
        const hostile = `"><img src=x onerror="document.title='owned'"><script>alert(1)</script>`;
        await using tab = await openTab(browser, `${home}?id=${encodeURIComponent(hostile)}`);
        const { page, errors } = tab;
        assertMatch(await page.getByRole("alert").first().innerText(), /<img src=x/);
        await page.route("**/page.json*", async (route) => {
          // Of what a page does not have yet, and nothing that it would have to know.
          const state = await (await fetch(`${home}page.json`)).json();
          const row = { ...state.rows[0], status: "dead", why: hostile, lastHeartbeat: hostile };
          state.rows.push({ ...row, id: hostile, address: hostile });
          state.contacts = [{ address: hostile, state: hostile }];
          Object.assign(state, { verdict: hostile, latest: hostile, title: hostile });
          await route.fulfill({ json: state });
        });
        await visit(page, `${home}?q=${encodeURIComponent("<img")}`);
        await page.locator("h1", { hasText: "<img src=x" }).waitFor();
        assertEquals(await page.locator("#members tr", { hasText: "<script>alert" }).count(), 1);
        assertEquals(await page.locator("img[src=x]").count(), 0);
        assertEquals(await page.title(), hostile);
        assertEquals(errors, []);
      },
    );

    await step("in forced colours the shapes of statuses stay filled", async () => {
      await using tab = await openTab(browser, home, { forcedColors: "active" });
      const { page, errors } = tab;
      const isFilled = await page.locator("#count-live span").evaluate((span) => {
        const { backgroundColor, borderTopColor } = getComputedStyle(span, "::before");
        return backgroundColor === borderTopColor;
      });
      assert(isFilled);
      assertEquals(errors, []);
    });

    for (const colorScheme of ["light", "dark"] as const) {
      await step(`axe-core finds nothing serious in ${colorScheme}`, async () => {
        for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
          await using tab = await openTab(browser, `${home}?id=n3`, { colorScheme, viewport });
          const { page, errors } = tab;
          await untilLive(page);
          assertEquals(await seriousFaults(page), [], `the page at ${viewport.width} px`);
          const overflow = () => document.documentElement.scrollWidth - innerWidth;
          assertEquals(await page.evaluate(overflow) > 0, false, "nothing to scroll sideways");
          await page.getByRole("link", { name: "Decommission…" }).click();
          await page.getByRole("dialog").waitFor();
          assertEquals(await seriousFaults(page), [], `the question at ${viewport.width} px`);
          assertEquals(errors, []);
        }
      });
    }

    await step(
      "1,000 members: ready at the pace of three, and an update costs little",
      async () => {
        const big = await own(startNode("big", PATIENT_FLAGS));
        const ids = Array.from({ length: 999 }, (_, i) => `member-${String(i).padStart(3, "0")}`);
        await tell(
          big.address,
          ids.map((id, i) => rowOf(id, { address: `${id}.example.org:9${i}` })),
        );
        const url = `http://${big.address}/`;
        const times: Record<string, number[]> = { [home]: [], [url]: [] };
        // In turns, and the best of three: other work on the machine only ever makes it longer.
        for (let i = 0; i < 3; i++) {
          for (const [at, readyMs] of Object.entries(times)) {
            await using fresh = await openTab(browser, "about:blank");
            const startMs = performance.now();
            await fresh.page.goto(at);
            await untilLive(fresh.page);
            readyMs.push(performance.now() - startMs);
          }
        }
        const [smallMs, bigMs] = [home, url].map((at) => Math.min(...times[at]!)) as [
          number,
          number,
        ];
        await using tab = await openTab(browser, url);
        const { page, errors } = tab;
        await untilLive(page);
        const strokes = await page.locator("#map path.live").getAttribute("d");
        const squares = [...strokes!.matchAll(/h(\d+)/g)].map(([, count]) => Number(count));
        assertEquals(squares.reduce((sum, count) => sum + count), 1_000);
        const rows = page.locator("#members tbody tr");
        assertEquals(await rows.count(), 0, "live rows are left out");
        await page.getByRole("link", { name: "1,000 live: show" }).click();
        await eventually(async () => assertEquals(await rows.count(), 250));
        assertEquals(await page.locator("#shown").innerText(), "1,000 members");
        await page.getByLabel("Filter").fill("member-99");
        await eventually(async () => assertEquals((await shownIds(page)).length, 9));
        assertEquals(await page.locator("#shown").innerText(), "9 of 1,000 members");
        // All rows are there, which costs most.
        await page.getByLabel("Filter").fill("-");
        await eventually(async () => {
          await rows.last().scrollIntoViewIfNeeded();
          assertEquals(await rows.count(), 999);
        });
        assertEquals(await page.locator("#more").isVisible(), false);

        const cdp = await page.context().newCDPSession(page);
        await cdp.send("Performance.enable");
        const scriptMs = async () => {
          const { metrics } = await cdp.send("Performance.getMetrics");
          return 1_000 * (metrics.find(({ name }) => name === "ScriptDuration")?.value ?? NaN);
        };
        const costsMs: number[] = [];
        for (let i = 0; i < 8; i++) {
          const before = await scriptMs();
          await tell(big.address, [
            rowOf(ids[i]!, { left: "SIGTERM", heartbeat: nextHeartbeat() }),
          ]);
          await page.locator("#members tr.left", { hasText: ids[i]! }).waitFor();
          costsMs.push(await scriptMs() - before);
        }
        const updateMs = costsMs.toSorted((a, b) => a - b)[costsMs.length / 2]!;
        const [small, ready, script] = [smallMs, bigMs, updateMs].map((ms) => ms.toFixed(1));
        console.log(
          `1,000 members: ready in ${ready} ms (3: ${small} ms); an update's script ${script} ms`,
        );
        assertLess(bigMs, READY_RATIO_MAX * smallMs);
        assertLess(updateMs, UPDATE_SHARE_MAX * bigMs);
        assertEquals(errors, []);
      },
    );
  } finally {
    for (const end of ends) await end();
  }
});

/** Faults of the page that axe-core calls serious or critical, each in a line. */
async function seriousFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document)
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
}

/** Later than every heartbeat told before. */
function nextHeartbeat(): number {
  return Math.ceil(Date.now() / 100) * 100 + 1_000;
}
