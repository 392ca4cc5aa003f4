// The running server: starts and stops it, sends it commands, and hands it answers past the protocol.

import * as vscode from "vscode";
import {
  CloseAction,
  ExecuteCommandRequest,
  LanguageClient,
  State,
  WorkDoneProgressCancelNotification,
} from "vscode-languageclient/node";
import * as context from "./context";
import * as environment from "./environment";
import { handOver } from "./hand_over";
import { type Answered, type Argument, isOutcome, type Outcome, type Server, type Waiting } from "./outcome";
import * as program from "./program";
import { told } from "./text";
import { ANNOUNCED } from "./verb";
import { Visits } from "./visit";

/** Handles a command of the server from wherever it comes: a lens, an action, the palette. */
export type Handler = (command: string, argument: Argument) => Promise<void>;

/** How long the server may take to start: a machine may be very busy. */
const PATIENCE_MS = 60_000;

const SELECTOR = [
  { scheme: "file", language: "http" },
  { scheme: "file", language: "json" },
  { scheme: "file", pattern: "**/vaultls.toml" },
];

/** Shows no errors of its own until it ran: whoever starts it tells what came of that, in one message. */
class Client extends LanguageClient {
  hasRun = false;

  override error(message: string, data?: unknown, show?: boolean | "force"): void {
    super.error(message, data, this.hasRun ? show : false);
  }

  /** Whether it runs now. */
  async begin(): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), PATIENCE_MS)));
    // NB. it does not fail when the program ends while it starts.
    const started = this.start().then(
      () => this.state === State.Running,
      () => false,
    );
    this.hasRun = await Promise.race([started, late]);
    clearTimeout(timer);
    return this.hasRun;
  }
}

export class Connection implements Server, vscode.Disposable {
  private client: Client | undefined;
  private readonly visits = new Visits();
  private program = "";
  /** The commands of a server that is not there. */
  private standIns: vscode.Disposable[] = [];
  /** Restarts wait for each other. */
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly extension: vscode.ExtensionContext,
    readonly output: vscode.LogOutputChannel,
    private readonly handler: Handler,
  ) {}

  /** Starts the server anew, with the program and the settings as they are now. */
  restart(): Promise<void> {
    this.turn = this.turn.then(() => this.stop()).then(() => this.start());
    return this.turn;
  }

  /** Sends a command and gives its outcome; fails when it was cancelled. */
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

  answer(ticket: string, answers: Record<string, string>): Promise<Answered> {
    return handOver(this.program, ticket, answers);
  }

  signIn(integration: string): Waiting {
    return this.visits.to(integration);
  }

  /** Tells the server which environment is chosen. */
  async tellEnvironment(): Promise<void> {
    const name = environment.current(this.extension) || null;
    const settings = { vaultls: { environment: name } };
    if (this.client?.state === State.Running) {
      await this.client.sendNotification("workspace/didChangeConfiguration", { settings });
    }
  }

  async stop(): Promise<void> {
    this.standIns.splice(0).forEach((one) => one.dispose());
    const client = this.client;
    this.client = undefined;
    this.visits.end();
    await context.set({ running: false });
    await client?.dispose().catch(() => undefined);
  }

  dispose(): void {
    void this.stop();
  }

  /** Never fails: what goes wrong is told. */
  private async start(): Promise<void> {
    const found = program.find(this.extension.extensionUri);
    if ("tried" in found) {
      this.refuse(program.missing(found.tried));
      return;
    }
    this.program = found.program;
    this.output.info(`starting ${found.program}`);
    this.client = this.makeClient(found.program);
    if (!(await this.client.begin())) {
      this.refuse(told(`${found.program} does not start; the output says more`));
    }
  }

  private makeClient(program: string): Client {
    const marker = {
      client: "vscode",
      environment: environment.current(this.extension),
      restricted: !vscode.workspace.isTrusted,
    };
    const client: Client = new Client(
      "vaultls",
      "vaultls",
      { command: program, args: ["lsp"] },
      {
        documentSelector: SELECTOR,
        outputChannel: this.output,
        initializationOptions: { vaultls: marker },
        errorHandler: {
          error: (error, message, count) => usual.error(error, message, count),
          // A program that ends at once would end again.
          closed: () => (client.hasRun ? usual.closed() : { action: CloseAction.DoNotRestart, handled: true }),
        },
        initializationFailedHandler: () => false,
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
    const usual = client.createDefaultErrorHandler();
    client.onDidChangeState((change) => void context.set({ running: change.newState === State.Running }));
    return client;
  }

  /** Says why there is no server, now and whenever it is needed. */
  private refuse(message: string): void {
    this.output.error(message);
    this.standIns = ANNOUNCED.map((id) => vscode.commands.registerCommand(id, () => this.offerSettings(message)));
    this.offerSettings(message);
  }

  private offerSettings(message: string): void {
    const [settings, output] = ["Open Settings", "Show Output"];
    void vscode.window.showErrorMessage(message, settings, output).then((chosen) => {
      if (chosen === settings) {
        return vscode.commands.executeCommand("workbench.action.openSettings", "vaultls.server.path");
      }
      return chosen === output ? this.output.show() : undefined;
    });
  }
}

/** Menus pass the editor's place as their argument, which is none of ours. */
function argumentOf(args: unknown[]): Argument {
  const [first] = args;
  const isOurs = typeof first === "object" && first !== null && !(first instanceof vscode.Uri);
  return isOurs ? { ...first } : {};
}
