; References to secrets. This is no language of files: it is injected into others.

(reference
  open: (_) @punctuation.special
  name: (name) @string.special.symbol)

[ ">>" "}}" ] @punctuation.special
