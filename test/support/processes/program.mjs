// Preloaded into every Node.js process of a test's project. In the process that runs the Pulumi program, it replaces
// SDK modules that the program does not use: serialized functions (a package tree, a debugger session, TypeScript),
// tracing, and source maps for stack traces. That saves a third of the CPU time of an `up` without changes.
import Module from "node:module";

const runsProgram = /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/]run[\\/]index\.js$/.test(process.argv[1] ?? "");

if (/[\\/]pgw\.mjs$/.test(process.argv[1] ?? "") && process.env.PGW_TEST_KEY_ITERATIONS)
  await import("./key-derivation.mjs");
if (runsProgram) {
  const span = { setAttribute() {}, addEvent() {}, end() {} };
  const replacements = new Map([
    ["@npmcli/arborist", {}],
    ["normalize-package-data", {}],
    ["source-map-support/register", {}],
    ["../../runtime/closure/v8Hooks", { isInitializedAsync: async () => {} }],
    ["./v8Hooks", {}],
    ["./tracing", { start() {}, stop() {}, newSpan: () => span }],
  ]);
  /** @type {{ _load: (request: string, parent: { filename?: string } | undefined, isMain: boolean) => unknown }} */
  const loader = /** @type {any} */ (Module);
  const load = loader._load;
  loader._load = (request, parent, isMain) => {
    const isSdk = /[\\/]@pulumi[\\/]pulumi[\\/]/.test(parent?.filename ?? "");
    const replacement = isSdk ? replacements.get(request) : undefined;
    if (replacement !== undefined) return replacement;
    if (isSdk && request === "typescript") return loadedAtFirstUse(() => load.call(loader, request, parent, isMain));
    return load.call(loader, request, parent, isMain);
  };
}

/** @param {() => unknown} load */
function loadedAtFirstUse(load) {
  /** @type {any} */
  let loaded;
  return new Proxy(
    {},
    {
      get(_, name) {
        loaded ??= load();
        return loaded[name];
      },
    },
  );
}
