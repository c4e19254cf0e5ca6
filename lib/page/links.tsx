/** @jsxImportSource npm:hono@4.13.19/jsx */
/** Names, times and the ways from one place of the page to another. */
import { pageUrl, splitName } from "../../static/lists.js";
import { clockWords, timeWords } from "../../static/words.js";

/** An address, leading to the page of the node there. Without an address of the usual form it leads nowhere. */
export function PageLink(
  { scheme, address, suffix }: { scheme: string; address: string; suffix: string },
) {
  const url = pageUrl(scheme, address);
  const href = url === "" ? {} : { href: url };
  return (
    <a rel="external" {...href} title={address}>
      <MemberName text={address} suffix={suffix} />
    </a>
  );
}

export function MemberName({ text, suffix }: { text: string; suffix: string }) {
  const [own, shared] = splitName(text, suffix);
  return <>{own}{shared !== "" && <i>{shared}</i>}</>;
}

/** A time, for today without its date. The script writes it by the reader's clock; on hover it is in UTC. */
export function Time({ at, now }: { at: string | null; now: string }) {
  if (at === null) return <time></time>;
  return <time datetime={at} title={timeWords(at)}>{clockWords(at, now)}</time>;
}

/** The page with a member's history open. */
export function storyPath(id: string): string {
  return `./?id=${encodeURIComponent(id)}#story`;
}

/** The page that asks before it forgets a member. */
export function forgetPath(id: string): string {
  return `./?forget=${encodeURIComponent(id)}`;
}

/** The page that asks before it decommissions a member. */
export function byePath(id: string): string {
  return `./?bye=${encodeURIComponent(id)}`;
}
