import { z } from "zod";
import { type Alerts, alertChannels } from "../model/alerts.ts";
import { suggestion } from "./suggestion.ts";

/** Minutes between two requests to the heartbeat's URL. */
const usualHeartbeat = 5;

/** Accepts a text, and shows a wrong value in the message. */
function shown(expected: string, accepts: (text: string) => boolean) {
  return z.string({ error: got(expected) }).refine(accepts, { error: got(expected) });
}

/** Accepts a text that is never shown in a message. */
function hidden(expected: string, accepts: (text: string) => boolean) {
  const error = ({ input }: { input?: unknown }) =>
    `${input === undefined ? "is missing; " : ""}expected ${expected} (the value is not shown)`;
  return z.string({ error }).refine(accepts, { error });
}

function got(expected: string) {
  return ({ input }: { input?: unknown }) =>
    input === undefined ? `is missing; expected ${expected}` : `expected ${expected}, got '${String(input)}'`;
}

function whole(max: number, expected: string) {
  const error = got(`${expected} from 1 to ${max}`);
  return z.int({ error }).min(1, { error }).max(max, { error });
}

function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code, input, keys = [] }: { code?: string; input?: unknown; keys?: string[] }) =>
      code === "unrecognized_keys"
        ? keys.map((key) => `'${key}' is not a setting${suggestion(key, Object.keys(shape))}`).join("; ")
        : `expected an object, got ${input === null ? "null" : typeof input}`,
  });
}

const address = shown("an email address", (text) => z.email().safeParse(text).success);
const url = hidden("a URL http://… or https://…", isHttp);
// Alertmanager trims neither. A line break would end the header or the file too early.
const secret = hidden("a text without line breaks", (text) => text !== "" && !/[\r\n]/.test(text));

const email = section({
  to: z.preprocess(
    (raw) => (typeof raw === "string" ? [raw] : raw),
    z.array(address, { error: got("a list of email addresses") }).min(1, { error: "expected at least one address" }),
  ),
  from: address,
  host: shown("a host name", (text) => /^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/i.test(text)),
  port: whole(65_535, "a port").default(587),
  user: shown("a user name", (text) => text !== "").optional(),
  password: secret.optional(),
  tls: z.boolean({ error: got("true or false") }).default(true),
}).superRefine(({ user, password, tls, port }, context) => {
  const fault = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  if (user !== undefined && password === undefined) fault("password", "is missing; `user` needs it");
  if (user === undefined && password !== undefined) fault("user", "is missing; `password` needs it");
  if (password !== undefined && !tls && port !== 465)
    fault("tls", "false would send the password unencrypted; remove one of the two");
});

const alerts = section({
  email: email.optional(),
  webhook: section({ url, token: secret.optional() }).optional(),
  slack: section({ url, channel: shown("a channel", (text) => text !== "").optional() }).optional(),
  heartbeat: section({ url, minutes: whole(60, "a whole number of minutes").default(usualHeartbeat) }).optional(),
  links: shown("a URL without spaces or quotes", (text) => isHttp(text) && !/[\s{}"'<>`\\]/.test(text))
    .transform((text) => (text.endsWith("/") ? text : `${text}/`))
    .default(""),
}).refine((given) => alertChannels.some((channel) => given[channel] !== undefined), {
  error: `has no receiver; set at least one of ${alertChannels.join(", ")}`,
});

/**
 * Parses `monitoring.alerts`.
 *
 * @returns the receivers, or every fault with its path. No fault shows a secret.
 */
export function parseAlerts(value: unknown): { alerts: Alerts } | { faults: { path: string[]; message: string }[] } {
  const { success, data, error } = alerts.safeParse(value);
  if (success) return { alerts: data };
  return { faults: error.issues.map(({ path, message }) => ({ path: path.map(String), message })) };
}

function isHttp(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !/[\r\n]/.test(text);
}
