/**
 * Reverse proxies in front of a node, each a process of its own with a file of .deploy/, and a browser that calls them
 * by a name that no name server knows.
 *
 * @module
 */
import { assert } from "@std/assert";
import { eventually } from "./eventually.ts";
import { closedAddress, writeAll } from "./raw.ts";
import type { Authority } from "./certificates.ts";

const DEPLOY = new URL("../../.deploy/", import.meta.url);

/** The name in the files. */
export const PROXY_NAME = "gossip.example.org";

export type Scheme = "http" | "https";

/** Where a proxy listens, by scheme: on the loopback. */
export type Ports = Readonly<Record<Scheme, number>>;

interface Filled {
  readonly ports: Ports;
  /** The node's `host:port`. */
  readonly to: string;
  /** What else of the file is another here. */
  readonly change?: readonly (readonly [text: string, by: string])[];
}

/** A file of .deploy/ as its user fills it in. */
async function fill(
  name: string,
  { to, change = [] }: Filled,
  places: readonly (readonly [text: string, by: string])[],
): Promise<string> {
  let text = await Deno.readTextFile(new URL(name, DEPLOY));
  for (const [place, by] of [...places, ["127.0.0.1:8080", to] as const, ...change]) {
    assert(text.includes(place), `${name} has no ${place}`);
    text = text.replaceAll(place, by);
  }
  return text;
}

export interface Proxy extends AsyncDisposable {
  readonly ports: Ports;
}

interface ProxyOptions {
  readonly to: string;
  readonly authority: Authority;
  /** Whether the node is called by its own address, and not by what the browser calls. */
  readonly ownHost: boolean;
}

const freePorts = (): Ports => ({
  http: Number(closedAddress().split(":")[1]),
  https: Number(closedAddress().split(":")[1]),
});

/** Starts nginx with .deploy/nginx.conf and nothing else set but where it keeps its files. */
export async function startNginx({ to, authority, ownHost }: ProxyOptions): Promise<Proxy> {
  const ports = freePorts();
  const folder = await Deno.makeTempDir({ prefix: "nginx" });
  const { cert, key } = await authority.issue(`DNS:${PROXY_NAME}`);
  const change = ownHost ? [["  proxy_set_header Host $http_host;\n", ""] as const] : [];
  const server = await fill("nginx.conf", { ports, to, change }, [
    ["listen 80;", `listen 127.0.0.1:${ports.http};`],
    ["listen 443 ssl;", `listen 127.0.0.1:${ports.https} ssl;`],
    [`/etc/ssl/${PROXY_NAME}.pem`, cert],
    [`/etc/ssl/${PROXY_NAME}.key`, key],
  ]);
  await Deno.writeTextFile(`${folder}/gossiper.conf`, server);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const main = `
    daemon off;
    master_process off;
    pid ${folder}/pid;
    events {}
    http {
      access_log off;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n")}
      include ${folder}/gossiper.conf;
    }
  `;
  await Deno.writeTextFile(`${folder}/main.conf`, main);
  const args = ["-p", folder, "-c", `${folder}/main.conf`, "-e", `${folder}/log`];
  return await run("nginx", args, { folder, ports });
}

/** Starts HAProxy with .deploy/haproxy.cfg. */
export async function startHaproxy({ to, authority, ownHost }: ProxyOptions): Promise<Proxy> {
  const ports = freePorts();
  const folder = await Deno.makeTempDir({ prefix: "haproxy" });
  const { cert, key } = await authority.issue(`DNS:${PROXY_NAME}`);
  const both = await Deno.readTextFile(cert) + await Deno.readTextFile(key);
  await Deno.writeTextFile(`${folder}/both.pem`, both);
  const backend = `  server n1 ${to}`;
  const change = ownHost
    ? [[backend, `  http-request set-header Host ${to}\n${backend}`] as const]
    : [];
  const text = await fill("haproxy.cfg", { ports, to, change }, [
    ["bind :80\n", `bind 127.0.0.1:${ports.http}\n`],
    ["bind :443", `bind 127.0.0.1:${ports.https}`],
    [`/etc/ssl/${PROXY_NAME}.pem`, `${folder}/both.pem`],
  ]);
  await Deno.writeTextFile(`${folder}/haproxy.cfg`, text);
  return await run("haproxy", ["-db", "-q", "-f", `${folder}/haproxy.cfg`], { folder, ports });
}

async function run(
  program: string,
  args: string[],
  { folder, ports }: { folder: string; ports: Ports },
): Promise<Proxy> {
  const command = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  const child = command.spawn();
  const proxy = {
    ports,
    async [Symbol.asyncDispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended by itself.
      }
      await child.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
  try {
    for (const port of Object.values(ports)) {
      await eventually(async () => (await Deno.connect({ hostname: "127.0.0.1", port })).close());
    }
  } catch (error) {
    await proxy[Symbol.asyncDispose]();
    throw error;
  }
  return proxy;
}

export interface Sent {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** An answer of which the head has come: the texts of its body, until the proxy or `close` ends it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly pieces: AsyncIterable<string>;
  close(): void;
}

/** A browser that calls a proxy by its name on the usual port: it sends what browsers send to `scheme`. */
export class Browser {
  readonly #options: { readonly ports: Ports; readonly scheme: Scheme; readonly ca: string };

  constructor(options: { ports: Ports; scheme: Scheme; ca: string }) {
    this.#options = options;
  }

  /** Opens `url`, which is under the proxy's name; with `form`, sends that from a page of the same site. */
  async open(url: URL, form?: URLSearchParams): Promise<Answer> {
    const { scheme } = this.#options;
    const body = form === undefined ? "" : `${form}`;
    // HTTP/1.0, so that the body comes as it is. `fetch` would write a Host of its own.
    const head = [
      `${form === undefined ? "GET" : "POST"} ${url.pathname}${url.search} HTTP/1.0`,
      `host: ${url.host}`,
      "accept: text/html,application/xhtml+xml,*/*;q=0.8",
      "user-agent: Mozilla/5.0",
      ...(form === undefined ? [] : [
        `origin: ${url.origin}`,
        "content-type: application/x-www-form-urlencoded",
        `content-length: ${body.length}`,
        // Browsers say it to https alone.
        ...(scheme === "https" ? ["sec-fetch-site: same-origin"] : []),
      ]),
    ];
    const conn = await this.#connect();
    await writeAll(conn, new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n${body}`));
    const texts = conn.readable.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
    let text = "";
    while (!text.includes("\r\n\r\n")) {
      const { value, done } = await texts.next();
      assert(!done, `the answer ends within its head: ${text}`);
      text += value;
    }
    const end = text.indexOf("\r\n\r\n");
    const [line = "", ...fields] = text.slice(0, end).split("\r\n");
    const headers = new Headers(fields.map((field) => {
      const colon = field.indexOf(":");
      return [field.slice(0, colon), field.slice(colon + 1).trim()] as [string, string];
    }));
    async function* pieces() {
      yield text.slice(end + 4);
      for (let next; !(next = await texts.next()).done;) yield next.value;
    }
    const close = () => conn.close();
    return { status: Number(line.split(" ")[1]), headers, pieces: pieces(), close };
  }

  async read(url: URL, form?: URLSearchParams): Promise<Sent> {
    const { status, headers, pieces } = await this.open(url, form);
    let text = "";
    for await (const piece of pieces) text += piece;
    return { status, headers, text };
  }

  async #connect(): Promise<Deno.Conn> {
    const { ports, scheme, ca } = this.#options;
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: ports[scheme] });
    if (scheme === "http") return conn;
    return await Deno.startTls(conn, { hostname: PROXY_NAME, caCerts: [ca] });
  }
}
