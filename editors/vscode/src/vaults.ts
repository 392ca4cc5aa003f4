// The item of the status bar that tells how the vaults stand: locked, to be signed in to, signed in. It follows the
// marks in the files and asks no vault; a click opens the list of everything. What it learns also decides which commands
// apply.

import * as vscode from "vscode";
import * as context from "./context";
import type { Server, Status } from "./outcome";
import { standing } from "./overview";
import { place } from "./place";
import { clean } from "./text";
import { status } from "./verb";

/** Marks come in bursts; one look after a burst is enough. */
const PAUSE_MS = 300;

/** What keeps secrets back, the most pressing first, with what the item says then. */
const STATES: [codes: string[], text: string][] = [
  [["untrusted"], "$(shield) review"],
  [["locked"], "$(lock) locked"],
  [["login-needed", "mfa-needed", "disconnected"], "$(account) sign in"],
];

/** What applies while nothing is known. */
const NOTHING = applying({ outcome: "status", local: "", integrations: [], secrets: [] });

export class Vaults implements vscode.Disposable {
  readonly item = vscode.window.createStatusBarItem("vaults", vscode.StatusBarAlignment.Right, 99);
  private readonly definitions = vscode.workspace.createFileSystemWatcher("**/vaultls.toml");
  private readonly events: vscode.Disposable[];
  private pause: NodeJS.Timeout | undefined;
  /** A look that a later one overtook shows nothing. */
  private latest = 0;

  constructor(private readonly server: Server) {
    this.item.name = "vaultls: Vaults";
    this.item.command = "vaultls.status";
    this.item.text = "$(key) vaults";
    const follow = (): void => this.follow();
    this.events = [
      this.definitions,
      this.definitions.onDidChange(follow),
      this.definitions.onDidCreate(follow),
      this.definitions.onDidDelete(follow),
      vscode.languages.onDidChangeDiagnostics(follow),
      // Another file may belong to another workspace.
      vscode.window.onDidChangeActiveTextEditor(follow),
    ];
  }

  /** Looks again, soon. */
  follow(): void {
    clearTimeout(this.pause);
    this.pause = setTimeout(() => void this.look(), PAUSE_MS);
  }

  dispose(): void {
    clearTimeout(this.pause);
    this.events.forEach((one) => one.dispose());
    this.item.dispose();
  }

  private async look(): Promise<void> {
    const mine = ++this.latest;
    // A server that just ended has no answer; the next marks bring the next look.
    const known = await status(this.server, place().uri).catch(() => undefined);
    if (mine === this.latest) {
      this.item.text = known ? text(known) : "$(key) vaults";
      this.item.tooltip = known ? tooltip(known) : undefined;
      await context.set(known ? applying(known) : NOTHING);
    }
  }
}

/** The state in two words. */
export function text(known: Status): string {
  const problems = [...known.integrations, ...known.secrets].map((one) => one.problem?.reason ?? "");
  const codes = new Set([...problems, known.local, ...(known.pending?.length ? ["untrusted"] : [])]);
  const pressing = STATES.find(([reasons]) => reasons.some((reason) => codes.has(reason)));
  const signedIn = known.integrations.some((one) => one.session);
  return pressing?.[1] ?? (signedIn ? "$(pass) signed in" : "$(key) vaults");
}

function tooltip(known: Status): string {
  const integrations = known.integrations.map((one) => `${one.name}: ${standing(one)}`);
  return [`Local vault: ${known.local}`, ...integrations, "Click for everything."].map(clean).join("\n");
}

/** What commands can be about. */
function applying({ local, integrations, secrets, pending }: Status): Parameters<typeof context.set>[0] {
  return {
    localVault: local,
    hasIntegration: integrations.length > 0,
    hasPending: (pending ?? []).length > 0,
    hasSecret: secrets.some((one) => one.enabled && !one.problem),
    hasDisabled: secrets.some((one) => !one.enabled),
    hasPage: secrets.some((one) => one.origin?.console),
  };
}
