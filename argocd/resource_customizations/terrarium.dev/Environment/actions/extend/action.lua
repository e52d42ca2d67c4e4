-- One day from now; never earlier than somebody said before. Argo CD's clock is UTC unless its pods were given a TZ.
local os = require("os")
local tomorrow = os.date("!%Y-%m-%dT%XZ", os.time() + 24 * 3600)
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
local said = obj.metadata.annotations["terrarium.dev/extend-until"]
if said == nil or said < tomorrow then
  obj.metadata.annotations["terrarium.dev/extend-until"] = tomorrow
end
return obj
