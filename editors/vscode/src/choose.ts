// Finds a secret at its provider by choosing, step by step. The server lists names, never values, and filters them;
// what it may not list can be typed.

import * as vscode from "vscode";
import type { Argument, Choices, Failed, Item, Outcome, Server } from "./outcome";
import { clean, barText, told } from "./text";

/** How long the person may pause while typing before the list is asked for. */
const PAUSE_MS = 150;

/** What the person found, or why there is nothing to choose; nothing when they gave up. */
export type Found = { link: Argument } | { failed: Failed } | undefined;

interface Entry extends vscode.QuickPickItem {
  act: "item" | "more" | "ask";
  item?: Item;
}

/** Lets the person choose in the integration that `argument` names. */
export function choose(server: Server, argument: Argument): Promise<Found> {
  return new Promise((resolve) => new Chooser(server, argument, resolve).start());
}

class Chooser {
  private readonly pick = vscode.window.createQuickPick<Entry>();
  /** The way here: the last is the path that is shown. */
  private readonly way: string[][] = [[]];
  private shown: Choices = { outcome: "choices", title: "", items: [] };
  /** The question that waits for its answer. One that a later question overtook is given up. */
  private asking: vscode.CancellationTokenSource | undefined;
  private pause: NodeJS.Timeout | undefined;

  constructor(
    private readonly server: Server,
    private readonly argument: Argument,
    private readonly resolve: (found: Found) => void,
  ) {}

  start(): void {
    const { pick } = this;
    pick.ignoreFocusOut = true;
    pick.matchOnDetail = true;
    pick.onDidChangeValue(() => this.filter());
    pick.onDidAccept(() => this.take(pick.activeItems[0]));
    pick.onDidTriggerButton(() => this.leave());
    pick.onDidHide(() => this.end(undefined));
    this.title();
    pick.show();
    void this.load();
  }

  private end(found: Found): void {
    clearTimeout(this.pause);
    this.giveUp();
    this.resolve(found);
    this.pick.dispose();
  }

  private giveUp(): void {
    this.asking?.cancel();
    this.asking?.dispose();
    this.asking = undefined;
  }

  /** Asks for what stands at the path, or for one more page of it. */
  private async load(page?: string): Promise<void> {
    this.giveUp();
    const mine = new vscode.CancellationTokenSource();
    this.asking = mine;
    const { path, value: filter } = { path: this.path(), value: this.pick.value.trim() };
    const question = { ...this.argument, path, ...(filter !== "" && { filter }), ...(page !== undefined && { page }) };
    this.pick.busy = true;
    const outcome = await this.server.call("vaultls.browse", question, mine.token).catch(failed);
    if (mine !== this.asking) {
      return;
    }
    this.giveUp();
    this.pick.busy = false;
    if (outcome.outcome === "choices") {
      const before = page === undefined ? [] : this.shown.items;
      this.shown = { ...outcome, items: [...before, ...outcome.items] };
      this.show(before.length);
    } else {
      this.refuse(outcome.outcome === "failed" ? outcome : unexpected(outcome));
    }
  }

  /** A step that cannot be taken is told, and the person stays where they were. */
  private refuse(outcome: Failed): void {
    if (this.way.length === 1) {
      return this.end({ failed: outcome });
    }
    void vscode.window.showErrorMessage(told(outcome.message));
    this.leave();
  }

  private show(first: number): void {
    const { title, items, more, ask } = this.shown;
    const typed = this.pick.value.trim();
    const entries = items.map(entryOf);
    if (more !== undefined) {
      entries.push({ label: "$(ellipsis) More...", act: "more", alwaysShow: true });
    }
    if (ask && typed !== "") {
      entries.push({ label: `$(edit) Use "${barText(typed)}"`, description: barText(ask.label), act: "ask", alwaysShow: true });
    }
    const example = ask?.placeholder === undefined ? "" : `, such as ${clean(ask.placeholder)}`;
    const hand = ask ? `, or type the ${clean(ask.label)}${example}` : "";
    this.pick.placeholder = `Choose the ${clean(title)}${hand}`;
    this.title();
    this.pick.items = entries;
    const active = this.pick.items[first];
    this.pick.activeItems = active ? [active] : [];
  }

  private title(): void {
    const place = [this.argument.integration, ...this.path()].map((part) => clean(String(part)).replace(/\/$/, ""));
    this.pick.title = `Link ${clean(String(this.argument.name))} to ${place.join(" / ")}`;
    this.pick.buttons = this.way.length > 1 ? [vscode.QuickInputButtons.Back] : [];
  }

  private filter(): void {
    clearTimeout(this.pause);
    // What was typed may be chosen at once, before the list has followed it.
    this.giveUp();
    this.show(0);
    this.pause = setTimeout(() => void this.load(), PAUSE_MS);
  }

  private take(entry: Entry | undefined): void {
    const { item } = entry ?? {};
    if (entry?.act === "more") {
      void this.load(this.shown.more);
    } else if (entry?.act === "ask") {
      this.enter([...this.path(), this.pick.value.trim()]);
    } else if (item?.link) {
      this.end({ link: item.link });
    } else if (item?.path) {
      this.enter(item.path);
    }
  }

  private enter(path: string[]): void {
    this.way.push(path);
    this.renew();
  }

  private leave(): void {
    this.way.pop();
    this.renew();
  }

  private renew(): void {
    clearTimeout(this.pause);
    this.giveUp();
    this.shown = { outcome: "choices", title: "", items: [] };
    this.pick.value = "";
    this.pick.items = [];
    this.title();
    void this.load();
  }

  private path(): string[] {
    return this.way.at(-1) ?? [];
  }
}

/** The server filters; what it gave is shown, whatever the editor thinks of it. */
function entryOf(item: Item): Entry {
  const entry: Entry = { label: barText(item.label), act: "item", item, alwaysShow: true };
  return item.detail === undefined ? entry : { ...entry, description: barText(item.detail) };
}

function failed(error: unknown): Failed {
  return { outcome: "failed", message: error instanceof Error ? error.message : String(error) };
}

function unexpected(outcome: Outcome): Failed {
  return { outcome: "failed", message: `unexpected answer ${outcome.outcome}` };
}
