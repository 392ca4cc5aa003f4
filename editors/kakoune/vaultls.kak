# vaultls in Kakoune, with kakoune-lsp. Source this after `eval %sh{kak-lsp}`.

hook global BufCreate .*[.](?:http|rest) %{
    set-option buffer filetype http
}

hook global BufCreate .*[.]postman_collection[.]json %{
    set-option buffer filetype json
}

hook -group lsp-filetype-http global BufSetOption filetype=http %{
    set-option buffer lsp_servers %{
        [vaultls]
        command = "vaultls"
        args = ["lsp"]
        root_globs = ["vaultls.toml", "http-client.env.json", ".git", ".hg"]
    }
}

# A collection: the server leaves JSON alone that is none.
hook -group lsp-filetype-postman global BufCreate .*[.]postman_collection[.]json %{
    set-option buffer lsp_servers %{
        [vaultls]
        command = "vaultls"
        args = ["lsp"]
        root_globs = ["vaultls.toml", ".git", ".hg"]
    }
}

# Colours. The server's semantic tokens add to them where `lsp-semantic-tokens` is on.
add-highlighter shared/vaultls-reference group
add-highlighter shared/vaultls-reference/angle regex '(<<)[ \t]*vault:[ \t]*([\w./ -]+?)[ \t]*(>>)' 0:keyword 2:attribute
add-highlighter shared/vaultls-reference/curly regex '(\{\{)[ \t]*vault:[ \t]*([\w./ -]+?)[ \t]*(\}\})' 0:keyword 2:attribute

add-highlighter shared/http regions
add-highlighter shared/http/title region '^###' '$' fill title
add-highlighter shared/http/comment region '^(#|//)' '$' fill comment
add-highlighter shared/http/code default-region group
add-highlighter shared/http/code/header regex '^([A-Za-z0-9!#$%&''*+.^_`|~-]+):' 1:type
add-highlighter shared/http/code/request regex '^(GET|HEAD|POST|PUT|DELETE|CONNECT|PATCH|OPTIONS|TRACE)[ \t]+([^\n]+)$' 1:keyword 2:string
add-highlighter shared/http/code/definition regex '^(@[\w.-]+)[ \t]*=' 1:variable
add-highlighter shared/http/code/variable regex '\{\{[^{}\n]+\}\}' 0:variable
add-highlighter shared/http/code/reference ref vaultls-reference

hook -group http-highlight global WinSetOption filetype=http %{
    add-highlighter window/http ref http
    hook -once -always window WinSetOption filetype=.* %{ remove-highlighter window/http }
}

hook -group http-highlight global WinCreate .*[.]postman_collection[.]json %{
    add-highlighter window/vaultls-reference ref vaultls-reference
}

hook global WinSetOption filetype=http %{
    lsp-enable-window
}

hook global WinCreate .*[.]postman_collection[.]json %{
    lsp-enable-window
}

define-command vaultls-run -docstring 'send the request under the cursor; its status is told' %{
    lsp-code-action '^Send request'
}

define-command vaultls-response -docstring 'save, send the request under the cursor, and show the masked response' %{
    write
    evaluate-commands %sh{
        folder=$(mktemp -d "${TMPDIR:-/tmp}/vaultls.XXXXXX")
        mkfifo "$folder/fifo"
        ( vaultls run "$kak_buffile:$kak_cursor_line" > "$folder/fifo" 2>&1
          rm -r "$folder" ) > /dev/null 2>&1 < /dev/null &
        printf %s "edit! -fifo '$folder/fifo' -scroll *vaultls-response*"
    }
}
