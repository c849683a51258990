import { createServer, type Server } from "node:http";
import { afterEach, expect, it } from "vitest";
import { CliError } from "../cli-error.ts";
import { connectApi } from "./http.ts";

let server: Server | undefined;
afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))));

/** What the command line makes of one answer of a service. */
async function errorOf(status: number, body: unknown): Promise<CliError> {
  server = createServer((_request, response) => {
    response.writeHead(status, { "content-type": "application/problem+json" }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const error = await connectApi("desk", { port })
    .get("/x")
    .catch((thrown: unknown) => thrown);
  if (error instanceof CliError) return error;
  throw new Error("the command line took it for an answer");
}

it("a request that a service cannot read exits 2: it could not run", async () => {
  const error = await errorOf(400, { title: "The request does not fit", code: "malformed", detail: "from: a date" });
  expect(error.exitCode).toBe(2);
  expect(error.message).toBe("The desk answered 400 [malformed]. The request does not fit: from: a date");
});

it.each([401, 403, 404, 409, 429])("what a rule says no to (%i) exits 1, and nothing was changed", async (status) => {
  const error = await errorOf(status, { title: "No", code: "no" });
  expect(error).toMatchObject({ exitCode: 1, advice: "Nothing was changed." });
});

it.each([400, 404, 409, 503])("the advice that a service gives with %i is passed on as it is", async (status) => {
  expect(await errorOf(status, { title: "No", advice: "Known are: cardmaker." })).toMatchObject({
    advice: "Known are: cardmaker.",
  });
});

it("a service that failed exits 2 and points to its log", async () => {
  expect(await errorOf(500, {})).toMatchObject({ exitCode: 2, advice: "Read its log." });
});

it("an answer that is no problem at all is still an error with a status", async () => {
  expect((await errorOf(409, "no")).message).toBe("The desk answered 409.");
});
