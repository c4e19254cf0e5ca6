/**
 * A headless browser: the machine's own, or one from npm, so that nothing has to be installed first.
 *
 * @module
 */
import { type Browser, chromium } from "playwright-core";

const INSTALLED = ["chromium", "chromium-browser", "google-chrome"].map((name) =>
  `/usr/bin/${name}`
);

/** Tests only ever open pages of their own nodes; without these rights a sandbox cannot be set up in a container. */
const ARGS = ["--no-sandbox"];

/** Starts a browser. */
export async function launch(): Promise<Browser> {
  switch (Deno.build.os) {
    case "windows":
      return await chromium.launch({ channel: "msedge" });
    case "darwin":
      return await chromium.launch({ channel: "chrome" });
    default:
      return await chromium.launch({
        executablePath: INSTALLED.find(isFile) ?? await unpack(),
        args: ARGS,
      });
  }
}

async function unpack(): Promise<string> {
  // The package brings the libraries that a bare machine lacks, but only where it believes to be on AWS Lambda.
  Deno.env.set("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs22.x");
  const { default: packed } = await import("@sparticuz/chromium");
  return await packed.executablePath();
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
