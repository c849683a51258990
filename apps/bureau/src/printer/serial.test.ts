import fc from "fast-check";
import { expect, it } from "vitest";
import { readSerial, toSerial } from "./serial.ts";

it("readSerial() reads what toSerial() wrote, and nothing under another prefix", () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 ** 12 }), (number) => {
      const serial = toSerial("Babc123", number);
      expect(readSerial("Babc123", serial)).toBe(number);
      expect(readSerial("Babc12", serial)).toBeUndefined();
      expect(readSerial("Babc1234", serial)).toBeUndefined();
    }),
  );
});

it.each(["", "B1", "B1-", "B1-1", "B1-0000-00001", "B1-0000-000x", ".B1-0000-0001", "B1-0000-0001.pdf"])(
  "readSerial() does not take %j for a serial",
  (text) => expect(readSerial("B1", text)).toBeUndefined(),
);
