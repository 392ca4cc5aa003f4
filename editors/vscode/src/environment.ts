// Which environment requests are sent with: the workspace's last choice, else the setting.

import * as vscode from "vscode";
import type { Server } from "./outcome";
import { place } from "./place";
import { status } from "./verb";

const KEY = "environment";

/** The chosen environment; empty for none. */
export function current(context: vscode.ExtensionContext): string {
  const setting = vscode.workspace.getConfiguration("vaultls").get<string>("environment", "");
  return context.workspaceState.get<string>(KEY) ?? setting;
}

/** Forgets the choice, so that the setting counts again. */
export async function forget(context: vscode.ExtensionContext): Promise<void> {
  await context.workspaceState.update(KEY, undefined);
}

/** Lets the user choose among those that the server knows for the document; whether that was done. */
export async function choose(context: vscode.ExtensionContext, server: Server): Promise<boolean> {
  const found = (await status(server, place().uri))?.environments ?? [];
  const none = { label: "No environment", name: "" };
  const items = [none, ...found.map((name) => ({ label: name, name }))];
  const placeHolder = found.length > 0 ? "Environment" : "No http-client.env.json or settings name one";
  const item = await vscode.window.showQuickPick(items, { placeHolder });
  if (!item) {
    return false;
  }
  await context.workspaceState.update(KEY, item.name);
  return true;
}
