; The languages inside .http and .rest files.

; `json-vault` is Helix's JSON with references in its strings.
((json_body) @injection.content
  (#set! injection.language "json-vault"))

; A body that opens with a vault reference looks like XML to the grammar, and is not.
((xml_body) @injection.content
  (#not-match? @injection.content "^[<][<]")
  (#set! injection.language "xml"))

(graphql_body
  (graphql_data) @injection.content
  (#set! injection.language "graphql"))

; References to secrets.
((value) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))

((target_url) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))

((raw_body) @injection.content
  (#match? @injection.content "([<][<]|[{][{])[ \\t]*vault:")
  (#set! injection.language "vaultref"))

((xml_body) @injection.content
  (#match? @injection.content "^[<][<]")
  (#set! injection.language "vaultref"))
