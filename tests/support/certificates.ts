/**
 * Certificates for tests, made with openssl: an authority, and what it signs for the loopback.
 *
 * @module
 */
import { assert } from "@std/assert";

/** Days a certificate is good for: longer than a node warns before it expires. */
const DAYS = 30;

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority in a folder of its own. */
export class Authority implements AsyncDisposable {
  #count = 0;

  private constructor(readonly folder: string) {}

  static async create(): Promise<Authority> {
    const folder = await Deno.makeTempDir({ prefix: "tls" });
    await openssl(folder, [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.pem"
        .split(" "),
      ...["-days", `${DAYS}`, "-subj", "/CN=test authority"],
    ]);
    return new Authority(folder);
  }

  /** The path of its certificate. */
  get ca(): string {
    return `${this.folder}/ca.pem`;
  }

  /** A server on the loopback with a new certificate of it that answers 200; and the authority's own, in PEM. */
  async serve(): Promise<{ server: Deno.HttpServer<Deno.NetAddr>; ca: string }> {
    const { cert, key } = await this.issue();
    const [certPem = "", keyPem = "", ca = ""] = await Promise.all(
      [cert, key, this.ca].map((path) => Deno.readTextFile(path)),
    );
    const listen = { hostname: "127.0.0.1", port: 0, cert: certPem, key: keyPem, onListen() {} };
    return { server: Deno.serve(listen, () => new Response("ok")), ca };
  }

  /** Paths of a new certificate for these names, good for so many days. */
  async issue(names = "DNS:localhost,IP:127.0.0.1,IP:::1", days = DAYS): Promise<Certificate> {
    const name = `leaf${this.#count++}`;
    await Deno.writeTextFile(`${this.folder}/${name}.ext`, `subjectAltName=${names}\n`);
    await openssl(this.folder, [
      ..."req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(" "),
      ...["-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`],
    ]);
    await openssl(this.folder, [
      ..."x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial".split(" "),
      ...[
        "-in",
        `${name}.csr`,
        "-out",
        `${name}.pem`,
        "-days",
        `${days}`,
        "-extfile",
        `${name}.ext`,
      ],
    ]);
    return { cert: `${this.folder}/${name}.pem`, key: `${this.folder}/${name}.key` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function openssl(cwd: string, args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { cwd, args }).output();
  assert(success, new TextDecoder().decode(stderr));
}
