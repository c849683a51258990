import sharp from "sharp";
import type { CardPerson } from "./create-composer.ts";
import { EXAMPLE_TEMPLATES, loadTemplate } from "./load-template.ts";
import type { Template } from "./template.ts";

/** For tests: a small 35:45 JPEG, by default without metadata. */
export async function samplePortrait(metadata: { comment?: string } = {}): Promise<Uint8Array> {
  const picture = sharp({ create: { width: 70, height: 90, channels: 3, background: "#8899aa" } });
  if (metadata.comment !== undefined) picture.withExif({ IFD0: { ImageDescription: metadata.comment } });
  return new Uint8Array(await picture.jpeg().toBuffer());
}

export async function samplePerson(changes: Partial<CardPerson> = {}): Promise<CardPerson> {
  return {
    force: "Exampleshire Police",
    name: "Siân Glyndŵr",
    rank: "Sergeant",
    number: "0040213",
    portrait: await samplePortrait(),
    expiry: "2029-11-30",
    cardNumber: "EX-7F3K-92QD",
    ...changes,
  };
}

export async function sampleTemplate(kind = "warrant-card"): Promise<Template> {
  const loaded = await loadTemplate(`${EXAMPLE_TEMPLATES}/${kind}`);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.template;
}
