; extends
; A value that holds a reference to a secret stands out as a whole, also without the grammar of references. Only nodes
; that every grammar for these files has: one unknown node would switch off all colours.

((value) @string.special.vault
  (#match? @string.special.vault "([<][<]|[{][{])[ \\t]*vault:"))

((target_url) @string.special.vault
  (#match? @string.special.vault "([<][<]|[{][{])[ \\t]*vault:"))
