import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Connection, connectionUrl } from "../../../scripts/target/connection.ts";
import { cloneRoot } from "../../clone-root.ts";
import { chain } from "../../unit/scripts/migrate/committed-folder.ts";
import { copyWorkTree } from "../../work-tree.ts";

/** A migration as every tool gets it. */
export interface BenchMigration {
  name: string;
  sql: string;
  /** False: it cannot run in a transaction. */
  transactional: boolean;
}

/** How a run of a tool ended. */
export interface ToolRun {
  code: number | null;
  output: string;
}

/** A tool that applies migrations, as its users call it. */
export interface Tool {
  name: string;
  /** Writes the migrations in its own format, into a folder that is there not yet. */
  write(folder: string, migrations: readonly BenchMigration[]): Promise<void>;
  /** Applies what is pending. */
  up(folder: string, connection: Connection): Promise<ToolRun>;
  /** SQL: how many are recorded as applied. */
  applied: string;
}

const graphileApplied = "select count(*)::int as applied from graphile_migrate.migrations";

/** The kit first, then what it is measured against. */
export const tools: readonly Tool[] = [
  {
    name: "pgw migrate up",
    async write(folder, migrations) {
      await copyWorkTree(folder);
      await writeGraphile(join(folder, "migrations", "bench"), migrations);
    },
    // As `npm run` does; npm's own start is left out for all of them.
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
    // One transaction for all is its default; one a file, as the others have it, is what files without a transaction need.
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
