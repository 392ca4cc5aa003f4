// What the `when` clauses of package.json can ask for: which commands apply right now.

import * as vscode from "vscode";

/** The keys, with what each can be. Unset is false. */
interface Context {
  /** The extension is there, whether or not its server is. */
  active: boolean;
  /** The server answers. */
  running: boolean;
  /** A request waits for its response. */
  sending: boolean;
  /** A response is kept. */
  hasResponse: boolean;
  /** The local vault: `absent`, `open`, `locked`, or what is wrong with it. */
  localVault: string;
  hasIntegration: boolean;
  /** A definition of the workspace waits for approval. */
  hasPending: boolean;
  /** A secret can be had. */
  hasSecret: boolean;
  /** A secret is turned off. */
  hasDisabled: boolean;
  /** A secret has a page at its provider. */
  hasPage: boolean;
}

/** Sets some of the keys, each as `vaultls.KEY`. */
export async function set(context: Partial<Context>): Promise<void> {
  const entries = Object.entries(context);
  await Promise.all(entries.map(([key, value]) => vscode.commands.executeCommand("setContext", `vaultls.${key}`, value)));
}
