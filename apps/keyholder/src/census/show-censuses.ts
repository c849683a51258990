import type { KeyholderRequest, KeyholderResponse } from "@tipstaff/release-protocol";
import { toBase64url } from "../encoding.ts";
import { readEvent } from "../facts/read-event.ts";
import type { Keyholder } from "../keyholder.ts";

type Asked = KeyholderRequest<"census/show">["entries"][number];
type Shown = KeyholderResponse<"census/show">["censuses"][number];

/**
 * Kind and detail of census entries, with the salts by which anybody can hold them against the leaf; `null` for an entry
 * of any other kind. A census is about nobody, so that no journal is kept of it.
 */
export function showCensuses(
  { keys }: Keyholder,
  { entries }: KeyholderRequest<"census/show">,
): KeyholderResponse<"census/show"> {
  return { censuses: entries.map((entry) => showOne(keys.log, entry)) };
}

function showOne(logKey: Uint8Array, asked: Asked): Shown {
  const opened = readEvent(logKey, asked);
  if (opened?.fields.kind !== "census") return null;
  const { fields, salts } = opened;
  return {
    kind: { value: fields.kind, salt: toBase64url(salts.kind) },
    detail: { value: fields.detail, salt: toBase64url(salts.detail) },
  };
}
