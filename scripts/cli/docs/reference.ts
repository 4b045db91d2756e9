import type { Command, Option } from "commander";

/** A row of the settings reference (`settingsReference()`). */
export interface SettingRow {
  name: string;
  /** Kinds of server that have the setting. */
  servers: readonly string[];
  type: string;
  default: string;
  effect: string;
  description: string;
}

/** Formats every command with its options as Markdown, with the texts of `--help`. */
export function commandReference(program: Command): string {
  return leaves(program)
    .map(({ path, command }) => {
      const args = command.registeredArguments.map((argument) => {
        const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
        return argument.required ? ` <${name}>` : ` [${name}]`;
      });
      const options = command.options.filter((option) => !option.hidden).map(optionRow);
      return [
        `#### \`pgw ${path}${args.join("")}\``,
        "",
        sentence(command.description()),
        "",
        ...optionTable(options),
      ].join("\n");
    })
    .join("\n");
}

/** Formats the settings of a stack as a Markdown table. */
export function settingReference(rows: readonly SettingRow[]): string {
  const head = ["setting", "server", "value", "description", "default", "effect of a change"];
  const body = rows.map(({ name, servers, type, description, default: standard, effect }) => [
    `\`${name}\``,
    servers.join(", "),
    type,
    description,
    standard,
    effect,
  ]);
  return [head, head.map(() => "---"), ...body].map(row).join("\n");
}

/** An entry of the image's extensions (`extensionCatalog`). */
export interface ExtensionEntry {
  purpose: string;
  grants?: readonly { to: string; on: string; privileges: readonly string[]; names?: readonly string[] }[];
  superuserOnly?: string;
  note?: string;
  withPostgis?: boolean;
}

/** Formats the extensions of the image as a Markdown table. */
export function extensionReference(entries: Readonly<Record<string, ExtensionEntry>>): string {
  const head = ["extension", "purpose", "migrations can use it", "note"];
  const body = Object.entries(entries).map(([name, { purpose, grants, superuserOnly, note, withPostgis }]) => [
    `\`${name}\``,
    purpose,
    superuserOnly === undefined ? `yes${grants === undefined ? "" : `; ${grantText(grants)}`}` : `no: ${superuserOnly}`,
    [...(withPostgis ? ["With PostGIS only."] : []), ...(note === undefined ? [] : [note])].join(" "),
  ]);
  return [head, head.map(() => "---"), ...body].map(row).join("\n");
}

/** Formats grants, those of several roles on the same objects as one. */
function grantText(grants: NonNullable<ExtensionEntry["grants"]>): string {
  const roles = new Map<string, string[]>();
  for (const { to, on, privileges, names } of grants) {
    const object = names === undefined ? `its ${on}${on === "schema" ? "" : "s"}` : names.join(", ");
    const what = `${privileges.join(", ")} on ${object}`;
    roles.set(what, [...(roles.get(what) ?? []), to]);
  }
  const each = [...roles].map(([what, to]) => `${what} to ${to.join(", ")}`);
  return `\`up\` grants ${each.join("; ")}`;
}

/**
 * Puts generated text between a file's markers `<!-- NAME -->` and `<!-- /NAME -->`.
 *
 * @throws Error if the file does not have the markers
 */
export function betweenMarkers(file: string, name: string, generated: string): string {
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const [before, after] = [file.indexOf(start), file.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`The markers ${start} and ${end} are missing.`);
  return `${file.slice(0, before + start.length)}\n\n${generated.trim()}\n\n${file.slice(after)}`;
}

function leaves(command: Command, path: readonly string[] = []): { path: string; command: Command }[] {
  return command.commands.flatMap((child) => {
    const here = [...path, child.name()];
    return child.commands.length > 0 ? leaves(child, here) : [{ path: here.join(" "), command: child }];
  });
}

function optionRow(option: Option): string {
  return row([
    `\`${option.flags}\``,
    option.description + (option.defaultValue === undefined ? "" : ` (default: ${option.defaultValue})`),
  ]);
}

function optionTable(options: readonly string[]): string[] {
  return options.length === 0 ? [] : [row(["option", "description"]), row(["---", "---"]), ...options, ""];
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

function sentence(text: string): string {
  return `${capital(text)}.`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
