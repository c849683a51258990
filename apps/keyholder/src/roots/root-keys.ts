import { derivePersonKeys, type PersonKeys, unwrapSecret, wrapSecret } from "@tipstaff/sealing";
import type { Keyholder } from "../keyholder.ts";
import { RefusedCall } from "../server/refused-call.ts";
import { bytesOf } from "../store/columns.ts";

type Holder = Pick<Keyholder, "store" | "keys">;

const nameOf = (person: string): string => `root/${person}`;

export const wrapRoot = ({ keys }: Holder, person: string, root: Uint8Array): Uint8Array =>
  wrapSecret(keys.wrapping, nameOf(person), root);

/** A person's keys; `undefined` where there is no root, or no longer one. */
export function keysOf({ store, keys }: Holder, person: string): PersonKeys | undefined {
  const row = store.get("select wrapped from root where person = ?", person);
  return row && derivePersonKeys(unwrapSecret(keys.wrapping, nameOf(person), bytesOf(row, "wrapped")));
}

/** People's keys for the length of one call, each unwrapped once. */
export type Keyring = {
  readonly find: (person: string) => PersonKeys | undefined;
  /** Throws `unknown-person`. */
  readonly need: (person: string) => PersonKeys;
};

export function createKeyring(holder: Holder): Keyring {
  const known = new Map<string, PersonKeys | undefined>();
  const find = (person: string): PersonKeys | undefined => {
    if (!known.has(person)) known.set(person, keysOf(holder, person));
    return known.get(person);
  };
  return {
    find,
    need: (person) => {
      const keys = find(person);
      if (keys === undefined) throw new RefusedCall("unknown-person", "a person has no root: never made, or erased");
      return keys;
    },
  };
}
