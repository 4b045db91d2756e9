/*
 * Preloaded into a command: writes each step in which it changes something in a Docker engine to the file in
 * PGW_STEPS_FILE, and kills the command after the step with the number in PGW_KILL_AFTER.
 */
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

type Method = (this: object, ...args: unknown[]) => Promise<unknown>;
interface Prototype {
  prototype: Record<string, Method>;
}

const { PGW_STEPS_FILE: file = "", PGW_KILL_AFTER: last } = process.env;
const require = createRequire(join(process.cwd(), "scripts", "pgw.ts"));
const [Container, Exec] = ["container", "exec"].map((name) => require(`dockerode/lib/${name}.js`) as Prototype);

/** Commands that change the volume, the server or the repository, with their names. */
const changes: [RegExp, string][] = [
  [/in-place-restore\.new/, "takes the holder's file"],
  [/rm -f \S+\/in-place-restore$/, "removes the holder's file"],
  [/pg_controldata \..*pgroundwork-restored/s, "marks the restored cluster"],
  [/recovery\.signal/, "prepares the former cluster"],
  [/mv -T --exchange/, "exchanges the clusters"],
  [/rm -rf/, "removes a folder"],
  [/pg_create_restore_point/, "creates a restore point"],
  [/alter system reset (\w+)/, "resets a setting"],
  [/alter role/, "sets a password"],
  [/pgbackrest.* check/, "archives the present"],
  [/pgbackrest.* backup/, "makes a backup"],
];

let steps = 0;
function done(step: string): void {
  steps += 1;
  appendFileSync(file, `${step}\n`);
  if (String(steps) === last) process.kill(process.pid, "SIGKILL");
}

const names = new WeakMap<object, string>();
const { exec, start, stop, wait } = Container?.prototype ?? {};
const inspect = Exec?.prototype.inspect;
if (!Container || !Exec || !exec || !start || !stop || !wait || !inspect) throw new Error("another dockerode");

Container.prototype.exec = async function (...args) {
  const made = await exec.apply(this, args);
  const command = ((args[0] as { Cmd?: string[] }).Cmd ?? []).join(" ");
  const name = changes.find(([pattern]) => pattern.test(command))?.[1];
  if (name !== undefined) names.set(made as object, name);
  return made;
};
Exec.prototype.inspect = async function (...args) {
  const result = await inspect.apply(this, args);
  const name = names.get(this);
  if (name !== undefined) done(name);
  return result;
};
for (const [method, original] of Object.entries({ start, stop, wait }))
  Container.prototype[method] = async function (...args) {
    const result = await original.apply(this, args);
    done(`container: ${method}`);
    return result;
  };
