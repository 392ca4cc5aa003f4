; The languages inside .http and .rest files.

((comment) @injection.content
  (#set! injection.language "comment"))

((json_body) @injection.content
  (#set! injection.language "json"))

; A body that opens with a vault reference looks like XML to the grammar, and is not.
((xml_body) @injection.content
  (#not-match? @injection.content "^[<][<]")
  (#set! injection.language "xml"))

(graphql_body
  (graphql_data) @injection.content
  (#set! injection.language "graphql"))

((script) @injection.content
  (#offset! @injection.content 0 2 0 -2)
  (#set! injection.language "javascript"))

; References to secrets, for editors with the grammar in editors/tree-sitter-vaultref; others ignore this.
((value) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))

((target_url) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))

((raw_body) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))

; JSON has strings, into which the queries for JSON inject it. XML and GraphQL cannot hold `<<` in all places where a
; reference may stand, so that it is injected beside them.
((xml_body) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))

(graphql_body
  (graphql_data) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))
