(request
  method: (_) @context
  url: (_) @name) @item
