import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";

/** Manifest of a package, as npm reads it from a registry. */
interface Manifest {
  name: string;
  version: string;
}

/**
 * Runs work with a registry on this machine that has one package. It redirects requests for other packages to the
 * registry that npm uses otherwise.
 *
 * A registry program would be 250 more packages for two answers.
 *
 * @param use gets the URL of the registry
 */
export async function withRegistry<T>(
  { manifest, tarball, upstream }: { manifest: Manifest; tarball: string; upstream: string },
  use: (url: string) => Promise<T>,
): Promise<T> {
  const { name, version } = manifest;
  const content = await readFile(tarball);
  const integrity = `sha512-${createHash("sha512").update(content).digest("base64")}`;
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    if (path === `/${name}`) {
      const dist = { tarball: `${url}/${name}/-/${basename(tarball)}`, integrity };
      const versions = { [version]: { ...manifest, dist } };
      answer(response, 200, JSON.stringify({ name, "dist-tags": { latest: version }, versions }));
    } else if (path === `/${name}/-/${basename(tarball)}`) answer(response, 200, content);
    else response.writeHead(307, { location: new URL(path.slice(1), upstream).href }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await use(url);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function answer(response: ServerResponse, code: number, body: string | Buffer): void {
  const type = typeof body === "string" ? "application/json" : "application/octet-stream";
  // A later registry can have the same port, and another package of the same version.
  response.writeHead(code, { "content-type": type, "cache-control": "no-store" }).end(body);
}
