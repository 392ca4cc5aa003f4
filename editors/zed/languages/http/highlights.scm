; Captures that Zed's themes know. Later patterns win.

(comment) @comment
(request_separator) @title
(method) @keyword
(http_version) @constant
(target_url) @link_uri
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
  path: (_) @string)
[ "{{" "}}" ] @punctuation.special
[ "@" ":" "=" ] @punctuation.delimiter

; A value that holds a reference to a secret.
((target_url) @string.special
  (#match? @string.special "([<][<]|[{][{])[ \\t]*vault:"))
((value) @string.special
  (#match? @string.special "([<][<]|[{][{])[ \\t]*vault:"))
((raw_body) @string.special
  (#match? @string.special "([<][<]|[{][{])[ \\t]*vault:"))
((xml_body) @string.special
  (#match? @string.special "([<][<]|[{][{])[ \\t]*vault:"))
((graphql_body) @string.special
  (#match? @string.special "([<][<]|[{][{])[ \\t]*vault:"))
