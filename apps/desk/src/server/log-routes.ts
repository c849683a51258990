import { createFolderStorage } from "@tipstaff/ledger/folder";
import { serveLog } from "@tipstaff/ledger/serve";
import type { FastifyInstance } from "fastify";
import type { Desk } from "../desk.ts";

const PREFIX = "/log/";

type LogPlace = { readonly folders: Pick<Desk["folders"], "tiles">; readonly log: Pick<Desk["log"], "error"> };

/**
 * The log's public files for everybody: checkpoint, tiles and entry bundles, straight from their folder. What stands in
 * them is commitments; the openings lie in another folder, which nothing here reads.
 */
export function registerLogRoutes(app: FastifyInstance, { folders, log }: LogPlace): void {
  const tiles = createFolderStorage(folders.tiles);
  const serve = serveLog({ tiles, prefix: PREFIX, onError: (error) => log.error({ err: error }, "serving the log") });
  app.get(`${PREFIX}*`, async (request, reply) => {
    reply.hijack();
    await serve(request.raw, reply.raw);
  });
}
