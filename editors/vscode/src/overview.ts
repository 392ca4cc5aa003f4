// The status of integrations, secrets and the local vault as a list to pick from: what is picked can be acted on.

import * as vscode from "vscode";
import type { Argument, Secret, Status } from "./outcome";

type CarryOut = (command: string, argument: Argument) => Promise<boolean>;

interface Entry extends vscode.QuickPickItem {
  /** What picking it does. */
  act?: [command: string, argument: Argument];
}

/** Shows the status and does what is picked. */
export async function show(status: Status, carryOut: CarryOut): Promise<void> {
  const entries = [...local(status), ...integrations(status), ...secrets(status), ...pending(status)];
  const placeHolder = "Vaults and secrets of this workspace";
  const picked = await vscode.window.showQuickPick(entries, { placeHolder, matchOnDescription: true });
  if (picked?.act && vscode.workspace.isTrusted) {
    await carryOut(...picked.act);
  }
}

function local(status: Status): Entry[] {
  const entry: Entry = { label: "$(lock) Local vault", description: status.local };
  return [status.local === "locked" ? { ...entry, detail: "Unlock it", act: ["vaultls.unlock", {}] } : entry];
}

function integrations(status: Status): Entry[] {
  const entries = status.integrations.map((one): Entry => ({
    label: `$(plug) ${plain(one.name)}`,
    description: plain(`${one.provider}, ${one.file}`),
    detail: "Sign in",
    act: ["vaultls.login", { integration: one.name }],
  }));
  return section("Integrations", entries);
}

function secrets(status: Status): Entry[] {
  return section("Secrets", status.secrets.map(secret));
}

function secret(one: Secret): Entry {
  const where = one.origin?.integration ?? "local vault";
  const entry: Entry = { label: `$(key) ${plain(one.name)}`, description: plain(one.enabled ? where : "turned off") };
  if (one.problem) {
    entry.detail = plain(`${one.problem.reason}: ${one.problem.detail}`);
  }
  const again: Entry["act"] = ["vaultls.resetCache", { name: one.name }];
  return { ...entry, act: one.enabled ? again : ["vaultls.enable", { name: one.name }] };
}

function pending(status: Status): Entry[] {
  const entries = (status.pending ?? []).map((one): Entry => ({
    label: `$(shield) ${plain(one.name)}`,
    description: plain(one.kind),
    detail: "Review and trust",
    act: ["vaultls.trust", {}],
  }));
  return section("Waiting for trust", entries);
}

function section(label: string, entries: Entry[]): Entry[] {
  return entries.length > 0 ? [{ label, kind: vscode.QuickPickItemKind.Separator }, ...entries] : [];
}

/** Without icons and control characters. */
function plain(text: string): string {
  return text.replaceAll("$(", "$ (").replace(/\s+/g, " ");
}
