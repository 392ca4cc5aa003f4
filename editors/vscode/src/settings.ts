// The settings that only a person may make. The editor keeps a workspace's own out, and so does this, and says so.

import * as vscode from "vscode";

interface Contributed {
  properties: Record<string, { scope?: string }>;
}

/** A setting as the person has it. */
export function personal(name: string): string | undefined {
  const known = vscode.workspace.getConfiguration("vaultls").inspect<string>(name);
  return known?.globalValue ?? known?.defaultValue;
}

/** Tells of settings that the workspace brought along and that do not count. */
export async function tellIgnored(extension: vscode.Extension<unknown>, output: vscode.LogOutputChannel): Promise<void> {
  const { properties } = extension.packageJSON.contributes.configuration as Contributed;
  const names = await brought(Object.keys(properties).filter((name) => properties[name]?.scope === "machine"));
  if (names.length > 0) {
    const message = `this workspace's settings are ignored, because only your own count: ${names.join(", ")}`;
    output.warn(message);
    void vscode.window.showWarningMessage(`vaultls: ${message}`);
  }
}

/** Which of these settings a workspace of this window wrote down. */
async function brought(names: string[]): Promise<string[]> {
  const folders = (vscode.workspace.workspaceFolders ?? []).map((one) => one.uri);
  const files = folders.map((folder) => vscode.Uri.joinPath(folder, ".vscode/settings.json"));
  const workspace = vscode.workspace.workspaceFile;
  const texts = await Promise.all([...files, ...(workspace?.scheme === "file" ? [workspace] : [])].map(read));
  return names.filter((name) => texts.some((text) => text.includes(`"${name}"`)));
}

async function read(uri: vscode.Uri): Promise<string> {
  try {
    return Buffer.from(await vscode.workspace.fs.readFile(uri)).toString("utf8");
  } catch {
    // Most workspaces have none.
    return "";
  }
}
