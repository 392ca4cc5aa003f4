// Definitions that came with the workspace, or changed since they were approved: shown as they stand, and asked about.

import * as vscode from "vscode";
import * as documents from "./documents";
import type { Line, Pending } from "./outcome";
import { clean } from "./text";

const TRUST = "Trust These Definitions";
/** The question covers so many lines of what is asked about. */
const COVERED = "\n".repeat(4);

/** Shows the definitions and asks for trust in exactly them. */
export async function agrees(pending: Pending[]): Promise<boolean> {
  const uri = documents.keep("/definitions to trust", describe(pending));
  // Definitions that changed are shown as what changed in them.
  await documents.show(uri, pending.some((one) => one.changes) ? "diff" : "plaintext");
  const these = pending.length === 1 ? "definition" : `${pending.length} definitions`;
  // No modal dialog: the definitions must stay readable and scrollable while it is open.
  const chosen = await vscode.window.showQuickPick([TRUST, "No"], {
    placeHolder: `Trust the ${these} shown beside?`,
    ignoreFocusOut: true,
  });
  await documents.close(uri);
  return chosen === TRUST;
}

function describe(pending: Pending[]): string {
  const lines = pending.flatMap((one) => [
    clean(`${one.kind} ${one.name}${one.changes ? ", which changed since it was trusted" : ""}`),
    ...(one.changes ? one.changes.map(marked) : one.definition.trimEnd().split("\n").map((line) => `    ${clean(line)}`)),
    "",
  ]);
  return COVERED + lines.join("\n");
}

/** A line as a comparison of texts marks it. */
function marked({ change, text }: Line): string {
  const sign = { kept: " ", removed: "-", added: "+" }[change];
  return `${sign}   ${clean(text)}`;
}
