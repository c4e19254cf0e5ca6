/** @jsxImportSource npm:hono@4.13.19/jsx */
/** What the script clones, and the addresses that did not answer. */
import type { RowState } from "./content.ts";
import { Group } from "./map.tsx";
import { MemberRow } from "./rows.tsx";
import { BLANK_CHANGE, ChangeItem, StoryRow } from "./story.tsx";
import type { ContactView } from "../report/contacts.ts";

const BLANK_ROW: RowState = {
  id: "",
  address: "",
  status: "unknown",
  lastHeartbeat: null,
  ageMs: null,
  tags: [],
  why: "",
  tellings: 0,
  strip: { label: "", spans: [] },
};

/** An address whose member is not known yet. */
export function ContactItem({ contact }: { contact: ContactView }) {
  return (
    <li>
      <b>{contact.address}</b>
      <span>{contact.state}</span>
    </li>
  );
}

/** What the script clones for a new member, a history, a line of it, and a contact. */
export function Templates() {
  return (
    <>
      <template id="row-template">
        <MemberRow row={BLANK_ROW} state={{ scheme: "", suffix: { id: "", address: "" } }} />
      </template>
      <template id="group-template">
        <Group name="" />
      </template>
      <template id="story-template">
        <StoryRow />
      </template>
      <template id="change-template">
        <ChangeItem change={BLANK_CHANGE} next={undefined} now="" />
      </template>
      <template id="contact-template">
        <ContactItem contact={{ address: "", trouble: "", state: "" }} />
      </template>
    </>
  );
}
