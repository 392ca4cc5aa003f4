---@meta
-- The contract with the server, for the Lua language server. Never loaded.

---@class vaultls.Response
---@field status integer
---@field reason string
---@field version string
---@field method string
---@field url string
---@field headers string[][] pairs of name and value
---@field body string
---@field binary boolean the body is a note about binary data
---@field truncated boolean
---@field bytes integer length of the body as received
---@field millis integer
---@field redirects { [1]: integer, [2]: string }[] status and the URL it led to

---@class vaultls.Obstacle
---@field secret? string
---@field host? string
---@field code string
---@field message string
---@field hint string

---@class vaultls.Field
---@field id string
---@field label string
---@field kind 'text'|'hidden'|'otp'

---@class vaultls.Pending
---@field kind string
---@field name string
---@field definition string

---What a command answers; which fields there are depends on `outcome`.
---@class vaultls.Outcome
---@field outcome 'sent'|'blocked'|'failed'|'done'|'needsInput'|'review'|'status'|'text'
---@field text? string
---@field message? string
---@field response? vaultls.Response
---@field notes? string[]
---@field obstacles? vaultls.Obstacle[]
---@field obstacle? vaultls.Obstacle
---@field ticket? string
---@field fields? vaultls.Field[]
---@field pending? vaultls.Pending[]
---@field integrations? table[]
---@field secrets? table[]
---@field local? string

---The one argument of `vaultls.run`.
---@class vaultls.RunArgument
---@field uri string
---@field request? integer index of the request in its file
---@field line? integer zero-based
---@field environment? string
