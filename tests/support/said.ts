import { assert } from "@std/assert";
import { eventually } from "./eventually.ts";

/** What a process writes to one of its outputs, as it comes. */
export class Said {
  text = "";
  /** Resolves when the output has ended. */
  readonly ended: Promise<void>;

  constructor(output: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.ended = output.pipeThrough(new TextDecoderStream())
      .pipeTo(new WritableStream({ write: (text) => void (this.text += text) }));
  }

  /** The address that a node gives its peers, once it has said so. */
  address(): Promise<string> {
    return eventually(() => {
      const [, address] = /known to peers as ([^\s,;]+)/.exec(this.text) ?? [];
      assert(address !== undefined, `the log so far: ${this.text}`);
      return address;
    });
  }
}
