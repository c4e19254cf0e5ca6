/** A file of keys in the temporary folder, deleted at the end. */
export class KeyFile implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async with(...keys: string[]): Promise<KeyFile> {
    const file = new KeyFile(await Deno.makeTempFile({ prefix: "keys" }));
    await file.write(...keys);
    return file;
  }

  /** Replaces its keys. */
  async write(...keys: string[]): Promise<void> {
    await Deno.writeTextFile(this.path, keys.join("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A test may have deleted it.
    await Deno.remove(this.path).catch(() => {});
  }
}
