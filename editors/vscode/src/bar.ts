// The items of the status bar: the chosen environment, how the vaults stand, and what came of the last request.

import * as vscode from "vscode";
import { barText } from "./text";

export class Bar implements vscode.Disposable {
  private readonly result = vscode.window.createStatusBarItem("result", vscode.StatusBarAlignment.Left, 0);
  private readonly environment = vscode.window.createStatusBarItem("environment", vscode.StatusBarAlignment.Right, 100);
  private readonly editors: vscode.Disposable;

  /** `vaults` is shown and hidden together with the environment. */
  constructor(private readonly vaults: vscode.StatusBarItem) {
    this.result.name = "vaultls: Last Request";
    this.environment.name = "vaultls: Environment";
    this.environment.command = "vaultls.chooseEnvironment";
    this.environment.tooltip = "vaultls: the environment that requests are sent with";
    this.editors = vscode.window.onDidChangeActiveTextEditor(() => this.follow());
  }

  /** Shows `text`, which may hold icons, in place of the last result. */
  show(text: string): void {
    this.result.text = `vaultls: ${text}`;
    this.result.command = "vaultls.showOutput";
    this.result.backgroundColor = undefined;
    this.result.tooltip = undefined;
    this.result.show();
  }

  /** Shows what was answered, such as `200 OK · 12 ms · 1.2 kB`. */
  showResponse(summary: string, status: number): void {
    this.result.text = barText(summary);
    this.result.command = "vaultls.showHeaders";
    this.result.tooltip = "vaultls: show the headers";
    const colour = status >= 500 ? "statusBarItem.errorBackground" : "statusBarItem.warningBackground";
    this.result.backgroundColor = status >= 400 ? new vscode.ThemeColor(colour) : undefined;
    this.result.show();
  }

  showEnvironment(name: string): void {
    this.environment.text = barText(name === "" ? "no environment" : name);
    this.follow();
  }

  dispose(): void {
    this.editors.dispose();
    this.result.dispose();
    this.environment.dispose();
  }

  /** The environment and the vaults matter beside requests only. */
  private follow(): void {
    const document = vscode.window.activeTextEditor?.document;
    const isRequests = document?.languageId === "http" || document?.fileName.endsWith(".postman_collection.json");
    for (const item of [this.environment, this.vaults]) {
      if (isRequests === true) {
        item.show();
      } else {
        item.hide();
      }
    }
  }
}
