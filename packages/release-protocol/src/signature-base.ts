import { utf8 } from "./encoding.ts";

/** One covered component: its identifier as serialised (RFC 9421, section 2) and its value. */
export type Component = { readonly identifier: string; readonly value: string };

/**
 * The bytes that are signed (RFC 9421, section 2.5). Every value is known to be one line of ASCII: the parsers of this
 * package let nothing else through, so no value can pose as a further component.
 */
export const signatureBase = (components: readonly Component[], params: string): Uint8Array =>
  utf8(
    [...components.map(({ identifier, value }) => `${identifier}: ${value}`), `"@signature-params": ${params}`].join(
      "\n",
    ),
  );
