import { serve } from "../../provider-protocol/server.ts";
import { plugin } from "./plugin.ts";

await serve(plugin, process.argv.slice(2));
