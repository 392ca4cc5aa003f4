// Asks where a link of a secret to an external vault leads: the integration, then what the provider has, by choosing.
// Where nothing can be listed, the coordinates are typed.

import * as vscode from "vscode";
import * as ask from "./ask";
import { providerName } from "./integration";
import type { Argument, Integration } from "./outcome";
import { standing } from "./overview";
import { barText } from "./text";

interface LinkField {
  id: string;
  label: string;
  value?: string;
  optional?: boolean;
}

const VERSION: LinkField = { id: "version", label: "Version (empty: the latest)", optional: true };

/** What a link of each provider is made of, in the order in which it is asked. */
const FIELDS: Record<string, LinkField[]> = {
  hashicorp: [
    { id: "engine", label: "Secret engine (mount)", value: "secret" },
    { id: "path", label: "Path of the secret" },
    { id: "key", label: "Key in the secret" },
    VERSION,
  ],
  azure: [{ id: "id", label: "Identifier of the secret, https://...vault.azure.net/secrets/..." }],
  aws: [
    { id: "arn", label: "ARN of the secret" },
    { id: "jsonKey", label: "Key in the secret's JSON (empty: the whole value)", optional: true },
    VERSION,
  ],
  onepassword: [{ id: "reference", label: "Reference, op://vault/item/field" }],
};

/** What the person wants to link to, by the provider; the only integration is chosen at once. */
export async function chooseIntegration(known: Integration[]): Promise<Integration | "add" | undefined> {
  const external = known.filter((one) => one.provider !== "local");
  const [only] = external;
  if (!only || external.length === 1) {
    return only ?? "add";
  }
  const providers = [...new Set(external.map((one) => one.provider))];
  const entries = providers.flatMap((provider): Entry[] => [
    { label: barText(providerName(provider)), kind: vscode.QuickPickItemKind.Separator },
    ...external.filter((one) => one.provider === provider).map(entryOf),
  ]);
  const more: Entry = { label: "$(add) Add an Integration...", one: "add", alwaysShow: true };
  return (await ask.chooseOne("Which integration?", [...entries, { label: "", kind: vscode.QuickPickItemKind.Separator }, more]))?.one;
}

interface Entry extends vscode.QuickPickItem {
  one?: Integration | "add";
}

function entryOf(one: Integration): Entry {
  return { label: `$(plug) ${barText(one.name)}`, description: barText(standing(one)), one };
}

/** Asks for the coordinates, field by field; nothing when the user gave up. */
export async function askLink(integration: Integration): Promise<Argument | undefined> {
  const link: Argument = { integration: integration.name };
  for (const field of FIELDS[integration.provider] ?? []) {
    const entered = await ask.text(field.label, field.value);
    if (entered === undefined && field.optional !== true) {
      return undefined;
    }
    if (entered !== undefined) {
      link[field.id] = field.id === "version" && /^\d+$/.test(entered) ? Number(entered) : entered;
    }
  }
  return link;
}
