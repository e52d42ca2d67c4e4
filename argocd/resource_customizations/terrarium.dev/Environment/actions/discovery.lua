local suspended = obj.spec.suspend == true
local going = obj.metadata.deletionTimestamp ~= nil
local lifetime = obj.spec.lifetime
local ends = lifetime ~= nil and (lifetime.ttl ~= nil or lifetime["until"] ~= nil)

return {
  ["run"] = { ["disabled"] = suspended or going, ["iconClass"] = "fa fa-fw fa-play", ["displayName"] = "Run now" },
  ["suspend"] = { ["disabled"] = suspended, ["iconClass"] = "fa fa-fw fa-pause" },
  ["resume"] = { ["disabled"] = not suspended, ["iconClass"] = "fa fa-fw fa-play" },
  ["extend"] = { ["disabled"] = going or not ends, ["iconClass"] = "fa fa-fw fa-clock", ["displayName"] = "Extend by a day" },
}
