// Adds an integration to `vaultls.toml`: the provider, a name, what that provider has to be told. What was written is
// shown and trusted like any definition of a workspace before it counts.

import * as vscode from "vscode";
import { chooseOne, text as askText } from "./ask";
import { above, exists, firstRoot } from "./folders";

interface Question {
  field: string;
  prompt: string;
  example: string;
  /** The ways to sign in that need it; all unless set. */
  methods?: string[];
}

interface Method {
  label: string;
  detail: string;
  method: string;
}

interface Provider {
  id: string;
  label: string;
  questions: Question[];
  methods: Method[];
}

const FILE = "vaultls.toml";

const PROVIDERS: Provider[] = [
  {
    id: "hashicorp",
    label: "HashiCorp Vault, OpenBao",
    questions: [{ field: "address", prompt: "Address of the server", example: "https://vault.example.com:8200" }],
    methods: [
      { method: "token", label: "Token", detail: "VAULT_TOKEN, ~/.vault-token, or a token that is typed in" },
      { method: "userpass", label: "User name and password", detail: "typed in once" },
      { method: "approle", label: "AppRole", detail: "VAULT_ROLE_ID and VAULT_SECRET_ID" },
    ],
  },
  {
    id: "aws",
    label: "AWS Secrets Manager",
    questions: [
      { field: "region", prompt: "Region", example: "eu-west-1" },
      { field: "profile", prompt: "Profile of ~/.aws", example: "default", methods: ["profile"] },
    ],
    methods: [
      { method: "profile", label: "Profile", detail: "of ~/.aws, with single sign-on, roles and second factors" },
      { method: "keys", label: "Access keys", detail: "AWS_ACCESS_KEY_ID and its company, or typed in" },
    ],
  },
  {
    id: "azure",
    label: "Azure Key Vault",
    questions: [
      { field: "tenant", prompt: "Tenant: its domain or its id", example: "contoso.onmicrosoft.com" },
      {
        field: "client-id",
        prompt: "Id of the application that people sign in to",
        example: "00000000-0000-0000-0000-000000000000",
        methods: ["browser", "device", "client-secret"],
      },
    ],
    methods: [
      { method: "az", label: "Azure CLI", detail: "with the session of `az login`" },
      { method: "browser", label: "Browser", detail: "as yourself, on Microsoft's page" },
      { method: "device", label: "Code", detail: "as yourself, in a browser on any machine" },
      { method: "client-secret", label: "Client secret", detail: "AZURE_CLIENT_SECRET, or typed in" },
    ],
  },
  {
    id: "onepassword",
    label: "1Password",
    questions: [
      { field: "address", prompt: "Address of the Connect server", example: "https://connect.example.com", methods: ["connect"] },
    ],
    methods: [
      { method: "app", label: "Desktop app", detail: "through the 1Password CLI" },
      { method: "service-account", label: "Service account", detail: "OP_SERVICE_ACCOUNT_TOKEN, or typed in" },
      { method: "connect", label: "Connect server", detail: "OP_CONNECT_TOKEN, or typed in" },
    ],
  },
];

/** The names of providers, for people. */
export function providerName(id: string): string {
  return PROVIDERS.find((one) => one.id === id)?.label ?? id;
}

/** Asks for everything and writes it for the file `uri`; the name, or nothing when the person gave up. */
export async function add(uri: unknown): Promise<string | undefined> {
  const provider = await chooseOne("Which vault is it?", PROVIDERS.map((one) => ({ label: one.label, one })));
  const method = provider && (await chooseOne("How do you sign in?", provider.one.methods.map((one) => ({ ...one, one }))));
  const name = method && (await askName());
  if (!provider || !method || name === undefined) {
    return undefined;
  }
  const lines = [`[integrations.${name}]`, `provider = ${quoted(provider.one.id)}`];
  for (const { field, prompt, example, methods } of provider.one.questions) {
    if (methods && !methods.includes(method.one.method)) {
      continue;
    }
    const entered = await askText(`${prompt}, such as ${example}`);
    if (entered === undefined) {
      return undefined;
    }
    lines.push(`${field} = ${quoted(entered.trim())}`);
  }
  lines.push(`auth = { method = ${quoted(method.one.method)} }`);
  return (await write(lines, uri)) ? name : undefined;
}

function askName(): Promise<string | undefined> {
  const check = (name: string): string | undefined =>
    /^[A-Za-z0-9_-]{1,64}$/.test(name) ? undefined : "Letters, digits, - and _, at most 64";
  return askText("A name of your own for it, which stands in vaultls.toml", "team", check);
}

/** Puts the lines at the end of the file, through the editor, so that a change not yet saved stays. */
async function write(lines: string[], uri: unknown): Promise<boolean> {
  const file = await place(typeof uri === "string" ? vscode.Uri.parse(uri) : undefined);
  if (!file) {
    return false;
  }
  const edit = new vscode.WorkspaceEdit();
  edit.createFile(file, { ignoreIfExists: true });
  await vscode.workspace.applyEdit(edit);
  const document = await vscode.workspace.openTextDocument(file);
  const before = document.getText();
  const gap = before.trim() === "" ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  const more = new vscode.WorkspaceEdit();
  more.insert(file, document.positionAt(before.length), `${gap}${lines.join("\n")}\n`);
  return (await vscode.workspace.applyEdit(more)) && document.save();
}

/** The nearest file above the requests, else where one belongs. */
async function place(document: vscode.Uri | undefined): Promise<vscode.Uri | undefined> {
  const folders = document ? above(document) : [];
  for (const folder of folders) {
    const file = vscode.Uri.joinPath(folder, FILE);
    if (await exists(file)) {
      return file;
    }
  }
  const home = folders.at(-1) ?? firstRoot() ?? (document && vscode.Uri.joinPath(document, ".."));
  return home && vscode.Uri.joinPath(home, FILE);
}

/** A TOML basic string: JSON's escapes are among its own. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}
