// Where the person works, as far as a command can be about it.

import * as vscode from "vscode";
import { SCHEME } from "./documents";

export interface Place {
  uri?: string;
  /** The line of the cursor, from 0. */
  line?: number;
}

/** The active document, as the server names it; beside a response, or a page that is none, one with requests. */
export function place(): Place {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.uri.scheme === "file") {
    return { uri: editor.document.uri.toString(), line: editor.selection.active.line };
  }
  // Whoever looks at something else means nothing of ours.
  const isBeside = !editor || editor.document.uri.scheme === SCHEME;
  const requests = vscode.workspace.textDocuments.find((one) => one.languageId === "http" && one.uri.scheme === "file");
  return isBeside && requests ? { uri: requests.uri.toString() } : {};
}
