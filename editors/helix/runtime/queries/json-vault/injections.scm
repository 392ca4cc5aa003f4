; inherits: json
; References to secrets inside strings, for editors with the grammar in editors/tree-sitter-vaultref.

((string_content) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))
