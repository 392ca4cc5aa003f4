; References to secrets, by names that every theme of Helix gives a colour unlike a string's. This is no language of
; files: it is injected into others.

(reference
  open: (_) @punctuation.special
  name: (name) @special)

[ ">>" "}}" ] @punctuation.special
