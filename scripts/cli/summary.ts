import type { DatabaseOutput, MonitoringOutput, ServerOutput, StackOutputs } from "../model/stack-outputs.ts";
import { style } from "./output.ts";

/** Describes a running stack and how to connect to it, without any password. */
export function describeStack(outputs: StackOutputs, stack: string): string {
  const { server } = outputs;
  const option = stack === "local" ? "" : ` --stack ${stack}`;
  const lines = [
    `${style("bold", "server")}       PostgreSQL ${server.version} (${server.kind}) on ${server.host}:${server.port}`,
    ...dataOf(server),
    ...(server.pooler === undefined ? [] : [`  pooler     PgBouncer on ${server.host}:${server.pooler.port}`]),
    ...(outputs.monitoring === undefined ? [] : describeMonitoring(outputs.monitoring)),
  ];
  for (const [name, database] of Object.entries(outputs.databases)) {
    lines.push("", `${style("bold", "database")}     ${name}`, ...describeDatabase(database));
  }
  const [first = "NAME"] = Object.keys(outputs.databases);
  lines.push(
    "",
    style("bold", "connect"),
    `  psql       npm run pgw -- psql${option} --database ${first} --role app`,
    `  a URL      npm run -s pgw -- url${option} --database ${first} --role app     (has the password)`,
    `  Node       url="$(npm run -s pgw -- url${option} -d ${first} -r app)" && DATABASE_URL="$url" node app.js`,
    `             new pg.Client({ connectionString: process.env.DATABASE_URL })`,
    "",
    [...operations(server, option), "all commands: npm run pgw -- --help"].join("   "),
  );
  return lines.join("\n");
}

function describeMonitoring({ prometheus, health, grafana }: MonitoringOutput): string[] {
  return [
    `  Prometheus ${prometheus}`,
    ...(health === undefined ? [] : [`  health     ${health.url}`]),
    ...(grafana === undefined ? [] : [`  Grafana    ${grafana.url}`]),
  ];
}

/**
 * Returns hints for stop and log. An external server is not run by the kit: it can neither stop it nor show its log.
 */
function operations({ kind }: ServerOutput, option: string): string[] {
  if (kind === "external") return [];
  return [`stop: npm run down${option === "" ? "" : ` --${option}`}`, `log: npm run pgw -- logs${option}`];
}

function dataOf(server: ServerOutput): string[] {
  switch (server.kind) {
    case "embedded":
      return [`  data       ${server.dataDirectory}`];
    case "docker":
      return [`  data       volume ${server.dataVolume}`];
    case "external":
      return [];
  }
}

function describeDatabase({ migrations, seeds, logins }: DatabaseOutput): string[] {
  const last = migrations.at(-1);
  const sets = seeds.map(({ set, applied }) => `${set} (${applied.length} files)`);
  return [
    `  migrations ${migrations.length} applied${last === undefined ? "" : `, last ${last}`}`,
    `  seeds      ${sets.length === 0 ? "none" : sets.join(", ")}`,
    `  roles      ${Object.values(logins)
      .map(({ user }) => user)
      .join(", ")}`,
  ];
}
