import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/*
 * Writes Pend's JSON files as the old server kept them, of any size, and with invalid rows on request. Files are
 * written in parts, so that they can be larger than memory.
 *
 *   node migrations/pend/import/generate.ts FOLDER 1000 --invalid
 */

/** Options of {@link generatePendFiles}. */
export interface PendFiles {
  /** Number of users. Each has about 10 rows in other tables. */
  users: number;
  /** Adds rows that the import has to reject; see {@link rejectedRows}. */
  invalid?: boolean;
}

/** Beginnings of the reasons with which the import rejects the rows that `invalid` adds, in the order of the map. */
export const rejectedRows = [
  "wallet-db.users -> users: check users_email_check",
  "wallet-db.users -> user_profiles: user_id references public.users",
  "wallet-db.users -> investments: asset_id references public.assets",
  "wallet-db.users -> investment_agreements: investment_id, user_id references public.investments",
  "wallet-db.users -> transactions: user_id references public.users",
  "wallet-db.users -> transactions: investment_id, user_id references public.investments",
  'admin-logs -> admin_logs: text "maybe" is none of: true, false',
  "metadata.metrics -> system_metrics: 0.1234567 has more than 6 fraction digits",
] as const;

/** 2024-01-01 UTC in milliseconds. */
const start = 1_704_067_200_000;

const hex = (text: string, length: number) => createHash("sha512").update(text).digest("hex").slice(0, length);
const account = (text: string) => `0x${hex(text, 40)}`;
const assets = 12;

/** Writes the files into a folder that exists or can be created. */
export function generatePendFiles(folder: string, { users, invalid = false }: PendFiles): void {
  mkdirSync(join(folder, "explorer-data"), { recursive: true });
  const raised = new Map<number, bigint>();
  write(join(folder, "wallet-db.json"), function* () {
    yield '{"version": 3, "users": {';
    for (let n = 1; n <= users; n++) {
      const amount = BigInt(1000 + (n % 7) * 250);
      const asset = 1 + (n % assets);
      if (n % 10 !== 0) raised.set(asset, (raised.get(asset) ?? 0n) + amount);
      yield `${n === 1 ? "" : ","}\n"u_${n}": ${user(n, asset, amount)}`;
    }
    if (invalid) yield `,\n"u_bad": ${badUser()},\n"u_lost": ${user(users + 1, 999, 1000n)}`;
    yield "\n}}\n";
  });
  write(join(folder, "admin-opportunities.json"), function* () {
    yield '{"opportunities": [';
    for (let n = 1; n <= assets; n++) yield `${n === 1 ? "" : ","}\n${opportunity(n, raised.get(n) ?? 0n)}`;
    yield "\n]}\n";
  });
  write(join(folder, "admin-logs.json"), function* () {
    yield "[";
    for (let n = 1; n <= Math.max(10, users); n++) yield `${n === 1 ? "" : ","}\n${adminLog(n, n % 9 > 0)}`;
    if (invalid) yield `,\n${adminLog(900_001, "maybe")}`;
    yield "\n]\n";
  });
  writeExplorer(join(folder, "explorer-data"), users);
  write(join(folder, "metadata.json"), () => metadata(users, invalid));
}

function write(path: string, parts: () => Iterable<string>): void {
  const file = openSync(path, "w");
  try {
    let text = "";
    for (const part of parts()) {
      text += part;
      if (text.length < 1 << 16) continue;
      writeSync(file, text);
      text = "";
    }
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
}

function user(n: number, asset: number, amount: bigint): string {
  const created = start + n * 60_000;
  const cancelled = n % 10 === 0;
  const investment = {
    id: `inv_${n}`,
    assetId: `opp_${asset}`,
    status: cancelled ? "cancelled" : "active",
    amount: `${amount}.50`.replace(".50", n % 2 ? ".00" : ""),
    fee: "1.25",
    unitPrice: 12.5,
    units: String(Number(amount) / 12.5),
    rate: 0.085,
    ...(cancelled
      ? { cancelReason: "Changed their mind", endedAt: created + 9_000 }
      : { activatedAt: created + 8_000 }),
    placedAt: created + 5_000,
    agreements: [
      {
        id: `agr_${n}`,
        type: "subscription",
        version: "2024-01",
        sha256: hex(`agreement ${n}`, 64),
        ip: "10.1.2.3",
        at: created + 4_000,
      },
    ],
  };
  const value = {
    phoneHash: hex(`phone ${n}`, 64),
    email: n % 3 ? `User${n}@Example.org` : null,
    wallet: { address: account(`user ${n}`).toUpperCase().replace("0X", "0x") },
    tier: "basic",
    kycLevel: 1,
    status: n % 17 === 0 ? "suspended" : "active",
    ...(n % 17 === 0 ? { statusReason: "Unusual activity" } : {}),
    ...(n % 4 === 0 ? { referredBy: `u_${n - 1}` } : {}),
    createdAt: created,
    lastLogin: new Date(created + 86_400_123).toISOString(),
    profile: {
      fullName: `Pat Ñandú ${n} 🌱`,
      dob: `19${70 + (n % 30)}-0${1 + (n % 9)}-1${n % 10}`,
      country: n % 2 ? "KE" : "DE",
      city: n % 5 ? "Nairobi" : undefined,
      address: { "10": "Main Street", line: `House ${n}`, geo: [1.5, -36.8] },
      interests: n % 2 ? ["solar", 'say "hi"'] : [],
      settings: { theme: "dark", scale: 1.1 },
    },
    kyc: [
      {
        id: `kyc_${n}`,
        level: 1,
        status: "approved",
        risk: "low",
        submittedAt: created + 1_000,
        reviewedBy: "admin_1",
        reviewedAt: created + 2_000,
        validUntil: created + 31_536_000_000,
        answers: { pep: false, income: 120000 },
        documents: [
          {
            type: "id_card",
            key: `kyc/${n}/id.jpg`,
            sha256: hex(`document ${n}`, 64),
            mime: "image/jpeg",
            size: 20_000 + n,
            country: "KE",
            status: "accepted",
            verifiedBy: "admin_1",
            verifiedAt: created + 1_900,
            uploadedAt: created + 900,
          },
        ],
      },
    ],
    investments: [investment],
    transactions: [
      {
        id: `tx_${n}_1`,
        type: "deposit",
        status: "completed",
        method: "blockchain",
        amount: "5000.123456",
        chainId: 137,
        hash: `0x${hex(`tx ${n}`, 64)}`,
        createdAt: created + 3_000,
        completedAt: created + 3_500,
      },
      {
        id: `tx_${n}_2`,
        type: "investment",
        investmentId: `inv_${n}`,
        status: cancelled ? "failed" : "completed",
        method: "wallet",
        amount: Number(amount),
        fee: 0.25,
        createdAt: created + 5_000,
        ...(cancelled ? { error: "cancelled" } : { completedAt: created + 5_500 }),
      },
    ],
  };
  return JSON.stringify(value);
}

/** A user whose address is none, with a transaction that has no user therefore. */
function badUser(): string {
  return JSON.stringify({
    phoneHash: hex("bad", 64),
    email: "no address",
    wallet: { address: account("bad") },
    tier: "basic",
    kycLevel: 0,
    status: "active",
    createdAt: start,
    profile: { fullName: "Nemo", settings: {} },
    transactions: [
      { id: "tx_bad", type: "deposit", status: "pending", method: "card", amount: "1.00", createdAt: start },
    ],
  });
}

function opportunity(n: number, raised: bigint): string {
  // The digits are text: a reader that makes doubles of them loses some.
  return `{"id": "opp_${n}", "code": "opp-${n}", "title": "Solar Park ${n}", "summary": "Twelve \\u20ac-based\\nshares", "kind": "opportunity",
    "class": "renewable_energy", "country": "KE", "status": "active", "risk": "medium", "rate": 0.085000, "termMonths": 36, "unitPrice": 12.50,
    "target": 90000000000000.123456, "raised": ${raised}, "minimum": 100, "opensAt": ${start}, "tags": ["solar"], "documents": [{"name": "terms.pdf"}],
    "metadata": {"yield": 1.10}, "createdBy": "admin_1", "createdAt": ${start}}`;
}

function adminLog(n: number, ok: unknown): string {
  return JSON.stringify({
    id: `log_${n}`,
    timestamp: new Date(start + n * 1_000 + 7).toISOString().replace("Z", "+00:00"),
    adminId: n % 2 ? "admin_1" : "admin_2",
    action: "user.view",
    ok,
    target: { type: "user", id: `u_${n}` },
    details: { page: n },
    ip: "192.168.0.7",
  });
}

function writeExplorer(folder: string, users: number): void {
  const perFile = 500;
  for (let from = 1; from <= users; from += perFile) {
    write(join(folder, `blocks-${String(from).padStart(9, "0")}.json`), function* () {
      const last = Math.min(users, from + perFile - 1);
      yield '{"chainId": 137, "events": [';
      for (let n = from; n <= last; n++)
        yield `${n === from ? "" : ","}\n{"id": "ev_${n}", "block": ${50_000_000 + n}, "blockHash": "0x${hex(`block ${n}`, 64)}", "tx": "0x${hex(`tx ${n}`, 64)}", "log": 0,
          "contract": "${account("token")}", "type": "Transfer", "from": "${account(`user ${n}`)}", "to": "${account("pool")}", "amount": ${n}000000000000000000,
          "args": {"value": ${n}000000000000000000}, "time": ${start / 1000 + n}, "transactionId": "tx_${n}_1"}`;
      yield '], "calls": [';
      for (let n = from; n <= last; n++)
        yield `${n === from ? "" : ","}\n{"id": "call_${n}", "userId": "u_${n}", "contract": "${account("token")}", "function": "transfer", "arguments": {"to": "${account("pool")}"},
          "from": "${account(`user ${n}`)}", "nonce": ${n}, "value": 0, "status": "confirmed", "tx": "0x${hex(`tx ${n}`, 64)}", "block": ${50_000_000 + n},
          "gasUsed": 21000, "gasPrice": 30000000000, "time": ${start / 1000 + n}, "minedAt": ${start / 1000 + n + 2}}`;
      yield "]}\n";
    });
  }
}

function* metadata(users: number, invalid: boolean): Iterable<string> {
  const hash = `$2b$12$${"abcdefghijklmnopqrstuvwxyz".repeat(3).slice(0, 53)}`;
  const admins = [1, 2].map((n) => ({
    id: `admin_${n}`,
    email: `Admin${n}@Example.org`,
    fullName: `Admin ${n}`,
    passwordHash: hash,
    role: n === 1 ? "compliance" : "support",
    createdAt: start - 1,
  }));
  yield `{"exported": "2024-06-01", "admins": ${JSON.stringify(admins)}, "serverLogs": [`;
  const count = Math.max(10, users);
  for (let n = 1; n <= count; n++)
    yield `${n === 1 ? "" : ","}\n{"id": ${n}, "time": "2024-02-0${1 + (n % 9)} 10:00:00.${String(n % 1000).padStart(3, "0")}", "level": "${n % 5 ? "info" : "warn"}", "component": "api", "message": "request ${n}", "context": {"n": ${n}}}`;
  yield '], "metrics": [';
  for (let n = 1; n <= count; n++)
    yield `${n === 1 ? "" : ","}\n{"name": "api.latency", "source": "web-1", "at": ${start + n * 1000}, "value": ${n}.125, "unit": "ms"}`;
  if (invalid) yield `,\n{"name": "api.latency", "source": "web-1", "at": ${start}, "value": 0.1234567, "unit": "ms"}`;
  yield '], "apiUsage": [';
  for (let n = 1; n <= count; n++)
    yield `${n === 1 ? "" : ","}\n{"id": "use_${n}", "at": ${start + n}, "userId": "u_${1 + (n % users)}", "method": "GET", "path": "/api/users/${n}", "code": 200, "ms": ${n % 500}.25}`;
  yield "]}\n";
}

if (import.meta.main) {
  const [folder = "", users = "100", flag] = process.argv.slice(2);
  generatePendFiles(folder, { users: Number(users), invalid: flag === "--invalid" });
}
