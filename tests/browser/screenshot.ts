/**
 * The pictures of the page in README, taken of real nodes: `deno task screenshot [MINUTES]`, with ten to fill the strips.
 *
 * The nodes run where their names can be invented, in namespaces of network, host name and /etc/hosts: the names of this
 * machine are on no picture. So it needs Linux, and root or the right to make user namespaces.
 *
 * @module
 */
import { launch } from "./chromium.ts";
import { Fleet, type FleetNode } from "../fleet/fleet.ts";

const OUT = new URL("../../.github/", import.meta.url);
const THEMES = ["light", "dark"] as const;

/** README says so: a page that loads a picture on a train. */
const BYTES_MAX = 200_000;

/** Two pixels for each of the page's, for sharp text on most screens; the height is what the table needs. */
const VIEWPORT = { width: 1_120, height: 796 };
const SCALE = 2;
const QUALITY = 90;

const IDS = ["api-1", "api-2", "db-1", "db-2", "web-1", "web-2", "web-3", "worker-1"];
const VIEWER = "web-1";

/** Acts by the share of the time that is over. The last one is the trouble that the picture tells. */
const SCENE: readonly (readonly [share: number, act: (stage: Stage) => void])[] = [
  [0.20, (stage) => stage.stop("api-2", "SIGTERM")],
  [0.24, (stage) => stage.start("api-2")],
  [0.45, (stage) => stage.stop("db-2", "SIGSTOP")],
  [0.48, (stage) => stage.stop("db-2", "SIGCONT")],
  [0.80, (stage) => stage.stop("worker-1", "SIGTERM")],
  [0.97, (stage) => stage.stop("db-2", "SIGKILL")],
];

/** Processes by their ID; a member that is started again is another process. */
class Stage {
  readonly fleet: Fleet;
  readonly #current = new Map<string, FleetNode>();

  constructor(fleet: Fleet) {
    this.fleet = fleet;
  }

  get(id: string): FleetNode {
    return this.#current.get(id)!;
  }

  start(id: string): void {
    const flags = ["-host", hostOf(id), "-advertise", id, "-cluster", "shop"];
    const join = id === VIEWER ? [] : ["-join", `${VIEWER}:8080`];
    this.#current.set(id, this.fleet.add(id, [...flags, ...join]));
  }

  stop(id: string, signal: Deno.Signal): void {
    this.get(id).kill(signal);
  }
}

function hostOf(id: string): string {
  return `127.0.1.${1 + IDS.indexOf(id)}`;
}

/** Runs this program again where `IDS` are names of hosts. */
async function runInside(): Promise<number> {
  const hosts = await Deno.makeTempFile();
  try {
    const names = IDS.map((id) => `${hostOf(id)} ${id}\n`).join("");
    await Deno.writeTextFile(hosts, `127.0.0.1 localhost\n${names}`);
    const script =
      `ip link set lo up && hostname ${VIEWER} && mount --bind "$1" /etc/hosts && shift && exec "$@"`;
    const config = new URL("deno.json", import.meta.url).pathname;
    const self = ["run", "-A", "--config", config, import.meta.filename!, "--inside"];
    const { code } = await new Deno.Command("unshare", {
      args: [
        ...["--user", "--map-root-user", "--net", "--uts", "--mount"],
        ...["sh", "-c", script, "sh", hosts, Deno.execPath(), ...self, ...Deno.args],
      ],
    }).spawn().status;
    return code;
  } finally {
    await Deno.remove(hosts);
  }
}

async function takePictures(minutes: number): Promise<void> {
  await using fleet = new Fleet();
  const stage = new Stage(fleet);
  for (const id of IDS) {
    stage.start(id);
    await stage.get(id).listening;
  }
  await fleet.until(() => fleet.allSeeAll());
  console.log(`${IDS.length} nodes see each other; the pictures are taken in ${minutes} min`);
  const startMs = performance.now();
  for (const [share, act] of SCENE) {
    const atMs = startMs + share * minutes * 60_000;
    await new Promise((resolve) => setTimeout(resolve, atMs - performance.now()));
    act(stage);
  }
  const { id: trouble } = stage.get("db-2");
  if (!await fleet.until(() => stage.get(VIEWER).sees(trouble) === "dead")) {
    throw new Error(`${VIEWER} does not see ${trouble} dead`);
  }
  const browser = await launch();
  try {
    let bytes = 0;
    for (const colorScheme of THEMES) {
      const context = await browser.newContext({
        colorScheme,
        viewport: VIEWPORT,
        deviceScaleFactor: SCALE,
      });
      const page = await context.newPage();
      await page.goto(`http://${VIEWER}:8080/`);
      await page.locator("#link", { hasText: "Connected" }).waitFor();
      const devtools = await context.newCDPSession(page);
      const { data } = await devtools.send("Page.captureScreenshot", {
        format: "webp",
        quality: QUALITY,
      });
      const image = Uint8Array.fromBase64(data);
      bytes += image.length;
      await Deno.writeFile(new URL(`page-${colorScheme}.webp`, OUT), image);
      console.log(`.github/page-${colorScheme}.webp  ${(image.length / 1e3).toFixed(1)} kB`);
      await context.close();
    }
    if (bytes > BYTES_MAX) throw new Error(`The pictures have ${bytes} bytes: lower QUALITY`);
  } finally {
    await browser.close();
  }
}

if (!Deno.args.includes("--inside")) Deno.exit(await runInside());
const minutes = Number(Deno.args.find((arg) => arg !== "--inside") ?? 10);
if (!(minutes > 0 && minutes <= 60)) {
  throw new RangeError(`Cannot take pictures after '${Deno.args}' minutes: give 1 to 60`);
}
await takePictures(minutes);
