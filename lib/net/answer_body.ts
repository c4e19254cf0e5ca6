/**
 * The body of one answer as it arrives: bytes in one growing piece, however small the parts are in which a peer sends
 * them, and counted against a budget that all answers being read share. (pure)
 *
 * @module
 */

/** Bytes of the smallest piece: the answers of a small cluster fit. */
const FIRST_BYTES = 1_024;

/** Memory that the bodies of all answers being read may take together. */
export class MemoryBudget {
  #bytesLeft: number;

  constructor(bytes: number) {
    this.#bytesLeft = bytes;
  }

  /** Takes so many bytes; false, and takes none, if there is not enough. */
  take(bytes: number): boolean {
    if (bytes > this.#bytesLeft) return false;
    this.#bytesLeft -= bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(bytes: number): void {
    this.#bytesLeft += bytes;
  }
}

export class AnswerBody {
  readonly #bytesMax: number;
  readonly #memory: MemoryBudget | undefined;
  #bytes = new Uint8Array(0);
  #length = 0;

  constructor(bytesMax: number, memory: MemoryBudget | undefined) {
    this.#bytesMax = bytesMax;
    this.#memory = memory;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Adds a part; throws if the body gets too long, or finds no memory left. */
  add(part: Uint8Array): void {
    const length = this.#length + part.length;
    if (length > this.#bytesMax) throw tooLong(this.#bytesMax);
    if (length > this.#bytes.length) this.#grow(length);
    this.#bytes.set(part, this.#length);
    this.#length = length;
  }

  /** The body so far, decoded as UTF-8. */
  text(): string {
    return new TextDecoder().decode(this.#bytes.subarray(0, this.#length));
  }

  /** Gives its memory back. */
  release(): void {
    this.#memory?.give(this.#bytes.length);
    free(this.#bytes);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
  }

  #grow(length: number): void {
    const size = Math.min(Math.max(length, 2 * this.#bytes.length, FIRST_BYTES), this.#bytesMax);
    if (this.#memory?.take(size - this.#bytes.length) === false) {
      throw new Error("answered at length while other long answers were being read");
    }
    const bytes = new Uint8Array(size);
    bytes.set(this.#bytes.subarray(0, this.#length));
    free(this.#bytes);
    this.#bytes = bytes;
  }
}

/** Gives memory back at once: a collector that sees little work may leave it for a minute. */
function free(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}

export function tooLong(bytesMax: number): Error {
  return new Error(`answered with a body of more than ${bytesMax} bytes`);
}
