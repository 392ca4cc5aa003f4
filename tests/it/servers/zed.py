# The part of Zed that runs an extension: loads one as WebAssembly, answers what it asks, and prints as a line of JSON how
# it would have a language server started. Standard input: {"extension": path, "server": id, "settings": what stands under
# `lsp.ID`, "programs": {name: path}, "environment": [[name, value], ..]}.

import json
import sys

from wasmtime import Engine, Store, WasiConfig
from wasmtime.component import Component, Linker, Record, ResourceHost, ResourceType, Variant

WORKTREE, PROJECT, STORE = 1, 2, 3
# Interfaces of which an extension takes types only.
TYPES = ['common', 'context-server', 'dap', 'lsp', 'process', 'slash-command']

told = json.load(sys.stdin)
engine = Engine()
component = Component.from_file(engine, told['extension'])
store = Store(engine)
# The extension's own folder, as it sees it.
wasi = WasiConfig()
wasi.env = [('PWD', '/')]
wasi.inherit_stderr()
store.set_wasi(wasi)


def settings(_store, location, category, key):
    if (category, key) != ('lsp', told['server']):
        return Variant('err', f'there are no settings of {category} {key}')
    return Variant('ok', json.dumps(told['settings']))


def of_worktree(answer):
    def asked(context, worktree, *arguments):
        # What is lent to a function is given back by it.
        worktree.drop(context)
        return answer(*arguments)

    return asked


linker = Linker(engine)
linker.add_wasip2()
with linker.root() as root:
    for name in TYPES:
        root.add_instance(f'zed:extension/{name}').close()
    for name, number in (('worktree', WORKTREE), ('project', PROJECT), ('key-value-store', STORE)):
        root.add_resource(name, ResourceType.host(number), lambda _store, _rep: None)
    root.add_func('get-settings', settings)
    root.add_func('[method]worktree.id', of_worktree(lambda: 1))
    root.add_func('[method]worktree.which', of_worktree(lambda name: told['programs'].get(name)))
    root.add_func('[method]worktree.shell-env', of_worktree(lambda: [tuple(it) for it in told['environment']]))
extension = linker.instantiate(store, component)


def call(name, *arguments):
    function = extension.get_func(store, name)
    result = function(store, *arguments)
    function.post_return(store)
    return result


def shown(value):
    if isinstance(value, Record):
        return {name: shown(field) for name, field in vars(value).items()}
    if isinstance(value, Variant):
        return {value.tag: shown(value.payload)}
    if isinstance(value, (list, tuple)):
        return [shown(item) for item in value]
    return value


def of_server(name):
    return shown(call(name, told['server'], ResourceHost.borrow(1, WORKTREE)))


call('init-extension')
answers = {
    'command': of_server('language-server-command'),
    'options': of_server('language-server-initialization-options'),
    'configuration': of_server('language-server-workspace-configuration'),
}
print(json.dumps(answers))
