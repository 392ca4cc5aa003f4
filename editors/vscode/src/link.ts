// Asks where a link of a secret to an external vault leads, field by field.

import * as vscode from "vscode";
import * as ask from "./ask";
import type { Argument, Integration } from "./outcome";

interface LinkField {
  id: string;
  label: string;
  value?: string;
  optional?: boolean;
  /** Turns what was entered into what the server takes. */
  read?: (text: string) => unknown;
}

const HASHICORP: LinkField[] = [
  { id: "engine", label: "Secret engine (mount)", value: "secret" },
  { id: "path", label: "Path of the secret" },
  { id: "key", label: "Key in the secret" },
  { id: "version", label: "Version (empty: the latest)", optional: true, read: Number },
];

/** What a link of each provider is made of, in the order in which it is asked. */
const FIELDS: Record<string, LinkField[]> = { hashicorp: HASHICORP };

/** Lets the user choose an integration; the only one is chosen at once. */
export async function chooseIntegration(known: Integration[]): Promise<Integration | undefined> {
  if (known.length === 0) {
    void vscode.window.showWarningMessage("vaultls: no integration is configured; add one to vaultls.toml");
    return undefined;
  }
  if (known.length === 1) {
    return known[0];
  }
  const items = known.map((one) => ({ label: one.name, description: one.provider, one }));
  return (await vscode.window.showQuickPick(items, { placeHolder: "Integration" }))?.one;
}

/** Asks for the whole link; nothing when the user gave up. */
export async function askLink(integration: Integration): Promise<Argument | undefined> {
  const link: Argument = { integration: integration.name };
  for (const field of FIELDS[integration.provider] ?? HASHICORP) {
    const entered = await ask.text(field.label, field.value);
    if (entered === undefined && field.optional !== true) {
      return undefined;
    }
    if (entered !== undefined) {
      link[field.id] = field.read ? field.read(entered) : entered;
    }
  }
  const domains = await ask.text("Allowed domains, with commas (empty: ask for each host)");
  if (domains !== undefined) {
    link.allowedDomains = domains.split(/[,\s]+/).filter(Boolean);
  }
  return link;
}
