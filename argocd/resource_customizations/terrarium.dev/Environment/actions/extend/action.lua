-- One day from now; never earlier than somebody said before. Argo CD's clock is UTC unless its pods were given a TZ.
local os = require("os")
local tomorrow = os.time() + 24 * 3600

local function written(at)
  return os.date("!%Y-%m-%dT%X", at)
end

-- What times are written with, in the order in which Lua compares it.
local characters = { "+", "-", ".", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", ":", "T", "Z", "t", "z" }
local longest = 64

-- The characters of a text, or none where one of them is in no time. Lua has no string library here, so each is found by comparing.
local function charactersOf(text)
  local found, begun = {}, ""
  while begun ~= text do
    local fits = nil
    for _, character in ipairs(characters) do
      if begun .. character <= text then
        fits = character
      end
    end
    if fits == nil or #begun == #text or #begun == longest then
      return {}
    end
    begun = begun .. fits
    found[#found + 1] = fits
  end
  return found
end

local capital = { t = "T", z = "Z" }

-- These characters with 0 for each digit, and in capitals.
local function shapeOf(found, from, to)
  local shape = {}
  for index = from, to do
    shape[#shape + 1] = tonumber(found[index]) and "0" or capital[found[index]] or found[index]
  end
  return table.concat(shape)
end

-- By how many seconds the clock was ahead of UTC that wrote the zone which begins there; nothing where that is no zone.
local function aheadOfUtc(found, from)
  local shape = shapeOf(found, from, #found)
  if shape == "Z" then
    return 0
  end
  if shape ~= "+00:00" and shape ~= "-00:00" then
    return nil
  end
  local hours, minutes = found[from + 1] .. found[from + 2], found[from + 4] .. found[from + 5]
  local seconds = tonumber(hours) * 3600 + tonumber(minutes) * 60
  return found[from] == "-" and -seconds or seconds
end

-- Times are compared as the clock shows them that wrote what somebody said. What is no time does not count.
local function isLater(said)
  local found = charactersOf(said)
  if shapeOf(found, 1, 19) ~= "0000-00-00T00:00:00" then
    return false
  end
  local zone = 20
  if found[zone] == "." then
    repeat
      zone = zone + 1
    until tonumber(found[zone]) == nil
  end
  local ahead = aheadOfUtc(found, zone)
  local day, time = table.concat(found, "", 1, 10), table.concat(found, "", 12, 19)
  return ahead ~= nil and day .. "T" .. time > written(tomorrow + ahead)
end

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
local said = obj.metadata.annotations["terrarium.dev/extend-until"]
if said == nil or not isLater(said) then
  obj.metadata.annotations["terrarium.dev/extend-until"] = written(tomorrow) .. "Z"
end
return obj
