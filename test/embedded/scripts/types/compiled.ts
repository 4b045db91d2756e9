import { join } from "node:path";
import ts from "typescript";
import { cloneRoot } from "../../../clone-root.ts";

/** Returns the errors of a program of this repository that is not written to a file. */
export function errorsOf(text: string): string[] {
  const file = join(cloneRoot, "test", "generated.ts");
  const options: ts.CompilerOptions = {
    ...{ target: ts.ScriptTarget.ES2024, lib: ["lib.es2024.d.ts"], types: [], strict: true, noEmit: true },
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  };
  const host = ts.createCompilerHost(options);
  const [read, exists] = [host.getSourceFile.bind(host), host.fileExists.bind(host)];
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2024, true) : read(name, ...rest);
  host.fileExists = (name) => name === file || exists(name);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program, program.getSourceFile(file))
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

/** Returns the statements that a program runs: those of types are gone. */
export function emitted(text: string): string {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.ESNext, removeComments: true },
  });
  return outputText.trim();
}
