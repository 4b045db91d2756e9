import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { engineBinary, languageHostBinary } from "../../../../scripts/pulumi/go-build.ts";
import { engineVersion } from "../../../../scripts/pulumi/versions.ts";

/** An isolated machine for one test: a home, a project directory, and a PATH that begins with a folder of its own. */
export class Machine {
  readonly base: string = mkdtempSync(join(tmpdir(), "pgw engine-"));
  readonly root: string = join(this.base, "clone");
  readonly bin: string = join(this.base, "bin");
  readonly env: Record<string, string> = {
    HOME: join(this.base, "home"),
    PATH: `${this.bin}:/usr/bin:/bin`,
    // Only some tests are about network access; the others must not depend on it.
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
   * Installs a `go` with a full module cache. Its build takes `seconds` and then writes a program for `pulumi version`.
   * Each build adds a line to `builds`, writes its process id to `go.pid`, and leaves a file in its temporary folder.
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
        `mkdir "\${GOTMPDIR:?}/go-build1"`,
        'while [ "$1" != -o ]; do shift; done',
        // `exec` replaces the shell, so that the recorded process id is that of the long-running process.
        seconds > 60 ? `exec sleep ${seconds}` : `sleep ${seconds}`,
        `printf '#!/bin/sh\\necho v${engineVersion}\\n' > "$2" && chmod 755 "$2"`,
      ].join("\n"),
    );
  }

  /** Number of binaries that were built so far. */
  get builds(): number {
    return readFileSync(join(this.base, "builds"), "utf8").trim().split("\n").length;
  }

  remove(): void {
    rmSync(this.base, { recursive: true, force: true });
  }
}
