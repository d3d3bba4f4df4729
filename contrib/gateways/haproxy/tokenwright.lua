-- The action `lua.tokenwright PERMISSIONS`: asks Tokenwright whether a request may pass. If so, it
-- sets the variable `txn.tokenwright` and the headers that say who called. If not, it answers.
-- Needs HAProxy 2.6 or later, built with Lua.

local TOKENWRIGHT = "http://127.0.0.1:8080"
-- In milliseconds. HAProxy asks four times before it gives up, so a client waits four times as long.
local TIMEOUT = 1000

local IDENTITY = {
    "x-tokenwright-user-id",
    "x-tokenwright-user-name",
    "x-tokenwright-token-id",
    "x-tokenwright-permissions",
    "x-tokenwright-labels",
}
local REFUSALS = { [400] = true, [401] = true, [403] = true, [429] = true }
local HANDED_ON = { "www-authenticate", "retry-after" }

-- All values of a header, in a list that begins at 1.
local function values(headers, name)
    local list = {}
    local found = headers and headers[name]
    local place = 0
    while found and found[place] do
        list[place + 1] = found[place]
        place = place + 1
    end
    return list
end

local function ask(txn, permissions)
    local headers = { ["x-forwarded-for"] = { txn.sf:src() } }
    local authorization = values(txn.http:req_get_headers(), "authorization")
    if #authorization > 0 then
        headers["authorization"] = authorization
    end
    return core.httpclient():get({
        url = TOKENWRIGHT .. "/authorize/permissions/" .. permissions,
        headers = headers,
        timeout = TIMEOUT,
    })
end

core.register_action("tokenwright", { "http-req" }, function(txn, permissions)
    local asked, answer = pcall(ask, txn, permissions)
    local status = asked and answer and answer.status
    if status == 200 then
        for _, name in ipairs(IDENTITY) do
            txn.http:req_set_header(name, values(answer.headers, name)[1] or "")
        end
        txn:set_var("txn.tokenwright", true)
        return
    end
    local refused = REFUSALS[status] or false
    local reply = txn:reply({ status = refused and status or 503 })
    reply:add_header("cache-control", "no-store")
    for _, name in ipairs(HANDED_ON) do
        for _, value in ipairs(refused and values(answer.headers, name) or {}) do
            reply:add_header(name, value)
        end
    end
    txn:done(reply)
end, 1)
