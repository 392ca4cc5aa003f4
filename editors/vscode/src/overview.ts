// The status of integrations, secrets and the local vault as a list to pick from: what is picked can be acted on.

import * as vscode from "vscode";
import type { Argument, Integration, Secret, Status } from "./outcome";
import { barText } from "./text";

type CarryOut = (command: string, argument: Argument) => Promise<boolean>;

/** A command, and how the person knows it. */
type Act = [title: string, command: string, argument: Argument];

interface Entry extends vscode.QuickPickItem {
  /** What can be done about it. */
  acts?: Act[];
}

/** Shows the status and does what is picked. */
export async function show(status: Status, carryOut: CarryOut): Promise<void> {
  const entries = [...pending(status), local(status), ...integrations(status), ...secrets(status)];
  const placeHolder = "Vaults and secrets of this workspace";
  const picked = await vscode.window.showQuickPick(entries, { placeHolder, matchOnDescription: true });
  const act = picked && vscode.workspace.isTrusted ? await choose(picked) : undefined;
  if (act) {
    await carryOut(act[1], act[2]);
  }
}

/** How an integration stands, in a few words. */
export function standing(one: Integration): string {
  if (one.problem) {
    return one.problem.detail;
  }
  if (!one.session) {
    return "not signed in yet";
  }
  const who = one.session.who ? ` as ${one.session.who}` : "";
  const until = one.session.until ? `, until ${time(new Date(one.session.until))}` : "";
  return `signed in${who}${until}`;
}

/** The time of today, or of another day. */
function time(when: Date): string {
  const clock = { hour: "2-digit", minute: "2-digit" } as const;
  const isToday = when.toDateString() === new Date().toDateString();
  return isToday ? when.toLocaleTimeString([], clock) : when.toLocaleString([], { weekday: "long", ...clock });
}

/** The only thing that can be done, else the one that the person picks. */
async function choose(entry: Entry): Promise<Act | undefined> {
  const acts = entry.acts ?? [];
  if (acts.length < 2) {
    return acts[0];
  }
  const items = acts.map((act) => ({ label: act[0], act }));
  return (await vscode.window.showQuickPick(items, { placeHolder: entry.label }))?.act;
}

function local(status: Status): Entry {
  const state = status.local === "absent" ? "nothing in it yet" : status.local;
  const entry: Entry = { label: "$(lock) Local vault", description: barText(state) };
  const unlock: Act = ["Unlock", "vaultls.unlock", {}];
  const lock: Act = ["Lock", "vaultls.lock", {}];
  switch (status.local) {
    case "locked":
      return { ...entry, detail: "Unlock it", acts: [unlock] };
    case "open":
      return { ...entry, detail: "Lock it, and forget what was fetched", acts: [lock] };
    default:
      return entry;
  }
}

function integrations(status: Status): Entry[] {
  const entries = status.integrations.map((one): Entry => {
    const argument = { integration: one.name };
    const signIn: Act = [one.session ? "Sign In Again" : "Sign In", "vaultls.login", argument];
    const disconnect: Act = ["Disconnect", "vaultls.disconnect", argument];
    return {
      label: `$(plug) ${barText(one.name)}`,
      description: barText(one.provider),
      detail: barText(standing(one)),
      acts: one.problem?.reason === "untrusted" ? [review()] : one.session ? [disconnect, signIn] : [signIn, disconnect],
    };
  });
  return section("Integrations", entries);
}

function secrets(status: Status): Entry[] {
  return section("Secrets", status.secrets.map(secret));
}

function secret(one: Secret): Entry {
  const where = one.origin?.integration ?? "local vault";
  const entry: Entry = { label: `$(key) ${barText(one.name)}`, description: barText(one.enabled ? where : "turned off") };
  if (one.problem) {
    entry.detail = barText(one.problem.detail);
  }
  const { name } = one;
  const acts: Act[] = [["Ask for It Again", "vaultls.resetCache", { name }]];
  if (one.origin?.console) {
    acts.push(["Open at Its Provider", "vaultls.openAtProvider", { name }]);
  }
  acts.push(["Link Elsewhere...", "vaultls.browse", { name }]);
  return { ...entry, acts: one.enabled ? acts : [["Enable", "vaultls.enable", { name }]] };
}

function pending(status: Status): Entry[] {
  const entries = (status.pending ?? []).map((one): Entry => ({
    label: `$(shield) ${barText(one.name)}`,
    description: barText(one.kind),
    detail: one.changes ? "Changed: review and trust" : "Review and trust",
    acts: [review()],
  }));
  return section("Waiting for trust", entries);
}

function review(): Act {
  return ["Review and Trust", "vaultls.trust", {}];
}

function section(label: string, entries: Entry[]): Entry[] {
  return entries.length > 0 ? [{ label, kind: vscode.QuickPickItemKind.Separator }, ...entries] : [];
}
