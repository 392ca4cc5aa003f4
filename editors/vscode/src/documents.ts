// Read-only documents that exist in memory only: responses, definitions to review, the status. Nothing is written.

import * as vscode from "vscode";

export const SCHEME = "vaultls-response";

/** A longer text gets no language, which would be slow to colour. */
const MAX_COLOURED = 512 * 1024;

const texts = new Map<string, string>();
const changed = new vscode.EventEmitter<vscode.Uri>();

/** Registers the provider of all these documents, which are forgotten in the end. */
export function register(): vscode.Disposable {
  const provider: vscode.TextDocumentContentProvider = {
    onDidChange: changed.event,
    provideTextDocumentContent: (uri) => texts.get(uri.path) ?? "This is no longer kept; send the request again.\n",
  };
  const registered = vscode.workspace.registerTextDocumentContentProvider(SCHEME, provider);
  return vscode.Disposable.from(registered, new vscode.Disposable(() => texts.clear()));
}

/** Keeps a text under a path such as `/1/response.json`, in place of what was there. */
export function keep(path: string, text: string): vscode.Uri {
  texts.set(path, text);
  const uri = vscode.Uri.from({ scheme: SCHEME, path });
  changed.fire(uri);
  return uri;
}

/** Forgets a text; a tab that still shows it says so. */
export function drop(uri: vscode.Uri): void {
  texts.delete(uri.path);
  changed.fire(uri);
}

/** Shows a kept text beside the active editor, or where the last one is. The focus stays. */
export async function show(uri: vscode.Uri, language: string): Promise<void> {
  let document = await vscode.workspace.openTextDocument(uri);
  const wanted = document.getText().length > MAX_COLOURED ? "plaintext" : language;
  if (document.languageId !== wanted) {
    document = await vscode.languages.setTextDocumentLanguage(document, wanted);
  }
  await vscode.window.showTextDocument(document, { viewColumn: column(), preserveFocus: true, preview: true });
}

/** Closes the tabs of a text and forgets it. */
export async function close(uri: vscode.Uri): Promise<void> {
  const isIt = (tab: vscode.Tab): boolean =>
    tab.input instanceof vscode.TabInputText && tab.input.uri.toString() === uri.toString();
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs.filter(isIt));
  await vscode.window.tabGroups.close(tabs, true);
  drop(uri);
}

/** The column that shows one of these documents already, else the one beside. */
function column(): vscode.ViewColumn {
  const isOurs = (tab: vscode.Tab): boolean =>
    tab.input instanceof vscode.TabInputText && tab.input.uri.scheme === SCHEME;
  const group = vscode.window.tabGroups.all.find((candidate) => candidate.tabs.some(isOurs));
  return group?.viewColumn ?? vscode.ViewColumn.Beside;
}
