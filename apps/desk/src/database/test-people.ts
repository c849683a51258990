import { randomUUID } from "node:crypto";
import sharp from "sharp";
import type { Desk } from "../desk.ts";
import type { PersonDetails } from "../people/person-details.ts";
import { sealDetails, sealPortrait } from "../people/register.ts";

export type TestPerson = Partial<PersonDetails> & { readonly portrait?: false };

/** People straight in the register, past the import; each has a portrait unless it says `portrait: false`. */
export async function addTestPeople(
  desk: Pick<Desk, "pool" | "keyholder">,
  people: readonly TestPerson[],
): Promise<string[]> {
  const importId = randomUUID();
  const ids = people.map(() => randomUUID());
  await desk.pool.query("insert into import (id, state) values ($1, 'done')", [importId]);
  const jpeg = await testPortrait();
  const batchId = `test-${importId}`;
  const { deks } = await desk.keyholder.call("roots/create", { batchId, persons: ids });
  for (const [index, id] of ids.entries()) {
    const { portrait: withPortrait, ...over } = people[index] ?? {};
    const dek = Buffer.from(deks[index] ?? "", "base64url");
    const place = { personId: id, recordVersion: 1 };
    const portrait = withPortrait === false ? null : Buffer.from(sealPortrait(dek, place, jpeg));
    await desk.pool.query(
      `insert into person (id, details, portrait, portrait_version, import_id, seen_import_id)
       values ($1, $2, $3, $4, $5, $5)`,
      [id, Buffer.from(sealDetails(dek, place, { ...somebody(index), ...over })), portrait, portrait ? 1 : 0, importId],
    );
  }
  await desk.keyholder.call("roots/confirm", { batchId });
  return ids;
}

function somebody(index: number): PersonDetails {
  const officer = index % 3 !== 2;
  return {
    payNumber: `00${1000 + index}`,
    warrantNumber: officer ? `W${7000 + index}` : "",
    collarNumber: officer ? `${300 + index}` : "",
    title: "",
    forenames: `Forename${String.fromCharCode(65 + (index % 26))}`,
    surname: `Surname${String.fromCharCode(65 + (Math.floor(index / 26) % 26))}`,
    knownAs: "",
    rank: officer ? "Constable" : "Analyst",
    unit: "Northtown",
    postSensitivity: "ordinary",
    role: officer ? "officer" : "staff",
    employedUntil: "",
  };
}

let portrait: Promise<Buffer> | undefined;
function testPortrait(): Promise<Buffer> {
  portrait ??= sharp({
    create: {
      width: 413,
      height: 531,
      channels: 3,
      noise: { type: "gaussian", mean: 128, sigma: 20 },
      background: "#888",
    },
  })
    .jpeg({ quality: 80 })
    .toBuffer();
  return portrait;
}
