import {
  createProver,
  indexInMemory,
  listPerson,
  openCheckpoint,
  type PersonHistory,
  parseCheckpoint,
  parseSignedNote,
  parseVerifierKey,
  readEntries,
  TILE_WIDTH,
  tileReaderOf,
} from "@tipstaff/ledger";
import { createFolderStorage } from "@tipstaff/ledger/folder";
import { z } from "zod";
import type { TestDesk } from "../database/test-desk.ts";
import type { TestLogin } from "../database/test-staff.ts";

const from = (encoding: "hex" | "base64") =>
  z.string().transform((text) => Uint8Array.from(Buffer.from(text, encoding)));
const shown = z.object({ value: z.string(), salt: from("hex") });
const historySchema = z.object({
  checkpoint: z.string(),
  tagKey: from("hex"),
  auditKey: from("hex"),
  entries: z.array(z.object({ n: z.int(), index: z.int(), openings: from("base64") })),
  censuses: z.array(
    z.object({
      ...{ seq: z.int(), index: z.int(), n: z.int().nullable(), kind: shown, detail: shown },
      map: z.object({
        end: z.object({ key: from("hex"), commitment: from("hex") }).nullable(),
        siblings: z.array(from("base64")),
      }),
    }),
  ),
});
export type TestHistory = z.infer<typeof historySchema>;

/** One person's history as the desk hands it out. */
export async function exportHistory(
  test: TestDesk,
  person: string | undefined,
  login: TestLogin = "security.one",
): Promise<TestHistory> {
  const { status, text, body } = await test.as(login).post("/api/people/history", { person, purpose: "test" });
  if (status !== 200) throw new Error(`history: ${status} ${text}`);
  return historySchema.parse(body);
}

/** Holds a history against the desk's own log, as it was at the history's checkpoint. */
export async function checkHistory(test: TestDesk, file: TestHistory): Promise<PersonHistory> {
  const note = Buffer.from(file.checkpoint, "utf8");
  const { logVerifierKey } = await test.desk.keyholder.call("status", {});
  const { origin } = parseCheckpoint(parseSignedNote(note).text);
  const opened = openCheckpoint(note, { keys: [parseVerifierKey(logVerifierKey)], origin });
  if (!opened.ok) throw new Error(opened.reason);
  const [size, { root }] = [Number(opened.checkpoint.size), opened.checkpoint];
  const reader = createFolderStorage(test.config.folders.tiles);
  return listPerson({
    ...{ tagKey: file.tagKey, auditKey: file.auditKey },
    censuses: file.censuses.map(({ kind, detail, n, map, ...census }) => ({
      ...{ ...census, n: n ?? undefined, proof: { end: map.end ?? undefined, siblings: map.siblings } },
      ...{ kind: { field: "kind", ...kind }, detail: { field: "detail", ...detail } },
    })),
    log: {
      ...{ root, prover: createProver({ size, readTile: tileReaderOf(reader) }) },
      index: await indexInMemory(reader, size),
      readEntry: async (index) => {
        const bundle = Math.floor(index / TILE_WIDTH);
        const width = Math.min(TILE_WIDTH, size - bundle * TILE_WIDTH);
        return (await readEntries(reader, { index: bundle, width }))[index % TILE_WIDTH]?.slice() ?? new Uint8Array();
      },
      readOpenings: async (index) => file.entries.find((entry) => entry.index === index)?.openings,
    },
  });
}
