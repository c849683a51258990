import type { ConsoleCall, consoleCalls } from "@tipstaff/release-protocol";
import type { z } from "zod";

export type ConsoleRequest<C extends ConsoleCall> = z.infer<(typeof consoleCalls)[C]["request"]>;
export type ConsoleResponse<C extends ConsoleCall> = z.infer<(typeof consoleCalls)[C]["response"]>;
