import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { makeCa, makeServerCertificate } from "../../../scripts/tls/certificates.ts";
import { cloneRoot } from "../../clone-root.ts";
import { addressInDocker, somePort, waitForEndpoint } from "../address-in-docker.ts";

/** Script that installs the server, and names its version. */
const recipe = readFileSync(join(cloneRoot, ".ci", "azure-server"), "utf8");
const version = /^version=(\S+)$/m.exec(recipe)?.[1] ?? "unknown";

const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
const program = join(cache, "pgroundwork-ci", `azurite-${version}`, "node_modules/azurite/dist/src/blob/main.js");

/** True if the program is in the cache. `.ci/run` installs it; by hand, `.ci/azure-server` does. */
export const hasAzureServer = existsSync(program);

/** Version of the service's API that requests name. */
const api = "2021-08-06";

/**
 * Microsoft's emulator of Azure Blob Storage (Azurite) over TLS. Containers of every network reach it at the address
 * that this machine has in Docker's default network.
 */
export class AzureServer {
  readonly account = "shopbackups";
  readonly key = randomBytes(32).toString("base64");
  /** Host and port, set by {@link start}. */
  endpoint = "";
  #folder = "";
  #process: ChildProcess | undefined;
  #ca = "";

  /** PEM file of the CA that signed the server's certificate. */
  get caFile(): string {
    return join(this.#folder, "ca.pem");
  }

  /** Starts the server. The account has no container. */
  async start(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), "pgw-azure-"));
    const address = await addressInDocker();
    const term = { validityDays: 1 };
    const ca = await makeCa({ commonName: "an Azure endpoint's CA", ...term });
    const own = await makeServerCertificate(ca, { hosts: [address], ...term });
    this.#ca = ca.certificate;
    await writeFile(this.caFile, ca.certificate);
    await writeFile(join(this.#folder, "server.pem"), own.certificate);
    await writeFile(join(this.#folder, "server.key"), own.privateKey, { mode: 0o600 });
    this.endpoint = `${address}:${somePort()}`;
    await this.return();
  }

  /** Ends the server, as if it was away. Its containers stay. */
  async leave(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    // It writes its list of blobs when it ends.
    running.kill("SIGTERM");
    await ended;
  }

  /** Starts the server again at the same endpoint. */
  async return(): Promise<void> {
    const [host = "", port = ""] = this.endpoint.split(":");
    const tls = ["--cert", join(this.#folder, "server.pem"), "--key", join(this.#folder, "server.key")];
    const store = ["--location", this.#folder, "--skipApiVersionCheck", "--disableTelemetry", "--silent"];
    // Keys go into the environment, because every user of the machine can read arguments.
    const env = { ...process.env, AZURITE_ACCOUNTS: `${this.account}:${this.key}` };
    const args = [program, "--blobHost", host, "--blobPort", port, ...tls, ...store];
    const started = spawn(process.execPath, args, { env, stdio: "ignore" });
    this.#process = started;
    await waitForEndpoint(this.endpoint, () => started.exitCode !== null);
  }

  /** Creates a container for blobs. */
  async createContainer(container: string): Promise<void> {
    const path = `/${this.account}/${container}`;
    const date = new Date().toUTCString();
    const signed = ["PUT", ...Array(11).fill(""), `x-ms-date:${date}`, `x-ms-version:${api}`];
    const text = [...signed, `/${this.account}${path}`, "restype:container"].join("\n");
    const authorization = `SharedKey ${this.account}:${this.#sign(text)}`;
    const headers = { "x-ms-date": date, "x-ms-version": api, authorization, "content-length": "0" };
    const agent = new Agent({ ca: this.#ca });
    const url = `https://${this.endpoint}${path}?restype=container`;
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(url, { method: "PUT", headers, agent }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.once("error", reject);
      sent.end();
    });
    if (status !== 201) throw new Error(`the container ${container} could not be created: status ${status}`);
  }

  /** Returns a shared access signature for everything in the account, for a day. */
  signature(): string {
    const expiry = new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, "Z");
    // Permissions, services, types of resources, start, expiry, addresses, protocol, version, encryption scope.
    const signed = [this.account, "rwdlac", "b", "sco", "", expiry, "", "https", api, "", ""].join("\n");
    const fields = { sv: api, ss: "b", srt: "sco", sp: "rwdlac", se: expiry, spr: "https", sig: this.#sign(signed) };
    return new URLSearchParams(fields).toString();
  }

  async stop(): Promise<void> {
    await this.leave();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #sign(text: string): string {
    return createHmac("sha256", Buffer.from(this.key, "base64")).update(text, "utf8").digest("base64");
  }
}
