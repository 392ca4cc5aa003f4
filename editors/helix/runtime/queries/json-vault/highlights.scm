; inherits: json
; A string that holds a reference to a secret stands out: in Postman collections, and in JSON bodies.

((string_content) @string.special.vault
  (#match? @string.special.vault "([<][<]|[{][{])[ \\t]*vault:"))
