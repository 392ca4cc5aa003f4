// What the extension asks and tells, against a server that follows a script: signing in, codes, choosing.

import { strict as assert } from "node:assert";
import * as vscode from "vscode";
import type { Answered, Argument, Browser, Outcome, Pending, Server, Status, Waiting } from "../src/outcome";
import * as signIn from "../src/sign_in";
import { carryOut } from "../src/verb";
import { text } from "../src/vaults";
import * as documents from "../src/documents";
import { choose, nextPick, person, said, stub, type Test, until } from "./harness";

/** Answers with what it was given, in order, and remembers what it was asked. */
class Script implements Server {
  readonly asked: [command: string, argument: Argument][] = [];
  readonly answers: [ticket: string, answers: Record<string, string>][] = [];
  finish: (byItself: boolean) => void = () => undefined;
  private readonly over = new Promise<boolean>((resolve) => (this.finish = resolve));

  constructor(
    private readonly outcomes: Outcome[],
    private readonly next: Answered[] = [],
  ) {}

  async call(command: string, argument: Argument): Promise<Outcome> {
    this.asked.push([command, argument]);
    return this.outcomes.shift() ?? { outcome: "failed", message: "the script is at its end" };
  }

  async answer(ticket: string, answers: Record<string, string>): Promise<Answered> {
    this.answers.push([ticket, answers]);
    return this.next.shift() ?? {};
  }

  signIn(): Waiting {
    return { over: this.over, cancel: () => this.finish(false) };
  }
}

const LOGIN: Argument = { integration: "team" };
const ADDRESS = { id: "address", label: "Address that the browser was sent to", kind: "text" as const };

/** Answers questions of hidden boxes and others with these, and gives what was asked. */
function types(...answers: string[]): vscode.InputBoxOptions[] {
  const asked: vscode.InputBoxOptions[] = [];
  stub("showInputBox", async (options: vscode.InputBoxOptions) => {
    asked.push(options);
    return answers.shift();
  });
  return asked;
}

/** Presses these buttons, one at each message. */
function presses(...buttons: string[]): string[][] {
  const offered: string[][] = [];
  stub("showInformationMessage", async (message: string, ...choices: string[]) => {
    said.push(message);
    offered.push(choices);
    return choices.length > 0 ? buttons.shift() : undefined;
  });
  return offered;
}

const TEAM = { name: "team", provider: "hashicorp", file: "vaultls.toml" };

function status(more: Partial<Status> = {}): Status {
  return { outcome: "status", local: "open", integrations: [TEAM], secrets: [], ...more };
}

const SIGNED_IN = status({ integrations: [{ ...TEAM, session: { who: "alice" } }] });

async function asksFieldByField(): Promise<void> {
  person();
  const fields = [
    { id: "id", label: "Access key id", kind: "text" as const },
    { id: "key", label: "Secret access key", kind: "hidden" as const },
    { id: "session", label: "Session token (empty for long-lived keys)", kind: "hidden" as const, optional: true },
  ];
  const code = [
    { id: "code", label: "One-time code (empty: go on without)", kind: "otp" as const, optional: true },
  ];
  const server = new Script(
    [{ outcome: "needsInput", ticket: "t1", message: "Access keys for `team`", fields }],
    [{ next: { outcome: "needsInput", ticket: "t2", message: "One-time code", fields: code } }, { next: { outcome: "done", message: "signed in" } }],
  );
  const asked = types("AKIA", "k", "", "");
  assert.equal(await carryOut(server, "vaultls.login", LOGIN), true);
  assert.deepEqual(server.answers, [["t1", { id: "AKIA", key: "k", session: "" }], ["t2", { code: "" }]]);
  assert.deepEqual(asked.map((one) => one.password), [false, true, true, true]);
  assert.equal(asked[1]?.title, "Access keys for `team` (2 of 3)");
  assert.deepEqual(said, ["vaultls: signed in"]);
}

async function aRefusedAnswerIsTold(): Promise<void> {
  person();
  const fields = [{ id: "token", label: "Token", kind: "hidden" as const }];
  const question: Outcome = { outcome: "needsInput", ticket: "t", message: "Token", fields };
  types("wrong");
  const server = new Script([question], [{ refused: "the token is not known" }]);
  assert.equal(await carryOut(server, "vaultls.login", LOGIN), false);
  types("");
  assert.equal(await carryOut(new Script([question]), "vaultls.login", LOGIN), false);
  assert.deepEqual(said, ["vaultls: the token is not known", "vaultls: nothing was entered"]);
}

/** A notification that stands: what it says, and whether it is still there. */
interface Standing {
  words: string;
  isThere: boolean;
  cancel: () => void;
}

/** What the links of notifications do: the extension, which would register that, is not started here. */
let acts: vscode.Disposable[] | undefined;

/** Watches the notifications with progress. */
function watches(): Standing[] {
  acts ??= signIn.register();
  const all: Standing[] = [];
  type Task = (progress: vscode.Progress<{ message?: string }>, token: vscode.CancellationToken) => Thenable<unknown>;
  stub("withProgress", async (options: vscode.ProgressOptions, task: Task) => {
    assert.equal(options.cancellable, true);
    const source = new vscode.CancellationTokenSource();
    const standing: Standing = { words: options.title ?? "", isThere: true, cancel: () => source.cancel() };
    all.push(standing);
    const report = ({ message }: { message?: string }): void => void (standing.words += `: ${message}`);
    return Promise.resolve(task({ report }, source.token)).finally(() => (standing.isThere = false));
  });
  return all;
}

/** Follows a link of a notification. */
async function follows(standing: Standing | undefined, words: string): Promise<void> {
  const link = new RegExp(`\\[${words}\\]\\(command:([\\w.]+)\\?([^)]+)\\)`).exec(standing?.words ?? "");
  assert.ok(link, standing?.words);
  const [, command = "", query = ""] = link;
  const [integration] = JSON.parse(decodeURIComponent(query)) as unknown[];
  await vscode.commands.executeCommand(command, integration);
}

const PAGE: Browser = {
  outcome: "browser",
  integration: "team",
  url: "https://login.example.com/authorize?state=s",
  message: "Sign in to `team`",
  ticket: "t",
  fields: [ADDRESS],
};

async function waitsForTheBrowser(): Promise<void> {
  const shown = watches();
  const server = new Script([PAGE, SIGNED_IN]);
  const over = carryOut(server, "vaultls.login", LOGIN);
  await until("the notification", () => shown[0]?.words.includes("Copy Address"));
  assert.match(shown[0]?.words ?? "", /^vaultls: Signing in to team on the page in the browser: \[Copy Address\]/);
  await follows(shown[0], "Copy Address");
  assert.equal(await vscode.env.clipboard.readText(), "https://login.example.com/authorize?state=s");
  assert.equal(shown[0]?.isThere, true);
  server.finish(true);
  assert.equal(await over, true);
  assert.deepEqual([shown.length, shown[0]?.isThere], [1, false]);
}

async function givesASignInUp(): Promise<void> {
  const shown = watches();
  const server = new Script([PAGE]);
  const over = carryOut(server, "vaultls.login", LOGIN);
  await until("the notification", () => shown.length === 1);
  shown[0]?.cancel();
  assert.equal(await over, false);
  assert.equal(shown[0]?.isThere, false);
}

async function takesThePastedAddress(): Promise<void> {
  person();
  const shown = watches();
  const asked = types("not an address", "http://127.0.0.1:1/?code=c");
  const server = new Script([PAGE], [{ refused: "this is no address" }, { next: { outcome: "done", message: "signed in to `team`" } }]);
  const over = carryOut(server, "vaultls.login", LOGIN);
  await until("the notification", () => shown[0]?.words.includes("Paste"));
  await follows(shown[0], "Paste the Address I Was Sent To");
  assert.equal(shown[0]?.isThere, true);
  await follows(shown[0], "Paste the Address I Was Sent To");
  assert.equal(await over, true);
  assert.deepEqual(server.answers.map(([, answers]) => answers.address), ["not an address", "http://127.0.0.1:1/?code=c"]);
  assert.deepEqual(asked.map((one) => one.password), [true, true]);
  assert.deepEqual(said, ["vaultls: this is no address", "vaultls: signed in to `team`"]);
}

async function showsTheCodeOfADevice(): Promise<void> {
  const shown = watches();
  const server = new Script([{ ...PAGE, code: "ABCD-\u0007EFGH" }, SIGNED_IN]);
  const over = carryOut(server, "vaultls.login", LOGIN);
  await until("the notification", () => shown[0]?.words.includes("Copy Code"));
  assert.match(shown[0]?.words ?? "", /^vaultls: Signing in to team: enter ABCD-\\u0007EFGH on the page/);
  assert.equal(shown[0]?.words.includes("Paste"), false);
  await follows(shown[0], "Copy Code");
  assert.equal(await vscode.env.clipboard.readText(), "ABCD-\u0007EFGH");
  server.finish(true);
  assert.equal(await over, true);
}

async function whatAServerSaysIsNoLink(): Promise<void> {
  person();
  const message = "press [here](command:workbench.action.quit)";
  assert.equal(await carryOut(new Script([{ outcome: "failed", message }]), "vaultls.login", LOGIN), false);
  const shown = watches();
  const server = new Script([{ ...PAGE, integration: "[here](command:workbench.action.quit)" }]);
  server.finish(false);
  await carryOut(server, "vaultls.login", LOGIN);
  for (const words of [said[0], shown[0]?.words]) {
    assert.match(words ?? "", /here\] \(command:workbench/);
  }
}

async function choosesStepByStep(): Promise<void> {
  person();
  const link = { integration: "team", engine: "kv", path: "app/db", key: "password" };
  const server = new Script([
    status(),
    { outcome: "choices", title: "engine", items: [{ label: "kv/", detail: "kv, $(zap) version 2", path: ["kv/"] }] },
    { outcome: "choices", title: "secret", items: [{ label: "a", path: ["kv/", "a"] }], more: "p2", ask: { label: "path of the secret", placeholder: "app/db" } },
    { outcome: "choices", title: "secret", items: [{ label: "db", path: ["kv/", "db"] }] },
    { outcome: "choices", title: "key", items: [{ label: "password", link }] },
    { outcome: "done", message: "linked" },
  ]);
  const shown = nextPick();
  const over = carryOut(server, "vaultls.link", { uri: "file:///a.http", name: "db" });
  const pick = await shown;
  await until("the engines", () => pick.items.length === 1);
  assert.equal(pick.items[0]?.description, "kv, $ (zap) version 2");
  assert.equal(pick.title, "Link db to team");
  assert.equal(pick.buttons.length, 0);
  await choose(pick, "kv/");
  await until("the names", () => pick.items[0]?.label === "a");
  assert.equal(pick.placeholder, "Choose the secret, or type the path of the secret, such as app/db");
  assert.equal(pick.buttons.length, 1);
  await choose(pick, "$(ellipsis) More...");
  await until("the second page", () => pick.items.length === 2);
  assert.deepEqual(pick.items.map((item) => item.label), ["a", "db"]);
  await choose(pick, "db");
  await choose(pick, "password");
  assert.equal(await over, true);
  const base = { uri: "file:///a.http", name: "db", integration: "team" };
  assert.deepEqual(server.asked.slice(1), [
    ["vaultls.browse", { ...base, path: [] }],
    ["vaultls.browse", { ...base, path: ["kv/"] }],
    ["vaultls.browse", { ...base, path: ["kv/"], page: "p2" }],
    ["vaultls.browse", { ...base, path: ["kv/", "db"] }],
    ["vaultls.link", { uri: "file:///a.http", name: "db", link }],
  ]);
  assert.deepEqual(said, ["vaultls: linked"]);
}

async function givesUpAListThatIsLeft(): Promise<void> {
  const tokens: vscode.CancellationToken[] = [];
  const server = new Script([status()]);
  const call = server.call.bind(server);
  server.call = (command: string, argument: Argument, token?: vscode.CancellationToken): Promise<Outcome> => {
    if (command !== "vaultls.browse" || !token) {
      return call(command, argument);
    }
    tokens.push(token);
    return new Promise((_, reject) => token.onCancellationRequested(() => reject(new Error("cancelled"))));
  };
  const shown = nextPick();
  const over = carryOut(server, "vaultls.browse", { name: "db", integration: "team" });
  const pick = await shown;
  await until("the question", () => tokens.length === 1);
  pick.hide();
  assert.equal(await over, false);
  assert.equal(tokens[0]?.isCancellationRequested, true);
}

async function signsInBeforeChoosing(): Promise<void> {
  person("Sign In");
  const link = { integration: "team", reference: "op://a/b/c" };
  const server = new Script([
    status(),
    { outcome: "failed", message: "nobody is signed in", code: "login-needed" },
    { outcome: "done", message: "signed in" },
    { outcome: "choices", title: "field", items: [{ label: "c", link }] },
    { outcome: "done", message: "linked" },
  ]);
  const first = nextPick();
  const over = carryOut(server, "vaultls.browse", { name: "db", integration: "team" });
  await first;
  // That one ends when nothing can be listed.
  await choose(await nextPick(), "c");
  assert.equal(await over, true);
  assert.deepEqual(server.asked.map(([command]) => command), ["vaultls.status", "vaultls.browse", "vaultls.login", "vaultls.browse", "vaultls.link"]);
}

async function offersAPage(): Promise<void> {
  const offered = presses("Copy Address");
  const server = new Script([{ outcome: "page", url: "https://portal.example.com/s", message: "the page of `db`" }]);
  assert.equal(await carryOut(server, "vaultls.openAtProvider", { name: "db" }), true);
  assert.deepEqual(offered, [["Open", "Copy Address"]]);
  assert.equal(await vscode.env.clipboard.readText(), "https://portal.example.com/s");
}

async function disconnects(): Promise<void> {
  person();
  const server = new Script([status(), { outcome: "done", message: "disconnected" }]);
  assert.equal(await carryOut(server, "vaultls.disconnect", {}), true);
  assert.equal(server.asked[1]?.[1].integration, "team");
}

async function showsWhatChanged(): Promise<void> {
  person();
  // This suite has these documents to itself: the extension is not started here.
  const provider = documents.register();
  const pending: Pending[] = [
    {
      kind: "integration",
      name: "team",
      definition: "address = \"https://new\"\n",
      changes: [
        { change: "kept", text: "provider" },
        { change: "removed", text: "address = \"https://old\"" },
        { change: "added", text: "address = \"https://new\"" },
      ],
    },
  ];
  let shown = "";
  stub("showQuickPick", async (items: string[]) => {
    const editor = await until("the changes", () =>
      vscode.window.visibleTextEditors.find((one) => one.document.uri.scheme === documents.SCHEME),
    );
    shown = editor.document.getText();
    return items[0];
  });
  const server = new Script([{ outcome: "review", pending }, { outcome: "done", message: "trusted" }]);
  assert.equal(await carryOut(server, "vaultls.trust", { uri: "file:///a.http" }), true);
  provider.dispose();
  assert.equal(shown.trimStart(), "integration team, which changed since it was trusted\n    provider\n-   address = \"https://old\"\n+   address = \"https://new\"\n");
  assert.deepEqual(server.asked[1], ["vaultls.trust", { uri: "file:///a.http", approve: true }]);
}

async function offersWhatCanBeDone(): Promise<void> {
  person();
  const session = { who: "alice", until: "2030-01-02T03:04:05Z" };
  const labels: string[][] = [];
  stub("showQuickPick", async (items: vscode.QuickPickItem[]) => {
    labels.push(items.map((item) => item.label));
    return items.find((item) => item.label.includes("team") || item.label === "Disconnect");
  });
  const server = new Script([status({ integrations: [{ ...TEAM, session }] }), { outcome: "done", message: "disconnected" }]);
  assert.equal(await carryOut(server, "vaultls.status", {}), true);
  assert.deepEqual(labels[1], ["Disconnect", "Sign In Again"]);
  assert.deepEqual(server.asked[1]?.[0], "vaultls.disconnect");
}

async function tellsHowVaultsStand(): Promise<void> {
  const problem = { reason: "login-needed", detail: "nobody is signed in" };
  const cases: [Partial<Status>, string][] = [
    [{}, "$(key) vaults"],
    [{ integrations: [{ ...TEAM, session: { who: "a" } }] }, "$(pass) signed in"],
    [{ integrations: [{ ...TEAM, problem }] }, "$(account) sign in"],
    [{ integrations: [{ ...TEAM, problem }], local: "locked" }, "$(lock) locked"],
    [{ local: "locked", pending: [{ kind: "integration", name: "team", definition: "" }] }, "$(shield) review"],
  ];
  for (const [more, expected] of cases) {
    assert.equal(text(status(more)), expected);
  }
}

export const tests: Test[] = [
  ["several fields and a code are asked for", asksFieldByField],
  ["an answer that is not taken is told", aRefusedAnswerIsTold],
  ["a sign-in waits for the browser", waitsForTheBrowser],
  ["a sign-in is given up", givesASignInUp],
  ["an address can be pasted", takesThePastedAddress],
  ["the code of a device is shown", showsTheCodeOfADevice],
  ["what a server says is no link", whatAServerSaysIsNoLink],
  ["a secret is found step by step", choosesStepByStep],
  ["a list that is left is no longer asked for", givesUpAListThatIsLeft],
  ["one signs in before choosing", signsInBeforeChoosing],
  ["a page at the provider is offered", offersAPage],
  ["an integration is disconnected", disconnects],
  ["what changed in a definition is shown", showsWhatChanged],
  ["the list offers what can be done", offersWhatCanBeDone],
  ["the status bar tells how vaults stand", tellsHowVaultsStand],
];
