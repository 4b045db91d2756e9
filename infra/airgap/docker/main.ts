import { serve } from "../../plugin/server.ts";
import { plugin } from "./plugin.ts";

await serve(plugin, process.argv.slice(2));
