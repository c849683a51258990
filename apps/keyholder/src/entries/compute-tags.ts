import { entryTag } from "@tipstaff/ledger";
import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { toBase64url } from "../encoding.ts";
import { appendJournal } from "../journal/journal.ts";
import type { Keyholder } from "../keyholder.ts";
import { createKeyring, type Keyring } from "../roots/root-keys.ts";

type Asked = KeyholderRequest<"tags/compute">["people"][number];

/**
 * The tags that entries about these people carry in the public log, in the order given; `null` for a person whose keys
 * are gone. They tell whose entries those are, so that one journal entry a call names everybody asked about, before
 * anything is answered.
 */
export function computeTags(
  keyholder: Keyholder,
  { reason, people }: KeyholderRequest<"tags/compute">,
): KeyholderResponse<"tags/compute"> {
  const keyring = createKeyring(keyholder);
  const tags = people.map((asked) => tagsOf(keyring, asked));
  const { store, now } = keyholder;
  store.transaction(() => {
    const known = tags.filter((found) => found !== null).length;
    const persons = people.map(({ person }) => person);
    appendJournal(store, { at: now(), what: "tags-computed", detail: { reason, known }, persons });
  });
  return { tags };
}

function tagsOf(keyring: Keyring, { person, from, to }: Asked): string[] | null {
  const keys = keyring.find(person);
  if (keys === undefined) return null;
  const tagKey = keys.tagKey();
  return Array.from({ length: to - from + 1 }, (_, at) => toBase64url(entryTag(tagKey, from + at)));
}
