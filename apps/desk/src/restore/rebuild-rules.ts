/** What the log proves that the keyholder once was, and what it is now. */
export type KeyholderAge = {
  /** Entries of the last checkpoint that it signed. */
  readonly signedSize: number;
  /** Entries of the log that was published. */
  readonly logSize: number;
  readonly journalSize: number;
  /** The longest that its journal ever was, by the log. */
  readonly loggedJournalSize: number;
};

/**
 * Why the keyholder cannot tell what it decided: its store is an older one than the log, and may have forgotten releases.
 * Undefined where nothing shows it.
 */
export function refuseOldKeyholder(age: KeyholderAge): string | undefined {
  const { signedSize, logSize, journalSize, loggedJournalSize } = age;
  const older = "The keyholder's store is older than the log";
  const act = "restore its newest folder and start the desk again; until then everything is held";
  if (signedSize < logSize) return `${older}: it signed ${signedSize} entries last, the log has ${logSize}; ${act}`;
  if (journalSize < loggedJournalSize)
    return `${older}: its journal has ${journalSize} entries, the log knew ${loggedJournalSize}; ${act}`;
  return undefined;
}

/**
 * Who is to be erased again: everybody without keys, where the log has an erasure for each of them. Where it has fewer,
 * some lack their keys for another reason, and nobody is.
 */
export function choosePeopleToErase(withoutKeys: readonly string[], erasures: number): readonly string[] {
  return withoutKeys.length <= erasures ? withoutKeys : [];
}

/**
 * Why no hold may be lifted now: a restore is open whose release state was not rebuilt from the log. `open` are the ids of
 * restores that the desk has not finished with.
 */
export function refuseLiftBeforeRebuild(open: readonly string[]): string | undefined {
  const [first] = open;
  if (first === undefined) return undefined;
  return `Restore ${first} is not rebuilt from the log yet: start the desk again with the keyholder running, and read its log; docs/operate/restore.md`;
}
