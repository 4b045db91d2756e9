/** Checks settings in an image again and again until the process is ended. The arguments are image and owner. */
import { dockerClient } from "../../../../../scripts/docker/client.ts";
import { checkSettingsInImage } from "../../../../../scripts/docker/server/check-settings.ts";

const [image = "", owner = ""] = process.argv.slice(2);
const server = { image, owner: { project: "test", stack: "test", owner } };
for (;;) await checkSettingsInImage(dockerClient(), server, { shared_buffers: "16MB" });
