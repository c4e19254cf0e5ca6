import { assertEquals, assertThrows } from "@std/assert";
import { listen, ListenError, type ListenOptions } from "../../lib/http/listen.ts";

/** A system that lacks some addresses, and keeps IPv4 apart from `::` or not; its ports are free, or taken. */
class FakeSystem {
  readonly #lacks: readonly string[];
  readonly #apart: boolean;
  readonly #open: { hostname: string; port: number }[] = [];

  constructor({ lacks = [] as string[], apart = false } = {}) {
    this.#lacks = lacks;
    this.#apart = apart;
  }

  /** What is open, as `host port`. */
  get ports(): string[] {
    return this.#open.map(({ hostname, port }) => `${hostname} ${port}`);
  }

  listen(options: Omit<ListenOptions, "tryPort">) {
    const open = (hostname: string, port: number) => this.take({ hostname, port });
    return listen({ ...options, tryPort: (at) => this.take(at) }, open).on;
  }

  take({ hostname, port: wanted }: { hostname: string; port: number }) {
    if (this.#lacks.includes(hostname)) throw new Deno.errors.AddrNotAvailable("no such family");
    const port = wanted || 4242 + this.#open.length;
    const conflicts = this.#open.some((other) =>
      other.port === port && (other.hostname === hostname || !this.#apart)
    );
    if (conflicts) throw new Deno.errors.AddrInUse("in use");
    const own = { hostname, port };
    this.#open.push(own);
    const close = () => void this.#open.splice(this.#open.indexOf(own), 1);
    const addr: Deno.NetAddr = { transport: "tcp", hostname, port };
    return { addr, close, shutdown: () => Promise.resolve(close()) };
  }
}

Deno.test("listen() opens one listener where :: takes IPv4, two on one port where it does not", () => {
  const together = new FakeSystem();
  assertEquals(together.listen({ host: undefined, port: 8080 }), "every IPv4 and IPv6 address");
  assertEquals(together.ports, [":: 8080"]);
  for (const port of [8080, 0]) {
    const apart = new FakeSystem({ apart: true });
    assertEquals(apart.listen({ host: undefined, port }), "every IPv4 and IPv6 address");
    assertEquals(apart.ports, [`:: ${port || 4242}`, `0.0.0.0 ${port || 4242}`]);
  }
});

Deno.test("listen() says which family it listens on where there is one, or -host names one", () => {
  const cases: [FakeSystem, host: string | undefined, opened: string, on: string | undefined][] = [
    [new FakeSystem({ lacks: ["::"] }), undefined, "0.0.0.0", "every IPv4 address"],
    [new FakeSystem({ lacks: ["0.0.0.0"] }), undefined, "::", "every IPv6 address"],
    [new FakeSystem(), "0.0.0.0", "0.0.0.0", "every IPv4 address"],
    [new FakeSystem(), "::", "::", "every IPv4 and IPv6 address"],
    [new FakeSystem({ apart: true }), "::", "::", "every IPv6 address"],
    [new FakeSystem(), "127.0.0.1", "127.0.0.1", undefined],
  ];
  for (const [system, host, opened, on] of cases) {
    assertEquals(system.listen({ host, port: 80 }), on);
    assertEquals(system.ports, [`${opened} 80`]);
  }
});

Deno.test("listen() opens nothing, and says what to do, where another program has the port for one family", () => {
  const system = new FakeSystem({ apart: true });
  system.take({ hostname: "0.0.0.0", port: 8080 });
  const { message } = assertThrows(
    () => system.listen({ host: undefined, port: 8080 }),
    ListenError,
  );
  assertEquals(
    message,
    "Cannot listen on port 8080: it is in use. " +
      "Stop the program that uses it, or choose another port with -port",
  );
  assertEquals(system.ports, ["0.0.0.0 8080"]);
});

Deno.test("listen() says why it cannot listen on a host", () => {
  const system = new FakeSystem({ lacks: ["192.0.2.1"] });
  const { message } = assertThrows(
    () => system.listen({ host: "192.0.2.1", port: 8080 }),
    ListenError,
  );
  assertEquals(message, "Cannot listen on 192.0.2.1: no such family");
});
