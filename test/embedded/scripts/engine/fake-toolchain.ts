import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { engineBinary, languageHostBinary } from "../../../../scripts/engine/go-build.ts";
import { engineVersion } from "../../../../scripts/engine/versions.ts";

/** A machine of its own for one test: a home, a PATH with nothing of the real machine but a shell, a clone. */
export class Machine {
  readonly base: string = mkdtempSync(join(tmpdir(), "pgw engine-"));
  readonly root: string = join(this.base, "clone");
  readonly bin: string = join(this.base, "bin");
  readonly env: Record<string, string> = {
    HOME: join(this.base, "home"),
    PATH: `${this.bin}:/usr/bin:/bin`,
    // The decision about the network is what some tests are about; the others must not depend on it.
    PGW_OFFLINE: "1",
  };

  constructor() {
    this.write("clone/package.json", "{}");
    this.write("clone/Pulumi.yaml", "name: machine\nruntime: nodejs\nbackend:\n  url: file://./.pgroundwork\n");
    mkdirSync(this.bin);
  }

  write(path: string, content: string, mode = 0o644): string {
    const file = join(this.base, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  }

  script(path: string, body: string): string {
    return this.write(path, `#!/bin/sh\n${body}\n`, 0o755);
  }

  /**
   * A `go` whose module cache is full and whose build takes `seconds` and then writes what `pulumi version` needs.
   * Each build leaves a line in `builds`, its process id in `go.pid`.
   */
  installGo(seconds = 0, goVersion = "go1.26.0"): void {
    const moduleCache = join(this.base, "modules");
    for (const { module } of [engineBinary, languageHostBinary]) {
      this.write(`modules/cache/download/${module.path}/@v/${module.version}.zip`, "");
    }
    const settings = { GOVERSION: goVersion, GOTOOLCHAIN: "local", GOPROXY: "off", GOMODCACHE: moduleCache };
    this.script(
      "bin/go",
      [
        `if [ "$1" = env ]; then echo '${JSON.stringify(settings)}'; exit 0; fi`,
        `echo build >> '${this.base}/builds'`,
        `echo $$ > '${this.base}/go.pid'`,
        'while [ "$1" != -o ]; do shift; done',
        // Replacing the shell, so that the recorded process is the one that lasts.
        seconds > 60 ? `exec sleep ${seconds}` : `sleep ${seconds}`,
        `printf '#!/bin/sh\\necho v${engineVersion}\\n' > "$2" && chmod 755 "$2"`,
      ].join("\n"),
    );
  }

  /** How many binaries were built so far. */
  get builds(): number {
    return readFileSync(join(this.base, "builds"), "utf8").trim().split("\n").length;
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}
