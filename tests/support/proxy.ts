/**
 * Reverse proxies in front of a node, each a process of its own with a file of .deploy/, and a browser that calls them
 * by a name that no name server knows.
 *
 * @module
 */
import { assert } from "@std/assert";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { eventually } from "./eventually.ts";
import { closedAddress } from "./raw.ts";
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
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** A browser that calls a proxy by its name on the usual port: it sends what browsers send to `scheme`. */
export class Browser {
  readonly #options: { readonly ports: Ports; readonly scheme: Scheme; readonly ca: string };

  constructor(options: { ports: Ports; scheme: Scheme; ca: string }) {
    this.#options = options;
  }

  /** Opens `url`, which is under the proxy's name; with `form`, sends that from a page of the same site. */
  async open(url: URL, form?: URLSearchParams): Promise<IncomingMessage> {
    const { ports, scheme, ca } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const headers = {
      host: url.host,
      accept: "text/html,application/xhtml+xml,*/*;q=0.8",
      "user-agent": "Mozilla/5.0",
      ...(form && { origin: url.origin, "content-type": "application/x-www-form-urlencoded" }),
      // Browsers say it to https alone.
      ...(form && scheme === "https" && { "sec-fetch-site": "same-origin" }),
    };
    const method = form === undefined ? "GET" : "POST";
    const path = `${url.pathname}${url.search}`;
    const to = { host: "127.0.0.1", port: ports[scheme], path, method, headers, agent: false };
    const call = scheme === "http"
      ? requestPlain(to, resolve)
      : requestTls({ ...to, servername: PROXY_NAME, ca }, resolve);
    call.on("error", reject);
    call.end(form === undefined ? undefined : Buffer.from(`${form}`));
    return await promise;
  }

  async read(url: URL, form?: URLSearchParams): Promise<Sent> {
    const answer = await this.open(url, form);
    let text = "";
    for await (const piece of answer) text += piece;
    return { status: answer.statusCode ?? 0, headers: answer.headers, text };
  }
}
