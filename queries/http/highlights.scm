; Colours for .http and .rest files, for the grammar that rest.nvim made and most editors use.
; A value that holds a vault reference stands out as a whole: a query cannot capture a part of a node.
; Later patterns win. Patterns spell `<<` as `[<][<]`: a bare `<` begins a word for Neovim.

(comment) @comment
(comment
  name: (_) @attribute
  value: (_) @label)

(request_separator) @punctuation.delimiter
(request_separator
  value: (_) @markup.heading)

(method) @function.method
(http_version) @constant
(status_code) @number
(status_text) @string

(target_url) @string.special.url
(header
  name: (_) @property)
(header
  value: (_) @string)

(variable_declaration
  name: (identifier) @variable)
(variable_declaration
  value: (_) @string)
(variable
  name: (identifier) @variable)

(external_body
  path: (_) @string.special.path)

[ "{{" "}}" ] @punctuation.special
[ "@" ":" "=" ] @punctuation.delimiter

; References to secrets.
((target_url) @string.special.vault
  (#match? @string.special.vault "([<][<]|[{][{])[ \\t]*vault:"))
((value) @string.special.vault
  (#match? @string.special.vault "([<][<]|[{][{])[ \\t]*vault:"))
((json_body) @string.special.vault
  (#match? @string.special.vault "([<][<]|[{][{])[ \\t]*vault:"))
((raw_body) @string.special.vault
  (#match? @string.special.vault "([<][<]|[{][{])[ \\t]*vault:"))
((xml_body) @string.special.vault
  (#match? @string.special.vault "([<][<]|[{][{])[ \\t]*vault:"))
((graphql_body) @string.special.vault
  (#match? @string.special.vault "([<][<]|[{][{])[ \\t]*vault:"))
