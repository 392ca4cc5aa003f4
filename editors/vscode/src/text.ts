// Texts made safe and short enough to show.

/** `text` on one line, every control character visible. What a server or a file wrote is never trusted. */
export function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return "\\u" + character.charCodeAt(0).toString(16).padStart(4, "0");
  });
}

/** A message of ours for a notification, in which nothing that a server or a file wrote is a link. */
export function told(text: string): string {
  return `vaultls: ${clean(text).replaceAll("](", "] (")}`;
}

/** `text` where `$(name)` would draw an icon. */
export function barText(text: string): string {
  return clean(text).replaceAll("$(", "$ (");
}

export function duration(millis: number): string {
  return millis < 1000 ? `${millis} ms` : `${(millis / 1000).toFixed(2)} s`;
}

export function size(bytes: number): string {
  if (bytes < 1000) {
    return `${bytes} B`;
  }
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
