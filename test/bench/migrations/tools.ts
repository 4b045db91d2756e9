import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Connection, connectionUrl } from "../../../scripts/connection/connection.ts";
import { cloneRoot } from "../../clone-root.ts";
import { copyWorkTree } from "../../support/work-tree.ts";
import { chain } from "../../unit/scripts/migrate/committed-folder.ts";

/** A migration in a form that every tool can use. */
export interface BenchMigration {
  name: string;
  sql: string;
  /** False if it cannot run in a transaction. */
  transactional: boolean;
}

/** Result of a tool's command. */
export interface ToolRun {
  code: number | null;
  output: string;
}

/** A tool that applies migrations, called as its users call it. */
export interface Tool {
  name: string;
  /** Writes the migrations in the tool's own format into a new folder. */
  write(folder: string, migrations: readonly BenchMigration[]): Promise<void>;
  /** Applies pending migrations. */
  up(folder: string, connection: Connection): Promise<ToolRun>;
  /** SQL query for the number of migrations that are recorded as applied. */
  applied: string;
}

const graphileApplied = "select count(*)::int as applied from graphile_migrate.migrations";

/** The kit first, then the tools that it is compared with. */
export const tools: readonly Tool[] = [
  {
    name: "pgw migrate up",
    async write(folder, migrations) {
      await copyWorkTree(folder);
      await writeGraphile(join(folder, "migrations", "bench"), migrations);
    },
    // Runs the command of the npm script. The start of npm itself is left out for all tools.
    up: (folder, connection) =>
      runTool([bin("node"), "scripts/pgw.mjs", "migrate", "up", "--database", "bench"], folder, connection),
    applied: graphileApplied,
  },
  {
    name: "dbmate",
    async write(folder, migrations) {
      await mkdir(join(folder, "db", "migrations"), { recursive: true });
      for (const [index, { name, sql, transactional }] of migrations.entries()) {
        const head = `-- migrate:up${transactional ? "" : " transaction:false"}\n`;
        const file = join(folder, "db", "migrations", `${stamp(index)}_${name}.sql`);
        await writeFile(file, `${head}${sql}\n\n-- migrate:down\n`);
      }
    },
    up: (folder, connection) => runTool([bin("dbmate"), "--no-dump-schema", "migrate"], folder, connection),
    applied: "select count(*)::int as applied from schema_migrations",
  },
  {
    name: "node-pg-migrate",
    async write(folder, migrations) {
      await mkdir(join(folder, "migrations"), { recursive: true });
      await writeFile(join(folder, "package.json"), `{ "type": "commonjs" }\n`);
      for (const [index, { name, sql, transactional }] of migrations.entries()) {
        const untransacted = transactional ? "" : "pgm.noTransaction(); ";
        const text = `exports.up = (pgm) => { ${untransacted}pgm.sql(${JSON.stringify(sql)}); };\nexports.down = false;\n`;
        await writeFile(join(folder, "migrations", `${1_700_000_000_000 + index}_${name}.js`), text);
      }
    },
    // The default is one transaction for all files. The other tools use one for each file, which files without a
    // transaction need.
    up: (folder, connection) =>
      runTool([bin("node-pg-migrate"), "up", "--no-single-transaction", "--no-verbose"], folder, connection),
    applied: "select count(*)::int as applied from pgmigrations",
  },
  {
    name: "graphile-migrate",
    async write(folder, migrations) {
      await writeGraphile(folder, migrations);
      await writeFile(join(folder, ".gmrc"), JSON.stringify({ migrationsFolder: "." }));
    },
    up: (folder, connection) => runTool([bin("graphile-migrate"), "migrate"], folder, connection),
    applied: graphileApplied,
  },
];

function bin(name: string): string {
  return join(cloneRoot, "node_modules", ".bin", name);
}

function stamp(index: number): string {
  return String(20_250_101_000_000 + index);
}

async function writeGraphile(folder: string, migrations: readonly BenchMigration[]): Promise<void> {
  await mkdir(join(folder, "committed"), { recursive: true });
  await writeFile(join(folder, "database.json"), "{}\n");
  const drafts = migrations.map(({ name, sql, transactional }) => ({
    name,
    body: transactional ? `${sql}\n` : `--! no-transaction\n${sql}\n`,
  }));
  for (const { filename, text } of chain(drafts)) await writeFile(join(folder, "committed", filename), text);
}

function runTool([command = "", ...args]: readonly string[], folder: string, connection: Connection): Promise<ToolRun> {
  const env = {
    PATH: `${join(cloneRoot, "node_modules", ".bin")}:${process.env.PATH}`,
    HOME: process.env.HOME,
    DATABASE_URL: `${connectionUrl(connection).replace(/\?.*$/, "")}?sslmode=disable`,
    SHADOW_DATABASE_URL: "postgresql://nobody@localhost/none",
  };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}
