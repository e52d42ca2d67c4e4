local suspended = obj.spec.suspend == true
local going = obj.metadata.deletionTimestamp ~= nil

return {
  ["run"] = { ["disabled"] = suspended or going, ["iconClass"] = "fa fa-fw fa-play", ["displayName"] = "Run now" },
  ["suspend"] = { ["disabled"] = suspended, ["iconClass"] = "fa fa-fw fa-pause" },
  ["resume"] = { ["disabled"] = not suspended, ["iconClass"] = "fa fa-fw fa-play" },
}
