import { randomBytes, X509Certificate } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import { makeCa, makeServerCertificate } from "../../scripts/tls/certificates.ts";
import { passToEngine } from "./socket-proxy.ts";

/**
 * Makes the machine's Docker engine available like a remote one: over TCP with TLS, for the owner of one client
 * certificate.
 */
export class TlsEngine {
  /** Value for DOCKER_CERT_PATH: a folder with ca.pem, cert.pem and key.pem. */
  readonly certificates = join(tmpdir(), `pgw-certs-${randomBytes(4).toString("hex")}`);
  readonly #open = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  /** Value for DOCKER_HOST. */
  get host(): string {
    return `tcp://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const authority = await makeCa({ commonName: "an engine's", validityDays: 1 });
    const term = { validityDays: 1 };
    const own = await makeServerCertificate(authority, { hosts: ["127.0.0.1"], ...term });
    const client = await makeServerCertificate(authority, { hosts: ["client"], ...term });
    await mkdir(this.certificates, { mode: 0o700 });
    const files = { "ca.pem": authority.certificate, "cert.pem": client.certificate, "key.pem": client.privateKey };
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.certificates, name), text);

    const { fingerprint256: known } = new X509Certificate(client.certificate);
    const credentials = { cert: own.certificate, key: own.privateKey, ca: authority.certificate, allowHalfOpen: true };
    // The client certificate is checked below, because the kit's certificates are only valid for servers.
    const server = createServer({ ...credentials, requestCert: true, rejectUnauthorized: false }, (socket) => {
      if (socket.getPeerCertificate().fingerprint256 === known) passToEngine(socket, this.#open);
      else socket.destroy();
    });
    server.on("tlsClientError", () => undefined);
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#port = (server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    this.#server?.close();
    for (const socket of this.#open) socket.destroy();
    await rm(this.certificates, { recursive: true, force: true });
  }
}
