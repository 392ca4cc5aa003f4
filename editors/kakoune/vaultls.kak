# vaultls in Kakoune, with kakoune-lsp. Source this after `eval %sh{kak-lsp}`.

declare-option -docstring 'the program of vaultls' str vaultls_program vaultls

declare-option -docstring 'the environment of http-client.env.json that requests are checked and sent with
(change it by :vaultls-environment)' \
    str vaultls_environment ''

# The client that sent last: questions of the server belong there.
declare-option -hidden str vaultls_client ''

# Faces of what is not in Kakoune's own list; set them after this file to change them.
set-face global VaultlsReference +b@function

# Which files

hook -group vaultls global BufCreate .*[.](?:http|rest) %{
    set-option buffer filetype http
}

hook -group vaultls global BufCreate .*[.]postman_collection[.]json %{
    set-option buffer filetype json
}

# The server

define-command -hidden vaultls-set-servers %{
    set-option buffer lsp_servers %sh{
        # A basic string of TOML: what could end it is escaped, what cannot stand in it is left out.
        quoted() { printf %s "$1" | tr -d '\000-\037\177' | sed 's/[\\"]/\\&/g'; }
        roots='"vaultls.toml", "http-client.env.json", ".git", ".hg"'
        # JSON stands beside many things: a collection alone has no environment file beside it.
        [ "$kak_opt_filetype" = json ] && roots='"vaultls.toml", ".git", ".hg"'
        printf '[vaultls]\ncommand = "%s"\nargs = ["lsp"]\nroot_globs = [%s]\nsettings_section = "_"\n' \
            "$(quoted "$kak_opt_vaultls_program")" "$roots"
        printf '[vaultls.settings._.vaultls]\nenvironment = "%s"\n' "$(quoted "$kak_opt_vaultls_environment")"
    }
}

hook -group vaultls global BufSetOption filetype=http vaultls-set-servers

# A collection: the server leaves JSON alone that is none.
hook -group vaultls global BufCreate .*[.]postman_collection[.]json vaultls-set-servers

hook -group vaultls global GlobalSetOption vaultls_environment=.* %{
    evaluate-commands -buffer * %{
        evaluate-commands %sh{
            case "$kak_opt_filetype:$kak_bufname" in
                http:* | *.postman_collection.json) echo vaultls-set-servers ;;
            esac
        }
    }
}

define-command -hidden vaultls-enable-window %{
    # Both may be on already, by the user's own hooks.
    try lsp-enable-window
    try %{ lsp-inlay-code-lenses-enable window }
    alias window lsp-execute-command vaultls-execute
    hook -group vaultls window WinDisplay .* vaultls-show-question
}

# A question about a host is shown when it comes, or when the person comes back to a file of requests; kakoune-lsp by
# itself counts it in the mode line.
hook -group vaultls global GlobalSetOption lsp_modeline_message_requests=.+ %{
    try %{ evaluate-commands -client %opt{vaultls_client} vaultls-show-question }
}

define-command -hidden vaultls-show-question %{
    evaluate-commands %sh{
        [ -n "$kak_opt_lsp_modeline_message_requests" ] && echo lsp-show-message-request-next
    }
}

# Colours. The server's semantic tokens add to them where `lsp-semantic-tokens` is on.

add-highlighter shared/vaultls-reference group
add-highlighter shared/vaultls-reference/angle regex '(<<)[ \t]*vault:[ \t]*([\w./ -]+?)[ \t]*(>>)' 0:keyword 2:VaultlsReference
add-highlighter shared/vaultls-reference/curly regex '(\{\{)[ \t]*vault:[ \t]*([\w./ -]+?)[ \t]*(\}\})' 0:keyword 2:VaultlsReference

add-highlighter shared/http regions
add-highlighter shared/http/title region '^###' '$' fill title
add-highlighter shared/http/comment region '^(#|//)' '$' fill comment
add-highlighter shared/http/code default-region group
add-highlighter shared/http/code/header regex '^([A-Za-z0-9!#$%&''*+.^_`|~-]+):' 1:type
add-highlighter shared/http/code/request regex '^(GET|HEAD|POST|PUT|DELETE|CONNECT|PATCH|OPTIONS|TRACE)[ \t]+([^\n]+)$' 1:keyword 2:string
add-highlighter shared/http/code/definition regex '^(@[\w.-]+)[ \t]*=' 1:variable
add-highlighter shared/http/code/variable regex '\{\{[^{}\n]+\}\}' 0:variable
add-highlighter shared/http/code/reference ref vaultls-reference

add-highlighter shared/vaultls-response group
add-highlighter shared/vaultls-response/good regex '\AHTTP/\S+ ([23]\d\d[^\n]*)' 1:green
add-highlighter shared/vaultls-response/bad regex '\AHTTP/\S+ ([45]\d\d[^\n]*)' 1:red
add-highlighter shared/vaultls-response/name regex '^\h+("(?:[^"\\\n]|\\.)*"):' 1:attribute
add-highlighter shared/vaultls-response/text regex '^\h+(?:"(?:[^"\\\n]|\\.)*": )?("(?:[^"\\\n]|\\.)*"),?$' 1:string
add-highlighter shared/vaultls-response/value regex '^\h+(?:"(?:[^"\\\n]|\\.)*": )?(-?\d[\d.eE+-]*|true|false|null),?$' 1:value
add-highlighter shared/vaultls-response/masked regex '\[redacted\]' 0:VaultlsReference

hook -group vaultls global WinSetOption filetype=http %{
    add-highlighter window/http ref http
    hook -once -always window WinSetOption filetype=.* %{ remove-highlighter window/http }
}

hook -group vaultls global WinSetOption filetype=vaultls-response %{
    add-highlighter window/vaultls-response ref vaultls-response
    hook -once -always window WinSetOption filetype=.* %{ remove-highlighter window/vaultls-response }
}

# After the colours, so that what is wrong stands out from them.
hook -group vaultls global WinSetOption filetype=http vaultls-enable-window

# A collection has the colours of JSON, and ours over them.
hook -group vaultls global WinSetOption filetype=json %{
    evaluate-commands %sh{
        case "$kak_bufname" in
            *.postman_collection.json)
                echo 'try %{ add-highlighter window/vaultls-reference ref vaultls-reference }'
                echo vaultls-enable-window ;;
        esac
    }
}

# Commands. All of them are about the file and the place of the main cursor.

# What the server is asked for by an action or a lens passes here: what it gives back gets a pipe to come through, because
# kakoune-lsp can open no document for a server. Nothing of a response is written to the disk.
define-command -hidden vaultls-execute -params 2..3 %{
    set-option global vaultls_client %val{client}
    unalias window lsp-execute-command
    try %{
        evaluate-commands %sh{
            case "$1 $2" in
                'vaultls.run ['?'"'*) echo 'vaultls-send %arg{@}' ;;
                'vaultls.copyCurl ['?'"'*) echo 'vaultls-copy %arg{@}' ;;
                *) echo 'lsp-execute-command %arg{@}' ;;
            esac
        }
    } catch %{
        alias window lsp-execute-command vaultls-execute
        fail "%val{error}"
    }
    alias window lsp-execute-command vaultls-execute
}

define-command -hidden vaultls-send -params 2..3 %{
    vaultls-execute-into *vaultls-response* %{
        set-option buffer filetype vaultls-response
        # Until it comes, the person stays at the request, where the server's questions can be answered.
        hook -once buffer BufReadFifo .* %{
            evaluate-commands -client %opt{vaultls_client} %{
                evaluate-commands -try-client %opt{toolsclient} %{ buffer *vaultls-response* }
            }
        }
    } %arg{@}
}

define-command -hidden vaultls-copy -params 2..3 %{
    vaultls-execute-into *vaultls-curl* %{
        hook -once buffer BufCloseFifo .* vaultls-take-curl
    } %arg{@}
}

# That it came is told by the server, and so is what failed: then nothing came.
define-command -hidden vaultls-take-curl %{
    try %{
        evaluate-commands -draft -buffer *vaultls-curl* %{
            execute-keys '%<a-k>\S<ret>'
            set-register dquote %val{selection}
        }
    }
}

# Asks the server, and reads into a buffer what comes: the buffer, what is done in it before, what the server is asked.
define-command -hidden vaultls-execute-into -params 4..5 %{
    evaluate-commands -save-regs p %{
        vaultls-make-pipe
        evaluate-commands -draft %{
            vaultls-read-pipe %arg{1}
            evaluate-commands %arg{2}
        }
        lsp-execute-command %arg{3} %sh{
            # The first member of the one argument; \173 is the brace that opens it.
            printf '[\173"pipe":"%s",%s' "$(printf %s "$kak_reg_p" | sed 's/[\\"]/\\&/g')" "${4#??}"
        } vaultls
    }
}

# Makes a named pipe that is the user's alone; its path goes into the register p.
define-command -hidden vaultls-make-pipe %{
    set-register p %sh{
        folder=$(mktemp -d "${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}/vaultls-kakoune.XXXXXX") &&
            mkfifo -m 600 "$folder/pipe" && printf %s "$folder/pipe"
    }
}

# Reads the pipe of the register p into the buffer that is named.
define-command -hidden vaultls-read-pipe -params 1 %{
    edit! -fifo %reg{p} %arg{1}
    hook -always -once buffer BufCloseFifo .* "
        nop %%sh{ rm -r ""$(dirname '%reg{p}')"" }
    "
}

# Shows what the program prints: the buffer's name, its filetype, the folder to be in, then what the program is told.
define-command -hidden vaultls-print -params 4.. %{
    evaluate-commands -save-regs p %{
        vaultls-make-pipe
        nop %sh{
            pipe=$kak_reg_p program=$kak_opt_vaultls_program
            cd "$3" || exit
            shift 3
            ( "$program" "$@" --no-input > "$pipe" 2>&1 ) > /dev/null 2>&1 < /dev/null &
        }
        evaluate-commands -try-client %opt{toolsclient} %{
            vaultls-read-pipe %arg{1}
            set-option buffer filetype %arg{2}
        }
    }
}

define-command vaultls-run -docstring '
vaultls-run: send the request under the cursor, saved or not, and show the masked response in *vaultls-response*' %{
    lsp-did-change
    lsp-code-action '^Send request$'
}

define-command vaultls-check -params 0..1 -file-completion -docstring '
vaultls-check [<path>]: list what would keep requests from being sent, in this file''s folder or in <path>; <ret> jumps' %{
    evaluate-commands %sh{
        where=${1:-$(dirname "${kak_buffile:-.}")}
        printf "vaultls-print *vaultls-check* grep . check '%s'" "$(printf %s "$where" | sed "s/'/''/g")"
        [ -n "$kak_opt_vaultls_environment" ] &&
            printf " --env '%s'" "$(printf %s "$kak_opt_vaultls_environment" | sed "s/'/''/g")"
    }
}

define-command vaultls-status -docstring '
vaultls-status: show the local vault, integrations and secrets' %{
    vaultls-print *vaultls-status* '' %sh{ dirname "${kak_buffile:-./x}" } status
}

define-command vaultls-doctor -docstring '
vaultls-doctor: find out what is wrong with the set-up, and what to do about it' %{
    vaultls-print *vaultls-doctor* '' %sh{ dirname "${kak_buffile:-./x}" } doctor
}

define-command vaultls-environment -params 0..1 -docstring '
vaultls-environment [<name>]: send and check with this environment of http-client.env.json, or with none' \
    -shell-script-candidates %{ "$kak_opt_vaultls_program" list --environments -- "$kak_buffile" 2> /dev/null } %{
    set-option global vaultls_environment %arg{1}
}

define-command vaultls-fix -docstring '
vaultls-fix: choose what is to be done about the reference under the cursor: create, link, allow, sign in, ...' %{
    lsp-did-change
    lsp-code-actions quickfix
}

define-command vaultls-create -params 0..1 -docstring '
vaultls-create [<name>]: ask for the value of the secret under the cursor, or of <name>, and keep it in the local vault' %{
    evaluate-commands %sh{ [ -n "$1" ] && echo 'set-option global vaultls_name %arg{1}' || echo vaultls-name-here }
    prompt -password "Value of %opt{vaultls_name} (not shown): " %{
        vaultls-store %val{text}
    }
}

# The name of the secret whose value is being asked for.
declare-option -hidden str vaultls_name

define-command -hidden vaultls-name-here %{
    try %{
        evaluate-commands -draft %{
            try %{ execute-keys '<a-i>c<lt><lt>,<gt><gt><ret>' } catch %{ execute-keys '<a-i>c\{\{,\}\}<ret>' }
            execute-keys '<a-k>\A\h*vault:<ret>'
            set-option global vaultls_name %sh{
                printf %s "$kak_selection" | sed 's/^[ \t]*vault:[ \t]*//; s/[ \t]*$//'
            }
        }
    } catch %{
        fail 'no reference is under the cursor: name the secret'
    }
}

# A value goes through a pipe to the standard input of the program: never into its arguments, its environment, a file,
# or the conversation with the server.
define-command -hidden vaultls-store -params 1 %{
    evaluate-commands -save-regs p %{
        vaultls-make-pipe
        nop %sh{
            pipe=$kak_reg_p program=$kak_opt_vaultls_program name=$kak_opt_vaultls_name
            cd "$(dirname "${kak_buffile:-./x}")" || exit
            # kak_session kak_client
            ( said=$("$program" vault set --no-input -- "$name" < "$pipe" 2>&1) && done=-done || done=-failed
              rm -r "$(dirname "$pipe")"
              # The program repeats a name that is none, and that came from a file: quoted for each of the two readings.
              quoted() { printf %s "$1" | tr '\n' ' ' | sed "s/'/''/g"; }
              told="vaultls-stored$done '$(quoted "$said")'"
              printf "evaluate-commands -try-client '%s' '%s'" "$kak_client" "$(quoted "$told")" |
                  kak -p "$kak_session" ) > /dev/null 2>&1 < /dev/null &
        }
        echo -to-file %reg{p} -- %arg{1}
    }
}

# After {\} nothing is markup any more.
define-command -hidden vaultls-stored-done -params 1 %{
    echo -markup -- "{Information}vaultls: {\}%arg{1}"
    # The server looks at the vault again.
    try %{
        lsp-execute-command vaultls.resetCache %sh{
            printf '[{"name":"%s"}]' "$(printf %s "$kak_opt_vaultls_name" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')"
        } vaultls
    }
}

define-command -hidden vaultls-stored-failed -params 1 %{
    echo -markup -- "{Error}vaultls: {\}%arg{1}"
}

define-command vaultls-link -docstring '
vaultls-link: link a secret to an external vault by choosing what is there' %{
    vaultls-ask-server vaultls.link
}

define-command vaultls-copy-curl -docstring '
vaultls-copy-curl: copy the request as a curl command that keeps its references' %{
    lsp-did-change
    lsp-code-action '^Copy as cURL$'
}

define-command vaultls-trust -docstring '
vaultls-trust: review what this workspace defines, and approve it' %{
    vaultls-ask-server vaultls.trust
}

define-command vaultls-unlock -docstring '
vaultls-unlock: open the local vault by its passphrase' %{
    vaultls-ask-server vaultls.unlock
}

define-command vaultls-lock -docstring '
vaultls-lock: lock the local vault and forget everything cached' %{
    vaultls-ask-server vaultls.lock
}

define-command vaultls-login -params 1 -docstring '
vaultls-login <integration>: sign in' %{
    vaultls-ask-server vaultls.login %arg{1}
}

define-command vaultls-disconnect -params 1 -docstring '
vaultls-disconnect <integration>: end the session, and forget what it gave' %{
    vaultls-ask-server vaultls.disconnect %arg{1}
}

# Without a document's address the server means the one that was worked in last.
define-command -hidden vaultls-ask-server -params 1..2 %{
    set-option global vaultls_client %val{client}
    lsp-execute-command %arg{1} %sh{
        [ -n "$2" ] && printf '[{"integration":"%s"}]' "$(printf %s "$2" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')"
    } vaultls
}

# Keys: `map global user v ': enter-user-mode vaultls<ret>' -docstring vaultls` puts them behind <space>v.

declare-user-mode vaultls
map global vaultls s ': vaultls-run<ret>'          -docstring 'send the request'
map global vaultls f ': vaultls-fix<ret>'          -docstring 'fix what is under the cursor: link, allow, sign in, ...'
map global vaultls c ': vaultls-create<ret>'       -docstring 'create the secret under the cursor'
map global vaultls k ': vaultls-check<ret>'        -docstring 'check this folder'
map global vaultls e ':vaultls-environment '       -docstring 'choose the environment'
map global vaultls t ': vaultls-trust<ret>'        -docstring 'review and trust this workspace'
map global vaultls i ': vaultls-status<ret>'       -docstring 'status'
map global vaultls u ': vaultls-unlock<ret>'       -docstring 'unlock the local vault'
map global vaultls l ': vaultls-lock<ret>'         -docstring 'lock the local vault'
map global vaultls y ': vaultls-copy-curl<ret>'    -docstring 'copy as a curl command'
