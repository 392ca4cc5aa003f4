; extends
; References to secrets, for editors with the grammar in editors/tree-sitter-vaultref. Only nodes that every
; grammar for these files has: one unknown node would switch off all colours.

((value) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))

((target_url) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))
