/**
 * Answers that last, as those of `/events` do: each holds a place, and there are few. When all are taken, a caller gets
 * the oldest of the network that has most, where that still has no fewer than his own afterwards: who opens answers and
 * takes none of them keeps out callers of his own address alone. (pure)
 *
 * @module
 */
import { WaitingRoom } from "./waiting.ts";

export class LastingAnswers {
  readonly #room: WaitingRoom;

  constructor(placesMax: number) {
    this.#room = new WaitingRoom(placesMax);
  }

  /** A place for an answer to a caller of `network`; undefined where all are taken, and none is his due. */
  enter(network: string): LastingAnswer | undefined {
    return this.#room.admits(network) ? new LastingAnswer(this.#room, network) : undefined;
  }
}

/** A place, and the answer that holds it. */
export class LastingAnswer {
  readonly #place: { leave(): void };
  #end: (() => void) | undefined;
  #isGivenUp = false;

  constructor(room: WaitingRoom, network: string) {
    this.#place = room.enter(network, () => {
      this.#isGivenUp = true;
      this.#end?.();
    });
  }

  /** Frees the place, where no stream is to hold it. */
  leave(): void {
    this.#place.leave();
  }

  /** `stream`, which holds the place until it ends, and ends where the place is given up. */
  hold(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = stream.getReader();
    const leave = () => this.leave();
    // Not when its end is read: who takes nothing never does.
    reader.closed.then(leave, leave);
    this.#end = () => void reader.cancel().catch(() => {});
    if (this.#isGivenUp) this.#end();
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    }, { highWaterMark: 0 });
  }
}
