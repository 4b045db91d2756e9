import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { bundleMigrations, bundleModule } from "../../../../scripts/migrate/authoring/bundle-files.ts";
import { committedFolderOf } from "../../../unit/scripts/migrate/committed-folder.ts";
import { installPackage } from "./installed.ts";

const program = `import { type ApplyResult, autoMigrate, type Connection, createPool, migrate, rollback, seed } from "pgroundwork";
import { kyselyOn } from "pgroundwork/kysely";
import { BackupDrill, Backups, Database, DockerServer, EmbeddedServer, Pooler } from "pgroundwork/pulumi";
import from from "./shop.migrations.js";

const connection: Connection = { host: "h", port: 1, database: "d", user: "u", sslmode: "disable" };
const result: Promise<ApplyResult & { ran: boolean }> = autoMigrate({ database: "shop", connection });
// @ts-expect-error a database or a bundle is required
void migrate({});
void migrate({ from, connection });
const pool = createPool();
const rows: Promise<{ x: number }[]> = pool.query<{ x: number }>("select 1 as x").then((found) => found.rows);
const database = kyselyOn<{ a: { x: number } }>(pool).selectFrom("a").select("x");
// @ts-expect-error the table has no such column
database.select("y");
void [result, rows, rollback({ database: "shop", steps: 1 }), seed({ database: "shop", sets: ["dev"] })];

const server = new EmbeddedServer("main", { memory: 512 }, { protect: true });
export const url = new Database("shop", { server }).url("readonly");
// @ts-expect-error only a server in a container has backups
new Backups("backups", { server });
const other = new DockerServer("other", { backups: true });
const backups = new Backups("backups", { server: other });
export const { location } = new BackupDrill("drill", { server: other, backups, objectives: { rto: "1h" } });
const sales = new Database("sales", { server: other });
// @ts-expect-error the migrator does not use the pooler
export const pooled = new Pooler("pooler", { server: other, databases: [sales] }).urlOf(sales, "migrator");
`;

/** Declarations that both programs have, parsed once: those of the language and of Node.js do not depend on options. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Returns a host that parses shared declarations once. */
function hostOf(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const parse: typeof host.getSourceFile = host.getSourceFile.bind(host);
  host.getSourceFile = (file, ...rest) => {
    if (!/\/typescript\/lib\/lib\.|\/@types\/node\//.test(file)) return parse(file, ...rest);
    if (!parsed.has(file)) parsed.set(file, parse(file, ...rest));
    return parsed.get(file);
  };
  return host;
}

it.each([
  { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, named: "nodenext" },
  { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, named: "bundler" },
])("the package's types are whole, for a program with moduleResolution $named", async ({ named: _, ...options }) => {
  const { linked } = await installPackage();
  const folder = await mkdtemp(join(linked, "typed-"));
  await writeFile(join(folder, "program.ts"), program);
  const migrations = await committedFolderOf([{ name: "a", body: "create table a (x int);" }]);
  await writeFile(join(folder, "shop.migrations.ts"), bundleModule(await bundleMigrations(migrations.folder)));
  await migrations.remove();
  const all: ts.CompilerOptions = {
    ...options,
    ...{ target: ts.ScriptTarget.ES2024, lib: ["lib.es2024.d.ts", "lib.esnext.disposable.d.ts"] },
    ...{ types: ["node"], typeRoots: [join(linked, "node_modules", "@types")], strict: true, noEmit: true },
  };
  const checked = ts.createProgram([join(folder, "program.ts")], all, hostOf(all));
  // Declarations of other packages are not checked themselves: that takes longer than everything else.
  const own = checked.getSourceFiles().filter(({ fileName }) => /typed-|\/pgroundwork\/dist\//.test(fileName));
  const found = [checked.getOptionsDiagnostics(), ...own.map((file) => ts.getPreEmitDiagnostics(checked, file))].flat();
  const texts = found.map(({ file, messageText }) => [
    file?.fileName.split("/").at(-1),
    ts.flattenDiagnosticMessageText(messageText, "\n"),
  ]);
  await rm(folder, { recursive: true });
  expect(texts).toEqual([]);
  expect(own.map(({ fileName }) => fileName.split("/").at(-1))).toEqual(
    expect.arrayContaining(["program.ts", "index.d.mts", "kysely.d.mts", "pulumi.d.mts"]),
  );
});
