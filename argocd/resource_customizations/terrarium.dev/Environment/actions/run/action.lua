-- Asks for one fresh Run of every component: any new value of the annotation does.
local os = require("os")
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["terrarium.dev/requestedAt"] = os.date("!%Y-%m-%dT%XZ")
return obj
