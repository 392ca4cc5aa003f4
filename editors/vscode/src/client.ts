// The running server: starts and stops it, sends it commands, and hands it answers past the protocol.

import { spawn } from "node:child_process";
import * as vscode from "vscode";
import {
  ExecuteCommandRequest,
  LanguageClient,
  State,
  WorkDoneProgressCancelNotification,
} from "vscode-languageclient/node";
import * as environment from "./environment";
import { type Answered, type Argument, isOutcome, type Outcome, type Server, type Waiting } from "./outcome";
import * as server from "./server";
import { Visits } from "./visit";

/** Handles a command of the server from wherever it comes: a lens, an action, the palette. */
export type Handler = (command: string, argument: Argument) => Promise<void>;

/** How much of a failed program's last words is shown. */
const MAX_ERROR = 2000;

const SELECTOR = [
  { scheme: "file", language: "http" },
  { scheme: "file", language: "json" },
  { scheme: "file", pattern: "**/vaultls.toml" },
];

export class Connection implements Server, vscode.Disposable {
  private client: LanguageClient | undefined;
  private readonly visits = new Visits();
  private program = "";
  /** Restarts wait for each other. */
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: vscode.ExtensionContext,
    readonly output: vscode.LogOutputChannel,
    private readonly handler: Handler,
  ) {}

  /** Starts the server anew, with the program and the settings as they are now. */
  restart(): Promise<void> {
    this.turn = this.turn.then(async () => {
      await this.stop();
      await this.start();
    });
    return this.turn;
  }

  /** Sends a command and gives its outcome; nothing when it was cancelled. */
  async call(command: string, argument: Argument, token?: vscode.CancellationToken): Promise<Outcome> {
    if (this.client?.state !== State.Running) {
      throw new Error("the server is not running");
    }
    const answer: unknown = await this.client.sendRequest(
      ExecuteCommandRequest.type,
      { command, arguments: [argument] },
      token,
    );
    if (!isOutcome(answer)) {
      throw new Error(`the server gave no answer to ${command}`);
    }
    return answer;
  }

  /**
   * Hands over what the person entered through the standard input of `vaultls answer TICKET`, because editors log the
   * messages of their protocol. What it prints comes next.
   */
  answer(ticket: string, answers: Record<string, string>): Promise<Answered> {
    return new Promise((resolve) => {
      const child = spawn(this.program, ["answer", ticket], { stdio: "pipe", windowsHide: true });
      let printed = "";
      let errors = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
      child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(0, MAX_ERROR)));
      child.on("error", (error) => resolve({ refused: error.message }));
      child.on("close", (code) => {
        resolve(code === 0 ? next(printed) : { refused: errors.trim() || "the answer was not taken" });
      });
      // The program may refuse the ticket before it reads; then its exit code says why.
      child.stdin.on("error", () => undefined);
      child.stdin.end(JSON.stringify(answers));
    });
  }

  signIn(integration: string): Waiting {
    return this.visits.to(integration);
  }

  /** Tells the server which environment is chosen. */
  async tellEnvironment(): Promise<void> {
    const name = environment.current(this.context) || null;
    const settings = { vaultls: { environment: name } };
    if (this.client?.state === State.Running) {
      await this.client.sendNotification("workspace/didChangeConfiguration", { settings });
    }
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.visits.end();
    await setRunning(false);
    await client?.dispose().catch(() => undefined);
  }

  dispose(): void {
    void this.stop();
  }

  private async start(): Promise<void> {
    const found = server.find(this.context.extensionUri);
    if ("tried" in found) {
      this.output.error(server.missing(found.tried));
      void this.offerSettings(server.missing(found.tried));
      return;
    }
    this.program = found.program;
    this.output.info(`starting ${found.program}`);
    this.client = this.makeClient(found.program);
    try {
      await this.client.start();
      await setRunning(true);
    } catch (error) {
      void this.offerSettings(`vaultls: ${found.program} does not start: ${String(error)}`);
    }
  }

  private makeClient(program: string): LanguageClient {
    const marker = { client: "vscode", environment: environment.current(this.context) };
    const client = new LanguageClient(
      "vaultls",
      "vaultls",
      { command: program, args: ["lsp"] },
      {
        documentSelector: SELECTOR,
        outputChannel: this.output,
        initializationOptions: { vaultls: marker },
        middleware: {
          // The answer is drawn here; `next` would drop it.
          executeCommand: (command, args: unknown[]) => this.handler(command, argumentOf(args)),
          handleWorkDoneProgress: (token, params, next) => {
            const cancel = (): void => void client.sendNotification(WorkDoneProgressCancelNotification.type, { token });
            if (!this.visits.take(token, params, cancel)) {
              next(token, params);
            }
          },
        },
      },
    );
    client.onDidChangeState((change) => void setRunning(change.newState === State.Running));
    return client;
  }

  private async offerSettings(message: string): Promise<void> {
    const settings = "Open Settings";
    const chosen = await vscode.window.showErrorMessage(message, settings, "Show Output");
    if (chosen === settings) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "vaultls.server.path");
    } else if (chosen !== undefined) {
      this.output.show();
    }
  }
}

/** What the program printed: nothing, or one outcome. */
function next(printed: string): Answered {
  try {
    const outcome: unknown = JSON.parse(printed);
    return isOutcome(outcome) ? { next: outcome } : {};
  } catch {
    return {};
  }
}

/** Menus pass the editor's place as their argument, which is none of ours. */
function argumentOf(args: unknown[]): Argument {
  const [first] = args;
  const isOurs = typeof first === "object" && first !== null && !(first instanceof vscode.Uri);
  return isOurs ? { ...first } : {};
}

async function setRunning(running: boolean): Promise<void> {
  await vscode.commands.executeCommand("setContext", "vaultls.running", running);
}
