--[[
What the code of a COMfortel's key meets there: the tables of its vendor's Lua API as far as they are published,
and, with "menus", functions for menus and input lines. What happens is told on standard output, what the world
does to it is read from standard input: lines of words in hexadecimal digits. See comfortel.py.

	lua5.2 comfortel.lua LIBRARY KEY menus|plain
]]
local waiting = {} -- callbacks come later, as on the phone

local function tell(...)
  local words = {}
  for i, word in ipairs({ ... }) do
    words[i] = (tostring(word):gsub(".", function(c) return string.format("%02x", c:byte()) end))
  end
  io.write(table.concat(words, " "), "\n")
  io.flush()
end

local function hear()
  local line = io.read("*l")
  if not line then os.exit(0) end
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word:gsub("^%-$", ""):gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end)
  end
  return words
end

local node = {}
node.__index = {
  find = function(self, tag)
    if self[0] == tag then return self end
    for _, child in ipairs(self) do
      local found = type(child) == "table" and child:find(tag)
      if found then return found end
    end
  end,
}

local entities = { amp = "&", lt = "<", gt = ">", quot = '"' }

local function decode(text)
  return (text:gsub("&(#?)(%w+);", function(number, name)
    return number ~= "" and string.char(tonumber(name)) or entities[name]
  end))
end

xml = {
  eval = function(text)
    local stack = { setmetatable({ [0] = "" }, node) }
    for slash, tag, rest in text:gmatch("<(/?)(%w+)>([^<]*)") do
      if slash == "" then
        local new = setmetatable({ [0] = tag }, node)
        table.insert(stack[#stack], new)
        stack[#stack + 1] = new
        if rest:match("%S") then new[1] = decode(rest) end
      else
        assert(table.remove(stack)[0] == tag, "not well-formed")
      end
    end
    assert(#stack == 1, "not well-formed")
    return stack[1][1]
  end,
}

local function fetch(method, url, callback, content, headers)
  assert(type(url) == "string" and (content == nil or type(content) == "string"))
  table.insert(waiting, function()
    tell(method, url, content or "", headers and headers["Content-Type"] or "")
    local answer = hear()
    callback(tonumber(answer[1]), answer[2] or "", {})
  end)
end

http = {
  get = function(url, callback) fetch("get", url, callback) end,
  post = function(url, callback, content, headers) fetch("post", url, callback, content, headers) end,
}
sip = { invite = function(uri) tell("invite", uri) end }
dialog = { show = function(text) tell("show", text) end }
if arg[3] == "menus" then
  dialog.list = function(menu)
    table.insert(waiting, function()
      tell("menu", menu.title, table.unpack(menu.items))
      menu.callback(tonumber(hear()[1]))
    end)
  end
  dialog.input = function(line)
    table.insert(waiting, function()
      tell("ask", line.title, line.text, line.password and "masked" or "plain", line.numeric and "digits" or "any")
      line.callback(hear()[1])
    end)
  end
end

package.path, package.cpath = "", ""
package.preload.hotdesk = assert(loadfile(arg[1]))
assert(loadfile(arg[2]))()
while true do
  if #waiting > 0 then
    table.remove(waiting, 1)()
  else
    tell("idle")
    hear()
    onKeyUp()
  end
end
