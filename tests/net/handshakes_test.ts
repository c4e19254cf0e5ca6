import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Handshakes, HANDSHAKES_MAX, PROVEN_MAX } from "../../lib/net/handshakes.ts";

/** A peer whose handshakes end when the test says so. */
class Peer {
  started = 0;
  looks = 0;
  closed = 0;
  readonly #ends: PromiseWithResolvers<Deno.TlsHandshakeInfo>[] = [];

  readonly start = () => {
    this.started++;
    const end = Promise.withResolvers<Deno.TlsHandshakeInfo>();
    this.#ends.push(end);
    const conn = { handshake: () => end.promise, close: () => void this.closed++ };
    return Promise.resolve(conn as unknown as Deno.TlsConn);
  };

  readonly look = () => void this.looks++;

  async finish(error?: Error): Promise<void> {
    for (const end of this.#ends.splice(0)) {
      if (error === undefined) end.resolve({ alpnProtocol: null });
      else end.reject(error);
    }
    await settled();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

const patient = new AbortController().signal;

/** A call that starts or takes over a handshake, and gives up. */
async function giveUp(handshakes: Handshakes, address: string, peer: Peer): Promise<void> {
  await assertRejects(() => handshakes.complete(address, peer, AbortSignal.abort()));
}

Deno.test("complete() takes over the handshake that an earlier call left open, and looks whether the host accepts", async () => {
  const [handshakes, peer] = [new Handshakes(), new Peer()];
  for (let i = 0; i < 3; i++) await giveUp(handshakes, "a:1", peer);
  const taken = handshakes.complete("a:1", peer, patient);
  await settled();
  await peer.finish();
  await taken;
  assertEquals([peer.started, peer.closed, peer.looks], [1, 0, 3]);
});

Deno.test("complete() starts another where one is waited for, or is a minute old", async () => {
  let nowMs = 7_000_000;
  const [handshakes, peer] = [new Handshakes({ nowMs: () => nowMs }), new Peer()];
  const first = handshakes.complete("a:1", peer, patient);
  await settled();
  const second = handshakes.complete("a:1", peer, patient);
  await settled();
  assertEquals(peer.started, 2);
  await peer.finish();
  await Promise.all([first, second]);
  await giveUp(handshakes, "a:1", peer);
  nowMs += 60_000;
  await giveUp(handshakes, "a:1", peer);
  assertEquals(peer.started, 3);
  nowMs += 1;
  await giveUp(handshakes, "a:1", peer);
  assertEquals(peer.started, 4);
});

Deno.test("a handshake that ends when nobody waits for it is closed, and one that fails", async () => {
  const [handshakes, peer] = [new Handshakes(), new Peer()];
  await giveUp(handshakes, "a:1", peer);
  await peer.finish();
  assertEquals(peer.closed, 1);
  const failing = assertRejects(() => handshakes.complete("a:1", peer, patient), Error, "no");
  await settled();
  await peer.finish(new Error("no"));
  await failing;
  assertEquals([peer.started, peer.closed], [2, 2]);
});

Deno.test("handshakes left open are bounded, but for peers that once completed one", async () => {
  const [handshakes, peer] = [new Handshakes(), new Peer()];
  const good = handshakes.complete("good:1", peer, patient);
  await settled();
  await peer.finish();
  await good;
  const mute = new Peer();
  for (let i = 0; i < HANDSHAKES_MAX; i++) await giveUp(handshakes, `mute${i}:1`, mute);
  await assertRejects(
    () => handshakes.complete("new:1", mute, patient),
    Error,
    "too many peers leave the TLS handshake open",
  );
  const again = handshakes.complete("good:1", peer, patient);
  await settled();
  await peer.finish();
  await again;
  await mute.finish();
  assertEquals(mute.closed, HANDSHAKES_MAX);
  const fresh = handshakes.complete("new:1", peer, patient);
  await settled();
  await peer.finish();
  await fresh;
});

Deno.test("invariant 7: of peers that once completed a handshake a bounded number is remembered", async () => {
  const [handshakes, peer] = [new Handshakes(), new Peer()];
  for (let i = 0; i <= PROVEN_MAX; i += HANDSHAKES_MAX) {
    const some = Array.from(
      { length: HANDSHAKES_MAX },
      (_, j) => handshakes.complete(`good${i + j}:1`, peer, patient),
    );
    await settled();
    await peer.finish();
    await Promise.all(some);
  }
  for (let i = 0; i < HANDSHAKES_MAX; i++) await giveUp(handshakes, `mute${i}:1`, new Peer());
  const call = (address: string) =>
    assertRejects(() => handshakes.complete(address, peer, AbortSignal.abort()), Error);
  assertStringIncludes((await call("good0:1")).message, "too many peers");
  assertStringIncludes((await call(`good${PROVEN_MAX}:1`)).message, "aborted");
});
