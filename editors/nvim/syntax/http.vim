" Colours for .http and .rest files where no tree-sitter grammar is installed.

if exists('b:current_syntax')
  finish
endif

syntax match httpSeparator /^###.*$/
syntax match httpComment /^\s*\(#\(##\)\@!\|\/\/\).*$/ contains=httpAnnotation
syntax match httpAnnotation /@\w[-A-Za-z_]*/ contained
syntax match httpDeclaration /^@\S\+\ze\s*=/
syntax match httpMethod /^\u\+\ze\s\+\S/
syntax match httpUrl /\%(^\u\+\s\+\)\@<=\S\+/ contains=httpVariable,vaultlsReference
syntax match httpVersion /\sHTTP\/[0-9.]\+\s*$/
syntax match httpHeader /^[A-Za-z][-A-Za-z0-9_]*\ze:\(\/\/\)\@!/
syntax region httpString start=/"/ skip=/\\./ end=/"/ oneline contains=httpVariable,vaultlsReference
syntax match httpVariable /{{[^{}]*}}/
syntax match vaultlsReference /<<vault:[^<>]*>>/ containedin=httpUrl,httpString

highlight default link httpSeparator Title
highlight default link httpComment Comment
highlight default link httpAnnotation SpecialComment
highlight default link httpDeclaration Identifier
highlight default link httpMethod Statement
highlight default link httpUrl Underlined
highlight default link httpVersion Constant
highlight default link httpHeader Identifier
highlight default link httpString String
highlight default link httpVariable PreProc
highlight default link vaultlsReference Special

let b:current_syntax = 'http'
