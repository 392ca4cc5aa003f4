; Colours for .http and .rest files, by the names that Helix's themes have, for the grammar that rest.nvim made.

(comment) @comment
(comment
  name: (_) @attribute
  value: (_) @label)

(request_separator) @punctuation.delimiter
(request_separator
  value: (_) @markup.heading)

(method) @keyword
(http_version) @constant
(status_code) @constant.numeric
(status_text) @string

(target_url) @string.special.url
(header
  name: (_) @attribute)
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
