import { serve } from "../provider-protocol/server.ts";
import { plugin } from "./plugin.ts";
import { restoreUsersOptions } from "./users-options.ts";

restoreUsersOptions();
await serve(plugin, process.argv.slice(2));
