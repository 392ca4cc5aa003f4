-- Files with requests have the filetype `http`; Neovim 0.11 knows `.http` only.

vim.filetype.add({ extension = { http = 'http', rest = 'http' } })
