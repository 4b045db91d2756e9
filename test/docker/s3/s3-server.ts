import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { makeCa, makeServerCertificate } from "../../../scripts/tls/certificates.ts";
import { cloneRoot } from "../../clone-root.ts";
import { addressInDocker, somePort, waitForEndpoint } from "../address-in-docker.ts";

/** Script that builds the server, and names its version. */
const recipe = readFileSync(join(cloneRoot, ".ci", "s3-server"), "utf8");
const version = /^version=(\S+)$/m.exec(recipe)?.[1] ?? "unknown";

const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
const program = join(cache, "pgroundwork-ci", `versitygw-${version}`, "versitygw");

/** True if the program is in the cache. `.ci/run` builds it; by hand, `.ci/s3-server` does. */
export const hasS3Server = existsSync(program);

/**
 * A real S3 server over TLS (Versity S3 Gateway), whose buckets are folders of this machine. Containers of every
 * network reach it at the address that this machine has in Docker's default network.
 */
export class S3Server {
  /** Credentials of the server. */
  readonly key = `key${randomBytes(4).toString("hex")}`;
  readonly keySecret = randomBytes(24).toString("hex");
  /** Host and port, set by {@link start}. */
  endpoint = "";
  #folder = "";
  #process: ChildProcess | undefined;

  /** PEM file of the CA that signed the server's certificate. */
  get caFile(): string {
    return join(this.#folder, "ca.pem");
  }

  /** PEM file of a CA that the server does not know. */
  get otherCaFile(): string {
    return join(this.#folder, "other-ca.pem");
  }

  /** Starts the server with one bucket. */
  async start(bucket: string): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), "pgw-s3-"));
    const address = await addressInDocker();
    const term = { validityDays: 1 };
    const ca = await makeCa({ commonName: "a bucket's CA", ...term });
    const other = await makeCa({ commonName: "another CA", ...term });
    const own = await makeServerCertificate(ca, { hosts: [address], ...term });
    await writeFile(this.caFile, ca.certificate);
    await writeFile(this.otherCaFile, other.certificate);
    await writeFile(join(this.#folder, "server.pem"), own.certificate);
    await writeFile(join(this.#folder, "server.key"), own.privateKey, { mode: 0o600 });
    await mkdir(join(this.#folder, "buckets", bucket), { recursive: true });
    this.endpoint = `${address}:${somePort()}`;
    await this.#run();
  }

  /** Ends the server, as if its machine was away. Its buckets stay. */
  leave(): Promise<void> {
    return this.#end();
  }

  /** Starts the server again at the same endpoint. */
  return(): Promise<void> {
    return this.#run();
  }

  async #end(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill("SIGKILL");
    await ended;
  }

  async #run(): Promise<void> {
    const file = (name: string) => join(this.#folder, name);
    const args = ["--cert", file("server.pem"), "--key", file("server.key"), "--port", this.endpoint];
    // Keys go into the environment, because every user of the machine can read arguments.
    const env = { ...process.env, ROOT_ACCESS_KEY: this.key, ROOT_SECRET_KEY: this.keySecret };
    // Without files for metadata, its attributes would need a filesystem that has them.
    const store = ["posix", "--sidecar", file("metadata"), file("buckets")];
    await mkdir(file("metadata"), { recursive: true });
    const started = spawn(program, [...args, "--quiet", ...store], { env, stdio: "ignore" });
    this.#process = started;
    await waitForEndpoint(this.endpoint, () => started.exitCode !== null);
  }

  /** Lists the objects in a bucket. */
  async objects(bucket: string): Promise<string[]> {
    const root = join(this.#folder, "buckets", bucket);
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1));
  }

  /** Reads an object. */
  read(bucket: string, object: string): Promise<Buffer> {
    return readFile(join(this.#folder, "buckets", bucket, object));
  }

  /** Removes an object behind the server's back. */
  async remove(bucket: string, object: string): Promise<void> {
    await rm(join(this.#folder, "buckets", bucket, object));
  }

  async stop(): Promise<void> {
    await this.#end();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
