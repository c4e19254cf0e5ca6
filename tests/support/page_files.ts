/** The paths of the files of static/ that a page, served at `/`, names. */
export function pageFiles(page: string): string[] {
  return [...page.matchAll(/(?:href|src)="(static\/[^"]+)"/g)].map(([, path]) => `/${path}`);
}
