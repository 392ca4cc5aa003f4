// Lines that are put together, each as deep as it is nested. A small body that would become a huge one is refused: deep
// nesting costs white space on every line.

/** How many characters a laid-out body may have. */
const MAX_LENGTH = 32 * 1024 * 1024;

export class Layout {
  private readonly lines: string[] = [];
  private length = 0;

  /** Adds a line; whether there was room for it. */
  line(depth: number, text: string): boolean {
    this.length += 2 * depth + text.length + 1;
    const fits = this.length <= MAX_LENGTH;
    if (fits) {
      this.lines.push("  ".repeat(depth) + text);
    }
    return fits;
  }

  text(): string {
    return this.lines.join("\n");
  }
}
