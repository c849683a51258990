import { generateOneTimeKey } from "@tipstaff/sealing";

/** A one-time public key, as it travels. */
export async function generateKeyPair(): Promise<string> {
  const { publicKey } = await generateOneTimeKey();
  return Buffer.from(publicKey).toString("base64url");
}
