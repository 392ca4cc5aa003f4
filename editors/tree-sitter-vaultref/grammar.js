// References to secrets of vaults inside any other text, for editors that colour with tree-sitter: this grammar is
// injected into strings, header values and bodies, and marks `<<vault:name>>` and `{{vault:name}}` to the character.
// `src/` is made of this file by `tree-sitter generate --abi 14`.

/// <reference types="tree-sitter-cli/dsl" />

module.exports = grammar({
  name: 'vaultref',

  extras: (_) => [],

  rules: {
    text: ($) => repeat(choice($.reference, $._other)),

    reference: ($) =>
      choice(
        seq(field('open', $.angle_open), optional($._blank), field('name', $.name), optional($._blank), field('close', '>>')),
        seq(field('open', $.curly_open), optional($._blank), field('name', $.name), optional($._blank), field('close', '}}')),
      ),

    angle_open: (_) => token(prec(1, /<<[ \t]*vault:/)),
    curly_open: (_) => token(prec(1, /\{\{[ \t]*vault:/)),

    name: (_) => /[A-Za-z0-9._\/-]+( +[A-Za-z0-9._\/-]+)*/,

    _blank: (_) => /[ \t]+/,

    _other: (_) => choice(/[^<{]+/, '<', '{'),
  },
});
