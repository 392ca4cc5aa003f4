; The languages of bodies. Zed colours references by the server's semantic tokens.

((json_body) @injection.content
  (#set! injection.language "json"))

((xml_body) @injection.content
  (#not-match? @injection.content "^[<][<]")
  (#set! injection.language "xml"))

(graphql_body
  (graphql_data) @injection.content
  (#set! injection.language "graphql"))
